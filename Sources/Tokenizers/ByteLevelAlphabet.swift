/// The printable character that byte-level vocabularies write for each byte (GPT-2's `bytes_to_unicode`).
///
/// Printable Latin-1 stands for itself; the other 68 bytes follow from U+0100 on.
enum ByteLevelAlphabet {
    /// scalar value -> byte, or -1; every scalar of the alphabet lies below U+0144.
    private static let bytes: [Int16] = {
        var bytes = [Int16](repeating: -1, count: 0x144)
        var next = 0x100
        for byte in 0..<256 {
            switch byte {
            case 33...126, 161...172, 174...255:
                bytes[byte] = Int16(byte)
            default:
                bytes[next] = Int16(byte)
                next += 1
            }
        }
        return bytes
    }()

    /// byte -> the scalar that is written for it.
    static let scalars: [Unicode.Scalar] = {
        var scalars = [Unicode.Scalar](repeating: "!", count: 256)
        for (value, byte) in bytes.enumerated() where byte >= 0 {
            scalars[Int(byte)] = Unicode.Scalar(UInt16(value)) ?? "!"
        }
        return scalars
    }()

    /// The byte that a scalar stands for; nil outside the alphabet.
    static func byte(of scalar: Unicode.Scalar) -> UInt8? {
        let value = Int(scalar.value)
        return value < bytes.count && bytes[value] >= 0 ? UInt8(truncatingIfNeeded: bytes[value]) : nil
    }

    /// Appends the bytes that `text` stands for to `strings`.
    ///
    /// - Returns: false, with the UTF-8 of `text` appended instead, if it has a character outside the alphabet.
    static func append(_ text: Substring, to strings: inout ByteStrings) -> Bool {
        for scalar in text.unicodeScalars {
            let value = Int(scalar.value)
            guard value < bytes.count, bytes[value] >= 0 else {
                strings.discardOpenString()
                strings.append(text.utf8)
                return false
            }
            strings.appendByte(UInt8(truncatingIfNeeded: bytes[value]))
        }
        strings.endString()
        return true
    }
}
