import AssistantAPI

/// A completion that was waited for to its end.
struct CollectedCompletion: Sendable {
    let model: String
    /// The prompt's tokens, with `echo`, then the generated ones.
    let pieces: [TokenPiece]
    let notices: [Notice]
    let summary: CompletionSummary
    let reportsProbabilities: Bool

    var text: String { pieces.map(\.text).joined() }

    /// The calls of functions, in order.
    var calls: [(name: String, arguments: String)] { pieces.flatMap { $0.calls ?? [] }.wholeCalls }

    /// Reads all events.
    ///
    /// - Throws: what the stream throws; `CancellationError` when it ended early.
    init(_ events: AsyncThrowingStream<CompletionEvent, any Error>, reportsProbabilities: Bool) async throws {
        var model = ""
        var pieces: [TokenPiece] = []
        var notices: [Notice] = []
        var summary: CompletionSummary?
        for try await event in events {
            switch event {
            case .queued, .loading, .prefill: break
            case .started(let name): model = name
            case .notice(let notice): notices.append(notice)
            case .echo(let piece), .token(let piece): pieces.append(piece)
            case .completed(let value): summary = value
            }
        }
        guard let summary else { throw CancellationError() }
        self.model = model
        self.pieces = pieces
        self.notices = notices
        self.summary = summary
        self.reportsProbabilities = reportsProbabilities
    }
}

extension [ToolCallPiece] {
    /// The calls that these make up, in order.
    var wholeCalls: [(name: String, arguments: String)] {
        var calls: [(name: String, arguments: String)] = []
        for piece in self {
            if let name = piece.name { calls.append((name, "")) }
            if !calls.isEmpty { calls[calls.count - 1].arguments += piece.arguments }
        }
        return calls
    }
}
