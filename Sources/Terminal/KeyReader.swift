import Dispatch
import Glibc
import Synchronization

/// Reads keys from the terminal on a queue of its own.
final class KeyReader: Sendable {
    /// How long an Escape waits for what may belong to it.
    private static let patience = DispatchTimeInterval.milliseconds(80)

    private struct State {
        var parser = KeyParser()
        /// Counts reads, so that a late flush finds out that more came.
        var reads = 0
    }

    private let queue = DispatchQueue(label: "inkling.keys")
    private nonisolated(unsafe) let source: any DispatchSourceRead
    private let state = Mutex(State())
    private let receive: @Sendable (Key?) -> Void

    /// Starts to read; `receive` is given each key, and `nil` once when the terminal is gone.
    ///
    /// The first keys are those of `typed`, which others have read before.
    init(
        _ descriptor: Int32 = 0, typed: [UInt8] = [], _ receive: @escaping @Sendable (Key?) -> Void
    ) {
        self.receive = receive
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        source.setEventHandler { @Sendable [weak self] in self?.read(descriptor) }
        if !typed.isEmpty { queue.async { @Sendable [weak self] in self?.take(typed[...]) } }
        source.resume()
    }

    deinit { source.cancel() }

    /// Leaves what is typed from now on to another program; returns once no read is under way.
    func pause() {
        source.suspend()
        queue.sync { @Sendable in }
    }

    func resume() { source.resume() }

    private func read(_ descriptor: Int32) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR || errno == EAGAIN { return }
        guard count > 0 else {
            source.cancel()
            receive(nil)
            return
        }
        take(buffer[..<count])
    }

    private func take(_ bytes: ArraySlice<UInt8>) {
        let (keys, pending) = state.withLock { state in
            state.reads += 1
            return (state.parser.parse(bytes), state.parser.isIncomplete ? state.reads : nil)
        }
        for key in keys { receive(key) }
        guard let pending else { return }
        queue.asyncAfter(deadline: .now() + Self.patience) { @Sendable [weak self] in
            self?.flush(after: pending)
        }
    }

    private func flush(after reads: Int) {
        let keys = state.withLock { $0.reads == reads ? $0.parser.flush() : [] }
        for key in keys { receive(key) }
    }
}
