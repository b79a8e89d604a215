public import AssistantAPI

extension Assistant {
    /// Looks at the machine, the history and the default models, measures them, and streams what is found.
    ///
    /// It takes some seconds, as models are loaded and made to work. A consumer that leaves stops it, and the work in
    /// the engine with it.
    ///
    /// - Parameter client: Who asks.
    /// - Returns: A stream whose errors are `AssistantError`s; the last event is `completed`.
    public func examine(client: String = "") -> AsyncThrowingStream<DoctorEvent, any Error> {
        let (stream, events) = AsyncThrowingStream.makeStream(of: DoctorEvent.self)
        let examination = Examination(
            assistant: self, history: history, machine: machine, models: newModels, client: client)
        let task = Task {
            var completed = DoctorEvent.Completed(failures: 0, warnings: 0)
            do {
                try await examination.run { finding in
                    if finding.grade == .fail { completed.failures += 1 }
                    if finding.grade == .warn { completed.warnings += 1 }
                    events.yield(.finding(finding))
                }
                events.yield(.completed(completed))
                events.finish()
            } catch {
                let isOver = Task.isCancelled
                events.finish(
                    throwing: isOver
                        ? AssistantError(.cancelled, "The request was cancelled.")
                        : AssistantError.wrapping(error))
            }
        }
        events.onTermination = { reason in
            if case .cancelled = reason { task.cancel() }
        }
        return stream
    }
}
