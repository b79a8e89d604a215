import AssistantAPI

/// What clients of stable-diffusion.cpp's server put inside the prompt, as `<sd_cpp_extra_args>{…}</sd_cpp_extra_args>`.
///
/// Its names are that server's: `sample_params` with `sample_steps`, `sample_method`, `scheduler` (the spacing of the
/// noise levels) and `guidance.txt_cfg`, and the older flat `steps` and `cfg_scale`. Unknown members are left out.
struct ExtraArguments: Sendable {
    private(set) var prompt: String?
    private var negativePrompt: String?
    private var width: Int?
    private var height: Int?
    private var seed: UInt64?
    private var steps: Int?
    private var guidanceScale: Double?
    private var strength: Double?
    private var clipSkip: Int?
    private var scheduler: String?

    private static let start = "<sd_cpp_extra_args>", end = "</sd_cpp_extra_args>"

    /// The prompt without the arguments, and what they say; `nil` where there are none.
    ///
    /// - Throws: `Failure` 400 for arguments that are no JSON object or out of range.
    static func taken(from prompt: String) throws(Failure) -> (prompt: String, arguments: ExtraArguments?) {
        guard let start = prompt.firstRange(of: start),
            let end = prompt[start.upperBound...].firstRange(of: end)
        else { return (prompt, nil) }
        let json: JSON
        do {
            json = try JSONParser.parse(Array(prompt[start.upperBound..<end.lowerBound].utf8))
        } catch {
            throw .invalid(
                "The prompt's sd_cpp_extra_args are not valid JSON: \(error).", parameter: "prompt")
        }
        let rest = prompt[..<start.lowerBound] + prompt[end.upperBound...]
        let arguments = try ExtraArguments(Fields(json, path: "sd_cpp_extra_args"))
        return (rest.trimmingBlanks(), arguments)
    }

    private init(_ fields: Fields) throws(Failure) {
        let samples = try fields.object("sample_params")
        let guidance = try samples?.object("guidance")
        prompt = try fields.string("prompt")
        negativePrompt = try fields.string("negative_prompt")
        width = try fields.integer("width", in: 1...65_536)
        height = try fields.integer("height", in: 1...65_536)
        seed = try fields.seed("seed")
        for (fields, name) in [(samples, "sample_steps"), (fields, "sample_steps"), (fields, "steps")]
        where steps == nil {
            steps = try fields?.integer(name, in: 1...1000)
        }
        for (fields, name) in [(guidance, "txt_cfg"), (fields, "cfg_scale")] where guidanceScale == nil {
            guidanceScale = try fields?.number(name, in: 0...100)
        }
        strength = try fields.number("strength", in: 0...1)
        // Theirs counts from 1, and is -1 where the model decides.
        clipSkip = try fields.integer("clip_skip", in: -1...12).map { max(0, $0 - 1) }
        let methods = [try samples?.string("sample_method"), try fields.string("sample_method")]
        let spacings = [try samples?.string("scheduler"), try fields.string("schedule")]
        let (method, spacing) = (methods.compactMap(\.self).first, spacings.compactMap(\.self).first)
        scheduler = method.map { Self.scheduler(method: $0, spacing: spacing) }
    }

    /// The scheduler of ours that a method and a spacing of theirs make; another method's name is left to be refused.
    private static func scheduler(method: String, spacing: String?) -> String {
        switch method {
        case "dpm++2m": spacing == "karras" ? "dpmpp_2m_karras" : "dpmpp_2m"
        case "ddim_trailing": "ddim"
        default: method
        }
    }

    /// Sets what the request itself leaves open.
    func fill(_ request: inout PictureRequest) {
        if request.width == nil, request.height == nil { (request.width, request.height) = (width, height) }
        request.negativePrompt = request.negativePrompt ?? negativePrompt
        request.seed = request.seed ?? seed
        request.steps = request.steps ?? steps
        request.guidanceScale = request.guidanceScale ?? guidanceScale
        request.strength = request.strength ?? strength
        request.clipSkip = request.clipSkip ?? clipSkip
        request.scheduler = request.scheduler ?? scheduler
    }
}
