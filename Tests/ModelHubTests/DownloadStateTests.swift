import FoundationEssentials
import Testing

@testable import ModelHub

struct DownloadLedgerTests {
    @Test func gapsAreClaimedOnceAndGivenBack() {
        var ledger = DownloadLedger(size: 100, finished: RangeSet([20..<30, 90..<120]))
        #expect(ledger.finishedBytes == 20)
        let claims = (0..<4).map { _ in ledger.claim(atMost: 40) }
        #expect(claims == [0..<20, 30..<70, 70..<90, nil])
        #expect(ledger.finish(0..<10) == 10)
        #expect(ledger.finish(5..<15) == 5)
        ledger.release(0..<20)
        #expect(ledger.claim(atMost: 40) == 15..<20)
        #expect(ledger.finish(0..<100) == 65)
        #expect(ledger.isWhole)
        ledger.release(0..<100)
        #expect(ledger.claim(atMost: 1) == nil)
        var empty = DownloadLedger(size: 0)
        #expect(empty.isWhole)
        #expect(empty.claim(atMost: 1) == nil)
    }

    @Test func aServerThatBeginsAtTheBeginningIsReadByOne() {
        var ledger = DownloadLedger(size: 100, finished: RangeSet([0..<50]))
        let (one, other) = (ledger.claim(atMost: 25), ledger.claim(atMost: 25))
        #expect(one == 50..<75 && other == 75..<100)
        var isOne = ledger.readFromBeginning(instead: 75..<100)
        #expect(isOne)
        isOne = ledger.readFromBeginning(instead: 50..<75)
        #expect(!isOne)
        ledger.release(50..<75)
        #expect(ledger.claim(atMost: 25) == nil)
        #expect(ledger.finish(0..<60) == 10)
        ledger.release(0..<100)
        #expect(ledger.claim(atMost: 25) == 0..<100)
        isOne = ledger.readFromBeginning(instead: 0..<100)
        #expect(isOne)
    }
}

struct BackoffTests {
    private let broken = HubError.unreachable(hub: "h", reason: "r")

    @Test func pausesGrowAndEnd() {
        var backoff = Backoff()
        let pauses = (0..<6).map { _ in backoff.pause(after: broken) }
        #expect(pauses == [0.5, 1, 2, 4, 8].map { .seconds($0) } + [nil])
        var moving = Backoff()
        for _ in 0..<20 {
            #expect(moving.pause(after: broken) == .milliseconds(500))
            moving.succeed()
        }
    }

    @Test func aHubThatAsksForPatienceIsWaitedForUpToALimit() {
        var backoff = Backoff()
        #expect(backoff.pause(after: HubError.tooManyRequests(hub: "h", wait: 60)) == .seconds(60))
        #expect(backoff.pause(after: HubError.tooManyRequests(hub: "h", wait: 301)) == nil)
        #expect(backoff.pause(after: HubError.tooManyRequests(hub: "h", wait: nil)) == .seconds(2))
    }

    @Test func whatWaitingDoesNotMendIsTheAnswer() {
        for error in [HubError.badToken(hub: "h"), .offline("x"), .badAnswer(hub: "h", what: "w")] {
            var backoff = Backoff()
            #expect(backoff.pause(after: error) == nil)
        }
        var backoff = Backoff()
        #expect(backoff.pause(after: CancellationError()) == nil)
    }
}

struct PartialFileTests {
    private let file = HubFile(path: "f", bytes: 10, digest: .sha256(String(repeating: "a", count: 64)))

    private func write(_ partial: PartialFile, _ bytes: [UInt8], at offset: Int) throws {
        try bytes.withUnsafeBytes { _ = try partial.write($0, at: offset) }
    }

    @Test func onlyWhatTheJournalTellsOfIsThereTheNextTime() async throws {
        let folder = try TemporaryFolder()
        do {
            let partial = try PartialFile(file, in: folder.path)
            try write(partial, [1, 2, 3], at: 4)
            try await partial.keep()
            try write(partial, [1, 2], at: 0)
            #expect(partial.finishedBytes == 5)
            #expect(throws: HubError.busy(name: "f")) { try PartialFile(file, in: folder.path) }
        }
        let again = try PartialFile(file, in: folder.path)
        #expect(again.finishedBytes == 3 && again.claim(atMost: 10) == 0..<4)
    }

    @Test(arguments: [
        "", "inkling download 1 11 sha256:x\n0 5\n", "HEAD0 x\n", "HEAD5 3\n", "HEAD0 11\n", "HEAD-1 3\n",
        "HEAD0 3 4\n", "HEAD1\n",
    ])
    func aDamagedJournalCostsOnlyTheDownload(_ text: String) throws {
        let folder = try TemporaryFolder()
        _ = try PartialFile(file, in: folder.path)
        let journal = "\(folder.path)/sha256-\(String(repeating: "a", count: 64)).journal"
        let head = "inkling download 1 10 \(file.digest)\n"
        try Data(text.replacing("HEAD", with: head).utf8).write(to: URL(filePath: journal))
        #expect(try PartialFile(file, in: folder.path).finishedBytes == 0)
    }
}

struct ModelRecordsTests {
    @Test func aliasesAndOriginsAreThereTheNextTime() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/models.json"
        let records = ModelRecords(path: path)
        try records.setAlias("fast", to: "Big_Model-Q4")
        let origin = ModelRecords.Origin(
            references: ["hf.co/a/b"], repository: "a/b", revision: "c",
            pulledAt: Date(timeIntervalSince1970: 5),
            files: [.init(path: "x.gguf", bytes: 3, digest: "git:0")])
        try records.setOrigin(origin, of: "x.gguf")
        let next = ModelRecords(path: path)
        #expect(next.aliases == ["fast": "Big_Model-Q4"])
        #expect(next.origin(of: "x.gguf") == origin && next.target(pulledBy: "HF.co/a/b") == "x.gguf")
        try next.setAlias("slow", to: "x")
        // What somebody else wrote is seen.
        #expect(records.aliases.count == 2)
        try records.forget(target: "x.gguf", name: "x")
        #expect(next.aliases.keys.sorted() == ["fast"] && next.origin(of: "x.gguf") == nil)
        #expect(ModelRecords.name(of: "loras/a.safetensors") == "a")
        #expect(ModelRecords.name(of: "b-00001-of-00003.gguf") == "b")
    }

    @Test func aSpoiltFileIsNotWrittenOver() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/models.json"
        try Data("{ mine".utf8).write(to: URL(filePath: path))
        let records = ModelRecords(path: path)
        #expect(records.aliases.isEmpty)
        #expect(throws: HubError.self) { try records.setAlias("a", to: "b") }
        #expect(try Data(contentsOf: URL(filePath: path)) == Data("{ mine".utf8))
    }
}
