import AssistantAPI
import HTTPTypes

/// What every object of one answer carries: one id and one time, whether streamed or whole.
struct AnswerFrame: Sendable {
    let id: String
    /// Seconds since 1970.
    let created: Int
    var model: String
    var notices: [Notice] = []

    private static let fingerprint = "inkling-" + Inkling.version

    /// Begins an answer; `prefix` is `chatcmpl` or `cmpl`, as OpenAI's ids begin.
    init(prefix: String, created: Int, model: String?) {
        var generator = SystemRandomNumberGenerator()
        id = prefix + "-" + String(generator.next(), radix: 36) + String(generator.next(), radix: 36)
        self.created = created
        self.model = model ?? ""
    }

    func object(_ kind: String, choices: [JSON], extras: [(String, JSON)] = []) -> JSON {
        let members: [(String, JSON)] = [
            ("id", .string(id)), ("object", .string(kind)), ("created", JSON(created)),
            ("model", .string(model)),
            ("system_fingerprint", .string(Self.fingerprint)), ("choices", .array(choices)),
        ]
        return JSON(members + extras)
    }

    /// The id of a call, by which its result comes back.
    func callID(choice: Int, call: Int) -> String {
        "call_\(id.drop { $0 != "-" }.dropFirst())\(choice)\(call)"
    }

    /// Beside OpenAI's fields: llama-server's timings, and what the user should know.
    func extras(_ summary: CompletionSummary) -> [(String, JSON)] {
        [("timings", Self.timings(summary.usage, summary.timings))] + Self.extras(notices)
    }

    /// What the user should know, where there is something.
    static func extras(_ notices: [Notice]) -> [(String, JSON)] {
        guard !notices.isEmpty else { return [] }
        let list = notices.map { ["code": .string($0.code), "message": .string($0.message)] as JSON }
        return [("notices", .array(list))]
    }

    /// - Throws: `Failure` for an answer that was cut off and must not look complete.
    static func finishReason(_ reason: FinishReason, callsTools: Bool = false) throws(Failure) -> String {
        switch reason {
        case .stop: return callsTools ? "tool_calls" : "stop"
        case .length: return "length"
        case .cancelled, .failed, .interrupted:
            throw Failure(
                .serviceUnavailable, code: AssistantError.Code.cancelled.rawValue,
                "The answer was cut off before its end.", retryAfter: 1)
        }
    }

    static func usage(_ usage: Usage) -> JSON {
        [
            "prompt_tokens": JSON(usage.promptTokens), "completion_tokens": JSON(usage.completionTokens),
            "total_tokens": JSON(usage.promptTokens + usage.completionTokens),
            "prompt_tokens_details": ["cached_tokens": JSON(usage.cachedTokens)],
        ]
    }

    /// llama-server's timings, with what else the time went into.
    static func timings(_ usage: Usage, _ timings: Timings) -> JSON {
        let evaluated = usage.promptTokens - usage.cachedTokens
        func rate(_ count: Int, _ milliseconds: Double) -> JSON {
            milliseconds > 0 ? JSON(Double(count) * 1000 / milliseconds) : .null
        }
        func each(_ count: Int, _ milliseconds: Double) -> JSON {
            count > 0 ? JSON(milliseconds / Double(count)) : .null
        }
        return [
            "cache_n": JSON(usage.cachedTokens), "prompt_n": JSON(evaluated),
            "prompt_ms": JSON(timings.prefill),
            "prompt_per_token_ms": each(evaluated, timings.prefill),
            "prompt_per_second": rate(evaluated, timings.prefill),
            "predicted_n": JSON(usage.completionTokens),
            "predicted_ms": JSON(timings.decode),
            "predicted_per_token_ms": each(usage.completionTokens, timings.decode),
            "predicted_per_second": rate(usage.completionTokens, timings.decode),
            "queued_ms": JSON(timings.queued), "loading_ms": JSON(timings.loading),
            "first_token_ms": JSON(timings.firstToken),
        ]
    }

    /// The same of pictures.
    static func timings(_ timings: PictureTimings) -> JSON {
        [
            "queued_ms": JSON(timings.queued), "loading_ms": JSON(timings.loading),
            "encode_ms": JSON(timings.encode), "denoise_ms": JSON(timings.denoise),
            "decode_ms": JSON(timings.decode), "total_ms": JSON(timings.total),
        ]
    }
}

extension CompletionEvent {
    /// Whether the request has got past everything that can refuse it.
    var showsProgress: Bool {
        switch self {
        case .queued, .loading, .started: false
        case .prefill, .notice, .echo, .token, .completed: true
        }
    }
}
