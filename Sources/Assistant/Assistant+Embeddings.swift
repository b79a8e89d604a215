public import AssistantAPI
import Synchronization

extension Assistant {
    /// How many texts one request may have.
    public static let embeddingLimit = 2048

    /// The vectors of texts, which wait for their turn as questions do.
    ///
    /// Leaving stops the work within 50 ms.
    ///
    /// - Parameters:
    ///   - request: What is asked.
    ///   - client: Who asks: requests of one client are served in order, clients take turns.
    /// - Returns: One vector for each text.
    /// - Throws: `invalidRequest`, `contextLengthExceeded`, `modelNotFound`, `modelUnusable`, `outOfMemory`,
    ///   `queueFull`, `shuttingDown`.
    public func embed(_ request: EmbeddingRequest, client: String = "") async throws -> Embeddings {
        guard (1...Self.embeddingLimit).contains(request.inputs.count) else {
            throw AssistantError(
                .invalidRequest,
                "There are \(request.inputs.count) texts, but there must be 1 to \(Self.embeddingLimit).",
                parameter: "input")
        }
        let vectors = Vectors()
        let work = EmbeddingWork(
            inputs: request.inputs, dimensions: request.dimensions, truncates: request.truncates,
            deliver: { vectors.append($0) })
        do {
            let running = try core.start(
                work, model: request.model, keepAlive: request.keepAlive, lane: client)
            var name = ""
            for try await event in running.events {
                if case .started(let model) = event { name = model }
                guard case .completed(let summary) = event, summary.finish == .stop else { continue }
                return Embeddings(
                    model: name, vectors: vectors.all, promptTokens: summary.usage.promptTokens,
                    timings: summary.timings)
            }
        } catch var error as AssistantError {
            // What is said of prompts is said of these texts.
            if ["prompt", "messages"].contains(error.parameter) { error.parameter = "input" }
            throw error
        }
        throw CancellationError()
    }
}

/// Vectors, as the engine's thread delivers them.
private final class Vectors: Sendable {
    private let vectors = Mutex<[[Float]]>([])

    var all: [[Float]] { vectors.withLock { $0 } }

    func append(_ vector: [Float]) { vectors.withLock { $0.append(vector) } }
}
