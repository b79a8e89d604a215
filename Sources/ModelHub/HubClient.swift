import NIOHTTP1
import StrictJSON

/// The hub's API, as far as pulling needs it.
struct HubClient: Sendable {
    let transport: HubTransport
    let retrying: Retrying

    private var access: HubAccess { transport.access }
    private static let pageLimit = 100

    /// The commit that a revision of a repository is now.
    func commit(_ reference: HubReference) async throws -> String {
        let json = try await json(
            "\(access.endpoint)/api/models/\(reference.repository)/revision/\(reference.revision)", reference
        ).value
        guard let commit = json["sha"]?.string, HubReference("a/b@\(commit)") != nil else {
            throw transport.badAnswer("a repository without \"sha\"")
        }
        return commit
    }

    /// The files of a repository at a commit.
    func files(_ reference: HubReference, commit: String) async throws -> RepositoryFiles {
        let first = "\(access.endpoint)/api/models/\(reference.repository)/tree/\(commit)?recursive=true"
        var files: [HubFile] = []
        var next: String? = first
        var pages = 0
        while let address = next {
            pages += 1
            guard pages <= Self.pageLimit else { throw transport.badAnswer("a listing without an end") }
            let page = try await json(address, reference)
            guard let entries = page.value.array else {
                throw transport.badAnswer("a listing that is no list")
            }
            for entry in entries {
                if let file = try file(entry) { files.append(file) }
            }
            next = nextPage(page.headers)
        }
        return RepositoryFiles(repository: reference.repository, files: files)
    }

    /// Where a file's content is to be had.
    func address(of file: HubFile, in repository: String, commit: String) -> String {
        "\(access.endpoint)/\(repository)/resolve/\(commit)/\(Self.escaped(file.path))"
    }

    // MARK: - Answers

    private func file(_ entry: JSONValue) throws -> HubFile? {
        guard entry["type"]?.string == "file" else { return nil }
        guard let path = entry["path"]?.string, HubReference.isSafe(path: path) else {
            throw transport.badAnswer("a file with the path \(entry["path"]?.string?.prefix(80) ?? "none")")
        }
        let lfs = entry["lfs"]
        let digest =
            (lfs?["oid"] ?? lfs?["sha256"])?.string.flatMap { FileDigest(sha256: $0) }
            ?? (lfs?.object == nil ? entry["oid"]?.string.flatMap { FileDigest(git: $0) } : nil)
        let size = lfs?["size"]?.int ?? entry["size"]?.int
        guard let digest, let size, (0...1 << 45).contains(size) else {
            throw transport.badAnswer("\(path) without a size or digest")
        }
        return HubFile(path: path, bytes: size, digest: digest)
    }

    /// The address that `Link: <…>; rel="next"` has, on the hub itself.
    private func nextPage(_ headers: HTTPHeaders) -> String? {
        for link in headers[canonicalForm: "link"] where link.contains("rel=\"next\"") {
            guard let start = link.firstIndex(of: "<"), let end = link.firstIndex(of: ">"), start < end else {
                continue
            }
            let address = String(link[link.index(after: start)..<end])
            if address.hasPrefix("/") { return access.endpoint + address }
            return address.hasPrefix(access.endpoint + "/") ? address : nil
        }
        return nil
    }

    private func json(
        _ address: String, _ reference: HubReference
    ) async throws -> (value: JSONValue, headers: HTTPHeaders) {
        try await retrying.run {
            let answer = try await transport.get(address)
            guard answer.status == 200 else {
                throw await HubRefusal(answer, access).error(reference)
            }
            let bytes = try await transport.bytes(answer)
            do {
                let limits = JSONLimits(byteCount: bytes.count, depth: 32)
                return (try JSONValue(parsing: bytes, limits: limits), answer.headers)
            } catch {
                throw transport.badAnswer("no JSON")
            }
        }
    }

    /// A path with everything escaped that has a meaning in an address.
    static func escaped(_ path: String) -> String {
        path.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
                return String(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                return "%" + (digits.utf8.count == 1 ? "0" : "") + digits
            }
        }.joined()
    }
}

/// A status that is none of success, as the hub means it.
struct HubRefusal {
    private let status: Int
    private let code: String?
    private let wait: Int?
    private let access: HubAccess

    init(_ answer: HubTransport.Answer, _ access: HubAccess) async {
        status = answer.status
        code = answer.headers.first(name: "x-error-code") ?? answer.hubHeaders.first(name: "x-error-code")
        wait = answer.headers.first(name: "retry-after").flatMap { Int($0) }.map { max(0, $0) }
        self.access = access
    }

    func error(_ reference: HubReference, file: String? = nil) -> HubError {
        let (hub, hasToken) = (access.hub, access.token != nil)
        let repository = reference.repository
        return switch (status, code) {
        case (_, "GatedRepo"?): .gated(repository, hub: hub, hasToken: hasToken)
        case (_, "RevisionNotFound"?): .noRevision(reference.revision, repository: repository)
        case (_, "EntryNotFound"?): .noFile(file ?? "such file", repository: repository, there: [])
        case (_, "RepoNotFound"?): .noRepository(repository, hub: hub, hasToken: hasToken)
        // Whoever shows no token is not told whether there is such a repository.
        case (401, _): hasToken ? .badToken(hub: hub) : .noRepository(repository, hub: hub, hasToken: false)
        case (403, _): .gated(repository, hub: hub, hasToken: hasToken)
        case (404, _):
            file.map { .noFile($0, repository: repository, there: []) }
                ?? .noRepository(repository, hub: hub, hasToken: hasToken)
        case (429, _): .tooManyRequests(hub: hub, wait: wait)
        case (408, _), (425, _), (500..., _): .failing(hub: hub, status: status)
        default: .refused(hub: hub, status: status, what: file ?? repository)
        }
    }
}
