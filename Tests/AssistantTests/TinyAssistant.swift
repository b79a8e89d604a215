import AssistantAPI
import FoundationEssentials
import History
import Logging
import Settings
import Synchronization

@testable import Assistant

/// An assistant with tiny models in a folder of its own, which goes with it.
final class TinyAssistant: Sendable {
    let assistant: Assistant
    let folder: String
    let history: HistoryStore

    /// Writes models of these names and context length; a request that names none means the first.
    init(
        contextLength: Int = 512, names: [String] = ["tiny"], painters: PainterSource = .files,
        clock: any Clock<Duration> = ContinuousClock(), configure: (inout Configuration) -> Void = { _ in }
    ) throws {
        folder = FileManager.default.temporaryDirectory.path + "/inkling-" + UUID().uuidString
        for (seed, name) in names.enumerated() {
            try TinyModel.write(
                to: folder + "/inkling/models", name: name, contextLength: contextLength,
                seed: UInt64(seed + 1))
        }
        var configuration = Configuration()
        configuration.chat.model = names[0]
        configuration.engine.threads = 2
        configuration.chat.cacheMemory = 64 << 20
        configure(&configuration)
        let paths = try Paths(environment: [
            "HOME": folder, "XDG_DATA_HOME": folder, "XDG_RUNTIME_DIR": folder,
        ])
        history = try HistoryStore.open(path: folder + "/history.db")
        assistant = try Assistant(
            configuration: configuration, paths: paths, history: history, painters: painters,
            clock: clock, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// The history as the next daemon finds it.
    func reopenHistory() throws -> HistoryStore { try HistoryStore.open(path: folder + "/history.db") }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// What came of a completion.
    struct Outcome {
        var events: [CompletionEvent] = []

        var text: String { tokens.map(\.text).joined() }
        var tokens: [TokenPiece] {
            events.compactMap { if case .token(let piece) = $0 { piece } else { nil } }
        }
        var echo: [TokenPiece] { events.compactMap { if case .echo(let piece) = $0 { piece } else { nil } } }
        var notices: [String] {
            events.compactMap { if case .notice(let notice) = $0 { notice.code } else { nil } }
        }
        var progress: [PrefillProgress] {
            events.compactMap { if case .prefill(let progress) = $0 { progress } else { nil } }
        }
        var summary: CompletionSummary? {
            if case .completed(let summary) = events.last { summary } else { nil }
        }
    }

    func complete(_ request: CompletionRequest, client: String = "") async throws -> Outcome {
        var outcome = Outcome()
        for try await event in assistant.complete(request, client: client) { outcome.events.append(event) }
        return outcome
    }

    /// A request for exactly `count` tokens.
    static func request(
        _ prompt: CompletionRequest.Prompt, tokens count: Int?, seed: UInt64 = 1, model: String? = nil
    ) -> CompletionRequest {
        var settings = GenerationSettings()
        settings.maxTokens = count
        settings.seed = seed
        settings.logitBias = TinyModel.endless
        return CompletionRequest(model: model, prompt: prompt, settings: settings)
    }

    /// Starts a completion that will not end by itself, and waits until it answers.
    func startEndless(client: String = "") async throws -> Endless {
        let request = Self.request(.text("endless"), tokens: nil)
        var events = assistant.complete(request, client: client).makeAsyncIterator()
        while let event = try await events.next() {
            if case .token = event { break }
        }
        return Endless(events: events)
    }

    /// Goes on as long as it is kept.
    struct Endless {
        var events: AsyncThrowingStream<CompletionEvent, any Error>.Iterator
    }
}
