import AssistantAPI
import FoundationEssentials
import ImageCodecs
import StableDiffusion

/// A request for pictures with its ranges checked, its names found and its start picture read.
struct PicturePlan: Sendable {
    let model: ModelFile
    let options: LoadOptions
    /// How many pictures; 0 only brings the model into memory.
    let count: Int
    /// How many previews of each picture.
    let partialImages: Int
    /// How long the model is to stay afterwards; `nil` is the configuration's.
    let keepAlive: KeepAlive?
    /// What the recipe says of the request beside the outline.
    let loras: [PictureRequest.LoRA]
    let initImageHash: String?
    let mask: PictureMask?
    private let first: RenderSettings

    static let promptBytes = 64 << 10

    /// - Parameters:
    ///   - request: What is asked.
    ///   - model: The model that paints.
    ///   - info: What its files say of it.
    ///   - tinyDecoder: The path of one that fits the model, where it has none itself.
    ///   - catalog: Where LoRA files are found.
    ///   - start: The request's start picture, where it was read before.
    ///   - seed: The seed where the request names none.
    ///   - onlyLoads: Makes no pictures.
    /// - Throws: `invalidRequest` naming the field.
    init(
        _ request: PictureRequest, model: ModelFile, info: DiffusionModelInfo, tinyDecoder: String? = nil,
        catalog: ModelCatalog, start: StartPicture? = nil, seed: UInt64, onlyLoads: Bool = false
    ) throws(AssistantError) {
        try Self.checkRanges(request)
        for (length, name) in [(request.width, "width"), (request.height, "height")] {
            guard let length, length % info.factor != 0 else { continue }
            let (width, height) = (request.width ?? info.defaultWidth, request.height ?? info.defaultHeight)
            throw AssistantError(
                .invalidRequest,
                StableDiffusionError.invalidSize(width: width, height: height, factor: info.factor)
                    .description, parameter: name)
        }
        var settings = RenderSettings(prompt: request.prompt, seed: request.seed ?? seed)
        settings.negativePrompt = request.negativePrompt ?? ""
        (settings.width, settings.height, settings.steps) = (request.width, request.height, request.steps)
        settings.scheduler = try Self.choice(request.scheduler, "scheduler")
        settings.decoder = try Self.choice(request.decoder, "decoder")
        settings.guidanceScale = request.guidanceScale
        settings.clipSkip = request.clipSkip ?? 0
        settings.textPadding = try Self.choice(request.textPadding, "text_padding") ?? .encoded
        settings.strength = request.strength
        var start = start
        if start == nil, let file = request.initImage { start = try StartPicture(file) }
        settings.initImage = start?.bitmap
        let needsStart = [
            ("mask", request.mask != nil), ("mask_channel", request.maskChannel != nil),
            ("strength", request.strength != nil),
        ]
        for (name, isGiven) in needsStart where isGiven && request.initImage == nil {
            throw AssistantError(.invalidRequest, "\(name) needs init_image.", parameter: name)
        }
        mask = try PictureMask(request, start: settings.initImage)
        settings.mask = mask?.bitmap
        var options = LoadOptions()
        options.prediction = try Self.choice(request.prediction, "prediction")
        for lora in request.loras ?? [] {
            options.loras.append(LoRAFile(path: try catalog.lora(lora.name), weight: lora.weight))
        }
        options.tinyDecoder = tinyDecoder
        self.model = model
        self.options = options
        count = onlyLoads ? 0 : request.count ?? 1
        partialImages = request.partialImages ?? 0
        keepAlive = request.keepAlive
        loras = request.loras ?? []
        initImageHash = start?.hash
        first = settings
    }

    /// The settings of one of the pictures: each has a seed of its own.
    func settings(of index: Int) -> RenderSettings {
        var settings = first
        settings.seed = first.seed &+ UInt64(index)
        return settings
    }

    /// Everything that decides how a picture looks.
    func recipe(_ outline: PictureOutline) -> Recipe {
        Recipe(
            model: model.name, prompt: first.prompt, negativePrompt: outline.negativePrompt,
            width: outline.width, height: outline.height, steps: outline.steps, seed: outline.seed,
            scheduler: outline.scheduler, guidanceScale: outline.guidanceScale, decoder: outline.decoder,
            clipSkip: outline.clipSkip,
            textPadding: first.textPadding == .encoded ? nil : first.textPadding.rawValue, loras: loras,
            prediction: options.prediction?.rawValue,
            strength: outline.strength, initImage: initImageHash, mask: mask?.hash,
            maskChannel: mask?.channel == .alpha ? .alpha : nil)
    }

    /// The steps after which previews are due, evenly spread, of a picture with so many steps.
    func previewSteps(of stepCount: Int) -> [Int] {
        let steps = (0..<partialImages).map { ($0 + 1) * stepCount / (partialImages + 1) }
        return Set(steps).filter { $0 > 0 && $0 < stepCount }.sorted()
    }

    // MARK: - Checks

    private static func checkRanges(_ request: PictureRequest) throws(AssistantError) {
        guard (request.prompt.utf8.count + (request.negativePrompt?.utf8.count ?? 0)) <= promptBytes else {
            throw AssistantError(
                .invalidRequest, "The prompts are longer than \(promptBytes) bytes.", parameter: "prompt")
        }
        try check(request.width, in: 8...8192, "width")
        try check(request.height, in: 8...8192, "height")
        try check(request.steps, in: 1...1000, "steps")
        try check(request.guidanceScale, in: 0...100, "guidance_scale")
        try check(request.clipSkip, in: 0...11, "clip_skip")
        try check(request.count, in: 1...10, "count")
        try check(request.partialImages, in: 0...3, "partial_images")
        try check(request.quality, in: 0...100, "quality")
        if let strength = request.strength, !(strength > 0 && strength <= 1) {
            throw AssistantError(
                .invalidRequest, "strength is \(strength), but must be above 0 and at most 1.",
                parameter: "strength")
        }
        try check(request.loras?.count, in: 0...16, "loras")
        for lora in request.loras ?? [] { try check(lora.weight, in: -10...10, "loras") }
    }

    private static func check<Value: Comparable>(
        _ value: Value?, in range: ClosedRange<Value>, _ name: String
    ) throws(AssistantError) {
        guard let value, !range.contains(value) else { return }
        throw AssistantError(
            .invalidRequest,
            "\(name) is \(value), but must be between \(range.lowerBound) and \(range.upperBound).",
            parameter: name)
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ text: String?, _ name: String
    ) throws(AssistantError) -> Choice? {
        guard let text else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw AssistantError(
            .invalidRequest, "\(name) is \"\(text.prefix(80))\", but must be one of \(names).",
            parameter: name)
    }

    /// The picture in a file.
    ///
    /// - Throws: `invalidRequest` naming the field.
    static func bitmap(_ file: Data, _ name: String) throws(AssistantError) -> Bitmap {
        do {
            return try Bitmap(decoding: Array(file))
        } catch {
            throw AssistantError(
                .invalidRequest, "\(name) cannot be read: \(error)", parameter: name)
        }
    }
}
