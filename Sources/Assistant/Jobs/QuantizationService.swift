public import AssistantAPI
import Glibc
import Quantization
import Settings
import Synchronization
import Tensors

/// Makes quantised copies of chat models, one after the other.
///
/// The work is done on threads of its own, beside the engine and of the lowest priority: it has what processors the
/// engine leaves, all of them while nobody asks for anything, and answers don't wait for it.
public final class QuantizationService: Sendable {
    /// How many requests may wait or be worked on.
    private static let limit = 4
    /// Of 19: behind everything else of this machine.
    private static let niceness = 19

    private let catalog: ModelCatalog
    private let models: String
    private let workshop: Workshop
    private let running = RunningAnswers()
    private let count = Mutex(0)

    /// - Parameters:
    ///   - catalog: Where names are looked up.
    ///   - models: The folder of new models.
    ///   - threads: That compute; 0 is as many as the process may use.
    init(catalog: ModelCatalog, models: String, threads: Int) {
        self.catalog = catalog
        self.models = models
        workshop = Workshop(threads: threads, niceness: Self.niceness)
    }

    /// Quantises a model and streams what happens; the last event is `completed`.
    ///
    /// A consumer that leaves stops the work within 50 ms, and nothing is left behind.
    ///
    /// - Parameters:
    ///   - request: What is asked.
    ///   - client: Who asks.
    /// - Returns: A stream whose errors are `AssistantError`s.
    public func quantize(
        _ request: QuantizeRequest, client: String = ""
    ) -> AsyncThrowingStream<QuantizeEvent, any Error> {
        let (stream, events) = AsyncThrowingStream.makeStream(of: QuantizeEvent.self)
        let cancellation = Cancellation()
        events.onTermination = { reason in
            if case .cancelled = reason { cancellation.cancel() }
        }
        do throws(AssistantError) {
            let job = try QuantizationJob(request, catalog: catalog, models: models)
            let ahead = try enter()
            let isRunning = running.run(in: client, cancellation: cancellation) { [self] in
                defer { leave() }
                if ahead > 0 { events.yield(.queued(.init(ahead: ahead))) }
                do {
                    try await workshop.run(job, cancellation) { events.yield($0) }
                    events.finish()
                } catch {
                    events.finish(throwing: AssistantError.wrapping(error))
                }
            }
            if !isRunning {
                leave()
                throw AssistantError(.shuttingDown, "The daemon is shutting down.", retryAfter: 2)
            }
        } catch {
            events.finish(throwing: error)
        }
        return stream
    }

    /// - Returns: How many are before this one.
    private func enter() throws(AssistantError) -> Int {
        let ahead = count.withLock { count -> Int? in
            guard count < Self.limit else { return nil }
            count += 1
            return count - 1
        }
        if let ahead { return ahead }
        throw AssistantError(
            .queueFull, "\(Self.limit) models are being quantised or wait for it; try again later.",
            retryAfter: 60)
    }

    private func leave() { count.withLock { $0 -= 1 } }

    /// Stops what runs and waits until it has ended.
    func stopAll() async { await running.stopAll() }
}

/// The thread on which models are quantised.
private actor Workshop {
    private let thread: EngineThread
    private let threads: Int

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    init(threads: Int, niceness: Int) {
        thread = EngineThread(niceness: niceness)
        self.threads = threads > 0 ? threads : MachineLimits.threadCount()
    }

    deinit { thread.stop() }

    func run(
        _ job: QuantizationJob, _ cancellation: Cancellation, _ send: (QuantizeEvent) -> Void
    ) throws(AssistantError) {
        // The pool's threads inherit this one's niceness, and end with the job.
        try job.run(on: WorkerPool(threadCount: threads), cancellation, send)
    }
}
