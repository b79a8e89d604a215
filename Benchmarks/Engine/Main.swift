import ArgumentParser
import FoundationEssentials
import Tensors

/// Measures the Llama engine on one model and prints the result as JSON.
@main
struct EngineBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inkling-bench",
        abstract: "Measures loading, prefill, decode and memory of the Llama engine on one model.")

    @Option(name: .shortAndLong, help: "The model: a GGUF or safetensors file, or a Hugging Face directory.")
    var model: String

    @Option(name: .shortAndLong, help: "Worker threads.")
    var threads = 2

    @Option(name: .shortAndLong, help: "Tokens of the prompt that prefill is measured with; 0 leaves it out.")
    var prompt = 128

    @Option(name: .shortAndLong, help: "Tokens that decode is measured with; 0 leaves it out.")
    var generate = 48

    @Option(help: "Tokens that are in the cache already before each measurement.")
    var depth = 0

    @Option(help: "New tokens behind a cached prompt, for the time to a warm first token.")
    var turn = 16

    @Option(name: .shortAndLong, help: "Times that each measurement is taken, after one to warm up.")
    var repetitions = 3

    @Option(help: "Precision of the KV cache: f16 or q8_0.")
    var cache = "f16"

    @Option(help: "Instruction set: best, or a lower one that the machine has (scalar, avx2, avx512, neon).")
    var instructions = "best"

    func validate() throws {
        guard (1...256).contains(threads) else { throw ValidationError("--threads is 1 to 256.") }
        guard (1...1000).contains(repetitions) else { throw ValidationError("--repetitions is 1 to 1000.") }
        guard (0...131_072).contains(prompt), (0...131_072).contains(generate), (0...131_072).contains(depth),
            (1...131_072).contains(turn)
        else { throw ValidationError("Token counts are 0 to 131072, and --turn 1 or more.") }
        guard instructions == "best" || instructionSet != nil else {
            throw ValidationError("--instructions is best, scalar, avx2, avx512 or neon.")
        }
        guard ["f16", "q8_0"].contains(cache) else { throw ValidationError("--cache is f16 or q8_0.") }
    }

    /// The instruction set of that name; nil for the widest that the machine has.
    var instructionSet: Operations.InstructionSet? {
        Operations.InstructionSet.allCases.first { "\($0)" == instructions }
    }

    func run() throws {
        var measurement = Measurement(self)
        let report = try measurement.run()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(report), as: UTF8.self))
    }
}
