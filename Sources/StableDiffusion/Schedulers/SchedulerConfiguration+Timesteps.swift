// Which training times the steps visit: rows of table 2 in Lin and others 2024, with the reference's roundings.

extension SchedulerConfiguration {
    /// Training times of `count` steps, descending, rounded to whole ones.
    ///
    /// - Throws: `invalidSetting` where one of them is no training time.
    func timesteps(_ count: Int) throws(StableDiffusionError) -> [Int] {
        try checked(
            spaced(count).map { Int($0.rounded(.toNearestOrEven)) }, count)
    }

    /// Training times of `count` steps, descending; with the spacing `linspace` they are no whole numbers.
    ///
    /// - Throws: `invalidSetting` where one of them is no training time.
    func fractionalTimesteps(_ count: Int) throws(StableDiffusionError) -> [Float] {
        let times = spaced(count)
        _ = try checked(times.map { Int($0) }, count)
        return times.map(Float.init)
    }

    /// Training times of `count` steps for a solver that sees the last time as a step of its own, descending.
    ///
    /// - Parameters:
    ///   - count: of steps.
    ///   - end: the first time that isn't visited any more.
    /// - Returns: whole numbers.
    /// - Throws: `invalidSetting` where one of them is no training time.
    func solverTimesteps(_ count: Int, before end: Int) throws(StableDiffusionError) -> [Int] {
        let times: [Double] =
            switch spacing {
            case .linspace: Self.evenlySpaced(to: Double(end - 1), count: count + 1).reversed().dropLast()
            case .leading:
                (1...count).reversed().map { Double($0 * (end / (count + 1)) + stepsOffset) }
            case .trailing: Self.trailing(count, from: end, by: Double(trainingSteps) / Double(count))
            }
        return try checked(times.map { Int($0.rounded(.toNearestOrEven)) }, count)
    }

    private func spaced(_ count: Int) -> [Double] {
        switch spacing {
        case .linspace: Self.evenlySpaced(to: Double(trainingSteps - 1), count: count).reversed()
        case .leading:
            (0..<count).reversed().map { Double($0 * (trainingSteps / count) + stepsOffset) }
        case .trailing:
            Self.trailing(count, from: trainingSteps, by: Double(trainingSteps) / Double(count))
        }
    }

    /// NumPy's `arange(end, 0, -interval).round() - 1`, without the entry too many that rounding gives it at times.
    private static func trailing(_ count: Int, from end: Int, by interval: Double) -> [Double] {
        let difference = (Double(end) - interval) - Double(end)
        return (0..<count).map { Double(end) + Double($0) * difference }
            .map { $0.rounded(.toNearestOrEven) - 1 }
            .filter { $0 >= 0 }
    }

    /// NumPy's `linspace(0, end, count)`.
    private static func evenlySpaced(to end: Double, count: Int) -> [Double] {
        guard count > 1 else { return [0] }
        let step = end / Double(count - 1)
        return (0..<count).map { $0 == count - 1 ? end : Double($0) * step }
    }

    private func checked(_ times: [Int], _ count: Int) throws(StableDiffusionError) -> [Int] {
        guard !times.isEmpty, times.allSatisfy({ (0..<trainingSteps).contains($0) }) else {
            throw invalidSteps("fewer of the \(trainingSteps) that the model was trained with", count)
        }
        return times
    }
}
