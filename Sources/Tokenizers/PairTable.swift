/// A map from pairs of 32-bit numbers to 64-bit values: open addressing, grown at half load.
///
/// Mixing is seeded at random, so that no crafted vocabulary can make every pair collide.
struct PairTable: Sendable {
    private var keys: [UInt64]
    private var values: [UInt64]
    private let seed = UInt64.random(in: .min ... .max)
    private let factor = UInt64.random(in: .min ... .max) | 1
    private(set) var count = 0

    // A key of two -1 marks a free slot; ids are never negative.
    private static let free = UInt64.max

    init(capacity: Int = 0) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        keys = [UInt64](repeating: Self.free, count: size)
        values = [UInt64](repeating: 0, count: size)
    }

    /// Inserts a value, unless the pair has one already.
    mutating func insert(_ first: Int32, _ second: Int32, _ value: UInt64) {
        if count * 2 >= keys.count { grow() }
        place(Self.key(first, second), value)
    }

    func find(_ first: Int32, _ second: Int32) -> UInt64? {
        let key = Self.key(first, second)
        let mask = keys.count - 1
        var slot = hash(key) & mask
        while keys[slot] != Self.free {
            if keys[slot] == key { return values[slot] }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// All pairs with their values, in no order.
    var entries: [(first: Int32, second: Int32, value: UInt64)] {
        zip(keys, values).compactMap { key, value in
            guard key != Self.free else { return nil }
            return (
                Int32(truncatingIfNeeded: key >> 32), Int32(truncatingIfNeeded: key), value
            )
        }
    }

    private mutating func place(_ key: UInt64, _ value: UInt64) {
        let mask = keys.count - 1
        var slot = hash(key) & mask
        while keys[slot] != Self.free {
            if keys[slot] == key { return }
            slot = (slot + 1) & mask
        }
        keys[slot] = key
        values[slot] = value
        count += 1
    }

    private mutating func grow() {
        let old = (keys, values)
        keys = [UInt64](repeating: Self.free, count: old.0.count * 2)
        values = [UInt64](repeating: 0, count: old.0.count * 2)
        count = 0
        for (key, value) in zip(old.0, old.1) where key != Self.free { place(key, value) }
    }

    private static func key(_ first: Int32, _ second: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: first)) << 32 | UInt64(UInt32(bitPattern: second))
    }

    private func hash(_ key: UInt64) -> Int {
        var x = key ^ seed
        x ^= x >> 32
        x &*= factor
        x ^= x >> 29
        x &*= 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: x >> 24)
    }
}
