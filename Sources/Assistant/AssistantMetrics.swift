public import AssistantAPI

/// What the assistant has done and is doing, as plain values.
public struct AssistantMetrics: Sendable {
    /// How many requests of one kind are served, and how many wait.
    public struct Load: Sendable, Equatable {
        public var running: Int
        public var waiting: Int
    }

    public var chat: ChatCounters
    public var painted: PictureCounters
    public var canvas: CanvasCounters
    /// Canvases that are open.
    public var canvases: Int
    public var answers: Load
    public var pictures: Load
    /// Models in memory.
    public var loadedModels: Int
    /// What the daemon holds, and may hold.
    public var memory: MemoryReport
    /// Of this process, in bytes; 0 where the system does not tell.
    public var residentBytes: Int
}

extension Assistant {
    /// The counters and gauges of this moment; it waits for nothing, whatever the engine does.
    public func metrics() -> AssistantMetrics {
        let gate = core.engine.gate
        let (load, memory) = (gate.load, memory())
        return AssistantMetrics(
            chat: core.engine.counters.now, painted: core.engine.counters.pictures,
            canvas: canvases.counters, canvases: canvases.list().count,
            answers: load.answers, pictures: load.pictures,
            loadedModels: memory.models.count { $0.state == .loaded }, memory: memory,
            residentBytes: MachineLimits.residentBytes() ?? 0)
    }
}
