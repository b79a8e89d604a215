import Synchronization

/// The codes of links that let a browser in: each is good for once, and for a minute.
final class EntryLinks: Sendable {
    /// How many may wait to be used; a new one then takes the oldest one's place.
    static let limit = 16
    static let lifetime = Duration.seconds(60)

    private let now: @Sendable () -> ContinuousClock.Instant
    private let waiting = Mutex<[(code: String, until: ContinuousClock.Instant)]>([])

    init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) { self.now = now }

    /// A code that nobody can guess.
    func make() -> String {
        let code = Secret.make()
        waiting.withLock { waiting in
            if waiting.count == Self.limit { waiting.removeFirst() }
            waiting.append((code, now() + Self.lifetime))
        }
        return code
    }

    /// Whether a code is good; from then on it is not.
    func redeem(_ code: String) -> Bool {
        waiting.withLock { waiting in
            waiting.removeAll { $0.until <= now() }
            guard let place = waiting.firstIndex(where: { WebGuard.areEqual($0.code, code) }) else {
                return false
            }
            waiting.remove(at: place)
            return true
        }
    }
}

/// Text that nobody can guess.
enum Secret {
    /// 256 random bits, in hexadecimal.
    static func make() -> String {
        var random = SystemRandomNumberGenerator()
        return (0..<4).map { _ in
            let digits = String(random.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
