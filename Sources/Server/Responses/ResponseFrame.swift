import AssistantAPI

/// What every state of one response has: its id, its time, and what the request said.
struct ResponseFrame: Sendable {
    let call: ResponseCall
    /// Seconds since 1970.
    let created: Int
    var model: String

    init(_ call: ResponseCall, created: Int) {
        self.call = call
        self.created = created
        model = call.request.model ?? ""
    }

    /// The whole response, with every member that OpenAI's clients know.
    func object(
        status: String, output: [JSON] = [], failure: Failure? = nil, summary: CompletionSummary? = nil,
        notices: [Notice] = []
    ) -> JSON {
        let isCut = status == "incomplete"
        let head: [(String, JSON)] = [
            ("id", .string(call.id)), ("object", "response"), ("created_at", JSON(created)),
            ("status", .string(status)), ("background", false),
            ("error", failure.map(Self.error) ?? .null),
            ("incomplete_details", isCut ? ["reason": "max_output_tokens"] : .null),
            ("model", .string(model)), ("output", .array(output)),
            ("usage", summary.map { Self.usage($0.usage) } ?? .null),
        ]
        let constants: [(String, JSON)] = [
            ("max_tool_calls", .null), ("prompt_cache_key", .null),
            ("reasoning", ["effort": .null, "summary": .null]), ("safety_identifier", .null),
            ("service_tier", "default"), ("top_logprobs", 0), ("user", .null),
        ]
        var members = head
        members += call.echo
        members += constants
        if let summary {
            members.append(("timings", AnswerFrame.timings(summary.usage, summary.timings)))
        }
        members += AnswerFrame.extras(notices)
        return JSON(members)
    }

    /// OpenAI's code, which is one of a few, and ours as the type.
    private static func error(_ failure: Failure) -> JSON {
        [
            "code": "server_error", "message": .string(failure.message), "type": .string(failure.code),
            "param": JSON(failure.parameter),
        ]
    }

    private static func usage(_ usage: Usage) -> JSON {
        [
            "input_tokens": JSON(usage.promptTokens),
            "input_tokens_details": ["cached_tokens": JSON(usage.cachedTokens), "cache_write_tokens": 0],
            "output_tokens": JSON(usage.completionTokens),
            "output_tokens_details": ["reasoning_tokens": 0],
            "total_tokens": JSON(usage.promptTokens + usage.completionTokens),
        ]
    }
}
