import AssistantAPI
import FoundationEssentials
import Grammars
import Llama
import Testing
import Tokenizers

@testable import Assistant

/// Calls that a model makes of its own accord, whose arguments must be valid, beside answers that are to stay as they are.
struct CallWatchTests {
    private static let words = [" {}", "\":{\"", "{\"", "\": ", "}}", "}}\n"]
    private static let controls = ["<|endoftext|>", "<|python_tag|>"]
    private static let end = Int32(256 + words.count)
    private static let tools = [
        Tool(
            name: "get", definition: "{}",
            parameters: """
                {"type": "object", "properties": {"city": {"type": "string", "maxLength": 5}}, "required": ["city"]}
                """),
        Tool(name: "now", definition: "{}"),
        Tool(
            name: "odd", definition: "{}",
            parameters: #"{"type": "object", "properties": {"a": {"not": {}}}}"#),
    ]

    /// Every byte, the words, and the control tokens.
    private static func tokenizer() throws -> Tokenizer {
        let letters = (0..<256).map { TinyModel.letter(of: UInt8($0)) }
        let texts = words.map { word in word.utf8.map { TinyModel.letter(of: $0) }.joined() }
        let tokens = letters + texts + controls
        return try Tokenizer(
            Vocabulary(
                ggmlModel: "gpt2", pre: "smollm", tokens: tokens, scores: nil,
                types: tokens.map { controls.contains($0) ? 3 : 1 }, merges: [], bos: nil, eos: end))
    }

    /// The tokens of a text: a word or control token as one, all others as bytes.
    private static func tokens(_ text: String) -> [Int32] {
        if let place = (words + controls).firstIndex(of: text) { return [Int32(256 + place)] }
        return text.utf8.map { Int32($0) }
    }

    /// What comes of a model that wants these texts, each token until it gets it.
    private func answer(_ wishes: [String], isParallel: Bool = true) throws -> (text: String, isOver: Bool) {
        let tokenizer = try Self.tokenizer()
        let grammar = try #require(GrammarStore().grammar(ofBegunCalls: Self.tools))
        let trie = TokenTrie(count: tokenizer.vocabularySize) { tokenizer.bytes(of: $0) }
        let constraint = try TokenConstraint(
            grammar, trie: trie, endTokens: [Self.end], dropsLeadingSpace: false)
        var watch = CallWatch(
            ToolUse(tools: Self.tools, isParallel: isParallel), constraint, tokenizer: tokenizer)
        var sampler = Sampler(.greedy)
        var written: [Int32] = []
        var wanted = wishes.flatMap(Self.tokens)[...]
        while let wish = wanted.first, written.count < 300 {
            var logits = [Float](repeating: 0, count: tokenizer.vocabularySize)
            // What it takes where it doesn't get its way.
            (logits[Int(UInt8(ascii: ":"))], logits[Int(UInt8(ascii: "{"))]) = (2, 1)
            logits[Int(wish)] = 9
            var token = wish
            if !watch.isOver {
                token = try logits.withUnsafeBufferPointer { try watch.next(wish, of: $0, &sampler) }
            }
            written.append(token)
            if token == wish { wanted.removeFirst() }
        }
        #expect(wanted.isEmpty, "it got stuck at \(wanted)")
        return (String(decoding: tokenizer.decode(written), as: UTF8.self), watch.isOver)
    }

    /// The calls in an answer, by name and with the arguments that are JSON texts.
    private func calls(_ text: String) -> [(name: String, arguments: [String: String]?)] {
        var parser = ToolCallParser(ToolUse(tools: Self.tools))
        return parser.append(text, isLast: true).calls.map {
            ($0.name ?? "", try? JSONDecoder().decode([String: String].self, from: Data($0.arguments.utf8)))
        }
    }

    @Test(arguments: [
        "", "Hello {", "[1, 2]", #"{"city": "Rome"}"#, #"{"name": "nobody", "parameters": {"town": 1}}"#,
        #"{"name": "get", "is": {"town": 1}}"#, #"{"name": "get", "parameters": "town"}"#,
        #"{"name": "get", "parameters": {"city": "Rome"}}"#,
        #" {"name":"get","arguments":{"city":"Oslo"}}; {"name": "now", "parameters": {}}"#,
        #"{"name": "odd", "parameters": {"town": 1}}"#,
    ])
    func whatIsNoCallOrAValidOneStaysAsItIs(_ text: String) throws {
        #expect(try answer([text]).text == text)
    }

    @Test func textIsNotWatchedForLong() throws {
        #expect(try answer(["Hello"]).isOver)
        #expect(try answer([#"{"names""#]).isOver)
        #expect(try answer([#"{"name": "now", "parameters": {}}"#], isParallel: false).isOver)
        #expect(try !answer([#"{"name": "now", "parameters": {}}"#]).isOver)
    }

    @Test(arguments: [
        [#"{"name": "get", "parameters": {"town": 5}}"#],
        [#"{"name": "get", "parameters":"#, " {}", #""}}"#],
        [#"{"name": "get", "arguments"#, "\":{\"", #"town": 5}}"#],
        [#"{"name": "get", "parameters": {"#, "<|endoftext|>"],
        ["<|python_tag|>", #"{"name": "get", "parameters": {"city": "far too long"}}"#],
    ])
    func argumentsAreValidWhateverTheModelWants(_ wishes: [String]) throws {
        let text = try answer(wishes).text
        let call = try #require(calls(text).first, "\(text)")
        #expect(call.name == "get", "\(text)")
        #expect(call.arguments.map { Array($0.keys) } == ["city"], "\(text)")
        #expect((call.arguments?["city"]?.count ?? 9) <= 5, "\(text)")
    }

    @Test func aFunctionWithoutParametersGetsNone() throws {
        let text = try answer([#"{"name": "now", "parameters"#, "\":{\"", #"a": "b"}}"#]).text
        #expect(calls(text).first?.name == "now")
        #expect(calls(text).first?.arguments == [:], "\(text)")
    }

    @Test func aFunctionThatCannotBeFollowedLeavesTheOthersAsTheyAre() throws {
        let text = try answer([
            #"{"name": "odd", "parameters": {"town": "x"}}; {"name": "get", "parameters": {"town": 5}}"#
        ]).text
        let found = calls(text)
        #expect(found.map(\.name) == ["odd", "get"], "\(text)")
        #expect(found.first?.arguments == ["town": "x"] && found.last?.arguments?.keys.first == "city")
    }
}
