import Tensors

/// What renders of one model leave for the next ones: a value of bounded size, whose owner guards it.
///
/// With it a render gives the same picture as without, to the last bit. Whoever renders takes what it may go on from,
/// and gives back what it made, as often as there is something new; renders may overlap.
///
/// Of each kind only the newest few are kept, and of these as many as a small share of the model's weights has room for:
/// whoever types goes back to one of the last texts, and computing one of them again costs little beside a step.
///
/// For example:
/// ```swift
/// var memory = RenderMemory(weights: model.info.byteCount)
/// var reuse = memory.reuse(for: plan)
/// let conditioning = try model.encodePrompt(plan, reusing: &reuse, pass)
/// var denoising = try Denoising(model, plan, conditioning, reusing: reuse, pass: pass)
/// while try denoising.next(pass) != nil { memory.keep(denoising.reuse, of: plan) }
/// ```
public struct RenderMemory: Sendable {
    /// All that a conditioning depends on.
    private struct Key: Equatable {
        let tokens: PromptTokens
        let clipSkip: Int
        let padding: TextPadding

        init(_ plan: RenderPlan) {
            (tokens, clipSkip, padding) = (plan.tokens, plan.clipSkip, plan.textPadding)
        }
    }

    // At most 0.5 MB each (SDXL with guidance).
    private var conditionings: Recents<(key: Key, value: Conditioning)>
    // A stage of the ladder has one; 0.1 to 2 MB.
    private var times: Recents<TimeEmbeddings>
    // About 8 MB a prompt for SD 1.5, 55 for SDXL.
    private var contexts: Recents<(key: Key, value: RenderReuse.Contexts)>
    // A size of picture has one; 21 MB at 512 × 512 for SD 1.5.
    private var stems: Recents<Stem>
    /// Of the last prompt, for each text encoder; 15 MB for SD 2.
    private var texts: [TextStates?] = []
    /// For each draft; as much as a prompt's context.
    private var blank: BlankText?
    /// Of the last render: a better stage of the same text is what follows a draft.
    private var firstStep: (key: Key, value: FirstStep)?
    /// Bytes that each kind may take.
    private let share: Int

    /// Nothing yet, of a model whose weights take `weights` bytes.
    public init(weights: Int) {
        share = weights / Self.weightsPerShare
        conditionings = Recents(limit: 16, byteLimit: share)
        times = Recents(limit: 4, byteLimit: share)
        contexts = Recents(limit: 8, byteLimit: share)
        stems = Recents(limit: 4, byteLimit: share)
    }

    /// A share holds 8 prompts of SD 1.5 or SDXL, and 5 of a model as small as the one that comes with the program.
    private static let weightsPerShare = 16
    private static let kindCount = 7

    /// What a render of `plan` may go on from.
    public mutating func reuse(for plan: RenderPlan) -> RenderReuse {
        let key = Key(plan)
        var reuse = RenderReuse()
        reuse.conditioning = conditionings.use { $0.key == key }?.value
        reuse.contexts = contexts.use { $0.key == key }?.value
        (reuse.texts, reuse.times, reuse.stems) = (texts, times.values, stems.values)
        reuse.blank = blank.flatMap { $0.clipSkip == plan.clipSkip ? $0 : nil }
        reuse.firstStep = firstStep.flatMap { $0.key == key ? $0.value : nil }
        if !plan.tokens.lacksNegative {
            reuse.negative =
                conditionings.values.last { $0.key.tokens.negative == plan.tokens.negative }?.value.negative
        }
        return reuse
    }

    /// Keeps what a render of `plan` used or made, as the newest of its kind.
    public mutating func keep(_ reuse: RenderReuse, of plan: RenderPlan) {
        let key = Key(plan)
        if let made = reuse.conditioning {
            conditionings.keep((key, made), bytes: made.byteCount) { $0.key == key }
        }
        if let made = reuse.contexts {
            contexts.keep((key, made), bytes: made.byteCount) { $0.key == key }
        }
        for made in reuse.times { times.keep(made, bytes: made.byteCount) { $0.isSame(as: made) } }
        for made in reuse.stems { stems.keep(made, bytes: made.byteCount) { $0.origin == made.origin } }
        if let made = reuse.blank, made.byteCount <= share { blank = made }
        if let made = reuse.firstStep, made.byteCount <= share { firstStep = (key, made) }
        if reuse.texts.reduce(0, { $0 + ($1?.byteCount ?? 0) }) <= share { texts = reuse.texts }
    }

    /// What all that is kept takes.
    public var byteCount: Int {
        conditionings.byteCount + times.byteCount + contexts.byteCount + stems.byteCount
            + texts.reduce(0) { $0 + ($1?.byteCount ?? 0) } + (blank?.byteCount ?? 0)
            + (firstStep?.value.byteCount ?? 0)
    }

    /// What all that is kept takes at most.
    public var byteLimit: Int { Self.kindCount * share }
}

/// What a render may take from those before it, and what it leaves for the next ones; parts that aren't there are
/// computed.
public struct RenderReuse: Sendable {
    /// Of the plan's prompts.
    var conditioning: Conditioning?
    /// Of the plan's negative prompt, from other prompts.
    var negative: PromptEmbedding?
    /// For each text encoder.
    var texts: [TextStates?] = []
    /// Of no prompt.
    var blank: BlankText?
    /// Of the plan's prompts.
    var contexts: Contexts?
    /// Of which one may be the plan's.
    var times: [TimeEmbeddings] = []
    /// Of which one may be that of the first step.
    var stems: [Stem] = []
    /// Of the plan's prompts.
    var firstStep: FirstStep?

    /// What the network looks at.
    struct Contexts: Sendable {
        let prompt: CrossAttentionContext
        let negative: CrossAttentionContext?

        var byteCount: Int { prompt.byteCount + (negative?.byteCount ?? 0) }
    }

    public init() {}

    /// A thing that a render may go on from.
    public enum Kind: Sendable, CaseIterable {
        case conditioning, contexts, texts, blank, times, stems, firstStep
    }

    /// Forgets all that is of other kinds, so that what each of them saves can be measured.
    public mutating func keep(only kinds: Set<Kind>) {
        if !kinds.contains(.conditioning) { (conditioning, negative) = (nil, nil) }
        if !kinds.contains(.contexts) { contexts = nil }
        if !kinds.contains(.texts) { texts = [] }
        if !kinds.contains(.blank) { blank = nil }
        if !kinds.contains(.times) { times = [] }
        if !kinds.contains(.stems) { stems = [] }
        if !kinds.contains(.firstStep) { firstStep = nil }
    }
}

/// The values that were used last, so many at most, and as many as a number of bytes allows.
private struct Recents<Value: Sendable>: Sendable {
    let limit: Int
    let byteLimit: Int
    /// The newest last.
    private var entries: [(value: Value, bytes: Int)] = []

    init(limit: Int, byteLimit: Int) { (self.limit, self.byteLimit) = (limit, byteLimit) }

    var values: [Value] { entries.map(\.value) }
    var byteCount: Int { entries.reduce(0) { $0 + $1.bytes } }

    /// The value that is looked for, which counts as used.
    mutating func use(_ isSought: (Value) -> Bool) -> Value? {
        guard let index = entries.lastIndex(where: { isSought($0.value) }) else { return nil }
        entries.append(entries.remove(at: index))
        return entries.last?.value
    }

    /// Keeps a value in place of the same one, and forgets the oldest ones when there are too many.
    mutating func keep(_ value: Value, bytes: Int, insteadOf isSame: (Value) -> Bool) {
        entries.removeAll { isSame($0.value) }
        guard bytes <= byteLimit else { return }
        entries.append((value, bytes))
        var sum = byteCount
        while entries.count > limit || sum > byteLimit { sum -= entries.removeFirst().bytes }
    }
}

extension Conditioning {
    fileprivate var byteCount: Int { prompt.byteCount + (negative?.byteCount ?? 0) }
}

extension PromptEmbedding {
    fileprivate var byteCount: Int { 4 * (context.rows * context.columns + (pooled?.columns ?? 0)) }
}

extension TimeEmbeddings {
    fileprivate var byteCount: Int { shifts.reduce(0) { $0 + 4 * $1.rows * $1.columns } }

    func isSame(as other: TimeEmbeddings) -> Bool {
        timesteps == other.timesteps && guidanceScale == other.guidanceScale
    }
}
