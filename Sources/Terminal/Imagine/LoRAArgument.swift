public import AssistantAPI

/// A LoRA as people write it: a name or a path, and its weight after a colon.
public enum LoRAArgument {
    /// Reads `FILE[:WEIGHT]`; a path is made absolute, as the daemon works in another folder.
    ///
    /// - Throws: `ClientError` for a file that is not there, or an empty name.
    public static func parse(_ text: String) throws(ClientError) -> PictureRequest.LoRA {
        var name = text
        var weight = 1.0
        // A colon may belong to the name: only a number after the last one is a weight.
        if let colon = text.lastIndex(of: ":"), let number = Double(text[text.index(after: colon)...]),
            number.isFinite
        {
            name = String(text[..<colon])
            weight = number
        }
        guard !name.isEmpty else {
            throw .usage("--lora takes a file and its weight, such as style.safetensors:0.8, not \"\(text)\"")
        }
        return PictureRequest.LoRA(name: try ModelText.absolute(name, kind: "LoRA file"), weight: weight)
    }
}
