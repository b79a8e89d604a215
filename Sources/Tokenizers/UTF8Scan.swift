/// Strict UTF-8 over raw bytes, for text that may not be UTF-8 at all.
enum UTF8Scan {
    /// The scalar that starts at `index`, and its length; nil, with length 1, where the bytes are invalid.
    static func scalar(
        _ bytes: UnsafeBufferPointer<UInt8>, at index: Int, end: Int
    ) -> (scalar: Unicode.Scalar?, length: Int) {
        let lead = bytes[index]
        if lead < 0x80 { return (Unicode.Scalar(lead), 1) }
        let length = Self.length(ofLead: lead)
        guard length > 1, index + length <= end else { return (nil, 1) }
        guard isSecond(bytes[index + 1], after: lead) else { return (nil, 1) }
        var value = UInt32(lead & (0x7F >> UInt8(length))) << 6 | UInt32(bytes[index + 1] & 0x3F)
        for i in 2..<max(length, 2) {
            guard bytes[index + i] & 0xC0 == 0x80 else { return (nil, 1) }
            value = value << 6 | UInt32(bytes[index + i] & 0x3F)
        }
        return (Unicode.Scalar(value), length)
    }

    /// How many bytes a sequence with this first byte has; 0 if none starts with it.
    static func length(ofLead lead: UInt8) -> Int {
        switch lead {
        case 0..<0x80: 1
        case 0xC2...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF4: 4
        default: 0
        }
    }

    /// Whether `byte` may follow `lead`: no overlong forms, no surrogates, nothing above U+10FFFF.
    static func isSecond(_ byte: UInt8, after lead: UInt8) -> Bool {
        switch lead {
        case 0xE0: (0xA0...0xBF).contains(byte)
        case 0xED: (0x80...0x9F).contains(byte)
        case 0xF0: (0x90...0xBF).contains(byte)
        case 0xF4: (0x80...0x8F).contains(byte)
        default: byte & 0xC0 == 0x80
        }
    }

    /// How many bytes at the end are the beginning of a character whose rest is still to come.
    static func incompleteSuffix(_ bytes: [UInt8]) -> Int {
        for count in 1...3 where count <= bytes.count {
            let lead = bytes[bytes.count - count]
            if lead & 0xC0 == 0x80 { continue }
            guard length(ofLead: lead) > count else { return 0 }
            return count == 1 || isSecond(bytes[bytes.count - count + 1], after: lead) ? count : 0
        }
        return 0
    }
}
