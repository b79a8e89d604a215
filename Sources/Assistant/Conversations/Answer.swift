import AssistantAPI
import FoundationEssentials
import History
import Logging

/// One message on its way through a conversation: written down, answered, and the answer written down.
///
/// The user's message is acknowledged after it is safe in the history, and a failure to write it is an error
/// before any work is done. A failure to write the answer is told by a notice (`not_saved`), and the answer goes
/// on; at its end it is tried once more.
struct Answer: Sendable {
    /// How often a long answer is written down while it is being made, in case the daemon is killed.
    private static let savePeriod = Duration.seconds(3)

    typealias Continuation = AsyncThrowingStream<ChatEvent, any Error>.Continuation

    let conversation: Conversation
    let store: HistoryStore
    let engine: AnswerEngine
    let defaultSystem: String?
    /// Whether the answer may be a picture.
    let mayPaint: Bool
    let cancellation: Cancellation
    let events: Continuation
    let logger: Logger

    /// Answers a draft; errors before the message is accepted are thrown, later ones are events.
    func run(_ draft: MessageDraft) async throws {
        let plan = try await AnswerPlan(draft, in: conversation, store: store)
        var request = CompletionRequest(
            model: draft.model ?? conversation.model, prompt: .chat([]), settings: draft.settings ?? .init(),
            keepAlive: draft.keepAlive, toolUse: mayPaint ? ImagineTool.use : nil)
        let model = try engine.check(request)
        if cancellation.isCancelled { return }
        let question = plan.isNew ? try await save(plan.question) : plan.question
        var answer = Message(
            id: HistoryStore.makeID(), conversation: conversation.id, parent: question.id, role: .assistant,
            content: "", createdAt: Date(), model: model)
        events.yield(.accepted(.init(message: plan.isNew ? question : nil, answer: answer.id, model: model)))
        request.prompt = .chat(try await prompt(endingAt: question))
        await make(&answer, request)
    }

    // MARK: - Before

    private func save(_ message: Message) async throws -> Message {
        do {
            return try await store.append(message)
        } catch {
            throw AssistantError.history(error, doing: "Your message was not saved, and so not sent")
        }
    }

    /// The branch that ends at the question, as the model is to see it.
    private func prompt(endingAt question: Message) async throws -> [ChatMessage] {
        conversation.prompt(
            of: try await store.branch(endingAt: question.id), defaultSystem: defaultSystem,
            mayPaint: mayPaint)
    }

    // MARK: - Answering

    private func make(_ answer: inout Message, _ request: CompletionRequest) async {
        let running: AnswerEngine.Running
        do throws(AssistantError) {
            running = try engine.start(request, conversation.id)
        } catch {
            return await fail(&answer, error, isWritten: false)
        }
        cancellation.onCancel(running.cancel)
        // The engine is at work already while the (still empty) answer gets its row.
        let isWritten = await begin(answer)
        await ConversationTitle.give(to: conversation, from: request.questions.first ?? "", store: store)
        do {
            var summary: CompletionSummary?
            /// The arguments of a call for a picture.
            var call: String?
            var lastSave = ContinuousClock.now
            for try await event in running.events {
                switch event {
                case .token(let piece):
                    answer.content += piece.text
                    for part in piece.calls ?? [] { call = (call ?? "") + part.arguments }
                case .completed(let value): summary = value
                default: break
                }
                if let event = event.chatEvent { events.yield(event) }
                if isWritten, ContinuousClock.now - lastSave >= Self.savePeriod {
                    try? await store.save(answer.content, of: answer.id)
                    lastSave = .now
                }
            }
            guard let summary else {
                throw AssistantError(.internalError, "The answer ended without a reason.")
            }
            var painted: PaintedAnswer?
            if let call, summary.finish != .cancelled {
                let prompt = ImagineTool.prompt(of: call, in: request)
                answer.content = Message.picturePrefix + prompt
                painted = try await paint(prompt)
                answer.picture = painted?.picture
            }
            await complete(&answer, summary, painted, isWritten: isWritten)
        } catch {
            await fail(&answer, AssistantError.wrapping(error), isWritten: isWritten)
        }
    }

    private func begin(_ answer: Message) async -> Bool {
        do {
            _ = try await store.append(answer)
            return true
        } catch {
            warnNotSaved(error)
            return false
        }
    }

    private func complete(
        _ answer: inout Message, _ summary: CompletionSummary, _ painted: PaintedAnswer?, isWritten: Bool
    ) async {
        let finish = painted?.finish ?? summary.finish
        answer.finish = finish == .cancelled ? cancellation.reason ?? .cancelled : finish
        answer.usage = summary.usage
        await write(&answer, isWritten: isWritten)
        events.yield(
            .completed(
                .init(message: answer, timings: summary.timings, pictureTimings: painted?.timings)))
    }

    private func fail(_ answer: inout Message, _ error: AssistantError, isWritten: Bool) async {
        answer.finish = .failed
        answer.error = error.message
        await write(&answer, isWritten: isWritten)
        events.yield(.failed(.init(error: error, message: answer)))
    }

    // MARK: - After

    private func write(_ answer: inout Message, isWritten: Bool) async {
        do {
            // One that is appended with its reason is finished already.
            answer =
                isWritten
                ? try await store.finish(
                    answer.id, content: answer.content, finish: answer.finish ?? .stop, error: answer.error,
                    model: answer.model, usage: answer.usage, picture: answer.picture)
                : try await store.append(answer)
        } catch {
            warnNotSaved(error)
        }
    }

    private func warnNotSaved(_ error: any Error) {
        logger.warning("an answer was not saved", metadata: ["error": "\(error)"])
        let reason = AssistantError.history(error, doing: "This answer is not saved").message
        events.yield(.notice(Notice(code: "not_saved", message: reason)))
    }
}

extension CompletionEvent {
    /// The same as an event of a conversation, where one exists.
    fileprivate var chatEvent: ChatEvent? {
        switch self {
        case .queued(let ahead): .queued(.init(ahead: ahead))
        case .loading(let fraction): .loading(.init(fraction: fraction))
        case .prefill(let progress): .prefill(progress)
        case .notice(let notice): .notice(notice)
        case .token(let piece): piece.text.isEmpty ? nil : .token(.init(text: piece.text))
        case .started, .echo, .completed: nil
        }
    }
}

extension AssistantError {
    /// An error of the history's; one of the disk's with what did not happen because of it.
    static func history(_ error: any Error, doing what: String) -> AssistantError {
        guard let error = error as? HistoryError else { return wrapping(error) }
        var wrapped = AssistantError(error)
        if wrapped.code == .historyUnavailable {
            wrapped.message = "\(what): \(error). A private conversation works without the history."
        }
        return wrapped
    }

    /// Any error as one of the assistant's.
    static func wrapping(_ error: any Error) -> AssistantError {
        switch error {
        case let error as AssistantError: error
        case let error as HistoryError: AssistantError(error)
        default: AssistantError(.internalError, "Something went wrong: \(error)")
        }
    }
}
