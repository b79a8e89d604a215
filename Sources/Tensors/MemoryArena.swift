import Glibc
import Synchronization

/// Memory of tensors that have gone, kept for the next ones: fresh pages cost more to fault in and zero than many
/// operators cost to run.
///
/// It is one range of addresses that grows at its end. Tensors take the smallest free piece that they fit into, and
/// neighbouring free pieces join, so that what is held stays near the most that was in use at one time. At most
/// `keptLimit` bytes are kept free; the rest goes back to the system at once.
final class MemoryArena: Sendable {
    /// A piece of memory; `bytes` is its whole size.
    struct Block: @unchecked Sendable {
        let base: UnsafeMutableRawPointer
        let bytes: Int
    }

    /// Below this malloc is as good.
    static let smallestBlock = 1 << 16
    private let state: Mutex<State>

    init(keptLimit: Int = 1 << 30) {
        state = Mutex(State(keptLimit: keptLimit))
    }

    deinit {
        state.withLock { state in
            if let base = state.base { munmap(base, State.reservedBytes) }
        }
    }

    /// At least `bytes` of memory that is not initialised, at a multiple of 64 KiB.
    func take(_ bytes: Int) -> Block {
        let size = (max(bytes, 1) + Self.smallestBlock - 1) / Self.smallestBlock * Self.smallestBlock
        return state.withLock { state in
            Block(base: state.reservation() + state.take(size), bytes: size)
        }
    }

    /// Takes back what `take` gave.
    func give(_ block: Block) {
        state.withLock { state in
            state.give(at: block.base - state.reservation(), count: block.bytes)
        }
    }

    /// Gives all memory that no tensor uses back to the system.
    func releaseAll() {
        state.withLock { $0.releaseAll() }
    }

    /// Bytes that no tensor uses and that the system has not got back.
    var keptBytes: Int { state.withLock { $0.keptBytes } }
}

/// Where the range of addresses is free, by offsets into it.
private struct State: @unchecked Sendable {
    /// A free piece between others; the memory behind `end` is not listed.
    struct Piece {
        var start: Int
        var end: Int
        /// Whether the system may have pages there.
        var isKept: Bool
        var count: Int { end - start }
    }

    /// Addresses cost nothing until they are used.
    static let reservedBytes = 1 << 37
    private static let growth = 1 << 26
    let keptLimit: Int
    private(set) var base: UnsafeMutableRawPointer?
    private(set) var keptBytes = 0
    private var free: [Piece] = []  // in the order of addresses, none touching the next
    private var end = 0
    private var usableEnd = 0

    init(keptLimit: Int) { self.keptLimit = keptLimit }

    /// The first address.
    mutating func reservation() -> UnsafeMutableRawPointer {
        if let base { return base }
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let mapped = mmap(nil, Self.reservedBytes, PROT_NONE, flags, -1, 0)
        guard let mapped, mapped != MAP_FAILED else { fatalError("no addresses left for tensors") }
        base = mapped
        return mapped
    }

    /// Offset of `size` bytes that are now in use.
    mutating func take(_ size: Int) -> Int {
        let best = free.indices.filter { free[$0].count >= size }.min { free[$0].count < free[$1].count }
        if let best {
            let start = free[best].start
            if free[best].isKept { keptBytes -= size }
            free[best].start += size
            if free[best].count == 0 { free.remove(at: best) }
            return start
        }
        var start = end
        if let last = free.last, last.end == end {
            start = last.start
            if last.isKept { keptBytes -= last.count }
            free.removeLast()
        }
        grow(to: start + size)
        return start
    }

    private mutating func grow(to newEnd: Int) {
        end = newEnd
        guard newEnd > usableEnd else { return }
        let target = (newEnd + Self.growth - 1) / Self.growth * Self.growth
        guard target <= Self.reservedBytes,
            mprotect(reservation() + usableEnd, target - usableEnd, PROT_READ | PROT_WRITE) == 0
        else { fatalError("out of memory: tensors need \(newEnd) bytes") }
        // One fault for 2 MiB instead of 512; where the system has none, small pages serve.
        madvise(reservation() + usableEnd, target - usableEnd, MADV_HUGEPAGE)
        usableEnd = target
    }

    mutating func give(at start: Int, count: Int) {
        var piece = Piece(start: start, end: start + count, isKept: keptBytes + count <= keptLimit)
        if piece.isKept { keptBytes += count } else { release(piece) }
        var index = free.firstIndex { $0.start > start } ?? free.count
        if index < free.count, free[index].start == piece.end { absorb(free.remove(at: index), into: &piece) }
        if index > 0, free[index - 1].end == piece.start {
            index -= 1
            absorb(free.remove(at: index), into: &piece)
        }
        free.insert(piece, at: index)
    }

    /// Joins two neighbours; when only one of them has pages, it is as if both had.
    private mutating func absorb(_ other: Piece, into piece: inout Piece) {
        if piece.isKept != other.isKept { keptBytes += piece.isKept ? other.count : piece.count }
        piece.start = min(piece.start, other.start)
        piece.end = max(piece.end, other.end)
        piece.isKept = piece.isKept || other.isKept
    }

    private mutating func release(_ piece: Piece) {
        madvise(reservation() + piece.start, piece.count, MADV_DONTNEED)
    }

    mutating func releaseAll() {
        for index in free.indices where free[index].isKept {
            release(free[index])
            free[index].isKept = false
        }
        keptBytes = 0
        if let last = free.last, last.end == end {
            end = last.start
            free.removeLast()
        }
    }
}
