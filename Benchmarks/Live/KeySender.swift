import BenchmarkSupport
import Foundation

/// Puts prompts over one connection that stays open, many at a time without waiting for each answer: a client's own
/// connections, one for each request, are too slow to flood anybody.
struct KeySender: Sendable {
    private static let batch = 64

    private let socket: String
    private let path: String
    private let lane: Int
    private let lanes: Int
    private let rate: Double

    /// One of `lanes` whose revisions interleave, at `rate` keystrokes a second.
    init(_ socket: String, _ path: String, lane: Int, of lanes: Int, rate: Double) {
        (self.socket, self.path, self.lane, self.lanes, self.rate) = (socket, path, lane, lanes, rate)
    }

    /// Sends until `end`, on a thread of its own: it blocks, and must not hold up who watches the daemon meanwhile.
    ///
    /// - Returns: How many were sent and answered.
    func send(until end: ContinuousClock.Instant) async throws -> Int {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try sendBlocking(until: end) }) }
        }
    }

    private func sendBlocking(until end: ContinuousClock.Instant) throws -> Int {
        let descriptor = try connect()
        defer { close(descriptor) }
        let start = ContinuousClock.now
        var sent = 0
        while ContinuousClock.now < end {
            let early = Double(sent) / rate - (ContinuousClock.now - start).seconds
            if early > 0 { Thread.sleep(forTimeInterval: early) }
            var bytes: [UInt8] = []
            for index in 0..<Self.batch {
                let revision = (sent + index) * lanes + lane + 2
                bytes += request(revision: revision).utf8
            }
            try write(bytes, to: descriptor)
            try readAnswers(Self.batch, from: descriptor)
            sent += Self.batch
        }
        return sent
    }

    private func request(revision: Int) -> String {
        let body = "{\"text\":\"a fox and \(revision) stars\",\"revision\":\(revision)}"
        return "PUT \(path)/prompt HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            + "content-length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private func connect() throws -> Int32 {
        let descriptor = Foundation.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socket.utf8.prefix($0.count - 1)) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard descriptor >= 0, status == 0 else { throw POSIXError(.ECONNREFUSED) }
        return descriptor
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress! + done, bytes.count - done, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw POSIXError(.EPIPE) }
            done += count
        }
    }

    /// Reads until so many status lines came.
    private func readAnswers(_ wanted: Int, from descriptor: Int32) throws {
        var answers = 0
        var rest: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let mark = Array("HTTP/1.1 2".utf8)
        while answers < wanted {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { throw POSIXError(.ECONNRESET) }
            rest += buffer[..<count]
            var start = 0
            while let found = rest[start...].firstRange(of: mark) {
                answers += 1
                start = found.upperBound
            }
            rest.removeFirst(max(start, rest.count - mark.count + 1))
        }
    }
}
