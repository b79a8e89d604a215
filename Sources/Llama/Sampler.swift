public import Grammars

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Picks the next token from logits: a value with its own random numbers, so that a seed repeats an answer.
///
/// The order is llama.cpp's: logit bias, penalties, top-k, top-p, min-p, temperature. Top-p and min-p therefore
/// look at the probabilities before the temperature flattens or sharpens them. Nothing sorts the whole vocabulary.
public struct Sampler: Sendable {
    /// How to pick; the defaults change nothing: plain sampling at temperature 1.
    public struct Settings: Sendable, Equatable {
        /// Divides the logits; 0 (or less) always takes the most probable token.
        public var temperature: Float = 1
        /// Keeps the k most probable tokens; 0 keeps all.
        public var topK: Int = 0
        /// Keeps the fewest tokens whose probabilities reach this sum; 1 keeps all.
        public var topP: Float = 1
        /// Drops tokens less probable than this fraction of the most probable one; 0 keeps all.
        public var minP: Float = 0
        /// Divides positive and multiplies negative logits of recent tokens; 1 does nothing.
        public var repeatPenalty: Float = 1
        /// How many of the last tokens, the prompt's included, the three penalties look at; -1 means all.
        public var repeatLastN: Int = 64
        /// Subtracted from the logit of a token that occurred.
        public var presencePenalty: Float = 0
        /// Subtracted from a token's logit as often as it occurred.
        public var frequencyPenalty: Float = 0
        /// Added to the logits of these tokens; -infinity bans one.
        public var logitBias: [Int32: Float] = [:]
        /// Starts the random numbers; nil takes a seed from the system.
        public var seed: UInt64?

        /// Settings that change nothing, to be changed one by one.
        public init() {}

        /// Always the most probable token.
        public static var greedy: Settings {
            var settings = Settings()
            settings.temperature = 0
            return settings
        }

        var hasPenalties: Bool {
            repeatLastN != 0 && (repeatPenalty != 1 || presencePenalty != 0 || frequencyPenalty != 0)
        }
    }

    /// The settings as given.
    public let settings: Settings
    /// The seed in use: the settings' own, or the one drawn from the system.
    public let seed: UInt64

    private var random: SplitMix64
    private var adjusted: [Float] = []
    private var candidates: [Candidate] = []
    private var weights: [Double] = []
    private var masses: [Double] = []
    private var occurrences: [Int32] = []
    private var occurring: [Int32] = []

    /// Makes a sampler that starts at the beginning of its random numbers.
    public init(_ settings: Settings) {
        self.settings = settings
        seed = settings.seed ?? UInt64.random(in: 0...UInt64.max)
        random = SplitMix64(seed: seed)
    }

    /// Picks a token by `logits` `[V]`, given the tokens so far (the last `repeatLastN` count for the penalties).
    ///
    /// Greedy picking without bias or penalties allocates nothing. Throws `invalidNumbers` when a logit is NaN or
    /// infinite, or when every token is banned.
    public mutating func sample(
        _ logits: UnsafeBufferPointer<Float>, recent: [Int32] = []
    ) throws(LlamaError) -> Int32 {
        guard adjusts else { return try pick(logits) }
        // The raw logits are looked at first: an infinite bias must not hide that the model's own are invalid.
        guard Logits.maximum(of: logits) != nil else { throw .invalidNumbers }
        adjust(logits, recent: recent)
        let row = adjusted
        return try row.withUnsafeBufferPointer { (row) throws(LlamaError) in try pick(row) }
    }

    /// Picks a token by `logits`, as above.
    public mutating func sample(_ logits: [Float], recent: [Int32] = []) throws(LlamaError) -> Int32 {
        try logits.withUnsafeBufferPointer { (row) throws(LlamaError) in try sample(row, recent: recent) }
    }

    /// Picks a token by `logits` that a grammar allows, and that may end the text only where the grammar does.
    ///
    /// A token is picked as if there were no grammar, and tried first: mostly it is allowed, and looking at one token is
    /// cheap. Only when it isn't, all that are not allowed are banned, and one of the others is picked.
    public mutating func sample(
        _ logits: UnsafeBufferPointer<Float>, recent: [Int32] = [], within constraint: inout TokenConstraint
    ) throws -> Int32 {
        try keep(try sample(logits, recent: recent), of: logits, within: &constraint)
    }

    /// A token that was just picked by `logits`, or another one where a grammar forbids it.
    public mutating func keep(
        _ token: Int32, of logits: UnsafeBufferPointer<Float>, within constraint: inout TokenConstraint
    ) throws -> Int32 {
        if try constraint.allows(token) { return token }
        let mask = try constraint.allowed()
        if !adjusts { adjusted = Array(logits) }
        adjusted.withUnsafeMutableBufferPointer { row in
            for id in row.indices where !mask.contains(id) { row[id] = -.infinity }
        }
        let row = adjusted
        return try row.withUnsafeBufferPointer { try pick($0) }
    }

    private var adjusts: Bool { settings.hasPenalties || !settings.logitBias.isEmpty }

    // MARK: - Bias and penalties

    private mutating func adjust(_ logits: Logits.Row, recent: [Int32]) {
        if adjusted.count != logits.count {
            adjusted = Array(logits)
            occurrences = Array(repeating: 0, count: settings.hasPenalties ? logits.count : 0)
        } else {
            adjusted.withUnsafeMutableBufferPointer { _ = $0.update(fromContentsOf: logits) }
        }
        for (id, bias) in settings.logitBias where adjusted.indices.contains(Int(id)) {
            adjusted[Int(id)] += bias
        }
        if settings.hasPenalties { penalise(recent) }
    }

    private mutating func penalise(_ recent: [Int32]) {
        let window = settings.repeatLastN < 0 ? recent[...] : recent.suffix(settings.repeatLastN)
        for id in window where occurrences.indices.contains(Int(id)) {
            if occurrences[Int(id)] == 0 { occurring.append(id) }
            occurrences[Int(id)] += 1
        }
        for id in occurring.lazy.map(Int.init) {
            let logit = adjusted[id]
            let repeated = logit > 0 ? logit / settings.repeatPenalty : logit * settings.repeatPenalty
            adjusted[id] =
                repeated - Float(occurrences[id]) * settings.frequencyPenalty - settings.presencePenalty
            occurrences[id] = 0
        }
        occurring.removeAll(keepingCapacity: true)
    }

    // MARK: - Selection

    private mutating func pick(_ logits: Logits.Row) throws(LlamaError) -> Int32 {
        if settings.temperature <= 0 || settings.topK == 1 {
            guard let greatest = Logits.greatest(of: logits) else { throw .invalidNumbers }
            return greatest.id
        }
        guard let highest = Logits.maximum(of: logits) else { throw .invalidNumbers }
        select(logits, highest: highest)
        return draw(highest: highest)
    }

    /// Leaves in `candidates` the tokens that top-k, top-p and min-p keep.
    private mutating func select(_ logits: Logits.Row, highest: Float) {
        let hasTopK = settings.topK > 0 && settings.topK < logits.count
        let hasTopP = settings.topP < 1
        let floor = settings.minP > 0 ? highest + logf(min(settings.minP, 1)) : -.infinity
        if hasTopK {
            Logits.greatest(settings.topK, of: logits, into: &candidates)
            if hasTopP { keepTopP(highest: highest) }
        } else if hasTopP {
            selectTopP(logits, highest: highest)
        } else {
            Logits.candidates(of: logits, from: floor, into: &candidates)
            return
        }
        if settings.minP > 0 { candidates.removeAll { $0.logit < floor } }
    }

    /// Top-p over the whole vocabulary: adds up probabilities by steps of the logit, and sorts only the tokens of
    /// the step in which the sum is reached.
    private mutating func selectTopP(_ logits: Logits.Row, highest: Float) {
        let last = 255
        func step(_ logit: Float) -> Int { Int(min((highest - logit) * 8, Float(last))) }
        masses.removeAll(keepingCapacity: true)
        masses.append(contentsOf: repeatElement(0, count: last + 1))
        for logit in logits { masses[step(logit)] += Double(expf(logit - highest)) }
        let goal = Double(settings.topP) * masses.reduce(0, +)
        var sum = 0.0
        var edge = 0
        while edge < last, sum + masses[edge] < goal {
            sum += masses[edge]
            edge += 1
        }
        candidates.removeAll(keepingCapacity: true)
        var doubtful: [Candidate] = []
        for (id, logit) in logits.enumerated() {
            let step = step(logit)
            if step < edge {
                candidates.append(Candidate(logit: logit, id: Int32(id)))
            } else if step == edge {
                doubtful.append(Candidate(logit: logit, id: Int32(id)))
            }
        }
        doubtful.sort(by: Candidate.precedes)
        for candidate in doubtful where sum < goal || candidates.isEmpty {
            sum += Double(expf(candidate.logit - highest))
            candidates.append(candidate)
        }
    }

    /// Cuts the sorted candidates after the one that reaches top-p of their sum.
    private mutating func keepTopP(highest: Float) {
        let goal = Double(settings.topP) * candidates.reduce(0) { $0 + Double(expf($1.logit - highest)) }
        var sum = 0.0
        let last = candidates.firstIndex { candidate in
            sum += Double(expf(candidate.logit - highest))
            return sum >= goal
        }
        if let last { candidates.removeSubrange((last + 1)...) }
    }

    /// Draws one candidate by its probability at the temperature.
    private mutating func draw(highest: Float) -> Int32 {
        weights.removeAll(keepingCapacity: true)
        var total = 0.0
        for candidate in candidates {
            total += Double(expf((candidate.logit - highest) / settings.temperature))
            weights.append(total)
        }
        let goal = random.nextUnit() * total
        // The greatest candidate has weight 1, so the sum is positive and a first one above the goal exists.
        var low = 0
        var high = weights.count - 1
        while low < high {
            let middle = (low + high) / 2
            if weights[middle] > goal { high = middle } else { low = middle + 1 }
        }
        return candidates[low].id
    }
}
