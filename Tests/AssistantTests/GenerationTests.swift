import AssistantAPI
import FoundationEssentials
import Llama
import Settings
import Tensors
import Testing

@testable import Assistant

/// One answer, stepped by hand.
struct GenerationTests {
    private func withGeneration(
        prompt: String, maxTokens: Int? = nil, _ body: (Generation) throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/inkling-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try TinyModel.write(to: folder, name: "tiny", contextLength: 4096)
        let configuration = Configuration()
        let (events, continuation) = AsyncThrowingStream.makeStream(of: CompletionEvent.self)
        let asked = TinyAssistant.request(.text(prompt), tokens: maxTokens)
        let request = EngineRequest(
            id: 1, lane: "", owner: nil, model: ModelFile(name: "tiny", path: folder + "/tiny.gguf"),
            prompt: asked.prompt,
            plan: try GenerationPlan(asked.settings, defaults: configuration.chat, seed: 1),
            continuation: continuation)
        let loader = ModelLoader(configuration)
        var resident = try loader.load(
            loader.check(request.model, available: 1 << 30, limit: 1 << 30), for: request,
            residence: Residence(number: 1, keepAlive: .forever, at: .zero),
            operations: Operations(pool: WorkerPool(threadCount: 1)))
        let tokens = try resident.prepare(request).tokens
        let generation = Generation(
            request, model: resident.model, prompt: tokens,
            beginning: resident.makeCache(for: tokens, request: request, reserved: 0), chunk: 32,
            clock: RequestClock(arrival: request.arrival, loading: .zero))
        try body(generation)
        request.finish(generation.summary)
        var last: CompletionEvent?
        for try await event in events { last = event }
        guard case .completed = last else {
            Issue.record("\(String(describing: last))")
            return
        }
    }

    @Test func anAnswerStopsWithinOneToken() async throws {
        try await withGeneration(prompt: "hello") { generation in
            for _ in 0..<4 { _ = try generation.step() }
            let count = generation.cache.tokens.count
            generation.request.cancel()
            let goesOn = try generation.step()
            #expect(!goesOn)
            #expect(generation.cache.tokens.count == count)
            #expect(generation.phase == .finished)
        }
    }

    @Test func aPrefillStopsAndKeepsWholeChunks() async throws {
        try await withGeneration(prompt: String(repeating: "x", count: 100)) { generation in
            _ = try generation.step()
            #expect(generation.cache.tokens.count == 32)
            generation.request.cancel()
            let goesOn = try generation.step()
            #expect(!goesOn)
            #expect(generation.cache.tokens.count == 32)
        }
    }

    @Test func eachStepIsOneChunkOrOneToken() async throws {
        try await withGeneration(prompt: String(repeating: "x", count: 70), maxTokens: 3) { generation in
            var phases: [Generation.Phase] = []
            var goesOn = true
            while goesOn {
                goesOn = try generation.step()
                phases.append(generation.phase)
            }
            #expect(phases == [.prefill, .prefill, .decode, .decode, .finished])
        }
    }
}
