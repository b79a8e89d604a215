import StrictJSON
import Testing

@testable import Grammars

/// Which tokens may come next, beside a search through the whole vocabulary.
struct TokenConstraintTests {
    private static let end: Int32 = 0

    /// An end token, every byte, and pieces of texts, some of them twice.
    private static let vocabulary: [[UInt8]] = {
        var random = SeededNumbers(state: 3)
        let letters = Array("{}[]\",: 0123456789.-eatrufalsn\\é😀".utf8)
        var tokens: [[UInt8]] = [[]] + (0..<256).map { [UInt8($0)] }
        for _ in 0..<600 {
            tokens.append(
                (0..<Int.random(in: 2...5, using: &random)).map { _ in letters.randomElement(using: &random)!
                })
        }
        let words = ["{\"", "\":", "\", \"", "true", "null", " {", " true", "},", "\"a", "12", "é", " é"]
        return tokens + words.map { Array($0.utf8) } + words.map { Array($0.utf8) }
    }()

    private static func constraint(_ grammar: Grammar, dropsLeadingSpace: Bool = false) throws
        -> TokenConstraint
    {
        let trie = TokenTrie(count: vocabulary.count) { vocabulary[Int($0)] }
        return try TokenConstraint(
            grammar, trie: trie, endTokens: [end], dropsLeadingSpace: dropsLeadingSpace)
    }

    private static let grammars: [String] = [
        #"root ::= "{" [^"]* "}" | "true" | [0-9]+ ("." [0-9]+)?"#,
        #"root ::= item+ "\n"?"# + "\n" + #"item ::= "é" | "😀" item "😀" | [ -~]{3}"#,
    ]

    private static func all() throws -> [Grammar] {
        try grammars.map { try Grammar(gbnf: $0) } + [
            .anyObject(),
            Grammar(
                schema: #"""
                    {"type":"object","properties":{"a":{"type":"string","maxLength":4},"é":{"type":"boolean"},
                     "n":{"type":"array","items":{"type":"number","minimum":-2.5}}},"required":["n"],
                     "additionalProperties":{"type":["null","integer"]}}
                    """#),
        ]
    }

    @Test func theMaskIsWhatATrialOfEachTokenSays() throws {
        var random = SeededNumbers(state: 11)
        for grammar in try Self.all() {
            var constraint = try Self.constraint(grammar)
            for _ in 0..<60 where !constraint.mustEnd {
                let mask = try constraint.allowed()
                var allowed: [Int32] = []
                for token in Int32(0)..<Int32(Self.vocabulary.count) {
                    let isAllowed = try constraint.allows(token)
                    #expect(isAllowed == mask.contains(Int(token)), "\(Self.vocabulary[Int(token)])")
                    if isAllowed, token != Self.end { allowed.append(token) }
                }
                #expect(mask.contains(Int(Self.end)) == constraint.mayEnd)
                guard let token = allowed.randomElement(using: &random) else { break }
                try constraint.accept(token)
            }
        }
    }

    @Test func whateverIsBegunCanBeEnded() throws {
        var random = SeededNumbers(state: 5)
        for grammar in try Self.all() {
            var constraint = try Self.constraint(grammar)
            var text: [UInt8] = []
            for step in 0..<2000 where !constraint.mustEnd {
                let mask = try constraint.allowed()
                var tokens = (1..<Self.vocabulary.count).filter { mask.contains($0) }
                if constraint.mayEnd, step > 30 || tokens.isEmpty { break }
                // After a while only what comes nearer to the end: brackets, quotation marks, a digit.
                let closing = tokens.filter {
                    [[0x22], [0x7D], [0x5D], [0x31], [0x0A]].contains(Self.vocabulary[$0])
                }
                if step > 30, !closing.isEmpty { tokens = closing }
                let token = tokens.randomElement(using: &random)!
                text += Self.vocabulary[token]
                try constraint.accept(Int32(token))
            }
            #expect(constraint.mayEnd, "\(String(decoding: text.prefix(200), as: UTF8.self))")
            #expect(try grammar.accepts(text))
        }
    }

    @Test func aSpaceBeforeTheFirstWordIsNoPartOfTheText() throws {
        let grammar = try Grammar(gbnf: #"root ::= "true" " true"? | " é""#)
        var constraint = try Self.constraint(grammar, dropsLeadingSpace: true)
        func token(_ text: String) -> Int32 { Int32(Self.vocabulary.firstIndex(of: Array(text.utf8))!) }
        let mask = try constraint.allowed()
        #expect(mask.contains(Int(token(" true"))) && mask.contains(Int(token("true"))))
        #expect(!mask.contains(Int(token(" "))) && !mask.contains(Int(token(" é"))))
        for id in Int32(0)..<Int32(Self.vocabulary.count) {
            #expect(try constraint.allows(id) == mask.contains(Int(id)))
        }
        try constraint.accept(token(" true"))
        #expect(constraint.mayEnd)
        #expect(try constraint.allows(token(" true")))
        #expect(try !constraint.allows(token("true")))
        try constraint.accept(token(" true"))
        #expect(constraint.mustEnd)
    }

    @Test func aTextMayHaveBegunBeforeTheFirstToken() throws {
        let grammar = try Grammar(gbnf: #"root ::= "true" | "tr" " é""#)
        var constraint = try Self.constraint(grammar, dropsLeadingSpace: true)
        func token(_ text: String) -> Int32 { Int32(Self.vocabulary.firstIndex(of: Array(text.utf8))!) }
        #expect(try constraint.begin(after: "tr"))
        #expect(try constraint.allows(token("u")) && constraint.allows(token(" é")))
        #expect(try !constraint.allows(token("é")) && !constraint.allows(token("true")))
        #expect(try constraint.begin(after: "true"))
        #expect(constraint.mustEnd)
        #expect(try !constraint.begin(after: "trx"))
        #expect(try constraint.allows(token("true")))
    }

    @Test func aCallThatIsBegunMayBeSpelledInManyWays() throws {
        let schema = #"{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}"#
        let functions: [(name: String, parameters: JSONValue?)] = [
            ("get", try JSONValue(parsing: Array(schema.utf8))), ("now", nil),
        ]
        let grammar = try Grammar(callsOf: functions, isBegun: true)
        for text in [
            #"{"name": "get", "parameters": {"a": 1}}"#, #"{"name":"get","arguments":{"a":1}}"#,
            "{\n  \"name\" : \"now\",\r\n\t\"parameters\": {}}",
        ] {
            #expect(try grammar.accepts(text), "\(text)")
        }
        for text in [
            #"{"name": "get", "parameters": {}}"#, #"{"name": "now", "parameters": {"a": 1}}"#,
            #"{"name": "nobody", "parameters": {}}"#, #"{"name": "now", "parameters": {}} "#,
        ] {
            #expect(try !grammar.accepts(text), "\(text)")
        }
    }

    @Test func aVocabularyWithoutTheCharacterHasNoToken() throws {
        let trie = TokenTrie(count: 2) { [[0x61], []][Int($0)] }
        var constraint = try TokenConstraint(
            Grammar(gbnf: #"root ::= "b""#), trie: trie, endTokens: [1], dropsLeadingSpace: false)
        #expect(throws: GrammarError.noToken) { try constraint.allowed() }
        #expect(try !constraint.allows(-1) && !constraint.allows(2))
    }
}
