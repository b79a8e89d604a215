import AssistantAPI
import Llama
import Settings
import Tensors

/// The one place where models compute: an actor on a thread of its own.
///
/// Requests that were admitted are served in turns: a token of each answer, and between the chunks of a prompt the
/// answers get as much time as the chunk took, so that neither a long answer nor a long prompt keeps others waiting.
/// While nothing is to be done the thread sleeps.
actor Engine {
    /// How many requests are answered at the same time.
    static let runningLimit = 4

    nonisolated let gate: EngineGate
    private let thread: EngineThread
    private let loader: ModelLoader
    private var operations: Operations?
    private var resident: ResidentModel?
    private var active: [Generation] = []
    /// A request whose turn has come, but for whose cache there is no room until another ends.
    private var held: Prepared?

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    init(_ configuration: Configuration) {
        gate = EngineGate(depth: configuration.server.queueDepth, runningLimit: Self.runningLimit)
        thread = EngineThread(niceness: configuration.engine.nice)
        loader = ModelLoader(configuration)
    }

    deinit { thread.stop() }

    /// Puts a request into the line; its events follow in its own stream.
    nonisolated func submit(_ request: EngineRequest) throws(AssistantError) {
        guard try gate.admit(request) else { return }
        Task { await self.run() }
    }

    /// Drops the cache of a conversation that is gone.
    func forget(owner: String) { resident?.forget(owner: owner) }

    /// A request whose model is in memory and whose prompt is made.
    private struct Prepared {
        var request: EngineRequest
        var prompt: ResidentModel.Prompt
        var loading: Duration
    }

    // MARK: - Turns

    private func run() async {
        repeat {
            startNext()
            turn()
            // Between turns the actor takes its other messages.
            await Task.yield()
        } while !active.isEmpty || held != nil || !gate.sleep()
    }

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

    private func advance(_ generation: Generation) {
        do throws(AssistantError) {
            let goesOn = try generation.step()
            if !goesOn { end(generation, error: nil) }
        } catch {
            end(generation, error: error)
        }
    }

    private func end(_ generation: Generation, error: AssistantError?) {
        active.removeAll { $0 === generation }
        resident?.keep(generation)
        gate.isDone(generation.request)
        if let error { generation.request.fail(error) } else { generation.complete() }
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
            return Prepared(request: request, prompt: try model.prepare(request), loading: loading)
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
        if !active.isEmpty, !model.hasRoom(for: prompt.tokens, request: request, reserved: reserved) {
            held = prepared
            return
        }
        let clock = RequestClock(arrival: request.arrival, loading: prepared.loading)
        request.send(.started(model: request.model.name))
        if let notice = prompt.notice { request.send(.notice(notice)) }
        guard let cache = resident?.makeCache(for: prompt.tokens, request: request, reserved: reserved)
        else { return }
        active.append(
            Generation(
                request, model: model.model, prompt: prompt.tokens, cache: cache, chunk: model.chunk,
                clock: clock))
    }

    private func refuse(_ request: EngineRequest, _ error: AssistantError) {
        gate.isDone(request)
        if error.code == .cancelled { request.finishUntouched() } else { request.fail(error) }
    }

    /// The request's model: the one in memory, or a new one in its place.
    ///
    /// A model whose header or size rules it out leaves the one in memory where it is. One whose file was replaced
    /// is loaded again.
    private func load(_ request: EngineRequest) throws(AssistantError) -> ResidentModel {
        if let resident, resident.file == request.model, !active.isEmpty || resident.isCurrent {
            return resident
        }
        let candidate = try loader.check(request.model, freeing: resident?.model.byteCount ?? 0)
        resident = nil
        gate.setResident(.init(model: request.model, state: .loading))
        do throws(AssistantError) {
            let operations = self.operations ?? loader.makeOperations()
            self.operations = operations
            let loaded = try loader.load(candidate, for: request, operations: operations)
            resident = loaded
            gate.setResident(
                .init(model: request.model, state: .loaded, tokenizer: loaded.model.tokenizer))
            return loaded
        } catch {
            gate.setResident(nil)
            throw error
        }
    }
}
