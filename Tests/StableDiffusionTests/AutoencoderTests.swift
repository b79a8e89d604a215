import Checkpoints
import Tensors
import Testing

@testable import StableDiffusion

/// Pictures and latents equal those of diffusers' autoencoders; `make-autoencoder-goldens.py` asked them.
@Suite struct AutoencoderTests {
    /// Plain sums differ by 5e-6 at most; quick convolutions may differ by more.
    private static let tolerance: Float = 1e-4

    @Test(arguments: ["sd15", "sdxl", "sd2-v", "sd-turbo", "old-vae"])
    func decodedPicturesEqualTheReference(model: String) throws {
        let fixture = try AutoencoderFixture(model)
        let picture = try fixture.decoder()(fixture.map("latents"), fixture.pass)
        #expect(try difference(picture.pixels.elements, fixture.golden("decoded")) < Self.tolerance)
    }

    @Test(arguments: ["sd15", "sdxl", "sd2-v", "sd-turbo", "old-vae"])
    func encodedPicturesEqualTheReference(model: String) throws {
        let fixture = try AutoencoderFixture(model)
        let latents = try fixture.encoder()(fixture.map("picture"), fixture.pass)
        #expect(try difference(latents.mean.pixels.elements, fixture.golden("mean")) < Self.tolerance)
        #expect(
            try difference(latents.logVariance.pixels.elements, fixture.golden("log-variance"))
                < Self.tolerance)
    }

    @Test func largePicturesAreDoneInTilesAsTheReferenceDoesThem() throws {
        let fixture = try AutoencoderFixture("sdxl")
        let tiling = PictureTiling(wholePixels: 32 * 32, tileSide: 32)
        let decoder = try fixture.decoder()
        let latents = try fixture.map("tiled/latents")
        let picture = try decoder(latents, tiling: tiling, fixture.pass)
        #expect(picture.height == latents.height * 4 && picture.width == latents.width * 4)
        #expect(try difference(picture.pixels.elements, fixture.golden("tiled/decoded")) < Self.tolerance)
        let whole = try decoder(latents, fixture.pass)
        #expect(try difference(whole.pixels.elements, fixture.golden("tiled/decoded")) > 1e-2)
        let mean = try fixture.encoder()(fixture.map("tiled/picture"), tiling: tiling, fixture.pass).mean
        #expect(try difference(mean.pixels.elements, fixture.golden("tiled/mean")) < Self.tolerance)
    }

    @Test func whatIsDoneInTilesAndHowDependsOnTheSizeAlone() throws {
        let tiling = PictureTiling()
        #expect(tiling.latentTile(height: 128, width: 128, factor: 8, sampleSize: 512) == nil)
        #expect(tiling.latentTile(height: 129, width: 128, factor: 8, sampleSize: 512) == 64)
        #expect(tiling.latentTile(height: 1, width: 1 << 18, factor: 8, sampleSize: 1024) == 64)
        #expect(tiling.latentTile(height: 400, width: 300, factor: 4, sampleSize: 32) == 64)
        #expect(tiling.latentTile(height: 1 << 40, width: 1 << 40, factor: 8, sampleSize: 512) == 64)
    }

    @Test(arguments: [(1, 1), (8, 8), (9, 8), (17, 25), (24, 31)])
    func tilesOfAPlainNetworkGiveTheWhole(height: Int, width: Int) throws {
        let operations = makeOperations()
        let pixels = Tensor(rows: height * width, columns: 2)
        for index in pixels.floats.indices { pixels.floats[index] = Float(index) }
        let x = FeatureMap(height: height, width: width, pixels: pixels)
        let pass = Pass(operations: operations)
        let doubled = try MapTiles(tile: 8, outputTile: 16)(x, pass) { part throws(Interrupted) in
            try operations.resizeNearest(
                part, height: part.height * 2, width: part.width * 2, checkpoint: pass.checkpoint)
        }
        let whole = try operations.resizeNearest(
            x, height: 2 * height, width: 2 * width, checkpoint: pass.checkpoint)
        #expect(difference(doubled.pixels.elements, whole.pixels.elements) < 1e-6)
    }

    @Test func anInterruptedAutoencoderGivesTheSameBitsLater() throws {
        let fixture = try AutoencoderFixture("sd15")
        let decoder = try fixture.decoder()
        let encoder = try fixture.encoder()
        let latents = try fixture.map("latents")
        let first = try decoder(latents, fixture.pass)
        let mean = try encoder(first, fixture.pass).mean.pixels.elements
        let decoderCalls = try fixture.checkpointCalls { _ = try decoder(latents, $0) }
        let encoderCalls = try fixture.checkpointCalls { _ = try encoder(first, $0) }
        #expect(decoderCalls > 10 && encoderCalls > 10)
        for part in 0..<5 {
            let decoding = fixture.pass(interruptedAt: part * (decoderCalls - 1) / 4)
            #expect(throws: Interrupted.self) { try decoder(latents, decoding) }
            let encoding = fixture.pass(interruptedAt: part * (encoderCalls - 1) / 4)
            #expect(throws: Interrupted.self) { try encoder(first, encoding) }
        }
        let alone = Pass(operations: fixture.alone)
        #expect(try decoder(latents, alone).pixels.elements == first.pixels.elements)
        #expect(try encoder(first, alone).mean.pixels.elements == mean)
    }

    @Test(
        arguments: [
            ("_class_name", "\"VQModel\""), ("act_fn", "\"relu\""), ("in_channels", "4"),
            ("block_out_channels", "[4, 0, 8, 8]"), ("block_out_channels", "[]"),
            ("block_out_channels", "[8, 8, 8, 8, 8, 8, 8, 8, 8]"), ("block_out_channels", "\"8\""),
            ("norm_num_groups", "3"), ("latent_channels", "1e9"), ("layers_per_block", "0"),
            ("up_block_types", "[\"AttnUpDecoderBlock2D\"]"), ("scaling_factor", "0"), ("sample_size", "-1"),
            ("latents_mean", "[1, 2]"), ("latents_mean", "[1, 2, 3, 4]"), ("use_quant_conv", "1"),
        ])
    func hostileSettingsAreNamed(key: String, value: String) throws {
        let error = #expect(throws: StableDiffusionError.self) {
            try AutoencoderConfiguration(
                Fixture.configuration("models/sd15/vae/config.json", [key: value]))
        }
        switch try #require(error) {
        case .invalidConfiguration("config.json", let named, _, _):
            #expect(named == key || named == "latents_std")
        case .unsupportedFeature("config.json", _):
            #expect(["_class_name", "act_fn", "up_block_types"].contains(key))
        case let other: Issue.record("\(other)")
        }
    }

    @Test func latentsGoToTheModelAndBack() throws {
        let operations = makeOperations()
        let changes = ["latents_mean": "[1, 2, -1, 0]", "latents_std": "[2, 1, 0.5, 1]"]
        let config = try AutoencoderConfiguration(
            Fixture.configuration("models/sd15/vae/config.json", changes))
        let latents = FeatureMap(height: 1, width: 1, pixels: Tensor([3, 4, 1, 1]))
        let scaled = config.latentScale.modelLatents(latents, operations)
        #expect(
            difference(scaled.pixels.elements, [1, 2, 4, 1].map { $0 * 0.18215 }) < 1e-6)
        let back = config.latentScale.autoencoderLatents(scaled, operations)
        #expect(difference(back.pixels.elements, [3, 4, 1, 1]) < 1e-6)
        let plain = LatentScale(factor: 0.5, shift: 1)
        #expect(plain.modelLatents(latents, operations).pixels.elements == [1, 1.5, 0, 0])
    }

    @Test func latentsBecomeColoursWithoutADecoder() throws {
        let pass = Pass(operations: makeOperations())
        let latents = FeatureMap(height: 1, width: 2, pixels: Tensor([1, 0, 0, 0, 0, 2, 0, -1]).pixels(2))
        let colours = LatentProjection.stableDiffusion(latents, pass)
        #expect(
            difference(colours.pixels.elements, [0.298, 0.207, 0.208, 0.558, 0.843, 0.819]) < 1e-6)
        // The same in diffusers' documentation, from 0 to 255.
        let wide = LatentProjection.stableDiffusionXL(latents, pass).pixels.elements.map { ($0 + 1) * 127.5 }
        #expect(difference(wide, [210, 200, 190, 100, 180, 185]) < Self.tolerance)
        let grey = LatentProjection.grey(channels: 4)(latents, pass).pixels.elements
        #expect(grey == [0.25, 0.25, 0.25, 0.25, 0.25, 0.25])
    }
}

/// Tiny autoencoders against diffusers' AutoencoderTiny.
@Suite struct TinyAutoencoderTests {
    private static let tolerance: Float = 1e-4
    private static let models = ["taesd", "taesdxl", "sdxs"]

    @Test(arguments: models) func decodedPicturesEqualTheReference(model: String) throws {
        let fixture = try AutoencoderFixture(model)
        let decoder = try #require(try TinyDecoder(fixture.tinyConfiguration(), fixture.reader))
        let picture = try decoder(fixture.map("latents"), fixture.pass)
        #expect(try difference(picture.pixels.elements, fixture.golden("decoded")) < Self.tolerance)
    }

    @Test(arguments: models) func encodedPicturesEqualTheReference(model: String) throws {
        let fixture = try AutoencoderFixture(model)
        let encoder = try #require(try TinyEncoder(fixture.tinyConfiguration(), fixture.reader))
        let latents = try encoder(fixture.map("picture"), fixture.pass)
        #expect(try difference(latents.pixels.elements, fixture.golden("encoded")) < Self.tolerance)
    }

    @Test func filesOfTheirOwnAreRecognisedByTheirTensors() throws {
        let fixture = try AutoencoderFixture("taesd")
        let expected = try fixture.tinyConfiguration()
        for name in ["taesd_decoder.safetensors", "taesd_encoder.safetensors"] {
            let checkpoint = try Checkpoint.openTensors(Fixture.path(name))
            let (config, layout) = try TinyAutoencoderConfiguration.recognized(in: checkpoint)
            let reader = LayerReader(weights: checkpoint.weights(), operations: fixture.operations)
            #expect(config.latentChannels == 4 && config.factor == 8 && layout == .single)
            let decoder = try TinyDecoder(config, layout: layout, reader)
            let encoder = try TinyEncoder(config, layout: layout, reader)
            #expect((decoder == nil) == (encoder != nil))
            if let decoder {
                #expect(config.decoder == expected.decoder)
                let picture = try decoder(fixture.map("latents"), fixture.pass)
                #expect(try difference(picture.pixels.elements, fixture.golden("decoded")) < Self.tolerance)
            }
            if let encoder {
                #expect(config.encoder == expected.encoder)
                let latents = try encoder(fixture.map("picture"), fixture.pass)
                #expect(try difference(latents.pixels.elements, fixture.golden("encoded")) < Self.tolerance)
            }
        }
        let diffusers = try Checkpoint.openTensors(
            Fixture.path("models/taesd/diffusion_pytorch_model.safetensors"))
        let (config, layout) = try TinyAutoencoderConfiguration.recognized(in: diffusers)
        #expect(config.encoder == expected.encoder && config.decoder == expected.decoder)
        #expect(layout == .diffusers)
        let other = try Checkpoint.openTensors(
            Fixture.path("models/old-vae/diffusion_pytorch_model.safetensors"))
        #expect(throws: StableDiffusionError.self) { try TinyAutoencoderConfiguration.recognized(in: other) }
    }

    @Test func largePicturesAreDoneInTilesWithoutSeams() throws {
        let fixture = try AutoencoderFixture("taesdxl")
        let decoder = try #require(try TinyDecoder(fixture.tinyConfiguration(), fixture.reader))
        let pixels = Tensor(rows: 40 * 30, columns: 4)
        var value: Float = 0.3
        for index in pixels.floats.indices {
            value = 3.9 * value * (1 - value)
            pixels.floats[index] = value * 2 - 1
        }
        let latents = FeatureMap(height: 40, width: 30, pixels: pixels)
        let whole = try decoder(latents, fixture.pass)
        let tiled = try decoder(
            latents, tiling: PictureTiling(wholePixels: 1, tileSide: 96), fixture.pass)
        #expect(tiled.height == 160 && tiled.width == 120)
        // No layer looks further than the overlap.
        #expect(difference(tiled.pixels.elements, whole.pixels.elements) < 0.2)
    }

    @Test(
        arguments: [
            ("act_fn", "\"mish\""), ("num_decoder_blocks", "[1, -1, 1, 1]"), ("num_encoder_blocks", "[1, 1]"),
            ("decoder_block_out_channels", "[8, 8, 8, 16]"), ("encoder_block_out_channels", "[8, 8, 8]"),
            ("upsample_fn", "\"bilinear\""), ("upsampling_scaling_factor", "0"), ("latent_channels", "-4"),
            ("latent_magnitude", "0"), ("out_channels", "1"), ("_class_name", "\"AutoencoderKL\""),
        ])
    func hostileSettingsAreNamed(key: String, value: String) throws {
        let error = #expect(throws: StableDiffusionError.self) {
            try TinyAutoencoderConfiguration(
                Fixture.configuration("models/taesd/config.json", [key: value]))
        }
        switch try #require(error) {
        case .invalidConfiguration("config.json", let named, _, _):
            #expect(named == key || key.hasPrefix("num_encoder"))
        case .unsupportedFeature("config.json", _):
            #expect(["_class_name", "act_fn", "upsample_fn"].contains(key))
        case let other: Issue.record("\(other)")
        }
    }
}

/// An autoencoder of the tiny models with what the reference makes of it.
private struct AutoencoderFixture {
    let name: String
    let folder: String
    let goldens: Goldens
    let operations = makeOperations()
    /// One thread calls the checkpoint equally often each time.
    let alone = makeOperations(threadCount: 1)
    let reader: LayerReader

    var pass: Pass { Pass(operations: operations) }

    /// How often `body` calls the checkpoint.
    func checkpointCalls(_ body: (Pass) throws -> Void) throws -> Int {
        let calls = Counter()
        try body(Pass(operations: alone) { () throws(Interrupted) in _ = calls.next() })
        return calls.next()
    }

    /// A pass that is stopped when its checkpoint was called `count` times.
    func pass(interruptedAt count: Int) -> Pass {
        let calls = Counter()
        return Pass(operations: alone) { () throws(Interrupted) in
            if calls.next() == count { throw Interrupted() }
        }
    }

    init(_ name: String) throws {
        self.name = name
        let isWhole = ["taesd", "taesdxl", "old-vae"].contains(name)
        folder = isWhole ? "models/\(name)" : "models/\(name)/vae"
        goldens = try Goldens(name == "old-vae" ? "old-vae-goldens" : "autoencoder-goldens")
        let checkpoint = try Checkpoint.openComponent(Fixture.path(folder))
        reader = LayerReader(weights: checkpoint.weights(), operations: operations)
    }

    func golden(_ part: String) throws -> [Float] { try goldens["\(name)/\(part)"] }

    func map(_ part: String) throws -> FeatureMap { try goldens.map("\(name)/\(part)") }

    func decoder() throws -> VAEDecoder {
        try VAEDecoder(AutoencoderConfiguration(Fixture.configuration("\(folder)/config.json")), reader)
    }

    func encoder() throws -> VAEEncoder {
        try VAEEncoder(AutoencoderConfiguration(Fixture.configuration("\(folder)/config.json")), reader)
    }

    func tinyConfiguration() throws -> TinyAutoencoderConfiguration {
        try TinyAutoencoderConfiguration(Fixture.configuration("\(folder)/config.json"))
    }
}

extension Tensor {
    /// The elements of one row, as `count` rows.
    fileprivate func pixels(_ count: Int) -> Tensor {
        let result = Tensor(rows: count, columns: columns / count)
        _ = result.floats.update(fromContentsOf: floats)
        return result
    }
}
