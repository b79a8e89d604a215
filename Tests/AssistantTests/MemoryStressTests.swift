import AssistantAPI
import FoundationEssentials
import Settings
import Synchronization
import Testing

@testable import Assistant

/// Real networks, loaded and let go hundreds of times in a budget that has room for few of them.
@Suite(.timeLimit(.minutes(5)))
struct MemoryStressTests {
    private static let pictures = ["sd15", "sd2-v", "sd-turbo", "sdxl", "lcm", "bk-sdm", "sdxs"]
    private static let folder: String = {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(2)
        return parts.joined(separator: "/") + "/StableDiffusionTests/Fixtures/models/"
    }()
    private static let chats = (1...12).map { "chat\($0)" }
    /// A picture of these models takes 33 MiB by the estimate; beside it there is room for some three models.
    private static let budget = 35 << 20

    private func tiny() throws -> TinyAssistant {
        try TinyAssistant(names: Self.chats) { $0.memory.budget = Self.budget }
    }

    /// Paints, and tells whether the model had to be loaded.
    private func paint(_ model: String, width: Int = 32, on tiny: TinyAssistant) async throws -> Bool {
        var request = PictureRequest(prompt: "a fox")
        (request.model, request.seed, request.steps) = (Self.folder + model, 1, 1)
        (request.width, request.height) = (width, width)
        var isLoaded = false
        for try await event in tiny.assistant.pictures.make(request, client: "painter") {
            if case .loading = event { isLoaded = true }
        }
        return isLoaded
    }

    private func ask(_ model: String, on tiny: TinyAssistant) async throws -> Bool {
        let outcome = try await tiny.complete(
            TinyAssistant.request(.text("hello"), tokens: 3, model: model), client: "talker")
        #expect(outcome.tokens.count == 3)
        return outcome.events.contains(.loading(fraction: 0))
    }

    @Test func twoHundredLoadsStayInsideTheBudget() async throws {
        let tiny = try tiny()
        let memory = tiny.assistant.core.engine.memory
        let counter = Counter()
        async let painted: Void = paintMany(on: tiny, counter)
        var random = SeededRandom(seed: 11)
        while counter.isGoingOn {
            counter.add(try await ask(Self.chats.randomElement(using: &random) ?? "chat1", on: tiny))
            #expect(memory.ledger.used <= Self.budget)
        }
        try await painted
        #expect(counter.loads >= 200, "\(counter.loads) of \(counter.requests) requests")
        #expect(memory.peak <= Self.budget, "\(memory.peak - Self.budget) bytes too many")
        #expect(memory.peak > Self.budget / 2)
        #expect(counter.requests > counter.loads, "some were in memory")
        #expect(tiny.assistant.memory().models.count < Self.chats.count + Self.pictures.count)
    }

    /// Pictures of all models beside the answers; every tenth is too large and refused.
    private func paintMany(on tiny: TinyAssistant, _ counter: Counter) async throws {
        var random = SeededRandom(seed: 12)
        var refused = 0
        var number = -1
        while counter.isGoingOn {
            number += 1
            let model = Self.pictures.randomElement(using: &random) ?? "sd15"
            guard number % 10 == 9 else {
                counter.add(try await paint(model, on: tiny))
                continue
            }
            let error = await #expect(throws: AssistantError.self) {
                try await paint(model, width: 1024, on: tiny)
            }
            #expect(error?.code == .outOfMemory)
            // How much it would take, and how much there is.
            #expect((error?.message.count { $0.isNumber } ?? 0) >= 4, "\(error?.message ?? "")")
            refused += 1
        }
        #expect(refused > 0)
    }

    private final class Counter: Sendable {
        private let state = Mutex((requests: 0, loads: 0))

        var requests: Int { state.withLock { $0.requests } }
        var loads: Int { state.withLock { $0.loads } }

        /// Models that never go would make it endless.
        var isGoingOn: Bool { state.withLock { $0.loads < 200 && $0.requests < 5000 } }

        func add(_ isLoaded: Bool) {
            state.withLock { $0 = ($0.requests + 1, $0.loads + (isLoaded ? 1 : 0)) }
        }
    }
}
