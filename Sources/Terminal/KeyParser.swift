/// Makes keys of the bytes that a terminal sends; a pure state machine.
///
/// Understands UTF-8, control characters, Alt as an escape prefix, CSI and SS3 sequences with modifiers,
/// bracketed paste, and the `CSI u` form of newer terminals. Answers of the terminal (OSC, DCS and their kin) are
/// swallowed. Bytes may be cut anywhere; a lone Escape can only be told from the start of a sequence by time, so
/// the caller asks for `flush()` when `isIncomplete` stays true for a moment.
public struct KeyParser: Sendable {
    private enum State: Equatable {
        case ground
        case utf8(needed: Int)
        case escape
        case csi
        case ss3
        /// An OSC, DCS, APC, PM or SOS string.
        case string(sawEscape: Bool)
        case paste
    }

    /// Longer pastes are handed on in parts.
    static let pasteLimit = 1 << 20
    private static let sequenceLimit = 64
    private static let pasteEnd = Array("\u{1B}[201~".utf8)

    private var state = State.ground
    private var bytes: [UInt8] = []
    /// An escape came before what is being read.
    private var hasAlt = false

    public init() {}

    /// Whether the bytes so far end inside a sequence that a pause should end.
    ///
    /// A paste waits for its own end, and a character for the rest of it, which a slow line may bring later: the next byte
    /// completes it or shows that it is none.
    public var isIncomplete: Bool {
        switch state {
        case .ground, .paste, .utf8: false
        case .escape, .csi, .ss3, .string: true
        }
    }

    /// The keys that these bytes complete.
    public mutating func parse(_ input: some Sequence<UInt8>) -> [Key] {
        var keys: [Key] = []
        for byte in input { take(byte, &keys) }
        return keys
    }

    /// Ends what is incomplete: nothing more came after it.
    public mutating func flush() -> [Key] {
        var keys: [Key] = []
        switch state {
        case .ground, .paste, .utf8: return []
        case .escape: keys.append(Key(.escape, takeModifiers()))
        case .csi where bytes.isEmpty: keys.append(.alt("["))
        case .ss3: keys.append(.alt("O"))
        case .csi: keys.append(Key(.unknown))
        case .string: break
        }
        reset()
        return keys
    }

    // MARK: - States

    private mutating func take(_ byte: UInt8, _ keys: inout [Key]) {
        switch state {
        case .ground: takeGround(byte, &keys)
        case .utf8(let needed): takeContinuation(byte, needed: needed, &keys)
        case .escape: takeEscape(byte, &keys)
        case .csi: takeSequence(byte, &keys)
        case .ss3:
            keys.append(Self.keypadKey(byte, modifiers: takeModifiers()) ?? Key(.unknown))
            reset()
        case .string(let sawEscape): takeString(byte, sawEscape: sawEscape)
        case .paste: takePaste(byte, &keys)
        }
    }

    private mutating func takeGround(_ byte: UInt8, _ keys: inout [Key]) {
        switch byte {
        case 0x1B: state = .escape
        case 0x0D, 0x0A: keys.append(Key(.enter, takeModifiers()))
        case 0x09: keys.append(Key(.tab, takeModifiers()))
        case 0x7F, 0x08: keys.append(Key(.backspace, takeModifiers()))
        case 0x00: keys.append(Key(.scalar(" "), takeModifiers().union(.control)))
        case 0x01...0x1A:
            keys.append(Key(.scalar(Unicode.Scalar(byte + 0x60)), takeModifiers().union(.control)))
        case 0x1C...0x1F:
            keys.append(Key(.scalar(Unicode.Scalar(byte + 0x40)), takeModifiers().union(.control)))
        case 0x20...0x7E: keys.append(Key(.scalar(Unicode.Scalar(byte)), takeModifiers()))
        case 0xC2...0xDF: begin(byte, needed: 1)
        case 0xE0...0xEF: begin(byte, needed: 2)
        case 0xF0...0xF4: begin(byte, needed: 3)
        default: keys.append(Key(.scalar("\u{FFFD}"), takeModifiers()))
        }
    }

    private mutating func begin(_ byte: UInt8, needed: Int) {
        bytes = [byte]
        state = .utf8(needed: needed)
    }

    private mutating func takeContinuation(_ byte: UInt8, needed: Int, _ keys: inout [Key]) {
        guard byte & 0xC0 == 0x80 else {
            keys.append(Key(.scalar("\u{FFFD}"), takeModifiers()))
            reset()
            take(byte, &keys)
            return
        }
        bytes.append(byte)
        guard needed == 1 else {
            state = .utf8(needed: needed - 1)
            return
        }
        let text = String(decoding: bytes, as: UTF8.self).unicodeScalars
        keys.append(Key(.scalar(text.count == 1 ? text.first ?? "\u{FFFD}" : "\u{FFFD}"), takeModifiers()))
        reset()
    }

    private mutating func takeEscape(_ byte: UInt8, _ keys: inout [Key]) {
        switch byte {
        case 0x5B: state = .csi
        case 0x4F: state = .ss3
        case 0x5D, 0x50, 0x58, 0x5E, 0x5F: state = .string(sawEscape: false)
        case 0x1B where !hasAlt: hasAlt = true  // Alt with a key that is a sequence itself
        case 0x1B: keys.append(Key(.escape))
        default:
            hasAlt = true
            state = .ground
            takeGround(byte, &keys)
        }
    }

    private mutating func takeString(_ byte: UInt8, sawEscape: Bool) {
        if byte == 0x07 || byte == 0x18 || (sawEscape && byte == 0x5C) {
            reset()
        } else {
            state = .string(sawEscape: byte == 0x1B)
        }
    }

    private mutating func takeSequence(_ byte: UInt8, _ keys: inout [Key]) {
        switch byte {
        case 0x40...0x7E:
            let parameters = bytes
            let alt = takeModifiers()
            reset()
            if byte == 0x7E, parameters == Array("200".utf8) {
                state = .paste
            } else {
                keys.append(Self.key(parameters: parameters, final: byte, adding: alt))
            }
        case 0x20...0x3F where bytes.count < Self.sequenceLimit: bytes.append(byte)
        case 0x1B:
            reset()
            state = .escape
        default:
            reset()
            keys.append(Key(.unknown))
        }
    }

    private mutating func takePaste(_ byte: UInt8, _ keys: inout [Key]) {
        bytes.append(byte)
        if byte == 0x7E, bytes.suffix(Self.pasteEnd.count).elementsEqual(Self.pasteEnd) {
            keys.append(Self.paste(bytes.dropLast(Self.pasteEnd.count)))
            reset()
        } else if bytes.count >= Self.pasteLimit + 16 {
            // Keep back what may be the start of the end mark, or half a character.
            keys.append(Self.paste(bytes.prefix(Self.boundary(in: bytes, near: Self.pasteLimit))))
            bytes.removeFirst(Self.boundary(in: bytes, near: Self.pasteLimit))
        }
    }

    private mutating func takeModifiers() -> Key.Modifiers {
        defer { hasAlt = false }
        return hasAlt ? .alt : []
    }

    private mutating func reset() {
        state = .ground
        bytes.removeAll(keepingCapacity: true)
        hasAlt = false
    }

    // MARK: - Sequences

    /// The last index at or before `index` at which a UTF-8 character starts.
    private static func boundary(in bytes: [UInt8], near index: Int) -> Int {
        var index = index
        while index > 0, bytes[index] & 0xC0 == 0x80 { index -= 1 }
        return index
    }

    private static func paste(_ bytes: some Sequence<UInt8>) -> Key {
        let text = String(decoding: Array(bytes), as: UTF8.self)
        return Key(.paste(TextSanitizer.sanitize(text)))
    }

    private static func key(parameters: [UInt8], final: UInt8, adding alt: Key.Modifiers) -> Key {
        let numbers = String(decoding: parameters, as: UTF8.self)
            .split(separator: ";", omittingEmptySubsequences: false)
            .map { Int($0.prefix { $0 != ":" }) ?? 0 }
        let code = numbers.count > 1 ? numbers[1] : 1
        let modifiers = alt.union(Self.modifiers(code))
        switch final {
        case 0x75: return character(numbers.first ?? 0, modifiers)  // u
        case 0x7E where numbers.first == 27 && numbers.count == 3: return character(numbers[2], modifiers)
        case 0x7E: return Key(tildeKey(numbers.first ?? 0), modifiers)
        case 0x5A: return Key(.tab, modifiers.union(.shift))
        default: return cursorKey(final, modifiers: modifiers) ?? Key(.unknown)
        }
    }

    /// The modifiers of a sequence are sent as a bit set plus 1; only the three that matter here are kept.
    private static func modifiers(_ code: Int) -> Key.Modifiers {
        Key.Modifiers(rawValue: max(0, code &- 1) & 0b111)
    }

    private static func cursorKey(_ final: UInt8, modifiers: Key.Modifiers) -> Key? {
        switch final {
        case 0x41: Key(.up, modifiers)
        case 0x42: Key(.down, modifiers)
        case 0x43: Key(.right, modifiers)
        case 0x44: Key(.left, modifiers)
        case 0x46: Key(.end, modifiers)
        case 0x48: Key(.home, modifiers)
        default: nil
        }
    }

    /// A keypad has Enter beside these; behind CSI the same letter ends what a mouse sends.
    private static func keypadKey(_ final: UInt8, modifiers: Key.Modifiers) -> Key? {
        final == 0x4D ? Key(.enter, modifiers) : cursorKey(final, modifiers: modifiers)
    }

    private static func tildeKey(_ number: Int) -> Key.Name {
        switch number {
        case 1, 7: .home
        case 3: .delete
        case 4, 8: .end
        case 5: .pageUp
        case 6: .pageDown
        default: .unknown
        }
    }

    private static func character(_ code: Int, _ modifiers: Key.Modifiers) -> Key {
        switch code {
        case 9: return Key(.tab, modifiers)
        case 13, 57414: return Key(.enter, modifiers)
        case 27: return Key(.escape, modifiers)
        case 127, 8: return Key(.backspace, modifiers)
        case 57344...63743: return Key(.unknown)  // keys without a character, in the private use area
        default: break
        }
        guard let value = UInt32(exactly: code), let scalar = Unicode.Scalar(value) else {
            return Key(.unknown)
        }
        if scalar.value < 0x20 { return Key(.unknown) }
        return Key(.scalar(scalar), modifiers.contains(.control) ? modifiers : modifiers.subtracting(.shift))
    }
}
