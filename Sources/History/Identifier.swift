import FoundationEssentials

/// Ids that sort by time: 48 bits of milliseconds, then 80 random bits, in 26 letters and digits.
///
/// The layout is ULID's (github.com/ulid/spec) in lower case, which URLs and file names keep as it is.
enum Identifier {
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    private static let length = 26

    static func make(at date: Date, using random: inout some RandomNumberGenerator) -> String {
        let milliseconds = UInt64(clamping: date.milliseconds) & 0xFFFF_FFFF_FFFF
        var value = UInt128(milliseconds) << 80
        value |= UInt128(random.next() as UInt64) << 16
        value |= UInt128(random.next() as UInt16)
        var letters = [UInt8](repeating: 0, count: length)
        for index in letters.indices.reversed() {
            letters[index] = alphabet[Int(value & 31)]
            value >>= 5
        }
        return String(decoding: letters, as: UTF8.self)
    }

    /// Whether a text that a client sent can be an id at all; anything else is simply not found.
    static func isPlausible(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}

extension Date {
    /// Whole milliseconds since 1970, which is what the database and the wire keep.
    var milliseconds: Int64 { Int64(exactly: (timeIntervalSince1970 * 1000).rounded()) ?? 0 }

    init(milliseconds: Int64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
}
