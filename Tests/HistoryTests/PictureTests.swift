import AssistantAPI
import Foundation
import GRDB
import Testing

@testable import History

@Suite struct PictureTests {
    private func open(_ folder: TemporaryFolder) throws -> HistoryStore {
        try HistoryStore.open(path: folder.database)
    }

    @discardableResult
    private func save(_ content: String, in history: HistoryStore) async throws -> Picture {
        let clock = ManualClock()
        let picture = Picture.ofTest(content, at: clock.now)
        try await history.save(picture, file: Data(content.utf8))
        return picture
    }

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? NSNumber).intValue
    }

    @Test func aPictureIsThereAfterReopening() async throws {
        let folder = try TemporaryFolder()
        let history = try open(folder)
        let picture = try await save("octopus", in: history)
        try await history.close()
        let again = try open(folder)
        #expect(try await again.picture(picture.id) == picture)
        #expect(try again.file(of: picture) == Data("octopus".utf8))
        #expect(try await again.picture("none") == nil)
        #expect(try await again.picture("../../etc") == nil)
        let hash = picture.sha256
        #expect(try folder.pictureFiles() == ["\(hash.prefix(2))/\(hash.dropFirst(2)).png"])
        try await again.close()
    }

    @Test func filesAreForTheirOwnerAlone() async throws {
        let folder = try TemporaryFolder()
        let history = try open(folder)
        let picture = try await save("octopus", in: history)
        let root = folder.database + "-pictures"
        #expect(try mode(root) == 0o700)
        #expect(try mode("\(root)/\(picture.sha256.prefix(2))") == 0o700)
        #expect(try mode("\(root)/\(folder.pictureFiles()[0])") == 0o600)
        try await history.close()
    }

    @Test func picturesAreListedNewestFirstPageByPage() async throws {
        let folder = try TemporaryFolder()
        let history = try open(folder)
        var ids: [String] = []
        for index in 0..<5 { ids.insert(try await save("picture \(index)", in: history).id, at: 0) }
        let first = try await history.pictures(before: nil, limit: 2)
        let second = try await history.pictures(before: first.next, limit: 2)
        let third = try await history.pictures(before: second.next, limit: 2)
        #expect([first, second, third].flatMap { $0.pictures.map(\.id) } == ids)
        #expect(third.next == nil)
        await #expect(throws: HistoryError.malformedCursor("x")) {
            try await history.pictures(before: "x", limit: 2)
        }
        try await history.close()
    }

    @Test func theSameBytesAreKeptOnceAndGoWithTheLastPicture() async throws {
        let folder = try TemporaryFolder()
        let history = try open(folder)
        let (one, other) = (try await save("twin", in: history), try await save("twin", in: history))
        #expect(one.id != other.id)
        #expect(try folder.pictureFiles().count == 1)
        #expect(try await history.deletePicture(one.id) == one)
        #expect(try history.file(of: other) == Data("twin".utf8))
        _ = try await history.deletePicture(other.id)
        #expect(try folder.pictureFiles() == [])
        await #expect(throws: HistoryError.pictureNotFound(other.id)) {
            try await history.deletePicture(other.id)
        }
        try await history.close()
    }

    @Test func aDeletedPicturesWordsAreInNoFile() async throws {
        let folder = try TemporaryFolder()
        let history = try open(folder)
        try await save("kept", in: history)
        let picture = try await save("Quokkaprompt", in: history)
        func found() throws -> Bool {
            try folder.databaseBytes().values.contains { $0.range(of: Data("Quokkaprompt".utf8)) != nil }
        }
        #expect(try found())
        _ = try await history.deletePicture(picture.id)
        #expect(try !found())
        try await history.close()
    }

    @Test func whatAKilledDaemonLeftIsSweptAtTheStart() async throws {
        let folder = try TemporaryFolder()
        var history = try open(folder)
        let kept = try await save("kept", in: history)
        // A file whose row was not committed, and one that was still being written.
        let root = folder.database + "-pictures"
        let orphan = Picture.ofTest("orphan")
        let files = try #require(history.pictureFiles)
        try files.place(
            files.write(Data("orphan".utf8)), sha256: orphan.sha256, fileExtension: "png")
        _ = try files.write(Data("draft".utf8))
        try Data("the user's".utf8).write(to: URL(fileURLWithPath: root + "/note.txt"))
        #expect(try folder.pictureFiles().count == 4)
        try await history.close()
        history = try open(folder)
        #expect(try folder.pictureFiles().count == 2)
        #expect(try history.file(of: kept) == Data("kept".utf8))
        #expect(try folder.pictureFiles().contains("note.txt"))
        try await history.close()
    }

    @Test func aFileThatWasTamperedWithIsToldOf() async throws {
        let folder = try TemporaryFolder()
        let history = try open(folder)
        let picture = try await save("octopus", in: history)
        let path = try folder.database + "-pictures/" + folder.pictureFiles()[0]
        try Data("octo".utf8).write(to: URL(fileURLWithPath: path))
        let error = try #require(#expect(throws: HistoryError.self) { try history.file(of: picture) })
        #expect("\(error)".contains("7 bytes"))
        // Saving the same picture again heals it.
        try await save("octopus", in: history)
        #expect(try history.file(of: picture) == Data("octopus".utf8))
        try FileManager.default.removeItem(atPath: path)
        #expect(throws: HistoryError.self) { try history.file(of: picture) }
        try await history.close()
    }

    @Test func aPlaceThatCannotBeWrittenRefusesWithASentence() async throws {
        let folder = try TemporaryFolder()
        let history = try open(folder)
        let root = folder.database + "-pictures"
        try Data().write(to: URL(fileURLWithPath: root))
        let picture = Picture.ofTest("octopus")
        await #expect(throws: HistoryError.pictureNotSaved(finding: "\(root) is not a folder of ours")) {
            try await history.save(picture, file: Data("octopus".utf8))
        }
        #expect(try await history.picture(picture.id) == nil)
        try FileManager.default.removeItem(atPath: root)
        try await history.save(picture, file: Data("octopus".utf8))
        // An id that is taken leaves nothing behind.
        var impostor = Picture.ofTest("impostor")
        impostor.id = picture.id
        await #expect(throws: HistoryError.self) {
            try await history.save(impostor, file: Data("impostor".utf8))
        }
        #expect(try folder.pictureFiles().count == 1)
        try await history.close()
    }

    @Test func aStoreInMemoryKeepsNoPictures() async throws {
        let history = try HistoryStore.open(path: nil)
        #expect(!history.keepsPictures)
        await #expect(throws: HistoryError.self) { try await save("octopus", in: history) }
        #expect(try await history.pictures(before: nil, limit: 5) == PictureList(pictures: []))
    }

    @Test func picturesOfALostOrDamagedHistoryAreSetAsideAndNotSwept() async throws {
        let folder = try TemporaryFolder()
        var history = try open(folder)
        try await save("octopus", in: history)
        try await history.close()
        try FileManager.default.removeItem(atPath: folder.database)
        history = try open(folder)
        #expect(try folder.pictureFiles() == [])
        try await save("squid", in: history)
        try await history.close()
        try Data("no database".utf8).write(to: URL(fileURLWithPath: folder.database))
        try await HistoryStore.open(path: folder.database, startFresh: true).close()
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.filter { $0.contains(".corrupt-") && $0.hasSuffix("-pictures") }.count == 2, "\(names)")
    }
}
