import Testing

@testable import Grammars

/// llama.cpp's notation, by texts that a grammar allows and texts that it doesn't.
struct GBNFTests {
    @Test(arguments: [
        (#"root ::= "yes" | "no""#, ["yes", "no"], ["", "ye", "yesno", "YES"]),
        ("root ::= [a-c]+", ["a", "cab"], ["", "d", "abd"]),
        ("root ::= [^a-c]*", ["", "xyz", "é😀"], ["a", "xa"]),
        (#"root ::= "a"{2,3}"#, ["aa", "aaa"], ["a", "aaaa"]),
        (#"root ::= "a"{2} "b"{1,} "c"{,2}"#, ["aab", "aabbbcc"], ["ab", "aac", "aabccc"]),
        (#"root ::= ("a" | "b")? "c""#, ["c", "ac", "bc"], ["abc", "a"]),
        (#"root ::= "\n\t\"\\\x41\u00e9\U0001F600""#, ["\n\t\"\\Aé😀"], ["\n"]),
        (#"root ::= [\]\-\\"^]"#, ["]", "-", "\\", "\"", "^"], ["[", "a"]),
        ("root ::= .", ["a", "é", "€", "😀", "\n"], ["", "ab"]),
        (
            "# a list\nroot ::= item ( # with commas\n  \",\" item\n)*\nitem ::=\n  [0-9] |\n  [x-z] # or\n  | \"w\"\n",
            ["1", "1,x,w"], ["", "1,", "a"]
        ),
        (#"root ::= "(" root ")" | "x""#, ["x", "((x))"], ["(x", "x)", "()"]),
        (#"root ::= "a" root "b" | """#, ["", "aabb"], ["aab", "abb"]),
        ("root ::= [а-я]+ \"-\"? [あ-ん]", ["жあ", "жш-ん"], ["aあ", "ж"]),
    ])
    func aTextIsAllowedOrNot(_ text: String, allowed: [String], refused: [String]) throws {
        let grammar = try Grammar(gbnf: text)
        for text in allowed { #expect(try grammar.accepts(text), "\(text)") }
        for text in refused { #expect(try !grammar.accepts(text), "\(text)") }
    }

    @Test(arguments: [
        (#"root ::= "a"#, "line 1, column 12"), ("root ::= [a", "']'"), ("root ::= (\"a\"", "')'"),
        ("root = \"a\"", "'::='"), ("root ::= \"a\" )", "rule's name"),
        ("root ::= \"\\q\"", "does not exist"),
        ("root ::= \"a\"\nroot ::= \"b\"", "twice"), ("root ::= a", "'a' is used"), ("x ::= \"a\"", "'root'"),
        ("root ::= \"a\"{3,2}", "second"), ("root ::= \"a\"{}", "number"), ("root ::= <[3]>", "angle"),
        (#"root ::= "\uD800""#, "hexadecimal"), ("root ::= [z-a]", "lower end"),
        ("root ::= \"a\"***** ", "repetitions"),
        ("root ::= \"a\"{1000000}", "10000"), ("", "'root'"),
        ("root ::= root \"a\" | \"b\"", "left recursion"),
        ("root ::= a \"x\" | \"y\"\na ::= e root\ne ::= \"\" | \"z\"", "left recursion"),
        ("root ::= \"a\" root", "no text"), ("root ::= [^\\x00-\\U0010FFFF]", "no text"),
    ])
    func whatIsWrongIsSaid(_ text: String, _ words: String) {
        let error = refusal { try Grammar(gbnf: text) }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }

    @Test func hostileGrammarsAreRefusedInTime() {
        let open = "root ::= " + String(repeating: "(", count: 100_000)
        #expect(refusal { try Grammar(gbnf: open) } != nil)
        #expect(refusal { try Grammar(gbnf: String(repeating: "#", count: 300 << 10)) } != nil)
        let power =
            "root ::= " + String(repeating: "(", count: 20) + "\"a\"" + String(repeating: "){99}", count: 20)
        #expect(refusal { try Grammar(gbnf: power) } == nil, "a repetition of repetitions is a rule each")
        #expect(
            refusal { try Grammar(gbnf: "root ::= ([a-z] [a-z] [a-z] [a-z] [a-z]){10000} root | .{10000}") }
                == nil)
        let rules = (0..<30_000).map { "r\($0) ::= \"a\"\n" }.joined()
        #expect(refusal { try Grammar(gbnf: rules) } != nil)
    }

    @Test func aGrammarOfEndlesslyManyReadingsIsGivenUp() throws {
        // Each of 20 rules doubles the ways to come to the same place.
        let rules = (0..<20).map { "r\($0) ::= r\($0 + 1) \"a\" | r\($0 + 1) \"b\"\n" }.joined()
        let grammar = try Grammar(gbnf: "root ::= r0\n" + rules + "r20 ::= \"x\"\n")
        #expect(throws: GrammarError.tooAmbiguous) { try Automaton(grammar) }
    }

    @Test func rangesOfCharactersAreTheirUTF8() throws {
        var random = SeededNumbers(state: 7)
        for _ in 0..<60 {
            let edges: [UInt32] = [0, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF]
            func scalar() -> UInt32 {
                Bool.random(using: &random)
                    ? edges.randomElement(using: &random)! : UInt32.random(in: 0...0x10FFFF, using: &random)
            }
            let (a, b) = (scalar(), scalar())
            let set = ScalarSet([min(a, b)...max(a, b)])
            var rules = GrammarRules()
            _ = try rules.add("root", .scalar(set))
            let grammar = try Grammar(rules, root: 0)
            let probes = [a, b, a &- 1, a + 1, b &- 1, b + 1] + (0..<20).map { _ in scalar() }
            for probe in probes {
                guard let unicode = Unicode.Scalar(probe) else { continue }
                #expect(try grammar.accepts(String(unicode)) == set.contains(probe), "\(probe) in \(set)")
            }
        }
    }
}
