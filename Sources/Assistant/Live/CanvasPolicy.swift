/// When to render: the numbers behind `CanvasState`, each with its reason.
struct CanvasPolicy: Sendable, Equatable {
    /// A half word waits at most so long after its last key: longer is felt, and stopping a render takes little.
    var longestQuiet = Duration.milliseconds(80)
    /// Nothing that was typed waits longer than this for its render to begin, however fast more is typed.
    var cap = Duration.milliseconds(400)
    /// Whoever types without a break sees a frame at least this often, where a frame can be made so fast.
    var framePeriod = Duration.milliseconds(2500)
    /// Renders begin at least so far apart, whatever the rate of changes: nobody types faster but in bursts of two keys.
    var shortestInterval = Duration.milliseconds(25)
    /// A render that ends by itself within this time is not stopped: stopping may take as long.
    var stopTime = Duration.milliseconds(50)
    /// A better stage begins at the latest so long after the last key.
    var longestPause = Duration.milliseconds(600)

    /// How long a half word waits for its next letter: no longer than the frame costs that would be for nothing, beyond
    /// what is done before the next key anyway (so one that is ready by then waits not at all), and no longer than shows
    /// that the person has paused.
    ///
    /// - Parameters:
    ///   - cost: What a frame is expected to take.
    ///   - gap: The usual time between two keys.
    /// - Returns: The time after its last key.
    func quietPeriod(cost: Duration, gap: Duration) -> Duration {
        min(max(.zero, cost - gap / 2), gap * 5 / 4, longestQuiet)
    }

    /// How long after the last key a better stage of the same text begins: the same trade, with more patience.
    func pause(cost: Duration, gap: Duration) -> Duration {
        min(max(.zero, cost - gap / 2), gap * 5 / 2, longestPause)
    }

    /// What a render of `cost` may have to go on for without being stopped; a cheap one is soon made anew.
    func stopTime(cost: Duration) -> Duration { min(stopTime, cost / 4) }

    /// How often a frame is guaranteed when one takes `cost`: not so often that hardly any text is left in peace.
    func framePeriod(cost: Duration) -> Duration { max(framePeriod, cost * 5 / 2) }

    /// After what time without a frame a render is left in peace.
    ///
    /// That of whole words is sooner than that of half a one: it says most, is seen while the next word is typed, and so the
    /// last letters of a text rarely have to wait for one.
    func patience(cost: Duration, isWhole: Bool) -> Duration {
        isWhole ? framePeriod(cost: cost) / 4 : framePeriod(cost: cost) - cost
    }
}
