import AssistantAPI
import FoundationEssentials

extension PictureRequest {
    /// The fields of a native request.
    ///
    /// - Throws: `Failure` 400 that names the field for a value of the wrong type or out of range.
    init(_ fields: Fields) throws(Failure) {
        self.init(prompt: try fields.requiredString("prompt"))
        try readSettings(fields)
        width = try fields.integer("width", in: Self.lengths)
        height = try fields.integer("height", in: Self.lengths)
        count = try fields.integer("count", in: 1...10)
        partialImages = try fields.integer("partial_images", in: 0...3)
        format = try fields.choice("format", among: PictureFormat.allCases)
        quality = try fields.integer("quality", in: 0...100)
        keepsRecipe = try fields.bool("keeps_recipe")
        isPrivate = try fields.bool("is_private")
    }

    private static let lengths = 1...65_536

    /// What the native request and OpenAI's extended one have in common, by the same names.
    mutating func readSettings(_ fields: Fields) throws(Failure) {
        model = try fields.string("model")
        negativePrompt = try fields.string("negative_prompt")
        steps = try fields.integer("steps", in: 1...1000)
        seed = try fields.seed("seed")
        scheduler = try fields.string("scheduler")
        guidanceScale = try fields.number("guidance_scale", in: 0...100)
        decoder = try fields.string("decoder")
        clipSkip = try fields.integer("clip_skip", in: 0...11)
        textPadding = try fields.string("text_padding")
        strength = try fields.number("strength", in: 0...1)
        initImage = try fields.picture("init_image")
        mask = try fields.picture("mask")
        maskChannel = try fields.choice("mask_channel", among: MaskChannel.allCases)
        prediction = try fields.string("prediction")
        loras = try Self.loras(fields)
        keepAlive = try fields.keepAlive()
    }

    private static func loras(_ fields: Fields) throws(Failure) -> [LoRA]? {
        guard let elements = try fields.array("loras") else { return nil }
        var loras: [LoRA] = []
        for (index, element) in elements.enumerated() {
            if case .string(let name) = element {
                loras.append(LoRA(name: name))
                continue
            }
            let lora = try Fields(element, path: "\(fields.path)loras[\(index)]")
            loras.append(
                LoRA(
                    name: try lora.requiredString("name"),
                    weight: try lora.number("weight", in: -10...10) ?? 1))
        }
        return loras
    }
}

extension Fields {
    /// One of the names that a type has.
    func choice<Choice: RawRepresentable<String>>(
        _ name: String, among choices: [Choice]
    ) throws(Failure) -> Choice? {
        guard let text = try string(name) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let names = choices.map(\.rawValue).joined(separator: " or ")
        throw .invalid(
            "'\(path)\(name)' must be \(names), not '\(text.prefix(80))'.", parameter: path + name)
    }

    /// The only picture of a field that might have several: a picture, or an array of one.
    func onlyPicture(_ name: String) throws(Failure) -> Data? {
        guard case .array(let elements) = self[name] else { return try picture(name) }
        guard elements.count <= 1 else { throw severalPictures(name, elements.count) }
        guard let element = elements.first else { return nil }
        let index = "\(name)[0]"
        return try Fields(JSON([(index, element)])).picture(index)
    }

    /// A picture's file: of a form, or in base64, bare or as a data URL; its content is looked at later.
    func picture(_ name: String) throws(Failure) -> Data? {
        let files = files(name)
        guard files.count <= 1 else { throw severalPictures(name, files.count) }
        if let file = files.first {
            guard !file.isEmpty else {
                throw .invalid("'\(name)' must be a PNG or WebP file, not an empty one.", parameter: name)
            }
            return file
        }
        guard let text = try string(name) else { return nil }
        let encoded: Substring
        if text.hasPrefix("data:"), let comma = text.firstIndex(of: ",") {
            encoded = text[text.index(after: comma)...]
        } else {
            encoded = text[...]
        }
        guard let data = Data(base64Encoded: String(encoded)), !data.isEmpty else {
            throw .invalid(
                "'\(path)\(name)' must be a PNG or WebP file in base64 (bare, or as a data: URL).",
                parameter: path + name)
        }
        return data
    }

    private func severalPictures(_ name: String, _ count: Int) -> Failure {
        .unsupported("'\(path)\(name)' must be one picture, not \(count).", parameter: path + name)
    }
}
