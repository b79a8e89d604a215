import AssistantAPI
import FoundationEssentials
import Settings
import Testing

@testable import Assistant

struct ModelManagementTests {
    private func exists(_ tiny: TinyAssistant, _ name: String) -> Bool {
        FileManager.default.fileExists(atPath: tiny.folder + "/inkling/models/" + name)
    }

    private func code(_ body: () async throws -> Void) async -> AssistantError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? AssistantError)?.code
        }
    }

    @Test func anAliasIsANameLikeAnyOther() async throws {
        let tiny = try TinyAssistant()
        try await tiny.assistant.copy(ModelAlias(source: "TINY", destination: "team/fast:v1"))
        let names = await tiny.assistant.models().map(\.id)
        #expect(names == ["tiny", "team/fast:v1"])
        #expect(await tiny.assistant.models().last?.aliasOf == "tiny")
        let request = TinyAssistant.request(.text("Hi"), tokens: 3, model: "Team/Fast:v1")
        #expect(try await tiny.complete(request).tokens.count == 3)
        // It is the same model: nothing is loaded twice.
        #expect(tiny.assistant.memory().models.map(\.id) == ["tiny"])
        #expect(await tiny.assistant.models().map(\.state) == [.loaded, .loaded])
        #expect(try await tiny.assistant.description(of: "team/fast:v1").aliases == ["team/fast:v1"])
        let gone = try await tiny.assistant.delete("team/fast:v1")
        #expect(gone == DeletedModel(name: "team/fast:v1") && exists(tiny, "tiny.gguf"))
        #expect(await tiny.assistant.models().map(\.id) == ["tiny"])
    }

    @Test func aliasesThatWouldConfuseAreRefused() async throws {
        let tiny = try TinyAssistant(names: ["tiny", "other"])
        for name in ["", "/x", "../x", ".x", "a//b", "a\nb", String(repeating: "x", count: 200)] {
            let alias = ModelAlias(source: "tiny", destination: name)
            #expect(await code { try await tiny.assistant.copy(alias) } == .invalidRequest, "\(name)")
        }
        let taken = ModelAlias(source: "tiny", destination: "Other:latest")
        #expect(await code { try await tiny.assistant.copy(taken) } == .conflict)
        let none = ModelAlias(source: "none", destination: "x")
        #expect(await code { try await tiny.assistant.copy(none) } == .modelNotFound)
        // What an alias means may be changed.
        try await tiny.assistant.copy(ModelAlias(source: "tiny", destination: "x"))
        try await tiny.assistant.copy(ModelAlias(source: "other", destination: "x"))
        #expect(try await tiny.assistant.description(of: "x").model.id == "other")
    }

    @Test func aDeletedModelLeavesTheMemoryAndTheDisk() async throws {
        let tiny = try TinyAssistant(names: ["tiny", "other"])
        _ = try await tiny.complete(TinyAssistant.request(.text("Hi"), tokens: 2, model: "other"))
        try await tiny.assistant.copy(ModelAlias(source: "other", destination: "second"))
        let deleted = try await tiny.assistant.delete("other")
        #expect(deleted.name == "other" && deleted.bytes > 1000 && !exists(tiny, "other.gguf"))
        #expect(tiny.assistant.memory().models.isEmpty)
        #expect(await tiny.assistant.models().map(\.id) == ["tiny"])
        #expect(await code { _ = try await tiny.assistant.delete("other") } == .modelNotFound)
        #expect(await code { _ = try await tiny.assistant.delete("second") } == .modelNotFound)
    }

    @Test func anAnswerOnItsWayOutlivesItsModelsFile() async throws {
        let tiny = try TinyAssistant(contextLength: 100_000)
        var running = try await tiny.startEndless()
        _ = try await tiny.assistant.delete("tiny")
        #expect(!exists(tiny, "tiny.gguf"))
        #expect(try await running.events.next() != nil)
    }

    @Test func allPartsOfASplitModelGoAndNoOthers() async throws {
        let tiny = try TinyAssistant()
        let folder = tiny.folder + "/inkling/models/"
        for name in [
            "big-00001-of-00002", "big-00002-of-00002", "big-00001-of-00003", "bigger-00001-of-00002",
        ] {
            try Data("GGUF".utf8).write(to: URL(filePath: folder + name + ".gguf"))
        }
        try FileManager.default.removeItem(atPath: folder + "big-00001-of-00003.gguf")
        #expect(try await tiny.assistant.delete("big").bytes == 8)
        #expect(!exists(tiny, "big-00002-of-00002.gguf") && exists(tiny, "bigger-00001-of-00002.gguf"))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == [
                "bigger-00001-of-00002.gguf", "tiny.gguf",
            ])
    }

    @Test func whatLiesElsewhereIsNotDeleted() async throws {
        let elsewhere = FileManager.default.temporaryDirectory.path + "/inkling-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: elsewhere) }
        try TinyModel.write(to: elsewhere, name: "far", contextLength: 64)
        let tiny = try TinyAssistant(configure: { $0.models.directories = [elsewhere] })
        #expect(await tiny.assistant.models().map(\.source) == [.configured, .inkling])
        for name in ["far", elsewhere + "/far.gguf", "/etc/passwd", elsewhere + "/../x"] {
            #expect(await code { _ = try await tiny.assistant.delete(name) } != nil)
        }
        #expect(FileManager.default.fileExists(atPath: elsewhere + "/far.gguf"))
        // A link in our folder goes; what it leads to stays.
        try FileManager.default.createSymbolicLink(
            atPath: tiny.folder + "/inkling/models/linked.gguf",
            withDestinationPath: elsewhere + "/far.gguf")
        #expect(try await tiny.assistant.delete("linked").bytes == 0)
        #expect(FileManager.default.fileExists(atPath: elsewhere + "/far.gguf"))
        #expect(!exists(tiny, "linked.gguf"))
    }
}
