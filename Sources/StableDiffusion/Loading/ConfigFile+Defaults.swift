import StrictJSON

// Members with the value that counts where a file has none: that of the reference's own class.

extension ConfigFile {
    func int(
        _ key: String, in range: ClosedRange<Int>, default fallback: Int
    ) throws(StableDiffusionError) -> Int {
        try optionalInt(key, in: range) ?? fallback
    }

    func float(
        _ key: String, in range: ClosedRange<Double>, default fallback: Float
    ) throws(StableDiffusionError) -> Float {
        try optionalDouble(key, in: range).map { Float($0) } ?? fallback
    }

    func bool(_ key: String, default fallback: Bool) throws(StableDiffusionError) -> Bool {
        try optionalBool(key) ?? fallback
    }

    /// A number for each of a network's levels, of which there are 1 to 8.
    func levels(
        _ key: String, in range: ClosedRange<Int>, default fallback: [Int]
    ) throws(StableDiffusionError) -> [Int] {
        guard let found = try optionalInts(key, in: range) else { return fallback }
        guard (1...8).contains(found.count) else { throw invalid(key, "a list of 1 to 8 integers") }
        return found
    }

    /// `count` numbers; nil when absent.
    func optionalFloats(
        _ key: String, count: Int, in range: ClosedRange<Double>
    ) throws(StableDiffusionError) -> [Float]? {
        guard let array = try optionalArray(key, atMost: count) else { return nil }
        let found = array.compactMap(\.double)
        guard found.count == count, found.allSatisfy(range.contains) else {
            throw invalid(key, "\(count) numbers from \(range.lowerBound) to \(range.upperBound)")
        }
        return found.map { Float($0) }
    }

    /// An error about a part that this engine doesn't have.
    func unsupported(_ feature: String) -> StableDiffusionError {
        .unsupportedFeature(path: path, feature: feature)
    }
}
