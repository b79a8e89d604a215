import Checkpoints
import StrictJSON
import Tensors

// The text encoders of a single file: transformers' own tensors under a prefix, or OpenCLIP's.

extension SingleFile {
    /// The text encoders by transformers' names.
    func texts() throws -> [ModelFiles.Text] {
        let rows = try row.texts
        let prefixes =
            switch family {
            case .stableDiffusion1: ["cond_stage_model.transformer."]
            case .stableDiffusion2: ["cond_stage_model.model."]
            case .stableDiffusionXL:
                ["conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."]
            }
        guard rows.count == prefixes.count else {
            throw StableDiffusionError.invalidConfiguration(
                file: path, key: "texts", expected: "\(prefixes.count) rows", found: "\(rows.count)")
        }
        return try zip(prefixes, rows).map { prefix, row in
            let isOpen = prefix.hasSuffix(".model.")
            let encoder = try isOpen ? openEncoder(prefix, row) : ownEncoder(prefix, row)
            let pad = try row.optionalString("pad") ?? "<|endoftext|>"
            return ModelFiles.Text(encoder: encoder, vocabulary: .standard(pad: pad))
        }
    }

    /// An encoder with transformers' names, in files of before 2022 without text_model.
    private func ownEncoder(_ prefix: String, _ row: ConfigFile) throws -> ModelFiles.Part {
        let older = "text_model."
        var aliases: [TensorAlias] = []
        for name in names.sorted() where name.hasPrefix(prefix) {
            let rest = String(name.dropFirst(prefix.count))
            aliases.append(TensorAlias(rest.hasPrefix(older) ? rest : older + rest, name))
        }
        let weights = try checkpoint.renamed(aliases)
        let layers = Self.layerCount(weights)
        return ModelFiles.Part(config: try config(row, weights, layers), weights: weights)
    }

    /// An encoder of OpenCLIP's, whose projections of queries, keys and values are one matrix.
    private func openEncoder(_ prefix: String, _ row: ConfigFile) throws -> ModelFiles.Part {
        let unused = try row.int("unused_layers", in: 0...64, default: 0)
        let count = count { "\(prefix)transformer.resblocks.\($0).ln_1.weight" } - unused
        guard count > 0 else {
            throw StableDiffusionError.missingPart(
                path: path, part: "text encoder", expected: "\(prefix)transformer.resblocks")
        }
        var aliases: [TensorAlias] = []
        for name in names.sorted() where name.hasPrefix(prefix) {
            let rest = String(name.dropFirst(prefix.count))
            aliases += Self.openNames(rest, layers: count, rows: rows(name) ?? 0).map { target, rows in
                TensorAlias(target, name, rows: rows)
            }
        }
        // SD 2 never asks for the whole text as one row, and the last layers, which that would need, are unused.
        let projection = prefix + "text_projection"
        var weights = try checkpoint.renamed(aliases)
        if unused == 0, names.contains(projection) {
            weights = try checkpoint.renamed(
                aliases + [TensorAlias("text_projection.weight", projection)]
            ).edited(["text_projection.weight": { $0.transposed() }])
        }
        return ModelFiles.Part(config: try config(row, weights, count), weights: weights)
    }

    private static let openLayers = [
        "ln_1": "layer_norm1", "ln_2": "layer_norm2", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
        "attn.out_proj": "self_attn.out_proj",
    ]

    /// transformers' names of a tensor of OpenCLIP's: one, three for parts of its rows, or none.
    static func openNames(
        _ name: String, layers: Int, rows: Int
    ) -> [(target: String, rows: Range<Int>?)] {
        switch name {
        case "positional_embedding": return [("text_model.embeddings.position_embedding.weight", nil)]
        case "token_embedding.weight": return [("text_model.embeddings.token_embedding.weight", nil)]
        case "ln_final.weight", "ln_final.bias":
            return [("text_model.final_layer_norm." + name.dropFirst("ln_final.".count), nil)]
        default: break
        }
        let parts = name.split(separator: ".", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "transformer", parts[1] == "resblocks", let layer = Int(parts[2]),
            (0..<layers).contains(layer)
        else { return [] }
        let target = "text_model.encoder.layers.\(layer)."
        let rest = String(parts[3])
        if rest == "attn.in_proj_weight" || rest == "attn.in_proj_bias" {
            let kind = rest.hasSuffix("bias") ? "bias" : "weight"
            let size = rows / 3
            return ["q_proj", "k_proj", "v_proj"].enumerated().map { index, projection in
                ("\(target)self_attn.\(projection).\(kind)", index * size..<(index + 1) * size)
            }
        }
        guard let known = openLayers.first(where: { rest.hasPrefix($0.key + ".") }) else { return [] }
        return [(target + known.value + rest.dropFirst(known.key.count), nil)]
    }

    private static func layerCount(_ weights: Checkpoint) -> Int {
        var count = 0
        while weights.shape(of: "text_model.encoder.layers.\(count).layer_norm1.weight") != nil { count += 1 }
        return count
    }

    /// A config.json of transformers' for this encoder.
    private func config(_ row: ConfigFile, _ weights: Checkpoint, _ layers: Int) throws -> ConfigFile {
        func shape(_ name: String) throws -> [Int] {
            let full = "text_model." + name
            guard let shape = weights.shape(of: full), shape.count == 2 else {
                throw CheckpointError.missingTensor(file: path, tensor: full, expected: "a matrix")
            }
            return shape
        }
        let tokens = try shape("embeddings.token_embedding.weight")
        let headSize = try row.int("head_size", in: 1...1 << 12, default: 64)
        var members: [(name: String, value: JSONValue)] = [
            ("vocab_size", .integer(tokens[0])), ("hidden_size", .integer(tokens[1])),
            (
                "max_position_embeddings",
                .integer(try shape("embeddings.position_embedding.weight")[0])
            ),
            ("intermediate_size", .integer(try shape("encoder.layers.0.mlp.fc1.weight")[0])),
            ("num_hidden_layers", .integer(layers)),
            ("num_attention_heads", .integer(max(1, tokens[1] / headSize))),
        ]
        if let projection = weights.tensor("text_projection.weight")?.shape.first {
            members.append(("projection_dim", .integer(projection)))
        }
        let usual = ConfigFile(row.value("config") ?? .object(JSONObject()), path: path)
        return usual.with(members)
    }
}
