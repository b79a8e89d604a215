/// One key of the configuration: its name, what it takes and where the value goes.
struct ConfigurationKey: Sendable {
    /// What a value should have been.
    struct Mismatch: Error {
        var expected: String
    }

    /// Section and name, as in "chat.top_k".
    let name: String
    /// Puts a value into a configuration; `home` replaces a leading `~`.
    let set: @Sendable (SettingValue, _ home: String, inout Configuration) throws(Mismatch) -> Void

    /// The environment variable that sets it: `INKLING_CHAT_TOP_K`.
    var variable: String { "INKLING_" + name.uppercased().replacing(".", with: "_") }
}

extension ConfigurationKey {
    typealias Field<Value> = any WritableKeyPath<Configuration, Value> & Sendable

    static let all: [Self] = [
        path("server.socket", \.server.socket),
        address("server.listen", \.server.listen),
        boolean("server.require_key", \.server.requireKey),
        integer("server.queue", \.server.queueDepth, in: 0...1024),
        bytes("server.max_body", \.server.maxBodyBytes, in: 1024...(1 << 30), "1KiB to 1GiB"),
        bytes(
            "server.max_picture_body", \.server.maxPictureBodyBytes, in: 1024...(1 << 30), "1KiB to 1GiB"),
        duration("server.shutdown_grace", \.server.shutdownGrace, in: 0...3600, "0s to 1h"),

        model("chat.model", \.chat.model),
        optionalText("chat.system", \.chat.system),
        integer("chat.context_length", \.chat.contextLength, in: 0...(1 << 24)),
        choice("chat.kv_cache", \.chat.kvCache),
        bytes("chat.cache_memory", \.chat.cacheMemory, in: (16 << 20)...(1 << 50), "at least 16MiB"),
        limit("chat.max_tokens", \.chat.maxTokens, in: 0...(1 << 24)),
        number("chat.temperature", \.chat.temperature, in: 0...2),
        integer("chat.top_k", \.chat.topK, in: 0...(1 << 24)),
        number("chat.top_p", \.chat.topP, in: 0...1),
        number("chat.min_p", \.chat.minP, in: 0...1),
        number("chat.repeat_penalty", \.chat.repeatPenalty, in: 0.1...10),
        integer("chat.repeat_last_n", \.chat.repeatLastN, in: 0...(1 << 24)),
        number("chat.presence_penalty", \.chat.presencePenalty, in: -2...2),
        number("chat.frequency_penalty", \.chat.frequencyPenalty, in: -2...2),
        boolean("chat.pictures", \.chat.pictures),

        optionalModel("picture.model", \.picture.model),
        choice("picture.format", \.picture.format),
        byteLimit("picture.memory", \.picture.memory, in: (64 << 20)...(1 << 50), "0, or at least 64MiB"),

        integer("live.budget", \.live.budget, in: 10...60_000),
        duration("live.idle", \.live.idle, in: 1...31_536_000, "1s to 365d"),

        byteLimit(
            "memory.budget", \.memory.budget, in: (64 << 20)...(1 << 50), "\"auto\", 0, or at least 64MiB"),
        stay("memory.keep_alive", \.memory.keepAlive),
        models("memory.pinned", \.memory.pinned),

        integer("engine.threads", \.engine.threads, in: 0...256),
        integer("engine.nice", \.engine.nice, in: 0...19),

        directories("models.directories", \.models.directories),

        boolean("history.enabled", \.history.enabled),
        path("history.path", \.history.path),
        seconds("history.undo", \.history.undoSeconds, in: 0...31_536_000, "0s to 365d"),

        choice("log.level", \.log.level),
    ]

    /// A key whose values `read` understands.
    private static func key<Value>(
        _ name: String, _ field: Field<Value>, expected: String,
        _ read: @escaping @Sendable (SettingValue, _ home: String) -> Value?
    ) -> Self {
        Self(name: name) { value, home, configuration throws(Mismatch) in
            guard let value = read(value, home) else { throw Mismatch(expected: expected) }
            configuration[keyPath: field] = value
        }
    }

    private static func integer(_ name: String, _ field: Field<Int>, in range: ClosedRange<Int>) -> Self {
        key(name, field, expected: "a whole number in \(range.lowerBound)...\(range.upperBound)") {
            value, _ in
            value.integer.flatMap { range.contains($0) ? $0 : nil }
        }
    }

    private static func number(_ name: String, _ field: Field<Double>, in range: ClosedRange<Double>) -> Self
    {
        key(name, field, expected: "a number in \(range.lowerBound)...\(range.upperBound)") { value, _ in
            value.number.flatMap { range.contains($0) ? $0 : nil }
        }
    }

    private static func boolean(_ name: String, _ field: Field<Bool>) -> Self {
        key(name, field, expected: "true or false") { value, _ in value.boolean }
    }

    /// 0 stands for no limit of its own.
    private static func limit(_ name: String, _ field: Field<Int?>, in range: ClosedRange<Int>) -> Self {
        key(name, field, expected: "a whole number in \(range.lowerBound)...\(range.upperBound)") {
            value, _ in
            value.integer.flatMap { range.contains($0) ? .some($0 == 0 ? nil : $0) : nil }
        }
    }

    private static func bytes(
        _ name: String, _ field: Field<Int>, in range: ClosedRange<Int>, _ words: String
    ) -> Self {
        key(name, field, expected: "a size such as \"512MiB\" or \"2GB\" (\(words))") { value, _ in
            value.bytes.flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// 0 stands for no limit of its own.
    private static func byteLimit(
        _ name: String, _ field: Field<Int?>, in range: ClosedRange<Int>, _ words: String
    ) -> Self {
        key(name, field, expected: "a size such as \"512MiB\" or \"2GB\" (\(words))") { value, _ in
            if value.text == "auto" { return .some(nil) }
            return value.bytes.flatMap { $0 == 0 ? .some(nil) : range.contains($0) ? .some($0) : nil }
        }
    }

    private static func seconds(
        _ name: String, _ field: Field<Int>, in range: ClosedRange<Int>, _ words: String
    ) -> Self {
        key(name, field, expected: "a time such as \"10s\" or \"5m\" (\(words))") { value, _ in
            value.seconds.flatMap { range.contains($0) ? $0 : nil }
        }
    }

    private static func duration(
        _ name: String, _ field: Field<Duration>, in range: ClosedRange<Int>, _ words: String
    ) -> Self {
        key(name, field, expected: "a time such as \"10s\" or \"5m\" (\(words))") { value, _ in
            value.seconds.flatMap { range.contains($0) ? .seconds($0) : nil }
        }
    }

    /// "forever" and -1 stand for no end.
    private static func stay(_ name: String, _ field: Field<Duration?>) -> Self {
        key(name, field, expected: "a time such as \"5m\" (0s to 365d), or \"forever\"") { value, _ in
            if value.text == "forever" || value.seconds == -1 || value.text == "-1" { return .some(nil) }
            return value.seconds.flatMap { (0...31_536_000).contains($0) ? .some(.seconds($0)) : nil }
        }
    }

    private static func choice<Value: RawRepresentable<String> & CaseIterable & Sendable>(
        _ name: String, _ field: Field<Value>
    ) -> Self {
        let names = Value.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        return key(name, field, expected: "one of \(names)") { value, _ in
            value.text.flatMap(Value.init(rawValue:))
        }
    }

    /// Empty text stands for none.
    private static func optionalText(_ name: String, _ field: Field<String?>) -> Self {
        key(name, field, expected: "text") { value, _ in value.text.map { $0.isEmpty ? nil : $0 } }
    }

    /// A model's name, or a path that may begin with `~`.
    private static func model(_ name: String, _ field: Field<String>) -> Self {
        key(name, field, expected: "a model's name or an absolute path") { value, home in
            guard let text = value.text, !text.isEmpty else { return nil }
            return absolutePath(text, home: home) ?? (text.contains("/") ? nil : text)
        }
    }

    private static func models(_ name: String, _ field: Field<[String]>) -> Self {
        key(name, field, expected: "a list of models' names or absolute paths") { value, home in
            guard let texts = value.texts else { return nil }
            let names = texts.compactMap { text in
                absolutePath(text, home: home) ?? (text.isEmpty || text.contains("/") ? nil : text)
            }
            return names.count == texts.count ? names : nil
        }
    }

    /// A model's name or a path; empty text stands for none.
    private static func optionalModel(_ name: String, _ field: Field<String?>) -> Self {
        key(name, field, expected: "a model's name or an absolute path") { value, home in
            guard let text = value.text else { return nil }
            if text.isEmpty { return .some(nil) }
            return (absolutePath(text, home: home) ?? (text.contains("/") ? nil : text)).map(Optional.some)
        }
    }

    /// Empty text stands for the default place.
    private static func path(_ name: String, _ field: Field<String?>) -> Self {
        key(name, field, expected: "an absolute path, or one that begins with ~/") { value, home in
            guard let text = value.text else { return nil }
            return text.isEmpty ? .some(nil) : absolutePath(text, home: home).map(Optional.some)
        }
    }

    /// An address of the loopback interface; empty text stands for none.
    private static func address(_ name: String, _ field: Field<LoopbackAddress?>) -> Self {
        let expected = "127.0.0.1:PORT, [::1]:PORT or localhost:PORT (port 0 takes a free one)"
        return key(name, field, expected: expected) { value, _ in
            // A number in the file is a port alone.
            let text = value.text ?? value.integer.map(String.init)
            return text.flatMap { $0.isEmpty ? .some(nil) : LoopbackAddress($0).map(Optional.some) }
        }
    }

    private static func directories(_ name: String, _ field: Field<[String]>) -> Self {
        key(name, field, expected: "a list of absolute paths, or ones that begin with ~/") { value, home in
            guard let texts = value.texts else { return nil }
            let paths = texts.compactMap { absolutePath($0, home: home) }
            return paths.count == texts.count ? paths : nil
        }
    }

    private static func absolutePath(_ text: String, home: String) -> String? {
        guard !text.utf8.contains(0) else { return nil }
        if text.hasPrefix("~/") { return home + text.dropFirst() }
        return text.hasPrefix("/") ? text : nil
    }
}
