import AssistantAPI
import FoundationEssentials

/// Values as JSON that can be shown in a terminal.
public enum JSONText {
    /// One line of JSON.
    ///
    /// What could command a terminal is written as escapes, so that a program reads the value as it is and a person
    /// who looks at it comes to no harm.
    public static func line(_ value: some Encodable) throws -> String {
        let encoded = try Wire.encoder().encode(value)
        var text = String.UnicodeScalarView()
        // Outside of strings JSON is ASCII, so whatever is escaped here is part of a string.
        for scalar in String(decoding: encoded, as: UTF8.self).unicodeScalars {
            if TextSanitizer.isHostile(scalar) {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    text.append(
                        contentsOf: ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
                            .unicodeScalars)
                }
            } else {
                text.append(scalar)
            }
        }
        return String(text) + "\n"
    }
}
