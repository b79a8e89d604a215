import AssistantAPI
import Foundation
import GRDB
import Testing

@testable import History

@Suite struct FileTests {
    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? NSNumber).intValue
    }

    private func openingError(_ path: String) throws -> HistoryError {
        try #require(#expect(throws: HistoryError.self) { try HistoryStore.open(path: path) })
    }

    /// A closed history with some text in it.
    private func makeHistory(in folder: TemporaryFolder, messages: Int = 3) async throws {
        let history = try HistoryStore.open(path: folder.database)
        let conversation = try await history.create(.init(title: "kept"))
        var parent: String?
        for index in 0..<messages {
            parent = try await history.say("message \(index)", in: conversation.id, after: parent).id
        }
        try await history.close()
    }

    @Test func filesAreForTheirOwnerAlone() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/data/inkling/history.db"
        let history = try HistoryStore.open(path: path)
        _ = try await history.converse("t", "q")
        #expect(try mode(folder.path + "/data/inkling") == 0o700)
        for suffix in ["", "-wal", "-shm", ".lock"] { #expect(try mode(path + suffix) == 0o600, "\(suffix)") }
        try await history.close()
        // One that was opened to others is closed again.
        #expect(chmod(path, 0o644) == 0)
        try await HistoryStore.open(path: path).close()
        #expect(try mode(path) == 0o600)
    }

    @Test func whatWasSavedIsThereAfterReopening() async throws {
        let folder = try TemporaryFolder()
        try await makeHistory(in: folder)
        #expect(try folder.databaseBytes().keys.sorted() == ["history.db", "history.db.lock"])
        let history = try HistoryStore.open(path: folder.database)
        let list = try await history.conversations(before: nil, limit: 9).conversations
        #expect(list.map(\.title) == ["kept"])
        #expect(
            try await history.transcript(list[0].id)?.messages.map(\.content) == [
                "message 0", "message 1", "message 2",
            ])
        #expect(history.libraryVersion.hasPrefix("3."))
        #expect(history.warning == nil)
        try await history.close()
        try await history.close()
        await #expect(throws: HistoryError.self) { try await history.create(.init()) }
        await #expect(throws: HistoryError.self) { try await history.conversations(before: nil, limit: 1) }
    }

    @Test func theWriterIsSafeAgainstPowerFailureAndHostileFiles() async throws {
        let folder = try TemporaryFolder()
        let history = try HistoryStore.open(path: folder.database)
        let expected = [
            "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "trusted_schema": 0,
            "cell_size_check": 1,
            "mmap_size": 0, "application_id": 0x494E_4B4C, "user_version": Schema.version,
        ]
        for (name, value) in expected {
            #expect(
                try await history.write { try Int.fetchOne($0, sql: "PRAGMA \(name)") } == value, "\(name)")
        }
        #expect(try await history.write { try String.fetchOne($0, sql: "PRAGMA journal_mode") } == "wal")
        // A reader can neither write nor, therefore, checkpoint.
        await #expect(throws: HistoryError.self) {
            try await history.read { try $0.execute(sql: "DELETE FROM conversation") }
        }
        try await history.close()
    }

    @Test func aSecondDaemonIsRefused() async throws {
        let folder = try TemporaryFolder()
        let history = try HistoryStore.open(path: folder.database)
        #expect(try openingError(folder.database) == .inUse(path: folder.database))
        _ = try await history.converse("t", "q")
        try await history.close()
        try await HistoryStore.open(path: folder.database).close()
    }

    @Test func aNewerSchemaIsRefusedUntouched() async throws {
        let folder = try TemporaryFolder()
        try await makeHistory(in: folder)
        let queue = try DatabaseQueue(path: folder.database)
        try await queue.write { try $0.execute(sql: "PRAGMA user_version = 99; CREATE TABLE future (x)") }
        try queue.close()
        let before = try folder.databaseBytes()
        let error = try openingError(folder.database)
        #expect(error == .newerSchema(path: folder.database, found: 99, supported: Schema.version))
        #expect(throws: error) { try HistoryStore.open(path: folder.database, startFresh: true) }
        #expect(try folder.databaseBytes()["history.db"] == before["history.db"])
    }

    @Test(arguments: ["hello, I am a text", "x", "SQLite format 3", String(repeating: "\0", count: 8192)])
    func aFileOfAnotherKindIsRefusedUntouched(text: String) throws {
        let folder = try TemporaryFolder()
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.database))
        guard case .foreignFile = try openingError(folder.database) else {
            Issue.record("not refused as foreign")
            return
        }
        #expect(try folder.databaseBytes().keys.sorted() == ["history.db", "history.db.lock"])
        #expect(try folder.databaseBytes()["history.db"] == Data(text.utf8))
    }

    @Test(arguments: [
        "CREATE TABLE places (x)",
        "PRAGMA application_id = 7; CREATE TABLE conversation (x)",
        "PRAGMA user_version = 3",
    ])
    func anotherProgramsDatabaseIsRefusedUntouched(sql: String) async throws {
        let folder = try TemporaryFolder()
        let queue = try DatabaseQueue(path: folder.database)
        try await queue.write { try $0.execute(sql: sql) }
        try queue.close()
        let before = try folder.databaseBytes()["history.db"]
        guard case .foreignFile = try openingError(folder.database) else {
            Issue.record("not refused as foreign")
            return
        }
        #expect(try folder.databaseBytes()["history.db"] == before)
        #expect(try folder.databaseBytes().keys.sorted() == ["history.db", "history.db.lock"])
    }

    @Test(arguments: [
        "CREATE TRIGGER evil AFTER INSERT ON message BEGIN DELETE FROM conversation; END",
        "CREATE VIEW evil AS SELECT 1",
        "DROP INDEX message_parent",
    ])
    func triggersAndViewsThatAreNotOursAreRefused(sql: String) async throws {
        let folder = try TemporaryFolder()
        try await makeHistory(in: folder)
        let queue = try DatabaseQueue(path: folder.database)
        try await queue.write { try $0.execute(sql: sql) }
        try queue.close()
        guard case .foreignFile = try openingError(folder.database) else {
            Issue.record("not refused")
            return
        }
    }

    @Test func everyDamagedPageIsNoticedOrHarmlessAndNeverRewritten() async throws {
        let folder = try TemporaryFolder()
        try await makeHistory(in: folder, messages: 60)
        let whole = try Data(contentsOf: URL(fileURLWithPath: folder.database))
        let pageSize = 4096
        #expect(whole.count >= 20 * pageSize)
        var refused = 0
        for page in 0..<(whole.count / pageSize) {
            var damaged = whole
            damaged.replaceSubrange(
                (page * pageSize)..<((page + 1) * pageSize), with: Data(repeating: 0xA5, count: pageSize))
            let copy = try TemporaryFolder()
            try damaged.write(to: URL(fileURLWithPath: copy.database))
            do {
                _ = try HistoryStore.open(path: copy.database)
            } catch {
                refused += 1
                #expect(try copy.databaseBytes()["history.db"] == damaged, "page \(page)")
            }
        }
        // A page of the index that belongs to no tree but the index's own is the only kind that may pass.
        #expect(refused >= whole.count / pageSize - 2)
    }

    @Test func aTruncatedFileIsRefusedUntouched() async throws {
        let folder = try TemporaryFolder()
        try await makeHistory(in: folder, messages: 60)
        let whole = try Data(contentsOf: URL(fileURLWithPath: folder.database))
        for count in [
            17, 100, 511, 512, 4095, 4096, 8192, whole.count / 2, whole.count - 4096, whole.count - 1,
        ] {
            let copy = try TemporaryFolder()
            try whole.prefix(count).write(to: URL(fileURLWithPath: copy.database))
            #expect(throws: HistoryError.self, "\(count)") { try HistoryStore.open(path: copy.database) }
            #expect(try copy.databaseBytes()["history.db"] == whole.prefix(count), "\(count)")
        }
    }

    @Test func startingFreshMovesTheDamagedFileAside() async throws {
        let folder = try TemporaryFolder()
        try await makeHistory(in: folder)
        let whole = try Data(contentsOf: URL(fileURLWithPath: folder.database))
        let clock = ManualClock()
        for _ in 0..<2 {
            try whole.prefix(9000).write(to: URL(fileURLWithPath: folder.database))
            let history = try HistoryStore.open(path: folder.database, startFresh: true, now: { clock.now })
            #expect(try await history.conversations(before: nil, limit: 1).conversations.isEmpty)
            _ = try await history.converse("new", "q")
            try await history.close()
        }
        let aside = try folder.databaseBytes().filter { $0.key.contains(".corrupt-") }
        #expect(
            aside.keys.sorted() == [
                "history.db.corrupt-20270115T080000Z", "history.db.corrupt-20270115T080000Z-2",
            ])
        #expect(aside.values.allSatisfy { $0 == whole.prefix(9000) })
        // A whole one stays where it is.
        let history = try HistoryStore.open(path: folder.database, startFresh: true)
        #expect(try await history.conversations(before: nil, limit: 9).conversations.map(\.title) == ["new"])
        try await history.close()
    }

    @Test func placesThatAreNotSafeAreRefused() async throws {
        let folder = try TemporaryFolder()
        let open = folder.path + "/open"
        try FileManager.default.createDirectory(atPath: open, withIntermediateDirectories: false)
        #expect(chmod(open, 0o777) == 0)
        #expect(
            try openingError(open + "/h.db")
                == .unsafeDirectory(path: open, finding: "others can write to it; run: chmod 700 \(open)"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: open) == [])

        let link = folder.path + "/link.db"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/etc/hostname")
        #expect(try openingError(link) == .cannotOpen(path: link, finding: "it is a link"))
        let pipe = folder.path + "/pipe.db"
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(try openingError(pipe) == .cannotOpen(path: pipe, finding: "it is not a regular file"))
        for path in ["relative.db", folder.path, folder.path + "/a\0b", link + "/h.db", "/proc/none/h.db"] {
            #expect(throws: HistoryError.self, "\(path)") { try HistoryStore.open(path: path) }
        }
    }

    @Test(.enabled(if: geteuid() == 0, "needs the right to give a file away"))
    func filesAndDirectoriesOfOthersAreRefused() throws {
        let folder = try TemporaryFolder()
        let theirs = folder.path + "/theirs"
        try FileManager.default.createDirectory(
            atPath: theirs, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        #expect(chown(theirs, 65_534, 65_534) == 0)
        #expect("\(try openingError(theirs + "/h.db"))".contains("belongs to user 65534"))
        try Data().write(to: URL(fileURLWithPath: folder.database))
        #expect(chown(folder.database, 65_534, 65_534) == 0)
        #expect("\(try openingError(folder.database))".contains("belongs to user 65534"))
    }

    @Test func aDamagedSearchIndexIsMadeAgainAndKeepsNothingFromBeingSaved() async throws {
        let folder = try TemporaryFolder()
        let history = try HistoryStore.open(path: folder.database)
        let (conversation, messages) = try await history.converse("t", "alpha", "beta")
        func damage() async throws {
            try await history.write {
                try $0.execute(sql: "DELETE FROM content_search_data WHERE id > 10")
            }
        }
        try await damage()
        #expect(try await history.search("alpha", limit: 5).map(\.message) == [messages[0].id])
        try await damage()
        let third = try await history.say("gamma", in: conversation.id, after: messages[1].id)
        _ = try await history.delete(conversation.id, now: false)
        _ = try await history.restore(conversation.id)
        #expect(try await history.search("gamma", limit: 5).map(\.message) == [third.id])
        try await damage()
        _ = try await history.delete(conversation.id, now: true)
        #expect(try await history.search("gamma", limit: 5).isEmpty)
        try await history.close()
    }

    /// `Fixtures/history-<n>.db` was written by version n of the schema, and is never written again.
    @Test(arguments: 1...4)
    func aFileOfEveryReleasedVersionOpensWithAllItsRows(version: Int) async throws {
        let folder = try TemporaryFolder()
        let fixture = try #require(
            Bundle.module.url(forResource: "Fixtures/history-\(version)", withExtension: "db"))
        try FileManager.default.copyItem(at: fixture, to: URL(fileURLWithPath: folder.database))
        let history = try HistoryStore.open(path: folder.database)
        let list = try await history.conversations(before: nil, limit: 9).conversations
        #expect(list.map(\.title) == ["Octopuses", "Deleted and restored"])
        #expect(list.map(\.system) == ["Be brief.", nil])
        let transcript = try #require(await history.transcript(list[0].id))
        #expect(transcript.messages.map(\.content) == ["How many hearts?", "Three.\0", "And brains?", "Ni"])
        #expect(transcript.messages.map(\.siblingCount) == [1, 2, 1, 1])
        #expect(transcript.messages[3].finish == .cancelled)
        #expect(
            transcript.messages[3].usage == Usage(promptTokens: 30, cachedTokens: 20, completionTokens: 1))
        #expect(transcript.messages.map(\.picture) == [nil, nil, nil, version < 3 ? nil : "01fox"])
        #expect(try await history.search("hearts", limit: 5).map(\.message) == [transcript.messages[0].id])
        #expect(try await history.write { try Schema.userVersion($0) } == Schema.version)
        let pictures = try await history.pictures(before: nil, limit: 9).pictures
        let fox = Picture.ofTest("fox", id: "01fox", at: ManualClock().now)
        #expect(pictures == (version < 2 ? [] : [fox]))
        let response = StoredResponse.ofTest(id: "resp_2", after: "resp_1", at: ManualClock().now)
        #expect(try await history.response("resp_2") == (version < 4 ? nil : response))
        try await history.close()
    }

    @Test func networkFileSystemsAreToldOf() {
        let mounts = """
            /dev/vda / ext4 rw 0 0
            proc /proc proc rw 0 0
            host:/home /home nfs4 rw 0 0
            /dev/vdb /home/ada ext4 rw 0 0
            //nas/x /home/ada/nas cifs rw 0 0
            """
        func warning(_ path: String) -> String? { HistoryFile(path: path).fileSystemWarning(mounts: mounts) }
        #expect(warning("/var/h.db") == nil)
        #expect(warning("/homeless/h.db") == nil)
        #expect(warning("/home/ada/h.db") == nil)
        #expect(warning("/home/eve/h.db")?.contains("(nfs4)") == true)
        #expect(warning("/home/ada/nas/h.db")?.contains("(cifs)") == true)
        #expect(warning("/h.db") == nil)
        #expect(HistoryFile(path: "/h.db").fileSystemWarning(mounts: "") == nil)
    }

    @Test func twoWritersAndReadersAtOnceLoseNothing() async throws {
        let folder = try TemporaryFolder()
        let history = try HistoryStore.open(path: folder.database)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask {
                    let conversation = try await history.create(.init(title: "\(task)"))
                    var parent: String?
                    for index in 0..<25 {
                        parent = try await history.say("\(task) \(index)", in: conversation.id, after: parent)
                            .id
                        _ = try await history.search("\(index)", limit: 3)
                    }
                    #expect(try await history.transcript(conversation.id)?.messages.count == 25)
                }
            }
            try await group.waitForAll()
        }
        #expect(
            try await history.conversations(before: nil, limit: 9).conversations.map(\.messageCount) == [
                25, 25, 25, 25,
            ])
        try await history.close()
    }
}
