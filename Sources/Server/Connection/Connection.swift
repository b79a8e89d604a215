import Synchronization

/// One client's connection, as its requests see it: it tells when the client has gone.
final class Connection: Sendable {
    /// The connection whose request is being answered.
    @TaskLocal static var current: Connection?

    private struct State {
        var client = ""
        var hasClosed = false
        var actions: [Int: @Sendable () -> Void] = [:]
        var nextID = 0
    }

    private let state = Mutex(State())

    /// Names the process at the other end; empty until the kernel has said which it is.
    var client: String {
        get { state.withLock { $0.client } }
        set { state.withLock { $0.client = newValue } }
    }

    /// Called by the channel's handlers once the client has closed its side or the channel is gone.
    func clientLeft() {
        let actions = state.withLock { state in
            state.hasClosed = true
            defer { state.actions = [:] }
            return state.actions.values.map { $0 }
        }
        for action in actions { action() }
    }

    /// Runs `action` when the client leaves, at once if it has left already; forget it with `forget(_:)`.
    func whenClientLeaves(_ action: @escaping @Sendable () -> Void) -> Int {
        let id: Int? = state.withLock { state in
            guard !state.hasClosed else { return nil }
            state.nextID += 1
            state.actions[state.nextID] = action
            return state.nextID
        }
        guard let id else {
            action()
            return 0
        }
        return id
    }

    func forget(_ id: Int) {
        state.withLock { _ = $0.actions.removeValue(forKey: id) }
    }

    /// Runs `operation` as long as the client is there; its leaving cancels it.
    static func whileConnected<Value: Sendable>(
        _ connection: Connection?, _ operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let task = Task { try await operation() }
        let id = connection?.whenClientLeaves { task.cancel() }
        defer { if let id { connection?.forget(id) } }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}
