import AssistantAPI
import Llama
import Tensors

/// What a request for vectors asks of the engine.
struct EmbeddingWork: Sendable {
    var inputs: [CompletionRequest.Prompt]
    var dimensions: Int?
    var truncates: Bool
    /// Takes the vectors, in the order of the inputs.
    var deliver: @Sendable ([Float]) -> Void
}

/// Texts that become vectors, one after the other, each in chunks as prompts are.
final class EmbeddingRun: RunningRequest {
    let request: EngineRequest
    let phase = Generation.Phase.prefill
    private let work: EmbeddingWork
    private let texts: [[Int32]]
    private let model: LlamaModel
    private let chunk: Int
    private let clock: RequestClock
    private var index = 0
    private var current: TextEmbedding?
    private var finish = FinishReason.stop

    init(
        _ request: EngineRequest, _ work: EmbeddingWork, texts: [[Int32]], model: LlamaModel,
        chunk: Int,
        clock: RequestClock
    ) {
        self.request = request
        self.work = work
        self.texts = texts
        self.model = model
        self.chunk = chunk
        self.clock = clock
    }

    /// Only one text is held at a time.
    var promptCount: Int { texts.map(\.count).max() ?? 0 }
    var heldCount: Int { current?.evaluatedCount ?? 0 }

    var summary: CompletionSummary {
        let count = texts.reduce(0) { $0 + $1.count }
        return CompletionSummary(
            finish: finish, usage: Usage(promptTokens: count, cachedTokens: 0, completionTokens: 0),
            timings: clock.timings())
    }

    func step() throws(AssistantError) -> Bool {
        let request = request
        var text = current ?? TextEmbedding(texts[index], model: model)
        current = nil
        do {
            try text.advance(by: chunk) { () throws(Interrupted) in
                if request.isCancelled { throw Interrupted() }
            }
            guard text.isDone else {
                current = text
                return true
            }
            work.deliver(try text.vector(dimensions: work.dimensions))
        } catch is Interrupted {
            finish = .cancelled
            return false
        } catch {
            throw .modelUnusable(request.model, error)
        }
        index += 1
        return index < texts.count
    }
}
