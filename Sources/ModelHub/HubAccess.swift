import FoundationEssentials

/// Which hub is asked, by what way, and as whom.
public struct HubAccess: Sendable, Equatable {
    public static let standardEndpoint = "https://huggingface.co"

    /// The hub's address, without a slash at its end.
    public var endpoint = Self.standardEndpoint
    /// Lets into what is not for everybody; never shown to another host than the hub's.
    public var token: String?
    /// Nobody is asked anything.
    public var isOffline = false
    public var proxies = Proxies()

    public init() {}

    /// What the environment says: `HF_ENDPOINT`, `HF_TOKEN` (else the file that `hf auth login` writes),
    /// `HF_HUB_OFFLINE`, `HTTPS_PROXY` and its relatives.
    public init(environment: [String: String]) {
        func value(_ names: String...) -> String? {
            names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        }
        if let text = value("HF_ENDPOINT") { setEndpoint(text) }
        token = value("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN") ?? Self.savedToken(environment)
        isOffline =
            value("HF_HUB_OFFLINE").map { ["1", "true", "yes", "on"].contains($0.lowercased()) } ?? false
        proxies = Proxies(environment: environment)
    }

    public mutating func setEndpoint(_ text: String) {
        endpoint = text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    private static func savedToken(_ environment: [String: String]) -> String? {
        func folder(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let caches = folder("XDG_CACHE_HOME") ?? folder("HOME").map { $0 + "/.cache" }
        let home = folder("HF_HOME") ?? caches.map { $0 + "/huggingface" }
        let path = folder("HF_TOKEN_PATH") ?? home.map { $0 + "/token" }
        guard let path, let data = FileManager.default.contents(atPath: path), data.count < 4096,
            let text = String(data: data, encoding: .utf8)
        else { return nil }
        let token = text.filter { !$0.isWhitespace }
        return token.isEmpty ? nil : token
    }

    /// The hub as sentences name it.
    var hub: String { endpoint }
}

/// By which servers others are reached.
public struct Proxies: Sendable, Equatable {
    /// A server that passes connections on.
    public struct Server: Sendable, Hashable {
        public var host: String
        public var port: Int
        public var user: String?
        public var password: String?
    }

    public var https: Server?
    public var http: Server?
    /// Hosts that are reached without one: names, `.example.com`, with a port or not, or `*`.
    public var exceptions: [String] = []

    public init() {}

    public init(environment: [String: String]) {
        func value(_ names: String...) -> String? {
            names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        }
        https = value("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy").flatMap { Self.server($0) }
        // The name in capitals is what a web server would set for a client's header.
        http = value("http_proxy", "ALL_PROXY", "all_proxy").flatMap { Self.server($0) }
        exceptions = (value("NO_PROXY", "no_proxy") ?? "").split(separator: ",").map {
            $0.filter { !$0.isWhitespace }.lowercased()
        }
    }

    /// The server for a host; `nil` is the direct way.
    func server(for host: String, port: Int, isSecure: Bool) -> Server? {
        let host = host.lowercased()
        let isException = exceptions.contains { entry in
            if entry == "*" { return true }
            var name = entry[...]
            if let colon = entry.lastIndex(of: ":"), let number = Int(entry[entry.index(after: colon)...]) {
                guard number == port else { return false }
                name = entry[..<colon]
            }
            if name.hasPrefix(".") { name = name.dropFirst() }
            return !name.isEmpty && (host == name || host.hasSuffix("." + name))
        }
        return isException ? nil : isSecure ? https : http
    }

    /// Reads `http://user:password@host:3128`, or a host and port alone.
    static func server(_ text: String) -> Server? {
        guard let url = URL(string: text.contains("://") ? text : "http://" + text), url.scheme == "http",
            let host = url.host, !host.isEmpty
        else { return nil }
        return Server(
            host: host, port: url.port ?? 80, user: url.user, password: url.password)
    }
}
