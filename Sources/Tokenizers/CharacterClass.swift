/// What the splitting rules ask of a character: `\p{L}`, `\p{N}`, `\s`, or none of them.
enum CharacterClass: UInt8 {
    case letter, number, whitespace, other

    private static let ascii: [CharacterClass] = (0..<128).map { value in
        switch UInt8(value) {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): .letter
        case UInt8(ascii: "0")...UInt8(ascii: "9"): .number
        case 9...13, 32: .whitespace
        default: .other
        }
    }

    init(ascii byte: UInt8) { self = Self.ascii[Int(byte & 0x7F)] }

    /// The class by Unicode's general category and White_Space property.
    init(_ scalar: Unicode.Scalar) {
        switch scalar.value {
        case 0..<128:
            self = Self.ascii[Int(scalar.value)]
        case 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000:
            self = .whitespace
        case 0x4E00...0x9FA5, 0xAC00...0xD7A3:
            self = .letter  // the two big blocks, without a table look-up
        default:
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
                self = .letter
            case .decimalNumber, .letterNumber, .otherNumber:
                self = .number
            default:
                self = .other
            }
        }
    }
}
