extension SchedulerConfiguration {
    /// Training times for a model distilled on `originalSteps` of them: a subset of those, from the last one on.
    ///
    /// - Throws: `invalidSetting` for more steps than those.
    func consistencyTimesteps(_ count: Int) throws(StableDiffusionError) -> [Int] {
        guard count <= originalSteps else { throw invalidSteps("at most \(originalSteps)", count) }
        let interval = trainingSteps / originalSteps
        let step = Double(originalSteps) / Double(count)
        return (0..<count).map { index in
            (originalSteps - Int((Double(index) * step).rounded(.down))) * interval - 1
        }
    }
}
