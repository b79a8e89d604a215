import Digest
import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// The files of the page, from one folder, as they are on disk at each request.
final class PageFiles: Sendable {
    /// Longest file that is served, in bytes; the page is far smaller.
    static let limit = 1 << 20

    private static let types = [
        "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml", "png": "image/png",
        "webp": "image/webp", "webmanifest": "application/manifest+json",
    ]

    private let folder: String
    /// Compressed files by their tags, so that each is compressed once.
    private let compressed = Mutex<[String: [UInt8]]>([:])

    init(folder: String) { self.folder = folder }

    /// The first of the folders that has a page; `nil` where the program came without one.
    static func first(of folders: [String]) -> PageFiles? {
        folders.first { FileManager.default.fileExists(atPath: $0 + "/index.html") }.map(PageFiles.init)
    }

    /// A file, compressed where the client takes that, or nothing new where it has it already.
    ///
    /// - Throws: `Failure` 404 for a name that is none of the page's.
    func response(for name: String, to request: Request) throws(Failure) -> Response {
        guard let type = Self.type(of: name), let bytes = read(name) else {
            throw Failure(.notFound, code: "not_found", "The page has no \(name.prefix(80)).")
        }
        let tag = "\"" + SHA256.hexadecimal(of: bytes).prefix(32) + "\""
        // Asked for each time, and answered in a few bytes: after an update no old part meets a new one.
        var headers: HTTPFields = [.eTag: tag, .cacheControl: "no-cache", .vary: "Accept-Encoding"]
        if request.headers[values: .ifNoneMatch].contains(where: { $0.contains(tag) }) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = type
        guard request.takesGzip, let smaller = compress(bytes, tag: tag) else {
            return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
        }
        headers[.contentEncoding] = "gzip"
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: smaller)))
    }

    /// `nil` for names that lead out of the folder, hidden ones, and kinds that the page has none of.
    private static func type(of name: String) -> String? {
        let isPlain = name.utf8.allSatisfy { byte in
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
        }
        guard isPlain, !name.hasPrefix("."), let dot = name.lastIndex(of: ".") else { return nil }
        return types[String(name[name.index(after: dot)...])]
    }

    private func read(_ name: String) -> [UInt8]? {
        guard let data = FileManager.default.contents(atPath: folder + "/" + name),
            data.count <= Self.limit
        else { return nil }
        return Array(data)
    }

    private func compress(_ bytes: [UInt8], tag: String) -> [UInt8]? {
        if let known = compressed.withLock({ $0[tag] }) { return known }
        guard let smaller = Gzip.compress(bytes), smaller.count < bytes.count else { return nil }
        compressed.withLock { compressed in
            // Only where the files are being edited are there ever more than the page has.
            if compressed.count >= 64 { compressed = [:] }
            compressed[tag] = smaller
        }
        return smaller
    }
}

extension Request {
    fileprivate var takesGzip: Bool {
        headers[values: .acceptEncoding].contains { field in
            field.split(separator: ",").contains { $0.drop { $0 == " " }.prefix { $0 != ";" } == "gzip" }
        }
    }
}
