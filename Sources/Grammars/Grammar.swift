/// Which texts a model may write: a context-free grammar as an automaton over bytes, ready to be followed.
///
/// A value, made once and shared; `TokenConstraint` follows it. What is hostile (left recursion, endless repetition,
/// millions of states) is refused when the grammar is made.
public struct Grammar: Sendable {
    /// A place in a rule.
    enum State: Sendable, Equatable {
        /// One byte, by the edges in this range.
        case bytes(Range<Int32>)
        /// Any of the targets in this range.
        case fork(Range<Int32>)
        /// Another rule, then the state `next`.
        case call(rule: Int32, next: Int32)
        /// The rule's end.
        case end
    }

    /// A step over one byte, by the classes of bytes that no rule tells apart.
    struct Edge: Sendable, Equatable {
        var classes: ClosedRange<UInt8>
        var next: Int32
    }

    let states: [State]
    let edges: [Edge]
    let targets: [Int32]
    /// The first state of each rule.
    let starts: [Int32]
    /// The rule of whole texts.
    let root: Int32
    /// The class of each byte.
    let classes: [UInt8]
    /// How many classes there are.
    let classCount: Int

    /// A grammar in GBNF, llama.cpp's notation; whole texts are those of the rule `root`.
    ///
    /// - Throws: `GrammarError`.
    public init(gbnf text: String) throws(GrammarError) {
        var parser = GBNFParser(text)
        let (rules, root) = try parser.parse()
        try self.init(rules, root: root)
    }

    init(_ rules: GrammarRules, root: Int) throws(GrammarError) {
        var compiler = GrammarCompiler(rules)
        let draft = try compiler.compile()
        self = try draft.checked(rules, root: Int32(root))
    }

    init(
        states: [State], edges: [Edge], targets: [Int32], starts: [Int32], root: Int32, classes: [UInt8],
        classCount: Int
    ) {
        self.states = states
        self.edges = edges
        self.targets = targets
        self.starts = starts
        self.root = root
        self.classes = classes
        self.classCount = classCount
    }
}
