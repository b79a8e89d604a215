import Checkpoints
import StrictJSON

/// The blocks of a network in CompVis's layout, one list down and one up, found by walking over their tensors.
struct NetworkLayout {
    /// One level: its layers, and how deep their transformers are.
    private struct Level {
        var channels = 0
        /// Transformer blocks of each layer; nil for a layer without.
        var depths: [Int?] = []
    }

    private let file: SingleFile
    private let prefix: String
    private var down = [Level()]
    private var up = [Level()]
    /// nil without a middle; a depth of nil for a middle without a transformer.
    private var middle: Int??
    /// The beginning of a name in the file, and that of diffusers' for it.
    private var places: [String: String] = [:]

    /// Walks down, through the middle, and up.
    ///
    /// - Throws: `unsupportedModel` where the blocks don't follow each other as they must.
    init(_ file: SingleFile, prefix: String) throws(StableDiffusionError) {
        self.file = file
        self.prefix = prefix
        places = [
            "time_embed.0": "time_embedding.linear_1", "time_embed.2": "time_embedding.linear_2",
            "time_embed.cond_proj": "time_embedding.cond_proj", "label_emb.0.0": "add_embedding.linear_1",
            "label_emb.0.2": "add_embedding.linear_2", "input_blocks.0.0": "conv_in",
            "out.0": "conv_norm_out",
            "out.2": "conv_out",
        ]
        walkDown()
        walkMiddle()
        walkUp()
        guard up.count == down.count,
            zip(up, down.reversed()).allSatisfy({ $0.depths.count == $1.depths.count + 1 }),
            down.allSatisfy({ !$0.depths.isEmpty && $0.channels > 0 })
        else {
            throw .unsupportedModel(path: file.path, found: "blocks that don't follow each other as expected")
        }
    }

    private mutating func walkDown() {
        var index = 1
        while index < 1024 {
            let block = "input_blocks.\(index)"
            let level = down.count - 1
            if has("\(block).0.op.weight") {
                places["\(block).0.op"] = "down_blocks.\(level).downsamplers.0.conv"
                down.append(Level())
            } else if let channels = rows("\(block).0.in_layers.2.weight") {
                let layer = down[level].depths.count
                place(block, "down_blocks.\(level)", layer)
                down[level].channels = channels
                down[level].depths.append(depth("\(block).1"))
            } else {
                return
            }
            index += 1
        }
    }

    private mutating func walkMiddle() {
        guard has("middle_block.0.in_layers.2.weight") else { return }
        places["middle_block.0"] = "mid_block.resnets.0"
        middle = .some(depth("middle_block.1"))
        guard middle != .some(nil) else { return }
        places["middle_block.1"] = "mid_block.attentions.0"
        places["middle_block.2"] = "mid_block.resnets.1"
    }

    private mutating func walkUp() {
        var index = 0
        while index < 1024, let channels = rows("output_blocks.\(index).0.in_layers.2.weight") {
            let block = "output_blocks.\(index)"
            let level = up.count - 1
            place(block, "up_blocks.\(level)", up[level].depths.count)
            up[level].channels = channels
            up[level].depths.append(depth("\(block).1"))
            // After the last layer of a level, behind its transformer if it has one.
            for part in 1...2 where has("\(block).\(part).conv.weight") {
                places["\(block).\(part)"] = "up_blocks.\(level).upsamplers.0"
                up.append(Level())
            }
            index += 1
        }
    }

    /// A residual block and the transformer after it.
    private mutating func place(_ block: String, _ target: String, _ layer: Int) {
        places["\(block).0"] = "\(target).resnets.\(layer)"
        if depth("\(block).1") != nil { places["\(block).1"] = "\(target).attentions.\(layer)" }
    }

    /// Blocks of the transformer `name`; nil where there is none.
    private func depth(_ name: String) -> Int? {
        guard has("\(name).proj_in.weight") else { return nil }
        return file.count { "\(prefix)\(name).transformer_blocks.\($0).norm1.weight" }
    }

    private func has(_ name: String) -> Bool { file.names.contains(prefix + name) }

    private func rows(_ name: String) -> Int? { file.rows(prefix + name) }

    // MARK: - Names

    /// The layers of a residual block.
    private static let residual = [
        "in_layers.0": "norm1", "in_layers.2": "conv1", "emb_layers.1": "time_emb_proj",
        "out_layers.0": "norm2", "out_layers.3": "conv2", "skip_connection": "conv_shortcut",
    ]

    /// The network's tensors by diffusers' names; what else is in the file isn't the network's.
    var aliases: [TensorAlias] {
        file.names.sorted().compactMap { name in
            guard name.hasPrefix(prefix) else { return nil }
            return target(name.dropFirst(prefix.count)).map { TensorAlias($0, name) }
        }
    }

    /// diffusers' name of a tensor, or nil for none of the network's.
    private func target(_ name: Substring) -> String? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        // The longest place first: `input_blocks.3.0.op` before `input_blocks.3.0`.
        for length in stride(from: min(4, parts.count - 1), through: 1, by: -1) {
            guard let place = places[parts[..<length].joined(separator: ".")] else { continue }
            let rest = parts[length...].joined(separator: ".")
            guard place.contains("resnets.") else { return place + "." + rest }
            guard let layer = Self.residual.first(where: { rest.hasPrefix($0.key + ".") }) else { return nil }
            return "\(place).\(layer.value)\(rest.dropFirst(layer.key.count))"
        }
        return nil
    }

    // MARK: - Configuration

    /// A config.json of diffusers' for this network.
    func configuration(
        _ row: FamilyTable.Family, _ prediction: Prediction, path: String
    ) throws -> ConfigFile {
        let usual = row.network
        var members: [(name: String, value: JSONValue)] = [
            ("sample_size", try row.sampleSize(prediction)),
            ("block_out_channels", Self.list(down.map(\.channels))),
            ("layers_per_block", Self.list(down.map(\.depths.count))),
            ("down_block_types", Self.types(down, "DownBlock2D", "CrossAttnDownBlock2D")),
            ("up_block_types", Self.types(up, "UpBlock2D", "CrossAttnUpBlock2D")),
            ("reverse_transformer_layers_per_block", Self.depths(up)),
            ("mid_block_type", middleType),
            ("transformer_layers_per_block", try depthsDown()),
        ]
        if let size = try usual.optionalInt("head_size", in: 1...1 << 12) {
            members.append(("attention_head_dim", Self.list(down.map { max(1, $0.channels / size) })))
        }
        try addSizes(&members)
        return usual.with(members, path: path)
    }

    private var middleType: JSONValue {
        switch middle {
        case nil: .null
        case .some(nil): .string("UNetMidBlock2D")
        case .some(.some): .string("UNetMidBlock2DCrossAttn")
        }
    }

    /// The middle's depth is that of the last level's first layer.
    private func depthsDown() throws(StableDiffusionError) -> JSONValue {
        var levels = down
        if case .some(.some(let depth)) = middle, let last = levels.indices.last {
            guard levels[last].depths.allSatisfy({ $0 == nil || $0 == depth }) else {
                throw .unsupportedModel(
                    path: file.path, found: "a middle of another depth than the last level's")
            }
            levels[last].depths = levels[last].depths.map { _ in depth }
        }
        return Self.depths(levels)
    }

    private func addSizes(_ members: inout [(name: String, value: JSONValue)]) throws(StableDiffusionError) {
        func shape(_ name: String) -> [Int]? { file.checkpoint.shape(of: prefix + name) }
        func add(_ name: String, _ value: Int?) {
            if let value { members.append((name, .integer(value))) }
        }
        guard let input = shape("input_blocks.0.0.weight"), input.count == 4,
            let output = shape("out.2.weight"), output.count == 4,
            let context = file.names.sorted().first(where: {
                $0.hasPrefix(prefix) && $0.hasSuffix("attn2.to_k.weight")
            }), let contextShape = file.checkpoint.shape(of: context), contextShape.count == 2
        else {
            throw .unsupportedModel(path: file.path, found: "a network without attention to a text")
        }
        add("in_channels", input[1])
        add("out_channels", output[0])
        add("cross_attention_dim", contextShape[1])
        add("time_embedding_dim", rows("time_embed.0.weight"))
        add("time_cond_proj_dim", shape("time_embed.cond_proj.weight")?.last)
        let projection = file.names.first { $0.hasPrefix(prefix) && $0.hasSuffix("proj_in.weight") }
        let isLinear = projection.flatMap(file.checkpoint.shape(of:))?.count == 2
        members.append(("use_linear_projection", .bool(isLinear)))
        if let added = shape("label_emb.0.0.weight"), added.count == 2 {
            members.append(("addition_embed_type", .string("text_time")))
            add("projection_class_embeddings_input_dim", added[1])
        }
    }

    private static func list(_ values: [Int]) -> JSONValue { .array(values.map { .integer($0) }) }

    private static func types(_ levels: [Level], _ plain: String, _ attention: String) -> JSONValue {
        .array(levels.map { .string($0.depths.contains { $0 != nil } ? attention : plain) })
    }

    private static func depths(_ levels: [Level]) -> JSONValue {
        .array(levels.map { list($0.depths.map { $0 ?? 0 }) })
    }
}
