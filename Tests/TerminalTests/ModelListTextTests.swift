import AssistantAPI
import FoundationEssentials
import Testing

@testable import Terminal

struct ModelListTextTests {
    private static let details = ModelSummary.Details(
        architecture: "llama", parameterCount: 1_240_000_000, contextLength: 131_072, vocabularySize: 128_256,
        hiddenSize: 2048, layerCount: 16, quantization: "Q4_K")

    private static func model(
        _ id: String, source: ModelSummary.Source? = .inkling, aliasOf: String? = nil,
        state: ModelSummary.State = .unloaded, details: ModelSummary.Details? = details
    ) -> ModelSummary {
        ModelSummary(
            id: id, path: "/m/" + id, state: state, bytes: 808_000_000, details: details, source: source,
            aliasOf: aliasOf)
    }

    @Test func columnsAreAlignedAndNothingCommandsTheTerminal() {
        let lines = ModelListText.table([
            Self.model("a-long-name", state: .loaded),
            Self.model("b\u{1B}[2J", source: .ollama, details: nil),
            Self.model("quick", aliasOf: "a-long-name"),
        ]).split(separator: "\n")
        #expect(lines[0] == "NAME         KIND  SIZE    FORM                  WHERE")
        #expect(lines[1] == "a-long-name  chat  808 MB  Q4_K, context 131072  inkling, loaded")
        #expect(lines[2].hasSuffix("808 MB  cannot be read        Ollama") && !lines[2].contains("\u{1B}"))
        #expect(lines[3].hasSuffix("is a-long-name"))
    }

    @Test func allThatIsKnownIsTold() {
        let text = ModelListText.facts(
            ModelDescription(
                model: Self.model("a"), aliases: ["quick", "small"],
                origin: .init(
                    repository: "owner/a", revision: "0123456789abcdef",
                    pulledAt: .init(timeIntervalSince1970: 0),
                    files: [])))
        for line in [
            "name          a", "also called   quick, small", "parameters    1.24 billion",
            "context       131072 tokens",
            "pulled from   owner/a at 0123456789ab", "in memory     no", "belongs to    inkling",
        ] {
            #expect(text.split(separator: "\n").contains { $0 == line }, "\(line)")
        }
    }

    @Test func theCatalogueSaysWhatFits() {
        func model(_ name: String, fits: Bool, isHere: Bool) -> AvailableModel {
            AvailableModel(
                name: name, model: "a/b", role: .chat, bytes: 1_000_000_000, memory: 2_000_000_000,
                licence: "MIT",
                about: "x", fits: fits, isHere: isHere)
        }
        let lines = AvailableModelText.table(
            AvailableModels(
                budget: 3_000_000_000,
                models: [
                    model("one", fits: true, isHere: false), model("two", fits: false, isHere: false),
                    model("three", fits: true, isHere: true),
                ])
        ).split(separator: "\n")
        #expect(lines[1] == "one    chat  ~1.0 GB  ~2.0 GB  fits       MIT")
        #expect(lines[2].contains("  too large  ") && lines[3].contains("  here  "))
        #expect(lines[4].contains("budget is 3.0 GB"))
    }
}
