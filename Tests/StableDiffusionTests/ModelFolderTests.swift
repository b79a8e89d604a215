import Checkpoints
import Foundation
import Tensors
import Testing

@testable import StableDiffusion

/// Models as diffusers lays them out.
struct ModelFolderTests {
    private static let models = ["sd15", "sd2-v", "sd-turbo", "sdxl", "lcm", "bk-sdm", "sdxs"]

    @Test(arguments: models)
    func everyFamilyLoads(model: String) throws {
        let files = try ModelFiles.open(Fixture.path("models/\(model)"), options: LoadOptions())
        let parts = try ModelParts(files, operations: Operations(pool: WorkerPool(threadCount: 2)))
        #expect(parts.texts.count == (model == "sdxl" ? 2 : 1))
        if case .tiny = parts.autoencoder {
            #expect(model == "sdxs")
        } else {
            #expect(model != "sdxs")
        }
    }

    @Test func aTinyDecoderComesFromADirectoryOrFile() throws {
        for path in ["models/taesd", "models/taesd/diffusion_pytorch_model.safetensors"] {
            var options = LoadOptions()
            options.tinyDecoder = Fixture.path(path)
            let files = try ModelFiles.open(Fixture.path("models/sd15"), options: options)
            let parts = try ModelParts(files, operations: Operations(pool: WorkerPool(threadCount: 1)))
            #expect(parts.tinyDecoder != nil)
        }
        var options = LoadOptions()
        options.tinyDecoder = Fixture.path("models/taesdxl")
        let files = try ModelFiles.open(Fixture.path("models/sd15"), options: options)
        #expect(throws: StableDiffusionError.self) { try ModelPlan(files) }
    }

    @Test(arguments: [
        ("model_index.json", "model_index.json"), ("unet", "diffusion network"), ("vae", "VAE"),
        ("text_encoder", "text encoder"), ("text_encoder_2", "second text encoder"),
        ("scheduler", "scheduler"), ("tokenizer", "tokenizer"),
        ("unet/diffusion_pytorch_model-00002-of-00002.safetensors", "00002-of-00002"),
        ("unet/config.json", "config.json"),
    ])
    func aMissingPartIsNamed(path: String, named: String) throws {
        let folder = try ModelTestFolder()
        let model = try folder.copy("sdxl")
        try FileManager.default.removeItem(atPath: model + "/" + path)
        let error = #expect(throws: (any Error).self) {
            let files = try ModelFiles.open(model, options: LoadOptions())
            _ = try ModelParts(files, operations: Operations(pool: WorkerPool(threadCount: 1)))
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains(named))
    }

    @Test(arguments: [
        #"{"_class_name": "FluxPipeline"}"#, "{}", "[]", "{", #"{"_class_name": 1}"#,
        #"{"_class_name": "StableDiffusionPipeline"}"#,
        #"{"_class_name": "StableDiffusionPipeline", "unet": [null, null]}"#,
        #"{"_class_name": "StableDiffusionPipeline", "unet": "../unet"}"#,
        #"{"_class_name": "StableDiffusionPipeline", "unet": ["diffusers"]}"#,
        #"{"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", 7]}"#,
        #"{"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet3DConditionModel"]}"#,
        #"{"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]}"#,
        #"{"_class_name": "StableDiffusionXLImg2ImgPipeline", "requires_aesthetics_score": true}"#,
    ])
    func wrongIndexesAreRefused(index: String) throws {
        let folder = try ModelTestFolder()
        let model = try folder.copy("sd15")
        try Data(index.utf8).write(to: URL(filePath: model + "/model_index.json"))
        #expect(throws: (any Error).self) { try ModelFiles.open(model, options: LoadOptions()) }
    }

    @Test(arguments: [
        ("block_out_channels", "[]"), ("block_out_channels", "[8, 16]"),
        ("block_out_channels", "[7, 16, 16]"),
        ("block_out_channels", "[8, 16, 1e30]"), ("block_out_channels", "\"8\""),
        ("layers_per_block", "0"), ("layers_per_block", "[2, 2]"), ("layers_per_block", "-1"),
        ("attention_head_dim", "0"), ("attention_head_dim", "3"), ("attention_head_dim", "[4]"),
        ("norm_num_groups", "0"), ("norm_num_groups", "null"), ("norm_num_groups", "5"),
        ("transformer_layers_per_block", "[[1], 1, 1]"), ("transformer_layers_per_block", "1000"),
        ("transformer_layers_per_block", "\"x\""), ("down_block_types", "[\"SimpleCrossAttnDownBlock2D\"]"),
        ("up_block_types", "[\"UpBlock2D\"]"), ("mid_block_type", "\"UNetMidBlock2DSimpleCrossAttn\""),
        ("only_cross_attention", "[true]"), ("cross_attention_dim", "[16, 8, 16]"),
        ("cross_attention_dim", "15"),
        ("conv_in_kernel", "5"), ("act_fn", "\"gelu\""), ("class_embed_type", "\"timestep\""),
        ("num_class_embeds", "10"), ("addition_embed_type", "\"text\""), ("encoder_hid_dim", "8"),
        ("resnet_time_scale_shift", "\"scale_shift\""), ("time_embedding_type", "\"fourier\""),
        ("mid_block_scale_factor", "1.4"), ("dual_cross_attention", "true"), ("in_channels", "9"),
        ("out_channels", "3"), ("time_embedding_dim", "31"), ("attention_type", "\"gated\""),
        ("sample_size", "[8]"), ("freq_shift", "2"), ("downsample_padding", "7"), ("norm_eps", "-1"),
        ("time_cond_proj_dim", "16"), ("_class_name", "\"UNet2DModel\""),
    ])
    func networksThatTheEngineDoesNotHaveAreRefused(key: String, value: String) throws {
        let folder = try ModelTestFolder()
        let model = try folder.copy("sd15")
        let file = URL(filePath: model + "/unet/config.json")
        var members = try #require(
            JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        members[key] = try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
        try JSONSerialization.data(withJSONObject: members).write(to: file)
        #expect(throws: (any Error).self) {
            let files = try ModelFiles.open(model, options: LoadOptions())
            _ = try ModelParts(files, operations: Operations(pool: WorkerPool(threadCount: 1)))
        }
    }

    /// Every prefix of a configuration is refused, or means the same.
    @Test(arguments: ["model_index.json", "unet/config.json", "vae/config.json", "text_encoder/config.json"])
    func truncatedConfigurationsAreRefused(name: String) throws {
        let folder = try ModelTestFolder()
        let model = try folder.copy("sd15")
        let whole = try Data(contentsOf: URL(filePath: model + "/" + name))
        for length in stride(from: 0, to: whole.count - 2, by: 17) {
            try whole.prefix(length).write(to: URL(filePath: model + "/" + name))
            #expect(throws: (any Error).self) { try ModelFiles.open(model, options: LoadOptions()) }
        }
    }

    @Test func loadingStopsAtACheckpoint() throws {
        let files = try ModelFiles.open(Fixture.path("models/sd15"), options: LoadOptions())
        var calls = 0
        #expect(throws: Interrupted.self) {
            _ = try ModelParts(files, operations: Operations(pool: WorkerPool(threadCount: 1))) { _ in
            } checkpoint: { () throws(Interrupted) in
                calls += 1
                if calls == 4 { throw Interrupted() }
            }
        }
        #expect(calls == 4)
    }
}
