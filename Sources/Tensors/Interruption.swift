/// Thrown out of a checkpoint to stop the work in progress; what was computed so far is incomplete.
public struct Interrupted: Error {
    /// The error has nothing to say but that the work was stopped.
    public init() {}
}

/// A checkpoint: called on the calling thread between operators and between parts of large ones, at least every 50 ms.
///
/// It returns to go on, or throws to stop. It may run more urgent work on the pool (in `WorkerPool.pausing`), but
/// not with the same `Operations`, whose memory is in use.
public typealias InterruptionCheck = () throws(Interrupted) -> Void
