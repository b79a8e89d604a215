import AssistantAPI
import Llama
import StableDiffusion
import Tensors

// Models come into memory here, for the request that needs them.

extension Engine {
    /// The request's model: one that is in memory, or a new one, for which idle memory goes where there is too little.
    ///
    /// A model whose header or size rules it out leaves all others where they are. One whose file was replaced is loaded
    /// again.
    func load(_ request: EngineRequest) throws(AssistantError) -> ResidentModel {
        if let resident, resident.file == request.model, !active.isEmpty || resident.isCurrent {
            return use(resident, request)
        }
        if let place = shelf.models.firstIndex(where: { $0.file == request.model && $0.isCurrent }) {
            let found = shelf.models.remove(at: place)
            setModelAside()
            return use(found, request)
        }
        tellMemory()
        let plan = try loader.check(request.model, available: memory.most, limit: memory.limit)
        // What was replaced on disk is of no use.
        setModelAside()
        shelf.models.removeAll { $0.file == request.model }
        let arrival = try begin(request, kind: .chat, weights: plan.weights, needed: plan.needed)
        defer { end(arrival) }
        let loaded = try loader.load(
            plan, for: request, residence: arrival.residence, operations: operations.answers)
        return use(loaded, request)
    }

    private func use(_ model: ResidentModel, _ request: EngineRequest) -> ResidentModel {
        var model = model
        renew(&model.residence, for: request)
        resident = model
        tellMemory()
        return model
    }

    /// Makes room for the chat model of another request; it stays in memory for now.
    private func setModelAside() {
        if let resident { shelf.models.append(resident) }
        resident = nil
    }

    /// Whether a chat model needs no loading.
    func isInMemory(_ model: ModelFile) -> Bool {
        resident.map { $0.file == model && $0.isCurrent } == true
            || shelf.models.contains { $0.file == model && $0.isCurrent }
    }

    /// Whether a chat model can be loaded without another one's leaving.
    func hasRoomBesideModels(for model: ModelFile) -> Bool {
        tellMemory()
        guard let plan = try? loader.check(model, available: memory.most, limit: memory.limit),
            let releases = try? memory.releases(for: plan.needed)
        else { return false }
        return !releases.contains { $0.kind == .weights }
    }

    // MARK: - Pictures

    /// The picture model that a request asks for: one that is in memory, or a new one, as with chat models.
    func load(_ job: some PaintingJob) throws(AssistantError) -> ResidentPainter {
        if job.isCancelled { throw AssistantError(.cancelled, "The request was cancelled.") }
        if let painter, painter.serves(job.plan) { return use(painter, job) }
        if let place = shelf.painters.firstIndex(where: { $0.serves(job.plan) }) {
            let found = shelf.painters.remove(at: place)
            setPainterAside()
            return use(found, job)
        }
        tellMemory()
        let info = try pictureLoader.check(job.plan, available: memory.most, limit: memory.limit)
        setPainterAside()
        shelf.painters.removeAll { $0.isModel(of: job.plan) }
        let arrival = try begin(job, kind: .picture, weights: info.byteCount, needed: info.byteCount)
        defer { end(arrival) }
        let loaded = try pictureLoader.load(
            for: job, residence: arrival.residence, operations: operations.pictures,
            checkpoint: checkpoint(of: job))
        return use(loaded, job)
    }

    private func use(_ model: ResidentPainter, _ job: some PaintingJob) -> ResidentPainter {
        var model = model
        renew(&model.residence, for: job)
        painter = model
        tellMemory()
        return model
    }

    private func setPainterAside() {
        if let painter { shelf.painters.append(painter) }
        painter = nil
    }

    private func renew(_ residence: inout Residence, for job: some EngineJob) {
        residence.use(at: memory.clock.now())
        residence.keep(job.keepAlive ?? shelf.keepAlive)
    }

    // MARK: - Arrivals

    /// Makes room for a model, which is counted from now on.
    private func begin(
        _ job: some EngineJob, kind: ModelSummary.Kind, weights: Int, needed: Int
    ) throws(AssistantError) -> ModelShelf.Arrival {
        if let shortage = shortage(of: needed) {
            tellMemory()
            throw AssistantError(shortage, for: "The model \(job.model.name)")
        }
        makeRoom(for: needed)
        let residence = shelf.makeResidence(job.keepAlive, at: memory.clock.now())
        let arrival = ModelShelf.Arrival(residence: residence, model: job.model, bytes: weights)
        shelf.arrivals.append(arrival)
        tellMemory()
        memory.settled()
        return arrival
    }

    /// The model is there, or it did not come.
    private func end(_ arrival: ModelShelf.Arrival) {
        shelf.arrivals.removeAll { $0.residence.number == arrival.residence.number }
        tellMemory()
    }
}
