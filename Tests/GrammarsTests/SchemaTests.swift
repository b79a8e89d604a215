import Testing

@testable import Grammars

/// JSON schemas, by texts that are valid and texts that aren't.
struct SchemaTests {
    @Test(arguments: [
        (
            #"{"type":"string"}"#, [#""""#, #""aé\n\u00e9\uD83D\uDE00""#],
            [#""a"#, "\"\n\"", #""\uD800""#, #""\x""#, "1"]
        ),
        (
            #"{"type":"string","minLength":1,"maxLength":2}"#, [#""a""#, #""é😀""#, #""\uD83D\uDE00b""#],
            [#""""#, #""abc""#]
        ),
        (
            #"{"type":"string","pattern":"^[a-c]+\\d?$"}"#, [#""ab""#, #""c7""#],
            [#""""#, #""7""#, #""ab77""#]
        ),
        (#"{"type":"string","pattern":"b"}"#, [#""b""#, #""abc""#], [#""ac""#]),
        (
            #"{"type":"string","pattern":"^(?:a|\"|\\\\){2,}$|^é$"}"#, [#""a\"\\""#, #""é""#],
            [#""a""#, #""éé""#]
        ),
        (
            #"{"type":"string","format":"date"}"#, [#""2024-02-28""#, #""1999-12-31""#],
            [#""2024-02-30""#, #""2024-13-01""#]
        ),
        (
            #"{"type":"string","format":"uuid"}"#, [#""123e4567-e89b-12d3-a456-426614174000""#],
            [#""123e4567""#]
        ),
        (#"{"type":"boolean"}"#, ["true", "false"], ["True", "null"]), (#"{"type":"null"}"#, ["null"], ["0"]),
        (
            #"{"type":"integer"}"#, ["0", "-1", "123456789012345"],
            ["01", "1.0", "-0", "1234567890123456", ""]
        ),
        (#"{"type":"number"}"#, ["0", "-0.5", "1e5", "12.25E-3"], ["01", ".5", "1.", "1e", "1e500"]),
        (#"{"type":["integer","null"]}"#, ["3", "null"], ["\"3\""]),
        (#"{"type":"integer","nullable":true}"#, ["3", "null"], ["true"]),
        (#"{"enum":["a",1,null,{"b":[true]}]}"#, [#""a""#, "1", "null", #"{"b": [true]}"#], [#""b""#, "2"]),
        (#"{"enum":["a",1,2.5],"type":"number"}"#, ["1", "2.5"], [#""a""#]),
        (#"{"const":"a\"b"}"#, [#""a\"b""#], [#""ab""#]),
        (#"{"type":"array"}"#, ["[]", "[1, \"a\",[]]"], ["[1,]", "[ 1]", "[1,  2]"]),
        (
            #"{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":2}"#, ["[1]", "[1, 2]"],
            ["[]", "[1,2,3]", "[true]"]
        ),
        (
            #"{"prefixItems":[{"type":"integer"},{"type":"string"}],"items":false}"#,
            ["[]", "[1]", "[1, \"a\"]"], ["[\"a\"]", "[1,\"a\",2]"]
        ),
        (
            #"{"prefixItems":[{"type":"integer"}],"items":{"type":"null"},"minItems":2,"maxItems":3}"#,
            ["[1,null]", "[1,null,null]"], ["[1]", "[null,null]"]
        ),
        (#"{"items":[{"type":"integer"}],"additionalItems":false}"#, ["[]", "[1]"], ["[1,2]"]),
        (#"{"type":"object"}"#, ["{}", #"{"a": 1,"b":{"c":[]}}"#], [#"{"a"}"#, "[]"]),
        (
            #"{"properties":{"a":{"type":"integer"},"b":{"type":"integer"},"c":{"type":"integer"}},"required":["b"]}"#,
            [#"{"b": 1}"#, #"{"a": 1, "b": 2, "c": 3}"#, #"{"b":2,"c":3}"#],
            ["{}", #"{"a": 1}"#, #"{"b": 1, "a": 2}"#, #"{"b": 1, "d": 2}"#]
        ),
        (#"{"properties":{"a":{"type":"integer"}}}"#, ["{}", #"{"a":1}"#], [#"{"b":1}"#]),
        (
            #"{"properties":{"ab":{"type":"null"}},"additionalProperties":{"type":"integer"}}"#,
            ["{}", #"{"a":1}"#, #"{"ab": null, "abc": 2, "b": 3}"#],
            [#"{"ab": 1}"#, #"{"a":1, "ab":null}"#, #"{"": 1}"#, #"{"\u0061b": 1}"#]
        ),
        (
            #"{"properties":{"a":{}},"required":["z"],"additionalProperties":{"type":"null"}}"#,
            [#"{"z":null}"#, #"{"a":[],"z":null}"#], [#"{"z":1}"#, "{}"]
        ),
        (#"{"anyOf":[{"type":"integer"},{"type":"string","maxLength":0}]}"#, ["1", #""""#], [#""a""#]),
        (#"{"oneOf":[{"type":"integer"},{"type":"null"},false]}"#, ["1", "null"], ["true"]),
        (
            #"{"oneOf":[{"properties":{"k":{"const":"a"}},"required":["k"]},{"properties":{"k":{"const":"b"}},"required":["k"]}]}"#,
            [#"{"k": "a"}"#, #"{"k": "b"}"#], [#"{"k": "c"}"#]
        ),
        (
            #"{"allOf":[{"properties":{"a":{"type":"integer","minimum":2}},"required":["a"]},{"properties":{"a":{"maximum":3},"b":{"type":"null"}}}]}"#,
            [#"{"a": 2}"#, #"{"a": 3, "b": null}"#], [#"{"a": 1}"#, #"{"a": 4}"#, #"{"b": null}"#]
        ),
        (
            #"{"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}"#,
            [#"{"a":null}"#, #"{"b":null}"#, #"{"a":null,"b":null}"#], ["{}"]
        ),
        (
            ##"{"$defs":{"n":{"properties":{"v":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/$defs/n"},{"type":"null"}]}},"required":["v","next"]}},"$ref":"#/$defs/n"}"##,
            [#"{"v": 1, "next": {"v": 2, "next": null}}"#], [#"{"v": 1}"#, #"{"v": 1, "next": {}}"#]
        ),
        (##"{"type":"array","items":{"$ref":"#"}}"##, ["[]", "[[],[[]]]"], ["[1]"]),
        (
            ##"{"definitions":{"a~/b":{"type":"integer"}},"$ref":"#/definitions/a~0~1b","minimum":5,"description":"d"}"##,
            ["5", "9"], ["4"]
        ),
        (
            #"{"title":"t","description":"d","default":1,"examples":[],"$schema":"s","x-order":1,"const":7}"#,
            ["7"], ["8"]
        ),
        ("true", ["1", "{}", #""a""#], ["", "tru"]),
    ])
    func aTextIsValidOrNot(_ schema: String, valid: [String], invalid: [String]) throws {
        let grammar = try Grammar(schema: schema)
        for text in valid { #expect(try grammar.accepts(text), "\(text)") }
        for text in invalid { #expect(try !grammar.accepts(text), "\(text)") }
    }

    @Test(arguments: [
        (#"{"properties":{"a/b":{"not":{}}}}"#, "/properties/a~1b/not", "'not'"),
        (#"{"type":"strin"}"#, "/type", "strin"),
        (#"{"type":"array","uniqueItems":true}"#, "/uniqueItems", "uniqueItems"),
        (#"{"items":{"multipleOf":3}}"#, "/items/multipleOf", "multipleOf"),
        (#"{"oneOf":[{"type":"integer"},{"type":"number"}]}"#, "/oneOf", "both"),
        (#"{"oneOf":[{"properties":{"a":{}}},{"properties":{"b":{}}}]}"#, "/oneOf", "both"),
        (#"{"type":"string","format":"iri"}"#, "/format", "date-time"),
        (#"{"pattern":"(?=a)"}"#, "/pattern", "(?:"), (#"{"pattern":"\\bword"}"#, "/pattern", #"\b"#),
        (#"{"pattern":"^a$","minLength":3}"#, "/pattern", "minLength"),
        (#"{"$ref":"http://example.com"}"#, "/$ref", "within the schema"),
        (##"{"$ref":"#/nowhere"}"##, "/$ref", "nothing"),
        (#"{"if":{}}"#, "/if", "'if'"),
        (#"{"patternProperties":{}}"#, "/patternProperties", "patternProperties"),
        (#"{"enum":["a"],"minLength":2}"#, "/minLength", "enum"),
        (#"{"minLength":-1}"#, "/minLength", "from 0"),
        (#"{"minimum":1.2345678901234567}"#, "/minimum", "digits"),
        (#"{"properties":[]}"#, "/properties", "object"),
        (#"{"properties":{"a":3}}"#, "/properties/a", "schema"),
        (#"{"minProperties":2}"#, "/minProperties", "required"),
    ])
    func whatCannotBeEnforcedIsNamedWithItsPlace(_ schema: String, path: String, words: String) {
        let error = refusal { try Grammar(schema: schema) }
        #expect(error?.description.contains("at \(path):") == true, "\(String(describing: error))")
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }

    @Test(arguments: [
        "false", ##"{"$ref":"#"}"##, ##"{"anyOf":[{"$ref":"#"}]}"##,
        ##"{"properties":{"a":{"$ref":"#"}},"required":["a"]}"##,
        #"{"enum":[]}"#, #"{"type":"integer","minimum":3,"maximum":2}"#,
        #"{"type":"string","minLength":3,"maxLength":2}"#,
        #"{"type":"integer","exclusiveMinimum":1,"exclusiveMaximum":2}"#, #"{"const":1,"type":"string"}"#,
    ])
    func aSchemaOfNothingIsRefused(_ schema: String) {
        #expect(refusal { try Grammar(schema: schema) } == .empty)
    }

    @Test func hostileSchemasAreRefusedInTime() {
        #expect(refusal { try Grammar(schema: #"{"type":"string","minLength":100000000}"#) } != nil)
        #expect(
            refusal { try Grammar(schema: #"{"type":"array","items":{"type":"string"},"minItems":9999999}"#) }
                != nil)
        #expect(refusal { try Grammar(schema: #"{"type":"string","maxLength":100000000}"#) } == nil)
        // Each definition puts the next one together twice.
        let definitions = (0..<40).map {
            ##""d\##($0)":{"anyOf":[{"$ref":"#/$defs/d\##($0 + 1)","minLength":1},{"$ref":"#/$defs/d\##($0 + 1)","minLength":2}]}"##
        }
        let tower =
            ##"{"$defs":{\##(definitions.joined(separator: ",")),"d40":{"type":"string"}},"$ref":"#/$defs/d0","maxLength":9}"##
        #expect(refusal { try Grammar(schema: tower) } != nil)
        let itself =
            ##"{"$defs":{"a":{"properties":{"n":{"$ref":"#/$defs/a","minProperties":0}}}},"$ref":"#/$defs/a"}"##
        #expect(refusal { try Grammar(schema: itself) } != nil)
        #expect(refusal { try Grammar(schema: ##"{"allOf":[{"$ref":"#"}]}"##) } != nil)
    }

    @Test func bracketsOfIntegersAreTheirOrder() throws {
        var random = SeededNumbers(state: 2)
        for _ in 0..<40 {
            let (a, b) = (
                Int.random(in: -1200...1200, using: &random), Int.random(in: -1200...1200, using: &random)
            )
            let (low, high) = (min(a, b), max(a, b))
            let grammar = try Grammar(schema: #"{"type":"integer","minimum":\#(low),"maximum":\#(high)}"#)
            for value in [low - 1, low, low + 1, high - 1, high, high + 1, 0, -9, 10, -100, 1000]
                + (0..<40).map({ _ in Int.random(in: -1300...1300, using: &random) })
            {
                #expect(
                    try grammar.accepts("\(value)") == (low...high).contains(value),
                    "\(value) in \(low)...\(high)")
            }
        }
    }

    @Test func bracketsOfNumbersAreTheirOrder() throws {
        var random = SeededNumbers(state: 4)
        for _ in 0..<60 {
            let (a, b) = (
                Int.random(in: -3000...3000, using: &random), Int.random(in: -3000...3000, using: &random)
            )
            // Hundredths are compared as integers.
            func text(_ hundredths: Int) -> String {
                let (whole, rest) = (abs(hundredths) / 100, abs(hundredths) % 100)
                return "\(hundredths < 0 ? "-" : "")\(whole).\(rest < 10 ? "0" : "")\(rest)"
            }
            let (low, high) = (min(a, b), max(a, b) + 2)
            let isOpen = Bool.random(using: &random)
            let (least, most) = isOpen ? ("exclusiveMinimum", "exclusiveMaximum") : ("minimum", "maximum")
            let grammar = try Grammar(
                schema: #"{"type":"number","\#(least)":\#(text(low)),"\#(most)":\#(text(high))}"#)
            for value in [low - 1, low, low + 1, high - 1, high, high + 1, 0, 100, -100]
                + (0..<40).map({ _ in Int.random(in: -3100...3100, using: &random) })
            {
                let isInside = isOpen ? value > low && value < high : value >= low && value <= high
                #expect(
                    try grammar.accepts(text(value)) == isInside, "\(value) of \(low), \(high), \(isOpen)")
                #expect(try grammar.accepts(text(value) + "000") == isInside)
                if value % 100 == 0 { #expect(try grammar.accepts("\(value / 100)") == isInside) }
                // A thousandth more is above an excluded lower bound as well.
                if value >= 0, value < high {
                    #expect(try grammar.accepts(text(value) + "1") == (value >= low))
                }
            }
        }
    }
}
