import AssistantAPI
import Settings
import Testing

@testable import Assistant

struct EngineGateTests {
    private let one = ModelFile(name: "one", path: "/one.gguf")
    private let two = ModelFile(name: "two", path: "/two.gguf")

    /// A request and the stream of its events.
    private struct Job {
        var request: EngineRequest
        var events: AsyncThrowingStream<CompletionEvent, any Error>

        /// The places in line that it was told, until it ended.
        func places() async throws -> [Int] {
            try await events.reduce(into: []) { places, event in
                if case .queued(let ahead) = event { places.append(ahead) }
            }
        }
    }

    private func job(_ id: UInt64, lane: String = "a", model: ModelFile? = nil) throws -> Job {
        let (events, continuation) = AsyncThrowingStream.makeStream(of: CompletionEvent.self)
        let plan = try GenerationPlan(.init(), defaults: Configuration().chat, seed: 1)
        let request = EngineRequest(
            id: id, lane: lane, owner: nil, model: model ?? one, prompt: .text("x"), plan: plan,
            continuation: continuation)
        return Job(request: request, events: events)
    }

    @Test func theFirstRequestWakesTheEngineAndTheNextDoNot() throws {
        let gate = EngineGate(depth: 4, runningLimit: 2)
        let jobs = try (1...2).map { try job($0) }
        let wakes = try jobs.map { try gate.admit($0.request) }
        #expect(wakes == [true, false])
        #expect(!gate.sleep())
        #expect(gate.next(for: nil)?.id == 1)
        gate.setResidents([.init(model: one, state: .loaded)])
        #expect(gate.next(for: one)?.id == 2)
        for job in jobs { gate.isDone(job.request) }
        #expect(gate.sleep())
        #expect(try gate.admit(job(3).request))
    }

    @Test func noMoreThanTheLimitRunAtOnce() throws {
        let gate = EngineGate(depth: 4, runningLimit: 2)
        let jobs = try (1...3).map { try job($0) }
        for job in jobs { _ = try gate.admit(job.request) }
        #expect(gate.next(for: one)?.id == 1)
        #expect(gate.next(for: one)?.id == 2)
        #expect(gate.next(for: one) == nil)
        gate.isDone(jobs[0].request)
        #expect(gate.next(for: one)?.id == 3)
    }

    @Test func anotherModelWaitsUntilNothingRuns() throws {
        let gate = EngineGate(depth: 4, runningLimit: 2)
        let jobs = try [job(1), job(2, lane: "b", model: two), job(3)]
        for job in jobs { _ = try gate.admit(job.request) }
        #expect(gate.next(for: one)?.id == 1)
        // The third may not overtake the second, or the second might wait for ever.
        #expect(gate.next(for: one) == nil)
        gate.isDone(jobs[0].request)
        #expect(gate.next(for: one)?.id == 2)
        #expect(gate.next(for: two) == nil)
    }

    @Test func aFullQueueSaysWhenToTryAgain() throws {
        let gate = EngineGate(depth: 2, runningLimit: 1)
        for id in 1...2 { _ = try gate.admit(job(UInt64(id)).request) }
        let error = #expect(throws: AssistantError.self) { try gate.admit(job(3).request) }
        #expect(error?.code == .queueFull)
        #expect((1...60).contains(error?.retryAfter ?? 0))
        #expect(throws: AssistantError.self) { try gate.checkRoom() }
        _ = gate.next(for: nil)
        try gate.checkRoom()
        _ = try gate.admit(job(3).request)
    }

    @Test func thoseWhoWaitAreToldTheirPlaces() async throws {
        let gate = EngineGate(depth: 8, runningLimit: 1)
        gate.setResidents([.init(model: one, state: .loaded)])
        let jobs = try (1...3).map { try job($0) }
        for job in jobs { _ = try gate.admit(job.request) }
        for job in jobs {
            #expect(gate.next(for: one)?.id == job.request.id)
            gate.isDone(job.request)
            job.request.finishUntouched()
        }
        var places: [[Int]] = []
        for job in jobs { places.append(try await job.places()) }
        #expect(places == [[], [1], [2, 1]])
    }

    @Test func aRequestThatIsCancelledLeavesTheLineAtOnce() async throws {
        let gate = EngineGate(depth: 8, runningLimit: 1)
        let jobs = try (1...2).map { try job($0) }
        for job in jobs { _ = try gate.admit(job.request) }
        gate.cancel(jobs[0].request)
        var last: CompletionEvent?
        for try await event in jobs[0].events { last = event }
        guard case .completed(let summary) = last else {
            Issue.record("\(String(describing: last))")
            return
        }
        #expect(summary.finish == .cancelled)
        #expect(gate.next(for: nil)?.id == 2)
        gate.cancel(jobs[1].request)
        #expect(jobs[1].request.isCancelled)
    }

    @Test func theEndCancelsEverythingAndWaitsForIt() async throws {
        let gate = EngineGate(depth: 8, runningLimit: 1)
        let jobs = try (1...2).map { try job($0) }
        for job in jobs { _ = try gate.admit(job.request) }
        _ = gate.next(for: nil)
        gate.close()
        #expect(throws: AssistantError.self) { try gate.admit(job(3).request) }
        gate.cancelAll()
        #expect(jobs[0].request.isCancelled)
        _ = try await jobs[1].places()
        gate.isDone(jobs[0].request)
        async let idle: Void = gate.idle()
        #expect(gate.sleep())
        await idle
    }

    @Test func picturesStandInALineOfTheirOwn() async throws {
        let gate = EngineGate(depth: 1, runningLimit: 2)
        let painter = ScriptedPainter()
        func pictures(_ id: UInt64) throws -> (PictureJob, PictureJob.Stream) {
            let (events, continuation) = AsyncThrowingStream.makeStream(of: PaintingEvent.self)
            let plan = try PicturePlan(
                PictureRequest(prompt: "p"), model: ModelFile(name: "p", path: "/p", kind: .picture),
                info: painter.info, catalog: ModelCatalog(directories: [], defaultModel: nil), seed: 1)
            return (PictureJob(id: id, lane: "a", plan: plan, continuation: continuation), events)
        }
        let jobs = try (1...3).map { try pictures($0) }
        #expect(try gate.admit(jobs[0].0))
        #expect(gate.nextPicture() === jobs[0].0)
        #expect(try !gate.admit(jobs[1].0))
        // One is painted at a time, one waits, and there is no room for more.
        #expect(gate.nextPicture() == nil)
        let error = #expect(throws: AssistantError.self) { try gate.admit(jobs[2].0) }
        #expect(error?.code == .queueFull)
        // Questions pass.
        let question = try job(4)
        _ = try gate.admit(question.request)
        #expect(gate.waiting(above: nil, where: { _ in true }).hasAnswers)
        #expect(gate.next(for: nil)?.id == 4)
        gate.cancel(jobs[1].0)
        gate.isDone(jobs[0].0)
        gate.isDone(question.request)
        #expect(!gate.waiting(above: nil, where: { _ in true }).hasAnswers)
        #expect(gate.sleep())
        var events: [PaintingEvent] = []
        for try await event in jobs[1].1 { events.append(event) }
        guard case .queued(ahead: 1) = events.first, case .completed(let completed) = events.last else {
            Issue.record("\(events)")
            return
        }
        #expect(completed.finish == .cancelled)
    }
}
