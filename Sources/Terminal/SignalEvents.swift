import Dispatch
import Glibc

/// Signals as events: a handler writes their numbers into a pipe, and a queue reads them from there.
final class SignalEvents: Sendable {
    private nonisolated(unsafe) let source: any DispatchSourceRead
    private let reading: Int32

    /// Reports each of `signals` to `receive` for as long as this object lives.
    init?(_ signals: [Int32], _ receive: @escaping @Sendable (Int32) -> Void) {
        guard let pipe = Self.pipe else { return nil }
        let reading = pipe.reading
        self.reading = reading
        source = DispatchSource.makeReadSource(fileDescriptor: reading, queue: .global())
        source.setEventHandler { @Sendable in
            var number: UInt8 = 0
            while read(reading, &number, 1) == 1 { receive(Int32(number)) }
        }
        source.resume()
        for signal in signals {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { signal in SignalEvents.note(signal) }
            action.sa_flags = Int32(SA_RESTART)
            sigaction(signal, &action, nil)
        }
    }

    deinit { source.cancel() }

    private struct Pipe {
        var reading: Int32
        var writing: Int32
    }

    private static let pipe: Pipe? = {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else { return nil }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        return Pipe(reading: ends[0], writing: ends[1])
    }()

    /// Runs in the signal handler; the pipe was made before the handler was set.
    private static func note(_ signal: Int32) {
        let before = errno
        var number = UInt8(truncatingIfNeeded: signal)
        if let pipe { write(pipe.writing, &number, 1) }
        errno = before
    }
}
