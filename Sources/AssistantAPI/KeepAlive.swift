/// How long a model stays in memory after its last use.
///
/// In JSON a number of seconds, or text such as "90s", "5m" or "1h30m"; any number below 0, and "forever", is for ever.
public enum KeepAlive: Codable, Sendable, Hashable {
    case seconds(Double)
    case forever

    /// Below 0 is for ever; `nil` for what is no number of seconds that a clock can count.
    public init?(seconds: Double) {
        guard seconds.isFinite, seconds < 1e12 else { return nil }
        self = seconds < 0 ? .forever : .seconds(seconds)
    }

    /// Numbers with units, one after the other, as Go and Ollama write them; a bare number is of seconds.
    public init?(text: String) {
        if text == "forever" {
            self = .forever
            return
        }
        if let seconds = Double(text) {
            self.init(seconds: seconds)
            return
        }
        var rest = text[...]
        let isNegative = rest.first == "-"
        if isNegative { rest.removeFirst() }
        var sum = 0.0
        repeat {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest.removeFirst(digits.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest.removeFirst(unit.count)
            guard let count = Double(digits), let length = Self.units[String(unit)] else { return nil }
            sum += count * length
        } while !rest.isEmpty
        self.init(seconds: isNegative ? -sum : sum)
    }

    private static let units = ["ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400]

    /// The time itself; `nil` for ever.
    public var duration: Duration? {
        switch self {
        case .seconds(let seconds): .seconds(seconds)
        case .forever: nil
        }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let value =
            if let seconds = try? container.decode(Double.self) {
                KeepAlive(seconds: seconds)
            } else {
                KeepAlive(text: try container.decode(String.self))
            }
        guard let value else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a time is seconds, or text such as \"5m\"")
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .seconds(let seconds): try container.encode(seconds)
        case .forever: try container.encode(-1)
        }
    }
}
