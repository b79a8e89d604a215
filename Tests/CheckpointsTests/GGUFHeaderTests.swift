import Tensors
import Testing

@testable import Checkpoints

/// Valid headers, and one test for each way in which a header is refused.
struct GGUFHeaderTests {
    @Test func everyTypeOfValueIsDecoded() throws {
        let metadata = try parseGGUF(GGUFBuilder.small().bytes()).metadata
        #expect(metadata.string("general.architecture") == "llama")
        #expect(metadata.int("llama.block_count") == 1)
        #expect(metadata.float("llama.attention.layer_norm_rms_epsilon") == 1e-5)
        #expect(metadata.bool("tokenizer.ggml.add_bos_token") == true)
        #expect(metadata.strings("tokenizer.ggml.tokens") == ["<s>", "a", "é"])
        #expect(metadata.ints("tokenizer.ggml.token_type") == [3, 1, 1])
        #expect(metadata.floats("tokenizer.ggml.scores") == [0, -1, -2])
        #expect(metadata.int("a.uint8") == 200)
        #expect(metadata.int("a.int8") == -1)
        #expect(metadata.int("a.uint16") == 65535)
        #expect(metadata.int("a.int16") == -2)
        #expect(metadata.int("a.int32") == -3)
        #expect(metadata["a.uint64"] == .unsigned(.max))
        #expect(metadata.int("a.uint64") == nil)
        #expect(metadata.int("a.int64") == Int.min)
        #expect(metadata.double("a.float64") == 0.25)
        #expect(metadata["tokenizer.ggml.tokens"] == .array(.string, count: 3))
        #expect(metadata["absent"] == nil)
        #expect(metadata.keys.count == 15)
        #expect(metadata.keys.first == "general.architecture")
    }

    @Test func valuesOfAnotherTypeAreNil() throws {
        let metadata = try parseGGUF(GGUFBuilder.small().bytes()).metadata
        #expect(metadata.string("llama.block_count") == nil)
        #expect(metadata.int("general.architecture") == nil)
        #expect(metadata.bool("a.uint8") == nil)
        #expect(metadata.double("a.uint8") == nil)
        #expect(metadata.strings("tokenizer.ggml.token_type") == nil)
        #expect(metadata.ints("tokenizer.ggml.tokens") == nil)
        #expect(metadata.floats("general.architecture") == nil)
    }

    @Test func requiredValuesSayWhatTheyMiss() throws {
        let metadata = try parseGGUF(GGUFBuilder.small().bytes()).metadata
        #expect(try metadata.requireInt("llama.block_count", in: 1...10) == 1)
        #expect(try metadata.requireString("general.architecture") == "llama")
        #expect(try metadata.requireStrings("tokenizer.ggml.tokens").count == 3)
        #expect(try metadata.requireDouble("a.float64", in: 0...1) == 0.25)
        #expect(
            failure { () throws(CheckpointError) in try metadata.requireInt("absent", in: 1...9) }
                == .missingKey(file: "test.gguf", key: "absent", expected: "an integer, 1 to 9"))
        #expect(
            failure { () throws(CheckpointError) in try metadata.requireInt("llama.block_count", in: 2...9) }
                == .invalidKey(
                    file: "test.gguf", key: "llama.block_count", expected: "an integer, 2 to 9", found: "1"))
        #expect(
            failure { () throws(CheckpointError) in try metadata.requireString("a.uint8") }
                == .invalidKey(file: "test.gguf", key: "a.uint8", expected: "a text", found: "200"))
        #expect(
            failure { () throws(CheckpointError) in try metadata.requireDouble("a.float64", in: 1...2) }
                != nil)
        #expect(failure { () throws(CheckpointError) in try metadata.requireStrings("a.uint8") } != nil)
    }

    @Test func infiniteAndUndefinedHyperparametersAreRefused() throws {
        for value in [Float.nan, .infinity, -.infinity] {
            var builder = GGUFBuilder()
            builder.add("llama.rope.freq_base", value)
            let metadata = try parseGGUF(builder.bytes()).metadata
            #expect(
                failure { () throws(CheckpointError) in
                    try metadata.requireDouble("llama.rope.freq_base", in: 1...1e9)
                } != nil)
        }
    }

    @Test func tensorsAreOutermostFirstAndInPlace() throws {
        let bytes = GGUFBuilder.small().bytes()
        let records = try parseGGUF(bytes).records
        #expect(records.map(\.name) == ["output_norm.weight", "blk.0.attn_q.weight", "token_embd.weight"])
        #expect(records[1].shape == [2, 4])
        #expect(records[2].shape == [3, 32])
        #expect(records[2].type?.rawValue == "q8_0")
        #expect(records[2].range.upperBound == bytes.count)
        #expect(Array(bytes[records[2].range]) == [UInt8](repeating: 7, count: 102))
    }

    @Test(arguments: GGUFHeader.typeNames.sorted { $0.key < $1.key }.map(\.key))
    func everyElementTypeIsRead(number: UInt32) throws {
        let name = try #require(GGUFHeader.typeNames[number])
        let type = try #require(ElementType(rawValue: name))
        let size = try #require(type.byteCount(of: 512))
        var builder = GGUFBuilder()
        builder.addTensor("w", shape: [2, 256], type: number, data: [UInt8](repeating: 0, count: size))
        let record = try #require(try parseGGUF(builder.bytes()).records.first)
        #expect(record.type == type)
        #expect(record.range.count == size)
    }

    @Test func everyElementTypeHasANumber() {
        #expect(Set(GGUFHeader.typeNames.values) == Set(ElementType.allCases.map(\.rawValue)))
    }

    @Test func version2AndAVocabularyWithoutTensorsAreValid() throws {
        var builder = GGUFBuilder.small()
        builder.version = 2
        builder.tensors = []
        #expect(try parseGGUF(builder.bytes()).records.isEmpty)
    }

    @Test func anotherAlignmentMovesTheData() throws {
        for alignment in [8, 64, 4096] {
            var builder = GGUFBuilder.small()
            builder.alignment = alignment
            builder.add("general.alignment", UInt32(alignment))
            let bytes = builder.bytes()
            let record = try #require(try parseGGUF(bytes).records.last)
            #expect(Array(bytes[record.range]) == [UInt8](repeating: 7, count: 102))
        }
    }

    @Test func invalidUTF8InAValueIsReplaced() throws {
        var builder = GGUFBuilder()
        builder.add("general.name", type: 8, littleEndian(UInt64(3)) + [0x61, 0xFF, 0x62])
        #expect(try parseGGUF(builder.bytes()).metadata.string("general.name") == "a\u{FFFD}b")
    }
}
