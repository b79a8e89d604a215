import Testing

@testable import Tokenizers

/// The reference's own test vectors on the real vocabularies, where the files are there.
@Suite struct RealVocabularyTests {
    @Test(
        .enabled(if: TestData.has("llama3-vocab.gguf")),
        arguments: ["llama3", "llama2", "gpt2"])
    func idsEqualTheReference(name: String) throws {
        let tokenizer = try Tokenizer(TestData.vocabulary(name))
        let separator = "\n__ggml_vocab_test__\n"
        let inputs = String(decoding: try TestData.read("\(name)-vocab.inp"), as: UTF8.self)
            .split(separator: separator, omittingEmptySubsequences: false)
        let outputs = String(decoding: try TestData.read("\(name)-vocab.out"), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        #expect(inputs.count >= 45)
        for (input, output) in zip(inputs, outputs) {
            let ids = output.split(separator: " ").compactMap { Int32($0) }
            #expect(tokenizer.encode(String(input)) == ids, "\(input.debugDescription)")
            #expect(tokenizer.decode(ids) == Array(input.utf8))
        }
    }

    @Test(.enabled(if: TestData.model != nil))
    func smolLM2sIDsEqualTheReference() throws {
        let tokenizer = try Tokenizer(GGUFVocabulary(path: #require(TestData.model)).vocabulary())
        #expect(
            tokenizer.vocabularySize == 49152 && tokenizer.endOfGeneration == [0, 2] && !tokenizer.addsBOS)
        for (text, ids) in zip(TestVocabularies.strings, TestVocabularies.ids("smollm2.ids")) {
            #expect(tokenizer.encode(text) == ids, "\(text.debugDescription)")
        }
    }
}
