import AssistantAPI
import FoundationEssentials
import History
import Logging
import Synchronization

@testable import Assistant

/// An engine whose answers a test plays by hand, event by event.
final class ScriptedEngine: Sendable {
    /// One completion that was asked for.
    final class Call: Sendable {
        let request: CompletionRequest
        let conversation: Conversation.ID
        let events: AsyncThrowingStream<CompletionEvent, any Error>.Continuation
        private let stopped = Atomic(false)

        init(
            _ request: CompletionRequest, _ conversation: Conversation.ID,
            _ events: AsyncThrowingStream<CompletionEvent, any Error>.Continuation
        ) {
            self.request = request
            self.conversation = conversation
            self.events = events
        }

        var isStopped: Bool { stopped.load(ordering: .relaxed) }

        var messages: [ChatMessage] {
            if case .chat(let messages) = request.prompt { messages } else { [] }
        }

        func say(_ text: String) {
            events.yield(.token(TokenPiece(id: 1, text: text, bytes: Array(text.utf8))))
        }

        /// Calls a function, in the pieces that a parser of calls makes.
        func call(_ name: String, _ arguments: String...) {
            for (index, part) in arguments.enumerated() {
                var piece = TokenPiece(id: 1, text: "", bytes: [])
                piece.calls = [ToolCallPiece(index: 0, name: index == 0 ? name : nil, arguments: part)]
                events.yield(.token(piece))
            }
        }

        func finish(_ reason: FinishReason = .stop) {
            let usage = Usage(promptTokens: 3, cachedTokens: 1, completionTokens: 2)
            let timings = Timings(queued: 0, loading: 0, prefill: 1, decode: 2, firstToken: 1)
            events.yield(.completed(CompletionSummary(finish: reason, usage: usage, timings: timings)))
            events.finish()
        }

        fileprivate func stop() {
            if !stopped.exchange(true, ordering: .relaxed) { finish(.cancelled) }
        }
    }

    /// One picture that was asked for.
    struct Painting: Sendable {
        let request: PictureRequest
        let conversation: Conversation.ID
        let events: AsyncThrowingStream<PictureEvent, any Error>.Continuation
    }

    private let paintings: AsyncStream<Painting>
    private let newPaintings: AsyncStream<Painting>.Continuation
    private let calls: AsyncStream<Call>
    private let newCalls: AsyncStream<Call>.Continuation
    private let refusal = Mutex<AssistantError?>(nil)
    let forgotten = Mutex<[Conversation.ID]>([])

    /// What was to be evaluated ahead.
    let expected = Mutex<[(request: CompletionRequest, conversation: Conversation.ID)]>([])
    private let drafts: AsyncStream<Void>
    private let newDrafts: AsyncStream<Void>.Continuation

    init() {
        (calls, newCalls) = AsyncStream.makeStream()
        (paintings, newPaintings) = AsyncStream.makeStream()
        (drafts, newDrafts) = AsyncStream.makeStream()
    }

    /// Waits for the next chat that is to be evaluated ahead.
    func nextDraft() async -> [ChatMessage]? {
        var iterator = drafts.makeAsyncIterator()
        guard await iterator.next() != nil,
            case .chat(let messages) = expected.withLock({ $0.last?.request.prompt })
        else { return nil }
        return messages
    }

    /// Refuses what is asked from now on.
    func refuse(_ error: AssistantError?) { refusal.withLock { $0 = error } }

    /// Waits for the next completion that is asked for.
    func next() async -> Call? {
        var iterator = calls.makeAsyncIterator()
        return await iterator.next()
    }

    /// Waits for the next picture that is asked for.
    func nextPainting() async -> Painting? {
        var iterator = paintings.makeAsyncIterator()
        return await iterator.next()
    }

    /// Conversations that are answered here.
    func conversations(_ history: HistoryStore, system: String? = nil) -> ConversationService {
        ConversationService(
            history: history, engine: answerEngine, defaultSystem: system, undo: .seconds(600),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    var answerEngine: AnswerEngine {
        AnswerEngine(
            check: { request throws(AssistantError) in
                if let error = self.refusal.withLock({ $0 }) { throw error }
                return request.model ?? "default"
            },
            start: { request, conversation throws(AssistantError) in
                let (stream, events) = AsyncThrowingStream.makeStream(of: CompletionEvent.self)
                let call = Call(request, conversation, events)
                self.newCalls.yield(call)
                return AnswerEngine.Running(events: stream) { call.stop() }
            },
            paint: { request, conversation in
                let (stream, events) = AsyncThrowingStream.makeStream(of: PictureEvent.self)
                self.newPaintings.yield(
                    Painting(request: request, conversation: conversation, events: events))
                return stream
            },
            expect: { request, conversation throws(AssistantError) in
                self.expected.withLock { $0.append((request, conversation)) }
                self.newDrafts.yield(())
            },
            forget: { id in self.forgotten.withLock { $0.append(id) } })
    }
}

extension Picture {
    /// A picture's record; there is no file.
    static func small(_ id: Picture.ID, of prompt: String = "a fox") -> Picture {
        let recipe = Recipe(
            model: "scenes", prompt: prompt, width: 128, height: 128, steps: 4, seed: 0, scheduler: "lcm",
            guidanceScale: 1, decoder: "tiny")
        return Picture(
            id: id, format: .png, width: 128, height: 128, bytes: 3,
            sha256: String(repeating: "0", count: 64), recipe: recipe, createdAt: Date())
    }
}
