import AssistantAPI
import Grammars
import Llama
import Tokenizers

/// Watches an answer for calls that it need not have, and keeps the arguments of each within its function's schema.
///
/// Where the next token would begin the arguments of a call of a known function, the grammar of calls is taken up from
/// the call's first brace on, until the call ends; it looks at that token already, since one may hold all arguments
/// (` {}`). Whatever else is written is left alone, to the last bit. It looks at the tokens themselves: a stop string may
/// hold text back.
struct CallWatch {
    private var decoder: TokenDecoder
    private var parser: ToolCallParser
    private var constraint: TokenConstraint
    private var isWithinCall = false

    init(_ use: ToolUse, _ constraint: TokenConstraint, tokenizer: Tokenizer) {
        decoder = TokenDecoder(tokenizer)
        parser = ToolCallParser(use)
        self.constraint = constraint
    }

    /// Whether there will be no call any more, and so nothing to watch.
    var isOver: Bool { parser.isOver }

    /// Takes the next token, which was just picked by `logits`, or in its place one that a call allows.
    ///
    /// - Throws: `GrammarError` where a call cannot be followed.
    mutating func next(
        _ token: Int32, of logits: UnsafeBufferPointer<Float>, _ sampler: inout Sampler
    ) throws -> Int32 {
        var token = token
        if !isWithinCall, let header = header(before: token) {
            isWithinCall = try constraint.begin(after: header)
        }
        if isWithinCall {
            token = try sampler.keep(token, of: logits, within: &constraint)
            try constraint.accept(token)
            isWithinCall = !constraint.mustEnd
        }
        _ = parser.append(decoder.append(token))
        return token
    }

    /// What has been written of a call whose arguments begin with this token.
    private func header(before token: Int32) -> String? {
        var decoder = decoder
        return parser.header(before: decoder.append(token))
    }
}
