import AssistantAPI
import Glibc
import History
import Tensors

/// Looks at the machine and at what the assistant has, and measures both through the engine, for some seconds.
struct Examination: Sendable {
    let assistant: Assistant
    let history: HistoryStore
    let machine: MachineThread
    /// The folder of new models.
    let models: String
    /// Of answers to other requests: their lane.
    let client: String

    /// Hands every finding to `tell`; ends early when the task is cancelled.
    func run(_ tell: (DoctorFinding) -> Void) async throws {
        tell(MachineFindings.processor(threads: machine.threads))
        tell(memory())
        tell(MachineFindings.disk(of: models))
        tell(await findHistory())
        try Task.checkCancellation()
        let speed = try await machine.measure()
        for finding in MachineFindings.speed(speed) { tell(finding) }
        try Task.checkCancellation()
        tell(await chat())
        try Task.checkCancellation()
        tell(await pictures())
        try Task.checkCancellation()
        let budget = assistant.memory().budget
        for estimate in SpeedEstimates(speed: speed, budget: budget).findings { tell(estimate) }
    }

    private func memory() -> DoctorFinding {
        let report = assistant.memory()
        let available = MachineLimits.availableMemory() ?? report.budget
        let free = min(available, report.budget - report.used)
        var text =
            "models and caches may take \(report.budget.gigabytes), and hold \(report.used.gigabytes); "
            + "\(available.gigabytes) of this machine are free"
        let isTight = free < 1 << 30
        if isTight { text += "; close something, or take a smaller model" }
        return DoctorFinding(
            "memory", isTight ? .warn : .ok, text,
            figures: [
                "budget_bytes": Double(report.budget), "used_bytes": Double(report.used),
                "available_bytes": Double(available),
            ])
    }

    private func findHistory() async -> DoctorFinding {
        do {
            if let damage = try await history.findDamage() {
                return DoctorFinding(
                    "history", .fail,
                    "the database is damaged (\(damage)); inkling serve --start-fresh sets it aside")
            }
            if let warning = history.warning { return DoctorFinding("history", .warn, warning) }
            return DoctorFinding(
                "history", .ok, history.keepsPictures ? "the database is whole" : "nothing is kept on disk")
        } catch {
            return DoctorFinding("history", .fail, "the database cannot be read: \(error)")
        }
    }

    // MARK: - Models

    /// Has the default model read a prompt and say some words.
    private func chat() async -> DoctorFinding {
        let text = (0..<40).map { "Item \($0) of the list is as long as the others are." }
        var settings = GenerationSettings()
        (settings.maxTokens, settings.temperature) = (32, 0)
        let request = CompletionRequest(prompt: .text(text.joined(separator: " ")), settings: settings)
        do {
            var (name, summary): (String, CompletionSummary?) = ("", nil)
            for try await event in assistant.complete(request, client: client) {
                if case .started(let model) = event { name = model }
                if case .completed(let completed) = event { summary = completed }
            }
            guard let summary else { throw AssistantError(.cancelled, "it was interrupted") }
            return Self.chatFinding(name, summary)
        } catch {
            return DoctorFinding("chat", .fail, Self.sentence(error))
        }
    }

    static func chatFinding(_ name: String, _ summary: CompletionSummary) -> DoctorFinding {
        let (usage, timings) = (summary.usage, summary.timings)
        let fresh = Double(usage.promptTokens - usage.cachedTokens)
        let prefill = timings.prefill > 0 ? fresh / timings.prefill * 1000 : 0
        // The first token comes with the prompt.
        let decode = timings.decode > 0 ? Double(usage.completionTokens - 1) / timings.decode * 1000 : 0
        var text = "\(name) reads \(prefill.whole) tokens a second"
        text += decode > 0 ? " and writes \(decode.whole)" : ""
        if timings.loading > 1 { text += "; loaded in \((timings.loading / 1000).tenths) s" }
        // People read about five words in a second.
        let isSlow = decode > 0 && decode < 6
        if isSlow { text += ", which is slower than one reads; a smaller model or Q4_K_M helps" }
        return DoctorFinding(
            "chat", isSlow ? .warn : .ok, text,
            figures: [
                "prefill_tokens_per_second": prefill, "decode_tokens_per_second": decode,
                "loading_seconds": timings.loading / 1000,
            ])
    }

    /// Has the default picture model take two steps, the second of which counts, and stops it.
    private func pictures() async -> DoctorFinding {
        var request = PictureRequest(prompt: "a lighthouse")
        (request.seed, request.isPrivate, request.partialImages) = (1, true, 0)
        do {
            var (recipe, steps): (Recipe?, [Double]) = (nil, [])
            var loading = ContinuousClock.now
            let begin = loading
            events: for try await event in assistant.pictures.make(request, client: client) {
                switch event {
                case .started(let started):
                    (recipe, loading) = (started.recipe, .now)
                case .progress(let progress) where progress.stage == .denoise && progress.milliseconds > 0:
                    steps.append(progress.milliseconds)
                    if steps.count == 2 { break events }
                default: break
                }
            }
            guard let recipe, let step = steps.last else {
                throw AssistantError(.cancelled, "it was interrupted")
            }
            let time = (loading - begin).milliseconds / 1000
            return DoctorFinding(
                "pictures", .ok,
                "\(recipe.model) takes \((step / 1000).hundredths) s for a step of \(recipe.width) × \(recipe.height) "
                    + "pixels, and \(recipe.steps) of them for a picture; loaded in \(time.tenths) s",
                figures: ["step_seconds": step / 1000, "loading_seconds": time])
        } catch {
            return DoctorFinding("pictures", .fail, Self.sentence(error))
        }
    }

    private static func sentence(_ error: any Error) -> String {
        let text = AssistantError.wrapping(error).message
        return text.hasSuffix(".") ? String(text.dropLast()) : text
    }
}
