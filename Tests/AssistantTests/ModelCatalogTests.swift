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

    @Test func whatCameWithTheProgramIsFoundLastAndPaintsByDefault() throws {
        try withModels([
            "mine/a-model/model_index.json", "share/inkling-scenes/model_index.json",
            "share/a-model/model_index.json",
        ]) { folder in
            let (mine, shipped) = (folder + "/mine", [folder + "/nowhere", folder + "/share"])
            let catalog = ModelCatalog(directories: [mine], shipped: shipped, defaultModel: nil)
            #expect(catalog.models().map(\.name) == ["a-model", "inkling-scenes"])
            let paths = try ["a-model", nil].map { try catalog.resolve($0, kind: .picture).path }
            #expect(paths == [mine + "/a-model", folder + "/share/inkling-scenes"])
            let alone = ModelCatalog(directories: [mine], defaultModel: nil)
            #expect(try alone.resolve(nil, kind: .picture).name == "a-model")
            let chosen = ModelCatalog(
                directories: [mine], shipped: shipped, defaultModel: nil, defaultPictureModel: "a-model")
            #expect(try chosen.resolve(nil, kind: .picture).name == "a-model")
        }
    }

    /// The beginning of a safetensors file whose header names one tensor.
    private func weights(_ tensor: String) -> Data {
        let header = Data(#"{"\#(tensor)":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}"#.utf8)
        return Data((0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }) + header
            + Data([0, 0])
    }

    @Test func modelsThatPaintAreToldFromThoseThatAnswerByTheirContents() throws {
        try withModels([
            "sd-turbo/model_index.json", "sd-turbo/unet/config.json", "Llama/config.json",
            "Llama/model.safetensors", "taesd/config.json", "taesd/model.safetensors", "llm.gguf",
        ]) { folder in
            func write(_ data: Data, _ name: String) throws {
                try data.write(to: URL(filePath: "\(folder)/\(name)"))
            }
            try write(weights("model.diffusion_model.input_blocks.0.0.weight"), "dream.safetensors")
            try write(weights("lora_unet_down_blocks_0.alpha"), "ink.safetensors")
            try write(Data("short".utf8), "broken.safetensors")
            try write(Data(#"{"_class_name": "AutoencoderTiny"}"#.utf8), "taesd/config.json")
            let catalog = ModelCatalog(directories: [folder], defaultModel: nil)
            #expect(catalog.models().map(\.name) == ["Llama", "dream", "llm", "sd-turbo"])
            #expect(catalog.models().map(\.kind) == [.chat, .picture, .chat, .picture])
            #expect(try catalog.resolve(nil).name == "Llama")
            #expect(try catalog.resolve(nil, kind: .picture).name == "dream")
            #expect(try catalog.resolve("SD-Turbo", kind: .picture).path == folder + "/sd-turbo")
            #expect(try catalog.resolve("dream.safetensors", kind: .picture).name == "dream")
            let path = folder + "/ink.safetensors"
            #expect(throws: AssistantError.self) { try catalog.resolve(path, kind: .picture) }
            for (name, kind) in [("dream", ModelSummary.Kind.chat), ("llm", .picture)] {
                let error = #expect(throws: AssistantError.self) { try catalog.resolve(name, kind: kind) }
                #expect(error?.code == .invalidRequest && error?.parameter == "model")
            }
            #expect(try catalog.resolveAny("dream").kind == .picture)
            #expect(try catalog.resolveAny("llm").kind == .chat)
            #expect(throws: AssistantError.self) { try catalog.resolveAny("none") }
            // What a file holds is looked at again when it changed.
            try write(weights("model.diffusion_model.x.weight") + Data([1]), "ink.safetensors")
            #expect(catalog.models().contains { $0.name == "ink" })
            let elsewhere = ModelCatalog(
                directories: [folder + "/sd-turbo"], defaultModel: nil,
                defaultPictureModel: folder + "/dream.safetensors")
            #expect(try elsewhere.resolve(nil, kind: .picture).path == folder + "/dream.safetensors")
            #expect(elsewhere.models().map(\.kind) == [.picture])
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
