import Checkpoints
import StrictJSON
import Tensors
import Testing

@testable import StableDiffusion

/// Single-file checkpoints against the directories that they were made of.
struct SingleFileTests {
    private func open(
        _ builder: SingleFileBuilder, _ options: LoadOptions = LoadOptions()
    ) throws -> ModelFiles {
        let folder = try ModelTestFolder()
        let path = try folder.write("model.safetensors", builder.bytes())
        var files = try ModelFiles.open(path, options: options, families: SingleFileBuilder.families())
        // OpenAI's vocabulary is larger than the tiny models'.
        for index in files.texts.indices {
            files.texts[index].vocabulary = .directory(Fixture.path("models/sd15/tokenizer"))
        }
        return files
    }

    @Test(arguments: ["sd15", "sd2-v", "sdxl"])
    func everyTensorIsFoundUnderItsOwnName(model: String) throws {
        let file = try open(SingleFileBuilder(model))
        let folder = try ModelFiles.open(Fixture.path("models/\(model)"), options: LoadOptions())
        let pairs = zip(
            [file.network, file.autoencoder] + file.texts.map(\.encoder),
            [folder.network, folder.autoencoder] + folder.texts.map(\.encoder))
        for (found, expected) in pairs {
            #expect(found.weights.tensorNames == expected.weights.tensorNames)
            for name in expected.weights.tensorNames {
                let (a, b) = (found.weights.tensor(name), expected.weights.tensor(name))
                #expect(a.map { Array($0.bytes) } == b.map { Array($0.bytes) }, "\(name)")
            }
        }
    }

    @Test(arguments: ["sd15", "sd2-v", "sdxl"])
    func itsConfigurationsAreThoseOfTheDirectory(model: String) throws {
        let file = try open(SingleFileBuilder(model))
        let folder = try ModelFiles.open(Fixture.path("models/\(model)"), options: LoadOptions())
        #expect(file.family == folder.family)
        #expect(file.zeroesEmptyPrompt == folder.zeroesEmptyPrompt)
        let (found, expected) = (try ModelPlan(file), try ModelPlan(folder))
        #expect(found.network == expected.network)
        #expect(found.autoencoder.factor == expected.autoencoder.factor)
        #expect(found.scheduler.kind == expected.scheduler.kind)
        for (a, b) in zip(found.textEncoders, expected.textEncoders) {
            #expect(
                a.hiddenSize == b.hiddenSize && a.headCount == b.headCount && a.layerCount == b.layerCount)
            #expect(a.intermediateSize == b.intermediateSize && a.activation == b.activation)
            #expect(a.contextLength == b.contextLength && a.vocabularySize == b.vocabularySize)
        }
        let operations = Operations(pool: WorkerPool(threadCount: 1))
        var fractions: [Double] = []
        let parts = try ModelParts(file, operations: operations, progress: { fractions.append($0) })
        #expect(parts.texts.count == folder.texts.count)
        #expect(fractions.first == 0 && fractions.last == 1 && fractions == fractions.sorted())
    }

    @Test func whatTheNetworkGivesIsReadOrAssumedWithAWarning() throws {
        var builder = try SingleFileBuilder("sd2-v")
        var files = try open(builder)
        #expect(files.prediction == .velocity)
        #expect(files.warnings.count == 1 && files.warnings[0].contains("v_prediction"))
        #expect(try ModelPlan(files).network.sampleSize == [8, 8])

        builder.metadata["modelspec.prediction_type"] = "epsilon"
        files = try open(builder)
        #expect(files.prediction == .epsilon && files.warnings.isEmpty)
        #expect(try ModelPlan(files).network.sampleSize == [4, 4])

        var options = LoadOptions()
        options.prediction = .sample
        #expect(try open(builder, options).prediction == .sample)

        builder = try SingleFileBuilder("sdxl")
        builder.add("v_pred", [1], [0])
        builder.add("ztsnr", [1], [0])
        files = try open(builder)
        #expect(files.prediction == .velocity && files.warnings.isEmpty)
        #expect(files.scheduler.json["rescale_betas_zero_snr"]?.bool == true)
    }

    @Test func distilledModelsBringTheirScheduler() throws {
        var builder = try SingleFileBuilder("sdxl")
        builder.metadata["modelspec.title"] = "SDXL Turbo"
        let files = try open(builder)
        #expect(try ModelPlan(files).scheduler.kind == .eulerAncestral)
        #expect(files.prediction == .epsilon && files.warnings.isEmpty)
    }

    @Test(arguments: [
        ("first_stage_model.decoder.", "VAE"), ("first_stage_model.encoder.", "VAE's encoder"),
        ("cond_stage_model.", "text encoder"), ("model.diffusion_model.input_blocks.0.", "another kind"),
        ("model.diffusion_model.output_blocks.2.", "blocks"),
        ("model.diffusion_model.middle_block.0.in_layers.2.bias", "bias"),
        ("cond_stage_model.transformer.text_model.embeddings.position", "position_embedding"),
    ])
    func whatIsMissingIsNamed(prefix: String, named: String) throws {
        var builder = try SingleFileBuilder("sd15")
        builder.remove { $0.hasPrefix(prefix) }
        let error = #expect(throws: (any Error).self) {
            let files = try open(builder)
            _ = try ModelParts(files, operations: Operations(pool: WorkerPool(threadCount: 1)))
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains(named))
    }

    @Test func otherFilesAreRefused() throws {
        var builder = SingleFileBuilder()
        builder.add("down_blocks.0.resnets.0.conv1.weight", [1], [0])
        #expect(throws: StableDiffusionError.self) { try open(builder) }
        var refiner = try SingleFileBuilder("sdxl")
        refiner.remove { $0.hasPrefix("conditioner.embedders.0.") }
        refiner.add("conditioner.embedders.0.model.ln_final.bias", [1], [0])
        #expect(throws: StableDiffusionError.self) { try open(refiner) }
        #expect(throws: CheckpointError.self) {
            try ModelFiles.open("/nowhere/model.safetensors", options: LoadOptions())
        }
    }

    /// Shapes that no honest file has: refused by what asks for the tensor, without a trap.
    @Test func wrongShapesAreRefused() throws {
        let all = try SingleFileBuilder("sdxl")
        for (index, tensor) in all.tensors.enumerated() where index % 13 == 0 {
            for shape in [[1], [1, 1], [3, 3, 3, 3, 3], [0, 4]] {
                var builder = all
                builder.remove { $0 == tensor.name }
                builder.add(tensor.name, shape, Array(repeating: 0, count: shape.reduce(1, *)))
                #expect(throws: (any Error).self, "\(tensor.name) \(shape)") {
                    _ = try ModelParts(
                        open(builder), operations: Operations(pool: WorkerPool(threadCount: 1)))
                }
            }
        }
    }

    @Test func theTableOfTheProgramDescribesEveryFamily() throws {
        let table = try FamilyTable.standard()
        for family in ModelFamily.allCases {
            let row = try table[family]
            _ = try (row.pipeline, row.prediction, row.sampleSize(row.prediction))
            #expect(try row.texts.count == (family == .stableDiffusionXL ? 2 : 1))
            for name in ["usual", "turbo", "lcm"] {
                let file = try row.scheduler(name)
                _ = try SchedulerFile(file, isCorrected: false).configuration()
            }
        }
    }
}
