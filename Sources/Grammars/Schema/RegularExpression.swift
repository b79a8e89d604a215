/// A `pattern` of JSON Schema as a grammar of the texts that it matches, as they stand in JSON.
///
/// What the dialects of regular expressions read differently is read so that every match is one in all of them.
struct RegularExpression {
    private enum Limit {
        static let depth = 32
        static let repetitions = 10_000
    }

    private let scalars: [Unicode.Scalar]
    private let anything: Expression
    private var place = 0

    /// A sentence for what is not supported.
    struct Problem: Error { let text: String }

    /// The texts that `pattern` matches, without quotation marks; `anything` is any text.
    static func expression(_ pattern: String, anything: Expression) throws(Problem) -> Expression {
        var parser = RegularExpression(scalars: Array(pattern.unicodeScalars), anything: anything)
        let result = try parser.alternatives(depth: 0)
        guard parser.place == parser.scalars.count else {
            throw Problem(text: "its parentheses do not match")
        }
        return result
    }

    private init(scalars: [Unicode.Scalar], anything: Expression) {
        self.scalars = scalars
        self.anything = anything
    }

    private var next: Unicode.Scalar? { place < scalars.count ? scalars[place] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        place += 1
        return true
    }

    // MARK: - Structure

    private mutating func alternatives(depth: Int) throws(Problem) -> Expression {
        guard depth <= Limit.depth else { throw Problem(text: "its groups are too deep") }
        var choices = [try alternative(depth: depth)]
        while take("|") { choices.append(try alternative(depth: depth)) }
        return choices.count == 1 ? choices[0] : .choice(choices)
    }

    private mutating func alternative(depth: Int) throws(Problem) -> Expression {
        var parts: [Expression] = []
        let isBegun = depth > 0 || take("^")
        var isEnded = depth > 0
        while let scalar = next, scalar != "|", scalar != ")" || depth == 0 {
            if scalar == "$", depth == 0 {
                place += 1
                guard next == nil || next == "|" else { throw Problem(text: "'$' must stand at the end") }
                isEnded = true
                break
            }
            parts.append(try repeated(try atom(depth: depth)))
        }
        if !isBegun { parts.insert(anything, at: 0) }
        if !isEnded { parts.append(anything) }
        return .sequence(parts)
    }

    private mutating func atom(depth: Int) throws(Problem) -> Expression {
        let scalar = scalars[place]
        place += 1
        switch scalar {
        case "(":
            if take("?") {
                guard take(":") else { throw Problem(text: "'(?' is supported as '(?:' only") }
            }
            let group = try alternatives(depth: depth + 1)
            guard take(")") else { throw Problem(text: "')' is missing") }
            return group
        case "[": return JSONRules.escaped(try characterClass())
        case ".": return JSONRules.escaped(ScalarSet("\n\r\u{2028}\u{2029}").inverted)
        case "\\": return JSONRules.escaped(try escape().set)
        case "^", "$": throw Problem(text: "'\(scalar)' is supported at the pattern's ends only")
        case "*", "+", "?", "{", ")": throw Problem(text: "'\(scalar)' has nothing before it")
        default: return JSONRules.escaped(ScalarSet([scalar.value...scalar.value]))
        }
    }

    private mutating func repeated(_ part: Expression) throws(Problem) -> Expression {
        let (minimum, maximum): (Int, Int?)
        switch next {
        case "*": (minimum, maximum) = (0, nil)
        case "+": (minimum, maximum) = (1, nil)
        case "?": (minimum, maximum) = (0, 1)
        case "{": (minimum, maximum) = try counts()
        default: return part
        }
        place += 1
        // Which of several matches is taken makes no difference here.
        _ = take("?")
        if let next, "*+?{".unicodeScalars.contains(next) { throw Problem(text: "a repetition is repeated") }
        return .repeated(part, minimum: minimum, maximum: maximum)
    }

    /// `{m}`, `{m,}` or `{m,n}`, up to the closing brace.
    private mutating func counts() throws(Problem) -> (Int, Int?) {
        place += 1
        guard let minimum = try number() else { throw Problem(text: "expected a number in '{}'") }
        var maximum: Int? = minimum
        if take(",") { maximum = try number() }
        guard next == "}" else { throw Problem(text: "'}' is missing") }
        if let maximum, maximum < minimum {
            throw Problem(text: "the greater number must come second in '{}'")
        }
        return (minimum, maximum)
    }

    private mutating func number() throws(Problem) -> Int? {
        var value: Int?
        while let scalar = next, ("0"..."9").contains(scalar) {
            value = (value ?? 0) * 10 + Int(scalar.value - 0x30)
            if let value, value > Limit.repetitions { throw Problem(text: "a repetition is too large") }
            place += 1
        }
        return value
    }

    // MARK: - Characters

    private mutating func characterClass() throws(Problem) -> ScalarSet {
        let isNegated = take("^")
        var (set, hasNamed) = (ScalarSet(), false)
        while true {
            guard let scalar = next else { throw Problem(text: "']' is missing") }
            place += 1
            if scalar == "]" { break }
            guard scalar != "[" else { throw Problem(text: "'[' within '[]' must be written '\\['") }
            let low = try member(scalar)
            hasNamed = hasNamed || low.isNamed
            guard next == "-", place + 1 < scalars.count, scalars[place + 1] != "]" else {
                set = set.union(low.set)
                continue
            }
            place += 1
            let end = scalars[place]
            place += 1
            let high = try member(end)
            guard !low.isNamed, !high.isNamed, let first = low.set.ranges.first?.lowerBound,
                let last = high.set.ranges.first?.lowerBound, first <= last
            else { throw Problem(text: "a range in '[]' must go from a character to a later one") }
            set = set.union(ScalarSet([first...last]))
        }
        guard isNegated else { return set.withoutSurrogates }
        return hasNamed ? set.inverted.intersection(Self.ascii) : set.inverted
    }

    private mutating func member(_ scalar: Unicode.Scalar) throws(Problem) -> (set: ScalarSet, isNamed: Bool)
    {
        scalar == "\\" ? try escape() : (ScalarSet([scalar.value...scalar.value]), false)
    }

    private static let ascii = ScalarSet([0...0x7F])
    private static let digits = ScalarSet([0x30...0x39])
    private static let words = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    private static let spaces = ScalarSet("\t\n\u{B}\u{C}\r ")

    /// What stands after a backslash; a named class and its opposite within ASCII, where all dialects agree.
    private mutating func escape() throws(Problem) -> (set: ScalarSet, isNamed: Bool) {
        guard let kind = next else { throw Problem(text: "it ends with a backslash") }
        place += 1
        switch kind {
        case "d": return (Self.digits, true)
        case "w": return (Self.words, true)
        case "s": return (Self.spaces, true)
        case "D": return (Self.ascii.subtracting(Self.digits), true)
        case "W": return (Self.ascii.subtracting(Self.words), true)
        case "S": return (Self.ascii.subtracting(Self.spaces), true)
        case "n": return (ScalarSet("\n"), false)
        case "r": return (ScalarSet("\r"), false)
        case "t": return (ScalarSet("\t"), false)
        case "f": return (ScalarSet("\u{C}"), false)
        case "v": return (ScalarSet("\u{B}"), false)
        case "x": return (try hexadecimal(2), false)
        case "u": return (try hexadecimal(4), false)
        case "0"..."9", "a"..."z", "A"..."Z":
            throw Problem(text: "'\\\(kind)' is not supported")
        default: return (ScalarSet([kind.value...kind.value]), false)
        }
    }

    private mutating func hexadecimal(_ count: Int) throws(Problem) -> ScalarSet {
        let digits = String(String.UnicodeScalarView(scalars[place...].prefix(count)))
        guard digits.unicodeScalars.count == count, digits.allSatisfy(\.isHexDigit),
            let value = UInt32(digits, radix: 16), Unicode.Scalar(value) != nil
        else { throw Problem(text: "expected \(count) hexadecimal digits of a character") }
        place += count
        return ScalarSet([value...value])
    }
}
