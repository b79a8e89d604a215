/// Where a prompt is cut into the pieces that are evaluated one after the other.
///
/// Rows that quantised weights multiply and that are evaluated together have the same bits however many they are, but a row alone
/// is multiplied by other kernels. So that what is cached, and how much of it was evaluated ahead, changes no answer, no
/// piece is a single row that would not be one without a cache, too.
enum PromptCut {
    /// The most tokens of one piece that is evaluated ahead: what an interruption loses.
    static let ahead = 32

    /// Where the evaluation of a prompt goes on, at most at `shared`.
    ///
    /// - Parameters:
    ///   - shared: how many of its first tokens are in a cache.
    ///   - count: the prompt's tokens, of which the last is always evaluated, for its logits.
    ///   - chunk: pieces end at its multiples.
    /// - Returns: the place of the first token that is evaluated.
    static func start(shared: Int, count: Int, chunk: Int) -> Int {
        let start = min(shared, count - 1)
        let end = min(count, nextMultiple(after: start, of: chunk))
        return end - start == 1 && start % chunk != 0 ? start - 1 : start
    }

    /// The next piece of a beginning of `count` tokens that is evaluated ahead; `nil` when there is none worth it.
    static func ahead(shared: Int, count: Int, chunk: Int) -> Range<Int>? {
        var start = min(shared, count)
        let limit = nextMultiple(after: start, of: chunk)
        if limit - start == 1, start % chunk != 0 { start -= 1 }
        var end = min(count, start + ahead, limit)
        if limit - end == 1 { end -= 1 }
        return end - start >= 2 && end > shared ? start..<end : nil
    }

    private static func nextMultiple(after position: Int, of chunk: Int) -> Int {
        (position / chunk + 1) * chunk
    }
}
