import AssistantAPI
import FoundationEssentials

/// The body of `POST /sdapi/v1/txt2img` or `/sdapi/v1/img2img`.
struct Automatic1111Call: Sendable {
    let request: PictureRequest
    /// The body as it came, without its pictures; clients read it back.
    let parameters: JSON

    /// - Parameters:
    ///   - fields: The body.
    ///   - startsFromPicture: Whether it is `img2img`.
    ///   - checkpoint: The model that was chosen for all requests; `nil` is the default one.
    /// - Throws: `Failure` 400 that names the field.
    init(_ fields: Fields, startsFromPicture: Bool, checkpoint: String?) throws(Failure) {
        try Self.refuseUnsupported(fields)
        let overrides = try fields.object("override_settings")
        let (prompt, loras) = try LoRATags.taken(from: fields.string("prompt") ?? "")
        var request = PictureRequest(prompt: prompt)
        request.loras = loras.isEmpty ? nil : loras
        request.model = try overrides?.string("sd_model_checkpoint") ?? checkpoint
        request.negativePrompt = try fields.string("negative_prompt")
        request.width = try fields.integer("width", in: 1...65_536)
        request.height = try fields.integer("height", in: 1...65_536)
        request.steps = try fields.integer("steps", in: 1...1000)
        request.guidanceScale = try fields.number("cfg_scale", in: 0...100)
        request.seed = try fields.seed("seed")
        request.scheduler = try Automatic1111Sampler.scheduler(fields)
        request.count = try Self.count(fields)
        // Theirs counts from 1.
        request.clipSkip = try overrides?.integer("CLIP_stop_at_last_layers", in: 1...12).map { $0 - 1 }
        request.keepAlive = try fields.keepAlive()
        request.partialImages = 3
        request.format = .png
        if startsFromPicture { try Self.readStart(fields, into: &request) }
        self.request = request
        let pictures = ["init_images", "mask"]
        parameters = JSON(fields.all.filter { !pictures.contains($0.name) }.map { ($0.name, $0.value) })
    }

    /// `n_iter` times `batch_size` pictures are made one after the other.
    private static func count(_ fields: Fields) throws(Failure) -> Int? {
        let size = try fields.integer("batch_size", in: 1...10)
        let rounds = try fields.integer("n_iter", in: 1...10)
        guard size != nil || rounds != nil else { return nil }
        let count = (size ?? 1) * (rounds ?? 1)
        guard count <= 10 else {
            throw .invalid(
                "'batch_size' times 'n_iter' is \(count); at most 10 are made.", parameter: "n_iter")
        }
        return count
    }

    private static func readStart(_ fields: Fields, into request: inout PictureRequest) throws(Failure) {
        guard let image = try fields.onlyPicture("init_images") else {
            throw fields.missing("init_images", "an array with the picture to start from")
        }
        request.initImage = image
        request.mask = try fields.picture("mask")
        // 0 would leave the picture as it is, for which nothing has to be painted.
        request.strength = try fields.number("denoising_strength", in: 0.001...1) ?? 0.75
        if let inverts = fields["inpainting_mask_invert"], inverts != 0, inverts != false {
            throw .unsupported(
                "'inpainting_mask_invert' is not supported: white is painted anew.",
                parameter: "inpainting_mask_invert")
        }
    }

    /// What would change the picture's meaning if it were ignored is refused by name.
    private static func refuseUnsupported(_ fields: Fields) throws(Failure) {
        for name in ["enable_hr", "restore_faces", "tiling"] where try fields.bool(name) == true {
            throw .unsupported("'\(name)' is not supported; leave it out.", parameter: name)
        }
        for name in ["script_name", "refiner_checkpoint"] {
            guard let text = try fields.string(name), !text.isEmpty, text != "None" else { continue }
            throw .unsupported("'\(name)' is not supported; leave it out.", parameter: name)
        }
        if let styles = try fields.array("styles"), !styles.isEmpty {
            throw .unsupported("'styles' are not supported; leave them out.", parameter: "styles")
        }
        if let scripts = try fields.object("alwayson_scripts"), !scripts.names.isEmpty {
            throw .unsupported(
                "'alwayson_scripts' are not supported; leave them out.", parameter: "alwayson_scripts")
        }
        if let strength = try fields.number("subseed_strength", in: 0...1), strength > 0 {
            throw .unsupported("'subseed_strength' is not supported.", parameter: "subseed_strength")
        }
    }
}
