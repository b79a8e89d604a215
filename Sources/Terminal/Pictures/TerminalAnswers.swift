/// Reads what a terminal answers to ``TerminalAnswers/question(asksKitty:)``; a pure state machine.
///
/// Bytes may be cut anywhere and may be anything: what is no answer is passed over or, if it may be keys, set aside, and
/// a terminal that talks on and on counts as one that has answered.
struct TerminalAnswers: Sendable, Equatable {
    /// Whether pictures in kitty's protocol are understood.
    private(set) var hasKitty = false
    /// Whether sixel pictures are understood.
    private(set) var hasSixel = false
    /// A cell in pixels.
    private(set) var cell: PixelSize?
    /// Colours that a sixel picture may have.
    private(set) var sixelColors: Int?
    /// The largest sixel picture.
    private(set) var sixelLimit: PixelSize?
    /// The last answer has come, or too much that is none.
    private(set) var isComplete = false
    /// What may have been typed meanwhile.
    private(set) var typed: [UInt8] = []

    /// Asks for all of it; the last question is one that every terminal answers.
    ///
    /// Where a terminal prints what it doesn't understand, that is erased again. Without kitty's question where it would
    /// do harm.
    static func question(asksKitty: Bool) -> String {
        let kitty = asksKitty ? "\u{1B}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1B}\\" : ""
        return "\u{1B}7\(kitty)\u{1B}[?1;1;0S\u{1B}[?2;1;0S\u{1B}[16t\u{1B}[c\u{1B}8\u{1B}[K"
    }

    private enum State: Equatable {
        case ground
        case escape
        case csi
        case string(sawEscape: Bool)
    }

    private static let sequenceLimit = 256
    private static let totalLimit = 8192

    private var state = State.ground
    private var bytes: [UInt8] = []
    private var total = 0

    /// Takes in what was read.
    mutating func take(_ input: some Sequence<UInt8>) {
        for byte in input {
            total += 1
            // Nobody types so much.
            guard total <= Self.totalLimit else {
                (isComplete, typed) = (true, [])
                return
            }
            // Behind the last answer there are only keys.
            if isComplete { typed.append(byte) } else { take(byte) }
        }
    }

    private mutating func take(_ byte: UInt8) {
        switch state {
        case .ground: if byte == 0x1B { state = .escape } else { typed.append(byte) }
        case .escape:
            switch byte {
            case 0x5B: begin(.csi)
            // APC, and others that end alike.
            case 0x5F, 0x50, 0x5D, 0x58, 0x5E: begin(.string(sawEscape: false))
            case 0x1B: typed.append(byte)
            default:
                state = .ground
                typed += [0x1B, byte]
            }
        case .csi:
            switch byte {
            case 0x40...0x7E:
                state = .ground
                if Self.isKey(bytes, final: byte) { typed += [0x1B, 0x5B] + bytes + [byte] }
                answer(String(decoding: bytes, as: UTF8.self), final: byte)
            case 0x20...0x3F: keep(byte)
            case 0x1B: state = .escape
            default: state = .ground
            }
        case .string(let sawEscape):
            if sawEscape, byte == 0x5C {
                state = .ground
                let text = String(decoding: bytes, as: UTF8.self)
                if text == "Gi=31;OK" || text.hasPrefix("Gi=31,") && text.hasSuffix(";OK") { hasKitty = true }
            } else if sawEscape, byte != 0x1B {
                // No end: the string was cut off by another sequence.
                state = .escape
                take(byte)
            } else if byte == 0x1B {
                state = .string(sawEscape: true)
            } else if byte == 0x07 {
                state = .ground
            } else {
                keep(byte)
            }
        }
    }

    private mutating func begin(_ next: State) {
        state = next
        bytes.removeAll(keepingCapacity: true)
    }

    private mutating func keep(_ byte: UInt8) {
        if bytes.count < Self.sequenceLimit { bytes.append(byte) }
    }

    /// Whether a sequence is one that keys send, rather than a terminal of its own accord: those are private, or of sizes.
    private static func isKey(_ parameters: [UInt8], final: UInt8) -> Bool {
        let isPrivate = parameters.first.map { (0x3C...0x3F).contains($0) } ?? false
        return !isPrivate && final != UInt8(ascii: "t") && parameters.count < sequenceLimit
    }

    private mutating func answer(_ parameters: String, final: UInt8) {
        let isPrivate = parameters.hasPrefix("?")
        let numbers = parameters.drop { $0 == "?" }.split(separator: ";", omittingEmptySubsequences: false)
            .map { Int($0) ?? -1 }
        switch (final, isPrivate) {
        // What the terminal is: the first number names a model, the others what it can do.
        case (UInt8(ascii: "c"), true):
            hasSixel = numbers.dropFirst().contains(4)
            isComplete = true
        case (UInt8(ascii: "t"), false) where numbers.count == 3 && numbers[0] == 6:
            cell = Self.size(numbers[2], numbers[1], 2...256)
        case (UInt8(ascii: "S"), true) where numbers.count == 3 && numbers[0] == 1 && numbers[1] == 0:
            if (2...Int.max).contains(numbers[2]) { sixelColors = min(numbers[2], 256) }
        case (UInt8(ascii: "S"), true) where numbers.count == 4 && numbers[0] == 2 && numbers[1] == 0:
            sixelLimit = Self.size(numbers[2], numbers[3], 64...100_000)
        default: break
        }
    }

    /// A size in pixels, if it is one that can be.
    private static func size(_ width: Int, _ height: Int, _ range: ClosedRange<Int>) -> PixelSize? {
        range.contains(width) && range.contains(height) ? PixelSize(width: width, height: height) : nil
    }
}
