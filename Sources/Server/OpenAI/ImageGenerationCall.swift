import AssistantAPI

/// The body of `POST /v1/images/generations`, `edits` or `variations`: what is asked for, and in what shape the answer is
/// wanted.
///
/// Beside OpenAI's fields it takes those of the native request: `seed`, `steps`, `guidance_scale` (or `cfg_scale`),
/// `negative_prompt`, `scheduler`, `decoder`, `init_image`, `mask`, `strength`, `clip_skip`, `prediction`, `loras`; and
/// what stable-diffusion.cpp's server takes inside the prompt.
struct ImageGenerationCall: Sendable {
    let operation: ImageOperation
    let request: PictureRequest
    let streams: Bool
    /// `response_format` `url`: pictures are `data:` URLs, which need no server to fetch them from.
    let givesURLs: Bool
    /// As it was asked for; clients read it back.
    let quality: String

    init(_ fields: Fields, _ operation: ImageOperation = .generation) throws(Failure) {
        if operation == .variation { try Self.refuseWhatEditsHave(fields) }
        let given = operation == .variation ? "" : try fields.requiredString("prompt")
        var (prompt, extras) = try ExtraArguments.taken(from: given)
        if prompt.isEmpty, let other = extras?.prompt { prompt = other }
        var request = PictureRequest(prompt: prompt)
        try Self.readSettings(fields, into: &request)
        request.count = try fields.integer("n", in: 1...10)
        extras?.fill(&request)
        try operation.readStart(fields, into: &request)
        try Self.refuseUnsupported(fields)
        streams = try fields.bool("stream") ?? false
        givesURLs = try fields.choice("response_format", among: ResponseFormat.allCases) == .url
        quality = try fields.string("quality") ?? "auto"
        self.request = request
        self.operation = operation
    }

    /// What this call and the `image_generation` tool of responses have in common.
    static func readSettings(_ fields: Fields, into request: inout PictureRequest) throws(Failure) {
        try request.readSettings(fields)
        let otherScale = try fields.number("cfg_scale", in: 0...100)
        request.guidanceScale = request.guidanceScale ?? otherScale
        (request.width, request.height) = try size(fields)
        (request.format, request.quality) = try format(fields)
        request.partialImages = try fields.integer("partial_images", in: 0...3)
    }

    private enum ResponseFormat: String, CaseIterable {
        case base64 = "b64_json"
        case url
    }

    /// `WIDTHxHEIGHT` in pixels, or `auto` for the model's own size.
    private static func size(_ fields: Fields) throws(Failure) -> (width: Int?, height: Int?) {
        guard let text = try fields.string("size"), text != "auto", !text.isEmpty else { return (nil, nil) }
        let lengths = text.lowercased().split(separator: "x", omittingEmptySubsequences: false).map {
            $0.allSatisfy(\.isASCIIDigit) ? Int($0) : nil
        }
        guard lengths.count == 2, let width = lengths[0], let height = lengths[1],
            (1...65_536).contains(width), (1...65_536).contains(height)
        else {
            throw .invalid(
                "'\(fields.path)size' must be 'auto' or WIDTHxHEIGHT in pixels, such as 512x512, "
                    + "not '\(text.prefix(80))'.",
                parameter: fields.path + "size")
        }
        return (width, height)
    }

    /// The files' format, and WebP's quality where one is given.
    private static func format(_ fields: Fields) throws(Failure) -> (PictureFormat?, Int?) {
        if try fields.string("output_format") == "jpeg" {
            throw .unsupported(
                "'\(fields.path)output_format' jpeg is not supported; take png or webp.",
                parameter: fields.path + "output_format")
        }
        let format = try fields.choice("output_format", among: PictureFormat.allCases)
        let compression = try fields.integer("output_compression", in: 0...100)
        // PNG has no quality to choose; clients send the field all the same.
        return (format, format == .webp ? compression : nil)
    }

    /// What would change the picture's meaning if it were ignored is refused by name.
    static func refuseUnsupported(_ fields: Fields) throws(Failure) {
        if try fields.string("background") == "transparent" {
            throw .unsupported(
                "'\(fields.path)background' transparent is not supported; pictures are opaque.",
                parameter: fields.path + "background")
        }
        for name in ["moderation", "style", "user"] { _ = try fields.string(name) }
    }

    /// A variation is of the whole picture, without words, and no stream.
    private static func refuseWhatEditsHave(_ fields: Fields) throws(Failure) {
        for name in ["prompt", "mask"] where fields[name] != nil || !fields.files(name).isEmpty {
            throw .unsupported(
                "'\(name)' is not supported for variations; /v1/images/edits takes it.", parameter: name)
        }
        if try fields.bool("stream") == true {
            throw .unsupported("'stream' is not supported for variations.", parameter: "stream")
        }
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}
