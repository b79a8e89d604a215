import Assistant
import AssistantAPI
import Hummingbird
import NIOCore

extension Routes {
    /// What has happened so far, for Prometheus: `/metrics`.
    func addMetrics(to router: Router<ServerContext>) {
        router.resource(
            "/metrics",
            [
                .get: { [assistant] _, _ in
                    Response(
                        status: .ok,
                        headers: [.contentType: MetricsText.mediaType, .cacheControl: "no-store"],
                        body: .init(byteBuffer: ByteBuffer(string: MetricsText(assistant.metrics()).text)))
                }
            ])
    }
}

extension MetricsText {
    init(_ metrics: AssistantMetrics) {
        add(metrics.chat)
        add(metrics.canvas)
        gauge("canvases", "Canvases that are open.", metrics.canvases)
        gauge(
            "requests_running", "Requests that are being served.",
            [
                (#"kind="chat""#, metrics.answers.running), (#"kind="picture""#, metrics.pictures.running),
            ])
        gauge(
            "requests_waiting", "Requests that wait for their turn.",
            [
                (#"kind="chat""#, metrics.answers.waiting), (#"kind="picture""#, metrics.pictures.waiting),
            ])
        gauge("models_loaded", "Models in memory.", metrics.loadedModels)
        gauge(
            "memory_bytes", "Memory that is held, by what for.",
            metrics.memory.memory.map { (#"owner="\#($0.kind.rawValue)""#, $0.bytes) })
        gauge("memory_budget_bytes", "Memory that may be held.", metrics.memory.budget)
        gauge("resident_memory_bytes", "Memory of the daemon that is in use.", metrics.residentBytes)
    }

    private mutating func add(_ chat: ChatCounters) {
        counter("chat_answers_total", "Answers that ended.", chat.answers)
        counter("chat_prompt_tokens_total", "Tokens of prompts.", chat.promptTokens)
        counter(
            "chat_prompt_tokens_cached_total", "Of the prompts' tokens, those from a cache.",
            chat.cachedTokens)
        counter("chat_completion_tokens_total", "Tokens of answers.", chat.completionTokens)
        counter("embeddings_total", "Requests for vectors of texts that ended.", chat.embeddings)
        counter("embedding_tokens_total", "Tokens of their texts.", chat.embeddingTokens)
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
}
