import AssistantAPI
import FoundationEssentials
import HubStandIn
import Synchronization
import Testing

@testable import ModelHub

/// A pull that is interrupted at random points always ends with the right bytes, or with a clear error and nothing.
struct InterruptedPullTests {
    private static let size = 300_000

    /// What goes wrong, by numbers that are the same in every run.
    private final class Mischief: Sendable {
        private let numbers: Mutex<Numbers>

        init(seed: UInt64) { numbers = Mutex(Numbers(seed: seed)) }

        func fault(_ request: HubStandIn.Request) -> HubStandIn.Fault? {
            numbers.withLock { numbers in
                let isContent = request.path.hasPrefix("/content")
                let size = request.range?.count ?? InterruptedPullTests.size
                return switch Int.random(in: 0..<100, using: &numbers) {
                case 0..<15 where isContent: .drop(after: Int.random(in: 0..<size, using: &numbers))
                case 15..<20 where isContent: .shorten(to: Int.random(in: 0..<size, using: &numbers))
                case 20..<22 where isContent: .ignoreRange
                case 22..<23 where isContent: .corrupt
                case 23..<24 where isContent: .wrongTotal
                case 24..<25 where isContent: .wrongPart
                case 25..<30: .status(500)
                case 30..<33: .status(429, headers: ["Retry-After": "1"])
                case 33..<38: .dropInHead(after: Int.random(in: 0..<40, using: &numbers))
                default: nil
                }
            }
        }
    }

    @Test(arguments: 0..<50)
    func endsWithTheRightBytesOrAClearError(_ seed: Int) async throws {
        var numbers = Numbers(seed: UInt64(seed))
        let file = numbers.bytes(Self.size)
        let files = ["m-Q4_0.gguf": file]
        let folder = try TemporaryFolder()
        let mischief = Mischief(seed: UInt64(seed) &+ 1000)
        let hub = try HubStandIn(["owner/m": files], fault: { mischief.fault($0) })
        defer { hub.stop() }
        var isDone = false
        for attempt in 0..<6 where !isDone {
            // A daemon that ends at some point, and another one after it.
            let puller = Puller(
                folder.path, hub.endpoint, piece: Int.random(in: 5_000...80_000, using: &numbers))
            let limit = attempt < 4 ? Int.random(in: 1...Self.size * 5 / 4, using: &numbers) : .max
            do {
                let outcome = try await puller.pull(PullRequest(model: "owner/m"), until: limit)
                #expect(outcome.counts == outcome.counts.sorted())
                isDone = outcome.completed != nil
            } catch let error as HubError {
                #expect("\(error)".count > 20, "\(error)")
            }
            await puller.pulls.close()
            let found = puller.model("m-Q4_0.gguf")
            #expect(found == nil || found == file)
            if isDone { #expect(found == file) }
        }
        let honest = try HubStandIn(["owner/m": files])
        defer { honest.stop() }
        let last = Puller(folder.path, honest.endpoint)
        #expect(try await last.pull("owner/m").completed != nil)
        #expect(last.model("m-Q4_0.gguf") == file && last.downloads.isEmpty)
    }
}
