import AssistantAPI

extension Recipe {
    /// The recipe in the form that Stable Diffusion's web interfaces write into their files and read from them:
    /// prompt, negative prompt, and a line of settings.
    var parametersText: String {
        var lines = [
            ([prompt] + loras.map { "<lora:\(Self.stem($0.name)):\(Self.short($0.weight))>" }).joined(
                separator: " ")
        ]
        if !negativePrompt.isEmpty { lines.append("Negative prompt: " + negativePrompt) }
        var settings = [
            ("Steps", "\(steps)"), ("Sampler", samplerName), ("CFG scale", Self.short(guidanceScale)),
            ("Seed", "\(seed)"), ("Size", "\(width)x\(height)"), ("Model", Self.stem(model)),
        ]
        // Theirs counts from 1.
        if clipSkip > 0 { settings.append(("Clip skip", "\(clipSkip + 1)")) }
        if let strength { settings.append(("Denoising strength", Self.short(strength))) }
        if let prediction { settings.append(("Prediction", prediction)) }
        if decoder != "full" { settings.append(("Decoder", decoder)) }
        settings.append(("Version", "Inkling \(Inkling.version)"))
        lines.append(settings.map { "\($0.0): \(Self.quoted($0.1))" }.joined(separator: ", "))
        return lines.joined(separator: "\n")
    }

    /// What the same scheduler is called there.
    private var samplerName: String {
        switch scheduler {
        case "ddim": "DDIM"
        case "pndm": "PLMS"
        case "euler": "Euler"
        case "euler_a": "Euler a"
        case "dpmpp_2m": "DPM++ 2M"
        case "dpmpp_2m_karras": "DPM++ 2M Karras"
        case "lcm": "LCM"
        case "unipc": "UniPC"
        default: scheduler.uppercased()
        }
    }

    /// A file's name without folders, which are nobody else's business, and without its ending.
    private static func stem(_ path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return name.hasSuffix(".safetensors") ? String(name.dropLast(12)) : name
    }

    private static func short(_ value: Double) -> String {
        Int(exactly: value).map(String.init) ?? value.description
    }

    /// A value in quotation marks where it has what separates the settings.
    private static func quoted(_ text: String) -> String {
        guard text.contains(where: { ",:\n\"".contains($0) }) else { return text }
        let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing(
            "\n", with: "\\n")
        return "\"\(escaped)\""
    }
}
