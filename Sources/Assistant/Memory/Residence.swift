import AssistantAPI

/// A model's stay in memory: since which loading, used when, and until when.
struct Residence: Sendable {
    /// Of its loading: no two models have the same.
    let number: Int
    private(set) var lastUse: Duration
    /// As the last request has it.
    private(set) var keepAlive: KeepAlive

    init(number: Int, keepAlive: KeepAlive, at now: Duration) {
        self.number = number
        self.keepAlive = keepAlive
        lastUse = now
    }

    /// When it ends, if the model is not used before; `nil` for never.
    var expiry: Duration? { keepAlive.duration.map { lastUse + $0 } }

    mutating func use(at now: Duration) { lastUse = now }

    mutating func keep(_ keepAlive: KeepAlive) { self.keepAlive = keepAlive }
}
