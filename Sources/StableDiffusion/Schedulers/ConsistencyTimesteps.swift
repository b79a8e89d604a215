extension SchedulerConfiguration {
    /// Training times for a model distilled on `originalSteps` of them: a subset of those up to `originalShare`, from the
    /// last one on.
    ///
    /// - Throws: `invalidSetting` for more steps than those.
    func consistencyTimesteps(_ count: Int) throws(StableDiffusionError) -> [Int] {
        let original = Int(Double(originalSteps) * originalShare)
        guard count <= original else { throw invalidSteps("at most \(original)", count) }
        let interval = trainingSteps / originalSteps
        let step = Double(original) / Double(count)
        return (0..<count).map { index in
            (original - Int((Double(index) * step).rounded(.down))) * interval - 1
        }
    }
}
