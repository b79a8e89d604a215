import CKernels
import Glibc
import Synchronization

/// Threads kept ready between operators: they spin briefly for the next one, then park, so that idling uses no CPU.
///
/// Work comes in parts, a partition that does not depend on the number of threads; the caller takes part itself. Parts
/// are handed out in order to whichever thread is free, so a thread that the system holds up delays only its own part.
public final class WorkerPool: Sendable {
    /// The number of threads that work, the caller's included.
    public let threadCount: Int
    private let board = Board()
    private let threads: [pthread_t]

    /// A pool of `threadCount` threads: the caller of `run` and `threadCount - 1` own ones.
    public init(threadCount: Int) {
        var threads: [pthread_t] = []
        for index in 1..<max(threadCount, 1) {
            var thread = pthread_t()
            let context = Unmanaged.passRetained(Worker(board: board, thread: index))
            let status = pthread_create(&thread, nil, { Board.work($0) }, context.toOpaque())
            guard status == 0 else {
                context.release()
                break  // fewer threads only make it slower
            }
            threads.append(thread)
        }
        self.threads = threads
        self.threadCount = threads.count + 1
    }

    deinit {
        board.stop()
        for thread in threads { pthread_join(thread, nil) }
    }

    /// Runs `body(0)`, ..., `body(parts - 1)`, several at once, and returns when all have ended.
    ///
    /// Callable from any thread, but only one at a time, and not from within `body`.
    public func run(parts: Int, _ body: (Int) -> Void) {
        do throws(Interrupted) {
            try run(parts: parts, checkpoint: nil) { part, _ in body(part) }
        } catch {
            preconditionFailure("interrupted without a checkpoint")
        }
    }

    /// Like `run(parts:_:)`, calling `checkpoint` on the calling thread between parts.
    ///
    /// When it throws, no further part begins, and those that had begun have ended when the error leaves. It may itself
    /// run more urgent work on this pool: what is left of the parts goes on afterwards.
    public func run(parts: Int, checkpoint: InterruptionCheck, _ body: (Int) -> Void) throws(Interrupted) {
        try run(parts: parts, checkpoint: checkpoint) { part, _ in body(part) }
    }

    /// Like `run(parts:checkpoint:_:)`, telling each part which thread runs it, from 0 to `threadCount - 1`.
    ///
    /// This is for memory that every thread has its own of: what a part computes must not depend on it.
    public func run(parts: Int, checkpoint: InterruptionCheck, _ body: (Int, Int) -> Void) throws(Interrupted)
    {
        try withoutActuallyEscaping(checkpoint) { (check) throws(Interrupted) in
            try run(parts: parts, checkpoint: .some(check), body)
        }
    }

    /// Lets the job in progress rest while `body` runs more urgent work on this pool, from within a checkpoint.
    ///
    /// Without it the threads take up the resting job between any two runs of the urgent work, which then waits for the
    /// part that each has begun.
    public func pausing<Result>(_ body: () throws -> Result) rethrows -> Result {
        let outer = board.suspend()
        board.resume(nil)
        defer { board.resume(outer) }
        return try body()
    }

    private func run(parts: Int, checkpoint: InterruptionCheck?, _ body: (Int, Int) -> Void)
        throws(Interrupted)
    {
        guard parts > 1, !threads.isEmpty else {
            for part in 0..<max(parts, 0) {
                if part > 0 { try checkpoint?() }
                body(part, 0)
            }
            return
        }
        precondition(parts <= Board.maximumParts, "too many parts")
        var failure: Interrupted?
        let outer = board.suspend()
        defer { board.resume(outer) }
        withoutActuallyEscaping(body) { body in
            var job = Job(body: body)
            Swift.withUnsafeMutablePointer(to: &job) { job in
                board.post(job, parts: parts)
                do throws(Interrupted) {
                    while let part = board.claim() {
                        job.pointee.run(part, on: 0)
                        board.finish(1)
                        try checkpoint?()
                    }
                } catch {
                    failure = error
                    board.abandon()
                }
                board.wait(for: parts)
            }
        }
        if let failure { throw failure }
    }
}

/// What the parts of one `run` call.
private struct Job {
    let body: (Int, Int) -> Void

    @inline(never)
    func run(_ part: Int, on thread: Int) { body(part, thread) }
}

/// What a thread of the pool is begun with.
private final class Worker: Sendable {
    let board: Board
    /// Which of the pool's threads it is; 0 is the caller of `run`.
    let thread: Int

    init(board: Board, thread: Int) {
        self.board = board
        self.thread = thread
    }
}

/// Where the caller posts a job and the threads find its parts.
///
/// One word holds the job's number, its count of parts and the next part, so that a part is claimed by one
/// compare-and-exchange, which fails when the job it was read from is over.
private final class Board: Sendable {
    static let maximumParts = 1 << 20 - 1

    private let ticket = Atomic<UInt64>(0)  // number << 40 | parts << 20 | next
    private let job = Atomic<UInt>(0)  // address of the job in progress, or 0
    private let finished = Atomic<Int>(0)
    private let parked = Atomic<Int>(0)
    private let waker = Atomic<Int32>(-1)  // processor of the thread that woke the parked ones last
    private let stopped = Atomic<Bool>(false)
    nonisolated(unsafe) private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    nonisolated(unsafe) private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    // MARK: The caller's side

    func post(_ job: UnsafeMutablePointer<Job>, parts: Int) {
        post(UInt(bitPattern: job), next: 0, parts: parts)
    }

    private func post(_ job: UInt, next: Int, parts: Int) {
        self.job.store(job, ordering: .relaxed)
        finished.store(next, ordering: .relaxed)
        let number = (ticket.load(ordering: .relaxed) >> 40) &+ 1
        let fresh = number << 40 | UInt64(parts) << 20 | UInt64(next)
        ticket.store(fresh, ordering: .sequentiallyConsistent)
        if parked.load(ordering: .sequentiallyConsistent) > 0 { wake() }
    }

    /// The next part of the current job; nil when all are taken.
    func claim() -> Int? {
        var seen = ticket.load(ordering: .acquiring)
        while true {
            let next = seen & 0xFFFFF
            guard next < (seen >> 20) & 0xFFFFF else { return nil }
            let (done, now) = ticket.weakCompareExchange(
                expected: seen, desired: seen + 1, ordering: .acquiringAndReleasing)
            if done { return Int(next) }
            seen = now
        }
    }

    func finish(_ count: Int) { finished.add(count, ordering: .releasing) }

    /// Takes all parts that nobody claimed and counts them as finished.
    func abandon() { finish(takeRest().count) }

    /// Takes all parts that nobody claimed.
    private func takeRest() -> Range<Int> {
        var seen = ticket.load(ordering: .acquiring)
        while true {
            let (parts, next) = ((seen >> 20) & 0xFFFFF, seen & 0xFFFFF)
            guard next < parts else { return Int(parts)..<Int(parts) }
            let (done, now) = ticket.weakCompareExchange(
                expected: seen, desired: seen - next + parts, ordering: .acquiringAndReleasing)
            if done { return Int(next)..<Int(parts) }
            seen = now
        }
    }

    /// A job whose caller began another one in its checkpoint.
    struct Suspended {
        fileprivate let job: UInt
        fileprivate let rest: Range<Int>
    }

    /// Takes what is left of the job in progress and waits for the parts that run; nil when there is no job.
    func suspend() -> Suspended? {
        let job = job.load(ordering: .relaxed)
        guard job != 0 else { return nil }
        let rest = takeRest()
        wait(for: rest.lowerBound)
        return Suspended(job: job, rest: rest)
    }

    /// Goes on with the job that `suspend` gave, or with none.
    func resume(_ suspended: Suspended?) {
        if let suspended {
            post(suspended.job, next: suspended.rest.lowerBound, parts: suspended.rest.upperBound)
        } else {
            job.store(0, ordering: .relaxed)
        }
    }

    func wait(for parts: Int) {
        var spins = 0
        while finished.load(ordering: .acquiring) < parts {
            spins += 1
            if spins < 4000 { ck_pause() } else { sched_yield() }
        }
    }

    func stop() {
        stopped.store(true, ordering: .sequentiallyConsistent)
        wake()
    }

    private func wake() {
        waker.store(ck_processor(), ordering: .relaxed)
        pthread_mutex_lock(mutex)
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    // MARK: The threads' side

    static func work(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let context else { return nil }
        let worker = Unmanaged<Worker>.fromOpaque(context).takeRetainedValue()
        let (board, thread) = (worker.board, worker.thread)
        while board.awaitParts() {
            while let part = board.claim() {
                if let job = UnsafePointer<Job>(bitPattern: board.job.load(ordering: .relaxed)) {
                    job.pointee.run(part, on: thread)
                }
                board.finish(1)
            }
        }
        return nil
    }

    private var hasParts: Bool {
        let seen = ticket.load(ordering: .sequentiallyConsistent)
        return seen & 0xFFFFF < (seen >> 20) & 0xFFFFF
    }

    /// Waits until there is a part to claim; false when the pool ends.
    private func awaitParts() -> Bool {
        for _ in 0..<spinCount {
            if hasParts { return true }
            ck_pause()
        }
        guard park() else { return false }
        let waker = waker.load(ordering: .relaxed)
        if ck_processor() == waker { ck_leave_processor(waker) }
        return true
    }

    /// Sleeps until there is a part to claim; false when the pool ends.
    private func park() -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        parked.add(1, ordering: .sequentiallyConsistent)
        defer { parked.subtract(1, ordering: .sequentiallyConsistent) }
        while !hasParts {
            if stopped.load(ordering: .sequentiallyConsistent) { return false }
            pthread_cond_wait(condition, mutex)
        }
        return true
    }

    /// About 100 microseconds of looking for work before a thread parks.
    private var spinCount: Int { 4000 }
}
