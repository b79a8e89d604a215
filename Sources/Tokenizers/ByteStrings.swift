/// Many byte strings in one allocation, numbered in the order in which they were appended.
struct ByteStrings: Sendable {
    private(set) var storage: [UInt8] = []
    private(set) var ends: [Int] = []

    var count: Int { ends.count }

    init() {}

    init(_ strings: some Sequence<[UInt8]>) {
        for string in strings { append(string) }
    }

    mutating func reserve(count: Int, bytes: Int) {
        ends.reserveCapacity(count)
        storage.reserveCapacity(bytes)
    }

    mutating func append(_ bytes: some Sequence<UInt8>) {
        storage.append(contentsOf: bytes)
        ends.append(storage.count)
    }

    /// Appends one byte to the string that `endString` will close.
    mutating func appendByte(_ byte: UInt8) { storage.append(byte) }

    mutating func endString() { ends.append(storage.count) }

    /// Takes back the bytes since the last closed string.
    mutating func discardOpenString() { storage.removeSubrange((ends.last ?? 0)...) }

    func range(_ index: Int) -> Range<Int> {
        (index == 0 ? 0 : ends[index - 1])..<ends[index]
    }

    subscript(index: Int) -> ArraySlice<UInt8> { storage[range(index)] }

    /// The bytes as text, for messages and names; invalid UTF-8 is repaired.
    func text(_ index: Int) -> String { String(decoding: self[index], as: UTF8.self) }
}
