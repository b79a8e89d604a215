public import AssistantAPI
import FoundationEssentials

extension Assistant {
    /// Who holds how much memory, and until when; it waits for nothing, whatever the engine does.
    public func memory() -> MemoryReport {
        let (gate, memory) = (core.engine.gate, core.engine.memory)
        let (now, date) = (memory.clock.now(), Date())
        let ledger = memory.ledger
        let models = gate.residents.map { resident in
            let held = ledger.holdings.filter { $0.owner == .model(resident.number) }
            let weights = held.first { $0.kind == .weights }
            let isInUse = weights?.isInUse ?? true
            let expiry = isInUse || weights?.isPinned == true ? nil : weights?.expiry
            return LoadedModel(
                id: resident.model.name, path: resident.model.path, kind: resident.model.kind,
                state: resident.state, bytes: held.reduce(0) { $0 + $1.bytes },
                memory: held.filter { $0.bytes > 0 }.map { .init(kind: $0.kind, bytes: $0.bytes) },
                isInUse: isInUse, isPinned: weights?.isPinned ?? false,
                expiresAt: expiry.map { date + max(0, ($0 - now).milliseconds / 1000) },
                contextLength: resident.contextLength)
        }
        return MemoryReport(
            budget: ledger.limit, used: ledger.used,
            memory: MemoryKind.allCases.map { .init(kind: $0, bytes: ledger.bytes(of: $0)) },
            models: models)
    }

    /// Brings a model into memory, and does nothing else with it.
    ///
    /// - Parameters:
    ///   - name: A name or absolute path.
    ///   - keepAlive: How long it stays; `nil` means the configuration's.
    ///   - client: Who asks.
    /// - Returns: What the loading took, in milliseconds; next to nothing where it was in memory.
    /// - Throws: `modelNotFound`, `modelUnusable`, `outOfMemory`, `queueFull`, `shuttingDown`.
    public func load(_ name: String, keepAlive: KeepAlive?, client: String = "") async throws -> Double {
        let model = try core.catalog.resolveAny(name)
        switch model.kind {
        case .chat:
            let request = CompletionRequest(model: model.path, prompt: .nothing, keepAlive: keepAlive)
            for try await event in complete(request, client: client) {
                if case .completed(let summary) = event { return summary.timings.loading }
            }
        case .picture:
            var request = PictureRequest(prompt: "")
            (request.model, request.keepAlive) = (model.path, keepAlive)
            let running = try pictureCore.start(request, lane: client, onlyLoads: true)
            for try await event in running.events {
                if case .completed(let completed) = event { return completed.timings.loading }
            }
        }
        throw CancellationError()
    }

    /// Lets a model go, at once, or when the work with it is done.
    ///
    /// - Parameter name: A name or absolute path.
    /// - Returns: Its public name.
    /// - Throws: `modelNotFound`, also for one that is not in memory.
    public func unload(_ name: String) async throws -> String {
        let model = try core.catalog.resolveAny(name)
        guard await core.engine.unload(model) else {
            let loaded = core.engine.gate.residents.filter { $0.state == .loaded }.map(\.model.name)
            let others = loaded.isEmpty ? "no model is" : loaded.joined(separator: ", ") + " is"
            throw AssistantError(
                .modelNotFound, "The model \(model.name) is not in memory; \(others).", parameter: "model")
        }
        return model.name
    }

    /// Lets a model stay in memory from its next use on, or since it is there, until it is stopped; or no longer.
    ///
    /// - Parameters:
    ///   - name: A name or absolute path.
    ///   - isPinned: Whether it is to stay.
    /// - Returns: Its public name.
    /// - Throws: `modelNotFound`.
    public func pin(_ name: String, _ isPinned: Bool) async throws -> String {
        let model = try core.catalog.resolveAny(name)
        await core.engine.pin(model, isPinned)
        return model.name
    }
}
