import Checkpoints
import Tensors

/// The sizes of an `AutoencoderTiny` (TAESD and its sisters), from diffusers' config.json or from the tensors' shapes.
struct TinyAutoencoderConfiguration: Sendable {
    /// One half: what happens at each level, in the order in which it is passed.
    struct Half: Sendable, Equatable {
        /// Channels between the levels.
        var channels: Int
        /// Residual blocks of each level.
        var blockCounts: [Int]
    }

    let latentChannels: Int
    /// nil for a file that has the other half only.
    let encoder: Half?
    let decoder: Half?
    let activation: Activation
    /// How many pixels one becomes at each of the decoder's steps, in each direction.
    let upsampling: Int
    /// How the encoder's latents lie in 0...1 when they are stored as a picture: x / (2 magnitude) + shift.
    let latentMagnitude: Float, latentShift: Float
    let latentScale: LatentScale

    /// How many pixels a latent stands for, in each direction.
    var factor: Int {
        if let decoder {
            return (1..<decoder.blockCounts.count).reduce(1) { result, _ in result * upsampling }
        }
        return 1 << ((encoder?.blockCounts.count ?? 1) - 1)
    }

    /// The sizes in diffusers' config.json.
    ///
    /// - Throws: `invalidConfiguration`, `unsupportedFeature`.
    init(_ file: ConfigFile) throws(StableDiffusionError) {
        let name = try file.optionalString("_class_name") ?? "AutoencoderTiny"
        guard name == "AutoencoderTiny" else { throw file.unsupported("the autoencoder \(name)") }
        _ = try file.int("in_channels", in: 3...3, default: 3)
        _ = try file.int("out_channels", in: 3...3, default: 3)
        latentChannels = try file.int("latent_channels", in: 1...256, default: 4)
        encoder = try Self.half("encoder", [1, 3, 3, 3], file)
        decoder = try Self.half("decoder", [3, 3, 3, 1], file)
        switch try file.optionalString("act_fn") ?? "relu" {
        case "relu": activation = .relu
        case "silu", "swish": activation = .silu
        case "gelu": activation = .gelu
        case let other: throw file.unsupported("the activation \(other)")
        }
        let upsampling = try file.optionalString("upsample_fn") ?? "nearest"
        guard upsampling == "nearest" else { throw file.unsupported("the upsampling \(upsampling)") }
        self.upsampling = try file.int("upsampling_scaling_factor", in: 1...8, default: 2)
        latentMagnitude = try file.float("latent_magnitude", in: 1e-6...1e6, default: 3)
        latentShift = try file.float("latent_shift", in: -1e6...1e6, default: 0.5)
        latentScale = try LatentScale(file, channels: latentChannels, defaultFactor: 1)
        guard encoder.map({ 1 << ($0.blockCounts.count - 1) }) == factor else {
            throw file.invalid("num_encoder_blocks", "as many halvings as the decoder has doublings")
        }
    }

    /// TAESD's own sizes: those of a file that has no configuration.
    init(latentChannels: Int, encoder: Half?, decoder: Half?) {
        self.latentChannels = latentChannels
        self.encoder = encoder
        self.decoder = decoder
        activation = .relu
        upsampling = 2
        latentMagnitude = 3
        latentShift = 0.5
        latentScale = LatentScale(factor: 1)
    }

    private static func half(
        _ name: String, _ usual: [Int], _ file: ConfigFile
    ) throws(StableDiffusionError) -> Half {
        let counts = try file.levels("num_\(name)_blocks", in: 0...64, default: usual)
        let key = "\(name)_block_out_channels"
        let channels = try file.levels(
            key, in: 1...1 << 13, default: [Int](repeating: 64, count: counts.count))
        guard channels.count == counts.count else { throw file.invalid(key, "\(counts.count) integers") }
        // The layers between two levels keep the number of channels, so the reference can't have another either.
        guard Set(channels).count == 1 else { throw file.invalid(key, "one number for all levels") }
        return Half(channels: channels[0], blockCounts: counts)
    }
}

extension TinyAutoencoderConfiguration {
    /// The names of a file's halves: diffusers' or TAESD's own, and where their numbers begin.
    struct Layout: Sendable, Equatable {
        /// What the names of a half's tensors begin with, without the last dot.
        let encoderScope: String, decoderScope: String
        /// The number of the decoder's first convolution: TAESD counts the clamp before it.
        let decoderStart: Int

        /// As diffusers names them.
        static let diffusers = Layout(
            encoderScope: "encoder.layers", decoderScope: "decoder.layers", decoderStart: 0)
        /// As TAESD's `encoder` and `decoder` name them in one file.
        static let both = Layout(encoderScope: "encoder", decoderScope: "decoder", decoderStart: 1)
        /// As taesd_encoder.safetensors and taesd_decoder.safetensors name them.
        static let single = Layout(encoderScope: "", decoderScope: "", decoderStart: 1)
    }

    /// The sizes of a file without a configuration, by its tensors' shapes, and how they are named.
    ///
    /// - Throws: `unsupportedModel` if there is neither an encoder nor a decoder of this kind.
    static func recognized(
        in checkpoint: Checkpoint
    ) throws(StableDiffusionError) -> (TinyAutoencoderConfiguration, Layout) {
        for layout in [Layout.diffusers, .both, .single] {
            let encoder = HalfShape(checkpoint, layout.encoderScope, start: 0)
            let decoder = HalfShape(checkpoint, layout.decoderScope, start: layout.decoderStart)
            let isEncoder = encoder.map { $0.inputs == 3 } ?? false
            let isDecoder = decoder.map { $0.outputs == 3 && $0.inputs != 3 } ?? false
            guard let latents = isDecoder ? decoder?.inputs : isEncoder ? encoder?.outputs : nil else {
                continue
            }
            let config = TinyAutoencoderConfiguration(
                latentChannels: latents, encoder: isEncoder ? encoder?.half : nil,
                decoder: isDecoder ? decoder?.half : nil)
            return (config, layout)
        }
        throw .unsupportedModel(path: checkpoint.path, found: "tensors of another kind than TAESD's")
    }

    /// What the numbered layers of a half are, by their tensors.
    private struct HalfShape {
        let inputs: Int, outputs: Int, half: Half

        init?(_ checkpoint: Checkpoint, _ scope: String, start: Int) {
            let prefix = scope.isEmpty ? "" : scope + "."
            guard let first = checkpoint.shape(of: "\(prefix)\(start).weight"), first.count == 4 else {
                return nil
            }
            var counts = [0]
            var outputs = first[0]
            var gap = 0
            var index = start + 1
            // Activations and upsamplings have a number and no tensors, never two in a row.
            while gap < 2, index < 512 {
                if checkpoint.shape(of: "\(prefix)\(index).conv.0.weight") != nil {
                    counts[counts.count - 1] += 1
                    gap = 0
                } else if let shape = checkpoint.shape(of: "\(prefix)\(index).weight"), shape.count == 4 {
                    counts.append(0)
                    outputs = shape[0]
                    gap = 0
                } else {
                    gap += 1
                }
                index += 1
            }
            // The last convolution closes the last level.
            guard counts.count > 1, counts.last == 0 else { return nil }
            inputs = first[1]
            self.outputs = outputs
            half = Half(channels: first[0], blockCounts: counts.dropLast())
        }
    }
}
