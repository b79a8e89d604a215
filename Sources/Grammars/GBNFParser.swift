/// Reads GBNF as llama.cpp writes it: `name ::= alternatives`, literals, classes, `.`, groups, `* + ? {m,n}`, comments.
struct GBNFParser {
    /// Longest text, in bytes, deepest nesting of groups, and most repetitions.
    private enum Limit {
        static let bytes = 256 << 10
        static let depth = 64
        static let repetitions = 10_000
        /// How many of `* + ? {}` may follow each other.
        static let operators = 3
    }

    private let scalars: [Unicode.Scalar]
    private let byteCount: Int
    private var place = 0
    private var rules = GrammarRules()
    private var ids: [String: Int] = [:]

    init(_ text: String) {
        byteCount = text.utf8.count
        scalars = byteCount <= Limit.bytes ? Array(text.unicodeScalars) : []
    }

    /// The rules, and the one called `root`.
    mutating func parse() throws(GrammarError) -> (GrammarRules, root: Int) {
        guard byteCount <= Limit.bytes else {
            throw .tooLarge(what: "the grammar's text in bytes", limit: Limit.bytes)
        }
        skipSpace(newlines: true)
        while place < scalars.count { try rule() }
        guard let root = ids["root"], rules.expressions[root] != nil else { throw .undefinedRule("root") }
        if let index = rules.expressions.firstIndex(of: nil) { throw .undefinedRule(rules.names[index]) }
        return (rules, root)
    }

    // MARK: - Rules

    private mutating func rule() throws(GrammarError) {
        let id = try reference(name())
        guard rules.expressions[id] == nil else {
            throw error("the rule '\(rules.names[id])' is defined twice")
        }
        skipSpace(newlines: false)
        guard take("::=") else { throw error("expected '::=' after the rule's name") }
        skipSpace(newlines: true)
        rules.define(id, try alternatives(depth: 0))
        skipSpace(newlines: true)
    }

    private mutating func alternatives(depth: Int) throws(GrammarError) -> Expression {
        guard depth <= Limit.depth else { throw .tooLarge(what: "the nesting of groups", limit: Limit.depth) }
        var choices = [try sequence(depth: depth)]
        while true {
            // An alternative may stand on the next line.
            let before = place
            skipSpace(newlines: true)
            guard take("|") else {
                if depth == 0 { place = before }
                break
            }
            skipSpace(newlines: true)
            choices.append(try sequence(depth: depth))
        }
        return choices.count == 1 ? choices[0] : .choice(choices)
    }

    private mutating func sequence(depth: Int) throws(GrammarError) -> Expression {
        var parts: [Expression] = []
        while let part = try item(depth: depth) {
            parts.append(try repeated(part))
            skipSpace(newlines: depth > 0)
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func item(depth: Int) throws(GrammarError) -> Expression? {
        guard place < scalars.count else { return nil }
        switch scalars[place] {
        case "\"": return try literal()
        case "[": return .scalar(try characterClass())
        case ".":
            place += 1
            return .scalar(.all)
        case "(":
            place += 1
            skipSpace(newlines: true)
            let group = try alternatives(depth: depth + 1)
            skipSpace(newlines: true)
            guard take(")") else { throw error("expected ')'") }
            return group
        case "<", "!": throw error("tokens in angle brackets are not supported; write the text")
        case let scalar where Self.isNamePart(scalar):
            guard !isDefinition else { return nil }
            return .rule(try reference(name()))
        default: return nil
        }
    }

    /// Whether the name that comes next begins the next rule.
    private var isDefinition: Bool {
        var next = place
        while next < scalars.count, Self.isNamePart(scalars[next]) { next += 1 }
        while next < scalars.count, scalars[next] == " " || scalars[next] == "\t" { next += 1 }
        return next + 2 < scalars.count && scalars[next] == ":" && scalars[next + 1] == ":"
            && scalars[next + 2] == "="
    }

    private mutating func repeated(_ part: Expression) throws(GrammarError) -> Expression {
        var (result, count) = (part, 0)
        while place < scalars.count {
            let bounds: (Int, Int?)
            switch scalars[place] {
            case "*": bounds = (0, nil)
            case "+": bounds = (1, nil)
            case "?": bounds = (0, 1)
            case "{": bounds = try counts()
            default: return result
            }
            place += 1
            count += 1
            guard count <= Limit.operators else { throw error("too many repetitions of one part") }
            result = .repeated(result, minimum: bounds.0, maximum: bounds.1)
        }
        return result
    }

    /// `{m}`, `{m,}`, `{,n}` or `{m,n}`, up to the closing brace.
    private mutating func counts() throws(GrammarError) -> (Int, Int?) {
        place += 1
        let minimum = try number()
        var maximum = minimum
        skipSpace(newlines: false)
        if take(",") {
            skipSpace(newlines: false)
            maximum = try number()
            skipSpace(newlines: false)
            guard minimum != nil || maximum != nil else { throw error("expected a number in '{}'") }
        } else if minimum == nil {
            throw error("expected a number in '{}'")
        }
        guard place < scalars.count, scalars[place] == "}" else { throw error("expected '}'") }
        if let maximum, maximum < minimum ?? 0 { throw error("the greater number must come second in '{}'") }
        return (minimum ?? 0, maximum)
    }

    private mutating func number() throws(GrammarError) -> Int? {
        var value: Int?
        while place < scalars.count, ("0"..."9").contains(scalars[place]) {
            value = (value ?? 0) * 10 + Int(scalars[place].value - 0x30)
            guard value! <= Limit.repetitions else {
                throw .tooLarge(what: "a repetition", limit: Limit.repetitions)
            }
            place += 1
        }
        return value
    }

    private mutating func name() throws(GrammarError) -> String {
        var name = ""
        while place < scalars.count, Self.isNamePart(scalars[place]) {
            name.unicodeScalars.append(scalars[place])
            place += 1
        }
        guard !name.isEmpty else { throw error("expected a rule's name") }
        return name
    }

    private mutating func reference(_ name: String) throws(GrammarError) -> Int {
        if let id = ids[name] { return id }
        let id = try rules.reserve(name)
        ids[name] = id
        return id
    }

    // MARK: - Characters

    private mutating func literal() throws(GrammarError) -> Expression {
        place += 1
        var text = ""
        while true {
            guard place < scalars.count, scalars[place] != "\n" else {
                throw error("expected '\"' at the literal's end")
            }
            if take("\"") { return .text(text) }
            text.unicodeScalars.append(try character())
        }
    }

    private mutating func characterClass() throws(GrammarError) -> ScalarSet {
        place += 1
        let isNegated = take("^")
        var ranges: [ClosedRange<UInt32>] = []
        while true {
            guard place < scalars.count, scalars[place] != "\n" else {
                throw error("expected ']' at the class's end")
            }
            if take("]") { break }
            let low = try character()
            guard place + 1 < scalars.count, scalars[place] == "-", scalars[place + 1] != "]" else {
                ranges.append(low.value...low.value)
                continue
            }
            place += 1
            let high = try character()
            guard low <= high else { throw error("a range in '[]' must begin with its lower end") }
            ranges.append(low.value...high.value)
        }
        let set = ScalarSet(ranges)
        return isNegated ? set.inverted : set.withoutSurrogates
    }

    private mutating func character() throws(GrammarError) -> Unicode.Scalar {
        let scalar = scalars[place]
        place += 1
        guard scalar == "\\" else { return scalar }
        guard place < scalars.count else { throw error("expected a character after '\\'") }
        let kind = scalars[place]
        place += 1
        switch kind {
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "x": return try hexadecimal(2)
        case "u": return try hexadecimal(4)
        case "U": return try hexadecimal(8)
        case "\\", "\"", "[", "]", "-", "^", "'", "/", ".": return kind
        default: throw error("the escape '\\\(kind)' does not exist")
        }
    }

    private mutating func hexadecimal(_ count: Int) throws(GrammarError) -> Unicode.Scalar {
        let digits = String(String.UnicodeScalarView(scalars[place...].prefix(count)))
        guard digits.unicodeScalars.count == count, let value = UInt32(digits, radix: 16),
            digits.allSatisfy(\.isHexDigit), let scalar = Unicode.Scalar(value)
        else { throw error("expected \(count) hexadecimal digits of a character") }
        place += count
        return scalar
    }

    // MARK: - Pieces

    private static func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-", "_": true
        default: false
        }
    }

    private mutating func skipSpace(newlines: Bool) {
        while place < scalars.count {
            switch scalars[place] {
            case " ", "\t": place += 1
            case "\n", "\r":
                guard newlines else { return }
                place += 1
            case "#":
                while place < scalars.count, scalars[place] != "\n" { place += 1 }
            default: return
            }
        }
    }

    private mutating func take(_ text: StaticString) -> Bool {
        let wanted = Array("\(text)".unicodeScalars)
        guard scalars[place...].starts(with: wanted) else { return false }
        place += wanted.count
        return true
    }

    private func error(_ problem: String) -> GrammarError {
        let read = scalars.prefix(place)
        let line = read.count { $0 == "\n" } + 1
        let column = read.count - (read.lastIndex(of: "\n").map { $0 + 1 } ?? 0) + 1
        return .syntax(line: line, column: column, problem: problem)
    }
}
