import CKernels

/// How one attention is cut into parts: by key/value head, tile of queries and range of positions.
///
/// It depends on the sizes alone, never on the thread count; and where the ranges of positions end depends on neither
/// the queries nor their number, so that a query's result is the same bits whichever others are asked with it.
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
    /// The most ranges of positions that a tile has.
    let ranges: Int
    /// Whether each range is a part of its own: few queries over a long context give too few parts else.
    let splitsRanges: Bool
    let parts: Int

    private let rows: Int
    private let start: Int
    private let tileQueries: Int
    private let tiles: Int
    private static let rangeLength = 256

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
        ranges = max(1, (start + rows + Self.rangeLength - 1) / Self.rangeLength)
        splitsRanges = tiles == 1
        parts = cache.kvHeadCount * tiles * (splitsRanges ? ranges : 1)
    }

    /// Rows of a full tile.
    var maximumRows: Int { tileQueries * groupSize }

    /// Floats of one part's result: sums, maxima and weights.
    var partialCount: Int { maximumRows * (paddedDim + 2) }

    /// Partial results that are held at once.
    func partialSlots(threadCount: Int) -> Int { splitsRanges ? parts : threadCount * ranges }

    /// The pieces of a part: one range of a tile's positions, or all of them.
    func pieces(of part: Int) -> [Piece] {
        if !splitsRanges { return pieces(ofTile: part) }
        let (tile, range) = part.quotientAndRemainder(dividingBy: ranges)
        return [pieces(ofTile: tile)[range]]
    }

    /// All ranges of one tile, in order.
    func pieces(ofTile tile: Int) -> [Piece] {
        let (head, index) = tile.quotientAndRemainder(dividingBy: tiles)
        let queries = index * tileQueries..<min(rows, (index + 1) * tileQueries)
        let end = start + queries.upperBound
        return stride(from: 0, to: end, by: Self.rangeLength).map { first in
            Piece(head: head, queries: queries, positions: first..<min(end, first + Self.rangeLength))
        }
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
