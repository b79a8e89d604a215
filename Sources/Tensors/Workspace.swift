import CKernels

/// Memory that operators reuse from call to call; grows to what the largest one needed.
///
/// Used by one operator at a time, as the pool is.
final class Workspace: @unchecked Sendable {
    private var memory: [Slot: UnsafeMutableRawBufferPointer] = [:]

    /// The parts that activations of 16 bits are made of.
    enum Plane { case coarse, fine }

    enum Slot: Hashable {
        case quants(Plane), scales(Plane), sums(Plane), halfSums(Plane)
        case remainders, queries, partials, moments
        /// Of Winograd's convolutions.
        case transformedTiles, transformedWeights
        /// What every thread has its own of.
        case threads
    }

    deinit {
        for buffer in memory.values { buffer.deallocate() }
    }

    /// At least `count` uninitialised elements; what the slot held before is lost.
    func take<T: BitwiseCopyable>(_ slot: Slot, count: Int, as type: T.Type) -> UnsafeMutablePointer<T> {
        let bytes = max(count, 1) * MemoryLayout<T>.stride
        if let known = memory[slot], known.count >= bytes, let base = known.baseAddress {
            return base.assumingMemoryBound(to: T.self)
        }
        memory[slot]?.deallocate()
        let size = bytes + bytes / 4
        let isLarge = size >= HugePages.pageBytes
        let fresh = UnsafeMutableRawBufferPointer.allocate(
            byteCount: size, alignment: isLarge ? HugePages.pageBytes : 64)
        memory[slot] = fresh
        guard let base = fresh.baseAddress else { preconditionFailure("allocation without an address") }
        if isLarge { HugePages.ask(for: base, byteCount: size) }
        return base.bindMemory(to: T.self, capacity: max(count, 1))
    }
}
