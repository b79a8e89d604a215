import Glibc

/// Where everything lies, by the XDG base directory specification.
///
/// Only names are computed here, but for the runtime directory, which is looked at; `prepare()` makes the
/// directories.
public struct Paths: Sendable, Equatable {
    /// The user's home directory.
    public var home: String
    /// `$XDG_CONFIG_HOME/inkling`: what the user writes.
    public var configuration: String
    /// `$XDG_DATA_HOME/inkling`: models and the history.
    public var data: String
    /// `$XDG_STATE_HOME/inkling`: typed lines and the log.
    public var state: String
    /// `$XDG_CACHE_HOME/inkling`: what can be made again.
    public var cache: String
    /// `$XDG_RUNTIME_DIR/inkling`: the socket; nobody else may enter it.
    public var runtime: String
    /// The daemon's socket.
    public var socket: String
    /// The database of conversations.
    public var history: String
    /// Folders of models that came with the program, for names that the user's own folders don't have.
    public var shippedModels: [String] = []
    /// Where the page's files may lie that came with the program.
    public var shippedPage: [String] = []
    /// Where the catalogue of known models may lie that came with the program.
    public var shippedCatalogue: [String] = []
    /// Where Ollama keeps its models.
    public var ollamaStores: [String]
    /// Where Hugging Face's programs keep what they had from the hub.
    public var hubCaches: [String]

    /// Longest path that the kernel takes for a socket, in bytes.
    public static let socketPathLimit = 107

    public var configurationFile: String { configuration + "/config.toml" }
    public var models: String { data + "/models" }
    /// What is known of models beside their files.
    public var modelRecords: String { data + "/models.json" }
    /// Models on their way here.
    public var downloads: String { cache + "/downloads" }
    /// Held by the daemon that owns the socket.
    public var lock: String { socket + ".lock" }
    /// The lines that were typed into the terminal client.
    public var inputHistory: String { state + "/input-history" }
    /// Where a daemon that a client started writes its log.
    public var log: String { state + "/inklingd.log" }

    /// The places that the environment names; relative ones are ignored, as the specification asks.
    ///
    /// Without `XDG_RUNTIME_DIR` the runtime directory is `/run/user/<uid>` where that is ours, else a folder
    /// under the state directory; never one in a place that others can write to.
    public init(environment: [String: String]) throws(ConfigurationError) {
        func base(_ variable: String) -> String? {
            environment[variable].flatMap { $0.hasPrefix("/") ? $0 : nil }
        }
        guard let home = base("HOME") ?? Self.homeFromUserDatabase() else { throw .noHome }
        self.home = home
        configuration = (base("XDG_CONFIG_HOME") ?? home + "/.config") + "/inkling"
        data = (base("XDG_DATA_HOME") ?? home + "/.local/share") + "/inkling"
        state = (base("XDG_STATE_HOME") ?? home + "/.local/state") + "/inkling"
        cache = (base("XDG_CACHE_HOME") ?? home + "/.cache") + "/inkling"
        if let base = base("XDG_RUNTIME_DIR") {
            runtime = base + "/inkling"
        } else {
            let base = "/run/user/\(getuid())"
            runtime = Self.isOurs(base) ? base + "/inkling" : state + "/run"
        }
        let ollama = base("OLLAMA_MODELS") ?? home + "/.ollama/models"
        // The second is where the service of a Linux machine has them.
        ollamaStores = [ollama, "/usr/share/ollama/.ollama/models"]
        let caches = base("XDG_CACHE_HOME") ?? home + "/.cache"
        hubCaches = [
            base("HF_HUB_CACHE") ?? base("HUGGINGFACE_HUB_CACHE")
                ?? (base("HF_HOME") ?? caches + "/huggingface") + "/hub"
        ]
        socket = runtime + "/inkling.sock"
        history = data + "/history.db"
    }

    /// The same places, with those that the configuration names instead.
    ///
    /// - Throws: `socketPathTooLong`, with a sentence, rather than the kernel's bare refusal later.
    public func applying(_ configuration: Configuration) throws(ConfigurationError) -> Self {
        var paths = self
        if let socket = configuration.server.socket { paths.socket = socket }
        if let history = configuration.history.path { paths.history = history }
        let byteCount = paths.socket.utf8.count
        guard byteCount <= Self.socketPathLimit else {
            throw .socketPathTooLong(path: paths.socket, byteCount: byteCount, limit: Self.socketPathLimit)
        }
        return paths
    }

    /// Where files that came with a program lie: in an installed layout under `share`, in a clone under `Assets`.
    ///
    /// - Parameters:
    ///   - name: The folder's or file's: `models`, `page` or `models.json`.
    ///   - executable: The program's absolute path.
    ///   - cloneFolder: Where it is in a clone.
    /// - Returns: Names only; nothing is looked at, but for which folder above the program is a clone.
    public static func shipped(
        _ name: String, besides executable: String, inClone cloneFolder: String = "Assets"
    ) -> [String] {
        var folders = executable.split(separator: "/").dropLast()
        var found =
            folders.isEmpty
            ? [] : ["/" + (folders.dropLast() + ["share/inkling/\(name)"]).joined(separator: "/")]
        while !folders.isEmpty {
            let assets = "/" + (folders + ["\(cloneFolder)/\(name)"]).joined(separator: "/")
            if access(assets, F_OK) == 0 {
                found.append(assets)
                break
            }
            folders = folders.dropLast()
        }
        return found
    }

    /// The path of the running program.
    public static func executable() -> String? {
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let count = readlink("/proc/self/exe", start, buffer.count)
            return count > 0 && count < buffer.count ? String(decoding: buffer[..<count], as: UTF8.self) : nil
        }
    }

    /// Makes our own directories, closed to everyone else, and closes them where they are open.
    public func prepare() throws(ConfigurationError) {
        for path in [configuration, data, state, cache, runtime] { try Self.makePrivateDirectory(path) }
        // Models are large: a link to another disk is as good.
        if !Self.isLinkToDirectory(models) { try Self.makePrivateDirectory(models) }
    }

    private static func isLinkToDirectory(_ path: String) -> Bool {
        var (own, target) = (stat(), stat())
        return lstat(path, &own) == 0 && own.st_mode & S_IFMT == S_IFLNK
            && stat(path, &target) == 0 && target.st_mode & S_IFMT == S_IFDIR
    }

    /// Makes a directory with mode 0700, or checks one that is there.
    ///
    /// One that is ours but open to others is closed. A link, or one that someone else owns, is refused:
    /// whoever owns the place of a socket can stand in for the daemon.
    public static func makePrivateDirectory(_ path: String) throws(ConfigurationError) {
        try makeParents(of: path)
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw .unsafeDirectory(path: path, finding: String(cString: strerror(errno)))
        }
        var status = stat()
        guard lstat(path, &status) == 0 else {
            throw .unsafeDirectory(path: path, finding: String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw .unsafeDirectory(path: path, finding: "it is not a directory")
        }
        guard status.st_uid == geteuid() else {
            throw .unsafeDirectory(
                path: path, finding: "it belongs to user \(status.st_uid), not to user \(geteuid())")
        }
        if status.st_mode & 0o077 != 0, chmod(path, 0o700) != 0 {
            throw .unsafeDirectory(
                path: path, finding: "others can enter it, and it cannot be closed; run: chmod 700 \(path)")
        }
    }

    var hasConfigurationFile: Bool { access(configurationFile, F_OK) == 0 }

    private static func makeParents(of path: String) throws(ConfigurationError) {
        var position = path.startIndex
        while let slash = path[position...].dropFirst().firstIndex(of: "/") {
            let parent = String(path[..<slash])
            // The specification asks for 0700 on base directories that have to be made.
            if mkdir(parent, 0o700) != 0, errno != EEXIST, access(parent, F_OK) != 0 {
                throw .unsafeDirectory(path: parent, finding: String(cString: strerror(errno)))
            }
            position = slash
        }
    }

    private static func isOurs(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
            && status.st_uid == getuid() && status.st_mode & 0o022 == 0
    }

    private static func homeFromUserDatabase() -> String? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16_384) { text in
            guard let start = text.baseAddress,
                getpwuid_r(getuid(), &entry, start, text.count, &found) == 0, found != nil,
                let directory = entry.pw_dir
            else { return nil }
            let home = String(cString: directory)
            return home.hasPrefix("/") ? home : nil
        }
    }
}
