import AssistantAPI

/// The LoRA files that a prompt of A1111's names: `<lora:NAME>` or `<lora:NAME:WEIGHT>`.
enum LoRATags {
    private static let opening = "<lora:"

    /// The prompt without its tags, and what they name, in their order.
    ///
    /// - Throws: `Failure` 400 for a tag of another form.
    static func taken(from prompt: String) throws(Failure) -> (prompt: String, loras: [PictureRequest.LoRA]) {
        var (rest, text, loras) = (prompt[...], "", [PictureRequest.LoRA]())
        while let start = rest.firstRange(of: opening),
            let end = rest[start.upperBound...].firstIndex(of: ">")
        {
            text += rest[..<start.lowerBound]
            loras.append(try lora(rest[start.upperBound..<end]))
            rest = rest[rest.index(after: end)...]
        }
        text += rest
        return (loras.isEmpty ? prompt : text.trimmingBlanks(), loras)
    }

    private static func lora(_ tag: Substring) throws(Failure) -> PictureRequest.LoRA {
        let parts = tag.split(separator: ":", omittingEmptySubsequences: false)
        let written = parts.count == 2 ? Double(parts[1]) : 1
        guard parts.count <= 2, !parts[0].isEmpty, let weight = written, (-10...10).contains(weight) else {
            throw .invalid(
                "A LoRA in the prompt must be <lora:NAME> or <lora:NAME:WEIGHT> with a weight from -10 to 10, not "
                    + "<lora:\(tag.prefix(80))>.", parameter: "prompt")
        }
        return PictureRequest.LoRA(name: String(parts[0]), weight: weight)
    }
}
