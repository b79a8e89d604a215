import Foundation
import Testing

@testable import StrictJSON

/// The strict JSON parser.
struct JSONValueTests {
    private func parse(_ text: String, _ limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        try JSONValue(parsing: Array(text.utf8), limits: limits)
    }

    private func problem(_ text: String, _ limits: JSONLimits = JSONLimits()) -> JSONError.Problem? {
        do {
            _ = try parse(text, limits)
            return nil
        } catch {
            return error.problem
        }
    }

    @Test func readsWhatAConfigurationHolds() throws {
        let config = try parse(
            """
            {"hidden_size": 576, "rms_norm_eps": 1e-05, "tie": true, "rope_scaling": null, "theta": 500000.0,
             "architectures": ["LlamaForCausalLM"], "nested": {"a": -3}, "model_type": "llama"}
            """)
        #expect(config["hidden_size"]?.int == 576)
        #expect(config["rms_norm_eps"]?.double == 1e-5)
        #expect(config["tie"]?.bool == true)
        #expect(config["rope_scaling"]?.isNull == true)
        #expect(config["theta"]?.int == 500_000)
        #expect(config["architectures"]?.array?.first?.string == "LlamaForCausalLM")
        #expect(config["nested"]?["a"]?.int == -3)
        #expect(config["absent"] == nil)
        #expect(config["tie"]?.int == nil && config["tie"]?.string == nil && config["tie"]?.double == nil)
        #expect(config.object?.members.map(\.name).first == "hidden_size")
    }

    @Test func readsNumbersAsWritten() throws {
        #expect(try parse("9223372036854775807") == .integer(.max))
        #expect(try parse("-9223372036854775808") == .integer(.min))
        #expect(try parse("9223372036854775808") == .unsigned(9_223_372_036_854_775_808))
        #expect(try parse("18446744073709551615") == .unsigned(.max))
        #expect(try parse("18446744073709551616") == .number(18_446_744_073_709_551_616))
        #expect(try parse("-9223372036854775809") == .number(-9_223_372_036_854_775_808))
        #expect(try parse("9223372036854775808").int == nil)
        #expect(try parse("0") == .integer(0))
        #expect(try parse("-0") == .number(-0.0))
        #expect(try parse("-0.5e-2") == .number(-0.005))
        #expect(try parse("2E+3") == .number(2000))
        #expect(try parse("1e-400") == .number(0))
    }

    @Test func readsEscapes() throws {
        #expect(try parse(#""\"\\\/\b\f\n\r\t""#) == .string("\"\\/\u{8}\u{C}\n\r\t"))
        #expect(try parse(#""a\u00e9b\uD83D\uDE00c""#) == .string("aéb😀c"))
        #expect(try parse(#""\u0000""#) == .string("\0"))
    }

    @Test func namesAreComparedByBytes() throws {
        // é in one scalar and in two: Unicode calls them equal, a vocabulary does not.
        let object = try #require(try parse("{\"\u{E9}\": 1, \"e\u{301}\": 2}").object)
        #expect(object["\u{E9}"] == .integer(1))
        #expect(object["e\u{301}"] == .integer(2))
    }

    @Test(arguments: [
        "", " ", "nul", "truE", "[1,]", "[,1]", "[1 2]", "{\"a\":1,}", "{a:1}", "{'a':1}", "{\"a\" 1}",
        "{1:2}",
        "[", "{", "]", "}", "\"", "\"abc", "\"\\", "\"\\u12", "\"\\x\"", "\"\\u12G4\"", "\"\\uD800\"",
        "\"\\uDC00\"",
        "\"\\uD800\\u0041\"", "\"\\uD800\\n\"", "01", "-", "+1", ".5", "1.", "1e", "1e+", "1.e1", "0x10",
        "NaN",
        "Infinity", "-Infinity", "1e400", "\"\n\"", "\"\u{1}\"", "1 2", "[1]]", "//", "/* */1", "\u{FEFF}1",
        "{\"a\":1,\"a\":2}",
    ])
    func refusesMalformedDocuments(text: String) {
        #expect(problem(text) != nil)
    }

    @Test func pythonsInfinitiesCountAsNullWhereThatIsAskedFor() throws {
        var limits = JSONLimits()
        limits.takesNonFinite = true
        let value = try parse(#"{"a": -Infinity, "b": [NaN, Infinity, -1, "NaN"]}"#, limits)
        #expect(value["a"] == .null)
        #expect(value["b"] == .array([.null, .null, .integer(-1), .string("NaN")]))
        for text in ["-", "-I", "-Infinit", "Nan", "infinity", "-NaN", "Infinity1"] {
            #expect(problem(text, limits) != nil)
        }
    }

    @Test func namesTheProblemAndItsPlace() {
        #expect(problem("[") == .unexpectedEnd)
        #expect(problem("[1 2]") == .unexpectedByte(expected: "“,” or “]”", found: 0x32))
        #expect(problem("\"\u{1}\"") == .controlCharacter)
        #expect(problem("\"\\x\"") == .invalidEscape)
        #expect(problem("\"\\uD800\"") == .loneSurrogate)
        #expect(problem(#""\uD800\"#) == .loneSurrogate)
        #expect(problem(#""\uDC00\uDC00""#) == .loneSurrogate)
        #expect(problem(#""\uD800xuDC00""#) == .loneSurrogate)
        #expect(problem(#""\uD800\nDC00""#) == .loneSurrogate)
        #expect(problem("1e999") == .invalidNumber)
        #expect(problem("{\"a\":1,\"a\":2}") == .duplicateName("a"))
        #expect(problem("1 1") == .trailingBytes)
        #expect(throws: JSONError(offset: 1, problem: .invalidUTF8)) {
            try JSONValue(parsing: [0x22, 0xC3, 0x28, 0x22])
        }
        #expect(throws: JSONError(offset: 1, problem: .invalidUTF8)) {
            try JSONValue(parsing: [0x22, 0x5C, 0x6E, 0xFF, 0x22])
        }
        #expect(throws: JSONError(offset: 9, problem: .duplicateName("a"))) { try parse(#"{"a":[1],"a":2}"#) }
        #expect(
            JSONError(offset: 3, problem: .unexpectedByte(expected: "a value", found: 0x7B)).description
                == "expected a value, found “{” at byte 3")
        #expect(
            JSONError(offset: 3, problem: .unexpectedByte(expected: "a value", found: 0)).description
                == "expected a value, found byte 0x0 at byte 3")
        #expect(JSONError(offset: 7, problem: .unexpectedEnd).description == "it ends too early at byte 7")
    }

    @Test func holdsItsLimits() {
        let nested = String(repeating: "[", count: 33) + String(repeating: "]", count: 33)
        #expect(problem(nested) == .tooDeep(limit: 32))
        #expect(problem(nested, JSONLimits(depth: 33)) == nil)
        #expect(problem(String(repeating: "{\"a\":", count: 100_000)) == .tooDeep(limit: 32))
        #expect(problem("[1,2,3]", JSONLimits(valueCount: 3)) == .tooManyValues(limit: 3))
        #expect(problem("[1]", JSONLimits(byteCount: 2)) == .tooLong(limit: 2))
    }

    @Test func everyPrefixOfADocumentIsRefused() {
        let text = #"{"a":[1.5e3,true,null,"é\u00e9\n"],"b":{"c":[]}}"#
        let bytes = Array(text.utf8)
        for count in 0..<bytes.count {
            #expect(throws: JSONError.self) { try JSONValue(parsing: Array(bytes.prefix(count))) }
        }
        #expect(throws: Never.self) { try JSONValue(parsing: bytes) }
    }

    @Test func agreesWithFoundationOnMutatedDocuments() throws {
        let seed = Array(#"{"a":[1.5e3,true,null,"é\u00e9\n",-0.0],"b":{"c":[],"d":false}}"#.utf8)
        var generator = SeededGenerator(state: 7)
        for _ in 0..<2000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...2, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[index] = seed.randomElement(using: &generator) ?? 0
            }
            guard (try? JSONValue(parsing: bytes)) != nil else { continue }
            // What the strict parser accepts, every parser does.
            #expect(throws: Never.self) {
                try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            }
        }
    }
}

/// A small, fast, repeatable generator (SplitMix64).
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
