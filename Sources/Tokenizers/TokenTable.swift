/// Finds a token by its exact bytes: open addressing over the ids of `strings`.
///
/// Hashing is the standard library's seeded one, so that no crafted vocabulary can make it slow.
struct TokenTable: Sendable {
    private var slots: [Int32]
    private let mask: Int
    /// Length in bytes of the longest string that was inserted; longer ones need no look-up.
    private(set) var longest = 0

    /// - Parameter capacity: how many strings will be inserted at most.
    init(capacity: Int) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        slots = [Int32](repeating: -1, count: size)
        mask = size - 1
    }

    /// Inserts string `index`, unless its bytes are there already.
    ///
    /// - Returns: the index of the equal string that was inserted before, if there is one.
    mutating func insert(_ index: Int, of strings: ByteStrings) -> Int? {
        strings.storage.withUnsafeBufferPointer { storage in
            let bytes = UnsafeBufferPointer(rebasing: storage[strings.range(index)])
            var slot = hash(bytes)
            while slots[slot] >= 0 {
                let other = Int(slots[slot])
                if equal(storage, strings.range(other), bytes) { return other }
                slot = (slot + 1) & mask
            }
            slots[slot] = Int32(index)
            longest = max(longest, bytes.count)
            return nil
        }
    }

    /// The index of the string that equals `bytes`.
    func find(_ bytes: UnsafeBufferPointer<UInt8>, in strings: ByteStrings) -> Int32? {
        guard bytes.count <= longest else { return nil }
        return strings.storage.withUnsafeBufferPointer { storage in
            var slot = hash(bytes)
            while slots[slot] >= 0 {
                if equal(storage, strings.range(Int(slots[slot])), bytes) { return slots[slot] }
                slot = (slot + 1) & mask
            }
            return nil
        }
    }

    private func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
        return hasher.finalize() & mask
    }

    private func equal(
        _ storage: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ bytes: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        guard range.count == bytes.count else { return false }
        for i in 0..<bytes.count where storage[range.lowerBound + i] != bytes[i] { return false }
        return true
    }
}
