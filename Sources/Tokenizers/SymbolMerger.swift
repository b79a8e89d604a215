/// Merges neighbouring symbols, best pair first, in O(n log n): a linked list under a priority queue.
///
/// Byte-pair encoding and SentencePiece differ only in what a pair is worth; among equal pairs the leftmost goes
/// first. The buffers are kept from word to word.
struct SymbolMerger {
    /// A piece of the text: the token it is (or -1), and where it lies.
    struct Symbol {
        var id: Int32
        var start: Int32
        var end: Int32
        fileprivate var previous: Int32
        fileprivate var next: Int32
        // The queue's entry for the pair with the next symbol; older entries are stale.
        fileprivate var pending: UInt64
    }

    /// What merging a pair gives; the lowest priority is merged first.
    struct Candidate {
        let priority: UInt32
        let id: Int32
    }

    private var symbols: [Symbol] = []
    private var queue = MinimumQueue()
    /// Queue operations so far: the measure of the work done, for tests.
    private(set) var steps = 0

    private static let none = UInt64.max

    mutating func append(id: Int32, start: Int, end: Int) {
        symbols.append(
            Symbol(
                id: id, start: Int32(truncatingIfNeeded: start), end: Int32(truncatingIfNeeded: end),
                previous: Int32(symbols.count - 1), next: Int32(symbols.count + 1), pending: Self.none))
    }

    /// Merges the appended symbols until no pair is a candidate, hands each over in order, and forgets them.
    mutating func drain(
        candidate: (_ left: Symbol, _ right: Symbol) -> Candidate?, emit: (Symbol) -> Void
    ) {
        guard !symbols.isEmpty else { return }
        symbols[symbols.count - 1].next = -1
        for index in 0..<(symbols.count - 1) { enqueue(index, candidate) }
        while let entry = queue.pop() {
            steps += 1
            let index = Int(UInt32(truncatingIfNeeded: entry))
            guard symbols[index].pending == entry else { continue }
            mergeNext(index, candidate)
        }
        var index = 0
        while index >= 0 {
            emit(symbols[index])
            index = Int(symbols[index].next)
        }
        symbols.removeAll(keepingCapacity: true)
    }

    private mutating func mergeNext(
        _ index: Int, _ candidate: (_ left: Symbol, _ right: Symbol) -> Candidate?
    ) {
        let right = Int(symbols[index].next)
        guard let merged = candidate(symbols[index], symbols[right]) else { return }
        let after = Int(symbols[right].next)
        symbols[index].id = merged.id
        symbols[index].end = symbols[right].end
        symbols[index].next = Int32(after)
        symbols[index].pending = Self.none
        symbols[right].pending = Self.none
        if after >= 0 {
            symbols[after].previous = Int32(index)
            enqueue(index, candidate)
        }
        let before = Int(symbols[index].previous)
        if before >= 0 { enqueue(before, candidate) }
    }

    private mutating func enqueue(
        _ index: Int, _ candidate: (_ left: Symbol, _ right: Symbol) -> Candidate?
    ) {
        guard let found = candidate(symbols[index], symbols[Int(symbols[index].next)]) else {
            symbols[index].pending = Self.none
            return
        }
        let entry = UInt64(found.priority) << 32 | UInt64(index)
        // An entry that is still waiting serves the new pair as well, if it is worth the same.
        guard symbols[index].pending != entry else { return }
        symbols[index].pending = entry
        queue.push(entry)
        steps += 1
    }
}

/// A binary heap that gives the smallest entry first.
private struct MinimumQueue {
    private var heap: [UInt64] = []

    mutating func push(_ entry: UInt64) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[parent] > entry else { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = entry
    }

    mutating func pop() -> UInt64? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return first }
        var parent = 0
        while true {
            var child = parent * 2 + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            guard heap[child] < last else { break }
            heap[parent] = heap[child]
            parent = child
        }
        heap[parent] = last
        return first
    }
}
