import AssistantAPI

/// Fits a conversation into a model's context: the oldest turns go first, the system prompt stays.
///
/// Turns leave in whole pairs of question and answer, and in blocks of a quarter of the room, so that the next
/// few prompts begin with the same tokens and the cached keys and values are used again.
struct ContextWindow {
    /// A prompt that fits, and how many messages were left out of it.
    struct Fitted: Equatable {
        var tokens: [Int32]
        var omitted: Int
    }

    /// The model's context, in tokens.
    let length: Int
    /// What is kept free for the answer, in tokens.
    let reserve: Int

    /// Keeps room for the answer that was asked for, but at most a quarter of the context.
    init(length: Int, maxTokens: Int?) {
        self.length = length
        reserve = min(maxTokens ?? 1024, length / 4)
    }

    /// The room for the prompt, in tokens.
    var room: Int { length - reserve }

    /// The prompt for `messages`, without as many of the oldest turns as it takes.
    ///
    /// - Throws: `contextLengthExceeded` when the system prompt and the last question alone are too long.
    func fit(_ messages: [ChatMessage], encode: ([ChatMessage]) -> [Int32]) throws(AssistantError) -> Fitted {
        let all = encode(messages)
        if all.count <= room { return Fitted(tokens: all, omitted: 0) }

        let cuts = Self.cuts(in: messages)
        let block = max(1, room / 4)
        let excess = (all.count - room + block - 1) / block * block
        guard var best = cuts.last.map({ Self.without($0, in: messages) }).map(encode) else {
            throw tooLong(all.count)
        }
        // The more is cut, the shorter is the rest: halve until the shortest cut that suffices is found. Where
        // even the longest doesn't take out whole blocks, it will do if the rest fits.
        var (low, high) = (0, cuts.count - 1)
        while low < high {
            let middle = (low + high) / 2
            let kept = encode(Self.without(cuts[middle], in: messages))
            if all.count - kept.count >= excess {
                (high, best) = (middle, kept)
            } else {
                low = middle + 1
            }
        }
        guard best.count <= room else { throw tooLong(best.count) }
        return Fitted(tokens: best, omitted: cuts[high].count)
    }

    /// Checks a prompt that may not be shortened.
    func check(_ tokens: [Int32]) throws(AssistantError) {
        guard tokens.count <= length else { throw tooLong(tokens.count) }
    }

    /// The notice for turns that were left out.
    static func notice(omitted: Int) -> Notice {
        Notice(
            code: "context_shifted",
            message: "The conversation is longer than the model's context: the oldest \(omitted) messages "
                + "were left out of this answer's prompt. They are still in the history.")
    }

    private func tooLong(_ count: Int) -> AssistantError {
        let advice = "shorten it, or set a larger chat.context_length if the model allows one"
        if count > length {
            return AssistantError(
                .contextLengthExceeded,
                "The prompt has \(count) tokens, but the context holds \(length): \(advice).",
                parameter: "messages")
        }
        return AssistantError(
            .contextLengthExceeded,
            "The prompt has \(count) tokens; with \(reserve) kept free for the answer the context of \(length) "
                + "has room for \(room): \(advice).",
            parameter: "messages")
    }

    /// The ranges of messages that may be left out, shortest first: each begins after the system prompt and
    /// ends before a user message that is not the first.
    private static func cuts(in messages: [ChatMessage]) -> [Range<Int>] {
        let start = messages.firstIndex { $0.role != .system } ?? messages.count
        return messages.indices
            .filter { $0 > start && messages[$0].role == .user && messages[$0].toolName == nil }
            .map { start..<$0 }
    }

    private static func without(_ cut: Range<Int>, in messages: [ChatMessage]) -> [ChatMessage] {
        Array(messages[..<cut.lowerBound] + messages[cut.upperBound...])
    }
}
