/// The value of a header with what it says beside it, such as `form-data; name="image"; filename="a.png"`.
struct HeaderParameters: Sendable, Equatable {
    /// In lower case.
    let value: String
    /// By their names in lower case.
    let parameters: [String: String]

    /// Reads a header's value; `nil` for one of another form, or that says something twice.
    init?(_ text: some StringProtocol) {
        var rest = Substring(text)
        let end = rest.firstIndex(of: ";") ?? rest.endIndex
        value = rest[..<end].trimmingBlanks().lowercased()
        rest = rest[end...]
        var parameters: [String: String] = [:]
        while rest.popFirst() == ";" {
            rest = rest.drop(while: \.isBlank)
            // Some write a semicolon behind the last one.
            if rest.isEmpty { break }
            guard let sign = rest.firstIndex(of: "=") else { return nil }
            let name = rest[..<sign].trimmingBlanks().lowercased()
            rest = rest[rest.index(after: sign)...].drop(while: \.isBlank)
            guard !name.isEmpty, !name.contains(";"), let parameter = Self.parameter(from: &rest),
                parameters.updateValue(parameter, forKey: name) == nil
            else { return nil }
        }
        guard !value.isEmpty, rest.isEmpty else { return nil }
        self.parameters = parameters
    }

    /// Takes a parameter's value, up to the next semicolon.
    private static func parameter(from rest: inout Substring) -> String? {
        guard rest.first == "\"" else {
            let end = rest.firstIndex(of: ";") ?? rest.endIndex
            defer { rest = rest[end...] }
            return rest[..<end].trimmingBlanks()
        }
        rest.removeFirst()
        var text = ""
        while let character = rest.popFirst() {
            if character == "\"" {
                rest = rest.drop(while: \.isBlank)
                return rest.isEmpty || rest.first == ";" ? text : nil
            }
            // A backslash that hides nothing is one of a path.
            if character == "\\", let hidden = rest.first, hidden == "\"" || hidden == "\\" {
                text.append(hidden)
                rest.removeFirst()
            } else {
                text.append(character)
            }
        }
        return nil
    }
}

extension Character {
    fileprivate var isBlank: Bool { self == " " || self == "\t" }
}
