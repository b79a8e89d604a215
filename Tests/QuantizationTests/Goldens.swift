import Checkpoints
import Foundation
import Tensors

/// What llama.cpp made; `Fixtures/make-fixtures.py` says how.
struct Goldens: Decodable {
    struct Model: Decodable {
        struct File: Decodable {
            var sha256: String
            /// Of the tensors, in the file's order.
            var types: String
        }

        /// Of the unquantised file.
        var source: String
        var files: [String: File]
    }

    /// The sizes of a random model that both sides make.
    struct Shapes: Decodable {
        var layers, hidden, ffn, heads, kv, dim, vocabulary: Int
        var type: String
        var tied: Bool
    }

    var rows: Int
    /// Where the blocks of a type lie in rows.bin, and how many bytes they are.
    var blocks: [String: [Int]]
    var shapes: [String: Shapes]
    var models: [String: Model]

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

    static func load() throws -> Goldens {
        try JSONDecoder().decode(
            Goldens.self, from: Data(contentsOf: folder.appending(path: "goldens.json")))
    }
}

/// A random model of some sizes, by the same arithmetic as the script's.
struct RandomModel {
    let name: String
    let shapes: Goldens.Shapes

    /// The file's bytes, as gguf's Python package writes them.
    func file() -> [UInt8] {
        var contents = GGUFContents()
        contents.set("general.architecture", "llama")
        contents.set("general.name", name)
        contents.set("llama.context_length", UInt32(128))
        contents.set("llama.embedding_length", UInt32(shapes.hidden))
        contents.set("llama.block_count", UInt32(shapes.layers))
        contents.set("llama.feed_forward_length", UInt32(shapes.ffn))
        contents.set("llama.attention.head_count", UInt32(shapes.heads))
        contents.set("llama.attention.head_count_kv", UInt32(shapes.kv))
        contents.set("llama.attention.key_length", UInt32(shapes.dim))
        contents.set("llama.attention.value_length", UInt32(shapes.dim))
        contents.set("llama.attention.layer_norm_rms_epsilon", Float(1) / 65_536)
        contents.set("tokenizer.ggml.model", "llama")
        contents.set("tokenizer.ggml.tokens", (0..<shapes.vocabulary).map { "t\($0)" })
        contents.set("tokenizer.ggml.scores", (0..<shapes.vocabulary).map { -Float($0) })
        contents.set("tokenizer.ggml.token_type", (0..<shapes.vocabulary).map { _ in Int32(1) })
        contents.set("test.flag", true)
        contents.tensors = tensors.map { name, shape in
            .init(name: name, type: shape.count == 1 ? .f32 : plainType, shape: shape)
        }
        let layout = contents.layout()
        var bytes = layout.header + [UInt8](repeating: 0, count: layout.fileSize - layout.header.count)
        for (number, info) in contents.tensors.enumerated() {
            let weights = Self.weights(number, count: info.shape.reduce(1, *))
            bytes.replaceSubrange(
                layout.offsets[number]..<layout.offsets[number] + info.byteCount,
                with: weights.flatMap { Self.encoded($0, info.type) })
        }
        return bytes
    }

    private var plainType: ElementType { ElementType(rawValue: shapes.type) ?? .f32 }

    private var tensors: [(String, [Int])] {
        let (q, k) = (shapes.heads * shapes.dim, shapes.kv * shapes.dim)
        var tensors = [
            ("token_embd.weight", [shapes.vocabulary, shapes.hidden]),
            ("output_norm.weight", [shapes.hidden]),
        ]
        if !shapes.tied { tensors.append(("output.weight", [shapes.vocabulary, shapes.hidden])) }
        for layer in 0..<shapes.layers {
            let parts: [(String, [Int])] = [
                ("attn_norm", [shapes.hidden]), ("attn_q", [q, shapes.hidden]),
                ("attn_k", [k, shapes.hidden]),
                ("attn_v", [k, shapes.hidden]), ("attn_output", [shapes.hidden, q]),
                ("ffn_norm", [shapes.hidden]), ("ffn_gate", [shapes.ffn, shapes.hidden]),
                ("ffn_up", [shapes.ffn, shapes.hidden]), ("ffn_down", [shapes.hidden, shapes.ffn]),
            ]
            tensors += parts.map { ("blk.\(layer).\($0).weight", $1) }
        }
        return tensors
    }

    /// SplitMix64's numbers as multiples of 2^-28.
    private static func weights(_ number: Int, count: Int) -> [Float] {
        (1...count).map { index in
            var z = (UInt64(index) &+ (UInt64(number) << 32)) &* 0x9E37_79B9_7F4A_7C15
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            z ^= z >> 31
            return Float(Int(z >> 40) - (1 << 23)) * 0x1p-28
        }
    }

    private static func encoded(_ value: Float, _ type: ElementType) -> [UInt8] {
        switch type {
        case .f16: withUnsafeBytes(of: Float16(value).bitPattern.littleEndian, Array.init)
        case .bf16:
            withUnsafeBytes(
                of: UInt16((value.bitPattern + 0x7FFF + (value.bitPattern >> 16 & 1)) >> 16).littleEndian,
                Array.init)
        default: withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init)
        }
    }
}

/// A folder that is removed at the end.
struct TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/inkling-quantization-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }
}
