public import AssistantAPI
import FoundationEssentials
import History
import Logging

/// The conversations: kept in the history (private ones in memory only), and answered one message at a time.
///
/// A message that arrives while another of its conversation is being answered waits for it, which the event
/// `queued` tells. Answers end up in the history also when they were cancelled or failed, with the reason.
public final class ConversationService: Sendable {
    /// How many messages may wait in one conversation.
    private static let waitingLimit = 4
    /// How much later than promised a deleted conversation is erased, at least.
    private static let eraseSlack = Duration.milliseconds(50)

    let histories: Histories
    let engine: AnswerEngine
    let defaultSystem: String?
    /// Whether models may answer with pictures where a message does not say.
    let defaultPictures: Bool
    let typed = TypedDrafts()
    private let undo: Duration
    private let logger: Logger
    private let clock: any Clock<Duration>
    let turns = ConversationTurns(limit: waitingLimit)
    private let answers = RunningAnswers()
    let erasures = Erasures()
    private let startUp: Task<Void, Never>

    /// Marks answers that an earlier daemon left unfinished, and erases what is due.
    init(
        history: HistoryStore, engine: AnswerEngine, defaultSystem: String?, defaultPictures: Bool = false,
        undo: Duration, logger: Logger, clock: any Clock<Duration> = ContinuousClock()
    ) {
        histories = Histories(history)
        self.engine = engine
        self.defaultSystem = defaultSystem
        self.defaultPictures = defaultPictures
        self.undo = undo
        self.logger = logger
        self.clock = clock
        startUp = Task {
            do {
                _ = try await history.markInterrupted()
                _ = try await history.eraseExpired()
            } catch {
                logger.warning("the history could not be tidied", metadata: ["error": "\(error)"])
            }
        }
        // What an earlier daemon deleted is due by then at the latest.
        eraseExpired(after: undo)
    }

    // MARK: - Records

    /// Makes a conversation.
    ///
    /// - Throws: `modelNotFound`, `historyUnavailable`.
    public func create(_ draft: ConversationDraft) async throws -> Conversation {
        try check(model: draft.model)
        return try await reaching("The conversation was not made") { try await histories.create(draft) }
    }

    /// The conversations that are kept, newest first; private ones are in no list.
    ///
    /// - Parameters:
    ///   - before: The `next` of the page before; `nil` for the first.
    ///   - limit: At most so many, 1 to 200.
    /// - Returns: The page.
    /// - Throws: `historyUnavailable`, `invalidRequest` for a `before` that is none.
    public func list(before: String? = nil, limit: Int = 50) async throws -> ConversationList {
        try await reaching("The conversations cannot be listed") {
            try await histories.main.conversations(before: before, limit: min(200, max(1, limit)))
        }
    }

    /// Where titles and messages contain the words of `query`, best matches first.
    public func search(_ query: String, limit: Int = 50) async throws -> SearchResults {
        try await reaching("The history cannot be searched") {
            SearchResults(matches: try await histories.main.search(query, limit: min(200, max(1, limit))))
        }
    }

    /// The messages of the shown branch.
    ///
    /// - Throws: `notFound`.
    public func transcript(_ id: Conversation.ID) async throws -> Transcript {
        let transcript = try await reaching("The conversation cannot be read") {
            try await histories.store(of: id).transcript(id)
        }
        guard var transcript else { throw Self.notFound(id) }
        if histories.isPrivate(id) { transcript.conversation.isPrivate = true }
        return transcript
    }

    /// The messages of all branches, oldest first.
    ///
    /// - Throws: `notFound`.
    public func messages(of id: Conversation.ID) async throws -> [Message] {
        _ = try await transcript(id)
        return try await reaching("The conversation cannot be read") {
            try await histories.store(of: id).messages(of: id)
        }
    }

    /// Changes the fields that are given.
    public func change(_ id: Conversation.ID, _ change: ConversationChange) async throws -> Conversation {
        try check(model: change.model)
        _ = try await conversation(id)
        var changed = try await reaching("The change was not saved") {
            try await histories.store(of: id).change(id, change)
        }
        if histories.isPrivate(id) { changed.isPrivate = true }
        return changed
    }

    /// Deletes a conversation; it can be restored until `erasedAt`, unless it is private or `now` is set.
    public func delete(_ id: Conversation.ID, now: Bool = false) async throws -> Conversation {
        _ = try await conversation(id)
        await answers.stop(in: id)
        defer { engine.forget(id) }
        return try await reaching("The conversation was not deleted") {
            if histories.isPrivate(id) { return try await histories.erasePrivate(id) }
            let deleted = try await histories.main.delete(id, now: now)
            if !now { eraseExpired(after: undo) }
            return deleted
        }
    }

    /// Brings a deleted conversation back.
    public func restore(_ id: Conversation.ID) async throws -> Conversation {
        _ = try await conversation(id)
        return try await reaching("The conversation was not restored") {
            try await histories.main.restore(id)
        }
    }

    // MARK: - Messages

    /// Sends a message (or asks for another answer) and streams what happens.
    ///
    /// Errors before the message is accepted end the stream with an `AssistantError`; after that the last event
    /// is `completed` or `failed`. A consumer that leaves stops the answer, of which what was said is kept.
    public func send(
        _ draft: MessageDraft, to id: Conversation.ID
    ) -> AsyncThrowingStream<ChatEvent, any Error> {
        let (stream, events) = AsyncThrowingStream.makeStream(of: ChatEvent.self)
        let cancellation = Cancellation()
        events.onTermination = { reason in
            if case .cancelled = reason { cancellation.cancel() }
        }
        let isRunning = answers.run(in: id, cancellation: cancellation) {
            do {
                try await self.answer(draft, in: id, cancellation: cancellation, events: events)
                events.finish()
            } catch {
                events.finish(throwing: AssistantError.wrapping(error))
            }
        }
        if !isRunning {
            events.finish(
                throwing: AssistantError(.shuttingDown, "The daemon is shutting down.", retryAfter: 2))
        }
        return stream
    }

    /// Puts a picture into a conversation: what was typed for it, and a message that shows it.
    ///
    /// It waits for an answer that is being written there. Deleting the picture leaves the messages.
    ///
    /// - Parameters:
    ///   - picture: the picture, wherever it is kept.
    ///   - prompt: what was typed, without the command.
    ///   - id: the conversation.
    ///   - edited: a message of an earlier picture's, beside which this one becomes a branch.
    /// - Returns: both messages, after COMMIT.
    /// - Throws: `notFound`, `invalidRequest`, `queueFull`, `historyUnavailable`; nothing was written then.
    public func append(
        picture: Picture, prompt: String, to id: Conversation.ID, edits edited: Message.ID? = nil
    ) async throws -> [Message] {
        await startUp.value
        let ticket = try await takeTurn(in: id, cancellation: Cancellation()) { _ in }
        guard let ticket else { throw AssistantError(.cancelled, "The picture was not committed.") }
        defer {
            turns.leave(ticket)
            resumeDraft(in: id)
        }
        let conversation = try await keptConversation(id)
        let store = histories.store(of: id)
        return try await reaching("The picture was not put into the conversation") {
            let turn = try await PictureTurn(
                picture, prompt: prompt, in: conversation, edits: edited, store: store)
            let messages = try await store.append(turn.messages)
            await ConversationTitle.give(to: conversation, from: prompt, store: store)
            return messages
        }
    }

    private func answer(
        _ draft: MessageDraft, in id: Conversation.ID, cancellation: Cancellation, events: Answer.Continuation
    ) async throws {
        await startUp.value
        let ticket = try await takeTurn(in: id, cancellation: cancellation) { ahead in
            events.yield(.queued(.init(ahead: ahead)))
        }
        guard let ticket else { return }
        defer {
            turns.leave(ticket)
            resumeDraft(in: id)
        }
        typed.remove(id)
        let answer = Answer(
            conversation: try await keptConversation(id), store: histories.store(of: id), engine: engine,
            defaultSystem: defaultSystem, mayPaint: draft.pictures ?? defaultPictures,
            cancellation: cancellation, events: events, logger: logger)
        try await answer.run(draft)
    }

    /// Waits until it is this message's turn in the conversation; `nil` when it was given up meanwhile.
    private func takeTurn(
        in id: Conversation.ID, cancellation: Cancellation, tellAhead: (Int) -> Void
    ) async throws(AssistantError) -> ConversationTurns.Ticket? {
        guard let (ticket, ahead) = turns.enter(id) else {
            throw AssistantError(
                .queueFull, "\(Self.waitingLimit) messages are waiting in this conversation already.",
                retryAfter: 5)
        }
        guard ahead > 0 else { return ticket }
        tellAhead(ahead)
        return await turns.wait(ticket, cancellation: cancellation) ? ticket : nil
    }

    // MARK: - The end

    /// Takes no more messages and waits for the running answers.
    func drain() async { await answers.drain() }

    /// Stops the running answers and waits until they have been written down as interrupted.
    func stopAll() async { await answers.stopAll() }

    /// Closes the history; what was private is gone.
    func close() async {
        erasures.cancelAll()
        await startUp.value
        do {
            try await histories.close()
        } catch {
            logger.error("the history could not be closed", metadata: ["error": "\(error)"])
        }
    }

    // MARK: - Helpers

    private func conversation(_ id: Conversation.ID) async throws -> Conversation {
        let found = try await reaching("The conversation cannot be read") {
            try await histories.store(of: id).conversation(id)
        }
        guard var found else { throw Self.notFound(id) }
        if histories.isPrivate(id) { found.isPrivate = true }
        return found
    }

    /// A conversation that can be gone on with.
    private func keptConversation(_ id: Conversation.ID) async throws -> Conversation {
        let conversation = try await conversation(id)
        guard conversation.erasedAt == nil else {
            throw AssistantError(
                .notFound, "This conversation was deleted; restore it to go on with it.", parameter: "id")
        }
        return conversation
    }

    private static func notFound(_ id: Conversation.ID) -> AssistantError {
        AssistantError(.notFound, "There is no conversation \(id).", parameter: "id")
    }

    private func check(model: String?) throws(AssistantError) {
        // An empty name takes the conversation's own model away.
        guard let model, !model.isEmpty else { return }
        _ = try engine.check(CompletionRequest(model: model, prompt: .chat([])))
    }

    /// Runs an operation of the history's, once that is tidied, and explains its errors.
    private func reaching<Value>(_ failing: String, _ work: () async throws -> Value) async throws -> Value {
        await startUp.value
        do {
            return try await work()
        } catch {
            throw AssistantError.history(error, doing: failing)
        }
    }

    /// Sleeps until a deleted conversation is due, then erases all that are.
    private func eraseExpired(after delay: Duration) {
        let (main, clock, logger) = (histories.main, clock, logger)
        erasures.run {
            guard (try? await clock.sleep(for: delay + Self.eraseSlack)) != nil else { return }
            do {
                _ = try await main.eraseExpired()
            } catch {
                logger.warning("a deleted conversation was not erased", metadata: ["error": "\(error)"])
            }
        }
    }
}
