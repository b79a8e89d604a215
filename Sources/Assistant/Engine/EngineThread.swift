import Glibc

/// One thread of its own on which an actor's work runs, so that long computations stay off the cooperative pool.
///
/// It sleeps on a condition while there is nothing to do. Threads that its work starts inherit its niceness.
final class EngineThread: SerialExecutor {
    private let mailbox = Mailbox()

    /// Starts the thread; a system that refuses the niceness leaves it as it is.
    init(niceness: Int) {
        let start = Start(thread: self, mailbox: mailbox, niceness: Int32(clamping: niceness))
        var handle = pthread_t()
        let failure = pthread_create(
            &handle, nil, { engineThreadMain($0) }, Unmanaged.passRetained(start).toOpaque())
        precondition(failure == 0, "the system has no thread left for the engine")
        pthread_detach(handle)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        mailbox.put(UnownedJob(job))
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    /// Lets the thread end once what was enqueued before has run.
    func stop() {
        mailbox.close()
    }
}

/// What the new thread needs; it keeps the executor alive until its last job is done.
private final class Start: Sendable {
    let thread: EngineThread
    let mailbox: Mailbox
    let niceness: Int32

    init(thread: EngineThread, mailbox: Mailbox, niceness: Int32) {
        self.thread = thread
        self.mailbox = mailbox
        self.niceness = niceness
    }
}

private func engineThreadMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
    // On Linux a niceness belongs to a thread, and 0 means the calling one; a refusal (EPERM, EACCES) is no harm.
    _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, start.niceness)
    while let job = start.mailbox.take() {
        job.runSynchronously(on: start.thread.asUnownedSerialExecutor())
    }
    return nil
}

/// Jobs in the order in which they came, and a condition to wait on for the next one.
private final class Mailbox: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [UnownedJob] = []
    private var isClosed = false

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

    func put(_ job: UnownedJob) {
        pthread_mutex_lock(mutex)
        jobs.append(job)
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Waits for the next job; `nil` once closed and empty.
    func take() -> UnownedJob? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while jobs.isEmpty {
            if isClosed { return nil }
            pthread_cond_wait(condition, mutex)
        }
        return jobs.removeFirst()
    }
}
