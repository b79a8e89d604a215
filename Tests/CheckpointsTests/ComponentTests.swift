import StrictJSON
import Tensors
import Testing

@testable import Checkpoints

/// Parts of picture models, and checkpoints made of others.
struct ComponentTests {
    private func tensors(_ value: Float, metadata: String = "") -> [UInt8] {
        SafetensorsBuilder(
            "{\(metadata)" + SafetensorsBuilder.entry("x", "F32", [1], 0, 4) + "}",
            data: littleEndian(value.bitPattern)
        ).bytes()
    }

    private func value(_ checkpoint: Checkpoint) -> Float? { checkpoint.tensor("x")?.floats().first }

    @Test func theNamesOfDiffusersAndTransformersAreFound() throws {
        for name in ["diffusion_pytorch_model", "model"] {
            let folder = try TemporaryFolder()
            try folder.write("config.json", #"{"a": 1}"#)
            try folder.write(name + ".safetensors", tensors(1))
            let checkpoint = try Checkpoint.openComponent(folder.path)
            #expect(value(checkpoint) == 1)
            guard case .safetensors(let config, _) = checkpoint.format else {
                Issue.record("another format")
                return
            }
            #expect(config["a"]?.int == 1)
        }
    }

    @Test func aVariantIsTakenWhenAskedForOrAlone() throws {
        let folder = try TemporaryFolder()
        try folder.write("config.json", "{}")
        try folder.write("model.fp16.safetensors", tensors(16))
        #expect(try value(.openComponent(folder.path)) == 16)
        try folder.write("model.safetensors", tensors(32))
        #expect(try value(.openComponent(folder.path)) == 32)
        #expect(try value(.openComponent(folder.path, variant: "fp16")) == 16)
        #expect(try value(.openComponent(folder.path, variant: "ema")) == 32)
        #expect(try value(.openComponent(folder.path, variant: "/../../model.fp16")) == 32)
    }

    @Test(
        arguments: [
            (index: "model.safetensors.index.json", shard: "model-00001-of-00001.safetensors", nil),
            ("model.safetensors.index.fp16.json", "model.fp16-00001-of-00001.safetensors", "fp16"),
            ("model.safetensors.index.fp16.json", "model-00001-of-00001.fp16.safetensors", nil),
        ] as [(index: String, shard: String, variant: String?)])
    func shardsOfAComponentOpen(index: String, shard: String, variant: String?) throws {
        let folder = try TemporaryFolder()
        try folder.write("config.json", "{}")
        try folder.write(shard, tensors(3))
        try folder.write(index, #"{"weight_map": {"x": "\#(shard)"}}"#)
        #expect(try value(.openComponent(folder.path, variant: variant)) == 3)
    }

    @Test func whatAComponentMissesIsNamed() throws {
        let folder = try TemporaryFolder()
        let open = { failure { () throws(CheckpointError) in try Checkpoint.openComponent(folder.path) } }
        #expect(open()?.description.contains("diffusion_pytorch_model.safetensors") == true)
        try folder.write("model.safetensors", tensors(1))
        #expect(open()?.description.contains("config.json") == true)
    }

    @Test func aFileOnItsOwnNeedsNothingBesideItAndTellsItsMetadata() throws {
        let folder = try TemporaryFolder()
        let metadata = #""__metadata__": {"modelspec.prediction_type": "v", "ss_network_alpha": "8"}, "#
        let path = try folder.write("one.safetensors", tensors(7, metadata: metadata))
        let checkpoint = try Checkpoint.openTensors(path)
        #expect(value(checkpoint) == 7)
        #expect(checkpoint.metadata == ["modelspec.prediction_type": "v", "ss_network_alpha": "8"])
        guard case .tensors = checkpoint.format else {
            Issue.record("another format")
            return
        }
        #expect(throws: CheckpointError.self) { try Checkpoint.openTensors(folder.path) }
    }

    // MARK: Derived checkpoints

    private func matrix() throws -> Checkpoint {
        let folder = try TemporaryFolder()
        let data = (1...6).flatMap { littleEndian(Float($0).bitPattern) }
        let file = SafetensorsBuilder(
            "{" + SafetensorsBuilder.entry("file.w", "F32", [3, 2], 0, 24) + "}", data: data)
        return try .openTensors(try folder.write("m.safetensors", file.bytes()))
    }

    @Test func tensorsAndTheirRowsTakeOtherNames() throws {
        let checkpoint = try matrix()
        let renamed = try checkpoint.renamed([
            TensorAlias("all.weight", "file.w"), TensorAlias("q.weight", "file.w", rows: 0..<1),
            TensorAlias("k.weight", "file.w", rows: 1..<3),
        ])
        #expect(renamed.tensorNames == ["all.weight", "k.weight", "q.weight"])
        let weights = renamed.weights()
        #expect(try weights.tensor("all", shape: [3, 2]).floats() == [1, 2, 3, 4, 5, 6])
        #expect(try weights.tensor("q", shape: [1, 2]).floats() == [1, 2])
        #expect(try weights.tensor("k", shape: [2, 2]).floats() == [3, 4, 5, 6])
        // The file's own name is what a reader of the error can look for.
        let error = failure { () throws(CheckpointError) in try weights.tensor("q", shape: [9, 9]) }
        #expect(error?.description.contains("[1, 2]") == true)
    }

    @Test(arguments: [
        [TensorAlias("a", "absent")], [TensorAlias("a", "file.w"), TensorAlias("a", "file.w")],
        [TensorAlias("a", "file.w", rows: 1..<4)], [TensorAlias("a", "file.w", rows: -1..<2)],
    ])
    func wrongAliasesAreRefused(aliases: [TensorAlias]) throws {
        let checkpoint = try matrix()
        #expect(throws: CheckpointError.self) { try checkpoint.renamed(aliases) }
    }

    @Test func editsApplyInTheirOrder() throws {
        let doubled: Checkpoint.Edit = { tensor in
            let values = tensor.floats().map { $0 * 2 }
            let memory = Storage(values.flatMap { littleEndian($0.bitPattern) })
            return .init(type: .f32, shape: tensor.shape, bytes: memory.bytes, owner: memory)
        }
        let turned: Checkpoint.Edit = { $0.reshaped([2, 3]) }
        let checkpoint = try matrix().edited(["file.w": doubled]).edited(["file.w": turned])
        #expect(checkpoint.tensor("file.w")?.shape == [2, 3])
        #expect(checkpoint.tensor("file.w")?.floats() == [2, 4, 6, 8, 10, 12])
    }

    @Test func aPointwiseConvolutionReadsAsAMatrix() throws {
        let folder = try TemporaryFolder()
        let data = (1...4).flatMap { littleEndian(Float($0).bitPattern) }
        let header = "{" + SafetensorsBuilder.entry("p.weight", "F32", [2, 2, 1, 1], 0, 16) + "}"
        let path = try folder.write("c.safetensors", SafetensorsBuilder(header, data: data).bytes())
        let matrix = try Checkpoint.openTensors(path).weights().linear("p", out: 2, in: 2)
        #expect(matrix.shape == [2, 2])
        #expect(throws: CheckpointError.self) {
            try Checkpoint.openTensors(path).weights().linear("p", out: 1, in: 4)
        }
    }
}
