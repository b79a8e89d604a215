import Testing

@testable import ModelHub

struct SelectionTests {
    /// A repository with files of these paths.
    private func repository(_ paths: [String]) -> RepositoryFiles {
        RepositoryFiles(
            repository: "owner/Name",
            files: paths.map {
                HubFile(path: $0, bytes: 1, digest: .git(String(repeating: "0", count: 40)))
            })
    }

    private func selected(
        _ paths: [String], _ choice: HubReference.Choice = .whole, name: String? = nil
    ) throws -> Selection {
        try repository(paths).select(choice, name: name)
    }

    private static let quantized = [
        "README.md", "M-Q4_K_M.gguf", "M-Q4_K_L.gguf", "M-Q8_0.gguf", "M-f16.gguf", "M-bf16.gguf",
        "mmproj-M-Q4_K_M.gguf", "M.imatrix.gguf",
    ]

    @Test func aTypeIsAWordOfTheName() throws {
        for (type, file) in [
            ("Q4_K_M", "M-Q4_K_M.gguf"), ("q8_0", "M-Q8_0.gguf"), ("F16", "M-f16.gguf"),
            ("BF16", "M-bf16.gguf"), ("Q4_K_L", "M-Q4_K_L.gguf"),
        ] {
            #expect(try selected(Self.quantized, .quantization(type)).target == file)
        }
        let error = #expect(throws: HubError.self) { try selected(Self.quantized, .quantization("Q4_K")) }
        #expect(sentence(error).contains("M-Q8_0"))
    }

    @Test func withoutATypeTheUsualOneIsTaken() throws {
        #expect(try selected(Self.quantized).target == "M-Q4_K_M.gguf")
        #expect(try selected(["a.Q8_0.gguf", "a.F16.gguf"]).name == "a.Q8_0")
        #expect(try selected(["odd.gguf"]).name == "odd")
        #expect(throws: HubError.self) { try selected(["one.gguf", "two.gguf"]) }
    }

    @Test func allPartsOfASplitFileCome() throws {
        let parts = (1...3).map { "Q4_K_M/Big-Q4_K_M-0000\($0)-of-00003.gguf" }
        let big = try selected(parts + ["Big-Q8_0.gguf"], .quantization("q4_k_m"))
        #expect(big.name == "Big-Q4_K_M")
        #expect(big.items.map(\.target) == (1...3).map { "Big-Q4_K_M-0000\($0)-of-00003.gguf" })
        #expect(try selected(parts, .file(parts[1])).items.count == 3)
        #expect(try selected(parts, .file("Q4_K_M"), name: "mine").target == "mine-00001-of-00003.gguf")
        #expect(throws: HubError.self) { try selected([parts[0], parts[2]], .quantization("Q4_K_M")) }
    }

    @Test func ofADiffusersModelOnlyItsPartsComeInHalfPrecision() throws {
        let needed = [
            "model_index.json", "scheduler/scheduler_config.json", "tokenizer/vocab.json",
            "tokenizer/merges.txt",
            "text_encoder/config.json", "text_encoder/model.fp16.safetensors", "unet/config.json",
            "unet/diffusion_pytorch_model.fp16.safetensors", "vae/config.json",
            "vae/diffusion_pytorch_model.safetensors",
        ]
        let others = [
            "README.md", "sd_turbo.safetensors", "sd_turbo.fp16.safetensors",
            "text_encoder/model.safetensors",
            "text_encoder/pytorch_model.bin", "unet/diffusion_pytorch_model.safetensors",
            "unet/diffusion_pytorch_model.non_ema.safetensors", "safety_checker/model.safetensors",
            "feature_extractor/preprocessor_config.json", "vae/diffusion_pytorch_model.bin", "image.png",
            "unet_onnx/model.onnx",
        ]
        let selection = try selected(needed + others)
        #expect(selection.name == "Name" && selection.target == "Name")
        #expect(Set(selection.items.map(\.file.path)) == Set(needed))
        #expect(selection.items.allSatisfy { $0.target == "Name/" + $0.file.path })
        let error = #expect(throws: HubError.self) {
            try selected(["model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.bin"])
        }
        #expect(sentence(error).contains("unet"))
    }

    @Test func shardsComeWithTheirIndex() throws {
        let shards = (1...2).map { "model-0000\($0)-of-00002.safetensors" }
        let files = [
            "config.json", "model.safetensors.index.json", "tokenizer.json", "generation_config.json",
        ]
        let others = ["original/consolidated.00.pth", "pytorch_model.bin", "README.md", "model.onnx"]
        let selection = try selected(shards + files + others, name: "mine")
        #expect(selection.target == "mine")
        #expect(Set(selection.items.map(\.file.path)) == Set(shards + files))
        let unet = [
            "unet/diffusion_pytorch_model.safetensors.index.fp16.json",
            "unet/diffusion_pytorch_model.fp16-00001-of-00001.safetensors",
        ]
        let halves = try selected(["model_index.json", "unet/diffusion_pytorch_model.safetensors"] + unet)
        #expect(Set(halves.items.map(\.file.path)) == Set(["model_index.json"] + unet))
    }

    @Test func smallThingsGoWhereTheyAreLookedFor() throws {
        let tiny = ["config.json", "diffusion_pytorch_model.safetensors", "taesd_decoder.safetensors"]
        #expect(try selected(tiny).items.map(\.target).sorted() == tiny.prefix(2).map { "Name/" + $0 })
        let lora = try selected(["README.md", "pytorch_lora_weights.safetensors"], name: "lcm")
        #expect(lora.target == "loras/lcm.safetensors")
        #expect(
            try selected(["a/x-lora.safetensors"], .file("a/x-lora.safetensors")).target
                == "loras/x-lora.safetensors")
        #expect(try selected(["dream.safetensors"], .file("dream.safetensors")).target == "dream.safetensors")
    }

    @Test func whatCannotBeUsedIsNamed() {
        for (paths, word) in [
            (["config.json", "pytorch_model.bin"], ".bin"), (["README.md"], "no weights"),
            (["a.safetensors", "b.safetensors"], "name one"),
        ] {
            let error = #expect(throws: HubError.self) { try selected(paths) }
            #expect(sentence(error).contains(word))
        }
        #expect(throws: HubError.self) { try selected(["a.zip"], .file("a.zip")) }
        let error = #expect(throws: HubError.self) { try selected(["a.gguf"], .file("b.gguf")) }
        #expect(sentence(error).contains("a.gguf"))
    }
}
