import AssistantAPI
import Foundation
import Terminal

/// Inkling's own way: one canvas, whose text is put with every key and whose events are read from one stream.
actor CanvasPipeline: Pipeline {
    private let client: DaemonClient
    /// Of the canvas on the daemon.
    let path: String
    private var reader: Task<Void, any Error>?
    private var newest = Canvas.Prompt()
    private var lastKey = ContinuousClock.now
    private(set) var stages: [CanvasStage] = []
    private var ledger = StepLedger()
    private(set) var frames = 0
    /// Milliseconds from a text to the news that the better stage of the one before was stopped.
    private(set) var stops: [Double] = []
    private var first: (time: Double, frame: CanvasEvent.Frame)?
    private var settled: Double?
    private var failure: (any Error)?
    private var waiter: CheckedContinuation<Void, Never>?

    init(_ client: DaemonClient, _ wanted: Wanted) async throws {
        self.client = client
        let draft = CanvasDraft(settings: wanted.settings)
        let body = try Wire.encoder().encode(draft)
        let answer = try await client.transport.send(.init("POST", Self.root, body: body))
        path = Self.root + "/" + (try Wire.decoder().decode(Canvas.self, from: answer)).id
        startReading()
    }

    /// What a canvas with these settings renders, once its model is measured.
    static func stages(_ client: DaemonClient, _ wanted: Wanted) async throws -> [CanvasStage] {
        let pipeline = try await CanvasPipeline(client, wanted)
        await pipeline.type("a fox", revision: 1)
        _ = try await pipeline.finish()
        return await pipeline.stages
    }

    private static let root = "/inkling/v1/canvases"
    /// A frame in base64.
    private static let eventLimit = 64 << 20

    private func startReading() {
        reader = Task { [client, path] in
            do {
                try await client.transport.stream(
                    .init("GET", path + "/events"), eventLimit: Self.eventLimit
                ) { event in
                    guard let event = try CanvasEvent(name: event.name, data: Data(event.data.utf8))
                    else { return }
                    await self.take(event)
                }
            } catch {
                self.fail(error)
            }
        }
    }

    // MARK: - Keys

    func type(_ text: String, revision: Int) {
        newest = .init(text: text, revision: revision)
        (lastKey, first, settled) = (.now, nil, nil)
        // Revisions put them in order, so the next key need not wait.
        Task { [client, path, newest] in
            do {
                let body = try Wire.encoder().encode(newest)
                _ = try await client.transport.send(.init("PUT", path + "/prompt", body: body))
            } catch {
                self.fail(error)
            }
        }
    }

    func finish() async throws -> Outcome {
        let outcome = try await waitUntilSettled()
        reader?.cancel()
        _ = try await client.transport.send(.init("DELETE", path))
        return outcome
    }

    /// Waits for the settled picture of the newest text.
    func waitUntilSettled() async throws -> Outcome {
        await withCheckedContinuation { continuation in
            waiter = continuation
            wakeIfDone()
        }
        if let failure { throw failure }
        guard let first, let settled else { throw ClientError.connectionLost }
        return Outcome(
            firstFrame: first.time, settled: settled, width: first.frame.width, steps: first.frame.step,
            frames: frames, ledger: ledger)
    }

    // MARK: - Events

    private func take(_ event: CanvasEvent) {
        switch event {
        case .canvas(let canvas): stages = canvas.stages
        case .frame(let frame): take(frame)
        case .superseded(let superseded):
            ledger.add(superseded.step, share: share(of: superseded.stage), isWasted: true)
            if superseded.stage != .draft { stops.append((ContinuousClock.now - lastKey).milliseconds) }
        case .failed(let failed): fail(failed.error)
        default: break
        }
        wakeIfDone()
    }

    private func take(_ frame: CanvasEvent.Frame) {
        frames += 1
        let isNewest = frame.revision == newest.revision
        ledger.add(frame.step, share: share(of: frame.stage), isWasted: !isNewest)
        guard isNewest else { return }
        let time = (ContinuousClock.now - lastKey).milliseconds
        if first == nil, min(frame.width, frame.height) >= Outcome.smallestFrame { first = (time, frame) }
        if frame.isSettled, settled == nil { settled = time }
    }

    /// A stage's pixels as a share of the settled picture's.
    private func share(of name: CanvasStage.Name) -> Double {
        guard let stage = stages.first(where: { $0.name == name }), let last = stages.last else { return 1 }
        return Double(stage.width * stage.height) / Double(last.width * last.height)
    }

    private func fail(_ error: any Error) {
        if failure == nil, !Task.isCancelled { failure = error }
        wakeIfDone()
    }

    private func wakeIfDone() {
        guard settled != nil || failure != nil else { return }
        waiter?.resume()
        waiter = nil
    }
}
