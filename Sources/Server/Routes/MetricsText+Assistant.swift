import Assistant
import AssistantAPI

extension MetricsText {
    init(_ metrics: AssistantMetrics) {
        add(metrics.chat)
        add(metrics.painted)
        add(metrics.canvas)
        gauge("canvases", "Canvases that are open.", metrics.canvases)
        let loads = [("chat", metrics.answers), ("picture", metrics.pictures)]
        gauge(
            "requests_running", "Requests that are being served.",
            loads.map { (#"kind="\#($0)""#, Double($1.running)) })
        gauge(
            "requests_waiting", "Requests that wait for their turn.",
            loads.map { (#"kind="\#($0)""#, Double($1.waiting)) })
        gauge("models_loaded", "Models in memory.", metrics.loadedModels)
        gauge(
            "memory_bytes", "Memory that is held, by what for.",
            metrics.memory.memory.map { (#"owner="\#($0.kind.rawValue)""#, Double($0.bytes)) })
        gauge("memory_budget_bytes", "Memory that may be held.", metrics.memory.budget)
        gauge("resident_memory_bytes", "Memory of the daemon that is in use.", metrics.residentBytes)
        addLlamaServer(metrics)
    }

    /// What was asked, by route and status.
    mutating func add(_ requests: RequestCounters) {
        counter(
            "http_requests_total", "Requests that were answered; a stream counts when it begins.",
            requests.all.map { kind, count in
                let labels = #"method="\#(kind.method)",route="\#(kind.route)",status="\#(kind.status)""#
                return (labels, Double(count))
            })
    }

    private mutating func add(_ chat: ChatCounters) {
        counter("chat_answers_total", "Answers that ended.", chat.answers)
        counter(
            "chat_answers_by_finish_total", "The same by how they ended.",
            Self.finishes(chat.finishes, [.stop, .length, .cancelled, .failed]))
        counter("chat_prompt_tokens_total", "Tokens of prompts.", chat.promptTokens)
        counter(
            "chat_prompt_tokens_cached_total", "Of the prompts' tokens, those from a cache.",
            chat.cachedTokens)
        counter("chat_completion_tokens_total", "Tokens of answers.", chat.completionTokens)
        counter(
            "chat_prefill_seconds_total", "What evaluating prompts took, turns of others included.",
            chat.prefillMilliseconds / 1000)
        counter(
            "chat_decode_seconds_total", "What making the tokens of answers took, turns of others included.",
            chat.decodeMilliseconds / 1000)
        counter("embeddings_total", "Requests for vectors of texts that ended.", chat.embeddings)
        counter("embedding_tokens_total", "Tokens of their texts.", chat.embeddingTokens)
        counter(
            "embedding_seconds_total", "What evaluating their texts took, turns of others included.",
            chat.embeddingMilliseconds / 1000)
        counter("chat_drafts_total", "Texts that were typed and not yet sent.", chat.drafts)
        counter(
            "chat_tokens_ahead_total", "Tokens evaluated before their message was sent.", chat.tokensAhead)
        counter(
            "chat_tokens_ahead_used_total", "Of those, the ones that a message then began with.",
            chat.tokensAheadUsed)
        histogram(
            "chat_first_token_seconds", "From a message's arrival to the first token of its answer.",
            [(#"ahead="true""#, chat.firstTokenAhead), (#"ahead="false""#, chat.firstTokenCold)])
    }

    private mutating func add(_ painted: PictureCounters) {
        counter(
            "picture_requests_total", "Requests for pictures that ended, by how.",
            Self.finishes(painted.finishes, [.stop, .cancelled, .failed]))
        counter("pictures_total", "Pictures that were finished for them.", painted.pictures)
        let stages = [
            ("encode", painted.encodeMilliseconds), ("denoise", painted.denoiseMilliseconds),
            ("decode", painted.decodeMilliseconds),
        ]
        counter(
            "picture_seconds_total", "What making them took, turns of others included.",
            stages.map { (#"stage="\#($0)""#, $1 / 1000) })
    }

    private mutating func add(_ canvas: CanvasCounters) {
        counter("canvas_texts_total", "Texts that clients sent.", canvas.texts)
        counter("canvas_texts_skipped_total", "Texts that a newer one replaced first.", canvas.skipped)
        counter("canvas_texts_unchanged_total", "Texts with the tokens of the one before.", canvas.unchanged)
        counter("canvas_frames_started_total", "Renders that began.", canvas.started)
        counter(
            "canvas_frames_superseded_total", "Renders stopped because of a newer text.", canvas.superseded)
        counter("canvas_frames_failed_total", "Renders that failed.", canvas.failed)
        counter("canvas_frames_shown_total", "Frames that were shown.", canvas.shown)
        counter("canvas_frames_settled_total", "Of them, settled pictures.", canvas.settled)
        counter("canvas_frames_recalled_total", "Frames that were there already.", canvas.recalled)
        counter("canvas_steps_total", "Denoising steps that were taken.", canvas.steps)
        counter(
            "canvas_steps_wasted_total", "Of them, those of renders that were stopped.", canvas.stepsWasted)
        counter("canvas_steps_saved_total", "Steps that could be done without.", canvas.stepsSaved)
        histogram(
            "canvas_key_to_frame_seconds", "From a key to the first frame of its text.",
            [("", canvas.keyToFrame)])
        histogram(
            "canvas_key_to_settled_seconds", "From a key to the settled picture of its text.",
            [("", canvas.keyToSettled)])
    }

    /// The same figures by llama-server's names, for the dashboards that read those.
    private mutating func addLlamaServer(_ metrics: AssistantMetrics) {
        let chat = metrics.chat
        prefix = "llamacpp:"
        defer { prefix = "inkling_" }
        let evaluated = chat.promptTokens - chat.cachedTokens + chat.embeddingTokens
        let promptSeconds = (chat.prefillMilliseconds + chat.embeddingMilliseconds) / 1000
        let decodeSeconds = chat.decodeMilliseconds / 1000
        func rate(_ count: Int, _ seconds: Double) -> Double { seconds > 0 ? Double(count) / seconds : 0 }
        counter("prompt_tokens_total", "Number of prompt tokens processed.", evaluated)
        counter("prompt_seconds_total", "Prompt process time in seconds.", promptSeconds)
        counter("tokens_predicted_total", "Number of generation tokens processed.", chat.completionTokens)
        counter("tokens_predicted_seconds_total", "Predict process time in seconds.", decodeSeconds)
        gauge(
            "prompt_tokens_seconds", "Average prompt throughput in tokens/s.", rate(evaluated, promptSeconds))
        gauge(
            "predicted_tokens_seconds", "Average generation throughput in tokens/s.",
            rate(chat.completionTokens, decodeSeconds))
        gauge("requests_processing", "Number of requests processing.", metrics.answers.running)
        gauge("requests_deferred", "Number of requests deferred.", metrics.answers.waiting)
    }

    private static func finishes(_ counts: [FinishReason: Int], _ reasons: [FinishReason]) -> [Sample] {
        reasons.map { (label: #"finish="\#($0.rawValue)""#, value: Double(counts[$0] ?? 0)) }
    }
}
