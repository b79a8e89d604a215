import AssistantAPI

/// Who holds how much memory, and what goes when somebody needs more: a value, which is told the time.
///
/// What is in use, or pinned, never goes. Of the rest everything that can be made again goes before weights, kind by kind, since a
/// cache is back after milliseconds (renders) to seconds (a prompt), a model only after reading its files. Within a kind
/// what was used least recently goes first, and of models those that are to stay for ever last. Nothing goes in vain:
/// what turns out not to be needed, once something larger must go, stays, and if all together is not enough, all stays.
struct MemoryLedger: Sendable {
    /// Who holds something.
    enum Owner: Hashable, Sendable {
        /// A model, by the number of its loading.
        case model(Int)
        /// A canvas, by its id.
        case canvas(String)
        /// What computes, by the kind of work.
        case work(String)
    }

    /// Something that is held.
    struct Holding: Sendable, Equatable {
        var owner: Owner
        var kind: MemoryKind
        var bytes: Int
        var isInUse = false
        var lastUse = Duration.zero
        /// Of weights: when they go if nobody uses them; `nil` for never.
        var expiry: Duration?
        /// Of weights that stay, whoever needs memory.
        var isPinned = false

        fileprivate var stays: Bool { isInUse || isPinned }

        /// Whether a part of it can go.
        fileprivate var isDivisible: Bool { kind == .prefixCaches || kind == .frames }
    }

    /// Something that is to go; with weights all that belongs to their model goes too.
    struct Release: Sendable, Equatable {
        var owner: Owner
        var kind: MemoryKind
        /// At least so many of its bytes.
        var bytes: Int

        init(owner: Owner, kind: MemoryKind, bytes: Int) {
            (self.owner, self.kind, self.bytes) = (owner, kind, bytes)
        }

        fileprivate init(_ holding: Holding, bytes: Int? = nil) {
            self.init(owner: holding.owner, kind: holding.kind, bytes: bytes ?? holding.bytes)
        }
    }

    /// Why something cannot be held.
    struct Shortage: Error, Equatable {
        var needed: Int
        /// What could be had if all that is idle went.
        var available: Int
        /// What is in use or pinned, of the limit.
        var inUse: Int
        var limit: Int

        /// Whether it might be held once what is in use now is so no longer.
        var isTemporary: Bool { needed <= limit }
    }

    /// What may be held in all, in bytes.
    let limit: Int
    let holdings: [Holding]

    var used: Int { holdings.reduce(0) { $0 + $1.bytes } }
    private var inUse: Int { holdings.reduce(0) { $0 + ($1.stays ? $1.bytes : 0) } }

    func bytes(of kind: MemoryKind) -> Int {
        holdings.reduce(0) { $0 + ($1.kind == kind ? $1.bytes : 0) }
    }

    /// What could be had if all that is idle went; `machine` is what the system could give now.
    func most(machine: Int?) -> Int {
        let room = limit - inUse
        return max(0, machine.map { min(room, $0 + used - inUse) } ?? room)
    }

    // MARK: - Making room

    /// What is to go so that `needed` more bytes can be held, in order.
    ///
    /// - Throws: `Shortage` when all that is idle would not be enough.
    func releases(for needed: Int, machine: Int?) throws(Shortage) -> [Release] {
        let missing = max(used + needed - limit, machine.map { needed - $0 } ?? .min)
        guard missing > 0 else { return [] }
        var chosen: [Holding] = []
        var freed = 0
        for holding in leaving where freed < missing {
            chosen.append(holding)
            freed += holding.bytes
        }
        guard freed >= missing else {
            throw Shortage(needed: needed, available: most(machine: machine), inUse: inUse, limit: limit)
        }
        return withoutNeedless(chosen, sparing: freed - missing)
    }

    /// What is idle, in the order in which it goes.
    private var leaving: [Holding] {
        holdings.filter { !$0.stays && $0.bytes > 0 }.enumerated().sorted { one, other in
            one.element.precedes(other.element) ?? (one.offset < other.offset)
        }.map(\.element)
    }

    /// The same without what is not needed beside the others: so many bytes may stay.
    private func withoutNeedless(_ chosen: [Holding], sparing: Int) -> [Release] {
        var spare = sparing
        var gone: Set<Owner> = []
        for holding in chosen where holding.kind == .weights {
            if holding.bytes <= spare { spare -= holding.bytes } else { gone.insert(holding.owner) }
        }
        return chosen.compactMap { holding in
            let goes = gone.contains(holding.owner)
            if holding.kind == .weights { return goes ? Release(holding) : nil }
            if goes { return nil }
            let stays = min(spare, holding.isDivisible || holding.bytes <= spare ? holding.bytes : 0)
            spare -= stays
            return stays == holding.bytes ? nil : Release(holding, bytes: holding.bytes - stays)
        }
    }

    // MARK: - Time

    /// Models that nobody used for as long as they were to stay.
    func expired(at now: Duration) -> [Owner] {
        idleWeights.filter { holding in holding.expiry.map { $0 <= now } ?? false }.map(\.owner)
    }

    /// When the next model is to go if nobody uses it.
    var nextExpiry: Duration? { idleWeights.compactMap(\.expiry).min() }

    private var idleWeights: [Holding] { holdings.filter { $0.kind == .weights && !$0.stays } }
}

extension MemoryLedger.Holding {
    /// Whether it goes before another; `nil` where it makes no difference.
    fileprivate func precedes(_ other: Self) -> Bool? {
        if kind != other.kind { return kind.place < other.kind.place }
        if kind == .weights, (expiry == nil) != (other.expiry == nil) { return expiry != nil }
        return lastUse == other.lastUse ? nil : lastUse < other.lastUse
    }
}

extension MemoryKind {
    fileprivate var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
