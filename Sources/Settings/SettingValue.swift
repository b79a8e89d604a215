/// A value as it was written, before a key says what it must be.
enum SettingValue: Equatable {
    /// From a flag or a variable, where everything is text.
    case plain(String)
    case string(String)
    case integer(Int)
    case number(Double)
    case boolean(Bool)
    case list([Self])
    /// A TOML type that no key takes, by name.
    case other(String)

    /// How an error message shows it.
    var description: String {
        switch self {
        case .plain(let text), .string(let text): "\"\(text.prefix(80))\""
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .boolean(let value): "\(value)"
        case .list: "a list"
        case .other(let type): "a \(type)"
        }
    }

    var text: String? {
        switch self {
        case .plain(let text), .string(let text): text
        default: nil
        }
    }

    var integer: Int? {
        switch self {
        case .plain(let text): Int(text)
        case .integer(let value): value
        default: nil
        }
    }

    /// Finite numbers only; an integer is one too.
    var number: Double? {
        switch self {
        case .plain(let text): Double(text).flatMap { $0.isFinite ? $0 : nil }
        case .integer(let value): Double(value)
        case .number(let value): value.isFinite ? value : nil
        default: nil
        }
    }

    var boolean: Bool? {
        switch self {
        case .plain("true"), .plain("1"), .plain("yes"), .plain("on"): true
        case .plain("false"), .plain("0"), .plain("no"), .plain("off"): false
        case .boolean(let value): value
        default: nil
        }
    }

    /// A list of texts; a variable separates them by colons, as `PATH` does.
    var texts: [String]? {
        switch self {
        case .plain(let text): return text.split(separator: ":").map(String.init)
        case .list(let values):
            let texts = values.compactMap(\.text)
            return texts.count == values.count ? texts : nil
        default: return nil
        }
    }

    /// A count of bytes: `1048576`, `"1MiB"`, `"2GB"`.
    var bytes: Int? {
        if let integer { return integer }
        guard let (count, unit) = text.flatMap(Self.split) else { return nil }
        let factor: Double? =
            switch unit.lowercased() {
            case "b": 1
            case "k", "kb": 1e3
            case "m", "mb": 1e6
            case "g", "gb": 1e9
            case "t", "tb": 1e12
            case "kib": 1024
            case "mib": 1_048_576
            case "gib": 1_073_741_824
            case "tib": 1_099_511_627_776
            default: nil
            }
        return factor.flatMap { Int(exactly: (count * $0).rounded()) }
    }

    /// A span of time in whole seconds: `90`, `"10s"`, `"5m"`, `"1h"`, `"2d"`.
    var seconds: Int? {
        if let integer { return integer }
        guard let (count, unit) = text.flatMap(Self.split) else { return nil }
        let factor: Double? =
            switch unit {
            case "s": 1
            case "m", "min": 60
            case "h": 3600
            case "d": 86_400
            default: nil
            }
        return factor.flatMap { Int(exactly: count * $0) }
    }

    /// Splits "1.5 GB" into 1.5 and "GB".
    private static func split(_ text: String) -> (count: Double, unit: String)? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let count = Double(digits) else { return nil }
        return (count, String(text.dropFirst(digits.count).drop { $0 == " " }))
    }
}
