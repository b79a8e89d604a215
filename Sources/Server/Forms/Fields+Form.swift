import FoundationEssentials

extension Fields {
    /// The parts of a form by their fields; `name[]` is an element of the field `name`.
    ///
    /// - Throws: `Failure` 400 that names the field for a text that comes twice or is no UTF-8, for what is both text and
    ///   file, and for names with further brackets.
    init(_ form: MultipartForm) throws(Failure) {
        var texts: [String: JSON] = [:]
        var files: [String: [Data]] = [:]
        for part in form.parts {
            let isElement = part.name.hasSuffix("[]")
            let name = isElement ? String(part.name.dropLast(2)) : part.name
            guard !name.isEmpty, !name.contains("[") else {
                throw .invalid(
                    "'\(part.name.prefix(80))' must be a field's name, or NAME[]; what has parts of its own is JSON.",
                    parameter: part.name)
            }
            if part.isFile {
                files[name, default: []].append(Data(part.content))
            } else {
                texts[name] = try Self.text(of: part, isElement: isElement, name, after: texts[name])
            }
        }
        if let name = files.keys.sorted().first(where: { texts[$0] != nil }) {
            throw .invalid("'\(name)' is there as a file and as text; one was expected.", parameter: name)
        }
        self.init(form: texts, files: files)
    }

    /// The value of a field with one more part.
    private static func text(
        of part: MultipartForm.Part, isElement: Bool, _ name: String, after value: JSON?
    ) throws(Failure) -> JSON {
        guard let text = String(validating: part.content, as: UTF8.self) else {
            throw .invalid(
                "'\(name)' must be text in UTF-8, or a file (with a filename, or a Content-Type of image/…).",
                parameter: name)
        }
        switch value {
        case nil: return isElement ? .array([.string(text)]) : .string(text)
        case .array(let elements) where isElement: return .array(elements + [.string(text)])
        default: throw .invalid("'\(name)' is there more than once; one was expected.", parameter: name)
        }
    }
}
