"""Write the tiny random Llama models of this folder and what transformers computes with them.

    python make-fixtures.py

Needs torch, transformers, tokenizers, safetensors and gguf. Seeds are fixed: the files come out the same. Logits are
transformers' own (LlamaForCausalLM, float32, CPU, eager attention) with the weights as the file stores them, and with
keys and values rounded to float16, as the engine's cache stores them: so that nothing but the order of sums is left.
"""

import json
import math
import shutil
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM

HERE = Path(__file__).parent
COUNT, POSITIONS = 96, [0, 1, 31, 63, 95]
MERGES = [("t", "h"), ("th", "e"), ("i", "n"), ("a", "n"), ("Ġ", "the"), ("Ġ", "a")]
SPECIALS = ["<|begin|>", "<|end|>"]
GOLDENS = {}


# The vocabulary: 256 bytes, 6 merges, 2 control tokens.

def alphabet():
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in printable}
    for byte in range(256):
        letters.setdefault(byte, chr(256 + len([b for b in range(byte) if b not in printable])))
    return [letters[byte] for byte in range(256)]


TOKENS = alphabet() + [a + b for a, b in MERGES] + SPECIALS
VOCABULARY = len(TOKENS)
IDS = [(37 * i + 11 * (i // 7)) % VOCABULARY for i in range(COUNT)]


def write_tokenizer(folder):
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(TOKENS[:-2])}, MERGES))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIALS])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"bos_token": SPECIALS[0], "eos_token": SPECIALS[1], "add_bos_token": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n")


# Models.

def make(seed, **settings):
    config = LlamaConfig(
        vocab_size=VOCABULARY, max_position_embeddings=256, bos_token_id=262, eos_token_id=263,
        attn_implementation="eager", **settings)
    torch.manual_seed(seed)
    model = LlamaForCausalLM(config).float().eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() == 2:
                weight.normal_(0, 1 if "embed" in name else 1.3 / math.sqrt(weight.shape[1]))
            else:
                weight.normal_(1, 0.2)
    return model


def rounded(model, dtype):
    """The same model with its matrices rounded as a file of that type stores them."""
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(weight.to(dtype).float())
    return model


def weights(model):
    return {k: v.detach() for k, v in model.named_parameters() if not (tied(model) and k == "lm_head.weight")}


def tied(model):
    return model.config.tie_word_embeddings


class HalfCache(DynamicCache):
    def update(self, keys, values, *rest, **settings):
        return super().update(keys.half().float(), values.half().float(), *rest, **settings)


def golden(name, model, files):
    with torch.inference_mode():
        logits = model(torch.tensor([IDS]), past_key_values=HalfCache()).logits[0]
    logits[POSITIONS].numpy().astype("<f4").tofile(HERE / f"{name}.logits")
    GOLDENS[name] = {"tokens": IDS, "positions": POSITIONS, "files": files}


# Hugging Face's layout.

def write_folder(name, model, dtype, shards=1, edit=lambda config: None):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    config = model.config.to_dict()
    keep = [
        "architectures", "model_type", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
        "num_key_value_heads", "head_dim", "vocab_size", "max_position_embeddings", "rms_norm_eps", "hidden_act",
        "rope_parameters", "tie_word_embeddings", "attention_bias", "mlp_bias", "bos_token_id", "eos_token_id",
    ]
    config["architectures"] = ["LlamaForCausalLM"]
    config = {k: config[k] for k in keep}
    edit(config)
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    write_tokenizer(folder)
    tensors = {k: v.to(dtype).contiguous() for k, v in weights(model).items()}
    if shards == 1:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        return
    names, index = list(tensors), {}
    for shard in range(shards):
        file = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
        part = {k: tensors[k] for k in names[shard::shards]}
        save_file(part, folder / file, metadata={"format": "pt"})
        index |= {k: file for k in part}
    size = sum(t.numel() * t.element_size() for t in tensors.values())
    document = {"metadata": {"total_size": size}, "weight_map": index}
    (folder / "model.safetensors.index.json").write_text(json.dumps(document, indent=1) + "\n")


# GGUF, with llama.cpp's names and its order of the rows of queries and keys.

PARTS = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}


def gguf_name(name):
    if name.startswith("model.layers."):
        _, _, layer, rest = name.split(".", 3)
        return f"blk.{layer}.{PARTS[rest.removesuffix('.weight')]}.weight"
    fixed = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
    return fixed[name.removesuffix(".weight")] + ".weight"


def permuted(weight, heads, inverse=False):
    """Rows of a head from halves to pairs, as llama.cpp's converter orders them."""
    split = (heads, weight.shape[0] // heads // 2, 2) if inverse else (heads, 2, weight.shape[0] // heads // 2)
    return weight.reshape(*split, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def heads_of(name, config):
    return {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}.get(name.split(".")[-2])


def rope_factors(config):
    """What llama.cpp's converter writes as rope_freqs."""
    rope = config.rope_parameters
    low = rope["original_max_position_embeddings"] / rope["low_freq_factor"]
    high = rope["original_max_position_embeddings"] / rope["high_freq_factor"]
    factors = []
    for i in range(0, config.head_dim, 2):
        length = 2 * math.pi * rope["rope_theta"] ** (i / config.head_dim)
        if length < high:
            factors.append(1)
        elif length > low:
            factors.append(rope["factor"])
        else:
            smooth = (rope["original_max_position_embeddings"] / length - rope["low_freq_factor"]) / (
                rope["high_freq_factor"] - rope["low_freq_factor"])
            factors.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return np.array(factors, dtype=np.float32)


def write_gguf(name, model, encode):
    """`encode(name, array)` gives the bytes and the type of a matrix in the file."""
    config = model.config
    writer = gguf.GGUFWriter(str(HERE / f"{name}.gguf"), "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_vocab_size(VOCABULARY)
    if config.head_dim * config.num_attention_heads != config.hidden_size:
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)
    if config.rope_parameters["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(config.rope_parameters["factor"])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(TOKENS)
    writer.add_token_types([3 if t in SPECIALS else 1 for t in TOKENS])
    writer.add_token_merges([f"{a} {b}" for a, b in MERGES])
    writer.add_bos_token_id(262)
    writer.add_eos_token_id(263)
    writer.add_add_bos_token(False)
    if config.rope_parameters["rope_type"] == "llama3":
        writer.add_tensor("rope_freqs.weight", rope_factors(config))
    for key, weight in weights(model).items():
        target, array = gguf_name(key), weight.numpy()
        if heads := heads_of(target, config):
            array = permuted(array, heads)
        if array.ndim == 1:
            writer.add_tensor(target, array)
        else:
            data, kind = encode(target, array)
            writer.add_tensor(target, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def plain(dtype):
    kind = {np.float32: Type.F32, np.float16: Type.F16}[dtype]
    return lambda name, array: (np.ascontiguousarray(array.astype(dtype)), kind)


# Quantised files: the reference computes with what the blocks stand for.

def quantised(kind):
    def encode(name, array):
        each = Type.Q8_0 if name.startswith("token_embd") else kind
        return gguf.quants.quantize(np.ascontiguousarray(array), each), each
    return encode


def random_blocks(kind, shape, generator):
    """Blocks of a type that gguf can't write: random bits, with scales that keep the weights near 1 / sqrt(in)."""
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = generator.integers(0, 256, (shape[0] * shape[1] // elements, size), dtype=np.uint8)
    # Where a block's float16 scales lie, and about how large the rest of a weight gets.
    scales = {
        Type.Q2_K: ([80, 82], 20), Type.Q3_K: ([108], 60), Type.Q4_K: ([0, 2], 300), Type.Q5_K: ([0, 2], 600),
        Type.Q6_K: ([208], 1200), Type.IQ4_NL: ([0], 70), Type.IQ4_XS: ([0], 1100),
    }
    places, size = scales[kind]
    for place in places:
        scale = generator.uniform(1, 2, len(blocks)) / math.sqrt(shape[1]) / size
        blocks[:, place : place + 2] = scale.astype("<f2").view(np.uint8).reshape(-1, 2)
    return blocks.reshape(shape[0], -1)


def mixed(generator):
    kinds = {
        "token_embd": Type.Q6_K, "attn_q": Type.Q3_K, "attn_k": Type.Q2_K, "attn_v": Type.IQ4_XS,
        "attn_output": Type.IQ4_NL, "ffn_gate": Type.Q4_K, "ffn_up": Type.Q5_K, "ffn_down": Type.Q6_K,
    }

    def encode(name, array):
        kind = kinds[name.split(".")[-2]]
        return random_blocks(kind, array.shape, generator), kind
    return encode


def with_weights_of(name, model, encode):
    """Writes the file, then gives the model the weights that gguf reads out of the blocks."""
    blocks = {}

    def remembering(target, array):
        blocks[target] = encode(target, array)
        return blocks[target]

    write_gguf(name, model, remembering)
    with torch.no_grad():
        for key, weight in model.named_parameters():
            if weight.dim() == 2 and gguf_name(key) in blocks:
                array = gguf.quants.dequantize(*blocks[gguf_name(key)])
                if heads := heads_of(gguf_name(key), model.config):
                    array = permuted(array, heads, inverse=True)
                weight.copy_(torch.from_numpy(np.ascontiguousarray(array)))
    golden(name, model, [f"{name}.gguf"])


def main():
    default = {"rope_type": "default", "rope_theta": 10000.0}
    # 40 and 56 are no multiples of 32.
    model = make(
        1, hidden_size=40, intermediate_size=56, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        rms_norm_eps=1e-5, tie_word_embeddings=True, rope_parameters=default)
    write_folder("tied", model, torch.float32)
    write_gguf("tied", model, plain(np.float32))
    golden("tied", model, ["tied", "tied.gguf"])

    def wide(dtype):
        model = make(
            2, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=1, head_dim=24, rms_norm_eps=1e-6, tie_word_embeddings=False, rope_parameters=default)
        return rounded(model, dtype)

    model = wide(torch.bfloat16)
    write_folder("wide-heads", model, torch.bfloat16, shards=2)
    golden("wide-heads", model, ["wide-heads"])
    model = wide(torch.float16)
    write_gguf("wide-heads-f16", model, plain(np.float16))
    golden("wide-heads-f16", model, ["wide-heads-f16.gguf"])

    small = dict(
        hidden_size=32, intermediate_size=40, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1,
        rms_norm_eps=1e-5, tie_word_embeddings=True)
    model = make(3, **small, rope_parameters={
        "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64})
    write_folder("llama3-rope", model, torch.float32)
    write_gguf("llama3-rope", model, plain(np.float32))
    golden("llama3-rope", model, ["llama3-rope", "llama3-rope.gguf"])

    def older(config):
        rope = config.pop("rope_parameters")
        config["rope_theta"] = rope["rope_theta"]
        config["rope_scaling"] = {"type": rope["rope_type"], "factor": rope["factor"]}
        del config["head_dim"]

    model = make(4, **small, rope_parameters={"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0})
    write_folder("linear-rope", model, torch.float32, edit=older)
    write_gguf("linear-rope", model, plain(np.float32))
    golden("linear-rope", model, ["linear-rope", "linear-rope.gguf"])

    for kind in (Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0):
        model = make(
            5, hidden_size=64, intermediate_size=96, num_hidden_layers=1, num_attention_heads=4, num_key_value_heads=2,
            rms_norm_eps=1e-5, tie_word_embeddings=True, rope_parameters=default)
        with_weights_of(kind.name.lower(), model, quantised(kind))

    model = make(
        6, hidden_size=256, intermediate_size=256, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1,
        head_dim=16, rms_norm_eps=1e-5, tie_word_embeddings=True, rope_parameters=default)
    with_weights_of("k-quants", model, mixed(np.random.default_rng(6)))
    (HERE / "goldens.json").write_text(json.dumps(GOLDENS) + "\n")


if __name__ == "__main__":
    main()
