import AssistantAPI
import Synchronization

/// A wish to stop that any thread may utter once; what it stops registers itself.
///
/// Unlike a task's cancellation it leaves the work free to write down how far it came.
final class Cancellation: Sendable {
    private struct State {
        var reason: FinishReason?
        var handlers: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    /// Why the work was stopped; `nil` while it may go on.
    var reason: FinishReason? { state.withLock { $0.reason } }
    var isCancelled: Bool { reason != nil }

    /// Stops the work; only the first reason counts.
    func cancel(_ reason: FinishReason = .cancelled) {
        let handlers = state.withLock { state -> [@Sendable () -> Void] in
            defer { state = State(reason: state.reason ?? reason) }
            return state.handlers
        }
        for handler in handlers { handler() }
    }

    /// Calls the handler when the wish is uttered: at once if it was already.
    func onCancel(_ handler: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            if state.reason == nil { state.handlers.append(handler) }
            return state.reason != nil
        }
        if isLate { handler() }
    }
}
