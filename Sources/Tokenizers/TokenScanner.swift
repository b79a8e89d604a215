/// Finds tokens that are matched as a whole before any splitting; at each place the longest wins.
struct TokenScanner: Sendable {
    private var children = PairTable()  // (node, byte) -> node
    private var tokens: [Int32] = [-1]  // node -> the token that ends there, or -1
    private var starts = [Bool](repeating: false, count: 256)

    var isEmpty: Bool { tokens.count == 1 }

    mutating func insert(_ bytes: some Collection<UInt8>, id: Int32) {
        guard let first = bytes.first else { return }
        starts[Int(first)] = true
        var node: Int32 = 0
        for byte in bytes {
            if let next = children.find(node, Int32(byte)) {
                node = Int32(next)
            } else {
                let next = Int32(tokens.count)
                tokens.append(-1)
                children.insert(node, Int32(byte), UInt64(next))
                node = next
            }
        }
        tokens[Int(node)] = id
    }

    /// The longest token that starts at `index`.
    func match(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> (id: Int32, length: Int)? {
        guard starts[Int(text[index])] else { return nil }
        var node: Int32 = 0
        var found: (id: Int32, length: Int)?
        var end = index
        while end < text.count, let next = children.find(node, Int32(text[end])) {
            node = Int32(next)
            end += 1
            if tokens[Int(node)] >= 0 { found = (tokens[Int(node)], end - index) }
        }
        return found
    }
}
