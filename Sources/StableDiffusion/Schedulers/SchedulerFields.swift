import StrictJSON

/// The members of a scheduler's file, each read with its type and range; nil where the file says nothing.
struct SchedulerFields {
    let json: JSONValue
    let path: String

    /// Refuses settings that change what a scheduler of this kind computes and that the engine doesn't have.
    func refuse(for kind: SchedulerKind) throws(StableDiffusionError) {
        var flags: [String: String] = [:]
        switch kind {
        case .pndm, .eulerAncestral, .tcd: break
        case .ddim, .lcm: flags["thresholding"] = "dynamic thresholding"
        case .euler, .dpmpp2M, .dpmpp2MKarras, .unipc:
            flags["use_exponential_sigmas"] = "exponential noise levels"
            flags["use_beta_sigmas"] = "beta noise levels"
            if kind != .euler {
                flags["thresholding"] = "dynamic thresholding"
                flags["use_flow_sigmas"] = "flow noise levels"
                flags["use_lu_lambdas"] = "Lu's noise levels"
            }
        }
        for (key, feature) in flags.sorted(by: { $0.key < $1.key }) where try bool(key) ?? false {
            throw .unsupportedFeature(path: path, feature: "\(feature) (\(key))")
        }
    }

    func bool(_ key: String) throws(StableDiffusionError) -> Bool? {
        guard let value = value(key) else { return nil }
        guard let found = value.bool else { throw invalid(key, "true or false", value) }
        return found
    }

    func int(_ key: String, _ range: ClosedRange<Int>) throws(StableDiffusionError) -> Int? {
        guard let value = value(key) else { return nil }
        guard let found = value.int, range.contains(found) else {
            throw invalid(key, "an integer from \(range.lowerBound) to \(range.upperBound)", value)
        }
        return found
    }

    func double(_ key: String, _ range: ClosedRange<Double>) throws(StableDiffusionError) -> Double? {
        guard let value = value(key) else { return nil }
        guard let found = value.double, range.contains(found) else {
            throw invalid(key, "a number from \(range.lowerBound) to \(range.upperBound)", value)
        }
        return found
    }

    func text(_ key: String, _ choices: [String]) throws(StableDiffusionError) -> String? {
        guard let value = value(key) else { return nil }
        guard let found = value.string, choices.contains(found) else {
            throw invalid(key, "one of " + choices.joined(separator: ", "), value)
        }
        return found
    }

    /// One of an enumeration's cases, by its raw value.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String
    ) throws(StableDiffusionError) -> Choice? where Choice.RawValue == String {
        try text(key, Choice.allCases.map(\.rawValue)).flatMap(Choice.init(rawValue:))
    }

    func numbers(
        _ key: String, count: Int, _ range: ClosedRange<Double>
    ) throws(StableDiffusionError) -> [Double]? {
        guard let value = value(key) else { return nil }
        let found = value.array?.compactMap(\.double) ?? []
        guard found.count == count, value.array?.count == count, found.allSatisfy(range.contains) else {
            throw invalid(
                key, "\(count) numbers from \(range.lowerBound) to \(range.upperBound)", value)
        }
        return found
    }

    func steps(_ key: String) throws(StableDiffusionError) -> [Int]? {
        guard let value = value(key) else { return nil }
        let found = value.array?.compactMap(\.int)
        guard let found, found.count == value.array?.count else {
            throw invalid(key, "a list of step numbers", value)
        }
        return found
    }

    /// The member, where it is there and not null.
    private func value(_ key: String) -> JSONValue? {
        guard let value = json[key], !value.isNull else { return nil }
        return value
    }

    private func invalid(_ key: String, _ expected: String, _ found: JSONValue) -> StableDiffusionError {
        .invalidConfiguration(file: path, key: key, expected: expected, found: found.described)
    }
}
