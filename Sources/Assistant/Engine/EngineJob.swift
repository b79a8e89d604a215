import AssistantAPI
import Synchronization

/// A request on its way through the engine, as the front door sees it.
protocol EngineJob: AnyObject, Sendable {
    /// The queue that the job stands in.
    var queue: any WritableKeyPath<EngineGate.State, EngineQueue<Self>> & Sendable { get }

    var ticket: EngineTicket { get }
    /// Tells how many are before this one.
    func sendQueued(ahead: Int)
    /// Ends a job that was cancelled before anything was done for it.
    func finishUntouched()
}

extension EngineJob {
    var id: UInt64 { ticket.id }
    var lane: String { ticket.lane }
    var model: ModelFile { ticket.model }
    var keepAlive: KeepAlive? { ticket.keepAlive }
    var arrival: ContinuousClock.Instant { ticket.arrival }
    var isCancelled: Bool { ticket.isCancelled }

    /// Asks the engine to stop; it does so at the next checkpoint.
    func cancel() { ticket.cancel() }

    /// Tells how many are before this one, if that changed since it was last told.
    func tell(ahead: Int) {
        if ticket.isNews(ahead: ahead), ahead > 0 { sendQueued(ahead: ahead) }
    }
}

/// What is common to all requests on their way.
final class EngineTicket: Sendable {
    let id: UInt64
    /// Requests of one lane are served in order; lanes take turns.
    let lane: String
    let model: ModelFile
    /// How long its model is to stay afterwards; `nil` is the configuration's.
    let keepAlive: KeepAlive?
    let arrival = ContinuousClock.now
    private let cancelled = Atomic(false)
    private let lastAhead = Atomic(0)

    init(id: UInt64, lane: String, model: ModelFile, keepAlive: KeepAlive? = nil) {
        self.keepAlive = keepAlive
        self.id = id
        self.lane = lane
        self.model = model
    }

    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    func cancel() { cancelled.store(true, ordering: .relaxed) }

    fileprivate func isNews(ahead: Int) -> Bool {
        lastAhead.exchange(ahead, ordering: .relaxed) != ahead
    }
}

/// Those that wait for one kind of work, and those that are being served.
struct EngineQueue<Job: EngineJob> {
    private(set) var line: WaitingLine<Job>
    private(set) var running: [UInt64: Job] = [:]
    /// How many are served at the same time.
    let runningLimit: Int
    /// How long a request took lately, in seconds: a moving average.
    private var typicalSeconds: Double

    init(depth: Int, runningLimit: Int, typicalSeconds: Double) {
        line = WaitingLine(depth: max(1, depth))
        self.runningLimit = runningLimit
        self.typicalSeconds = typicalSeconds
    }

    /// Puts a job at the end of its lane; false when the line is full.
    mutating func append(_ job: Job) -> Bool { line.append(job, id: job.id, lane: job.lane) }

    /// The next job to serve, which counts as running from now on.
    ///
    /// Only one for `model` is handed out, unless nothing runs.
    mutating func next(for model: ModelFile?) -> Job? {
        guard running.count < runningLimit, let first = line.first,
            running.isEmpty || first.model == model, let job = line.removeFirst()
        else { return nil }
        running[job.id] = job
        return job
    }

    /// Takes a job out of the line wherever it stands, which counts as running from now on.
    mutating func begin(_ job: Job) -> Job? {
        guard running.count < runningLimit, let job = line.remove(id: job.id) else { return nil }
        running[job.id] = job
        return job
    }

    /// Ends a running job's place; false when it had none.
    mutating func end(_ job: Job) -> Bool {
        guard running.removeValue(forKey: job.id) != nil else { return false }
        let seconds = (ContinuousClock.now - job.arrival).milliseconds / 1000
        typicalSeconds += (seconds - typicalSeconds) / 8
        return true
    }

    mutating func remove(_ job: Job) -> Job? { line.remove(id: job.id) }

    mutating func removeAll() -> [Job] { line.removeAll() }

    var full: AssistantError {
        let rounds = (line.count + running.count) / runningLimit + 1
        let seconds = Int((typicalSeconds * Double(rounds)).rounded(.up))
        return AssistantError(
            .queueFull, "\(line.count) requests are waiting already, which is all that the queue takes.",
            retryAfter: min(60, max(1, seconds)))
    }

    /// Tells those that wait how many are before them.
    func tellPlaces(resident: ModelFile?) {
        let free = runningLimit - running.count
        for (place, job) in line.inOrder.enumerated() {
            let isNext = place < free && (running.isEmpty || job.model == resident)
            job.tell(ahead: isNext && place == 0 ? 0 : place + running.count)
        }
    }
}
