import Testing

@testable import Server

struct JSONParserTests {
    @Test(arguments: [
        "null", "true", " false ", "0", "-0", "-0.5e+10", "1E-2", "[]", "{}", "[[],{}]",
        #"{"a":1,"b":[null]}"#,
        #""\u0041\n\/\"""#, #""\ud83d\ude00""#, "\"\u{7F}\"", "\t[\r\n1 ,2 ]", "\"\u{2028}\"",
        "123456789012345678901",
    ])
    func validTextsAreRead(text: String) throws {
        _ = try JSONParser.parse(Array(text.utf8))
    }

    @Test(arguments: [
        "", " ", "nul", "True", "01", "-", "1.", ".5", "1e", "+1", "0x1", "NaN", "Infinity", "1e999", "[1,]",
        "[,1]",
        "[1 2]", "{\"a\"}", "{a:1}", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "[1", "{\"a\":", "\"a", "\"\\x\"",
        "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud800\\u0041\"", "\"\n\"", "1 2", "[]]", "'a'",
        "/*x*/1", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "\u{FEFF}1",
    ])
    func invalidTextsAreRefused(text: String) {
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(Array(text.utf8)) }
    }

    @Test(
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xE2, 0x82, 0x22],
        ]
            as [[UInt8]])
    func invalidUTF8IsRefused(bytes: [UInt8]) {
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(bytes) }
    }

    @Test func depthIsBounded() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        _ = try JSONParser.parse(nested(JSONParser.maximumDepth))
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(nested(JSONParser.maximumDepth + 1)) }
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(nested(100_000)) }
        #expect(throws: JSONSyntaxError.self) {
            try JSONParser.parse(Array(String(repeating: #"{"a":"#, count: 50_000).utf8))
        }
    }

    @Test func errorSaysWhere() {
        let error = #expect(throws: JSONSyntaxError.self) {
            try JSONParser.parse(Array("{\n  \"a\": 1\n  \"b\": 2}".utf8))
        }
        #expect(error?.line == 3)
        #expect(error?.column == 3)
        #expect(error?.description == "line 3, column 3: expected “,” or “}”, found “\"”")
    }

    @Test(arguments: [
        #"{"b":[1,-2.50,1e5,null,true],"a":"\" \\ \n \u0001 é 😀"}"#, "[]", "12345678901234567890",
        #""\u007f""#,
    ])
    func writtenTextReadsBackEqual(text: String) throws {
        let value = try JSONParser.parse(Array(text.utf8))
        #expect(try JSONParser.parse(Array(value.text.utf8)) == value)
    }

    @Test func integersKeepAll64Bits() throws {
        func number(_ text: String) throws -> JSONNumber? {
            guard case .number(let number) = try JSONParser.parse(Array(text.utf8)) else { return nil }
            return number
        }
        #expect(try number("18446744073709551615")?.integer(as: UInt64.self) == .max)
        #expect(try number("-9223372036854775808")?.integer(as: Int.self) == .min)
        #expect(try number("9223372036854775808")?.integer(as: Int.self) == nil)
        #expect(try number("1e2")?.integer(as: Int.self) == 100)
        #expect(try number("1.5")?.integer(as: Int.self) == nil)
        #expect(try number("1e300")?.integer(as: Int.self) == nil)
    }
}
