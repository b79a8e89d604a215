/// What a rule of a grammar stands for.
indirect enum Expression: Sendable, Equatable {
    /// These bytes, which are a part of UTF-8 text.
    case literal([UInt8])
    /// One character of a set.
    case scalar(ScalarSet)
    case sequence([Expression])
    case choice([Expression])
    /// At least `minimum` times, at most `maximum` times; `nil` is without end.
    case repeated(Expression, minimum: Int, maximum: Int?)
    case rule(Int)

    /// Nothing at all.
    static let nothing = Expression.sequence([])

    static func text(_ text: String) -> Expression { .literal(Array(text.utf8)) }

    static func optional(_ expression: Expression) -> Expression {
        .repeated(expression, minimum: 0, maximum: 1)
    }
}

/// A grammar as its rules, before it is compiled.
struct GrammarRules {
    /// More than this many rules, or parts of rules, are refused.
    enum Limit {
        static let rules = 20_000
        static let parts = 200_000
    }

    private(set) var names: [String] = []
    private(set) var expressions: [Expression?] = []

    /// Makes a rule that is defined later, so that it may occur within itself.
    mutating func reserve(_ name: String) throws(GrammarError) -> Int {
        guard names.count < Limit.rules else {
            throw .tooLarge(what: "the number of rules", limit: Limit.rules)
        }
        names.append(name)
        expressions.append(nil)
        return names.count - 1
    }

    mutating func define(_ rule: Int, _ expression: Expression) { expressions[rule] = expression }

    /// Makes a rule.
    mutating func add(_ name: String, _ expression: Expression) throws(GrammarError) -> Expression {
        let rule = try reserve(name)
        define(rule, expression)
        return .rule(rule)
    }
}
