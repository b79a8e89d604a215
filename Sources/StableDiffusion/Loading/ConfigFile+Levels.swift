import StrictJSON

extension ConfigFile {
    /// One truth value for all of `count` levels, or a list of as many.
    func boolPerLevel(
        _ key: String, count: Int, default fallback: Bool
    ) throws(StableDiffusionError) -> [Bool] {
        guard let list = json[key]?.array else {
            return Array(repeating: try bool(key, default: fallback), count: count)
        }
        let found = list.compactMap(\.bool)
        guard found.count == count, list.count == count else {
            throw invalid(key, "\(count) of true or false")
        }
        return found
    }
}
