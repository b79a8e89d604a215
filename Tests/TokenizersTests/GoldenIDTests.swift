import Testing

@testable import Tokenizers

/// Ids equal those of Hugging Face tokenizers, tiktoken and SentencePiece; `make-fixtures.py` asked them.
@Suite struct GoldenIDTests {
    @Test(
        arguments: [
            ("llama3", "llama3.ids"), ("smollm", "smollm.ids"), ("gpt2", "gpt2.ids"),
            ("tiktoken", "tiktoken.ids"),
            ("sentencepiece", "sentencepiece.ids"), ("sentencepiece.json", "sentencepiece.ids"),
        ])
    func idsEqualTheReference(vocabulary: String, golden: String) throws {
        let tokenizer = try TestVocabularies.tokenizer(vocabulary)
        let expected = TestVocabularies.ids(golden)
        #expect(expected.count == TestVocabularies.strings.count && expected.count > 250)
        for (text, ids) in zip(TestVocabularies.strings, expected) {
            #expect(tokenizer.encode(text) == ids, "\(text.debugDescription)")
        }
    }

    @Test(arguments: TestVocabularies.byteLevel)
    func parsedSpecialTokensEqualTheReference(name: String) throws {
        let tokenizer = try TestVocabularies.tokenizer(name)
        for (text, ids) in zip(TestVocabularies.strings, TestVocabularies.ids("\(name).special-ids")) {
            #expect(tokenizer.encode(text, parsingSpecial: true) == ids, "\(text.debugDescription)")
        }
    }

    @Test(arguments: TestVocabularies.byteLevel + ["tiktoken", "sentencepiece", "sentencepiece.json"])
    func decodingGivesTheTextBack(name: String) throws {
        let tokenizer = try TestVocabularies.tokenizer(name)
        for text in TestVocabularies.strings + ["\u{2581}", " \u{2581}a", "\u{2581}\u{2581} b"] {
            #expect(tokenizer.decode(tokenizer.encode(text)) == Array(text.utf8), "\(text.debugDescription)")
        }
    }

    @Test func settingsComeFromTheFiles() throws {
        let llama3 = try TestVocabularies.tokenizer("llama3")
        #expect(llama3.bos == llama3.special("<|begin_of_text|>") && llama3.addsBOS)
        #expect(llama3.eos == llama3.special("<|eot_id|>"))
        let ends = ["<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"].compactMap { llama3.special($0) }
        #expect(ends.count == 3 && llama3.endOfGeneration == Set(ends))
        let smollm = try TestVocabularies.tokenizer("smollm")
        #expect(!smollm.addsBOS && smollm.bos == smollm.special("<|im_start|>"))
        #expect(smollm.endOfGeneration == [0, 2])
        let sentencePiece = try TestVocabularies.tokenizer("sentencepiece")
        #expect(sentencePiece.bos == 1 && sentencePiece.eos == 2 && sentencePiece.addsBOS)
        #expect(sentencePiece.endOfGeneration == [2])
    }

    @Test func tiktokenHasLlama3sSpecialTokens() throws {
        let tokenizer = try TestVocabularies.tokenizer("tiktoken")
        let first = try #require(tokenizer.bos)
        #expect(tokenizer.vocabularySize == Int(first) + 256)
        // Their places in the published vocabulary, counted from 128000.
        let places = [
            "<|begin_of_text|>": 0, "<|end_of_text|>": 1, "<|finetune_right_pad_id|>": 4,
            "<|start_header_id|>": 6,
            "<|end_header_id|>": 7, "<|eom_id|>": 8, "<|eot_id|>": 9, "<|python_tag|>": 10,
            "<|reserved_special_token_2|>": 5, "<|reserved_special_token_247|>": 255,
        ]
        for (name, place) in places { #expect(tokenizer.special(name) == first + Int32(place), "\(name)") }
        #expect(tokenizer.bytes(of: first) == [])
        #expect(tokenizer.decode([first], rendersSpecial: true) == Array("<|begin_of_text|>".utf8))
    }
}
