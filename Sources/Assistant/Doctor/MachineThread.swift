import AssistantAPI
import Settings
import Tensors

/// Where the machine is measured, beside the engine, so that answers go on meanwhile.
actor MachineThread {
    /// What was measured, in bytes and in floating-point operations a second.
    struct Speed: Sendable, Equatable {
        var bandwidth: Double
        var convolutions: Double
    }

    private let thread: EngineThread
    /// As many as the engine computes with.
    nonisolated let threads: Int

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    init(_ engine: Configuration.Engine) {
        thread = EngineThread(niceness: engine.nice)
        threads = engine.threads > 0 ? engine.threads : MachineLimits.threadCount()
    }

    deinit { thread.stop() }

    /// Takes about half a second, and 256 MiB of memory where there are that many to spare.
    func measure() throws -> Speed {
        let pool = WorkerPool(threadCount: threads)
        let isShort = MachineLimits.availableMemory().map { $0 < 1 << 30 } ?? false
        let check: InterruptionCheck = { () throws(Interrupted) in if Task.isCancelled { throw Interrupted() }
        }
        return Speed(
            bandwidth: try MachineSpeed.bandwidth(
                pool: pool, byteCount: isShort ? 64 << 20 : 256 << 20, checkpoint: check),
            convolutions: try MachineSpeed.convolutions(Operations(pool: pool), checkpoint: check))
    }
}
