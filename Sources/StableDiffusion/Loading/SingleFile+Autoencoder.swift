import Checkpoints
import StrictJSON

// The autoencoder of a single file: `first_stage_model.…`, whose levels on the way up are counted from the finest.

extension SingleFile {
    /// The autoencoder by diffusers' names.
    func autoencoderPart() throws -> ModelFiles.Part {
        let prefix = Self.autoencoder
        let levels = count { "\(prefix)decoder.up.\($0).block.0.conv1.weight" }
        let channels = (0..<levels).compactMap { rows("\(prefix)decoder.up.\($0).block.0.conv1.weight") }
        let layers = count { "\(prefix)decoder.up.0.block.\($0).conv1.weight" } - 1
        guard levels > 0, layers > 0,
            let latents = checkpoint.shape(of: prefix + "decoder.conv_in.weight"), latents.count == 4
        else {
            throw StableDiffusionError.missingPart(
                path: path, part: "VAE", expected: "an AutoencoderKL in \(prefix)decoder")
        }
        if !names.contains(prefix + "encoder.conv_in.weight") {
            throw StableDiffusionError.missingPart(
                path: path, part: "VAE's encoder", expected: prefix + "encoder")
        }
        func list(_ name: String) -> JSONValue { .array(channels.map { _ in .string(name) }) }
        let config = row.autoencoder.with(
            [
                ("block_out_channels", .array(channels.map { .integer($0) })),
                ("layers_per_block", .integer(layers)), ("latent_channels", .integer(latents[1])),
                ("down_block_types", list("DownEncoderBlock2D")),
                ("up_block_types", list("UpDecoderBlock2D")),
                ("use_quant_conv", .bool(names.contains(prefix + "quant_conv.weight"))),
                ("use_post_quant_conv", .bool(names.contains(prefix + "post_quant_conv.weight"))),
                ("mid_block_add_attention", .bool(names.contains(prefix + "decoder.mid.attn_1.q.weight"))),
            ], path: path)
        let aliases = names.sorted().compactMap { name in
            name.hasPrefix(prefix)
                ? Self.autoencoderName(String(name.dropFirst(prefix.count)), levels: levels)
                    .map { TensorAlias($0, name) } : nil
        }
        return ModelFiles.Part(config: config, weights: try checkpoint.renamed(aliases))
    }

    private static let attention = [
        "norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0",
    ]

    /// diffusers' name of an autoencoder's tensor, or nil for one that it doesn't have.
    static func autoencoderName(_ name: String, levels: Int) -> String? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let rest = { (count: Int) in parts.dropFirst(count).joined(separator: ".") }
        guard let half = parts.first, parts.count >= 2 else { return nil }
        guard half == "encoder" || half == "decoder" else {
            return half == "quant_conv" || half == "post_quant_conv" ? name : nil
        }
        switch parts[1] {
        case "conv_in", "conv_out": return name
        case "norm_out": return "\(half).conv_norm_out.\(rest(2))"
        case "mid" where parts.count > 3:
            switch parts[2] {
            case "block_1": return "\(half).mid_block.resnets.0.\(rest(3))"
            case "block_2": return "\(half).mid_block.resnets.1.\(rest(3))"
            case "attn_1":
                return attention[parts[3]].map { "\(half).mid_block.attentions.0.\($0).\(rest(4))" }
            default: return nil
            }
        case "down" where parts.count > 4, "up" where parts.count > 4:
            guard let number = Int(parts[2]), (0..<levels).contains(number) else { return nil }
            let level = parts[1] == "up" ? levels - 1 - number : number
            let target = "\(half).\(parts[1])_blocks.\(level)"
            switch parts[3] {
            case "block":
                let layer = rest(5).hasPrefix("nin_shortcut.") ? "conv_shortcut." + rest(6) : rest(5)
                return "\(target).resnets.\(parts[4]).\(layer)"
            case "downsample": return "\(target).downsamplers.0.\(rest(4))"
            case "upsample": return "\(target).upsamplers.0.\(rest(4))"
            default: return nil
            }
        default: return nil
        }
    }
}
