import ArgumentParser
import AssistantAPI
import Foundation
import Terminal

/// How an answer and a canvas share the processor: an answer alone, and one while pictures are painted; and how soon a
/// picture on its way is stopped by a newer text.
struct Share: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "An answer beside a canvas.")

    @OptionGroup var daemon: DaemonOptions

    @Option(help: "The picture model; the daemon's default where none is named.")
    var model: String?

    @Option(help: "Width and height of the settled picture; the model's own where none is named.")
    var size: Int?

    @Option(help: "Answers alone, and as many beside the canvas.")
    var rounds = 3

    @Option(help: "Tokens of each answer.")
    var tokens = 200

    @Option(help: "Pictures that are stopped.")
    var stops = 12

    private struct Report: Encodable {
        /// Of answers alone and beside the canvas: tokens a second (median of the rounds), and the time between two
        /// tokens that 95 of 100 don't exceed, in milliseconds.
        var aloneRate: Double
        var besideRate: Double
        var aloneGapP95: Double
        var besideGapP95: Double
        /// Frames that were shown beside the answers.
        var frames: Int
        /// Milliseconds from a newer text to the news that the better stage of the one before was stopped.
        var stops: [Double]
    }

    func run() async throws {
        let client = daemon.client
        let canvas = try await CanvasPipeline(client, Wanted(model: model, size: size))
        await canvas.type(Prompt.corpus[0].text, revision: 1)
        _ = try await canvas.waitUntilSettled()
        _ = try await answer()
        var (alone, beside): ([Answer], [Answer]) = ([], [])
        var revision = 1
        for round in 0..<rounds {
            for isAlone in round % 2 == 0 ? [true, false] : [false, true] {
                if isAlone {
                    alone.append(try await answer())
                } else {
                    beside.append(try await answer(beside: canvas, &revision))
                }
            }
        }
        let frames = await canvas.frames
        let stops = try await stop(on: canvas, &revision)
        _ = try await canvas.finish()
        try printJSON(
            Report(
                aloneRate: alone.map(\.rate).quantile(0.5), besideRate: beside.map(\.rate).quantile(0.5),
                aloneGapP95: alone.flatMap(\.gaps).quantile(0.95),
                besideGapP95: beside.flatMap(\.gaps).quantile(0.95), frames: frames, stops: stops))
    }

    // MARK: - Answers

    private struct Answer: Sendable {
        /// Milliseconds between two tokens.
        var gaps: [Double] = []
        var rate: Double { 1000 * Double(gaps.count) / gaps.reduce(0, +) }
    }

    /// One answer of the default chat model, which may not end before its last token.
    private func answer() async throws -> Answer {
        let client = daemon.client
        let conversation = try await client.create(ConversationDraft(isPrivate: true))
        var draft = MessageDraft(content: "Count from one to a thousand in words, one number to a line.")
        var settings = GenerationSettings()
        (settings.maxTokens, settings.temperature) = (tokens, 0)
        draft.settings = settings
        let arrivals = Arrivals()
        try await client.send(draft, to: conversation.id) { event in
            switch event {
            case .token: await arrivals.token()
            case .failed(let failure): throw failure.error
            default: break
            }
        }
        _ = try await client.delete(conversation.id, now: true)
        return await Answer(gaps: arrivals.gaps)
    }

    private actor Arrivals {
        private(set) var gaps: [Double] = []
        private var last: ContinuousClock.Instant?

        func token() {
            let now = ContinuousClock.now
            if let last { gaps.append((now - last).milliseconds) }
            last = now
        }
    }

    // MARK: - The canvas

    /// One answer while the canvas paints one text after the other.
    private func answer(beside canvas: CanvasPipeline, _ revision: inout Int) async throws -> Answer {
        let first = revision
        let painter = Task {
            var revision = first
            while !Task.isCancelled {
                revision += 1
                await canvas.type(Self.text(revision), revision: revision)
                _ = try await canvas.waitUntilSettled()
            }
            return revision
        }
        defer { painter.cancel() }
        let answer = try await answer()
        painter.cancel()
        revision = try await painter.value
        return answer
    }

    /// Types each text while a better stage of the one before is painted, where the model has such stages.
    private func stop(on canvas: CanvasPipeline, _ revision: inout Int) async throws -> [Double] {
        let before = await canvas.stops.count
        let draft = await canvas.stages.first?.expected ?? 0
        for _ in 0...stops {
            revision += 1
            await canvas.type(Self.text(revision), revision: revision)
            // The draft, the longest pause before a better stage, and well into that stage.
            try await Task.sleep(for: .milliseconds(draft * 1.5 + 900))
        }
        return Array(await canvas.stops.dropFirst(before))
    }

    private static func text(_ revision: Int) -> String {
        Prompt.corpus[revision % Prompt.corpus.count].text + " \(revision)"
    }
}
