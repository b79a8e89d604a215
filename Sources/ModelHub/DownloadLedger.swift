/// Which bytes of a file are here, which are on their way, and which are to be asked for next.
struct DownloadLedger: Sendable {
    /// Of the whole file.
    let size: Int
    private(set) var finished: RangeSet<Int>
    private var claimed = RangeSet<Int>()
    /// The server gives the file only from its beginning.
    private(set) var isSequential = false

    /// - Parameters:
    ///   - size: Of the whole file, in bytes.
    ///   - finished: What is here already.
    init(size: Int, finished: RangeSet<Int> = RangeSet()) {
        self.size = size
        self.finished = finished.intersection(RangeSet(0..<size))
    }

    var finishedBytes: Int { finished.ranges.reduce(0) { $0 + $1.count } }
    var isWhole: Bool { finishedBytes == size }

    /// The next bytes for one request, at most so many; `nil` when all are here or on their way.
    mutating func claim(atMost piece: Int) -> Range<Int>? {
        let open = RangeSet(0..<size).subtracting(finished).subtracting(claimed)
        guard let gap = open.ranges.first else { return nil }
        if isSequential {
            guard claimed.isEmpty else { return nil }
            claimed = RangeSet(0..<size)
            return 0..<size
        }
        let range = gap.lowerBound..<min(gap.upperBound, gap.lowerBound + max(1, piece))
        claimed.insert(contentsOf: range)
        return range
    }

    /// Bytes are here.
    ///
    /// - Returns: How many of them were not before.
    mutating func finish(_ range: Range<Int>) -> Int {
        let before = finishedBytes
        finished.insert(contentsOf: range)
        return finishedBytes - before
    }

    /// A request is over, whatever came of it.
    mutating func release(_ range: Range<Int>) { claimed.remove(contentsOf: range) }

    /// The server answered a request for `range` with the file from its beginning.
    ///
    /// - Returns: Whether this answer is the one that is to be read to its end.
    mutating func readFromBeginning(instead range: Range<Int>) -> Bool {
        if isSequential { return range == 0..<size }
        isSequential = true
        claimed = RangeSet(0..<size)
        return true
    }
}
