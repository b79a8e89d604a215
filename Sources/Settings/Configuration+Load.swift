extension Configuration {
    /// Reads the configuration from all of its sources.
    ///
    /// - Parameters:
    ///   - flags: values from the command line, by key: `["chat.model": "tiny"]`.
    ///   - environment: the process's variables; `INKLING_CHAT_MODEL` sets `chat.model`. A variable of a known
    ///     section that no key has is refused, so that a slip of the pen does not pass in silence.
    ///   - file: a file that must be there; `nil` means `INKLING_CONFIG` or else the one in the user's
    ///     configuration directory, which may be missing.
    /// - Returns: every key, with its value or its default.
    /// - Throws: the first thing that is wrong, with its place, what was expected and what was found.
    public static func load(
        flags: [String: String] = [:], environment: [String: String], file: String? = nil
    ) throws(ConfigurationError) -> Self {
        let paths = try Paths(environment: environment)
        let reader = ConfigurationReader(home: paths.home)
        var configuration = Self()
        try reader.applyForeignVariables(environment, to: &configuration)
        if let path = file ?? environment["INKLING_CONFIG"].flatMap({ $0.isEmpty ? nil : $0 }) {
            try reader.apply(ConfigurationFile(path: path), to: &configuration)
        } else if paths.hasConfigurationFile {
            try reader.apply(ConfigurationFile(path: paths.configurationFile), to: &configuration)
        }
        try reader.applyVariables(environment, to: &configuration)
        try reader.applyFlags(flags, to: &configuration)
        return configuration
    }
}

/// Puts the entries of each source into a configuration.
struct ConfigurationReader {
    /// Replaces a leading `~` in paths.
    let home: String
    private let keys = Dictionary(uniqueKeysWithValues: ConfigurationKey.all.map { ($0.name, $0) })

    init(home: String) { self.home = home }

    func apply(_ file: ConfigurationFile, to configuration: inout Configuration) throws(ConfigurationError) {
        for entry in file.entries {
            try set(entry.key, to: entry.value, from: entry.source, in: &configuration)
        }
    }

    func applyFlags(
        _ flags: [String: String], to configuration: inout Configuration
    ) throws(ConfigurationError) {
        for (key, text) in flags.sorted(by: { $0.key < $1.key }) {
            try set(key, to: .plain(text), from: .flag(key), in: &configuration)
        }
    }

    func applyVariables(
        _ environment: [String: String], to configuration: inout Configuration
    ) throws(ConfigurationError) {
        let names = Dictionary(uniqueKeysWithValues: keys.values.map { ($0.variable, $0.name) })
        let sections = Set(keys.keys.map { "INKLING_" + $0.prefix { $0 != "." }.uppercased() + "_" })
        for (variable, text) in environment.sorted(by: { $0.key < $1.key }) {
            if let key = names[variable] {
                try set(key, to: .plain(text), from: .variable(variable), in: &configuration)
            } else if sections.contains(where: variable.hasPrefix) {
                throw .unknownKey(
                    .variable(variable), key: variable, suggestion: nearest(to: variable, among: names.keys))
            }
        }
    }

    /// Variables of other programs that mean the same; they count less than our own file.
    func applyForeignVariables(
        _ environment: [String: String], to configuration: inout Configuration
    ) throws(ConfigurationError) {
        if let text = environment["OLLAMA_CONTEXT_LENGTH"], !text.isEmpty {
            try set(
                "chat.context_length", to: .plain(text), from: .variable("OLLAMA_CONTEXT_LENGTH"),
                in: &configuration)
        }
    }

    private func set(
        _ name: String, to value: SettingValue, from source: ConfigurationError.Source,
        in configuration: inout Configuration
    ) throws(ConfigurationError) {
        guard let key = keys[name] else {
            throw .unknownKey(source, key: name, suggestion: nearest(to: name, among: keys.keys))
        }
        do {
            try key.set(value, home, &configuration)
        } catch {
            throw .invalidValue(source, key: name, expected: error.expected, found: value.description)
        }
    }

    /// The candidate that a slip of the pen most likely meant: few edits away, or the same last part.
    private func nearest(to name: String, among candidates: some Collection<String>) -> String? {
        let ranked = candidates.map { (editDistance(name, $0), $0) }.sorted { $0 < $1 }
        if let (distance, candidate) = ranked.first, distance <= max(2, name.count / 4) { return candidate }
        let last = name.split(separator: ".").last
        return candidates.sorted().first { $0.split(separator: ".").last == last }
    }
}

/// Levenshtein's distance: insertions, deletions and replacements that lead from one text to the other.
func editDistance(_ from: String, _ to: String) -> Int {
    // Long names are no slip of the pen, and the cost is quadratic.
    let from = Array(from.utf8.prefix(80)), to = Array(to.utf8.prefix(80))
    var row = Array(0...to.count)
    for (i, a) in from.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, b) in to.enumerated() {
            let replaced = diagonal + (a == b ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row[to.count]
}
