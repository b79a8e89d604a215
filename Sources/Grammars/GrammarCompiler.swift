/// Turns the rules of a grammar into states, each rule from its end to its beginning.
struct GrammarCompiler {
    enum Limit {
        static let states = 200_000
        static let edges = 1_000_000
        /// A repeated part of more states becomes a rule of its own, so that repeating it costs one state each time.
        static let inlineStates = 4
    }

    /// An edge before the classes of bytes are known.
    private struct ByteEdge: Hashable {
        var bytes: ClosedRange<UInt8>
        var next: Int32
    }

    private let rules: GrammarRules
    private var states: [Grammar.State] = []
    private var edges: [ByteEdge] = []
    private var targets: [Int32] = []
    private var starts: [Int32] = []
    /// States of one edge that exist, so that the many tails of a character class are shared.
    private var tails: [ByteEdge: Int32] = [:]
    /// Rules that repetitions made.
    private var extra: [Expression] = []

    init(_ rules: GrammarRules) { self.rules = rules }

    mutating func compile() throws(GrammarError) -> Grammar {
        for (index, expression) in rules.expressions.enumerated() {
            guard let expression else { throw .undefinedRule(rules.names[index]) }
            try compileRule(expression)
        }
        // Made rules may make more; their ids follow those of the grammar.
        var next = 0
        while next < extra.count {
            try compileRule(extra[next])
            next += 1
        }
        let (classes, count) = byteClasses()
        return Grammar(
            states: states,
            edges: edges.map { edge in
                Grammar.Edge(
                    classes: classes[Int(edge.bytes.lowerBound)]...classes[Int(edge.bytes.upperBound)],
                    next: edge.next)
            },
            targets: targets, starts: starts, root: 0, classes: classes, classCount: count)
    }

    private mutating func compileRule(_ expression: Expression) throws(GrammarError) {
        let end = try add(.end)
        starts.append(try compile(expression, then: end))
    }

    // MARK: - Expressions

    /// The state that reads `expression` and goes on at `next`.
    private mutating func compile(_ expression: Expression, then next: Int32) throws(GrammarError) -> Int32 {
        switch expression {
        case .literal(let bytes):
            var next = next
            for byte in bytes.reversed() { next = try step(over: [ByteEdge(bytes: byte...byte, next: next)]) }
            return next
        case .scalar(let set): return try compile(set, then: next)
        case .sequence(let parts):
            var next = next
            for part in parts.reversed() { next = try compile(part, then: next) }
            return next
        case .choice(let choices):
            var starts: [Int32] = []
            for choice in choices { starts.append(try compile(choice, then: next)) }
            return try fork(starts)
        case .repeated(let part, let minimum, let maximum):
            return try repeatPart(part, minimum: minimum, maximum: maximum, then: next)
        case .rule(let rule): return try add(.call(rule: Int32(rule), next: next))
        }
    }

    private mutating func repeatPart(
        _ part: Expression, minimum: Int, maximum: Int?, then next: Int32
    ) throws(GrammarError) -> Int32 {
        let part = minimum + (maximum ?? 0) > 1 ? outlined(part) : part
        var start = next
        if let maximum {
            for _ in 0..<max(0, maximum - minimum) {
                start = try fork([compile(part, then: start), next])
            }
        } else {
            start = try add(.fork(0..<0))
            let body = try compile(part, then: start)
            states[Int(start)] = .fork(range(adding: [body, next]))
        }
        for _ in 0..<minimum { start = try compile(part, then: start) }
        return start
    }

    /// The part itself where it is small, else a rule for it.
    private mutating func outlined(_ part: Expression) -> Expression {
        guard Self.size(of: part) > Limit.inlineStates else { return part }
        extra.append(part)
        return .rule(rules.names.count + extra.count - 1)
    }

    /// Roughly how many states a part takes; exact only where it is few.
    private static func size(of expression: Expression) -> Int {
        switch expression {
        case .literal(let bytes): bytes.count
        case .scalar(let set): set.ranges.last.map { $0.upperBound < 0x80 ? 1 : 8 } ?? 1
        case .sequence(let parts), .choice(let parts): parts.reduce(1) { $0 + size(of: $1) }
        case .repeated(let part, let minimum, let maximum):
            max(size(of: part), minimum, maximum ?? 1) + 1
        case .rule: 1
        }
    }

    /// One character: the first byte's edges in one state, the tails shared.
    private mutating func compile(_ set: ScalarSet, then next: Int32) throws(GrammarError) -> Int32 {
        var first: [ByteEdge] = []
        for sequence in set.byteSequences {
            var target = next
            for bytes in sequence.dropFirst().reversed() {
                target = try step(over: [ByteEdge(bytes: bytes, next: target)])
            }
            first.append(ByteEdge(bytes: sequence[0], next: target))
        }
        return try step(over: first)
    }

    // MARK: - States

    private mutating func step(over list: [ByteEdge]) throws(GrammarError) -> Int32 {
        if list.count == 1, let known = tails[list[0]] { return known }
        guard edges.count + list.count <= Limit.edges else {
            throw .tooLarge(what: "the number of its edges", limit: Limit.edges)
        }
        let start = Int32(edges.count)
        edges += list
        let state = try add(.bytes(start..<Int32(edges.count)))
        if list.count == 1 { tails[list[0]] = state }
        return state
    }

    private mutating func fork(_ choices: [Int32]) throws(GrammarError) -> Int32 {
        choices.count == 1 ? choices[0] : try add(.fork(range(adding: choices)))
    }

    private mutating func range(adding choices: [Int32]) -> Range<Int32> {
        let start = Int32(targets.count)
        targets += choices
        return start..<Int32(targets.count)
    }

    private mutating func add(_ state: Grammar.State) throws(GrammarError) -> Int32 {
        guard states.count < Limit.states else {
            throw .tooLarge(what: "the number of its states", limit: Limit.states)
        }
        states.append(state)
        return Int32(states.count - 1)
    }

    /// Bytes that every edge treats alike are one class; classes ascend with the bytes.
    private func byteClasses() -> (classes: [UInt8], count: Int) {
        var begins = [Bool](repeating: false, count: 257)
        for edge in edges {
            begins[Int(edge.bytes.lowerBound)] = true
            begins[Int(edge.bytes.upperBound) + 1] = true
        }
        var classes = [UInt8](repeating: 0, count: 256)
        var current = 0
        for byte in 1..<256 {
            if begins[byte] { current += 1 }
            classes[byte] = UInt8(current)
        }
        return (classes, current + 1)
    }
}
