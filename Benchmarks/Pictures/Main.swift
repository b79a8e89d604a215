import ArgumentParser
import FoundationEssentials
import Tensors

/// Measures the parts of a picture model at one size and prints the result as JSON.
@main
struct PictureBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inkling-bench-pictures",
        abstract: "Measures text encoder, network step, decoders and memory of one picture model.")

    @Option(name: .shortAndLong, help: "The model: a diffusers directory or a checkpoint in one file.")
    var model: String

    @Option(help: "An AutoencoderTiny, for the tiny decoder.")
    var tiny: String?

    @Option(name: .shortAndLong, help: "Width and height in pixels.")
    var size = 512

    @Option(name: .shortAndLong, help: "Worker threads.")
    var threads = 2

    @Option(help: "What to measure, separated by commas: text, step, decode, tiny.")
    var stages = "text,step,decode,tiny"

    @Flag(help: "Also measure what is saved by going on from earlier renders.")
    var reuse = false

    @Option(name: .shortAndLong, help: "Times that each measurement is taken, after one to warm up.")
    var repetitions = 3

    @Option(help: "Instruction set: best, or a lower one that the machine has (scalar, avx2, avx512, neon).")
    var instructions = "best"

    func validate() throws {
        guard (1...256).contains(threads) else { throw ValidationError("--threads is 1 to 256.") }
        guard (1...1000).contains(repetitions) else { throw ValidationError("--repetitions is 1 to 1000.") }
        guard (8...8192).contains(size) else { throw ValidationError("--size is 8 to 8192.") }
        guard instructions == "best" || instructionSet != nil else {
            throw ValidationError("--instructions is best, scalar, avx2, avx512 or neon.")
        }
        for name in stages.split(separator: ",") where Stage(rawValue: String(name)) == nil {
            throw ValidationError("--stages has text, step, decode and tiny, not \(name).")
        }
    }

    /// The parts that are asked for.
    var chosenStages: [Stage] {
        stages.split(separator: ",").compactMap { Stage(rawValue: String($0)) }
    }

    /// The instruction set of that name; nil for the widest that the machine has.
    var instructionSet: Operations.InstructionSet? {
        Operations.InstructionSet.allCases.first { "\($0)" == instructions }
    }

    func run() throws {
        let report = try Measurement(self).run()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(report), as: UTF8.self))
    }
}

/// A part of the work on one picture.
enum Stage: String {
    /// The text encoder, for one prompt.
    case text
    /// One step of the network, without guidance.
    case step
    /// The full decoder.
    case decode
    /// The tiny decoder.
    case tiny
}
