/// How tokens are chosen; a `nil` field means the configuration's default.
public struct GenerationSettings: Codable, Sendable, Equatable {
    /// At most this many tokens are generated; 0 only evaluates the prompt.
    public var maxTokens: Int?
    /// 0 always takes the likeliest token.
    public var temperature: Double?
    public var topK: Int?
    public var topP: Double?
    public var minP: Double?
    /// Divides (or multiplies) the logits of recent tokens; 1 is off.
    public var repeatPenalty: Double?
    /// How many recent tokens the penalties look at.
    public var repeatLastN: Int?
    public var presencePenalty: Double?
    public var frequencyPenalty: Double?
    public var seed: UInt64?
    public var stop: [String]?
    /// Added to the logits of single tokens, by id.
    @TokenKeyed public var logitBias: [Int32: Double]? = nil

    public init() {}
}

/// One message of a prompt.
public struct ChatMessage: Codable, Sendable, Equatable {
    public var role: Role
    public var content: String
    /// The calls that the assistant asked for here.
    public var toolCalls: [ToolCall]?
    /// Of a user's message that is what a function returned: the function's name.
    public var toolName: String?

    public init(role: Role, content: String, toolCalls: [ToolCall]? = nil, toolName: String? = nil) {
        self.role = role
        self.content = content
        self.toolCalls = toolCalls
        self.toolName = toolName
    }
}

/// What the engine is asked to complete.
public struct CompletionRequest: Sendable, Equatable {
    public enum Prompt: Sendable, Equatable {
        /// Messages, put into the model's own chat format.
        case chat([ChatMessage])
        /// Plain text, after the model's begin-of-text token where it has one; special tokens in it are text.
        case text(String)
        /// Token ids, used as they are.
        case tokens([Int32])
        /// No prompt at all: the model is brought into memory, and nothing is made.
        case nothing
    }

    /// A known name or an absolute path; `nil` means the default model.
    public var model: String?
    public var prompt: Prompt
    public var settings: GenerationSettings
    /// How many alternatives to report at each token, 0 to 20; `nil` reports no probabilities.
    public var logprobs: Int?
    /// Reports the prompt's own tokens (and, with `logprobs`, their probabilities) before the generated ones.
    public var echo: Bool
    /// How long the model stays in memory afterwards; `nil` means the configuration's.
    public var keepAlive: KeepAlive?
    /// Tokens that stand before a chat, as an earlier answer's summary told them.
    public var context: [Int32] = []
    /// Whether the summary tells all tokens.
    public var reportsTokens = false
    /// What the generated text must be; `nil` is anything.
    public var constraint: OutputConstraint?
    /// Functions that the answer to a chat may call.
    public var toolUse: ToolUse?

    public init(
        model: String? = nil, prompt: Prompt, settings: GenerationSettings = .init(), logprobs: Int? = nil,
        echo: Bool = false, keepAlive: KeepAlive? = nil, constraint: OutputConstraint? = nil,
        toolUse: ToolUse? = nil
    ) {
        self.model = model
        self.prompt = prompt
        self.settings = settings
        self.logprobs = logprobs
        self.echo = echo
        self.keepAlive = keepAlive
        self.constraint = constraint
        self.toolUse = toolUse
    }
}

/// What a generated text must be, whatever the model would rather say; it is cut off only by a limit of tokens.
public enum OutputConstraint: Sendable, Hashable {
    /// A JSON object.
    case jsonObject
    /// JSON that is valid by this JSON schema.
    case jsonSchema(String)
    /// What this grammar allows, in GBNF (llama.cpp's notation).
    case grammar(String)
    /// A call of one of these functions, as a model writes it.
    case toolCall([Tool])
}

/// What happens while the engine completes a prompt, in this order, each any number of times unless said.
public enum CompletionEvent: Sendable, Equatable {
    /// Others are before this request; the count of them.
    case queued(ahead: Int)
    /// The model is being loaded; from 0 to 1.
    case loading(fraction: Double)
    /// Once, when the prompt's turn has come: the model's public name.
    case started(model: String)
    case prefill(PrefillProgress)
    /// Something the user should know, such as turns that were left out because the context is full.
    case notice(Notice)
    /// With `echo`: one for each token of the prompt.
    case echo(TokenPiece)
    /// Generated text. It may be empty (a token that completes no character) and is never half a character.
    case token(TokenPiece)
    /// Once, last.
    case completed(CompletionSummary)
}

/// How far the evaluation of a prompt is, in tokens.
public struct PrefillProgress: Codable, Sendable, Equatable {
    public var total: Int
    /// Taken from the cache of an earlier request.
    public var cached: Int
    /// Done so far, the cached ones included.
    public var processed: Int
    public var milliseconds: Double

    public init(total: Int, cached: Int, processed: Int, milliseconds: Double) {
        self.total = total
        self.cached = cached
        self.processed = processed
        self.milliseconds = milliseconds
    }
}

/// A token with the text that it adds and, where asked for, its probability.
public struct TokenPiece: Codable, Sendable, Equatable {
    public var id: Int32
    /// The text that became complete with this token.
    public var text: String
    /// The token's own bytes, which may be part of a character.
    public var bytes: [UInt8]
    /// Natural logarithm of the token's probability before temperature; `nil` where none was asked for or exists.
    public var logprob: Double?
    /// The likeliest tokens here, likeliest first.
    public var alternatives: [Alternative]?
    /// What became certain of calls with this token; that is no part of the text.
    public var calls: [ToolCallPiece]?

    /// One token that could have stood in this place.
    public struct Alternative: Codable, Sendable, Equatable {
        public var id: Int32
        public var bytes: [UInt8]
        public var logprob: Double

        public init(id: Int32, bytes: [UInt8], logprob: Double) {
            self.id = id
            self.bytes = bytes
            self.logprob = logprob
        }
    }

    public init(
        id: Int32, text: String, bytes: [UInt8], logprob: Double? = nil, alternatives: [Alternative]? = nil
    ) {
        self.id = id
        self.text = text
        self.bytes = bytes
        self.logprob = logprob
        self.alternatives = alternatives
    }
}

/// How many tokens a request took.
public struct Usage: Codable, Sendable, Equatable {
    public var promptTokens: Int
    /// Of the prompt's tokens, those whose keys and values were still in the cache.
    public var cachedTokens: Int
    public var completionTokens: Int

    public init(promptTokens: Int, cachedTokens: Int, completionTokens: Int) {
        self.promptTokens = promptTokens
        self.cachedTokens = cachedTokens
        self.completionTokens = completionTokens
    }
}

/// Where the time of a request went, in milliseconds.
public struct Timings: Codable, Sendable, Equatable {
    public var queued: Double
    public var loading: Double
    public var prefill: Double
    public var decode: Double
    /// From the request's arrival to its first token.
    public var firstToken: Double

    public init(queued: Double, loading: Double, prefill: Double, decode: Double, firstToken: Double) {
        self.queued = queued
        self.loading = loading
        self.prefill = prefill
        self.decode = decode
        self.firstToken = firstToken
    }
}

/// How a completion ended.
public struct CompletionSummary: Codable, Sendable, Equatable {
    public var finish: FinishReason
    public var usage: Usage
    public var timings: Timings
    /// The prompt's tokens and the answer's, where the request asked for them.
    public var tokens: [Int32]?
    /// The stop string that ended it, where one did.
    public var stoppingWord: String?

    public init(
        finish: FinishReason, usage: Usage, timings: Timings, tokens: [Int32]? = nil,
        stoppingWord: String? = nil
    ) {
        self.finish = finish
        self.usage = usage
        self.timings = timings
        self.tokens = tokens
        self.stoppingWord = stoppingWord
    }
}
