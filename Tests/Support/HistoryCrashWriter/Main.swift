import AssistantAPI
import Digest
import FoundationEssentials
import Glibc
import History

/// Writes messages into a history until it is killed, and tells of each once it was acknowledged.
///
/// `HistoryCrashWriter PATH [LIMIT]`: with a limit, files may not grow beyond that many bytes until a line comes
/// in on standard input, which plays a full disk. Each acknowledged message is a line `saved ID`, each refusal a
/// line `refused SENTENCE`. Each acknowledged picture is a line `painted ID`.
@main enum HistoryCrashWriter {
    static func main() async {
        // As in the daemon: past the limit a write shall fail, not end the process.
        signal(SIGXFSZ, SIG_IGN)
        do {
            let history = try HistoryStore.open(path: CommandLine.arguments[1])
            _ = try await history.markInterrupted()
            say("open")
            if CommandLine.arguments.count > 2, let limit = UInt(CommandLine.arguments[2]) {
                try await fillDisk(history, limit: limit)
            } else {
                while true { try await converse(history) }
            }
        } catch {
            say("failed \(error)")
            exit(1)
        }
    }

    /// Conversations of a few messages, with all that can happen to them.
    private static func converse(_ history: HistoryStore) async throws {
        let conversation = try await history.create(ConversationDraft(title: "crash"))
        var parent: String?
        for index in 0..<8 {
            let text = "message \(index) " + String(repeating: "words and words ", count: index * 40)
            let user = try await history.append(message(.user, text, in: conversation.id, after: parent))
            say("saved \(user.id)")
            let answer = try await history.append(
                message(.assistant, "", in: conversation.id, after: user.id))
            try await history.save("half", of: answer.id)
            let done = try await history.finish(
                answer.id, content: text, finish: .stop, error: nil, model: "m", usage: nil)
            say("saved \(done.id)")
            parent = done.id
        }
        try await paint(history)
        let gone = try await history.create(ConversationDraft(title: "gone"))
        _ = try await history.append(message(.user, "gone", in: gone.id, after: nil))
        _ = try await history.delete(gone.id, now: true)
    }

    /// Two pictures with the same bytes, of which one goes, and one that goes with its bytes.
    private static func paint(_ history: HistoryStore) async throws {
        let id = HistoryStore.makeID()
        let bytes = Data(String(repeating: "pixels of \(id) ", count: 500).utf8)
        try await history.save(picture(id, bytes), file: bytes)
        say("painted \(id)")
        let twin = picture(HistoryStore.makeID(), bytes)
        try await history.save(twin, file: bytes)
        _ = try await history.deletePicture(twin.id)
        let other = picture(HistoryStore.makeID(), Data("short-lived \(id)".utf8))
        try await history.save(other, file: Data("short-lived \(id)".utf8))
        _ = try await history.deletePicture(other.id)
    }

    private static func picture(_ id: String, _ bytes: Data) -> Picture {
        Picture(
            id: id, format: .png, width: 8, height: 8, bytes: bytes.count,
            sha256: SHA256.hexadecimal(of: bytes),
            recipe: Recipe(
                model: "m", prompt: "p", width: 8, height: 8, steps: 1, seed: 1, scheduler: "euler",
                guidanceScale: 1, decoder: "full"),
            createdAt: Date())
    }

    /// Writes until the disk is full, waits for room, and writes once more.
    private static func fillDisk(_ history: HistoryStore, limit: UInt) async throws {
        let conversation = try await history.create(ConversationDraft(title: "full"))
        setFileLimit(limit)
        var refusals = 0
        while refusals < 3 {
            do {
                let text = String(repeating: "fill the disk ", count: 200)
                say(
                    "saved \(try await history.append(message(.user, text, in: conversation.id, after: nil)).id)"
                )
            } catch {
                say("refused \(error)")
                refusals += 1
            }
        }
        // A file larger than what is left of the disk.
        let large = Data(repeating: 7, count: Int(limit) + 1)
        do {
            try await history.save(picture(HistoryStore.makeID(), large), file: large)
            say("painted too much")
        } catch {
            say("refused \(error)")
        }
        // Reading goes on.
        let list = try await history.conversations(before: nil, limit: 1)
        say("listed \(list.conversations.count)")
        _ = readLine()
        setFileLimit(.max)
        let id = HistoryStore.makeID()
        try await history.save(picture(id, large), file: large)
        say("painted \(id)")
        say("saved \(try await history.append(message(.user, "room", in: conversation.id, after: nil)).id)")
        try await history.close()
        say("closed")
    }

    private static func message(
        _ role: Role, _ text: String, in conversation: String, after parent: String?
    ) -> Message {
        Message(
            id: HistoryStore.makeID(), conversation: conversation, parent: parent, role: role, content: text,
            createdAt: Date())
    }

    private static func setFileLimit(_ limit: UInt) {
        var limits = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limits)
        limits.rlim_cur = min(rlim_t(limit), limits.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limits)
    }

    /// One line in one write, which a pipe keeps whole.
    private static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(1, bytes, bytes.count)
    }
}
