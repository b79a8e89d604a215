/// Writes a GGUF file byte by byte, including files that no honest writer makes.
struct GGUFBuilder {
    var magic: [UInt8] = Array("GGUF".utf8)
    var version: UInt32 = 3
    /// What the header says; nil for the true count.
    var announcedTensors: UInt64?
    var announcedKeys: UInt64?
    var entries: [Entry] = []
    var tensors: [TensorEntry] = []
    var alignment = 32
    /// Bytes cut from the end, or added to it.
    var tail: Int = 0

    struct Entry {
        var key: [UInt8]
        /// The announced length of the key; nil for the true one.
        var keyLength: UInt64?
        var type: UInt32
        var value: [UInt8]
    }

    struct TensorEntry {
        var name: [UInt8]
        var nameLength: UInt64?
        /// Innermost first, as in the file.
        var dimensions: [UInt64]
        var dimensionCount: UInt32?
        var type: UInt32
        /// nil for the place behind the previous tensor.
        var offset: UInt64?
        var data: [UInt8]
    }

    // MARK: Adding keys

    mutating func add(_ key: String, type: UInt32, _ value: [UInt8]) {
        entries.append(Entry(key: Array(key.utf8), keyLength: nil, type: type, value: value))
    }

    mutating func add(_ key: String, _ value: UInt32) { add(key, type: 4, littleEndian(value)) }
    mutating func add(_ key: String, _ value: Float) { add(key, type: 6, littleEndian(value.bitPattern)) }
    mutating func add(_ key: String, _ value: Bool) { add(key, type: 7, [value ? 1 : 0]) }
    mutating func add(_ key: String, _ value: String) { add(key, type: 8, text(value)) }
    mutating func add(_ key: String, _ values: [String]) {
        add(key, type: 9, littleEndian(UInt32(8)) + littleEndian(UInt64(values.count)) + values.flatMap(text))
    }
    mutating func add(_ key: String, _ values: [Int32]) {
        add(
            key, type: 9,
            littleEndian(UInt32(5)) + littleEndian(UInt64(values.count)) + values.flatMap { littleEndian($0) }
        )
    }
    mutating func add(_ key: String, _ values: [Float]) {
        add(
            key, type: 9,
            littleEndian(UInt32(6)) + littleEndian(UInt64(values.count))
                + values.flatMap { littleEndian($0.bitPattern) })
    }

    // MARK: Adding tensors

    /// A tensor of `type` (ggml's number) whose data is `data`; the shape is given outermost first.
    mutating func addTensor(
        _ name: String, shape: [Int], type: UInt32 = 0, data: [UInt8], offset: UInt64? = nil
    ) {
        tensors.append(
            TensorEntry(
                name: Array(name.utf8), nameLength: nil, dimensions: shape.reversed().map { UInt64($0) },
                dimensionCount: nil, type: type, offset: offset, data: data))
    }

    mutating func addFloats(_ name: String, shape: [Int], _ values: [Float]) {
        addTensor(name, shape: shape, data: values.flatMap { littleEndian($0.bitPattern) })
    }

    // MARK: Writing

    func bytes() -> [UInt8] {
        var file = magic + littleEndian(version)
        file += littleEndian(announcedTensors ?? UInt64(tensors.count))
        file += littleEndian(announcedKeys ?? UInt64(entries.count))
        for entry in entries {
            file += littleEndian(entry.keyLength ?? UInt64(entry.key.count)) + entry.key
            file += littleEndian(entry.type) + entry.value
        }
        var data: [UInt8] = []
        for tensor in tensors {
            file += littleEndian(tensor.nameLength ?? UInt64(tensor.name.count)) + tensor.name
            file += littleEndian(tensor.dimensionCount ?? UInt32(tensor.dimensions.count))
            file += tensor.dimensions.flatMap { littleEndian($0) }
            pad(&data)
            file += littleEndian(tensor.type) + littleEndian(tensor.offset ?? UInt64(data.count))
            data += tensor.data
        }
        if !tensors.isEmpty {
            pad(&file)
            file += data
        }
        return tail < 0 ? file.dropLast(-tail) : file + [UInt8](repeating: 0, count: tail)
    }

    private func pad(_ bytes: inout [UInt8]) {
        bytes += [UInt8](repeating: 0, count: (alignment - bytes.count % alignment) % alignment)
    }

    /// A small valid model with a key of every type and tensors of several; its last byte belongs to a tensor.
    static func small() -> GGUFBuilder {
        var builder = GGUFBuilder()
        builder.add("general.architecture", "llama")
        builder.add("llama.block_count", UInt32(1))
        builder.add("llama.attention.layer_norm_rms_epsilon", Float(1e-5))
        builder.add("tokenizer.ggml.add_bos_token", true)
        builder.add("tokenizer.ggml.tokens", ["<s>", "a", "é"])
        builder.add("tokenizer.ggml.token_type", [Int32(3), 1, 1])
        builder.add("tokenizer.ggml.scores", [Float(0), -1, -2])
        builder.add("a.uint8", type: 0, [200])
        builder.add("a.int8", type: 1, [0xFF])
        builder.add("a.uint16", type: 2, [0xFF, 0xFF])
        builder.add("a.int16", type: 3, [0xFE, 0xFF])
        builder.add("a.int32", type: 5, littleEndian(Int32(-3)))
        builder.add("a.uint64", type: 10, littleEndian(UInt64.max))
        builder.add("a.int64", type: 11, littleEndian(Int64.min))
        builder.add("a.float64", type: 12, littleEndian(Double(0.25).bitPattern))
        builder.addFloats("output_norm.weight", shape: [4], [1, 2, 3, 4])
        builder.addFloats("blk.0.attn_q.weight", shape: [2, 4], [1, 2, 3, 4, 5, 6, 7, 8])
        builder.addTensor(
            "token_embd.weight", shape: [3, 32], type: 8, data: [UInt8](repeating: 7, count: 3 * 34))
        return builder
    }
}

func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

/// A GGUF string: length, then bytes.
func text(_ value: String) -> [UInt8] {
    littleEndian(UInt64(value.utf8.count)) + Array(value.utf8)
}
