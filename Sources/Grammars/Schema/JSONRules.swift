import StrictJSON

/// The parts of JSON as a grammar: compact, with at most one space after a comma or colon, so that no answer is padded.
struct JSONRules {
    var rules = GrammarRules()
    private var anyValue: Int?
    private var anyText: Expression?

    static let never = Expression.choice([])
    private static let root = 0
    private static let space = Expression.optional(.text(" "))
    static let comma = Expression.sequence([.text(","), space])
    static let colon = Expression.sequence([.text(":"), space])

    /// Characters that stand for themselves in a text.
    static let plain = ScalarSet([0x20...0x21, 0x23...0x5B, 0x5D...0x7E, 0x80...0x10FFFF]).withoutSurrogates

    /// Digits beyond these are not distinguished by every reader of numbers.
    static let digits = 15

    static let integer: Expression = .choice([
        .text("0"),
        .sequence([.optional(.text("-")), digit(1), .repeated(digit(0), minimum: 0, maximum: digits - 1)]),
    ])

    static let number: Expression = .sequence([
        .optional(.text("-")),
        .choice([.text("0"), .sequence([digit(1), .repeated(digit(0), minimum: 0, maximum: digits - 1)])]),
        .optional(.sequence([.text("."), .repeated(digit(0), minimum: 1, maximum: digits)])),
        .optional(
            .sequence([
                .scalar(ScalarSet("eE")), .optional(.scalar(ScalarSet("+-"))),
                .repeated(digit(0), minimum: 1, maximum: 2),
            ])),
    ])

    init() throws(GrammarError) { _ = try rules.reserve("root") }

    static func digit(_ first: UInt32) -> Expression { .scalar(ScalarSet([0x30 + first...0x39])) }

    static func quoted(_ content: Expression) -> Expression {
        .sequence([.text("\""), content, .text("\"")])
    }

    /// One character of a text, escaped or not.
    mutating func character() throws(GrammarError) -> Expression {
        if let anyText { return anyText }
        func hex(_ count: Int) -> Expression {
            .repeated(.scalar(Self.hexadecimal), minimum: count, maximum: count)
        }
        let rule = try rules.add(
            "character",
            .choice([
                .scalar(Self.plain),
                .sequence([
                    .text("\\"),
                    .choice([
                        .scalar(ScalarSet("\"\\/bfnrt")),
                        .sequence([
                            .text("u"),
                            .choice([
                                .sequence([.scalar(Self.hexadecimal.subtracting(ScalarSet("dD"))), hex(3)]),
                                .sequence([.scalar(ScalarSet("dD")), .scalar(ScalarSet("01234567")), hex(2)]),
                                // A pair of surrogates; half of one is no text.
                                .sequence([
                                    .scalar(ScalarSet("dD")), .scalar(ScalarSet("89abAB")), hex(2),
                                    .text("\\u"),
                                    .scalar(ScalarSet("dD")), .scalar(ScalarSet("cdefCDEF")), hex(2),
                                ]),
                            ]),
                        ]),
                    ]),
                ]),
            ]))
        anyText = rule
        return rule
    }

    /// All rules, with one of whole texts first.
    func rules(root: Expression) -> GrammarRules {
        var whole = rules
        whole.define(Self.root, root)
        return whole
    }

    private static let hexadecimal = ScalarSet([0x30...0x39, 0x41...0x46, 0x61...0x66])

    /// A text of so many characters.
    mutating func string(minimum: Int = 0, maximum: Int? = nil) throws(GrammarError) -> Expression {
        Self.quoted(.repeated(try character(), minimum: minimum, maximum: maximum))
    }

    /// Elements with commas between them.
    static func list(_ element: Expression, minimum: Int = 0, maximum: Int? = nil) -> Expression {
        if maximum == 0 { return .nothing }
        let some = Expression.sequence([
            element,
            .repeated(
                .sequence([comma, element]), minimum: max(0, minimum - 1), maximum: maximum.map { $0 - 1 }),
        ])
        return minimum == 0 ? .optional(some) : some
    }

    /// Any value.
    mutating func value() throws(GrammarError) -> Expression {
        if let anyValue { return .rule(anyValue) }
        let rule = try rules.reserve("value")
        anyValue = rule
        rules.define(
            rule,
            .choice([
                try object(), try array(), try string(), Self.number, .text("true"), .text("false"),
                .text("null"),
            ]))
        return .rule(rule)
    }

    /// Any object.
    mutating func object() throws(GrammarError) -> Expression {
        let pair = try rules.add("pair", .sequence([try string(), Self.colon, try value()]))
        return .sequence([.text("{"), Self.list(pair), .text("}")])
    }

    private mutating func array() throws(GrammarError) -> Expression {
        .sequence([.text("["), Self.list(try value()), .text("]")])
    }

    /// One value and no other; an object's members stand in their order.
    static func literal(_ value: JSONValue) -> Expression {
        switch value {
        case .null: .text("null")
        case .bool(let bool): .text(bool ? "true" : "false")
        case .integer(let integer): .text("\(integer)")
        case .unsigned(let integer): .text("\(integer)")
        case .number(let number): .text("\(number)")
        case .string(let text): quoted(escaped(text))
        case .array(let values): .sequence([.text("["), joined(values.map(literal)), .text("]")])
        case .object(let object):
            .sequence([
                .text("{"),
                joined(
                    object.members.map { .sequence([literal(.string($0.name)), colon, literal($0.value)]) }),
                .text("}"),
            ])
        }
    }

    private static func joined(_ parts: [Expression]) -> Expression {
        .sequence(Array(parts.map { [$0] }.joined(separator: [comma])))
    }

    /// A text as it stands between quotation marks, written in one way.
    static func escaped(_ text: String) -> Expression {
        .text(text.unicodeScalars.map { plain.contains($0.value) ? String($0) : escape($0.value) }.joined())
    }

    /// One character of a set, written in one way.
    static func escaped(_ set: ScalarSet) -> Expression {
        let escapes = set.subtracting(plain).ranges.flatMap { Array($0) }.map { Expression.text(escape($0)) }
        let direct = set.intersection(plain)
        let choices = (direct.isEmpty ? [] : [.scalar(direct)]) + escapes
        return choices.count == 1 ? choices[0] : .choice(choices)
    }

    private static func escape(_ scalar: UInt32) -> String {
        switch scalar {
        case 0x22: return "\\\""
        case 0x5C: return "\\\\"
        case 0x0A: return "\\n"
        case 0x0D: return "\\r"
        case 0x09: return "\\t"
        default:
            let digits = String(scalar, radix: 16)
            return "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        }
    }
}
