import AssistantAPI
import Llama
import StableDiffusion
import Tensors

// What the engine holds, and how it lets go of it.

extension Engine {
    // MARK: - What is held

    /// Tells the budget what is held, and who is in memory.
    func tellMemory() {
        memory.engineHolds(modelHoldings + workHoldings)
        let loaded =
            ([resident].compactMap(\.self) + shelf.models).map { model in
                EngineGate.Resident(
                    number: model.residence.number, model: model.file, state: .loaded,
                    tokenizer: model.model.tokenizer, contextLength: model.contextLength)
            }
            + ([painter].compactMap(\.self) + shelf.painters).map { painter in
                EngineGate.Resident(
                    number: painter.residence.number, model: painter.file, state: .loaded)
            }
        let known = Set(loaded.map(\.number))
        let arriving = shelf.arrivals.filter { !known.contains($0.residence.number) }.map { arrival in
            EngineGate.Resident(
                number: arrival.residence.number, model: arrival.model, state: .loading)
        }
        gate.setResidents(arriving + loaded)
        setAlarm()
    }

    private var modelHoldings: [MemoryLedger.Holding] {
        var holdings: [MemoryLedger.Holding] = []
        if let resident {
            let running = active.reduce(0) { $0 + resident.expectedBytes(of: $1) }
            let isInUse = !active.isEmpty || held != nil || isBeginning(resident.residence)
            holdings += resident.holdings(
                isInUse: isInUse, isPinned: shelf.isPinned(resident.file), running: running)
        }
        for model in shelf.models {
            holdings += model.holdings(isInUse: false, isPinned: shelf.isPinned(model.file), running: 0)
        }
        if let painter {
            holdings += painter.holdings(
                isInUse: isPainting || isBeginning(painter.residence), isPinned: shelf.isPinned(painter.file))
        }
        for painter in shelf.painters {
            holdings += painter.holdings(isInUse: false, isPinned: shelf.isPinned(painter.file))
        }
        let known = Set(holdings.map(\.owner))
        for arrival in shelf.arrivals where !known.contains(.model(arrival.residence.number)) {
            holdings.append(
                .init(
                    owner: .model(arrival.residence.number), kind: .weights, bytes: arrival.bytes,
                    isInUse: true, lastUse: arrival.residence.lastUse))
        }
        return holdings
    }

    private func isBeginning(_ residence: Residence) -> Bool { shelf.beginning.contains(residence.number) }

    private var workHoldings: [MemoryLedger.Holding] {
        guard let operations = madeOperations else { return [] }
        return EngineWork.allCases.map { work in
            // Of a picture on its way what it may take counts, of which some is kept between its parts.
            let taken = shelf.taken[work]
            return MemoryLedger.Holding(
                owner: .work(work.rawValue), kind: .scratch,
                bytes: taken ?? operations.operations(of: work).keptBytes, isInUse: taken != nil)
        }
    }

    // MARK: - Room

    /// Why so many bytes more cannot be held; `nil` where they can, if all that is idle goes.
    func shortage(of bytes: Int) -> MemoryLedger.Shortage? {
        tellMemory()
        do {
            _ = try memory.releases(for: bytes)
            return nil
        } catch {
            return error
        }
    }

    /// Lets idle memory go until so many bytes more can be held; where that cannot be, nothing goes.
    func makeRoom(for bytes: Int) {
        tellMemory()
        guard let releases = try? memory.releases(for: bytes) else { return }
        for release in releases { letGo(release) }
        if !releases.isEmpty { tellMemory() }
        memory.settled()
    }

    /// Cuts back what has grown since room was last made: all models' caches together, and what is idle.
    func cutBack() {
        let models = [resident].compactMap(\.self) + shelf.models
        if let limit = models.first?.caches.budget {
            var excess = models.reduce(0) { $0 + $1.caches.bytes } - limit
            for model in models.sorted(by: { $0.residence.lastUse < $1.residence.lastUse }) where excess > 0 {
                excess -= model.caches.bytes
                dropCaches(of: model.residence.number, bytes: model.caches.bytes + min(0, excess))
            }
        }
        makeRoom(for: 0)
    }

    /// What a picture may take, beside a model that is in memory.
    func room(for work: EngineWork, beside model: ResidentPainter) -> RenderRoom {
        shelf.beginning.insert(model.residence.number)
        defer { shelf.beginning.remove(model.residence.number) }
        tellMemory()
        return RenderRoom(limits: pictureLoader.limits(beside: model, available: memory.most)) { bytes in
            self.shelf.taken[work] = nil
            self.makeRoom(for: bytes)
            self.shelf.taken[work] = bytes
            self.tellMemory()
            self.memory.settled()
        }
    }

    /// A picture or frame is at its end.
    func workEnded(_ work: EngineWork) {
        shelf.taken[work] = nil
        painter?.residence.use(at: memory.clock.now())
        // What it left behind counts too.
        cutBack()
    }

    private func letGo(_ release: MemoryLedger.Release) {
        switch (release.owner, release.kind) {
        case (.model(let number), .weights): dropModel(number)
        case (.model(let number), .prefixCaches): dropCaches(of: number, bytes: release.bytes)
        case (.model(let number), _):
            ([painter].compactMap(\.self) + shelf.painters).first { $0.residence.number == number }?.painter
                .forget()
        case (.work(let name), _):
            EngineWork(rawValue: name).map { madeOperations?.operations(of: $0).releaseMemory() }
        case (.canvas, _): memory.release(release)
        }
    }

    private func dropModel(_ number: Int) {
        if resident?.residence.number == number { resident = nil }
        if painter?.residence.number == number { painter = nil }
        shelf.models.removeAll { $0.residence.number == number }
        shelf.painters.removeAll { $0.residence.number == number }
    }

    private func dropCaches(of number: Int, bytes: Int) {
        if resident?.residence.number == number { _ = resident?.caches.release(bytes) }
        for place in shelf.models.indices where shelf.models[place].residence.number == number {
            _ = shelf.models[place].caches.release(bytes)
        }
    }

    // MARK: - Unloading

    /// Lets models go that nobody used for as long as they were to stay.
    func unloadExpired() {
        shelf.alarm = nil
        tellMemory()
        unload(memory.ledger.expired(at: memory.clock.now()))
    }

    /// Lets a model go, pinned or not, at once or when the work with it is done.
    ///
    /// - Returns: Whether it was in memory.
    func unload(_ model: ModelFile) -> Bool {
        shelf.pin(model, false)
        let numbers = gate.residents.filter { $0.model == model && $0.state == .loaded }.map(\.number)
        if resident?.file == model { resident?.residence.keep(.seconds(0)) }
        if painter?.file == model { painter?.residence.keep(.seconds(0)) }
        tellMemory()
        let idle = memory.ledger.holdings.filter { $0.kind == .weights && !$0.isInUse }.map(\.owner)
        unload(idle.filter { owner in numbers.contains { owner == .model($0) } })
        return !numbers.isEmpty
    }

    /// Lets a model stay once it is in memory, whoever needs room; or no longer.
    func pin(_ model: ModelFile, _ isPinned: Bool) {
        shelf.pin(model, isPinned)
        // One that was to go by now goes.
        unloadExpired()
    }

    private func unload(_ owners: [MemoryLedger.Owner]) {
        for owner in owners { letGo(.init(owner: owner, kind: .weights, bytes: 0)) }
        guard !owners.isEmpty else { return }
        if let madeOperations {
            for work in EngineWork.allCases where shelf.taken[work] == nil {
                madeOperations.operations(of: work).releaseMemory()
            }
        }
        tellMemory()
    }

    /// Wakes the engine up when the next idle model is to go.
    private func setAlarm() {
        guard let time = memory.ledger.nextExpiry else { return }
        if let alarm = shelf.alarm {
            guard time < alarm.time else { return }
            alarm.task.cancel()
        }
        let clock = memory.clock
        let task = Task { [weak self] in
            guard (try? await clock.sleep(time)) != nil else { return }
            await self?.unloadExpired()
        }
        shelf.alarm = (time, task)
    }
}
