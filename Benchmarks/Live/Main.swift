import ArgumentParser
import AssistantAPI
import Foundation
import Terminal

/// Plays typing into a running daemon and prints what came of it as JSON.
@main
struct LiveBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inkling-bench-live",
        abstract: "Measures how soon pictures and answers follow a person's typing.",
        subcommands: [Pictures.self, Chat.self, Share.self, Flood.self])
}

/// The daemon that is measured.
struct DaemonOptions: ParsableArguments {
    @Option(help: "The daemon's socket.")
    var socket: String

    var client: DaemonClient { DaemonClient(socket: socket, patience: .seconds(600)) }
}

func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
}

/// Key to first frame and to settled picture, of the canvas and of two ways to do without one.
struct Pictures: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Pictures that follow the words.")

    @OptionGroup var daemon: DaemonOptions

    @Option(help: "The picture model; the daemon's default where none is named.")
    var model: String?

    @Option(help: "Width and height of the settled picture; the model's own where none is named.")
    var size: Int?

    @Option(help: "Steps of the settled picture; the model's own where none are named.")
    var steps: Int?

    @Option(help: "Decoder of the settled picture: full or tiny.")
    var decoder: String?

    @Option(help: "How fast is typed, in words (of five keys) a minute; separated by commas.")
    var wordsPerMinute = "40,70,110"

    @Option(help: "How many texts at each speed, 1 to 8.")
    var prompts = 4

    @Option(help: "Decides when each key is pressed, and which are wrong.")
    var seed: UInt64 = 1

    @Option(help: "What is measured, separated by commas: live, naive, debounce.")
    var pipelines = "live,naive,debounce"

    func validate() throws {
        guard (1...Prompt.corpus.count).contains(prompts) else {
            throw ValidationError("--prompts is 1 to \(Prompt.corpus.count).")
        }
        guard !speeds.isEmpty, speeds.allSatisfy((1...500).contains) else {
            throw ValidationError("--words-per-minute has numbers from 1 to 500.")
        }
        for name in pipelines.split(separator: ",") where Player.Kind(rawValue: String(name)) == nil {
            throw ValidationError("--pipelines has live, naive and debounce, not \(name).")
        }
    }

    private var speeds: [Int] { wordsPerMinute.split(separator: ",").compactMap { Int($0) } }

    private var traces: [TypingTrace] {
        speeds.flatMap { speed in
            Prompt.corpus.prefix(prompts).enumerated().map { index, prompt in
                TypingTrace(
                    prompt, wordsPerMinute: speed, seed: seed &* 1000 &+ UInt64(speed * 10 + index))
            }
        }
    }

    private struct Report: Encodable {
        var model: String
        var seed: UInt64
        var traces: [String]
        var stages: [CanvasStage]
        var pipelines: [PipelineReport]
    }

    func run() async throws {
        let wanted = Wanted(model: model, size: size, steps: steps, decoder: decoder)
        let player = Player(client: daemon.client, wanted: wanted)
        let kinds = pipelines.split(separator: ",").compactMap { Player.Kind(rawValue: String($0)) }
        // The model is loaded and measured before anything counts.
        let few = Prompt(text: "a fox", word: "fox", otherWord: "cat")
        for kind in kinds { _ = try await player.play(.init(few, wordsPerMinute: 500, seed: 0), into: kind) }
        var outcomes: [Player.Kind: [Outcome]] = [:]
        let traces = traces
        for (index, trace) in traces.enumerated() {
            // Who is first changes, so that what one leaves behind in caches falls on all.
            let turn = index % kinds.count
            for kind in kinds[turn...] + kinds[..<turn] {
                let outcome = try await player.play(trace, into: kind)
                outcomes[kind, default: []].append(outcome)
                note(trace, kind, outcome, "\(index + 1)/\(traces.count)")
            }
        }
        try printJSON(
            Report(
                model: model ?? "default", seed: seed, traces: traces.map(\.finalText),
                stages: try await CanvasPipeline.stages(daemon.client, wanted),
                pipelines: kinds.map { PipelineReport($0.rawValue, outcomes[$0] ?? []) }))
    }

    private func note(_ trace: TypingTrace, _ kind: Player.Kind, _ outcome: Outcome, _ place: String) {
        let text =
            "  \(place) \(trace.wordsPerMinute) wpm \(kind): first frame \(Int(outcome.firstFrame)) ms "
            + "(\(outcome.width) px, \(outcome.steps) steps), settled \(Int(outcome.settled)) ms, "
            + "\(outcome.frames) frames, \(outcome.ledger.wastedSteps) of \(outcome.ledger.steps) steps wasted\n"
        FileHandle.standardError.write(Data(text.utf8))
    }
}
