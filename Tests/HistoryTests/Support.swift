import AssistantAPI
import Digest
import Foundation
import History
import Synchronization

/// A folder of its own for one test, removed when the test ends.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        // In memory where there is such a place: these tests sync thousands of times, and kill no machine.
        let base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : FileManager.default.temporaryDirectory.path
        path = "\(base)/inkling-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var database: String { path + "/history.db" }

    /// The bytes of all files whose names begin with the database's.
    func databaseBytes() throws -> [String: Data] {
        let names = try FileManager.default.contentsOfDirectory(atPath: path)
        return try Dictionary(
            uniqueKeysWithValues: names.filter { $0.hasPrefix("history.db") && !$0.hasSuffix("-pictures") }
                .map {
                    ($0, try Data(contentsOf: URL(fileURLWithPath: "\(path)/\($0)")))
                })
    }

    /// The files of pictures, by their path below the pictures' folder.
    func pictureFiles() throws -> [String] {
        let folder = database + "-pictures"
        guard FileManager.default.fileExists(atPath: folder) else { return [] }
        return try FileManager.default.subpathsOfDirectory(atPath: folder).filter { path in
            var isDirectory: ObjCBool = false
            let exists = FileManager.default.fileExists(
                atPath: "\(folder)/\(path)", isDirectory: &isDirectory)
            return exists && !isDirectory.boolValue
        }.sorted()
    }
}

/// A clock that stands still until it is set.
final class ManualClock: Sendable {
    private let time = Mutex(Date(timeIntervalSince1970: 1_800_000_000))

    var now: Date { time.withLock { $0 } }

    func advance(by seconds: Double) { time.withLock { $0 += seconds } }
}

extension Picture {
    /// A record whose file has the bytes of `content`.
    static func ofTest(_ content: String, id: String = HistoryStore.makeID(), at date: Date = Date())
        -> Picture
    {
        Picture(
            id: id, format: .png, width: 512, height: 256, bytes: content.utf8.count,
            sha256: SHA256.hexadecimal(of: content.utf8),
            recipe: Recipe(
                model: "sd", prompt: "a \(content)\0", width: 512, height: 256, steps: 4, seed: .max,
                scheduler: "lcm", guidanceScale: 7.5, decoder: "tiny", loras: [.init(name: "l", weight: 0.5)]),
            createdAt: date)
    }
}

extension StoredResponse {
    /// A response whose texts have a NUL.
    static func ofTest(id: String, after previous: String? = nil, at date: Date = ManualClock().now) -> Self {
        StoredResponse(
            id: id, previous: previous, createdAt: date, input: "[\"ink\0\"]",
            body: #"{"status":"completed"}"#)
    }
}

extension HistoryStore {
    /// Adds a message after the shown branch, or after `parent`.
    @discardableResult
    func say(
        _ content: String, _ role: Role = .user, in conversation: Conversation.ID, after parent: Message.ID?,
        finish: FinishReason? = nil
    ) async throws -> Message {
        try await append(
            Message(
                id: Self.makeID(), conversation: conversation, parent: parent, role: role, content: content,
                createdAt: Date(), finish: role == .assistant ? finish ?? .stop : nil))
    }

    /// A conversation in which each text follows the one before, user and assistant in turn.
    func converse(_ title: String, _ texts: String...) async throws -> (Conversation, [Message]) {
        let conversation = try await create(ConversationDraft(title: title))
        var messages: [Message] = []
        for (index, text) in texts.enumerated() {
            messages.append(
                try await say(
                    text, index.isMultiple(of: 2) ? .user : .assistant, in: conversation.id,
                    after: messages.last?.id))
        }
        return (conversation, messages)
    }
}

/// A small generator whose numbers follow from its seed (splitmix64, Vigna 2015).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
