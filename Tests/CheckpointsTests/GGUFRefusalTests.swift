import Testing

@testable import Checkpoints

/// One damaged or hostile header of each kind, with the error it must end in.
struct GGUFRefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        let isExpected: @Sendable (CheckpointError) -> Bool

        init(
            _ description: String, _ edit: (inout GGUFBuilder) -> Void,
            _ isExpected: @escaping @Sendable (CheckpointError) -> Bool
        ) {
            testDescription = description
            var builder = GGUFBuilder.small()
            edit(&builder)
            bytes = builder.bytes()
            self.isExpected = isExpected
        }
    }

    @Test(arguments: headerCases + keyCases + tensorCases)
    func refuses(_ refused: Case) throws {
        let error = try #require(failure { () throws(CheckpointError) in try parseGGUF(refused.bytes) })
        #expect(refused.isExpected(error), "\(error)")
        #expect(error.description.contains("test.gguf"))
    }

    static let headerCases: [Case] = [
        Case("another magic number", { $0.magic = Array("GGML".utf8) }) { $0.isUnknownFormat },
        Case("version 0", { $0.version = 0 }) { $0.isUnsupportedVersion },
        Case("version 1", { $0.version = 1 }) { $0.isUnsupportedVersion },
        Case("a version of the future", { $0.version = 4 }) { $0.isUnsupportedVersion },
        Case("big endian", { $0.version = UInt32(3).byteSwapped }) {
            $0 == .unsupportedVersion(file: "test.gguf", found: "version 3, big endian")
        },
        Case("tensor count -1", { $0.announcedTensors = .max }) { $0.isLimit },
        Case("key count -1", { $0.announcedKeys = .max }) { $0.isLimit },
        Case("tensor count 2^63", { $0.announcedTensors = 1 << 63 }) { $0.isLimit },
        Case("one tensor too many", { $0.announcedTensors = 65_537 }) { $0.isLimit },
        Case("one key too many", { $0.announcedKeys = 65_537 }) { $0.isLimit },
        Case("more tensors than fit", { $0.announcedTensors = 65_536 }) { $0.isTruncated },
        Case("more keys than fit", { $0.announcedKeys = 65_536 }) { $0.isTruncated },
    ]

    static let keyCases: [Case] = [
        Case("key length 2^64 - 1", { $0.entries[0].keyLength = .max }) { $0.isTruncated },
        Case("key length 2^63", { $0.entries[0].keyLength = 1 << 63 }) { $0.isTruncated },
        Case("an empty key", { $0.entries[0].key = [] }) { $0.isInvalidHeader },
        Case("a key of 513 bytes", { $0.entries[0].key = [UInt8](repeating: 97, count: 513) }) { $0.isLimit },
        Case("a key that is no UTF-8", { $0.entries[0].key = [0xC0, 0x80] }) { $0.isInvalidText },
        Case("a key that occurs twice", { $0.add("llama.block_count", UInt32(1)) }) {
            $0 == .duplicateKey(file: "test.gguf", key: "llama.block_count")
        },
        Case("an unknown value type", { $0.entries[1].type = 13 }) { $0.isInvalidKey },
        Case("value type 2^32 - 1", { $0.entries[1].type = .max }) { $0.isInvalidKey },
        Case("a truth value of 2", { $0.add("b", type: 7, [2]) }) { $0.isInvalidKey },
        Case("string length 2^64 - 1", { $0.add("s", type: 8, littleEndian(UInt64.max)) }) { $0.isTruncated },
        Case(
            "a string of 1 MiB + 1",
            { $0.add("s", String(repeating: "x", count: 1 << 20 + 1)) }
        ) { $0.isLimit },
        Case(
            "an array of arrays", { $0.add("a", type: 9, littleEndian(UInt32(9)) + littleEndian(UInt64(1))) }
        ) {
            $0.isInvalidKey
        },
        Case("array length -1", { $0.add("a", type: 9, littleEndian(UInt32(0)) + littleEndian(UInt64.max)) })
        {
            $0.isLimit
        },
        Case(
            "an array of 2^24 + 1",
            { $0.add("a", type: 9, littleEndian(UInt32(0)) + littleEndian(UInt64(1 << 24 + 1))) }
        ) { $0.isLimit },
        Case(
            "an array longer than the file",
            { $0.add("a", type: 9, littleEndian(UInt32(12)) + littleEndian(UInt64(1 << 20))) }
        ) { $0.isTruncated },
        Case(
            "an array of an unknown type",
            { $0.add("a", type: 9, littleEndian(UInt32(77)) + littleEndian(UInt64(1))) }
        ) { $0.isInvalidKey },
        Case(
            "an array's string beyond the file",
            {
                $0.add(
                    "a", type: 9,
                    littleEndian(UInt32(8)) + littleEndian(UInt64(1)) + littleEndian(UInt64(1 << 40)))
            }
        ) { $0.isTruncated },
        Case("alignment 0", { $0.add("general.alignment", UInt32(0)) }) { $0.isInvalidKey },
        Case("alignment 3", { $0.add("general.alignment", UInt32(3)) }) { $0.isInvalidKey },
        Case("alignment 4", { $0.add("general.alignment", UInt32(4)) }) { $0.isInvalidKey },
        Case("alignment 24", { $0.add("general.alignment", UInt32(24)) }) { $0.isInvalidKey },
        Case("alignment 8192", { $0.add("general.alignment", UInt32(8192)) }) { $0.isInvalidKey },
        Case("alignment 2^31", { $0.add("general.alignment", UInt32(1 << 31)) }) { $0.isInvalidKey },
        Case("an alignment of 64 bits", { $0.add("general.alignment", type: 10, littleEndian(UInt64(32))) }) {
            $0.isInvalidKey
        },
        Case("an alignment as text", { $0.add("general.alignment", "32") }) { $0.isInvalidKey },
    ]

    static let tensorCases: [Case] = [
        Case("tensor name length 2^64 - 1", { $0.tensors[0].nameLength = .max }) { $0.isTruncated },
        Case("an empty tensor name", { $0.tensors[0].name = [] }) { $0.isInvalidHeader },
        Case("a tensor name of 513 bytes", { $0.tensors[0].name = [UInt8](repeating: 97, count: 513) }) {
            $0.isLimit
        },
        Case("a tensor name that is no UTF-8", { $0.tensors[0].name = [0xFF] }) { $0.isInvalidText },
        Case("a tensor that occurs twice", { $0.tensors[0].name = $0.tensors[1].name }) {
            $0 == .duplicateTensor(file: "test.gguf", tensor: "blk.0.attn_q.weight")
        },
        Case("no dimensions", { $0.tensors[0].dimensions = [] }) { $0.isInvalidTensor },
        Case("five dimensions", { $0.tensors[0].dimensions = [4, 1, 1, 1, 1] }) { $0.isInvalidTensor },
        Case("2^32 - 1 dimensions", { $0.tensors[0].dimensionCount = .max }) { $0.isInvalidTensor },
        Case("a dimension of 0", { $0.tensors[0].dimensions = [0] }) { $0.isInvalidTensor },
        Case("a dimension of 2^31", { $0.tensors[0].dimensions = [1 << 31] }) { $0.isInvalidTensor },
        Case("a dimension of 2^64 - 1", { $0.tensors[0].dimensions = [.max] }) { $0.isInvalidTensor },
        Case(
            "dimensions whose product wraps to a small number",
            { $0.tensors[0].dimensions = [1 << 30, 1 << 30, 1 << 4, 4] }
        ) { $0.isInvalidTensor },
        Case(
            "a size in bytes that wraps",
            { $0.tensors[0].dimensions = [1 << 30, 1 << 30, 2] }
        ) { $0.isInvalidTensor },
        Case("an unknown element type", { $0.tensors[0].type = 77 }) { $0.isInvalidTensor },
        Case("an element type that has no kernel", { $0.tensors[0].type = 16 }) {
            $0.description.contains("iq2_xxs")
        },
        Case("a removed element type", { $0.tensors[0].type = 4 }) { $0.isInvalidTensor },
        Case("a row that is no whole number of blocks", { $0.tensors[2].dimensions = [16, 6] }) {
            $0.isInvalidTensor
        },
        Case("an offset off the alignment", { $0.tensors[0].offset = 8 }) { $0.isInvalidTensor },
        Case("an offset beyond the file", { $0.tensors[0].offset = 1 << 20 }) { $0.isInvalidTensor },
        Case("an offset of 2^63", { $0.tensors[0].offset = 1 << 63 }) { $0.isInvalidTensor },
        Case("an offset that wraps", { $0.tensors[0].offset = .max - 31 }) { $0.isInvalidTensor },
        Case("a tensor larger than its data", { $0.tensors[2].dimensions = [32, 4] }) { $0.isInvalidTensor },
        Case("two tensors in one place", { $0.tensors[1].offset = 0 }) {
            $0
                == .overlappingTensors(
                    file: "test.gguf", tensor: "output_norm.weight", other: "blk.0.attn_q.weight")
                || $0
                    == .overlappingTensors(
                        file: "test.gguf", tensor: "blk.0.attn_q.weight", other: "output_norm.weight")
        },
        Case("data cut off", { $0.tail = -1 }) { $0.isInvalidTensor },
    ]

    @Test func aTensorWhoseEndWrapsIsRefused() throws {
        var builder = GGUFBuilder.small()
        let dataStart = try #require(try parseGGUF(builder.bytes()).records.map(\.range.lowerBound).min())
        // Begins 32 bytes before 2^64 and is longer than that.
        builder.tensors[2].offset = 0 &- UInt64(dataStart) &- 32
        let error = failure { () throws(CheckpointError) in try parseGGUF(builder.bytes()) }
        #expect(error?.isInvalidTensor == true)
    }

    @Test func aLongChatTemplateIsAccepted() throws {
        var builder = GGUFBuilder.small()
        builder.add("tokenizer.chat_template", String(repeating: "x", count: 1 << 20 + 1))
        try parseGGUF(builder.bytes())
        builder.add("tokenizer.chat_template.tool_use", String(repeating: "x", count: 16 << 20 + 1))
        let error = failure { () throws(CheckpointError) in try parseGGUF(builder.bytes()) }
        #expect(error?.isLimit == true)
    }

    @Test func gapsBetweenTensorsAndBytesBehindThemAreAccepted() throws {
        var builder = GGUFBuilder.small()
        builder.tail = 1000
        builder.tensors[2].offset = 64 + 512
        builder.tensors[2].data = [UInt8](repeating: 7, count: 1000)
        try parseGGUF(builder.bytes())
    }
}

extension CheckpointError {
    var isUnknownFormat: Bool { if case .unknownFormat = self { true } else { false } }
    var isUnsupportedVersion: Bool { if case .unsupportedVersion = self { true } else { false } }
    var isTruncated: Bool { if case .truncated = self { true } else { false } }
    var isLimit: Bool { if case .exceedsLimit = self { true } else { false } }
    var isInvalidText: Bool { if case .invalidText = self { true } else { false } }
    var isInvalidHeader: Bool { if case .invalidHeader = self { true } else { false } }
    var isInvalidJSON: Bool { if case .invalidJSON = self { true } else { false } }
    var isInvalidKey: Bool { if case .invalidKey = self { true } else { false } }
    var isDuplicateKey: Bool { if case .duplicateKey = self { true } else { false } }
    var isInvalidTensor: Bool { if case .invalidTensor = self { true } else { false } }
    var isMissingTensor: Bool { if case .missingTensor = self { true } else { false } }
    var isDuplicateTensor: Bool { if case .duplicateTensor = self { true } else { false } }
    var isOverlap: Bool { if case .overlappingTensors = self { true } else { false } }
    var isMissingFile: Bool { if case .missingFile = self { true } else { false } }
    var isMissingKey: Bool { if case .missingKey = self { true } else { false } }
    var isCannotOpen: Bool { if case .cannotOpen = self { true } else { false } }
}
