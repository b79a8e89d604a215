/// A set of Unicode scalars as ranges; surrogates are never members.
struct ScalarSet: Equatable, Sendable {
    /// Ascending, apart from each other.
    private(set) var ranges: [ClosedRange<UInt32>]

    static let all = ScalarSet([0...0xD7FF, 0xE000...0x10FFFF])

    init(_ ranges: [ClosedRange<UInt32>] = []) {
        var merged: [ClosedRange<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound + 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        self.ranges = merged
    }

    /// The characters of a text.
    init(_ text: String) { self.init(text.unicodeScalars.map { $0.value...$0.value }) }

    var isEmpty: Bool { ranges.isEmpty }

    var inverted: ScalarSet {
        var rest: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { rest.append(next...range.lowerBound - 1) }
            next = range.upperBound + 1
        }
        if next <= 0x10FFFF { rest.append(next...0x10FFFF) }
        return ScalarSet(rest).withoutSurrogates
    }

    func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

    func subtracting(_ other: ScalarSet) -> ScalarSet { intersection(other.inverted) }

    func intersection(_ other: ScalarSet) -> ScalarSet {
        var common: [ClosedRange<UInt32>] = []
        var (i, j) = (0, 0)
        while i < ranges.count, j < other.ranges.count {
            let (a, b) = (ranges[i], other.ranges[j])
            if a.overlaps(b) { common.append(a.clamped(to: b)) }
            if a.upperBound < b.upperBound { i += 1 } else { j += 1 }
        }
        return ScalarSet(common)
    }

    func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } }

    var withoutSurrogates: ScalarSet {
        var kept: [ClosedRange<UInt32>] = []
        for range in ranges {
            if range.lowerBound <= 0xD7FF { kept.append(range.lowerBound...min(range.upperBound, 0xD7FF)) }
            if range.upperBound >= 0xE000 { kept.append(max(range.lowerBound, 0xE000)...range.upperBound) }
        }
        return ScalarSet(kept)
    }
}

extension ScalarSet {
    /// One shape of UTF-8: a range of bytes for each place.
    typealias ByteSequence = [ClosedRange<UInt8>]

    /// All members in UTF-8, as the fewest sequences of byte ranges that are easily found.
    var byteSequences: [ByteSequence] {
        // Where the encoded length changes.
        let lengths: [ClosedRange<UInt32>] = [0...0x7F, 0x80...0x7FF, 0x800...0xFFFF, 0x10000...0x10FFFF]
        var sequences: [ByteSequence] = []
        for range in withoutSurrogates.ranges {
            for length in lengths where range.overlaps(length) {
                Self.append(range.clamped(to: length), to: &sequences)
            }
        }
        return sequences
    }

    /// Splits a range of one encoded length until in each piece every byte varies by itself.
    private static func append(_ range: ClosedRange<UInt32>, to sequences: inout [ByteSequence]) {
        let (low, high) = (bytes(range.lowerBound), bytes(range.upperBound))
        for place in 1..<max(1, low.count) {
            // The low bits from this place on are free only when all before them are equal or they are full.
            let mask: UInt32 = (1 << (6 * UInt32(low.count - place))) - 1
            guard range.lowerBound & ~mask != range.upperBound & ~mask else { continue }
            if range.lowerBound & mask != 0 {
                append(range.lowerBound...(range.lowerBound | mask), to: &sequences)
                return append((range.lowerBound | mask) + 1...range.upperBound, to: &sequences)
            }
            if range.upperBound & mask != mask {
                append(range.lowerBound...(range.upperBound & ~mask) - 1, to: &sequences)
                return append((range.upperBound & ~mask)...range.upperBound, to: &sequences)
            }
        }
        sequences.append(zip(low, high).map { $0...$1 })
    }

    private static func bytes(_ scalar: UInt32) -> [UInt8] {
        Unicode.Scalar(scalar).map { Array(String($0).utf8) } ?? []
    }
}
