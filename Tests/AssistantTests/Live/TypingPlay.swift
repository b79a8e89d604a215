import AssistantAPI

@testable import Assistant

/// Plays typing into the state machine, with an engine that takes a given time for each stage, on a clock of numbers.
struct TypingPlay {
    var machine: CanvasState
    private(set) var now = Duration.zero
    /// Texts that were rendered to their end, with their stage and the time.
    private(set) var frames: [(text: String, stage: Int, at: Duration)] = []
    private(set) var started = 0
    private(set) var stopped = 0
    private(set) var settled: [Int] = []
    private var ends: (run: Int, at: Duration)?
    private var revision = 0
    /// What a stopped render still takes.
    let stopTime: Duration
    /// How many times longer a render takes than is expected.
    let slowness: Int

    init(
        costs: [Int], stopTime: Int = 20, slowness: Int = 1, policy: CanvasPolicy = CanvasPolicy()
    ) {
        machine = CanvasState(policy: policy)
        machine.setCosts(costs.map { .milliseconds($0) })
        self.stopTime = .milliseconds(stopTime)
        self.slowness = slowness
    }

    var texts: [String] { frames.map(\.text) }

    /// The text becomes `text` now; its signature are its words, as a tokenizer's are without spaces at the end.
    mutating func type(_ text: String) {
        revision += 1
        machine.typed(
            Canvas.Prompt(text: text, revision: revision), signature: Self.signature(text),
            isEmpty: text.allSatisfy(\.isWhitespace), at: now)
        act()
    }

    /// One key after the other, each followed by a gap.
    mutating func type(letters: String, gap: Int) {
        for letter in letters {
            type(machine.prompt.text + String(letter))
            wait(gap)
        }
    }

    /// Lets time pass, in milliseconds.
    mutating func wait(_ milliseconds: Int) {
        let end = now + .milliseconds(milliseconds)
        while let next = [ends?.at, machine.deadline(after: now)].compactMap(\.self).min(), next <= end {
            now = max(now, next)
            if let ends, ends.at <= now {
                self.ends = nil
                let run = machine.run
                let isShown = run?.isStopping == false
                if isShown, let run { frames.append((run.text, run.stage, now)) }
                machine.ended(ends.run, isShown ? .shown : .stopped, at: now)
            }
            act()
        }
        now = end
    }

    private mutating func act() {
        while let action = machine.action(at: now) {
            switch action {
            case .render(let run):
                precondition(ends == nil, "one render at a time")
                started += 1
                ends = (run.id, now + machine.costs[run.stage] * slowness)
            case .stop(let run):
                stopped += 1
                ends = (run.id, min(ends?.at ?? now, now + stopTime))
            case .settle(let revision, _): settled.append(revision)
            }
        }
    }

    static func signature(_ text: String) -> PromptSignature {
        text.split(separator: " ").joined(separator: " ").utf8.map(Int32.init)
    }
}

/// Numbers that follow from a seed.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 33
    }

    mutating func next(_ limit: Int) -> Int { Int(next() >> 20) % limit }
}
