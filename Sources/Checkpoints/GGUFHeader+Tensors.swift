internal import Tensors

extension GGUFHeader {
    /// ggml's number of each tensor type that kernels read, by the type's name.
    static let typeNames: [UInt32: String] = [
        0: "f32", 1: "f16", 2: "q4_0", 3: "q4_1", 6: "q5_0", 7: "q5_1", 8: "q8_0", 10: "q2_K", 11: "q3_K",
        12: "q4_K", 13: "q5_K", 14: "q6_K", 20: "iq4_nl", 23: "iq4_xs", 30: "bf16",
    ]

    /// The names of ggml's other types, so that an error can say which one it was.
    private static let otherTypeNames: [UInt32: String] = [
        4: "q4_2", 5: "q4_3", 9: "q8_1", 15: "q8_K", 16: "iq2_xxs", 17: "iq2_xs", 18: "iq3_xxs", 19: "iq1_s",
        21: "iq3_s", 22: "iq2_s", 24: "i8", 25: "i16", 26: "i32", 27: "i64", 28: "f64", 29: "iq1_m",
        34: "tq1_0", 35: "tq2_0", 39: "mxfp4", 40: "nvfp4",
    ]

    /// A tensor info before the place of the data is known.
    private struct Info {
        let name: String
        let type: ElementType
        let shape: [Int]
        let byteCount: Int
        let offset: UInt64
    }

    /// Reads `count` tensor infos and places them behind the header.
    static func records(
        _ count: Int, _ cursor: inout ByteCursor, _ alignment: Int
    ) throws(CheckpointError) -> [TensorRecord] {
        var infos: [Info] = []
        for _ in 0..<count { infos.append(try info(&cursor, alignment)) }
        // At most 4095 beyond the header's end, which lies inside the file.
        let dataStart = (cursor.offset + alignment - 1) / alignment * alignment
        var records: [TensorRecord] = []
        records.reserveCapacity(count)
        for info in infos {
            let (start, overflow) = UInt64(dataStart).addingReportingOverflow(info.offset)
            let (end, endOverflow) = start.addingReportingOverflow(UInt64(info.byteCount))
            guard !overflow, !endOverflow, end <= UInt64(cursor.bytes.count) else {
                throw .invalidTensor(
                    file: cursor.file, tensor: info.name,
                    expected: "its \(info.byteCount) bytes inside the file of \(cursor.bytes.count) bytes",
                    found: "an offset of \(info.offset) behind the header of \(dataStart) bytes; perhaps the "
                        + "file's download was cut off")
            }
            records.append(
                TensorRecord(
                    name: info.name, typeName: info.type.rawValue, type: info.type, shape: info.shape,
                    range: Int(start)..<Int(end)))
        }
        return records
    }

    private static func info(
        _ cursor: inout ByteCursor, _ alignment: Int
    ) throws(CheckpointError) -> Info {
        let name = try cursor.string(limit: Limit.nameBytes, "a tensor's name")
        guard !name.isEmpty else {
            throw .invalidHeader(file: cursor.file, expected: "a tensor's name", found: "an empty name")
        }
        let shape = try shape(name, &cursor)
        let type = try elementType(name, &cursor)
        let offset = try cursor.integer(UInt64.self, "the offset of tensor \(quoted(name))")
        guard offset % UInt64(alignment) == 0 else {
            throw .invalidTensor(
                file: cursor.file, tensor: name, expected: "an offset that is a multiple of \(alignment)",
                found: "\(offset)")
        }
        guard let elements = checkedProduct(shape), let row = shape.last, row % type.blockLength == 0,
            let bytes = type.byteCount(of: elements)
        else {
            throw .invalidTensor(
                file: cursor.file, tensor: name,
                expected: "rows of whole blocks of \(type.blockLength) and a size that can be addressed",
                found: "the shape \(described(shape)) of type \(type.rawValue)")
        }
        return Info(name: name, type: type, shape: shape, byteCount: bytes, offset: offset)
    }

    /// The dimensions, turned outermost first (the file has the innermost first).
    private static func shape(
        _ name: String, _ cursor: inout ByteCursor
    ) throws(CheckpointError) -> [Int] {
        let count = try cursor.integer(UInt32.self, "the dimensions of tensor \(quoted(name))")
        guard count >= 1, count <= Limit.dimensions else {
            throw .invalidTensor(
                file: cursor.file, tensor: name, expected: "1 to \(Limit.dimensions) dimensions",
                found: "\(count)")
        }
        var shape: [Int] = []
        for _ in 0..<count {
            let dimension = try cursor.integer(UInt64.self, "the shape of tensor \(quoted(name))")
            guard dimension > 0, dimension < Limit.dimension else {
                throw .invalidTensor(
                    file: cursor.file, tensor: name, expected: "dimensions from 1 to \(Limit.dimension - 1)",
                    found: "\(dimension)")
            }
            shape.append(Int(dimension))
        }
        return shape.reversed()
    }

    private static func elementType(
        _ name: String, _ cursor: inout ByteCursor
    ) throws(CheckpointError) -> ElementType {
        let raw = try cursor.integer(UInt32.self, "the type of tensor \(quoted(name))")
        guard let type = typeNames[raw].flatMap(ElementType.init(rawValue:)) else {
            throw .invalidTensor(
                file: cursor.file, tensor: name,
                expected: "one of the types " + ElementType.allCases.map(\.rawValue).joined(separator: ", "),
                found: otherTypeNames[raw] ?? "the unknown type \(raw)")
        }
        return type
    }
}
