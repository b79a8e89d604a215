public import AssistantAPI
import Synchronization

/// What the engine has done for chats since it was started.
public struct ChatCounters: Sendable, Equatable {
    /// Answers that ended, in whatever way.
    public var answers = 0
    /// The same by how they ended.
    public var finishes: [FinishReason: Int] = [:]
    public var promptTokens = 0
    /// Of the prompts' tokens, those that were in a cache.
    public var cachedTokens = 0
    public var completionTokens = 0
    /// What evaluating the prompts took, turns of others in between included.
    public var prefillMilliseconds = 0.0
    /// What making the answers' tokens took, turns of others in between included.
    public var decodeMilliseconds = 0.0
    /// Requests for vectors of texts that ended, in whatever way.
    public var embeddings = 0
    public var embeddingTokens = 0
    /// What evaluating the texts took, turns of others in between included.
    public var embeddingMilliseconds = 0.0
    /// Drafts that were typed.
    public var drafts = 0
    /// Tokens that were evaluated before their message was sent.
    public var tokensAhead = 0
    /// Of those, the ones that a message then began with.
    public var tokensAheadUsed = 0
    /// From a request's arrival to its first token, where some of the prompt had been evaluated ahead.
    public var firstTokenAhead = MillisecondHistogram()
    /// The same where nothing had been.
    public var firstTokenCold = MillisecondHistogram()

    public init() {}
}

/// What the engine has done for pictures since it was started; what canvases show is counted there.
public struct PictureCounters: Sendable, Equatable {
    /// Requests that ended, by how.
    public var finishes: [FinishReason: Int] = [:]
    /// Pictures that were finished.
    public var pictures = 0
    /// What the text encoder took, turns of others in between included, as with all of these.
    public var encodeMilliseconds = 0.0
    public var denoiseMilliseconds = 0.0
    public var decodeMilliseconds = 0.0

    public init() {}
}

/// The counters, readable at any time without waiting for the engine.
final class EngineCounters: Sendable {
    private let values = Mutex(ChatCounters())
    private let pictureValues = Mutex(PictureCounters())

    var now: ChatCounters { values.withLock { $0 } }
    var pictures: PictureCounters { pictureValues.withLock { $0 } }

    func change(_ body: (inout ChatCounters) -> Void) { values.withLock { body(&$0) } }

    /// Counts the end of a request for vectors.
    func countEmbedding(_ summary: CompletionSummary) {
        change { values in
            values.embeddings += 1
            values.embeddingTokens += summary.usage.promptTokens
            values.embeddingMilliseconds += summary.timings.prefill
        }
    }

    /// Counts the end of a request for pictures, of which so many were finished.
    func count(_ completed: PictureEvent.Completed, finished: Int) {
        pictureValues.withLock { values in
            values.finishes[completed.finish, default: 0] += 1
            values.pictures += finished
            values.encodeMilliseconds += completed.timings.encode
            values.denoiseMilliseconds += completed.timings.denoise
            values.decodeMilliseconds += completed.timings.decode
        }
    }

    /// Counts an answer's end; `ahead` of its prompt's tokens had been evaluated before it was sent.
    func count(_ summary: CompletionSummary, ahead: Int) {
        change { values in
            values.answers += 1
            values.finishes[summary.finish, default: 0] += 1
            values.promptTokens += summary.usage.promptTokens
            values.cachedTokens += summary.usage.cachedTokens
            values.completionTokens += summary.usage.completionTokens
            values.prefillMilliseconds += summary.timings.prefill
            values.decodeMilliseconds += summary.timings.decode
            values.tokensAheadUsed += ahead
            guard summary.usage.completionTokens > 0 else { return }
            if ahead > 0 {
                values.firstTokenAhead.add(summary.timings.firstToken)
            } else {
                values.firstTokenCold.add(summary.timings.firstToken)
            }
        }
    }
}
