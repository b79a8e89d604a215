/// What the name of a tensor in a LoRA file says, in any of the usual spellings.
///
/// kohya writes `lora_unet_down_blocks_0_…_to_q.lora_down.weight`, diffusers and peft
/// `unet.down_blocks.0.….to_q.lora_A.weight`, older ones `….to_q.lora.down.weight` and
/// `….attn1.processor.to_q_lora.down.weight`.
struct LoRAKey: Hashable, Sendable {
    /// The part of the model that a layer belongs to.
    enum Part: Hashable, Sendable {
        case network
        /// By the text encoder's place.
        case text(Int)
    }

    /// What the tensor is to its layer.
    enum Role: Hashable, Sendable {
        case down, up, middle, alpha
    }

    let part: Part
    /// The layer's name with underscores for dots, since kohya's names don't tell one from the other.
    let layer: String
    let role: Role

    private static let roles: [(suffix: String, role: Role)] = [
        (".lora_down.weight", .down), (".lora_up.weight", .up), (".lora_mid.weight", .middle),
        (".lora_A.weight", .down), (".lora_B.weight", .up), (".lora_A.default.weight", .down),
        (".lora_B.default.weight", .up), (".lora.down.weight", .down), (".lora.up.weight", .up),
        (".lora_linear_layer.down.weight", .down), (".lora_linear_layer.up.weight", .up),
        ("_lora.down.weight", .down), ("_lora.up.weight", .up), (".alpha", .alpha),
    ]

    private static let prefixes: [(prefix: String, part: Part)] = [
        ("lora_unet_", .network), ("lora_te1_", .text(0)), ("lora_te2_", .text(1)), ("lora_te_", .text(0)),
        ("unet.", .network), ("text_encoder_2.", .text(1)), ("text_encoder.", .text(0)),
        ("base_model.model.", .network),
    ]

    /// nil for the name of anything else.
    init?(_ name: String) {
        guard let (suffix, role) = Self.roles.first(where: { name.hasSuffix($0.suffix) }) else { return nil }
        var layer = String(name.dropLast(suffix.count))
        var part = Part.network
        if let known = Self.prefixes.first(where: { layer.hasPrefix($0.prefix) }) {
            part = known.part
            layer = String(layer.dropFirst(known.prefix.count))
        }
        // The processors of attention that diffusers had held the layers of the same names.
        var steps = layer.split(separator: ".", omittingEmptySubsequences: false)
        if let place = steps.firstIndex(of: "processor") {
            steps.remove(at: place)
            if steps.last == "to_out" { steps.append("0") }
        }
        self.part = part
        self.layer = steps.joined(separator: "_")
        self.role = role
    }
}
