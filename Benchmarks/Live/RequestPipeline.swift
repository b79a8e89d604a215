import AssistantAPI
import Terminal

/// What people build from a picture server: a request for each text, with or without a debounce; nothing is cancelled.
actor RequestPipeline: Pipeline {
    private let client: DaemonClient
    private let wanted: Wanted
    /// How long nothing must be typed; nil renders every text.
    private let quiet: Duration?
    private var waiting: [String] = []
    private var newest = ""
    private var lastKey = ContinuousClock.now
    private var timer: Task<Void, any Error>?
    private var worker: Task<Void, any Error>?
    private var ledger = StepLedger()
    private var frames = 0
    private var firstFrame: Double?
    private var shown: (width: Int, steps: Int) = (0, 0)

    init(_ client: DaemonClient, _ wanted: Wanted, quiet: Duration?) {
        self.client = client
        self.wanted = wanted
        self.quiet = quiet
    }

    func type(_ text: String, revision: Int) {
        (newest, lastKey) = (text, .now)
        timer?.cancel()
        guard let quiet else { return add(text) }
        timer = Task {
            try await Task.sleep(for: quiet)
            add(text)
        }
    }

    func finish() async throws -> Outcome {
        while true {
            if let timer { try await timer.value }
            timer = nil
            guard let worker else { break }
            try await worker.value
            self.worker = nil
            if waiting.isEmpty { break }
        }
        let time = firstFrame ?? .infinity
        return Outcome(
            firstFrame: time, settled: time, width: shown.width, steps: shown.steps, frames: frames,
            ledger: ledger)
    }

    private func add(_ text: String) {
        if quiet != nil { waiting.removeAll() }
        waiting.append(text)
        let before = worker
        worker = Task {
            try await before?.value
            try await renderNext()
        }
    }

    private func renderNext() async throws {
        guard !waiting.isEmpty else { return }
        let text = waiting.removeFirst()
        var request = wanted.request
        request.prompt = text
        let rendered = Rendered()
        try await client.paint(request) { event in
            switch event {
            case .progress(let progress) where progress.stage == .denoise: await rendered.step()
            case .picture(let finished): await rendered.finish(finished.picture)
            case .failed(let failure): throw failure.error
            default: break
            }
        }
        let steps = await rendered.steps
        frames += 1
        ledger.add(steps, share: 1, isWasted: text != newest)
        if text == newest {
            firstFrame = (ContinuousClock.now - lastKey).milliseconds
            shown = (await rendered.width, steps)
        }
    }

    /// What the events of one request tell.
    private actor Rendered {
        private(set) var steps = 0
        private(set) var width = 0

        func step() { steps += 1 }
        func finish(_ picture: Picture) { width = picture.width }
    }
}
