/// Sends values one after the other, each time the newest there is: what came while one was under way replaces what waits.
final class NewestSender<Value: Sendable>: Sendable {
    private let newest: AsyncStream<Value>.Continuation
    private let task: Task<Void, Never>

    init(priority: TaskPriority? = nil, _ send: @escaping @Sendable (Value) async -> Void) {
        let (values, newest) = AsyncStream.makeStream(of: Value.self, bufferingPolicy: .bufferingNewest(1))
        self.newest = newest
        task = Task(priority: priority) {
            for await value in values { await send(value) }
        }
    }

    /// Hands over a value; never waits.
    func send(_ value: Value) { newest.yield(value) }

    deinit {
        newest.finish()
        task.cancel()
    }
}
