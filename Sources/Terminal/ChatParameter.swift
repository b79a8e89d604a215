public import AssistantAPI

/// One of the numbers that `/set` and the command line change: its name, its range and its place.
public struct ChatParameter: Sendable {
    public let name: String
    public let meaning: String
    /// What a value must be, in words.
    public let expected: String
    /// Puts a value into settings; false when it is not `expected`.
    private let read: @Sendable (String, inout GenerationSettings) -> Bool
    private let show: @Sendable (GenerationSettings) -> String?
    private let reset: @Sendable (inout GenerationSettings) -> Void

    public static let all: [ChatParameter] = [
        number("temperature", \.temperature, 0...2, "how freely tokens are chosen; 0 takes the likeliest"),
        integer("top_k", \.topK, 0...(1 << 24), "only so many of the likeliest tokens; 0 is off"),
        number("top_p", \.topP, 0...1, "only the likeliest tokens with this probability together; 1 is off"),
        number("min_p", \.minP, 0...1, "only tokens at least this likely beside the likeliest; 0 is off"),
        number("repeat_penalty", \.repeatPenalty, 0.1...10, "against repetition; 1 is off"),
        integer("repeat_last_n", \.repeatLastN, 0...(1 << 24), "how many tokens the penalties look back"),
        number("presence_penalty", \.presencePenalty, -2...2, "against tokens that occurred; 0 is off"),
        number("frequency_penalty", \.frequencyPenalty, -2...2, "against tokens, by how often; 0 is off"),
        integer("max_tokens", \.maxTokens, 0...(1 << 24), "longest answer, in tokens"),
        ChatParameter(
            name: "seed", meaning: "the same seed gives the same answer",
            expected: "a whole number from 0 to \(UInt64.max)",
            read: { text, settings in
                guard let seed = UInt64(text) else { return false }
                settings.seed = seed
                return true
            },
            show: { $0.seed.map { "\($0)" } }, reset: { $0.seed = nil }),
        ChatParameter(
            name: "stop", meaning: "the answer ends before this text", expected: "a text, quoted or not",
            read: { text, settings in
                guard let text = unquoted(text) else { return false }
                settings.stop = [text]
                return true
            },
            show: { $0.stop.map { $0.map { "\"\($0)\"" }.joined(separator: " ") } }, reset: { $0.stop = nil }),
    ]

    /// Changes one parameter of `settings`; the value "default" resets it.
    ///
    /// - Throws: `ClientError.usage` with a sentence that names what was expected.
    public static func set(
        _ name: String, to value: String, in settings: inout GenerationSettings
    ) throws(ClientError) {
        let parameter = try named(name)
        if value == "default" {
            parameter.reset(&settings)
        } else if !parameter.read(value, &settings) {
            throw .usage(
                "\(parameter.name) takes \(parameter.expected), not \"\(TextSanitizer.line(value))\"")
        }
    }

    static func named(_ name: String) throws(ClientError) -> ChatParameter {
        let plain = String(name.lowercased().map { $0 == "-" ? "_" : $0 })
        if let found = all.first(where: {
            $0.name == plain || plain == "num_predict" && $0.name == "max_tokens"
        }) {
            return found
        }
        let nearest = NearestName.of(plain, among: all.map(\.name)).map { "; did you mean \($0)?" } ?? ""
        throw .usage("there is no parameter \"\(TextSanitizer.line(name))\"\(nearest)")
    }

    /// The value as it is set, or `nil` where the daemon's default counts.
    public func value(in settings: GenerationSettings) -> String? { show(settings) }

    // MARK: - Kinds

    private typealias Field<Value> = any WritableKeyPath<GenerationSettings, Value?> & Sendable

    private static func number(
        _ name: String, _ field: Field<Double>, _ range: ClosedRange<Double>, _ meaning: String
    ) -> ChatParameter {
        kind(
            name, field, meaning, "a number from \(trimmed(range.lowerBound)) to \(trimmed(range.upperBound))"
        ) { Double($0).flatMap { range.contains($0) ? $0 : nil } }
    }

    private static func integer(
        _ name: String, _ field: Field<Int>, _ range: ClosedRange<Int>, _ meaning: String
    ) -> ChatParameter {
        kind(name, field, meaning, "a whole number from \(range.lowerBound) to \(range.upperBound)") {
            Int($0).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    private static func kind<Value>(
        _ name: String, _ field: Field<Value>, _ meaning: String, _ expected: String,
        parse: @escaping @Sendable (String) -> Value?
    ) -> ChatParameter {
        ChatParameter(
            name: name, meaning: meaning, expected: expected,
            read: { text, settings in
                guard let value = parse(text) else { return false }
                settings[keyPath: field] = value
                return true
            },
            show: { $0[keyPath: field].map { "\($0)" } }, reset: { $0[keyPath: field] = nil })
    }

    private static func trimmed(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value))" : "\(value)"
    }

    /// A text without the quotes around it, with `\n` as a line feed; `nil` when nothing is left.
    private static func unquoted(_ text: String) -> String? {
        var text = text[...]
        if text.count >= 2, let first = text.first, first == text.last, "\"'".contains(first) {
            text = text.dropFirst().dropLast()
        }
        let plain = text.split(separator: "\\n", omittingEmptySubsequences: false).joined(separator: "\n")
        return plain.isEmpty ? nil : plain
    }
}
