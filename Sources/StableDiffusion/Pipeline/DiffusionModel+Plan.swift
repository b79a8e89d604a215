import ImageCodecs
import Tokenizers

extension DiffusionModel {
    /// Fills in the model's defaults and checks that the render can be done, before anything runs.
    ///
    /// - Parameters:
    ///   - settings: what is asked for.
    ///   - limits: what it may take.
    /// - Returns: everything that decides how the picture looks.
    /// - Throws: `invalidSetting`, `invalidSize`, `exceedsPixels`, `exceedsMemory`; `unsupportedFeature` and
    ///   `invalidConfiguration` for a scheduler that the model's file doesn't allow.
    public func plan(
        _ settings: RenderSettings, limits: RenderLimits = RenderLimits()
    ) throws(StableDiffusionError) -> RenderPlan {
        let (width, height) = try size(settings, limits)
        try checkStart(settings.startLatents, beside: settings, width: width, height: height)
        let schedule = try SchedulePlan(settings, parts)
        let network = parts.network.configuration
        let guidanceScale = settings.guidanceScale ?? schedule.defaults.guidanceScale
        guard (0...1000).contains(guidanceScale) else {
            throw .invalidSetting(
                name: "guidance scale", expected: "a number from 0 to 1000", found: "\(guidanceScale)")
        }
        let isGuided = guidanceScale > 1 && network.guidanceEmbeddingSize == nil
        let clipSkips = 0...parts.skippableLayers
        guard clipSkips.contains(settings.clipSkip) else {
            throw .invalidSetting(
                name: "clip skip", expected: "0 to \(clipSkips.upperBound)", found: "\(settings.clipSkip)")
        }
        let decoder = settings.decoder ?? info.decoders[0]
        guard info.decoders.contains(decoder) else {
            throw .invalidSetting(
                name: "decoder",
                expected: info.decoders.map(\.rawValue).joined(separator: " or ") + " with this model",
                found: decoder.rawValue)
        }
        let memory = MemoryEstimate(parts, width: width, height: height, decoder: decoder).bytes(
            encodesPicture: settings.initImage != nil)
        if let limit = limits.memory, memory > limit {
            throw .exceedsMemory(width: width, height: height, needed: memory, limit: limit)
        }
        let text = PromptReading(settings, isGuided: isGuided, parts)
        return RenderPlan(
            prompt: settings.prompt, negativePrompt: settings.negativePrompt, width: width, height: height,
            steps: schedule.steps, seed: settings.seed, scheduler: schedule.kind,
            guidanceScale: guidanceScale, decoder: decoder, clipSkip: settings.clipSkip,
            textPadding: settings.textPadding, initImage: settings.initImage,
            startLatents: settings.startLatents,
            strength: schedule.strength, mask: settings.mask,
            stepCount: schedule.scheduler.timesteps.count - schedule.firstStep,
            tokens: PromptTokens(
                prompt: settings.prompt, negative: isGuided ? settings.negativePrompt : nil, parts),
            promptTokens: text.tokenCount, memory: memory, warnings: text.warnings,
            beginsAsOneStep: schedule.beginsAsOneStep, isGuided: isGuided,
            schedule: schedule.scheduler, firstStep: schedule.firstStep)
    }

    /// Beyond it, sizes in bytes would no longer be sure to fit.
    private static let greatestPixelCount = 1 << 30

    /// The picture's size: as asked for, else the start picture's as far as it is whole latents, else that of the start
    /// latents, else the model's.
    private func size(
        _ settings: RenderSettings, _ limits: RenderLimits
    ) throws(StableDiffusionError) -> (width: Int, height: Int) {
        let factor = info.factor
        func whole(_ length: Int?) -> Int? { length.map { max($0 / factor, 1) * factor } }
        let start = settings.startLatents
        let width =
            settings.width ?? whole(settings.initImage?.width) ?? start.map { $0.width * factor }
            ?? info.defaultWidth
        let height =
            settings.height ?? whole(settings.initImage?.height) ?? start.map { $0.height * factor }
            ?? info.defaultHeight
        guard width > 0, height > 0, width % factor == 0, height % factor == 0 else {
            throw .invalidSize(width: width, height: height, factor: factor)
        }
        let pixels = min(limits.pixels, Self.greatestPixelCount)
        guard width <= pixels / height else {
            throw .exceedsPixels(width: width, height: height, limit: pixels)
        }
        return (width, height)
    }
}

extension DiffusionModel {
    /// Start latents must be numbers, of the size that is painted, and the only start.
    private func checkStart(
        _ start: StartLatents?, beside settings: RenderSettings, width: Int, height: Int
    ) throws(StableDiffusionError) {
        guard let start else { return }
        func refusal(_ expected: String, _ found: String) -> StableDiffusionError {
            .invalidSetting(name: StartLatents.name, expected: expected, found: found)
        }
        guard settings.initImage == nil else { throw refusal("no start picture with them", "one") }
        let shape = [height / info.factor, width / info.factor, parts.latentChannels]
        guard [start.height, start.width, start.channels] == shape else {
            throw refusal("\(shape)", "\([start.height, start.width, start.channels])")
        }
        guard start.isFinite else { throw refusal("finite numbers", "others") }
    }
}

/// The scheduler of a request, and where on its way a start picture or latents let it begin.
private struct SchedulePlan {
    let kind: SchedulerKind
    let defaults: RenderDefaults
    let steps: Int
    let scheduler: any Scheduler
    let strength: Double?
    let firstStep: Int
    let beginsAsOneStep: Bool

    init(_ settings: RenderSettings, _ parts: ModelParts) throws(StableDiffusionError) {
        var configuration = try parts.scheduler.configuration(
            for: settings.scheduler, prediction: parts.prediction)
        // The reference's pipeline for masks never begins with the Runge-Kutta method.
        if settings.mask != nil { configuration.skipsRungeKutta = true }
        kind = configuration.kind
        defaults = RenderDefaults(
            configuration, parts.network.configuration, isOwnScheduler: kind == parts.scheduler.kind,
            written: parts.writtenDefaults)
        strength = try Self.strength(settings, parts)
        // Latent consistency models take all steps, from a later time on: the reference has a pipeline of their own.
        let takesAll = kind == .lcm && parts.network.configuration.guidanceEmbeddingSize != nil
        // Others begin within their steps, for which those that paint in one need more.
        let fewest = takesAll ? nil : strength.map(Self.fewestSteps)
        steps = settings.steps ?? max(defaults.steps, fewest ?? 1)
        if takesAll, let strength { configuration.originalShare = strength }
        scheduler = try configuration.scheduler(steps: steps)
        let single = try? configuration.scheduler(steps: 1)
        beginsAsOneStep = strength == nil && single?.timesteps.first == scheduler.timesteps.first
        guard let strength, !takesAll else {
            firstStep = 0
            return
        }
        let taken = min(Int(Double(steps) * strength), steps)
        guard taken > 0 else {
            throw .invalidSetting(
                name: "strength", expected: "at least \(1 / Double(steps)) with \(steps) steps",
                found: "\(strength)")
        }
        firstStep = steps - taken
    }

    /// As many steps as it takes for one to be within `strength`, at most 1000.
    private static func fewestSteps(for strength: Double) -> Int {
        let count = Int(min(1 / strength, 1000).rounded(.up))
        return Double(count) * strength < 1 ? min(count + 1, 1000) : count
    }

    private static func strength(
        _ settings: RenderSettings, _ parts: ModelParts
    ) throws(StableDiffusionError) -> Double? {
        guard settings.initImage != nil || settings.mask == nil else {
            throw .invalidSetting(name: "mask", expected: "a start picture with it", found: "none")
        }
        guard settings.initImage != nil || settings.startLatents != nil else {
            guard let strength = settings.strength else { return nil }
            throw .invalidSetting(
                name: "strength", expected: "a start picture with it", found: "\(strength) and none")
        }
        guard settings.initImage == nil || parts.encodesPictures else {
            throw .invalidSetting(
                name: "start picture", expected: "a model whose autoencoder has an encoder",
                found: "a decoder alone")
        }
        let strength = settings.strength ?? (settings.mask == nil ? 0.8 : 1)
        guard strength > 0, strength <= 1 else {
            throw .invalidSetting(
                name: "strength", expected: "above 0, at most 1", found: "\(strength)")
        }
        return strength
    }
}

/// What the text encoders see of the prompts.
private struct PromptReading {
    private(set) var tokenCount = 0
    private(set) var warnings: [String] = []

    init(_ settings: RenderSettings, isGuided: Bool, _ parts: ModelParts) {
        guard let tokenizer = parts.texts.first?.tokenizer else { return }
        let texts =
            [("prompt", settings.prompt)] + (isGuided ? [("negative prompt", settings.negativePrompt)] : [])
        for (name, text) in texts {
            let encoding = tokenizer.encode(text)
            tokenCount += encoding.length
            guard let cut = encoding.truncatedText else { continue }
            warnings.append(
                "The \(name) is longer than the \(tokenizer.contextLength) tokens that the text encoder reads; "
                    + "it doesn't see “\(Self.shown(cut))”.")
        }
    }

    /// A text without what could steer a terminal, and at most 500 characters of it.
    private static func shown(_ text: String) -> String {
        let characters = text.unicodeScalars.lazy.filter { $0.properties.generalCategory != .control }
        let shown = String(String.UnicodeScalarView(characters.prefix(500)))
        return characters.count > 500 ? shown + "…" : shown
    }
}
