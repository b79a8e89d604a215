import AssistantAPI
import Llama
import Tokenizers

/// Turns generated tokens into text: whole characters only, and nothing from a stop string on.
struct AnswerText {
    private var decoder: TokenDecoder
    private var matcher: StopMatcher

    /// With `continuesText` the answer goes on where the prompt's text ended, so a leading space is text.
    init(_ tokenizer: Tokenizer, stops: [String], continuesText: Bool) {
        decoder = TokenDecoder(tokenizer, continuing: continuesText)
        matcher = StopMatcher(stops)
    }

    /// Whether a stop string was met.
    var isStopped: Bool { matcher.isMatched }
    /// The stop string that was met.
    var stoppingWord: String? { matcher.matched }

    /// The text that became certain with this token.
    mutating func append(_ token: Int32) -> String { matcher.append(decoder.append(token)) }

    /// The text that was held back, once no more comes.
    mutating func finish() -> String {
        let rest = matcher.append(decoder.finish())
        return isStopped ? rest : rest + matcher.finish()
    }
}

/// Tells the prompt's own tokens, scored by the logits of the position before each.
struct EchoText {
    private let tokenizer: Tokenizer
    private let alternatives: Int?
    private var decoder: TokenDecoder

    init(_ tokenizer: Tokenizer, alternatives: Int?) {
        self.tokenizer = tokenizer
        self.alternatives = alternatives
        decoder = TokenDecoder(tokenizer)
    }

    /// The next token; `logits` `[vocabulary]` are those after the one before, which the first doesn't have.
    mutating func piece(_ token: Int32, logits: UnsafeBufferPointer<Float>? = nil) throws -> TokenPiece {
        var piece = TokenPiece(id: token, text: decoder.append(token), bytes: tokenizer.bytes(of: token))
        if let logits, let alternatives {
            piece.score(with: try LogProbabilities(logits), alternatives: alternatives, tokenizer: tokenizer)
        }
        return piece
    }
}
