import FoundationEssentials
import Synchronization

/// A Llama model with random weights, small enough that a token takes microseconds, written as a GGUF file.
///
/// Its vocabulary is the 256 bytes and the control tokens of ChatML, so every text has as many tokens as bytes.
struct TinyModel {
    static let endOfText: Int32 = 256
    static let turnStart: Int32 = 257
    static let turnEnd: Int32 = 258
    /// Bias that keeps an answer from ending before its limit.
    static let endless: [Int32: Double] = [endOfText: -100, turnStart: -100, turnEnd: -100]

    private static let hidden = 64
    private static let layers = 2
    private static let heads = 4
    private static let kvHeads = 2
    private static let intermediate = 96
    private static let vocabulary = 259

    /// The files that tests of this run asked for already.
    private static let made = Mutex<[String: [UInt8]]>([:])

    private var header: [UInt8] = []
    private var data: [UInt8] = []
    private var keyCount = 0
    private var tensorCount = 0
    private var state: UInt64

    /// The bytes of the file.
    static func file(contextLength: Int, seed: UInt64 = 1) -> [UInt8] {
        var model = TinyModel(state: seed)
        model.addKeys(contextLength: contextLength)
        model.addTensors()
        var bytes: [UInt8] = Array("GGUF".utf8)
        bytes.append(little: UInt32(3))
        bytes.append(little: UInt64(model.tensorCount))
        bytes.append(little: UInt64(model.keyCount))
        bytes += model.header
        bytes += [UInt8](repeating: 0, count: (32 - bytes.count % 32) % 32)
        return bytes + model.data
    }

    /// Writes the model into a folder as `<name>.gguf`.
    static func write(to folder: String, name: String, contextLength: Int, seed: UInt64 = 1) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let key = "\(contextLength) \(seed)"
        let bytes = made.withLock { made in
            let bytes = made[key] ?? file(contextLength: contextLength, seed: seed)
            made[key] = bytes
            return bytes
        }
        try Data(bytes).write(to: URL(filePath: folder + "/" + name + ".gguf"), options: .atomic)
    }

    private init(state: UInt64) { self.state = state }

    // MARK: - Keys

    private mutating func addKeys(contextLength: Int) {
        key("general.architecture", "llama")
        key("llama.context_length", UInt32(contextLength))
        key("llama.embedding_length", UInt32(Self.hidden))
        key("llama.block_count", UInt32(Self.layers))
        key("llama.feed_forward_length", UInt32(Self.intermediate))
        key("llama.attention.head_count", UInt32(Self.heads))
        key("llama.attention.head_count_kv", UInt32(Self.kvHeads))
        key("llama.rope.dimension_count", UInt32(Self.hidden / Self.heads))
        key("llama.rope.freq_base", Float(10_000))
        key("llama.attention.layer_norm_rms_epsilon", Float(1e-5))
        key("tokenizer.ggml.model", "gpt2")
        key("tokenizer.ggml.pre", "smollm")
        let controls = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
        key("tokenizer.ggml.tokens", (0..<256).map { Self.letter(of: UInt8($0)) } + controls)
        key("tokenizer.ggml.token_type", (0..<256).map { _ in Int32(1) } + controls.map { _ in Int32(3) })
        key("tokenizer.ggml.merges", [String]())
        key("tokenizer.ggml.bos_token_id", UInt32(Self.turnStart))
        key("tokenizer.ggml.eos_token_id", UInt32(Self.turnEnd))
        key("tokenizer.ggml.add_bos_token", false)
        key("tokenizer.chat_template", "{{ '<|im_start|>' }}{{ '<|im_end|>' }}")
    }

    /// The letter that byte-level vocabularies write for a byte.
    static func letter(of byte: UInt8) -> String {
        func isPrintable(_ byte: Int) -> Bool {
            (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
        }
        let value = Int(byte)
        let code = isPrintable(value) ? value : 256 + (0..<value).filter { !isPrintable($0) }.count
        return Unicode.Scalar(UInt32(code)).map { String(Character($0)) } ?? ""
    }

    private mutating func key(_ name: String, type: UInt32, _ value: [UInt8]) {
        header.append(text: name)
        header.append(little: type)
        header += value
        keyCount += 1
    }

    private mutating func key(_ name: String, _ value: UInt32) { key(name, type: 4, value.littleBytes) }
    private mutating func key(_ name: String, _ value: Float) {
        key(name, type: 6, value.bitPattern.littleBytes)
    }
    private mutating func key(_ name: String, _ value: Bool) { key(name, type: 7, [value ? 1 : 0]) }

    private mutating func key(_ name: String, _ value: String) {
        var bytes: [UInt8] = []
        bytes.append(text: value)
        key(name, type: 8, bytes)
    }

    private mutating func key(_ name: String, _ values: [String]) {
        var bytes = UInt32(8).littleBytes + UInt64(values.count).littleBytes
        for value in values { bytes.append(text: value) }
        key(name, type: 9, bytes)
    }

    private mutating func key(_ name: String, _ values: [Int32]) {
        var bytes = UInt32(5).littleBytes + UInt64(values.count).littleBytes
        for value in values { bytes += UInt32(bitPattern: value).littleBytes }
        key(name, type: 9, bytes)
    }

    // MARK: - Tensors

    private mutating func addTensors() {
        let kvSize = Self.hidden / Self.heads * Self.kvHeads
        matrix("token_embd", rows: Self.vocabulary, columns: Self.hidden, scale: 1)
        matrix("output", rows: Self.vocabulary, columns: Self.hidden, scale: 0.5)
        vector("output_norm")
        for layer in 0..<Self.layers {
            let block = "blk.\(layer)."
            vector(block + "attn_norm")
            vector(block + "ffn_norm")
            matrix(block + "attn_q", rows: Self.hidden, columns: Self.hidden, scale: 0.3)
            matrix(block + "attn_k", rows: kvSize, columns: Self.hidden, scale: 0.3)
            matrix(block + "attn_v", rows: kvSize, columns: Self.hidden, scale: 0.3)
            matrix(block + "attn_output", rows: Self.hidden, columns: Self.hidden, scale: 0.3)
            matrix(block + "ffn_gate", rows: Self.intermediate, columns: Self.hidden, scale: 0.3)
            matrix(block + "ffn_up", rows: Self.intermediate, columns: Self.hidden, scale: 0.3)
            matrix(block + "ffn_down", rows: Self.hidden, columns: Self.intermediate, scale: 0.3)
        }
    }

    private mutating func matrix(_ name: String, rows: Int, columns: Int, scale: Float) {
        let values = (0..<rows * columns).map { _ in random() * scale }
        tensor(name, shape: [columns, rows], values)
    }

    private mutating func vector(_ name: String) {
        tensor(name, shape: [Self.hidden], [Float](repeating: 1, count: Self.hidden))
    }

    private mutating func tensor(_ name: String, shape: [Int], _ values: [Float]) {
        header.append(text: name + ".weight")
        header.append(little: UInt32(shape.count))
        for size in shape { header.append(little: UInt64(size)) }
        header.append(little: UInt32(0))
        header.append(little: UInt64(data.count))
        for value in values { data += value.bitPattern.littleBytes }
        data += [UInt8](repeating: 0, count: (32 - data.count % 32) % 32)
        tensorCount += 1
    }

    /// A number between -1 and 1 (SplitMix64).
    private mutating func random() -> Float {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Float(Int64(bitPattern: z ^ (z >> 31)) >> 40) / Float(1 << 23)
    }
}

extension FixedWidthInteger {
    fileprivate var littleBytes: [UInt8] {
        (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) }
    }
}

extension [UInt8] {
    fileprivate mutating func append(little value: some FixedWidthInteger) { self += value.littleBytes }

    fileprivate mutating func append(text: String) {
        append(little: UInt64(text.utf8.count))
        self += text.utf8
    }
}
