public import FoundationEssentials
import Glibc
import Synchronization

/// What is known of models beside their files: other names for them, and where they were pulled from.
///
/// A small file in the data directory, written whole. Several values may use one file; the last word counts.
public final class ModelRecords: Sendable {
    /// Where a model came from.
    public struct Origin: Codable, Sendable, Equatable {
        /// What it was asked for by, each as it was typed or as it is written out.
        public var references: [String]
        /// As `owner/name`.
        public var repository: String
        /// The commit.
        public var revision: String
        public var pulledAt: Date
        /// With their places below the folder of models.
        public var files: [File]

        public struct File: Codable, Sendable, Equatable {
            public var path: String
            public var bytes: Int
            public var digest: String
        }
    }

    private struct Content: Codable, Equatable {
        var aliases: [String: String] = [:]
        /// By the models' places below the folder of models.
        var origins: [String: Origin] = [:]
    }

    private struct State {
        var stamp: Stamp?
        var content = Content()
        var isSpoilt = false
    }

    /// What tells whether the file was written by somebody else meanwhile.
    private struct Stamp: Equatable {
        var number: UInt
        var size: Int
        var seconds: Int
        var nanoseconds: Int
    }

    private let path: String
    private let state = Mutex(State())

    /// - Parameter path: of a file that may be missing.
    public init(path: String) { self.path = path }

    /// Other names of models: each with the name that it stands for.
    public var aliases: [String: String] { read { $0.aliases } }

    /// Where the model at a place below the folder of models came from.
    public func origin(of target: String) -> Origin? { read { $0.origins[target] } }

    /// The place of the model that was pulled by a reference.
    public func target(pulledBy reference: String) -> String? {
        let wanted = reference.lowercased()
        return read { content in
            content.origins.filter { $0.value.references.contains { $0.lowercased() == wanted } }
                .map(\.key).sorted().first
        }
    }

    /// Gives a model another name, or takes one away.
    public func setAlias(_ alias: String, to name: String?) throws(HubError) {
        try change { $0.aliases[alias] = name }
    }

    func setOrigin(_ origin: Origin, of target: String) throws(HubError) {
        try change { $0.origins[target] = origin }
    }

    /// Forgets a model that is gone, and its other names.
    public func forget(target: String, name: String) throws(HubError) {
        try change { content in
            content.origins[target] = nil
            content.aliases = content.aliases.filter { $0.value != name }
        }
    }

    /// The name of a model by its place: without an ending and the number of a part.
    public static func name(of target: String) -> String {
        let file = target.split(separator: "/").last ?? target[...]
        for ending in [".gguf", ".safetensors"] where file.hasSuffix(ending) {
            let stem = file.dropLast(ending.count)
            return String(SplitName(stem: stem)?.base ?? stem)
        }
        return String(file)
    }

    // MARK: - The file

    private func read<Value>(_ look: (Content) -> Value) -> Value {
        look(
            state.withLock { state in
                refresh(&state)
                return state.content
            })
    }

    private func change(_ edit: (inout Content) -> Void) throws(HubError) {
        let result = state.withLock { state -> Result<Void, HubError> in
            refresh(&state)
            guard !state.isSpoilt else {
                return .failure(.system(path: path, reason: "it cannot be read; mend or remove it"))
            }
            var content = state.content
            edit(&content)
            guard content != state.content else { return .success(()) }
            do throws(HubError) {
                try WholeFile.write(Self.encoded(content), to: path)
            } catch {
                return .failure(error)
            }
            state.content = content
            state.stamp = stamp()
            return .success(())
        }
        try result.get()
    }

    private func refresh(_ state: inout State) {
        let now = stamp()
        guard now != state.stamp else { return }
        state.stamp = now
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        let content = FileManager.default.contents(atPath: path).map {
            try? decoder.decode(Content.self, from: $0)
        }
        // A file that a person has spoilt costs other names, and no models.
        state.content = (content ?? Content()) ?? Content()
        state.isSpoilt = content.map { $0 == nil } ?? false
    }

    private func stamp() -> Stamp? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Stamp(
            number: UInt(status.st_ino), size: Int(status.st_size), seconds: status.st_mtim.tv_sec,
            nanoseconds: status.st_mtim.tv_nsec)
    }

    private static func encoded(_ content: Content) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        // Names and numbers alone always can be encoded.
        return Array((try? encoder.encode(content)) ?? Data("{}".utf8))
    }
}
