import Foundation
import Glibc
import Synchronization

/// A server on a Unix socket whose answers a test writes byte by byte.
///
/// Whoever makes one stops it, in a `defer`: if it stopped with its last reference, it would end while a client that
/// has only its path is still on the way to it.
final class SocketServer: Sendable {
    struct Request: Sendable {
        var method: String
        var target: String
        var body: String
        /// The value of `Last-Event-ID`.
        var lastEventID: String?
    }

    /// One client's connection.
    struct Connection: Sendable {
        let descriptor: Int32
        let request: Request

        /// False when the client is gone.
        @discardableResult
        func write(_ text: String) -> Bool { write(Array(text.utf8)) }

        /// False when the client is gone.
        @discardableResult
        func write(_ bytes: [UInt8]) -> Bool {
            var bytes = bytes
            while !bytes.isEmpty {
                let count = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
                if count <= 0 { return false }
                bytes.removeFirst(count)
            }
            return true
        }

        func answer(_ body: String, status: String = "200 OK") {
            write(
                "HTTP/1.1 \(status)\r\ncontent-length: \(body.utf8.count)\r\nconnection: close\r\n\r\n\(body)"
            )
        }

        func answer(file: [UInt8]) {
            write("HTTP/1.1 200 OK\r\ncontent-length: \(file.count)\r\nconnection: close\r\n\r\n")
            write(file)
        }

        /// Begins a stream, which ends with the connection.
        func beginStream() {
            write("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        }

        func event(_ name: String, _ data: String, id: Int? = nil) {
            write((id.map { "id: \($0)\n" } ?? "") + "event: \(name)\ndata: \(data)\n\n")
        }

        /// Returns when the client closes the connection.
        func waitForClose() {
            var byte: UInt8 = 0
            while read(descriptor, &byte, 1) > 0 {}
        }
    }

    let path: String
    private let folder: String
    private let listener: Int32
    private let received = Received()

    private final class Received: Sendable {
        let requests = Mutex<[Request]>([])
    }

    var requests: [Request] { received.requests.withLock { $0 } }

    init(_ respond: @escaping @Sendable (Connection) -> Void) throws {
        var template = Array("/tmp/inkling-test-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw POSIXError(.EIO) }
        folder = String(cString: made)
        path = folder + "/s"
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, length) }
        }
        guard code == 0, listen(listener, 16) == 0 else { throw POSIXError(.EADDRINUSE) }
        let received = received
        try Self.startThread {
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { break }
                try? Self.startThread {
                    defer { close(descriptor) }
                    guard let request = Self.readRequest(descriptor) else { return }
                    received.requests.withLock { $0.append(request) }
                    respond(Connection(descriptor: descriptor, request: request))
                }
            }
            close(listener)
        }
    }

    /// No further connections; the socket's file goes too.
    ///
    /// To be called once.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        unlink(path)
        rmdir(folder)
    }

    private static func startThread(_ body: @escaping @Sendable () -> Void) throws {
        final class Body: Sendable {
            let run: @Sendable () -> Void
            init(_ run: @escaping @Sendable () -> Void) { self.run = run }
        }
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, Unmanaged.passRetained(Body(body)).toOpaque())
        guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EAGAIN) }
        pthread_detach(thread)
    }

    private static func readRequest(_ descriptor: Int32) -> Request? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            if let end = find(Array("\r\n\r\n".utf8), in: bytes) {
                let head = String(decoding: bytes[..<end], as: UTF8.self)
                let line = head.split(separator: "\r\n").first?.split(separator: " ") ?? []
                let lastEventID = head.split(separator: "\r\n")
                    .first { $0.lowercased().hasPrefix("last-event-id:") }
                    .map { String($0.dropFirst(14).drop { $0 == " " }) }
                let length = head.lowercased().split(separator: "\r\n")
                    .first { $0.hasPrefix("content-length:") }
                    .flatMap { Int($0.dropFirst(15).drop { $0 == " " }) }
                if line.count == 3, bytes.count >= end + 4 + (length ?? 0) {
                    let body = String(decoding: bytes[(end + 4)...], as: UTF8.self)
                    return Request(
                        method: String(line[0]), target: String(line[1]), body: body, lastEventID: lastEventID
                    )
                }
            }
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
        }
    }

    private static func find(_ needle: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= needle.count else { return nil }
        return (0...bytes.count - needle.count).first { bytes[$0..<$0 + needle.count].elementsEqual(needle) }
    }
}

/// Waits for what another thread does, without sleeping for it.
final class Signal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func fire() { continuation.yield() }

    func wait() async { for await _ in stream { return } }
}
