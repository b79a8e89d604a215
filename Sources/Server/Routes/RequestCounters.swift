import HTTPTypes
import Synchronization

/// How many requests were answered, by what was asked and with which status.
final class RequestCounters: Sendable {
    /// Requests that count as one.
    struct Kind: Hashable, Sendable {
        let method: String
        /// The route's pattern, never the path: paths can hold what people wrote, and there is no end of them.
        let route: String
        let status: Int
    }

    private static let methods: Set<HTTPRequest.Method> = [
        .get, .head, .post, .put, .patch, .delete, .options,
    ]

    private let counts = Mutex<[Kind: Int]>([:])

    /// Counts an answer; a stream counts when it begins.
    ///
    /// - Parameters:
    ///   - method: Of the request.
    ///   - route: Its route's pattern; `nil` where nothing is there.
    ///   - status: Of the answer.
    func count(_ method: HTTPRequest.Method, _ route: String?, _ status: HTTPResponse.Status) {
        let kind = Kind(
            method: Self.methods.contains(method) ? method.rawValue : "other", route: route ?? "unknown",
            status: status.code)
        counts.withLock { $0[kind, default: 0] += 1 }
    }

    /// All counts, by route, method and status.
    var all: [(kind: Kind, count: Int)] {
        counts.withLock { counts in
            counts.map { (kind: $0.key, count: $0.value) }
        }.sorted {
            ($0.kind.route, $0.kind.method, $0.kind.status) < ($1.kind.route, $1.kind.method, $1.kind.status)
        }
    }
}
