import AssistantAPI

/// The last object of a native completion, which tells all about it.
struct LlamaCompletionResult: Sendable {
    var index: Int
    var content = ""
    var tokens: [Int32] = []
    var model: String
    /// The prompt's text, as it was read.
    var prompt: String
    var hasNewLine: Bool
    var notices: [Notice]
    var summary: CompletionSummary
    /// Every token with its probability, where the answer is whole and they were asked for.
    var probabilities: [TokenPiece]?

    /// The object, with the fields that the call asked for.
    ///
    /// - Throws: `Failure` for an answer that was cut off and must not look complete.
    func json(_ call: LlamaCompletionCall, settings: JSON) throws(Failure) -> JSON {
        let usage = summary.usage
        var members: [(String, JSON)] = [
            ("index", JSON(index)), ("content", .string(content)),
            ("tokens", .array(tokens.map { JSON(Int($0)) })), ("id_slot", -1), ("stop", true),
            ("model", .string(model)), ("tokens_predicted", JSON(usage.completionTokens)),
            ("tokens_evaluated", JSON(usage.promptTokens)), ("generation_settings", settings),
            ("prompt", .string(prompt)), ("has_new_line", .bool(hasNewLine)),
        ]
        let end: [(String, JSON)] = [
            ("truncated", .bool(notices.contains { $0.code == "truncated" })),
            ("stop_type", .string(try stopType())), ("stopping_word", .string(summary.stoppingWord ?? "")),
            ("tokens_cached", JSON(usage.cachedTokens)),
            ("timings", AnswerFrame.timings(usage, summary.timings)),
        ]
        members += end
        if let probabilities {
            let list = Self.probabilities(probabilities)
            members.append(("completion_probabilities", .array(list)))
        }
        let whole = JSON(members + AnswerFrame.extras(notices))
        return call.responseFields.map { whole.choosing($0) } ?? whole
    }

    private func stopType() throws(Failure) -> String {
        if try AnswerFrame.finishReason(summary.finish) == "length" { return "limit" }
        return summary.stoppingWord == nil ? "eos" : "word"
    }

    /// One object for each token, as `n_probs` asks for.
    static func probabilities(_ pieces: [TokenPiece]) -> [JSON] {
        // Text that was held back until the end comes without a token of its own.
        pieces.filter { $0.logprob != nil }.map { piece in
            let top = (piece.alternatives ?? []).map {
                JSON(members($0.id, $0.bytes, $0.logprob))
            }
            return JSON(members(piece.id, piece.bytes, piece.logprob) + [("top_logprobs", .array(top))])
        }
    }

    private static func members(_ id: Int32, _ bytes: [UInt8], _ logprob: Double?) -> [(String, JSON)] {
        [
            ("id", JSON(Int(id))), ("token", .string(String(decoding: bytes, as: UTF8.self))),
            ("bytes", .array(bytes.map { JSON(Int($0)) })), ("logprob", JSON(logprob)),
        ]
    }
}

extension JSON {
    /// An object of these fields alone: `a/b` takes `b` out of `a`, and what isn't there is left out.
    fileprivate func choosing(_ paths: [String]) -> JSON {
        var members: [(String, JSON)] = []
        for path in paths {
            let names = path.split(separator: "/").map(String.init)
            let value = names.reduce(JSON?.some(self)) { $0?[$1] }
            if let name = names.last, let value { members.append((name, value)) }
        }
        return JSON(members)
    }
}
