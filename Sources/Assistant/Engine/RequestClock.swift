import AssistantAPI

/// Where the time of one request goes.
struct RequestClock {
    private let arrival: ContinuousClock.Instant
    private let start: ContinuousClock.Instant
    private let loading: Duration
    private var prefillEnd: ContinuousClock.Instant?
    private var firstToken: ContinuousClock.Instant?

    /// The request's turn has come now; `loading` of the time since its arrival went into loading the model.
    init(arrival: ContinuousClock.Instant, loading: Duration) {
        self.arrival = arrival
        self.loading = loading
        start = .now
    }

    mutating func prefillEnded() { prefillEnd = .now }

    mutating func tokenMade() {
        if firstToken == nil { firstToken = .now }
    }

    func prefillMilliseconds() -> Double { ((prefillEnd ?? .now) - start).milliseconds }

    /// The figures at this moment, which is taken as the request's end.
    func timings() -> Timings {
        Timings(
            queued: (start - arrival - loading).milliseconds, loading: loading.milliseconds,
            prefill: prefillMilliseconds(), decode: prefillEnd.map { (.now - $0).milliseconds } ?? 0,
            firstToken: firstToken.map { ($0 - arrival).milliseconds } ?? 0)
    }
}
