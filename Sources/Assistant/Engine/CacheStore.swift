/// The key/value caches of earlier requests, found again by the longest prefix of tokens they share with a new one.
///
/// A plain value: it decides, and whoever owns it copies rows and frees memory.
struct CacheStore<Cache> {
    struct Entry {
        var cache: Cache
        /// The tokens whose keys and values the cache holds.
        var tokens: [Int32]
        var bytes: Int
        /// The conversation it belongs to; `nil` for requests that belong to none.
        var owner: String?
        /// Where the tokens begin that were evaluated before their message was sent; `nil` where none were.
        var aheadFrom: Int?
        fileprivate var lastUse: UInt64 = 0

        init(cache: Cache, tokens: [Int32], bytes: Int, owner: String?, aheadFrom: Int? = nil) {
            self.cache = cache
            self.tokens = tokens
            self.bytes = bytes
            self.owner = owner
            self.aheadFrom = aheadFrom
        }
    }

    /// How a new request begins.
    enum Claim {
        /// Nothing that is worth keeping is shared.
        case fresh
        /// The entry left the store: truncate it to `shared` tokens and go on.
        case reuse(Entry, shared: Int)
        /// The entry stays: copy its first `shared` rows into a new cache.
        case fork(Entry, shared: Int)
    }

    /// Copying fewer rows than this costs more bookkeeping than evaluating them again.
    static var leastForkedRows: Int { 16 }

    /// The memory that idle caches may hold, in bytes.
    let budget: Int
    /// How many there may be: even a small one takes a memory mapping in every layer, and a process has only so many.
    let limit: Int
    private var entries: [Entry] = []
    private var clock: UInt64 = 0

    init(budget: Int, limit: Int = 64) {
        self.budget = budget
        self.limit = limit
    }

    var count: Int { entries.count }
    var bytes: Int { entries.reduce(0) { $0 + $1.bytes } }

    /// The best beginning for a prompt.
    ///
    /// A cache that the prompt merely continues is taken as it is, whoever it belongs to, because nothing in
    /// it is lost. One that the prompt leaves half way is taken by its owner (who edited or regenerated), or
    /// when it has no owner and less would be thrown away than kept; otherwise its shared rows are copied.
    mutating func claim(_ prompt: [Int32], owner: String?) -> Claim {
        var best: (place: Int, shared: Int)?
        for (place, entry) in entries.enumerated() {
            let shared = Self.sharedPrefix(entry.tokens, prompt)
            guard shared > 0 else { continue }
            if let held = best, !isBetter(place, shared, than: held, owner: owner) { continue }
            best = (place, shared)
        }
        guard let best else { return .fresh }
        clock += 1
        entries[best.place].lastUse = clock
        let entry = entries[best.place]
        let continues = best.shared == entry.tokens.count
        let belongs = entry.owner == owner && (owner != nil || best.shared * 2 >= entry.tokens.count)
        if continues || belongs {
            return .reuse(entries.remove(at: best.place), shared: best.shared)
        }
        return best.shared >= Self.leastForkedRows ? .fork(entry, shared: best.shared) : .fresh
    }

    /// How many tokens of a prompt's beginning are in a cache.
    func longestShared(with prompt: [Int32]) -> Int {
        entries.map { Self.sharedPrefix($0.tokens, prompt) }.max() ?? 0
    }

    /// Puts a cache in (back, or for the first time) and returns those that had to leave for it.
    mutating func keep(_ entry: Entry) -> [Entry] {
        guard !entry.tokens.isEmpty, entry.bytes <= budget else { return [entry] }
        clock += 1
        var entry = entry
        entry.lastUse = clock
        entries.append(entry)
        return makeRoom(for: 0)
    }

    /// Takes the least recently used entries out until there are few enough and `needed` more bytes fit.
    mutating func makeRoom(for needed: Int) -> [Entry] {
        var leaving: [Entry] = []
        while bytes > max(0, budget - needed) || count > limit,
            let oldest = entries.indices.min(by: { entries[$0].lastUse < entries[$1].lastUse })
        {
            leaving.append(entries.remove(at: oldest))
        }
        return leaving
    }

    /// Takes the least recently used entries out until `bytes` are free.
    mutating func release(_ bytes: Int) -> [Entry] { makeRoom(for: budget - max(0, self.bytes - bytes)) }

    /// Takes out what belongs to one owner (a conversation that was erased).
    mutating func removeAll(of owner: String) -> [Entry] {
        let leaving = entries.filter { $0.owner == owner }
        entries.removeAll { $0.owner == owner }
        return leaving
    }

    mutating func removeAll() {
        entries = []
    }

    private func isBetter(
        _ place: Int, _ shared: Int, than held: (place: Int, shared: Int), owner: String?
    ) -> Bool {
        if shared != held.shared { return shared > held.shared }
        // Among equals: the shortest rest to throw away, then the request's own.
        let rests = (entries[place].tokens.count, entries[held.place].tokens.count)
        if rests.0 != rests.1 { return rests.0 < rests.1 }
        return entries[place].owner == owner && entries[held.place].owner != owner
    }

    /// How many tokens two sequences have in common at their beginning.
    static func sharedPrefix(_ one: [Int32], _ other: [Int32]) -> Int {
        let limit = min(one.count, other.count)
        var count = 0
        while count < limit, one[count] == other[count] { count += 1 }
        return count
    }
}
