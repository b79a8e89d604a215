import Tensors
import Testing

@testable import Checkpoints

/// Valid safetensors headers, and one test for each way in which one is refused.
struct SafetensorsTests {
    private typealias Builder = SafetensorsBuilder

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        let isExpected: @Sendable (CheckpointError) -> Bool

        init(
            _ description: String, _ builder: SafetensorsBuilder,
            _ isExpected: @escaping @Sendable (CheckpointError) -> Bool
        ) {
            testDescription = description
            bytes = builder.bytes()
            self.isExpected = isExpected
        }
    }

    @Test func tensorsAreInPlace() throws {
        let bytes = Builder.small().bytes()
        let records = try parseSafetensors(bytes)
        #expect(records.map(\.name) == ["norm.weight", "a.weight", "b.weight"])
        #expect(records.map(\.shape) == [[2], [2, 3], [1, 2]])
        #expect(records.map { $0.type?.rawValue } == ["f32", "f16", "bf16"])
        #expect(records[2].range == bytes.count - 4..<bytes.count)
    }

    @Test func emptyHeadersScalarsEmptyTensorsAndPaddingAreValid() throws {
        #expect(try parseSafetensors(Builder("{}").bytes()).isEmpty)
        #expect(try parseSafetensors(Builder("{}      ").bytes()).isEmpty)
        let scalar =
            "{" + Builder.entry("s", "F32", [], 0, 4) + "," + Builder.entry("e", "F16", [0, 5], 4, 4) + "}"
        let records = try parseSafetensors(Builder(scalar, data: [0, 0, 0, 0]).bytes())
        #expect(records.map(\.shape) == [[1], [0, 5]])
    }

    @Test func typesWithoutKernelsAreCheckedButNotRead() throws {
        let header = "{" + Builder.entry("i", "I64", [2], 0, 16) + "}"
        let records = try parseSafetensors(Builder(header, data: [UInt8](repeating: 0, count: 16)).bytes())
        #expect(records[0].type == nil)
        #expect(records[0].typeName == "I64")
    }

    @Test(arguments: lengthCases + headerCases + tensorCases + placeCases)
    func refuses(_ refused: Case) throws {
        let error = try #require(
            failure { () throws(CheckpointError) in try parseSafetensors(refused.bytes) })
        #expect(refused.isExpected(error), "\(error)")
        #expect(error.description.contains("test.safetensors"))
    }

    static let lengthCases: [Case] = [
        Case("a header of 0 bytes", Builder("", announcedLength: 0)) { $0.isInvalidHeader },
        Case("a header of 1 byte", Builder("{", announcedLength: 1)) { $0.isInvalidHeader },
        Case("100 MB claimed by a file of 9 bytes", Builder("{", announcedLength: 100_000_000)) {
            $0.isLimit
        },
        Case("16 MiB claimed by a file of 9 bytes", Builder("{", announcedLength: 16 << 20)) {
            $0.isTruncated
        },
        Case("a header of 2^63 bytes", Builder("{}", announcedLength: 1 << 63)) { $0.isLimit },
        Case("a header of 2^64 - 1 bytes", Builder("{}", announcedLength: .max)) { $0.isLimit },
    ]

    static let headerCases: [Case] = [
        Case("an array", Builder("[]")) { $0.isInvalidHeader },
        Case("a leading space", Builder(" {}")) { $0.isInvalidHeader },
        Case("a trailing newline", Builder("{}\n")) { $0.isInvalidHeader },
        Case("a second document", Builder("{}{}")) { $0.isInvalidHeader },
        Case("bytes behind the data", Builder("{}", data: Array("PK".utf8))) { $0.isInvalidHeader },
        Case("malformed JSON", Builder("{\"a\":}")) { $0.isInvalidJSON },
        Case("JSON cut off", Builder("{\"a\"")) { $0.isInvalidJSON },
        Case("metadata that isn't texts", Builder("{\"__metadata__\":{\"a\":1}}")) { $0.isInvalidJSON },
        Case("metadata that is null", Builder("{\"__metadata__\":null}")) { $0.isInvalidJSON },
        Case("metadata twice", Builder("{\"__metadata__\":{},\"__metadata__\":{}}")) { $0.isDuplicateKey },
        Case("a metadata key twice", Builder("{\"__metadata__\":{\"a\":\"1\",\"a\":\"1\"}}")) {
            $0.isDuplicateKey
        },
        Case("an empty name", Builder("{" + Builder.entry("", "F32", [0], 0, 0) + "}")) { $0.isLimit },
        Case(
            "a name of 513 bytes",
            Builder("{" + Builder.entry(String(repeating: "n", count: 513), "F32", [0], 0, 0) + "}")
        ) { $0.isLimit },
        Case(
            "a tensor that occurs twice",
            Builder(
                "{" + Builder.entry("a", "F32", [1], 0, 4) + "," + Builder.entry("a", "F32", [1], 4, 8) + "}",
                data: [UInt8](repeating: 0, count: 8))
        ) { $0.isDuplicateTensor },
        Case("deep nesting", Builder("{\"a\":" + String(repeating: "[", count: 100_000) + "}")) {
            $0.isInvalidJSON
        },
    ]

    static let tensorCases: [Case] = [
        Case("an unknown dtype", Builder("{" + Builder.entry("a", "Q4", [0], 0, 0) + "}")) {
            $0.isInvalidTensor
        },
        Case("no dtype", Builder("{\"a\":{\"shape\":[],\"data_offsets\":[0,4]}}")) { $0.isInvalidTensor },
        Case("a key twice", Builder("{\"a\":{\"shape\":[],\"shape\":[],\"dtype\":\"F32\"}}")) {
            $0.isDuplicateKey
        },
        Case("an unknown key", Builder("{\"a\":{\"stride\":[]}}")) { $0.isInvalidTensor },
        Case("an empty entry", Builder("{\"a\":{}}")) { $0.isInvalidJSON },
        Case(
            "two negative dimensions",
            Builder("{" + Builder.entry("a", "F32", [-1, -1], 0, 4) + "}", data: .zeros(4))
        ) { $0.isInvalidTensor },
        Case("a negative dimension", Builder("{" + Builder.entry("a", "F32", [-1], 0, 4) + "}")) {
            $0.isInvalidTensor
        },
        Case(
            "a dimension of 1.5",
            Builder("{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,6]}}")
        ) {
            $0.isInvalidTensor
        },
        Case(
            "a dimension of 2^64",
            Builder("{\"a\":{\"dtype\":\"F32\",\"shape\":[18446744073709551616],\"data_offsets\":[0,0]}}")
        ) { $0.isInvalidTensor },
        Case(
            "the shape [2^32, 2^32]",
            Builder("{" + Builder.entry("a", "F32", [1 << 32, 1 << 32], 0, 0) + "}")
        ) { $0.isInvalidTensor },
        Case(
            "a size in bytes that wraps", Builder("{" + Builder.entry("a", "F32", [1 << 62], 0, 0) + "}")
        ) { $0.isInvalidTensor },
        Case(
            "nine dimensions",
            Builder(
                "{" + Builder.entry("a", "F32", [1, 1, 1, 1, 1, 1, 1, 1, 1], 0, 4) + "}", data: [0, 0, 0, 0])
        ) { $0.isInvalidTensor },
    ]

    static let placeCases: [Case] = [
        Case(
            "one offset", Builder("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[4]}}")
        ) { $0.isInvalidTensor },
        Case(
            "three offsets", Builder("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4,8]}}")
        ) { $0.isInvalidTensor },
        Case(
            "offsets that go back",
            Builder("{" + Builder.entry("a", "F32", [1], 4, 0) + "}", data: [0, 0, 0, 0])
        ) {
            $0.isInvalidTensor
        },
        Case("offsets too far apart", Builder("{" + Builder.entry("a", "F32", [1], 0, 5) + "}")) {
            $0.isInvalidTensor
        },
        Case(
            "offsets that wrap", Builder("{" + Builder.entry("a", "F32", [1], Int.max - 4, Int.max) + "}")
        ) { $0.isInvalidTensor },
        Case(
            "a hole at the start", Builder("{" + Builder.entry("a", "F32", [1], 4, 8) + "}", data: .zeros(8))
        ) {
            $0.isInvalidTensor
        },
        Case(
            "a hole between",
            Builder(
                "{" + Builder.entry("a", "F32", [1], 0, 4) + "," + Builder.entry("b", "F32", [1], 8, 12)
                    + "}",
                data: .zeros(12))
        ) { $0.isInvalidTensor },
        Case(
            "an overlap",
            Builder(
                "{" + Builder.entry("a", "F32", [2], 0, 8) + "," + Builder.entry("b", "F32", [1], 4, 8) + "}",
                data: .zeros(8))
        ) { $0.isOverlap },
        Case("data cut off", Builder("{" + Builder.entry("a", "F32", [2], 0, 8) + "}", data: .zeros(7))) {
            $0.isTruncated
        },
        Case("data too long", Builder("{" + Builder.entry("a", "F32", [2], 0, 8) + "}", data: .zeros(9))) {
            $0.isInvalidHeader
        },
    ]

    @Test func tooManyTensorsAreRefused() {
        let entries = (0...65_536).map { Builder.entry("\($0)", "F32", [0], 0, 0) }
        let bytes = Builder("{" + entries.joined(separator: ",") + "}").bytes()
        #expect(failure { () throws(CheckpointError) in try parseSafetensors(bytes) }?.isLimit == true)
    }

    @Test func tooManyMetadataEntriesAreRefused() {
        let entries = (0...65_536).map { "\"\($0)\":\"\"" }
        let bytes = Builder("{\"__metadata__\":{" + entries.joined(separator: ",") + "}}").bytes()
        #expect(failure { () throws(CheckpointError) in try parseSafetensors(bytes) }?.isLimit == true)
    }
}

extension [UInt8] {
    static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
}
