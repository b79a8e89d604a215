public import Tensors

/// What a file calls the parts of the network, and how it orders the rows that RoPE turns.
public struct TensorNames: Sendable {
    public let embedding, blocks, finalNorm, output: String
    public let attentionNorm, query, key, value, attentionOutput: String
    public let feedForwardNorm, gate, up, down: String
    /// GGUF's converters reorder the rows of queries and keys so that pairs lie side by side.
    public let pairing: RotaryTable.Pairing

    /// llama.cpp's names.
    public static let gguf = TensorNames(
        embedding: "token_embd", blocks: "blk", finalNorm: "output_norm", output: "output",
        attentionNorm: "attn_norm", query: "attn_q", key: "attn_k", value: "attn_v",
        attentionOutput: "attn_output",
        feedForwardNorm: "ffn_norm", gate: "ffn_gate", up: "ffn_up", down: "ffn_down",
        pairing: .interleaved)

    /// The names of Hugging Face's LlamaForCausalLM.
    public static let huggingFace = TensorNames(
        embedding: "model.embed_tokens", blocks: "model.layers", finalNorm: "model.norm", output: "lm_head",
        attentionNorm: "input_layernorm", query: "self_attn.q_proj", key: "self_attn.k_proj",
        value: "self_attn.v_proj", attentionOutput: "self_attn.o_proj",
        feedForwardNorm: "post_attention_layernorm", gate: "mlp.gate_proj", up: "mlp.up_proj",
        down: "mlp.down_proj",
        pairing: .halves)
}
