/// The bytes of all tokens of a vocabulary as a trie in one array, so that a grammar looks at each beginning once.
public struct TokenTrie: Sendable {
    /// One byte of tokens, in depth-first order.
    struct Node: Sendable {
        var byte: UInt8
        var depth: Int32
        /// The node after all that begin with this one.
        var end: Int32
        /// The first token that ends here, or -1.
        var token: Int32
    }

    private(set) var nodes: [Node] = []
    /// The next token with the same bytes, or -1.
    private(set) var twins: [Int32]
    /// The greatest depth.
    private(set) var height = 0
    /// How many tokens the vocabulary has.
    public var tokenCount: Int { twins.count }

    private let storage: [UInt8]
    private let offsets: [Int32]

    /// A trie of tokens `0..<count`.
    ///
    /// - Parameters:
    ///   - count: the size of the vocabulary.
    ///   - bytes: what each token stands for; empty for those that are no text, which no grammar allows.
    public init(count: Int, bytes: (Int32) -> [UInt8]) {
        var storage: [UInt8] = []
        var offsets: [Int32] = [0]
        for token in 0..<Int32(count) {
            storage += bytes(token)
            offsets.append(Int32(storage.count))
        }
        self.storage = storage
        self.offsets = offsets
        twins = Array(repeating: -1, count: count)
        build()
    }

    func bytes(of token: Int32) -> ArraySlice<UInt8> {
        storage[Int(offsets[Int(token)])..<Int(offsets[Int(token) + 1])]
    }

    private mutating func build() {
        var order = (0..<Int32(twins.count)).filter { !bytes(of: $0).isEmpty }
        storage.withUnsafeBufferPointer { storage in
            func text(_ token: Int32) -> UnsafeBufferPointer<UInt8> {
                UnsafeBufferPointer(
                    rebasing: storage[Int(offsets[Int(token)])..<Int(offsets[Int(token) + 1])])
            }
            order.sort { a, b in
                let (x, y) = (text(a), text(b))
                let common = min(x.count, y.count)
                for i in 0..<common where x[i] != y[i] { return x[i] < y[i] }
                return (x.count, a) < (y.count, b)
            }
        }
        // The nodes of the token before, by depth.
        var path: [Int] = []
        for token in order {
            let bytes = bytes(of: token)
            var shared = 0
            while shared < min(path.count, bytes.count),
                nodes[path[shared]].byte == bytes[bytes.startIndex + shared]
            { shared += 1 }
            while path.count > shared { nodes[path.removeLast()].end = Int32(nodes.count) }
            for byte in bytes.dropFirst(shared) {
                path.append(nodes.count)
                nodes.append(Node(byte: byte, depth: Int32(path.count), end: 0, token: -1))
            }
            height = max(height, path.count)
            let last = path[path.count - 1]
            twins[Int(token)] = nodes[last].token
            nodes[last].token = token
        }
        for index in path { nodes[index].end = Int32(nodes.count) }
    }
}
