internal import StrictJSON
internal import Tensors

/// Walks the JSON of a safetensors header without building a tree of it, so that a hostile header of 16 MB costs no
/// more memory than its tensors' records and its metadata.
struct SafetensorsHeaderParser {
    var reader: JSONReader
    let file: String
    let dataStart: Int
    /// Bytes of an element by the type's name in the file.
    let elementBytes: [String: Int]
    /// The texts of `__metadata__`, once `records()` has run.
    private(set) var metadata: [String: String] = [:]

    /// The parts of one tensor's entry, each of which must occur exactly once.
    private struct Entry {
        var type: String?
        var shape: [Int]?
        var offsets: [Int]?
    }

    /// All records of the header's object.
    mutating func records() throws(CheckpointError) -> [TensorRecord] {
        var records: [TensorRecord] = []
        var hasMetadata = false
        try json { reader throws(JSONError) in try reader.expect(UInt8(ascii: "{"), "an object") }
        if reader.take(UInt8(ascii: "}")) { return [] }
        repeat {
            let name = try json { reader throws(JSONError) in try reader.name() }
            if name == "__metadata__" {
                guard !hasMetadata else { throw .duplicateKey(file: file, key: name) }
                hasMetadata = true
                try readMetadata()
            } else {
                guard records.count < SafetensorsHeader.Limit.tensors else {
                    throw .exceedsLimit(
                        file: file, what: "the number of tensors",
                        limit: UInt64(SafetensorsHeader.Limit.tensors),
                        found: UInt64(records.count) + 1)
                }
                records.append(try record(name))
            }
        } while try json { reader throws(JSONError) in try reader.continues(until: UInt8(ascii: "}")) }
        return records
    }

    /// Reads the metadata, which must be a map from text to text.
    private mutating func readMetadata() throws(CheckpointError) {
        try json { reader throws(JSONError) in try reader.expect(UInt8(ascii: "{"), "an object of texts") }
        if reader.take(UInt8(ascii: "}")) { return }
        var names = Set<ExactName>()
        repeat {
            let name = try json { reader throws(JSONError) in try reader.name() }
            guard names.insert(ExactName(name)).inserted else {
                throw .duplicateKey(file: file, key: "__metadata__." + name)
            }
            guard names.count <= SafetensorsHeader.Limit.metadataEntries else {
                throw .exceedsLimit(
                    file: file, what: "the number of metadata entries",
                    limit: UInt64(SafetensorsHeader.Limit.metadataEntries), found: UInt64(names.count))
            }
            metadata[name] = try json { reader throws(JSONError) in try reader.string() }
        } while try json { reader throws(JSONError) in try reader.continues(until: UInt8(ascii: "}")) }
    }

    private mutating func record(_ name: String) throws(CheckpointError) -> TensorRecord {
        guard !name.isEmpty, name.utf8.count <= SafetensorsHeader.Limit.nameBytes else {
            throw .exceedsLimit(
                file: file, what: "the length of a tensor's name",
                limit: UInt64(SafetensorsHeader.Limit.nameBytes), found: UInt64(name.utf8.count))
        }
        let entry = try entry(name)
        guard let type = entry.type, let shape = entry.shape, let offsets = entry.offsets else {
            throw .invalidTensor(
                file: file, tensor: name, expected: "dtype, shape and data_offsets",
                found: "only some of them")
        }
        guard let size = elementBytes[type] else {
            throw .invalidTensor(
                file: file, tensor: name, expected: "a known dtype (F32, F16, BF16…)", found: quoted(type))
        }
        guard let elements = checkedProduct(shape), let bytes = checkedProduct([elements, size]) else {
            throw .invalidTensor(
                file: file, tensor: name, expected: "a size that can be addressed", found: described(shape))
        }
        guard offsets.count == 2, offsets[0] <= offsets[1], offsets[1] - offsets[0] == bytes,
            let start = checkedSum(dataStart, offsets[0]), let end = checkedSum(dataStart, offsets[1])
        else {
            throw .invalidTensor(
                file: file, tensor: name, expected: "data_offsets [begin, begin + \(bytes)]",
                found: described(offsets))
        }
        // A scalar has one element; its one dimension is made visible.
        return TensorRecord(
            name: name, typeName: type, type: Self.elementType(type), shape: shape.isEmpty ? [1] : shape,
            range: start..<end)
    }

    private mutating func entry(_ name: String) throws(CheckpointError) -> Entry {
        var entry = Entry()
        try json { reader throws(JSONError) in try reader.expect(UInt8(ascii: "{"), "a tensor's object") }
        repeat {
            let key = try json { reader throws(JSONError) in try reader.name() }
            switch key {
            case "dtype" where entry.type == nil:
                entry.type = try json { reader throws(JSONError) in try reader.string() }
            case "shape" where entry.shape == nil:
                entry.shape = try integers(name, atMost: SafetensorsHeader.Limit.dimensions)
            case "data_offsets" where entry.offsets == nil:
                entry.offsets = try integers(name, atMost: 2)
            case "dtype", "shape", "data_offsets":
                throw .duplicateKey(file: file, key: name + "." + key)
            default:
                throw .invalidTensor(
                    file: file, tensor: name, expected: "only dtype, shape and data_offsets",
                    found: quoted(key))
            }
        } while try json { reader throws(JSONError) in try reader.continues(until: UInt8(ascii: "}")) }
        return entry
    }

    private mutating func integers(_ name: String, atMost limit: Int) throws(CheckpointError) -> [Int] {
        var values: [Int] = []
        try json { reader throws(JSONError) in try reader.expect(UInt8(ascii: "["), "an array of integers") }
        if reader.take(UInt8(ascii: "]")) { return [] }
        repeat {
            let value = try json { reader throws(JSONError) in try reader.number() }
            guard case .integer(let integer) = value, integer >= 0 else {
                throw .invalidTensor(
                    file: file, tensor: name, expected: "integers from 0 to \(Int.max)",
                    found: value.described)
            }
            guard values.count < limit else {
                throw .invalidTensor(
                    file: file, tensor: name, expected: "at most \(limit) integers", found: "more")
            }
            values.append(integer)
        } while try json { reader throws(JSONError) in try reader.continues(until: UInt8(ascii: "]")) }
        return values
    }

    private static func elementType(_ name: String) -> ElementType? {
        switch name {
        case "F32": .f32
        case "F16": .f16
        case "BF16": .bf16
        default: nil
        }
    }

    private func checkedSum(_ a: Int, _ b: Int) -> Int? {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? nil : sum
    }

    /// Runs a step of the reader and gives its errors the file's name.
    private mutating func json<T>(
        _ body: (inout JSONReader) throws(JSONError) -> T
    ) throws(CheckpointError) -> T {
        do {
            return try body(&reader)
        } catch {
            throw .invalidJSON(file: file, error: error)
        }
    }
}
