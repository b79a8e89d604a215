@preconcurrency import Dispatch
import Glibc

/// SIGTERM and SIGINT: the first asks the daemon to end, the second ends it at once.
public final class EndSignals: Sendable {
    private let sources: [any DispatchSourceSignal]
    /// The signals that asked, as they come.
    public let received: AsyncStream<CInt>

    public init() {
        let (stream, continuation) = AsyncStream.makeStream(of: CInt.self)
        received = stream
        let queue = DispatchQueue(label: "inkling.signals")
        // Only this queue touches the count.
        nonisolated(unsafe) var count: UInt = 0
        sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { @Sendable in
                count += source.data
                if count > 1 { _exit(128 + number) }
                continuation.yield(number)
            }
            source.resume()
            return source
        }
    }

    deinit { for source in sources { source.cancel() } }
}
