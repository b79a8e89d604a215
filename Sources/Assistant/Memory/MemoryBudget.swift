import AssistantAPI
import Synchronization

/// Somebody beside the engine who holds memory; asked and told on any thread.
protocol MemoryHolder: AnyObject, Sendable {
    var holdings: [MemoryLedger.Holding] { get }
    /// Gives up at least so much, where it is idle.
    func release(_ release: MemoryLedger.Release)
}

/// The one budget over weights and caches: knows what everybody holds, and answers at once, whatever the engine does.
///
/// The engine tells what it holds whenever that has changed, others are asked. It decides nothing: `MemoryLedger` does,
/// and the engine, alone in loading anything, lets go.
final class MemoryBudget: Sendable {
    /// What may be held in all, in bytes.
    let limit: Int
    let clock: CanvasClock
    private let availableMemory: @Sendable () -> Int?

    private struct State {
        var engine: [MemoryLedger.Holding] = []
        var holders: [WeakHolder] = []
        var peak = 0
    }

    private struct WeakHolder: Sendable {
        weak var holder: (any MemoryHolder)?
    }

    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: In bytes; `nil` is what the machine suggests.
    ///   - clock: By which idle models go.
    ///   - availableMemory: What the system could give now, in bytes; `nil` where it doesn't say.
    init(limit: Int?, clock: CanvasClock, availableMemory: @escaping @Sendable () -> Int?) {
        self.limit = limit ?? MachineLimits.defaultBudget()
        self.clock = clock
        self.availableMemory = availableMemory
    }

    /// Counts what somebody holds, for as long as it lives.
    func count(_ holder: some MemoryHolder) {
        state.withLock { $0.holders.append(WeakHolder(holder: holder)) }
    }

    /// What the engine holds now.
    func engineHolds(_ holdings: [MemoryLedger.Holding]) {
        state.withLock { $0.engine = holdings }
    }

    /// Room was made for what was to come, and for what caches had grown.
    func settled() {
        let used = ledger.used
        state.withLock { $0.peak = max($0.peak, used) }
    }

    var ledger: MemoryLedger {
        let (engine, holders) = state.withLock { ($0.engine, $0.holders) }
        return MemoryLedger(limit: limit, holdings: engine + holders.flatMap { $0.holder?.holdings ?? [] })
    }

    /// The most that was held whenever room had been made.
    var peak: Int { state.withLock { $0.peak } }

    /// What could be had if all that is idle went, in bytes.
    var most: Int { ledger.most(machine: availableMemory()) }

    /// What is to go so that `needed` more bytes can be held.
    func releases(for needed: Int) throws(MemoryLedger.Shortage) -> [MemoryLedger.Release] {
        try ledger.releases(for: needed, machine: availableMemory())
    }

    /// Tells the others than the engine what is to go.
    func release(_ release: MemoryLedger.Release) {
        for holder in state.withLock({ $0.holders }) { holder.holder?.release(release) }
    }
}

extension AssistantError {
    /// What something that is not loaded or begun would need.
    init(_ shortage: MemoryLedger.Shortage, for what: String) {
        let free = "only \(shortage.available.mebibytes) of the \(shortage.limit.mebibytes) of memory.budget"
        self.init(
            .outOfMemory,
            "\(what) needs \(shortage.needed.mebibytes) of memory, but \(free) can be had now; "
                + "\(shortage.inUse.mebibytes) are in use or pinned.",
            parameter: "model", retryAfter: shortage.isTemporary ? 30 : nil)
    }
}

extension Int {
    /// A count of bytes as people read it.
    var mebibytes: String { "\((self + (1 << 20) - 1) >> 20) MiB" }
}
