/// The names that CompVis's layout has for the blocks of a network of this shape: LoRA files of SDXL use them.
struct CompVisNames {
    private let blocks: [String: String]

    private static let residual = [
        "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "conv2": "out_layers.3",
        "conv_shortcut": "skip_connection",
    ]
    private static let others = [
        "conv_in": "input_blocks.0.0", "conv_out": "out.2", "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2", "add_embedding.linear_1": "label_emb.0.0",
        "add_embedding.linear_2": "label_emb.0.2",
    ]

    init(_ configuration: UNetConfiguration) {
        var blocks = [
            "mid_block.resnets.0": "middle_block.0", "mid_block.attentions.0": "middle_block.1",
            "mid_block.resnets.1": "middle_block.2",
        ]
        var index = 1
        for (level, block) in configuration.down.enumerated() {
            for layer in 0..<block.layerCount {
                blocks["down_blocks.\(level).resnets.\(layer)"] = "input_blocks.\(index).0"
                blocks["down_blocks.\(level).attentions.\(layer)"] = "input_blocks.\(index).1"
                index += 1
            }
            guard block.resamples else { continue }
            blocks["down_blocks.\(level).downsamplers.0"] = "input_blocks.\(index).0"
            index += 1
        }
        index = 0
        for (level, block) in configuration.up.enumerated() {
            for layer in 0..<block.layerCount {
                blocks["up_blocks.\(level).resnets.\(layer)"] = "output_blocks.\(index).0"
                blocks["up_blocks.\(level).attentions.\(layer)"] = "output_blocks.\(index).1"
                index += 1
            }
            let place = block.transformers == nil ? 1 : 2
            blocks["up_blocks.\(level).upsamplers.0"] = "output_blocks.\(index - 1).\(place)"
        }
        self.blocks = blocks
    }

    /// The name of a layer that diffusers names `layer`; nil for one without.
    func name(_ layer: String) -> String? {
        if let known = Self.others[layer] { return known }
        let steps = layer.split(separator: ".").map(String.init)
        for length in [4, 3] where steps.count > length {
            guard let block = blocks[steps[..<length].joined(separator: ".")] else { continue }
            let rest = steps[length...].joined(separator: ".")
            if steps[length - 2] == "resnets" { return Self.residual[rest].map { "\(block).\($0)" } }
            return steps[length - 2] == "downsamplers" ? "\(block).op" : "\(block).\(rest)"
        }
        return nil
    }
}
