import Assistant
import AssistantAPI
import FoundationEssentials
import Synchronization

/// What A1111's API keeps between requests: the chosen model, and the pictures that are being made.
final class Automatic1111Work: Sendable {
    /// Pictures on their way, as `GET /sdapi/v1/progress` tells of them.
    private struct Job: Sendable {
        let count: Int
        let start = ContinuousClock.now
        var index = 0
        var step = 0
        var steps = 0
        var image: Data?
        var isInterrupted = false
        var stop: @Sendable () -> Void = {}

        init(count: Int) { self.count = count }

        /// From 0 to 1.
        var share: Double {
            (Double(index) + (steps > 0 ? Double(step) / Double(steps) : 0)) / Double(count)
        }

        mutating func note(_ event: PictureEvent) {
            switch event {
            case .started(let started): (index, step, steps) = (started.index, 0, started.recipe.steps)
            case .progress(let progress) where progress.stage == .denoise:
                (step, steps) = (progress.done, progress.total)
            case .partial(let partial): image = partial.data
            default: break
            }
        }
    }

    /// What came of a call.
    struct Outcome: Sendable {
        var pictures: [PictureEvent.Finished] = []
        /// `nil` where the work was stopped.
        var timings: PictureTimings?
    }

    private struct State {
        var checkpoint: String?
        var jobs: [Int: Job] = [:]
        var lastID = 0
    }

    private let state = Mutex(State())

    /// The model that was chosen for all requests; `nil` is the default one.
    var checkpoint: String? {
        get { state.withLock { $0.checkpoint } }
        set { state.withLock { $0.checkpoint = newValue } }
    }

    /// Ends all pictures on their way; those that are finished are answered.
    func interrupt() {
        let stops = state.withLock { state in
            for id in state.jobs.keys { state.jobs[id]?.isInterrupted = true }
            return state.jobs.values.map(\.stop)
        }
        for stop in stops { stop() }
    }

    /// Makes the pictures of a call.
    ///
    /// - Parameters:
    ///   - call: What is asked.
    ///   - pictures: What makes them.
    ///   - client: Who asks.
    /// - Returns: Those that were finished: all, unless somebody interrupted; and what they took.
    /// - Throws: What the stream of pictures throws; `CancellationError` when the client left.
    func make(
        _ call: Automatic1111Call, by pictures: PictureService, client: String
    ) async throws -> Outcome {
        let id = state.withLock { state in
            state.lastID += 1
            state.jobs[state.lastID] = Job(count: call.request.count ?? 1)
            return state.lastID
        }
        defer { state.withLock { _ = $0.jobs.removeValue(forKey: id) } }
        let task = Task { try await self.collect(call, by: pictures, client: client, as: id) }
        let isOver = state.withLock { state in
            state.jobs[id]?.stop = { task.cancel() }
            return state.jobs[id]?.isInterrupted ?? false
        }
        if isOver { task.cancel() }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func collect(
        _ call: Automatic1111Call, by pictures: PictureService, client: String, as id: Int
    ) async throws -> Outcome {
        var outcome = Outcome()
        for try await event in pictures.make(call.request, client: client, partialSize: .full) {
            state.withLock { $0.jobs[id]?.note(event) }
            if case .picture(let picture) = event { outcome.pictures.append(picture) }
            guard case .completed(let completed) = event else { continue }
            outcome.timings = completed.timings
            if completed.finish == .stop { return outcome }
        }
        guard state.withLock({ $0.jobs[id]?.isInterrupted ?? false }) else { throw CancellationError() }
        return outcome
    }

    /// How far the oldest pictures on their way are.
    ///
    /// - Parameter withImage: Whether the picture is told as it is now.
    /// - Returns: The answer of `GET /sdapi/v1/progress`.
    func progress(withImage: Bool) -> JSON {
        let job = state.withLock { state in state.jobs.min { $0.key < $1.key }?.value }
        let share = job.map(\.share) ?? 0
        let elapsed = job.map { (ContinuousClock.now - $0.start) / .seconds(1) } ?? 0
        return [
            "progress": JSON(share), "eta_relative": JSON(share > 0 ? elapsed * (1 - share) / share : 0),
            "state": [
                "skipped": false, "interrupted": .bool(job?.isInterrupted ?? false),
                "job": job == nil ? "" : "painting", "job_count": JSON(job?.count ?? 0),
                "job_no": JSON(job?.index ?? 0), "sampling_step": JSON(job?.step ?? 0),
                "sampling_steps": JSON(job?.steps ?? 0),
            ],
            "current_image": JSON(withImage ? job?.image?.base64EncodedString() : nil), "textinfo": nil,
        ]
    }
}
