import Foundation

/// A prompt as a person types it: what stands in the line after every key, and when.
struct TypingTrace: Sendable {
    struct Keystroke: Sendable {
        /// Since the first key.
        var time: Duration
        var text: String
    }

    let prompt: String
    let wordsPerMinute: Int
    private(set) var keystrokes: [Keystroke] = []

    /// The text after the last key.
    var finalText: String { keystrokes.last?.text ?? "" }

    /// How the typist hesitates and errs; each is a chance of 1.
    private enum Habit {
        /// A wrong letter is noticed at once and taken back.
        static let typo = 0.05
        /// A pause to think after a word.
        static let pause = 0.12
        /// A word in the middle is replaced when the text is complete.
        static let laterEdit = 0.4
    }

    /// Types `prompt`; the same seed gives the same keys at the same times.
    init(_ prompt: Prompt, wordsPerMinute: Int, seed: UInt64) {
        self.prompt = prompt.text
        self.wordsPerMinute = wordsPerMinute
        var typist = Typist(
            secondsPerKey: 60 / (Double(wordsPerMinute) * 5), random: SplitMix(state: seed))
        for letter in prompt.text {
            if letter.isLetter, typist.chance(Habit.typo) { typist.typeAndTakeBack() }
            typist.type(letter)
            if letter == " ", typist.chance(Habit.pause) { typist.think() }
        }
        if typist.chance(Habit.laterEdit) { typist.replace(prompt.word, with: prompt.otherWord) }
        keystrokes = typist.keystrokes
    }
}

/// A text to type, with a word in it that another could replace.
struct Prompt: Sendable {
    var text: String
    var word: String
    var otherWord: String

    /// What the benchmark types.
    static let corpus = [
        Prompt(text: "a red fox in the snow at night", word: "red", otherWord: "small"),
        Prompt(text: "three yellow stars over a lighthouse", word: "yellow", otherWord: "blue"),
        Prompt(text: "a cat left of a dog on grass", word: "cat", otherWord: "rabbit"),
        Prompt(text: "a sailboat on the sea at sunset", word: "sea", otherWord: "lake"),
        Prompt(text: "two green apples on a table", word: "green", otherWord: "red"),
        Prompt(text: "an owl in a tree under the moon", word: "owl", otherWord: "eagle"),
        Prompt(text: "a big elephant in the desert", word: "big", otherWord: "small"),
        Prompt(text: "a castle on a hill in the rain", word: "castle", otherWord: "house"),
    ]
}

/// Hands on a keyboard: keeps the line and the time.
private struct Typist {
    let secondsPerKey: Double
    var random: SplitMix
    private(set) var keystrokes: [TypingTrace.Keystroke] = []
    private var line: [Character] = []
    private var cursor = 0
    private var seconds = 0.0

    init(secondsPerKey: Double, random: SplitMix) {
        self.secondsPerKey = secondsPerKey
        self.random = random
    }

    mutating func chance(_ probability: Double) -> Bool { random.unit() < probability }

    mutating func type(_ letter: Character) {
        line.insert(letter, at: cursor)
        cursor += 1
        press()
    }

    mutating func typeAndTakeBack() {
        type(Character(Unicode.Scalar(UInt8(97 + random.next() % 26))))
        seconds += 0.2
        takeBack()
    }

    mutating func think() { seconds += 0.4 + 1.2 * random.unit() }

    /// Goes to the word, takes it away letter by letter, and types the other one.
    mutating func replace(_ word: String, with other: String) {
        guard let range = String(line).range(of: word) else { return }
        let text = String(line)
        cursor = text.distance(from: text.startIndex, to: range.upperBound)
        seconds += 0.8
        for _ in word { takeBack() }
        for letter in other { type(letter) }
    }

    private mutating func takeBack() {
        cursor -= 1
        line.remove(at: cursor)
        press()
    }

    /// A key goes down: times between keys are spread like a person's, with a long tail (log-normal).
    private mutating func press() {
        keystrokes.append(.init(time: .seconds(seconds), text: String(line)))
        let deviation = 0.4
        seconds += secondsPerKey * exp(deviation * random.normal() - deviation * deviation / 2)
    }
}

/// Steele, Lea and Flood's SplitMix64: small, and the same everywhere.
struct SplitMix: Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// From 0 to below 1.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Of a normal distribution with deviation 1, nearly: the sum of 12 of a flat one.
    mutating func normal() -> Double { (0..<12).reduce(-6) { sum, _ in sum + unit() } }
}
