import Hummingbird

/// Decides which requests over loopback TCP are answered at all.
///
/// The port can be reached by every user of the machine and, through their browsers, by every page that they visit.
/// So a request must name our own host; one that is a browser's must come from our own page and carry its cookie, and
/// for all but the page's own files what only that page knows; any other must carry the key.
struct WebGuard: Sendable {
    /// What of a request it is decided by; every field with all of its values.
    struct Question: Sendable, Equatable {
        var method: String
        /// Path without query.
        var path: String
        var hosts: [String]
        var origins: [String] = []
        var fetchSites: [String] = []
        /// Whether there is any other `Sec-Fetch-` field.
        var hasFetchMetadata = false
        var contentTypes: [String] = []
        /// Whole fields, as they came.
        var cookies: [String] = []
        var authorizations: [String] = []
    }

    enum Verdict: Sendable, Equatable {
        case allowed
        /// Somebody comes with the code of a link that is good for once.
        case entry(code: String)
        case refused(Refusal)
    }

    enum Refusal: Sendable, Equatable, CaseIterable {
        case foreignHost, preflight, foreignOrigin, contentType, noToken, noKey
    }

    /// Where a link that is good for once leads to.
    static let entryPath = "/open/"

    let port: UInt16
    /// What the page's cookie holds.
    let token: String
    /// What the page shows as a bearer token: browsers tell a cookie to every port of a host, this to none.
    let pageKey: String
    /// What other programs must show; `nil` lets every local user in.
    let key: String?

    /// The cookie's name: cookies of one host are shared by all of its ports.
    var cookieName: String { "inkling-\(port)" }

    /// The names by which a browser may call us.
    var hosts: [String] {
        let names = ["127.0.0.1", "[::1]", "localhost"]
        // A browser leaves the standard port out.
        return names.map { "\($0):\(port)" } + (port == 80 ? names : [])
    }

    func verdict(on question: Question) -> Verdict {
        guard question.hosts.count == 1, let host = question.hosts.first, hosts.contains(host) else {
            return .refused(.foreignHost)
        }
        // Nobody else's page is to be told what it might do.
        guard question.method != "OPTIONS" else { return .refused(.preflight) }
        let isReading = ["GET", "HEAD"].contains(question.method)
        guard isOurs(question, host: host, isReading: isReading) else { return .refused(.foreignOrigin) }
        if question.method == "GET", question.path.hasPrefix(Self.entryPath) {
            return .entry(code: String(question.path.dropFirst(Self.entryPath.count)))
        }
        if question.isBrowsers {
            guard isReading || question.isJSON else { return .refused(.contentType) }
            guard hasToken(question) else { return .refused(.noToken) }
            let isFile = isReading && (question.path == "/" || question.path.hasPrefix("/page/"))
            return isFile || shows(pageKey, question) ? .allowed : .refused(.noToken)
        }
        guard let key else { return isReading || question.isJSON ? .allowed : .refused(.contentType) }
        return shows(key, question) ? .allowed : .refused(.noKey)
    }

    private func shows(_ key: String, _ question: Question) -> Bool {
        question.authorizations.count == 1 && Self.areEqual(question.authorizations[0], "Bearer " + key)
    }

    /// Whether nothing in the request says that another page sends it.
    private func isOurs(_ question: Question, host: String, isReading: Bool) -> Bool {
        let origin = "http://" + host
        guard question.origins.count <= 1, question.origins.allSatisfy({ $0 == origin }) else { return false }
        // "none" is the person: a typed address or a link from another program, never a change.
        let sites = isReading ? ["same-origin", "none"] : ["same-origin"]
        guard question.fetchSites.count <= 1, question.fetchSites.allSatisfy(sites.contains) else {
            return false
        }
        // Browsers name the origin of everything that is no mere reading.
        return isReading || !question.isBrowsers || !question.origins.isEmpty
    }

    private func hasToken(_ question: Question) -> Bool {
        let prefix = cookieName + "="
        return question.cookies.contains { field in
            field.split(separator: ";").contains { part in
                let part = part.drop { $0 == " " }
                return part.hasPrefix(prefix) && Self.areEqual(part.dropFirst(prefix.count), token)
            }
        }
    }

    /// Compares in a time that tells nothing of where two texts differ.
    static func areEqual(_ one: some StringProtocol, _ other: some StringProtocol) -> Bool {
        let (one, other) = (Array(one.utf8), Array(other.utf8))
        guard one.count == other.count else { return false }
        return zip(one, other).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

extension WebGuard.Question {
    /// Whether a browser sends it: only browsers name an origin, say where a request comes from, or carry cookies.
    var isBrowsers: Bool {
        hasFetchMetadata || !fetchSites.isEmpty || !origins.isEmpty || !cookies.isEmpty
    }

    /// Whether its body is JSON by name, which no form and no simple request of a page can be.
    var isJSON: Bool {
        guard contentTypes.count == 1 else { return false }
        return contentTypes[0].prefix { $0 != ";" }.trimmingBlanks().lowercased() == "application/json"
    }
}
