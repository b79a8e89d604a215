import Glibc
import Synchronization

/// Memory of tensors that have gone, kept for the next ones: fresh pages cost more to fault in and zero than many
/// operators cost to run.
///
/// It keeps at most `keptLimit` bytes, and so little that what is in use and what is kept together stay near the most
/// that was ever in use at one time. What is kept longest goes back to the system first.
final class MemoryArena: Sendable {
    /// A piece of memory; `bytes` is its whole size.
    struct Block: @unchecked Sendable {
        let base: UnsafeMutableRawPointer
        let bytes: Int
    }

    fileprivate struct State {
        var kept: [Block] = []  // oldest first
        var keptBytes = 0
        var usedBytes = 0
        var peakBytes = 0
    }

    /// Below this malloc is as good.
    static let smallestBlock = 1 << 16
    private static let hugePage = 1 << 21
    private let state = Mutex(State())
    private let keptLimit: Int

    init(keptLimit: Int = 1 << 30) {
        self.keptLimit = keptLimit
    }

    deinit { releaseAll() }

    /// At least `bytes` of memory that is not initialised, at a multiple of 64.
    func take(_ bytes: Int) -> Block {
        let size = Self.blockSize(bytes)
        let known = state.withLock { state in
            let block = state.removeBlock(from: size, to: size + size / 4)
            state.usedBytes += block?.bytes ?? size
            state.peakBytes = max(state.peakBytes, state.usedBytes)
            return block
        }
        if let known { return known }
        trim()
        return Block(base: Self.map(size), bytes: size)
    }

    /// Takes back what `take` gave.
    func give(_ block: Block) {
        state.withLock { state in
            state.usedBytes -= block.bytes
            state.kept.append(block)
            state.keptBytes += block.bytes
        }
        trim()
    }

    /// Gives all memory that no tensor uses back to the system.
    func releaseAll() {
        let blocks = state.withLock { state in
            defer { (state.kept, state.keptBytes, state.peakBytes) = ([], 0, state.usedBytes) }
            return state.kept
        }
        for block in blocks { munmap(block.base, block.bytes) }
    }

    /// Bytes that no tensor uses.
    var keptBytes: Int { state.withLock(\.keptBytes) }

    /// Gives back what is kept beyond the limits.
    private func trim() {
        let surplus = state.withLock { state in
            let room = min(keptLimit, state.peakBytes + state.peakBytes / 8 - state.usedBytes)
            var blocks: [Block] = []
            while state.keptBytes > room, !state.kept.isEmpty {
                let oldest = state.kept.removeFirst()
                state.keptBytes -= oldest.bytes
                blocks.append(oldest)
            }
            return blocks
        }
        for block in surplus { munmap(block.base, block.bytes) }
    }

    private static func blockSize(_ bytes: Int) -> Int {
        let unit = bytes < 2 * hugePage ? smallestBlock : hugePage
        return (max(bytes, 1) + unit - 1) / unit * unit
    }

    /// Fresh pages; large blocks begin at a huge page and ask for such.
    private static func map(_ size: Int) -> UnsafeMutableRawPointer {
        let slack = size < 2 * hugePage ? 0 : hugePage
        let mapped = mmap(nil, size + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped, mapped != MAP_FAILED else {
            fatalError("out of memory: \(size) bytes for a tensor")
        }
        guard slack > 0 else { return mapped }
        let skipped = (hugePage - Int(bitPattern: mapped) % hugePage) % hugePage
        let base = mapped + skipped
        if skipped > 0 { munmap(mapped, skipped) }
        if slack > skipped { munmap(base + size, slack - skipped) }
        madvise(base, size, MADV_HUGEPAGE)
        return base
    }
}

extension MemoryArena.State {
    /// The smallest kept block of at least `least` and at most `most` bytes, the newest of those.
    fileprivate mutating func removeBlock(from least: Int, to most: Int) -> MemoryArena.Block? {
        var best: Int?
        for (index, block) in kept.enumerated() where (least...most).contains(block.bytes) {
            if best.map({ block.bytes <= kept[$0].bytes }) ?? true { best = index }
        }
        guard let best else { return nil }
        keptBytes -= kept[best].bytes
        return kept.remove(at: best)
    }
}
