/// A grammar as it is followed token by token: which tokens may come next, and whether the text may end.
///
/// For example:
/// ```swift
/// var constraint = try TokenConstraint(grammar, trie: trie, endTokens: [eos], dropsLeadingSpace: false)
/// if try !constraint.allows(token) { token = best(of: try constraint.allowed()) }
/// try constraint.accept(token)
/// ```
public struct TokenConstraint: Sendable {
    /// More masks than this are not kept.
    private static let keptMasks = 256

    private let trie: TokenTrie
    private let endTokens: Set<Int32>
    /// Whether the space that a vocabulary puts before the first word is no part of the text.
    private let dropsLeadingSpace: Bool
    private var automaton: Automaton
    private var current: Int32 = 0
    private var isAtStart = true
    private var masks: [Int32: TokenMask] = [:]
    private var path: [Int32]

    /// Begins before the first token.
    ///
    /// - Parameters:
    ///   - grammar: of the whole text.
    ///   - trie: the vocabulary's.
    ///   - endTokens: those that end an answer, allowed where the text may end.
    ///   - dropsLeadingSpace: whether the text begins after a leading space of the first token.
    /// - Throws: `tooAmbiguous`.
    public init(
        _ grammar: Grammar, trie: TokenTrie, endTokens: Set<Int32>, dropsLeadingSpace: Bool
    ) throws(GrammarError) {
        self.trie = trie
        self.endTokens = endTokens
        self.dropsLeadingSpace = dropsLeadingSpace
        automaton = try Automaton(grammar)
        path = Array(repeating: 0, count: trie.height + 1)
    }

    /// Begins anew after a text, which no token need spell; where the grammar forbids it, before the first token.
    ///
    /// - Returns: whether the grammar allows a text that begins so.
    public mutating func begin(after text: String) throws(GrammarError) -> Bool {
        (current, isAtStart) = (0, true)
        var set = current
        for byte in text.utf8 {
            set = try automaton.step(set, byte)
            if set == Automaton.dead { return false }
        }
        (current, isAtStart) = (set, text.isEmpty)
        return true
    }

    /// Whether the text may end here.
    public var mayEnd: Bool { automaton.isAccepting(current) }

    /// Whether the text can only end here.
    public var mustEnd: Bool { !automaton.canContinue(current) }

    /// Whether a token may come next.
    public mutating func allows(_ token: Int32) throws(GrammarError) -> Bool {
        if endTokens.contains(token) { return mayEnd }
        return try set(after: token) != Automaton.dead
    }

    /// Goes on after a token that is allowed; another one leaves no token allowed but the end.
    public mutating func accept(_ token: Int32) throws(GrammarError) {
        if endTokens.contains(token) { return }
        let next = try set(after: token)
        guard next != Automaton.dead else { return }
        current = next
        isAtStart = false
    }

    /// Every token that may come next.
    public mutating func allowed() throws(GrammarError) -> TokenMask {
        if !isAtStart, let mask = masks[current] { return mask }
        var mask = TokenMask(count: trie.tokenCount)
        if mayEnd { for token in endTokens { mask.insert(token) } }
        try walk(0..<trie.nodes.count, at: 0, into: &mask)
        if drops,
            let space = trie.nodes.indices.first(where: {
                trie.nodes[$0].depth == 1 && trie.nodes[$0].byte == 0x20
            })
        {
            try walk(space + 1..<Int(trie.nodes[space].end), at: 1, into: &mask)
        }
        // A vocabulary that lacks single bytes may have no way on.
        guard !mask.isEmpty else { throw .noToken }
        if !isAtStart {
            if masks.count >= Self.keptMasks { masks.removeAll() }
            masks[current] = mask
        }
        return mask
    }

    private var drops: Bool { isAtStart && dropsLeadingSpace }

    private mutating func set(after token: Int32) throws(GrammarError) -> Int32 {
        guard token >= 0, Int(token) < trie.tokenCount else { return Automaton.dead }
        var bytes = trie.bytes(of: token)
        if drops, bytes.first == 0x20 { bytes = bytes.dropFirst() }
        guard !bytes.isEmpty else { return Automaton.dead }
        var set = current
        for byte in bytes {
            set = try automaton.step(set, byte)
            if set == Automaton.dead { return set }
        }
        return set
    }

    /// Adds the tokens of some nodes that are allowed, the first `depth` bytes of which are no part of the text.
    private mutating func walk(
        _ nodes: Range<Int>, at depth: Int, into mask: inout TokenMask
    ) throws(GrammarError) {
        path[depth] = current
        var index = nodes.lowerBound
        while index < nodes.upperBound {
            let node = trie.nodes[index]
            let isDropped = drops && depth == 0 && node.depth == 1 && node.byte == 0x20
            let next =
                isDropped ? Automaton.dead : try automaton.step(path[Int(node.depth) - 1], node.byte)
            guard next != Automaton.dead else {
                index = Int(node.end)
                continue
            }
            path[Int(node.depth)] = next
            var token = node.token
            while token >= 0 {
                mask.insert(token)
                token = trie.twins[Int(token)]
            }
            index += 1
        }
    }
}

/// A set of tokens, a bit for each.
public struct TokenMask: Sendable, Equatable {
    private var words: [UInt64]

    /// No token of a vocabulary of `count`.
    public init(count: Int) { words = Array(repeating: 0, count: (count + 63) / 64) }

    /// Whether a token is in it.
    @inline(__always)
    public func contains(_ token: Int) -> Bool {
        token >> 6 < words.count && words[token >> 6] >> UInt64(token & 63) & 1 == 1
    }

    /// Whether there is none.
    public var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    mutating func insert(_ token: Int32) {
        guard token >= 0, Int(token) >> 6 < words.count else { return }
        words[Int(token) >> 6] |= 1 << UInt64(token & 63)
    }
}
