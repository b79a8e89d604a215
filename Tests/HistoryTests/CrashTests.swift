import AssistantAPI
import Digest
import Foundation
import GRDB
import Testing

@testable import History

/// What outlives a killed process and a full disk.
@Suite struct CrashTests {
    @Test func noAcknowledgedMessageIsLostToFiftyKills() async throws {
        let folder = try TemporaryFolder()
        var random = SeededGenerator(state: 20_261_123)
        var saved: Set<String> = []
        var painted: Set<String> = []
        for round in 0..<50 {
            let writer = try CrashWriter([folder.database])
            // Some die while opening and recovering, some while writing.
            let lineCount = round.isMultiple(of: 5) ? 0 : Int.random(in: 1...20, using: &random)
            for _ in 0..<lineCount {
                let line = try #require(writer.readLine())
                #expect(!line.hasPrefix("failed"), "\(line)")
            }
            writer.kill(after: .microseconds(Int.random(in: 0...20_000, using: &random)))
            saved.formUnion(writer.lines.compactMap(CrashWriter.savedID))
            painted.formUnion(writer.lines.compactMap(CrashWriter.paintedID))
        }
        #expect(saved.count > 200)
        #expect(painted.count > 5)

        let history = try HistoryStore.open(path: folder.database)
        let problems = try await history.read { db in
            try String.fetchAll(db, sql: "PRAGMA integrity_check")
                + Row.fetchAll(db, sql: "PRAGMA foreign_key_check").map(\.description)
        }
        #expect(problems == ["ok"])
        let kept = try await history.read { db in try Set(String.fetchAll(db, sql: "SELECT id FROM message"))
        }
        #expect(saved.isSubset(of: kept))
        try await history.write { db in
            for index in ["title_search", "content_search"] {
                try db.execute(sql: "INSERT INTO \(index)(\(index), rank) VALUES ('integrity-check', 1)")
            }
        }
        try await checkPictures(of: history, in: folder, painted: painted)
        try await history.close()
    }

    /// Every picture that was acknowledged is there, every one that is there is whole, and no file is left over.
    private func checkPictures(
        of history: HistoryStore, in folder: TemporaryFolder, painted: Set<String>
    ) async throws {
        let pictures = try await history.pictures(before: nil, limit: 1000).pictures
        #expect(painted.isSubset(of: pictures.map(\.id)))
        for picture in pictures {
            #expect(SHA256.hexadecimal(of: try history.file(of: picture)) == picture.sha256)
        }
        let names = Set(pictures.map { "\($0.sha256.prefix(2))/\($0.sha256.dropFirst(2)).png" })
        #expect(try folder.pictureFiles() == names.sorted())
    }

    @Test func aFileWhoseMakingWasKilledOpensAllTheSame() async throws {
        var random = SeededGenerator(state: 7)
        for _ in 0..<12 {
            let folder = try TemporaryFolder()
            let writer = try CrashWriter([folder.database])
            writer.kill(after: .microseconds(Int.random(in: 5000...60_000, using: &random)))
            let history = try HistoryStore.open(path: folder.database)
            _ = try await history.converse("t", "q")
            try await history.close()
            #expect(try folder.databaseBytes().keys.sorted() == ["history.db", "history.db.lock"])
        }
    }

    @Test(arguments: [100_000, 150_000, 300_000])
    func aFullDiskRefusesWithASentenceAndRecoversByItself(limit: Int) async throws {
        let folder = try TemporaryFolder()
        let writer = try CrashWriter([folder.database, "\(limit)"])
        while let line = writer.readLine(), !line.hasPrefix("listed") {}
        let refusals = writer.lines.filter { $0.hasPrefix("refused") }
        #expect(refusals.count == 4)
        #expect(
            refusals.prefix(3).allSatisfy { $0.hasPrefix("refused the message was not saved: disk") },
            "\(refusals)")
        #expect(refusals.last == "refused the picture was not saved: File too large")
        #expect(writer.lines.last == "listed 1")
        let before = Set(writer.lines.compactMap(CrashWriter.savedID))
        #expect(!before.isEmpty)
        #expect(try folder.pictureFiles() == [])
        writer.writeLine()
        let painted = CrashWriter.paintedID(try #require(writer.readLine()))
        #expect(CrashWriter.savedID(try #require(writer.readLine())) != nil)
        #expect(writer.readLine() == "closed")
        #expect(writer.waitForEnd() == 0)

        let history = try HistoryStore.open(path: folder.database)
        let kept = try await history.read { db in try Set(String.fetchAll(db, sql: "SELECT id FROM message"))
        }
        #expect(kept == Set(writer.lines.compactMap(CrashWriter.savedID)))
        #expect(kept.isSuperset(of: before))
        try await checkPictures(of: history, in: folder, painted: [try #require(painted)])
        try await history.close()
    }
}

/// A running HistoryCrashWriter.
private final class CrashWriter {
    private(set) var lines: [String] = []
    private let process = Process()
    private let output = Pipe(), input = Pipe()
    private var pending = Data()

    init(_ arguments: [String]) throws {
        // The tests and the program are built into the same folder.
        let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent()
        process.executableURL = products.appending(path: "HistoryCrashWriter")
        process.arguments = arguments
        process.standardOutput = output
        process.standardInput = input
        process.environment = ["SWIFT_BACKTRACE": "enable=no", "PATH": "/usr/bin:/bin"]
        try process.run()
    }

    static func savedID(_ line: String) -> String? {
        line.hasPrefix("saved ") ? String(line.dropFirst(6)) : nil
    }

    static func paintedID(_ line: String) -> String? {
        line.hasPrefix("painted ") ? String(line.dropFirst(8)) : nil
    }

    /// The next line; `nil` at the end.
    func readLine() -> String? {
        while true {
            if let end = pending.firstIndex(of: 0x0A) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending = Data(pending[(end + 1)...])
                lines.append(line)
                return line
            }
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { return nil }
            pending += more
        }
    }

    func writeLine() { input.fileHandleForWriting.write(Data("\n".utf8)) }

    /// Kills it at a moment that nothing of its own work chooses, then reads what it had said.
    func kill(after delay: Duration) {
        usleep(UInt32(delay.components.attoseconds / 1_000_000_000_000))
        Glibc.kill(process.processIdentifier, SIGKILL)
        _ = waitForEnd()
        while readLine() != nil {}
    }

    func waitForEnd() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }

    deinit {
        if process.isRunning { Glibc.kill(process.processIdentifier, SIGKILL) }
    }
}
