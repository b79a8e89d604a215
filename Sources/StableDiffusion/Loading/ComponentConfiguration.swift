import StrictJSON

/// The config.json of one part of a model, each member read with its type and range.
///
/// A member that is absent or null is nil, or the default that is given with it.
struct ComponentConfiguration: Sendable {
    let json: JSONValue
    /// The file, for errors.
    let path: String

    /// The members of `json`, the contents of the file at `path`.
    ///
    /// - Throws: `invalidConfiguration` if it is no object.
    init(_ json: JSONValue, path: String) throws(StableDiffusionError) {
        guard json.object != nil else {
            throw .invalidConfiguration(
                file: path, key: "the whole file", expected: "an object", found: json.described)
        }
        self.json = json
        self.path = path
    }

    /// Whether there is such a member, and it isn't null.
    func contains(_ key: String) -> Bool { value(key) != nil }

    func int(
        _ key: String, in range: ClosedRange<Int>, default fallback: Int? = nil
    ) throws(StableDiffusionError) -> Int {
        if let found = try optionalInt(key, in: range) ?? fallback { return found }
        throw invalid(key, Self.integer(in: range))
    }

    func optionalInt(_ key: String, in range: ClosedRange<Int>) throws(StableDiffusionError) -> Int? {
        guard let value = value(key) else { return nil }
        guard let found = value.int, range.contains(found) else {
            throw invalid(key, Self.integer(in: range))
        }
        return found
    }

    /// A list of integers; of `count` of them, where that is given.
    func optionalInts(
        _ key: String, count: Int? = nil, in range: ClosedRange<Int>
    ) throws(StableDiffusionError) -> [Int]? {
        guard let value = value(key) else { return nil }
        let found = value.array?.compactMap(\.int) ?? []
        let limit = 1...64
        guard limit.contains(found.count), found.count == value.array?.count,
            count ?? found.count == found.count,
            found.allSatisfy(range.contains)
        else {
            throw invalid(
                key, count.map { "\($0) integers" } ?? "a list of integers", "from \(range.lowerBound)",
                "to \(range.upperBound)")
        }
        return found
    }

    func ints(
        _ key: String, count: Int? = nil, in range: ClosedRange<Int>
    ) throws(StableDiffusionError) -> [Int] {
        if let found = try optionalInts(key, count: count, in: range) { return found }
        throw invalid(key, "a list of integers")
    }

    /// A finite number.
    func optionalFloat(
        _ key: String, in range: ClosedRange<Double>
    ) throws(StableDiffusionError) -> Float? {
        guard let value = value(key) else { return nil }
        guard let found = value.double, range.contains(found) else {
            throw invalid(key, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return Float(found)
    }

    func float(
        _ key: String, in range: ClosedRange<Double>, default fallback: Float
    ) throws(StableDiffusionError) -> Float {
        try optionalFloat(key, in: range) ?? fallback
    }

    func bool(_ key: String, default fallback: Bool) throws(StableDiffusionError) -> Bool {
        guard let value = value(key) else { return fallback }
        guard let found = value.bool else { throw invalid(key, "true or false") }
        return found
    }

    func optionalString(_ key: String) throws(StableDiffusionError) -> String? {
        guard let value = value(key) else { return nil }
        guard let found = value.string else { throw invalid(key, "a text") }
        return found
    }

    /// A list of texts.
    func optionalStrings(_ key: String) throws(StableDiffusionError) -> [String]? {
        guard let value = value(key) else { return nil }
        let found = value.array?.compactMap(\.string) ?? []
        guard found.count == value.array?.count else { throw invalid(key, "a list of texts") }
        return found
    }

    /// An error about the member `key`; the parts of what was expected are joined by spaces.
    func invalid(_ key: String, _ expected: String...) -> StableDiffusionError {
        .invalidConfiguration(
            file: path, key: key, expected: expected.joined(separator: " "),
            found: value(key)?.described ?? "nothing")
    }

    /// An error about a part that this engine doesn't have.
    func unsupported(_ feature: String) -> StableDiffusionError {
        .unsupportedFeature(path: path, feature: feature)
    }

    private func value(_ key: String) -> JSONValue? {
        json[key].flatMap { $0.isNull ? nil : $0 }
    }

    private static func integer(in range: ClosedRange<Int>) -> String {
        "an integer from \(range.lowerBound) to \(range.upperBound)"
    }
}
