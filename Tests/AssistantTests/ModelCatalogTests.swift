import AssistantAPI
import FoundationEssentials
import Testing

@testable import Assistant

struct ModelCatalogTests {
    private func withModels(_ files: [String], _ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.path + "/inkling-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for file in files {
            let path = folder + "/" + file
            let parent = path.split(separator: "/").dropLast().joined(separator: "/")
            try FileManager.default.createDirectory(atPath: "/" + parent, withIntermediateDirectories: true)
            try Data("x".utf8).write(to: URL(filePath: path))
        }
        try body(folder)
    }

    @Test func filesAndDirectoriesAreFoundByName() throws {
        try withModels([
            "SmolLM2-135M-Instruct.Q4_1.gguf", "notes.txt", ".hidden.gguf", "Big-00001-of-00002.gguf",
            "Big-00002-of-00002.gguf", "Llama-3.2-1B/config.json", "Llama-3.2-1B/model.safetensors",
            "Empty/config.json",
        ]) { folder in
            let catalog = ModelCatalog(directories: [folder], defaultModel: "SmolLM2-135M-Instruct")
            #expect(catalog.models().map(\.name) == ["Big", "Llama-3.2-1B", "SmolLM2-135M-Instruct.Q4_1"])
            let requests = [nil, "llama-3.2-1b", "smollm2-135m-instruct.q4_1.GGUF", "big"]
            let names = try requests.map { try catalog.resolve($0).name }
            #expect(
                names == ["SmolLM2-135M-Instruct.Q4_1", "Llama-3.2-1B", "SmolLM2-135M-Instruct.Q4_1", "Big"])
            let big = try catalog.resolve("Big")
            #expect(big.path == folder + "/Big-00001-of-00002.gguf")
        }
    }

    @Test func absolutePathsAreAccepted() throws {
        try withModels(["a/one.gguf", "b/two.gguf"]) { folder in
            let catalog = ModelCatalog(directories: [folder + "/a"], defaultModel: nil)
            let known = try catalog.resolve(folder + "/a/one.gguf")
            #expect(known.name == "one")
            let other = try catalog.resolve(folder + "/b/two.gguf")
            #expect(other.name == folder + "/b/two.gguf")
            #expect(throws: AssistantError.self) { try catalog.resolve(folder + "/b/none.gguf") }
            #expect(throws: AssistantError.self) { try catalog.resolve("/dev/zero") }
        }
    }

    @Test func anUnknownNameIsAnsweredWithTheNearest() throws {
        try withModels(["Llama-3.2-1B.gguf", "SmolLM2.gguf"]) { folder in
            let catalog = ModelCatalog(directories: [folder], defaultModel: nil)
            let error = #expect(throws: AssistantError.self) { try catalog.resolve("smollm3") }
            #expect(error?.code == .modelNotFound)
            #expect(error?.parameter == "model")
            #expect(error?.message.contains("Did you mean SmolLM2?") == true)
            #expect(error?.message.contains("Llama-3.2-1B") == true)
        }
    }

    @Test func withoutAnyModelTheErrorSaysWhereToPutOne() throws {
        try withModels([]) { folder in
            let error = #expect(throws: AssistantError.self) {
                try ModelCatalog(directories: [folder], defaultModel: nil).resolve(nil)
            }
            #expect(error?.message.contains(folder) == true)
        }
    }

    @Test func theWeightsTypeIsNoPartOfTheName() {
        #expect(ModelCatalog.withoutQuantization("llama-3.2-1b-instruct-q4_k_m") == "llama-3.2-1b-instruct")
        #expect(ModelCatalog.withoutQuantization("a.iq4_xs") == "a")
        #expect(ModelCatalog.withoutQuantization("a-f16") == "a")
        #expect(ModelCatalog.withoutQuantization("llama-3.2-1b") == "llama-3.2-1b")
        #expect(ModelCatalog.withoutQuantization("two-queens") == "two-queens")
    }

    @Test func distancesCountEdits() {
        #expect(ModelCatalog.distance("kitten", "sitting") == 3)
        #expect(ModelCatalog.distance("", "abc") == 3)
        #expect(ModelCatalog.distance("Same", "same") == 0)
    }
}
