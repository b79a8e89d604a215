import AssistantAPI
import FoundationEssentials
import ModelHub
import Testing

@testable import Assistant

struct KnownModelsTests {
    /// The file that comes with the program.
    private static let known = KnownModels(files: [
        "/nowhere",
        #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/Config/models.json",
    ])

    @Test func everyEntryCanBePulledAndIsComplete() {
        #expect(Self.known.models.count > 10)
        #expect(Set(Self.known.models.map(\.name)).count == Self.known.models.count)
        for model in Self.known.models {
            #expect(HubReference(model.model) != nil, "\(model.name)")
            // A short name must not look like a repository.
            #expect(HubReference(model.name) == nil && ModelCatalog.isAlias(model.name))
            #expect(model.bytes > 1_000_000 && model.memory > model.bytes && model.memory < model.bytes * 3)
            #expect(!model.licence.isEmpty && model.about.hasSuffix("."))
        }
    }

    @Test func shortNamesStandForRepositories() {
        let known = Self.known
        #expect(known.reference(of: "LLAMA3.2:1b")?.hasSuffix("Llama-3.2-1B-Instruct-GGUF:Q4_K_M") == true)
        #expect(known.reference(of: "llama3.2:latest") == known.reference(of: "llama3.2:1b"))
        #expect(known.reference(of: "sd-turbo:latest") == "stabilityai/sd-turbo")
        for name in ["none", "llama3.2:9b", "owner/llama3.2", ""] {
            #expect(known.reference(of: name) == nil)
        }
        #expect(KnownModels(files: ["/nowhere"]).models.isEmpty)
    }
}
