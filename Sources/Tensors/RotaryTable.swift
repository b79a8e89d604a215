import Glibc
import Synchronization

/// Cosines and sines of rotary position embedding, computed in f64 once for each position.
///
/// Copies share the table; any thread may read and so fill it. (Su and others: RoFormer, 2021.)
public struct RotaryTable: Sendable {
    /// Which elements of a head turn together.
    public enum Pairing: Sendable {
        /// (0, 1), (2, 3), ...: the order of Llama's GGUF files.
        case interleaved
        /// (0, half), (1, half + 1), ...: the order of Hugging Face's safetensors.
        case halves
    }

    /// Radians per position of each pair; there are at most half as many as a head has elements.
    public let inverseFrequencies: [Float]
    /// Which elements of a head turn together.
    public let pairing: Pairing
    private let pages = Pages()

    /// A table whose pair i turns by `inverseFrequencies[i]` radians per position.
    public init(inverseFrequencies: [Float], pairing: Pairing) {
        self.inverseFrequencies = inverseFrequencies
        self.pairing = pairing
    }

    /// The cosines, then the sines, of one position; valid as long as this value lives.
    func angles(at position: Int) -> UnsafePointer<Float> {
        let half = inverseFrequencies.count
        let (page, slot) = position.quotientAndRemainder(dividingBy: Pages.length)
        let base = pages.page(page) {
            let memory = UnsafeMutablePointer<Float>.allocate(capacity: max(Pages.length * half * 2, 1))
            for s in 0..<Pages.length {
                for i in 0..<half {
                    let angle = Double(page * Pages.length + s) * Double(inverseFrequencies[i])
                    memory[(2 * s) * half + i] = Float(cos(angle))
                    memory[(2 * s + 1) * half + i] = Float(sin(angle))
                }
            }
            return memory
        }
        return UnsafePointer(base + 2 * slot * half)
    }
}

extension RotaryTable {
    /// Pages of 64 positions, each computed by the first that asks and published once.
    private final class Pages: Sendable {
        static let length = 64
        static let limit = 1 << 16  // 4 million positions

        nonisolated(unsafe) private let slots: UnsafeMutablePointer<Atomic<UInt>>

        init() {
            // Zeroed lazily by the system: an untouched slot costs nothing.
            guard let memory = calloc(Self.limit, MemoryLayout<Atomic<UInt>>.stride) else {
                preconditionFailure("no memory for the rotary table")
            }
            slots = memory.bindMemory(to: Atomic<UInt>.self, capacity: Self.limit)
        }

        deinit {
            for i in 0..<Self.limit {
                UnsafeMutablePointer<Float>(bitPattern: slots[i].load(ordering: .acquiring))?.deallocate()
            }
            free(slots)
        }

        func page(_ index: Int, make: () -> UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
            precondition((0..<Self.limit).contains(index), "position beyond the rotary table")
            if let known = UnsafeMutablePointer<Float>(bitPattern: slots[index].load(ordering: .acquiring)) {
                return known
            }
            let made = make()
            let (done, other) = slots[index].compareExchange(
                expected: 0, desired: UInt(bitPattern: made), ordering: .acquiringAndReleasing)
            guard !done, let other = UnsafeMutablePointer<Float>(bitPattern: other) else { return made }
            made.deallocate()
            return other
        }
    }
}
