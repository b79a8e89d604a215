import AssistantAPI

// By which names a model is found.

extension ModelCatalog {
    /// The model of this name: its own in any case, with or without an ending, or without its weights' type; also with a
    /// tag, as Ollama's clients write the type.
    static func find(_ name: String, in models: [ModelFile]) -> ModelFile? {
        if let exact = models.first(where: { $0.name == name }) { return exact }
        let wanted = key(name)
        if let match = models.first(where: { key($0.name) == wanted }) { return match }
        if let match = models.first(where: { withoutQuantization(key($0.name)) == wanted }) { return match }
        guard let colon = wanted.lastIndex(of: ":") else { return nil }
        let (base, tag) = (wanted[..<colon], wanted[wanted.index(after: colon)...])
        return models.first { ["\(base)-\(tag)", "\(base).\(tag)"].contains(key($0.name)) }
    }

    /// A name without the tag that Ollama's clients put behind names that have none.
    static func withoutTag(_ name: String) -> String {
        name.lowercased().hasSuffix(":latest") ? String(name.dropLast(7)) : name
    }

    /// A name without the address of the hub that everybody means.
    static func withoutHub(_ name: String) -> String {
        for host in ["hf.co/", "huggingface.co/"] where name.lowercased().hasPrefix(host) {
            return String(name.dropFirst(host.count))
        }
        return name
    }

    /// A name as it is compared: lower case, without an ending that people tend to type.
    private static func key(_ name: String) -> String {
        let lowered = withoutHub(withoutTag(name)).lowercased()
        for ending in [".gguf", ".safetensors"] where lowered.hasSuffix(ending) {
            return String(lowered.dropLast(ending.count))
        }
        return lowered
    }

    /// A name without the weights' type at its end: `smollm2-135m-instruct` of `smollm2-135m-instruct.q4_1`.
    static func withoutQuantization(_ name: String) -> String {
        guard let mark = name.lastIndex(where: { $0 == "-" || $0 == "." || $0 == ":" }) else { return name }
        let ending = name[name.index(after: mark)...]
        let isType =
            ["f16", "f32", "bf16"].contains(ending)
            || ((ending.hasPrefix("q") || ending.hasPrefix("iq")) && ending.contains(where: \.isNumber))
        return isType ? String(name[..<mark]) : name
    }

    /// How many letters must be changed, added or left out to make one name the other (Levenshtein).
    static func distance(_ one: String, _ other: String) -> Int {
        let (a, b) = (Array(one.lowercased().utf8.prefix(128)), Array(other.lowercased().utf8.prefix(128)))
        var row = Array(0...b.count)
        for i in a.indices {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let substituted = diagonal + (a[i] == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}
