import ArgumentParser
import AssistantAPI
import Terminal

/// `inkling quantize`.
struct QuantizeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quantize", abstract: "Make a smaller, faster model of one in F32, F16 or BF16.",
        discussion: """
            The source is a GGUF file, or a Hugging Face directory (config.json, safetensors, tokenizer). The file is the \
            one that llama-quantize makes without an importance matrix. It goes to the models' folder, under the source's \
            name and the type, unless --name or --output says otherwise.

            Types, from the largest: Q8_0 (8.5 bits a weight, hardly distinguishable from F16), Q6_K (6.6), \
            Q4_K_M (about 4.9, the usual choice), Q4_0 (4.5).

            Examples:
              inkling quantize ~/Downloads/Llama-3.2-1B-Instruct Q4_K_M
              inkling quantize model-f16.gguf q8_0 -o model-q8_0.gguf
            """)

    @Argument(help: "A model's name, or the path of its file or folder.")
    var source: String
    @Argument(help: ArgumentHelp("Q8_0, Q6_K, Q4_K_M or Q4_0.", valueName: "type"))
    var type = "Q4_K_M"
    @Option(name: .shortAndLong, help: ArgumentHelp("A new file, such as model.gguf.", valueName: "file"))
    var output: String?
    @Option(help: "The new model's name, in the models' folder.")
    var name: String?
    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        if output != nil, name != nil {
            throw ValidationError("--output and --name both say where the model goes; give one of them")
        }
    }

    func run() async throws {
        let daemon = try Daemon()
        let request = QuantizeRequest(
            source: try ModelText.absolute(source), type: type, name: name,
            output: try output.map { path throws(ClientError) in try ModelText.newFile(path) })
        let printer = QuantizationPrinter(isJSON: json, environment: daemon.environment)
        try await HistoryCommand.withDaemon { client in
            do {
                try await client.quantize(request) { try await printer.receive($0) }
            } catch {
                await printer.end()
                throw error
            }
        }
    }
}
