import AssistantAPI
import FoundationEssentials
import Testing

@testable import Assistant

/// Models that other programs keep, in folders as those leave them.
struct ForeignModelTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.path + "/inkling-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try body(folder)
    }

    private func write(_ text: String, _ path: String) throws {
        let folder = path[..<(path.lastIndex(of: "/") ?? path.endIndex)]
        try FileManager.default.createDirectory(
            atPath: String(folder), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    private static let digest = String(repeating: "ab", count: 32)

    private func manifest(_ digest: String, type: String = "application/vnd.ollama.image.model") -> String {
        #"{"schemaVersion":2,"layers":[{"mediaType":"application/vnd.ollama.image.template","digest":"sha256:x"},"#
            + #"{"mediaType":"\#(type)","digest":"\#(digest)","size":1}]}"#
    }

    @Test func whatOllamaPulledIsFoundByItsNames() throws {
        try withFolder { folder in
            try write("GGUF", "\(folder)/blobs/sha256-\(Self.digest)")
            let good = manifest("sha256:\(Self.digest)")
            let library = "\(folder)/manifests/registry.ollama.ai/library"
            try write(good, "\(library)/llama3.2/1b")
            try write(good, "\(library)/smollm/latest")
            try write(good, "\(folder)/manifests/registry.ollama.ai/me/mine/v2")
            try write(good, "\(folder)/manifests/hf.co/owner/Name/Q4_K_M")
            for (name, text) in [
                ("gone", manifest("sha256:" + String(repeating: "0", count: 64))), ("broken", "{"),
                ("hostile", manifest("sha256:../../../etc/passwd")),
                ("adapter", manifest("sha256:\(Self.digest)", type: "other")),
            ] {
                try write(text, "\(library)/\(name)/latest")
            }
            let catalog = ModelCatalog(
                directories: [], stores: [OllamaStore(folder: folder)], defaultModel: nil)
            #expect(
                catalog.models().map(\.name) == [
                    "hf.co/owner/Name:Q4_K_M", "llama3.2:1b", "me/mine:v2", "smollm",
                ])
            for name in [
                "llama3.2:1b", "Smollm:latest", "smollm", "hf.co/owner/name:q4_k_m", "owner/Name:Q4_K_M",
            ] {
                let model = try catalog.resolve(name)
                #expect(model.path == "\(folder)/blobs/sha256-\(Self.digest)", "\(name)")
                #expect(model.source == .ollama && model.kind == .chat)
            }
            #expect(try catalog.resolve("\(folder)/blobs/sha256-\(Self.digest)").source == .ollama)
        }
    }

    @Test func whatAHubsProgramsHadIsFoundByItsNames() throws {
        try withFolder { folder in
            func snapshot(_ repository: String, _ commit: String) -> String {
                "\(folder)/models--\(repository)/snapshots/\(commit)"
            }
            try write("{}", snapshot("owner--painter", "c1") + "/model_index.json")
            try write("c1\n", "\(folder)/models--owner--painter/refs/main")
            try write("{}", snapshot("owner--Llama", "c2") + "/config.json")
            try write("x", snapshot("owner--Llama", "c2") + "/model.safetensors")
            let quantized = snapshot("owner--Quant-GGUF", "c3")
            try write("GGUF", "\(folder)/models--owner--Quant-GGUF/blobs/b1")
            try write("x", quantized + "/README.md")
            try FileManager.default.createSymbolicLink(
                atPath: quantized + "/Quant-Q4_K_M.gguf", withDestinationPath: "../../blobs/b1")
            try FileManager.default.createSymbolicLink(
                atPath: quantized + "/Quant-Q8_0.gguf", withDestinationPath: "../../blobs/none")
            try write("x", "\(folder)/datasets--a--b/snapshots/c/config.json")
            let catalog = ModelCatalog(
                directories: [], stores: [HubCache(folder: folder)], defaultModel: nil)
            #expect(
                catalog.models().map(\.name) == [
                    "owner/Llama", "owner/Quant-GGUF:Q4_K_M", "owner/painter",
                ])
            #expect(
                try catalog.resolve("hf.co/owner/quant-gguf:q4_k_m").path == quantized + "/Quant-Q4_K_M.gguf")
            #expect(try catalog.resolve("owner/Quant-GGUF").name == "owner/Quant-GGUF:Q4_K_M")
            #expect(try catalog.resolve("owner/painter", kind: .picture).source == .huggingFace)
        }
    }

    @Test func ourOwnModelsComeFirst() throws {
        try withFolder { folder in
            try write("GGUF", "\(folder)/own/smollm.gguf")
            try write("GGUF", "\(folder)/store/blobs/sha256-\(Self.digest)")
            try write(
                manifest("sha256:\(Self.digest)"),
                "\(folder)/store/manifests/registry.ollama.ai/library/smollm/latest")
            let catalog = ModelCatalog(
                directories: [folder + "/own"], own: folder + "/own",
                stores: [OllamaStore(folder: folder + "/store")],
                defaultModel: nil)
            #expect(catalog.models().map(\.source) == [.inkling])
            #expect(try catalog.resolve("smollm:latest").source == .inkling)
        }
    }

    @Test func aTagMayBeTheTypeOfAFilesName() throws {
        try withFolder { folder in
            for name in ["a-Q4_0", "a.Q8_0", "b-Q4_K_M"] { try write("GGUF", "\(folder)/\(name).gguf") }
            let catalog = ModelCatalog(directories: [folder], defaultModel: nil)
            #expect(try catalog.resolve("a:q4_0").name == "a-Q4_0")
            #expect(try catalog.resolve("A:Q8_0").name == "a.Q8_0")
            #expect(try catalog.resolve("b:latest").name == "b-Q4_K_M")
            #expect(throws: AssistantError.self) { try catalog.resolve("b:Q8_0") }
        }
    }
}
