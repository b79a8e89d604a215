import Checkpoints
import StrictJSON
import Tensors
import Testing

@testable import StableDiffusion

/// LoRA files merged into tiny models, against diffusers and peft (`Fixtures/make-lora-goldens.py`).
struct LoRATests {
    private func open(_ model: String, _ loras: [LoRAFile]) throws -> ModelFiles {
        var options = LoadOptions()
        options.loras = loras
        return try .open(Fixture.path("models/\(model)"), options: options)
    }

    private func lora(_ name: String, _ weight: Double) -> LoRAFile {
        LoRAFile(path: Fixture.path("loras/\(name).safetensors"), weight: weight)
    }

    @Test(arguments: [("sd15", "kohya"), ("sdxl", "compvis"), ("sd15", "peft")])
    func mergedModelsComputeWhatTheReferenceDoes(model: String, name: String) throws {
        let files = try open(model, [lora(name, 0.7)])
        #expect(files.warnings.isEmpty)
        let operations = Operations(pool: WorkerPool(threadCount: 2))
        let parts = try ModelParts(files, operations: operations)
        let goldens = try Checkpoint.openTensors(Fixture.path("loras/\(name).golden.safetensors"))
        let output = try TinyUNet(parts.network, operations, goldens).difference(case: 0)
        #expect(output < 1e-4, "\(output)")

        let list = try JSONValue(parsing: Array((goldens.metadata["tokens"] ?? "").utf8)).array ?? []
        let text = try parts.texts[0].encoder(
            list.map { Int32($0.int ?? 0) }, Pass(operations: operations))
        let expected = try #require(goldens.tensor("text")).floats()
        let difference = difference(text.context.elements, expected)
        #expect(difference < 1e-4, "\(difference)")
    }

    /// The type's last bit: the reference adds up the product in another order.
    @Test(arguments: [("sd15", "kohya"), ("sdxl", "compvis"), ("sd15", "peft")])
    func mergedWeightsAreRoundedAsTheReferenceRoundsThem(model: String, name: String) throws {
        let files = try open(model, [lora(name, 0.7)])
        let operations = Operations(pool: WorkerPool(threadCount: 2))
        let merged = files.loras[0].merged(files.network.weights, .network, operations)
        let goldens = try Checkpoint.openTensors(Fixture.path("loras/\(name).golden.safetensors"))
        for golden in goldens.tensorNames where golden.hasPrefix("weight.") {
            let expected = try #require(goldens.tensor(golden))
            let found = try #require(merged.tensor(String(golden.dropFirst("weight.".count))))
            #expect(found.type == .f16 && found.shape == expected.shape)
            let pairs = zip(found.floats(), expected.floats())
            let equal = pairs.filter { $0 == $1 }.count
            #expect(Double(equal) > 0.98 * Double(expected.floats().count))
            #expect(pairs.allSatisfy { abs($0 - $1) <= max(abs($1), 0.01) * 0.002 })
        }
    }

    @Test func aWeightOfZeroAndOppositesChangeNothing() throws {
        let operations = Operations(pool: WorkerPool(threadCount: 1))
        let plain = try open("sd15", []).network.weights
        let zero = try open("sd15", [lora("kohya", 0)])
        let merged = zero.loras[0].merged(plain, .network, operations)
        for name in plain.tensorNames {
            #expect(merged.tensor(name)?.floats() == plain.tensor(name)?.floats())
        }
        let changed = try open("sd15", [lora("kohya", 1)]).loras[0].merged(plain, .network, operations)
        #expect(plain.tensorNames.contains { changed.tensor($0)?.floats() != plain.tensor($0)?.floats() })
    }

    @Test func aLoRAOfAnotherModelIsRefused() throws {
        #expect(throws: (any Error).self) { try open("bk-sdm", [lora("compvis", 1)]) }
        #expect(throws: StableDiffusionError.self) { try open("sd15", [lora("kohya", .infinity)]) }
        let folder = try ModelTestFolder()
        var builder = SingleFileBuilder()
        builder.add("some.weight", [1], [1])
        let path = try folder.write("other.safetensors", builder.bytes())
        #expect(throws: StableDiffusionError.self) { try open("sd15", [LoRAFile(path: path)]) }
    }

    private func builder(
        down: [Int] = [2, 8], up: [Int] = [8, 2], alpha: Float = 1,
        layer: String = "down_blocks.0.attentions.0."
    ) -> SingleFileBuilder {
        var builder = SingleFileBuilder()
        let name = "unet." + layer + "transformer_blocks.0.attn1.to_q"
        builder.add(name + ".lora.down.weight", down, Array(repeating: 0.5, count: down.reduce(1, *)))
        builder.add(name + ".lora.up.weight", up, Array(repeating: 1, count: up.reduce(1, *)))
        builder.add(name + ".alpha", [1], [alpha])
        return builder
    }

    @Test func whatFitsNothingIsCountedAndNamed() throws {
        let folder = try ModelTestFolder()
        var builder = builder()
        builder.add("lora_unet_nowhere.lora_down.weight", [1, 1], [1])
        builder.add("lora_unet_nowhere.lora_up.weight", [1, 1], [1])
        builder.add("lora_unet_half.lora_up.weight", [1, 1], [1])
        let path = try folder.write("lora.safetensors", builder.bytes())
        let files = try open("sd15", [LoRAFile(path: path)])
        #expect(files.warnings.count == 1)
        #expect(files.warnings[0].contains("2 of its layers"))
    }

    @Test(arguments: [
        ([2, 7], [8, 2]), ([2, 8], [7, 2]), ([2, 8], [8, 3]), ([0, 8], [8, 0]), ([16], [8, 2]),
        ([2, 8], [16]),
        ([2, 8, 3, 3], [8, 2, 1, 1]), ([2, 8], [8, 2, 2, 2]),
    ])
    func otherSizesAreRefused(down: [Int], up: [Int]) throws {
        let folder = try ModelTestFolder()
        let path = try folder.write("lora.safetensors", builder(down: down, up: up).bytes())
        #expect(throws: (any Error).self) { try open("sd15", [LoRAFile(path: path)]) }
    }

    @Test func anAlphaThatIsNoNumberIsRefused() throws {
        let folder = try ModelTestFolder()
        let path = try folder.write("lora.safetensors", builder(alpha: .nan).bytes())
        #expect(throws: CheckpointError.self) { try open("sd15", [LoRAFile(path: path)]) }
    }

    @Test(arguments: [
        ("lora_unet_mid_block_attentions_0.lora_down.weight", "mid_block_attentions_0"),
        ("unet.mid_block.attentions.0.lora_A.weight", "mid_block_attentions_0"),
        ("base_model.model.mid_block.attentions.0.lora_B.default.weight", "mid_block_attentions_0"),
        ("unet.mid_block.attn1.processor.to_out_lora.up.weight", "mid_block_attn1_to_out_0"),
        ("lora_te2_text_model_encoder_layers_3_mlp_fc1.alpha", "text_model_encoder_layers_3_mlp_fc1"),
        (
            "text_encoder.text_model.encoder.layers.3.mlp.fc1.lora_linear_layer.down.weight",
            "text_model_encoder_layers_3_mlp_fc1"
        ),
    ])
    func spellingsMeanTheSameLayer(name: String, layer: String) {
        #expect(LoRAKey(name)?.layer == layer)
    }

    /// A convolution in three parts: Σ up[o, a] middle[a, b, place] down[b, i].
    @Test func aMiddleIsFoldedIn() throws {
        var builder = SingleFileBuilder()
        builder.add("l.lora_down.weight", [2, 3, 1, 1], [1, 2, 3, 4, 5, 6])
        builder.add("l.lora_mid.weight", [2, 2, 3, 3], (0..<36).map { Float($0 % 7) - 3 })
        builder.add("l.lora_up.weight", [2, 2, 1, 1], [1, -1, 2, 0.5])
        let folder = try ModelTestFolder()
        let weights = try LoRAWeights(folder.write("lora.safetensors", builder.bytes()))
        let layer = try #require(weights.layers[.network]?["l"])
        #expect(layer.fits([2, 3, 3, 3]) && !layer.fits([2, 3, 1, 1]))
        let found = layer.product(in: .f32, Operations(pool: WorkerPool(threadCount: 1))).elements
        let (down, middle, up) = (layer.down.floats(), layer.middle?.floats() ?? [], layer.up.floats())
        for o in 0..<2 {
            for i in 0..<3 {
                for place in 0..<9 {
                    var sum: Float = 0
                    for a in 0..<2 {
                        for b in 0..<2 {
                            sum += up[o * 2 + a] * middle[(a * 2 + b) * 9 + place] * down[b * 3 + i]
                        }
                    }
                    #expect(abs(found[(o * 3 + i) * 9 + place] - sum) < 1e-4)
                }
            }
        }
    }
}
