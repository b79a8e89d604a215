import AssistantAPI
import Grammars
import Llama
import Settings
import StableDiffusion
import Tensors

/// The one place where models compute: an actor on a thread of its own.
///
/// Requests that were admitted are served in turns: a token of each answer, and between the chunks of a prompt the
/// answers get as much time as the chunk took, so that neither a long answer nor a long prompt keeps others waiting.
/// Pictures are painted one at a time, a part of the work in each turn; since one part can take seconds, the answers
/// are served within it too, at its checkpoints, and so are the frames of canvases, which go before other pictures.
/// While nothing is to be done the thread sleeps.
actor Engine {
    /// How many requests are answered at the same time.
    static let runningLimit = 4
    /// For so many times as long as a picture was worked on, the answers that run then have the machine.
    static let answerShare = 4
    /// Within the work on a picture it is looked for drafts no more often than this.
    private static let leastDraftInterval = Duration.milliseconds(10)
    /// After so many tokens of an answer it is looked whether caches have outgrown the memory.
    private static let cutBackInterval = 512

    nonisolated let gate: EngineGate
    nonisolated let counters = EngineCounters()
    nonisolated let memory: MemoryBudget
    private let thread: EngineThread
    let loader: ModelLoader
    let pictureLoader: PictureModelLoader
    private(set) var madeOperations: EngineOperations?
    /// The chat model that answers, or was the last to.
    var resident: ResidentModel?
    private(set) var active: [any RunningRequest] = []
    /// A request whose turn has come, but for whose cache there is no room until another ends.
    private(set) var held: Prepared?
    var ahead = LookAhead()
    /// When a draft may be evaluated within the work on pictures.
    private var draftTime = ContinuousClock.now
    /// The picture model that paints, or was the last to.
    var painter: ResidentPainter?
    var painting: Painting?
    /// Frames on their way: one, and within its work another that goes before it.
    var frames: [FramePainting] = []
    /// The models in memory beside those two, and those on their way there.
    var shelf: ModelShelf

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    init(
        _ configuration: Configuration, painters: PainterSource = .files,
        clock: CanvasClock = CanvasClock(ContinuousClock()),
        availableMemory: @escaping @Sendable () -> Int? = MachineLimits.availableMemory
    ) {
        memory = MemoryBudget(
            limit: configuration.memory.budget, clock: clock, availableMemory: availableMemory)
        shelf = ModelShelf(
            keepAlive: KeepAlive(configuration.memory.keepAlive), pinned: configuration.memory.pinned)
        gate = EngineGate(depth: configuration.server.queueDepth, runningLimit: Self.runningLimit)
        thread = EngineThread(niceness: configuration.engine.nice)
        loader = ModelLoader(configuration)
        pictureLoader = PictureModelLoader(configuration.picture, source: painters)
    }

    deinit { thread.stop() }

    /// Puts a request into its line; its events follow in its own stream.
    nonisolated func submit(_ job: some EngineJob) throws(AssistantError) {
        guard try gate.admit(job) else { return }
        Task { await self.run() }
    }

    /// Takes what is being typed, to evaluate it ahead while nothing else is to be done.
    nonisolated func expect(_ draft: EngineRequest) {
        counters.change { $0.drafts += 1 }
        guard gate.put(draft) else { return }
        Task { await self.run() }
    }

    /// Drops the cache of a conversation that is gone.
    func forget(owner: String) {
        resident?.forget(owner: owner)
        for place in shelf.models.indices { shelf.models[place].forget(owner: owner) }
        tellMemory()
    }

    /// A request whose model is in memory and whose prompt is made.
    struct Prepared {
        var request: EngineRequest
        var prompt: ResidentModel.Prompt
        /// Of an embedding: the texts, of which the prompt is the longest.
        var texts: [[Int32]] = []
        var constraint: TokenConstraint?
        var loading: Duration
    }

    private func run() async {
        repeat {
            startNext()
            turn()
            if !paintFrame() { paint() }
            lookAhead()
            // Between turns the actor takes its other messages.
            await Task.yield()
        } while !active.isEmpty || held != nil || isPainting || !gate.sleep()
    }

    /// What computes; the threads are started by the first request.
    var operations: EngineOperations {
        if let madeOperations { return madeOperations }
        let operations = loader.makeOperations()
        madeOperations = operations
        return operations
    }

    var isPainting: Bool { painting != nil || !frames.isEmpty }

    // MARK: - Turns

    /// One chunk of every prompt, and in between tokens of the answers for as long as the chunk took.
    private func turn() {
        let prompts = active.filter { $0.phase == .prefill }
        if prompts.isEmpty { return tokenRound() }
        for prompt in prompts {
            let begin = ContinuousClock.now
            advance(prompt)
            let end = ContinuousClock.now
            repeat { tokenRound() } while isAnswering && ContinuousClock.now - end < end - begin
        }
    }

    private var isAnswering: Bool { active.contains { $0.phase == .decode } }

    /// A token of every answer.
    private func tokenRound() {
        for answer in active where answer.phase == .decode { advance(answer) }
    }

    private func advance(_ running: any RunningRequest) {
        do throws(AssistantError) {
            let goesOn = try running.step()
            if !goesOn {
                end(running, error: nil)
            } else if running.heldCount % Self.cutBackInterval == 0 {
                // A long answer comes to hold more than was expected.
                cutBack()
            }
        } catch {
            end(running, error: error)
        }
    }

    private func end(_ running: any RunningRequest, error: AssistantError?) {
        active.removeAll { $0 === running }
        let generation = running as? Generation
        if let generation { resident?.keep(generation) }
        resident?.residence.use(at: memory.clock.now())
        cutBack()
        gate.isDone(running.request)
        var summary = running.summary
        if error != nil { summary.finish = .failed }
        if let generation {
            counters.count(summary, ahead: generation.aheadCount)
        } else {
            counters.countEmbedding(summary)
        }
        if let error { return running.request.fail(error) }
        running.request.finish(summary)
    }

    // MARK: - Beginning

    /// Begins as many requests as may run together.
    private func startNext() {
        if let prepared = held {
            held = nil
            begin(prepared)
        }
        while held == nil, let request = gate.next(for: resident?.file) {
            if let prepared = prepare(request) { begin(prepared) }
        }
    }

    private func prepare(_ request: EngineRequest) -> Prepared? {
        do throws(AssistantError) {
            if request.isCancelled { throw AssistantError(.cancelled, "The request was cancelled.") }
            let begin = ContinuousClock.now
            let model = try load(request)
            let loading = ContinuousClock.now - begin
            if request.onlyLoads {
                gate.isDone(request)
                request.send(.started(model: request.model.name))
                request.finishWithoutAnswer(.stop, loading: loading)
                return nil
            }
            guard let work = request.embedding else {
                return Prepared(
                    request: request, prompt: try model.prepare(request),
                    constraint: try resident?.makeConstraint(for: request), loading: loading)
            }
            let texts = try model.texts(of: work)
            let longest = texts.max { $0.count < $1.count } ?? []
            return Prepared(
                request: request, prompt: .init(tokens: longest), texts: texts, loading: loading)
        } catch {
            refuse(request, error)
            return nil
        }
    }

    /// Makes the request an active one, or holds it back until there is room for its cache.
    private func begin(_ prepared: Prepared) {
        let (request, prompt) = (prepared.request, prepared.prompt)
        guard !request.isCancelled, let model = resident else {
            return refuse(request, AssistantError(.cancelled, "The request was cancelled."))
        }
        let reserved = active.reduce(0) { $0 + model.expectedBytes(of: $1) }
        let needed = model.expectedBytes(of: prompt, request)
        if !active.isEmpty, !model.hasRoom(for: prompt.tokens, request: request, reserved: reserved) {
            held = prepared
            return
        }
        shelf.beginning.insert(model.residence.number)
        defer { shelf.beginning.remove(model.residence.number) }
        if let shortage = shortage(of: needed) {
            guard active.isEmpty, !isPainting else {
                held = prepared
                return
            }
            return refuse(request, AssistantError(shortage, for: "An answer of \(request.model.name)"))
        }
        let clock = RequestClock(arrival: request.arrival, loading: prepared.loading)
        request.send(.started(model: request.model.name))
        if let notice = prompt.notice { request.send(.notice(notice)) }
        if let work = request.embedding {
            makeRoom(for: needed)
            active.append(
                EmbeddingRun(
                    request, work, texts: prepared.texts, model: model.model, chunk: model.chunk, clock: clock
                ))
            tellMemory()
            return memory.settled()
        }
        let beginning = resident?.makeCache(for: prompt.tokens, request: request, reserved: reserved)
        guard let beginning else { return }
        makeRoom(for: needed)
        active.append(
            Generation(
                request, model: model.model, prompt: prompt.tokens, beginning: beginning, chunk: model.chunk,
                constraint: prepared.constraint, clock: clock))
        tellMemory()
        memory.settled()
    }

    private func refuse(_ request: EngineRequest, _ error: AssistantError) {
        gate.isDone(request)
        if error.code == .cancelled { request.finishUntouched() } else { request.fail(error) }
    }

    // MARK: - Between the parts of a picture

    /// Called from within the work on a picture: stops it when its client left, and serves who goes before it.
    func checkpoint(of job: some PaintingJob) -> InterruptionCheck {
        checkpoint(isOver: { job.isCancelled }, canvases: job is PictureJob) { _ in }
    }

    /// Called from within any work on pictures: answers are served there, and where `canvases` are, frames that go before it
    /// (`above`) and what is being typed; `rested` is told for how long.
    func checkpoint(
        isOver: @escaping () -> Bool, above rank: FrameEngine.Request.Rank? = nil, canvases: Bool = true,
        rested: @escaping (Duration) -> Void
    ) -> InterruptionCheck {
        var last = ContinuousClock.now
        return { () throws(Interrupted) in
            if isOver() { throw Interrupted() }
            var waiting = self.waiting(above: rank)
            if !canvases { (waiting.hasFrames, waiting.hasDraft) = (false, false) }
            guard waiting.hasAnswers || waiting.hasFrames || waiting.hasDraft else { return }
            let begin = ContinuousClock.now
            let servesDraft = waiting.hasDraft && !waiting.hasAnswers && begin >= self.draftTime
            guard waiting.hasAnswers || waiting.hasFrames || servesDraft else { return }
            if waiting.hasFrames { self.paintFrames(above: rank) }
            if waiting.hasAnswers, !isOver() { self.serveAnswers(afterWorking: begin - last, until: isOver) }
            if servesDraft, !isOver() { self.lookAheadWithin(above: rank, until: isOver) }
            last = .now
            // The picture has as much of the time as the draft.
            if servesDraft { self.draftTime = last + max(last - begin, Self.leastDraftInterval) }
            rested(last - begin)
            if isOver() { throw Interrupted() }
        }
    }

    /// Who waits for something that goes before a frame of `rank` (`nil`: before other pictures) and can be served within it.
    func waiting(above rank: FrameEngine.Request.Rank?) -> EngineGate.Waiting {
        gate.waiting(above: rank) { painter?.isModel(of: $0.plan) == true }
    }

    /// Lets the answers go on, those that came meanwhile included, for their share of the time.
    private func serveAnswers(afterWorking time: Duration, until isOver: () -> Bool) {
        let begin = ContinuousClock.now
        operations.pictures.pool.pausing {
            startNext()
            repeat {
                turn()
            } while !active.isEmpty && !isOver() && ContinuousClock.now - begin < time * Self.answerShare
        }
    }
}
