import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Has one file from a hub, by several requests for parts of it at once, each tried again where it broke off.
struct FileDownload: Sendable {
    /// How the work is divided.
    struct Division: Sendable {
        /// Requests at once.
        var connections = 4
        /// Bytes of one request, at most.
        var piece = 64 << 20
    }

    let file: HubFile
    /// On the hub.
    let address: String
    let reference: HubReference
    let partial: PartialFile
    let transport: HubTransport
    let retrying: Retrying
    var division = Division()
    /// Is told how many bytes are new.
    let report: @Sendable (Int) -> Void

    /// Returns when all bytes are here.
    ///
    /// - Throws: `HubError`, or `CancellationError`; what came by then is kept.
    func run() async throws {
        let pieces = (file.bytes - partial.finishedBytes + division.piece - 1) / max(1, division.piece)
        do {
            try await withThrowingTaskGroup { group in
                for _ in 0..<min(division.connections, max(1, pieces)) {
                    group.addTask { try await work() }
                }
                try await group.waitForAll()
            }
        } catch {
            try await partial.keep()
            throw error
        }
        try await partial.keep()
    }

    /// Has one part after the other, for as long as there are any.
    private func work() async throws {
        var backoff = retrying.backoff
        while let range = partial.claim(atMost: division.piece) {
            let request = Request(range)
            do {
                try await fetch(request)
                partial.release(request.claim)
                backoff.succeed()
            } catch {
                partial.release(request.claim)
                if request.newBytes > 0 { backoff.succeed() }
                try await retrying.pause(&backoff, after: transport.failure(error))
            }
        }
    }

    /// One request, and what it has achieved.
    private final class Request {
        /// What is asked for.
        let range: Range<Int>
        /// What others must leave to it.
        var claim: Range<Int>
        var newBytes = 0

        init(_ range: Range<Int>) { (self.range, claim) = (range, range) }
    }

    private func fetch(_ request: Request) async throws {
        let answer = try await transport.get(address, range: request.range)
        try checkListedSize(answer.hubHeaders.first(name: "x-linked-size").flatMap { Int($0) })
        var position: Int
        switch answer.status {
        case 206: position = try start(answer, of: request.range)
        case 200:
            try checkListedSize(answer.headers.first(name: "content-length").flatMap { Int($0) })
            if request.range != 0..<file.bytes {
                // Another answer is read from the beginning already.
                guard partial.readFromBeginning(instead: request.range) else { return }
                request.claim = 0..<file.bytes
            }
            position = 0
        default: throw await HubRefusal(answer, transport.access).error(reference, file: file.path)
        }
        let end = answer.status == 206 ? request.range.upperBound : file.bytes
        for try await buffer in answer.body {
            let count = min(buffer.readableBytes, end - position)
            let new = try buffer.withUnsafeReadableBytes { bytes throws(HubError) in
                try partial.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: position)
            }
            position += count
            request.newBytes += new
            if new > 0 { report(new) }
            guard count == buffer.readableBytes else {
                throw mismatch("length", "\(file.bytes)", "more")
            }
            try await partial.keepIfDue()
        }
        guard position == end else {
            throw HubError.unreachable(
                hub: transport.access.hub,
                reason: "the connection ended after \(position - request.range.lowerBound) bytes")
        }
    }

    /// Where an answer of a part begins.
    private func start(_ answer: HubTransport.Answer, of range: Range<Int>) throws -> Int {
        let text = answer.headers.first(name: "content-range") ?? ""
        guard text.hasPrefix("bytes "), let dash = text.firstIndex(of: "-"),
            let slash = text.firstIndex(of: "/"), dash < slash,
            let first = Int(text[text.index(text.startIndex, offsetBy: 6)..<dash])
        else { throw transport.badAnswer("a part of \(file.path) that does not say which") }
        try checkListedSize(Int(text[text.index(after: slash)...]))
        guard first == range.lowerBound else {
            throw transport.badAnswer(
                "the part of \(file.path) from byte \(first), where that from \(range.lowerBound) was wanted")
        }
        return first
    }

    private func checkListedSize(_ size: Int?) throws {
        guard let size, size != file.bytes else { return }
        throw mismatch("length", "\(file.bytes)", "\(size)")
    }

    private func mismatch(_ what: String, _ expected: String, _ found: String) -> HubError {
        .mismatch(file: file.path, what: what, expected: expected, found: found)
    }
}
