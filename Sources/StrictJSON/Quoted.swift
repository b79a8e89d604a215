/// `text` in quotation marks, as error messages show it: control characters escaped, and at most 200 characters.
public func quoted(_ text: String) -> String {
    var result = "“"
    for (index, scalar) in text.unicodeScalars.enumerated() {
        if index == 200 {
            result += "…"
            break
        }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse:
            result += "\\u{\(String(scalar.value, radix: 16))}"
        default:
            result.unicodeScalars.append(scalar)
        }
    }
    return result + "”"
}
