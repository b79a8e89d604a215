import Digest
import Foundation
import Glibc
import Synchronization

/// A hub on loopback with repositories of a test's own, which can be made to fail in every way that a hub can.
///
/// It answers what a hub's API does: a revision's commit, the listing of files, and their content, large files by a
/// redirect to another address.
public final class HubStandIn: Sendable {
    /// What went wrong with an answer.
    public enum Fault: Sendable, Equatable {
        case status(Int, headers: [String: String] = [:])
        /// The connection closes after so many bytes of the body.
        case drop(after: Int)
        /// The connection closes after so many bytes of the answer's head.
        case dropInHead(after: Int)
        /// One byte of the body is another.
        case corrupt
        /// The whole file comes, whatever was asked for.
        case ignoreRange
        /// Only so many bytes are announced and sent.
        case shorten(to: Int)
        /// The file is said to be longer than it is.
        case wrongTotal
        /// Another part comes than was asked for.
        case wrongPart
        case redirect(String)
    }

    public struct Request: Sendable {
        public var path: String
        public var query: String
        /// By names in lower case.
        public var headers: [String: String]
        /// The bytes that are asked for, where not all are.
        public var range: Range<Int>?
        /// Whether it is for a file's content.
        public var isContent: Bool { path.contains("/resolve/") || path.hasPrefix("/content/") }
    }

    public static let commit = "0123456789abcdef0123456789abcdef01234567"
    /// Files from this size on are listed by SHA-256, and lie elsewhere.
    public static let largeSize = 1000

    /// By `owner/name`, files by their paths.
    private let repositories: Mutex<[String: [String: [UInt8]]]>
    private let fault: @Sendable (Request) -> Fault?
    private let listener: Int32
    public let port: UInt16
    private let received = Mutex<[Request]>([])
    /// Where large files lie; `nil` is here.
    private let store: String?
    /// Files of one page of a listing.
    private let pageSize: Int

    public var endpoint: String { "http://127.0.0.1:\(port)" }
    public var requests: [Request] { received.withLock { $0 } }

    /// - Parameters:
    ///   - repositories: By `owner/name`, files by their paths.
    ///   - store: The endpoint of another hub, where the content of large files is fetched from.
    ///   - pageSize: How many files a page of a listing has.
    ///   - fault: What is to go wrong with the answer to a request.
    /// - Throws: When there is no port to listen on.
    public init(
        _ repositories: [String: [String: [UInt8]]], store: String? = nil, pageSize: Int = 1000,
        fault: @escaping @Sendable (Request) -> Fault? = { _ in nil }
    ) throws {
        self.repositories = Mutex(repositories)
        self.store = store
        self.pageSize = pageSize
        self.fault = fault
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound else { throw POSIXError(.EADDRINUSE) }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        startThread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { break }
                var one: Int32 = 1
                setsockopt(
                    connection, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
                startThread { [weak self] in
                    defer { close(connection) }
                    while let request = Self.read(connection) {
                        guard let self, self.answer(request, Wire(connection)) else { return }
                    }
                }
            }
            close(listener)
        }
    }

    /// Takes no more connections.
    public func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    /// Puts another content in a file's place.
    public func change(_ repository: String, _ path: String, to bytes: [UInt8]) {
        repositories.withLock { $0[repository]?[path] = bytes }
    }

    // MARK: - Answers

    /// Answers a request; whether the connection goes on.
    private func answer(_ request: Request, _ wire: Wire) -> Bool {
        received.withLock { $0.append(request) }
        let fault = fault(request)
        switch fault {
        case .status(let code, let headers)?:
            return wire.send(code, headers, Array(#"{"error":"fault"}"#.utf8))
        case .dropInHead(let count)?: return wire.cutHead(after: count)
        case .redirect(let address)?: return wire.send(302, ["Location": address], [])
        default: break
        }
        let parts = request.path.split(separator: "/").map(String.init)
        if parts.count == 6, parts[0] == "api", parts[4] == "revision" || parts[4] == "tree" {
            let name = parts[2] + "/" + parts[3]
            guard let files = repositories.withLock({ $0[name] }) else {
                return wire.send(401, ["X-Error-Code": "RepoNotFound"], [])
            }
            guard [Self.commit, "main"].contains(parts[5]) else {
                return wire.send(404, ["X-Error-Code": "RevisionNotFound"], [])
            }
            if parts[4] == "revision" {
                return wire.send(200, [:], Array(#"{"id":"\#(name)","sha":"\#(Self.commit)"}"#.utf8))
            }
            return list(files, request, wire)
        }
        if parts.count > 4, parts[2] == "resolve" {
            let (name, path) = (parts[0] + "/" + parts[1], parts[4...].joined(separator: "/"))
            guard let bytes = repositories.withLock({ $0[name]?[path] }) else {
                return wire.send(404, ["X-Error-Code": "EntryNotFound"], [])
            }
            guard bytes.count >= Self.largeSize else { return send(bytes, request, fault, wire) }
            return wire.send(
                302,
                [
                    "Location": "\(store ?? "")/content/\(name)/\(path)", "X-Repo-Commit": Self.commit,
                    "X-Linked-Size": String(bytes.count), "X-Linked-Etag": SHA256.hexadecimal(of: bytes),
                ], [])
        }
        if parts.count > 3, parts[0] == "content",
            let bytes = repositories.withLock({
                $0[parts[1] + "/" + parts[2]]?[parts[3...].joined(separator: "/")]
            })
        {
            return send(bytes, request, fault, wire)
        }
        return wire.send(404, [:], [])
    }

    private func list(_ files: [String: [UInt8]], _ request: Request, _ wire: Wire) -> Bool {
        let names = files.keys.sorted()
        let start =
            request.query.split(separator: "&").first { $0.hasPrefix("cursor=") }
            .flatMap { Int($0.dropFirst(7)) } ?? 0
        let page = names.dropFirst(start).prefix(pageSize)
        let entries = page.map { name -> String in
            let bytes = files[name] ?? []
            var blob = SHA1(gitBlobOfBytes: bytes.count)
            blob.update(bytes)
            let oid = SHA256.hexadecimal(blob.finish())
            let lfs =
                bytes.count >= Self.largeSize
                ? #","lfs":{"oid":"\#(SHA256.hexadecimal(of: bytes))","size":\#(bytes.count),"pointerSize":130}"#
                : ""
            return #"{"type":"file","oid":"\#(oid)","size":\#(bytes.count),"path":"\#(name)"\#(lfs)}"#
        }
        let folders = #"{"type":"directory","oid":"x","size":0,"path":"folder"}"#
        var headers: [String: String] = [:]
        if start + pageSize < names.count {
            headers["Link"] =
                "<\(endpoint)\(request.path)?recursive=true&cursor=\(start + pageSize)>; rel=\"next\""
        }
        return wire.send(200, headers, Array("[\(([folders] + entries).joined(separator: ","))]".utf8))
    }

    private func send(_ bytes: [UInt8], _ request: Request, _ fault: Fault?, _ wire: Wire) -> Bool {
        var range = 0..<bytes.count
        var status = 200
        var headers: [String: String] = ["Accept-Ranges": "bytes"]
        if let asked = request.range, fault != .ignoreRange {
            guard asked.lowerBound < bytes.count else { return wire.send(416, [:], []) }
            range = asked.lowerBound..<min(asked.upperBound, bytes.count)
            if fault == .wrongPart { range = 0..<range.count }
            status = 206
            let total = fault == .wrongTotal ? bytes.count + 1 : bytes.count
            headers["Content-Range"] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(total)"
        }
        var body = Array(bytes[range])
        var sent = body.count
        switch fault {
        case .corrupt? where !body.isEmpty: body[body.count / 2] ^= 1
        case .drop(let count)?: sent = min(count, body.count)
        case .shorten(let count)?: body = Array(body.prefix(count))
        default: break
        }
        return wire.send(status, headers, body, only: min(sent, body.count))
    }

    // MARK: - Requests

    private static func read(_ connection: Int32) -> Request? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            if bytes.count >= 4, bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) { break }
            let count = Glibc.read(connection, &buffer, buffer.count)
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count == 3 else { return nil }
        let target = words[1].split(separator: "?", maxSplits: 1)
        var request = Request(
            path: target.first.map(String.init)?.removingPercentEncoding ?? "/",
            query: target.count > 1 ? String(target[1]) : "", headers: [:])
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            request.headers[line[..<colon].lowercased()] = String(
                line[line.index(after: colon)...].drop { $0 == " " })
        }
        if let text = request.headers["range"], text.hasPrefix("bytes=") {
            let ends = text.dropFirst(6).split(separator: "-").compactMap { Int($0) }
            if ends.count == 2 { request.range = ends[0]..<ends[1] + 1 }
        }
        return request
    }
}

/// One connection, to write answers to.
private struct Wire {
    private let connection: Int32

    init(_ connection: Int32) { self.connection = connection }

    /// Writes an answer, of whose body only the first bytes come where not all are to; whether the connection goes on.
    func send(_ status: Int, _ headers: [String: String], _ body: [UInt8], only count: Int? = nil) -> Bool {
        var head = "HTTP/1.1 \(status) Answer\r\nContent-Length: \(body.count)\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        let sent = body.prefix(count ?? body.count)
        guard write(Array((head + "\r\n").utf8) + sent) else { return false }
        return sent.count == body.count
    }

    /// Writes no more than the first bytes of an answer's head; the connection never goes on.
    func cutHead(after count: Int) -> Bool {
        _ = write(Array("HTTP/1.1 200 Answer\r\nContent-Length: 1000\r\n".utf8.prefix(count)))
        return false
    }

    private func write(_ bytes: [UInt8]) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress.map { $0 + done }, $0.count - done, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }
}

private func startThread(_ body: @escaping @Sendable () -> Void) {
    let thread = Thread { body() }
    thread.start()
}
