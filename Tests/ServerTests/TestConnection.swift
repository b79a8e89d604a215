import Dispatch
import Glibc
import HostProcess
import Synchronization

@testable import Server

enum ClientError: Error, Equatable {
    case system(String)
    /// The daemon closed the connection before the response was whole.
    case closed
    case malformed(String)
    /// Nothing came for half a minute.
    case silent
    case status(Int, String)
}

struct TestResponse: Sendable {
    let status: Int
    let headers: [String: String]
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    func json() throws -> JSON { try JSONParser.parse(body) }

    /// The `message`, `code` and `param` of an error.
    func error() throws -> (message: String, code: String, parameter: String?) {
        guard let error = try json()["error"], case .string(let message) = error["message"],
            case .string(let code) = error["code"], case .string = error["type"],
            let parameter = error["param"]
        else { throw ClientError.malformed(text) }
        if case .string(let parameter) = parameter { return (message, code, parameter) }
        return (message, code, nil)
    }

    /// The `data:` of each server-sent event.
    var events: [String] {
        text.split(separator: "\n").filter { $0.hasPrefix("data: ") }.map { String($0.dropFirst(6)) }
    }
}

/// A blocking HTTP/1.1 client of its own few lines, so that what is tested is the daemon and no library.
///
/// Its reads block, so they run on a queue of their own and never on the threads that tasks share.
final class TestConnection: Sendable {
    private let descriptor: CInt
    private let queue = DispatchQueue(label: "test.connection")
    private let isClosed = Mutex(false)
    /// Read but not yet used; only the queue touches it.
    private let pending = Mutex<[UInt8]>([])

    convenience init(path: String) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        try self.init(AF_UNIX, address)
    }

    /// Connects to 127.0.0.1.
    convenience init(port: UInt16) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        try self.init(AF_INET, address)
    }

    private init<Address>(_ family: CInt, _ address: Address) throws {
        descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = address
        let size = socklen_t(MemoryLayout<Address>.size)
        let result = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, size) }
        }
        guard result == 0 else { throw ClientError.system("connect: \(errno)") }
        // What is waited for comes in milliseconds; the limit is for when it does not come at all.
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close() }

    func close() {
        let wasClosed = isClosed.withLock { closed in
            defer { closed = true }
            return closed
        }
        if !wasClosed { Glibc.close(descriptor) }
    }

    func closeWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    func request(
        _ method: String, _ path: String, body: String? = nil, headers: [String: String] = [:]
    ) async throws -> TestResponse {
        try send(Self.text(method, path, body: body, headers: headers))
        return try await response()
    }

    static func text(
        _ method: String, _ path: String, body: String? = nil, headers: [String: String] = [:]
    ) -> String {
        var headers = headers
        var text =
            "\(method) \(path) HTTP/1.1\r\nHost: \(headers.removeValue(forKey: "Host") ?? "inkling")\r\n"
        if let body {
            headers["Content-Length"] = headers["Content-Length"] ?? String(body.utf8.count)
            headers["Content-Type"] = headers["Content-Type"] ?? "application/json"
        }
        for (name, value) in headers where !value.isEmpty { text += "\(name): \(value)\r\n" }
        return text + "\r\n" + (body ?? "")
    }

    /// Writes all of it; what the daemon no longer takes is dropped, as the response says why.
    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(0x4000))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Reads one whole response.
    func response() async throws -> TestResponse {
        try await onQueue { try self.readResponse() }
    }

    /// Reads until `text` has come.
    func read(until text: String) async throws {
        let wanted = Array(text.utf8)
        try await onQueue {
            // Pings would keep a stream that says nothing else from being silent.
            let end = ContinuousClock.now + .seconds(30)
            while !self.pending.withLock({ $0.contains(wanted) }) {
                guard ContinuousClock.now < end else { throw ClientError.silent }
                try self.readMore()
            }
        }
    }

    /// Reads until `end` has come after `marker`, and returns all that has come.
    func readWhat(until end: String, after marker: String) async throws -> String {
        try await onQueue {
            let limit = ContinuousClock.now + .seconds(30)
            while true {
                let text = String(decoding: self.pending.withLock { $0 }, as: UTF8.self)
                if let place = text.firstRange(of: marker), text[place.upperBound...].contains(end) {
                    return text
                }
                guard ContinuousClock.now < limit else { throw ClientError.silent }
                try self.readMore()
            }
        }
    }

    /// Reads until the daemon closes the connection.
    func readToEnd() async throws -> String {
        try await onQueue {
            while true {
                do { try self.readMore() } catch ClientError.closed { break }
            }
            return String(decoding: self.pending.withLock { $0 }, as: UTF8.self)
        }
    }

    // MARK: - Blocking, on the queue

    private func onQueue<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws
        -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }

    private func readMore() throws {
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        if count < 0, errno == EAGAIN { throw ClientError.silent }
        guard count > 0 else { throw ClientError.closed }
        pending.withLock { $0 += bytes[..<count] }
    }

    private func readLine() throws -> String {
        while true {
            let line: String? = pending.withLock { bytes in
                guard let end = bytes.firstIndex(of: 0x0A) else { return nil }
                let line = bytes[..<end].filter { $0 != 0x0D }
                bytes.removeFirst(end + 1)
                return String(decoding: line, as: UTF8.self)
            }
            if let line { return line }
            try readMore()
        }
    }

    private func readBytes(_ count: Int) throws -> [UInt8] {
        while pending.withLock({ $0.count }) < count { try readMore() }
        return pending.withLock { bytes in
            defer { bytes.removeFirst(count) }
            return Array(bytes[..<count])
        }
    }

    private func readResponse() throws -> TestResponse {
        let first = try readLine().split(separator: " ")
        guard first.count >= 2, first[0] == "HTTP/1.1", let status = Int(first[1]) else {
            throw ClientError.malformed(first.joined(separator: " "))
        }
        var headers: [String: String] = [:]
        while case let line = try readLine(), !line.isEmpty {
            guard let colon = line.firstIndex(of: ":") else { throw ClientError.malformed(line) }
            headers[line[..<colon].lowercased()] = String(
                line[line.index(after: colon)...].drop { $0 == " " })
        }
        if status == 100 { return try readResponse() }
        var body: [UInt8] = []
        if headers["transfer-encoding"] == "chunked" {
            while let count = Int(try readLine(), radix: 16), count > 0 {
                body += try readBytes(count)
                _ = try readLine()
            }
            _ = try readLine()
        } else {
            body = try readBytes(headers["content-length"].flatMap { Int($0) } ?? 0)
        }
        return TestResponse(status: status, headers: headers, body: body)
    }
}

extension [UInt8] {
    fileprivate func contains(_ other: [UInt8]) -> Bool {
        guard count >= other.count else { return false }
        return (0...count - other.count).contains { self[$0..<$0 + other.count].elementsEqual(other) }
    }
}
