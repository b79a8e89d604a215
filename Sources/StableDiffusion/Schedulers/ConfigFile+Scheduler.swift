import StrictJSON

extension ConfigFile {
    /// Refuses settings that change what a scheduler of this kind computes and that the engine doesn't have.
    func refuseUnknownSettings(of kind: SchedulerKind) throws(StableDiffusionError) {
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
        for (key, feature) in flags.sorted(by: { $0.key < $1.key }) where try optionalBool(key) ?? false {
            throw .unsupportedFeature(path: path, feature: "\(feature) (\(key))")
        }
    }

    /// One of `choices`; nil when absent.
    func text(_ key: String, _ choices: [String]) throws(StableDiffusionError) -> String? {
        guard let found = try optionalString(key) else { return nil }
        guard choices.contains(found) else {
            throw invalid(key, "one of " + choices.joined(separator: ", "))
        }
        return found
    }

    /// One of an enumeration's cases, by its raw value; nil when absent.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String
    ) throws(StableDiffusionError) -> Choice? where Choice.RawValue == String {
        try text(key, Choice.allCases.map(\.rawValue)).flatMap(Choice.init(rawValue:))
    }
}
