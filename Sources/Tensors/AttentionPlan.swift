import CKernels

/// How one attention is cut into parts: by key/value head, tile of queries and range of positions.
///
/// It depends on the sizes alone, never on the thread count.
struct AttentionPlan {
    /// One part: some queries of one key/value head's group over a range of positions.
    struct Piece {
        let head: Int
        let queries: Range<Int>
        let positions: Range<Int>
    }

    let headCount: Int
    let headDim: Int
    let paddedDim: Int
    /// Query heads that share one key/value head (G).
    let groupSize: Int
    /// Ranges of positions of each tile.
    let ranges: Int
    let parts: Int

    private let rows: Int
    private let start: Int
    private let tileQueries: Int
    private let tiles: Int
    private let rangeLength: Int

    init(rows: Int, start: Int, headCount: Int, cache: AttentionCache) {
        precondition(headCount % cache.kvHeadCount == 0, "query heads in equal groups")
        self.rows = rows
        self.start = start
        self.headCount = headCount
        headDim = cache.headDim
        paddedDim = cache.paddedDim
        groupSize = headCount / cache.kvHeadCount
        precondition(groupSize <= CK_ATTENTION_ROWS, "too many query heads for one key/value head")
        tileQueries = max(1, min(rows, Int(CK_ATTENTION_ROWS) / groupSize))
        tiles = (rows + tileQueries - 1) / tileQueries
        let visible = start + rows
        // Few queries over a long context give too few parts: split the positions too.
        rangeLength = tiles > 1 || visible <= 256 ? max(visible, 1) : 256
        ranges = max(1, (visible + rangeLength - 1) / rangeLength)
        parts = cache.kvHeadCount * tiles * ranges
    }

    /// Rows of a full tile.
    var maximumRows: Int { tileQueries * groupSize }

    /// Floats of one part's result: sums, maxima and weights.
    var partialCount: Int { maximumRows * (paddedDim + 2) }

    func piece(_ part: Int) -> Piece {
        let (tile, range) = part.quotientAndRemainder(dividingBy: ranges)
        let (head, index) = tile.quotientAndRemainder(dividingBy: tiles)
        let queries = index * tileQueries..<min(rows, (index + 1) * tileQueries)
        let end = min(start + queries.upperBound, (range + 1) * rangeLength)
        return Piece(head: head, queries: queries, positions: min(range * rangeLength, end)..<end)
    }

    /// For each row (query, then query head) how many positions it sees.
    func limits(of piece: Piece) -> [Int64] {
        piece.queries.flatMap { repeatElement(Int64(start + $0 + 1), count: groupSize) }
    }

    /// Where the rows of `piece` begin in queries [K, S, G, padded D].
    func queryOffset(of piece: Piece) -> Int {
        (piece.head * rows + piece.queries.lowerBound) * groupSize * paddedDim
    }
}
