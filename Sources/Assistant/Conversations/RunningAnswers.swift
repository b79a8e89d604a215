import AssistantAPI
import Synchronization

/// The answers that are being made now, so that they can be stopped and waited for.
final class RunningAnswers: Sendable {
    private struct Answer {
        var conversation: Conversation.ID
        var cancellation: Cancellation
        var task: Task<Void, Never>
    }

    private struct State {
        var answers: [UInt64: Answer] = [:]
        var last: UInt64 = 0
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Runs the work in a task of its own that outlives the caller; false once closed.
    func run(
        in conversation: Conversation.ID, cancellation: Cancellation,
        _ work: @escaping @Sendable () async -> Void
    ) -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            state.last += 1
            let number = state.last
            let task = Task {
                await work()
                self.state.withLock { _ = $0.answers.removeValue(forKey: number) }
            }
            state.answers[number] = Answer(conversation: conversation, cancellation: cancellation, task: task)
            return true
        }
    }

    /// Stops what runs in one conversation and waits until it has been written down.
    func stop(in conversation: Conversation.ID) async {
        await stop(.cancelled) { $0.conversation == conversation }
    }

    /// Takes no more answers and waits for the running ones.
    func drain() async {
        state.withLock { $0.isClosed = true }
        await wait { _ in true }
    }

    /// Stops all of them and waits until they have been written down.
    func stopAll() async {
        state.withLock { $0.isClosed = true }
        await stop(.interrupted) { _ in true }
    }

    private func stop(_ reason: FinishReason, where matches: @Sendable (Answer) -> Bool) async {
        let answers = state.withLock { $0.answers.values.filter(matches) }
        for answer in answers { answer.cancellation.cancel(reason) }
        await wait(where: matches)
    }

    private func wait(where matches: @Sendable (Answer) -> Bool) async {
        let tasks = state.withLock { $0.answers.values.filter(matches).map(\.task) }
        for task in tasks { await task.value }
    }
}
