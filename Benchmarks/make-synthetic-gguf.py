#!/usr/bin/env python3
"""Writes GGUF files with the shapes, tokenizer and metadata of real Llama 3 models, and random weights.

    make-synthetic-gguf.py 1b q4_k_m llama-1b-q4_k_m.gguf

Text from such a model is meaningless; its speed and memory are those of the real one. The seed is fixed, so the
files are reproducible. Needs the packages `gguf` and `numpy`; the vocabulary comes from llama.cpp's own test data
(peers/fetch-llama-cpp gets it), or from --vocabulary.
"""

import argparse
import pathlib
import subprocess
from typing import NamedTuple

import gguf
import numpy as np

Type = gguf.GGMLQuantizationType
VOCABULARY = "vendor/llama.cpp/models/ggml-vocab-llama-bpe.gguf"
# Only the format's markers; the real templates carry more.
TEMPLATE = (
    "{{- bos_token }}{%- for message in messages %}{{- '<|start_header_id|>' + message['role'] + "
    "'<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif %}"
)


class Shape(NamedTuple):
    name: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    feed_forward: int
    context: int
    tied: bool
    rope_scaling: bool
    vocabulary: int = 128_256

    @property
    def head_dim(self):
        return self.hidden // self.heads


SHAPES = {
    "1b": Shape("synthetic Llama-3.2-1B shape", 16, 2048, 32, 8, 8192, 131_072, True, True),
    "8b": Shape("synthetic Llama-3-8B shape", 32, 4096, 32, 8, 14_336, 8192, False, False),
}
FILE_TYPES = {
    "f16": gguf.LlamaFileType.MOSTLY_F16,
    "q4_0": gguf.LlamaFileType.MOSTLY_Q4_0,
    "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0,
    "q4_k_m": gguf.LlamaFileType.MOSTLY_Q4_K_M,
}


def tensor_type(kind, shape, name, layer):
    """The type that llama-quantize gives a matrix in a file of `kind`."""
    if kind == "f16":
        return Type.F16
    if kind == "q8_0":
        return Type.Q8_0
    if name == "output" or (shape.tied and name == "token_embd"):
        return Type.Q6_K
    if kind == "q4_0":
        return Type.Q4_0
    eighth = shape.layers // 8
    more_bits = layer < eighth or layer >= 7 * eighth or (layer - eighth) % 3 == 2
    return Type.Q6_K if name in ("attn_v", "ffn_down") and more_bits else Type.Q4_K


def tensors(kind, shape):
    """(name, rows, columns, type) of every tensor; a vector has 0 rows."""
    hidden, kv = shape.hidden, shape.kv_heads * shape.head_dim
    yield "token_embd.weight", shape.vocabulary, hidden, tensor_type(kind, shape, "token_embd", 0)
    if shape.rope_scaling:
        yield "rope_freqs.weight", 0, shape.head_dim // 2, Type.F32
    matrices = [
        ("ffn_down", hidden, shape.feed_forward), ("ffn_gate", shape.feed_forward, hidden),
        ("ffn_up", shape.feed_forward, hidden), ("attn_k", kv, hidden), ("attn_output", hidden, hidden),
        ("attn_q", hidden, hidden), ("attn_v", kv, hidden),
    ]
    for layer in range(shape.layers):
        for norm in ("attn_norm", "ffn_norm"):
            yield f"blk.{layer}.{norm}.weight", 0, hidden, Type.F32
        for name, rows, columns in matrices:
            yield f"blk.{layer}.{name}.weight", rows, columns, tensor_type(kind, shape, name, layer)
    yield "output_norm.weight", 0, hidden, Type.F32
    if not shape.tied:
        yield "output.weight", shape.vocabulary, hidden, tensor_type(kind, shape, "output", 0)


def half(value):
    return np.frombuffer(np.float16(value).tobytes(), np.uint8)


def random_blocks(rng, rows, columns, kind):
    """Raw blocks whose dequantised weights have a standard deviation of about 0.02."""
    if kind == Type.F16:
        return (rng.standard_normal((rows, columns), dtype=np.float32) * 0.02).astype(np.float16)
    length, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = np.frombuffer(rng.bytes(rows * columns // length * size), np.uint8).reshape(-1, size).copy()
    if kind == Type.Q4_0:
        blocks[:, 0:2] = half(0.0043)
    elif kind == Type.Q8_0:
        blocks[:, 0:2] = half(0.02 / 74)
    elif kind == Type.Q4_K:
        blocks[:, 0:2] = half(1.3e-4)
        blocks[:, 2:4] = half(1.3e-4 * 7.5)
        # All 6-bit scales and minimums are 33, in the packing of get_scale_min_k4.
        blocks[:, 4:12] = 33 | (2 << 6)
        blocks[:, 12:16] = 1 | (1 << 4)
    elif kind == Type.Q6_K:
        blocks[:, 192:208] = 32
        blocks[:, 208:210] = half(3.4e-5)
    return blocks.reshape(rows, -1)


def rope_factors(shape):
    """Llama 3's frequency factors: factor 32, low 1, high 4, original context 8192."""
    frequencies = 1.0 / 500_000.0 ** (np.arange(0, shape.head_dim, 2, dtype=np.float64) / shape.head_dim)
    wavelengths = 2 * np.pi / frequencies
    smooth = np.clip((8192 / wavelengths - 1.0) / (4.0 - 1.0), 0, 1)
    return (1 / ((1 - smooth) / 32.0 + smooth)).astype(np.float32)


def write_metadata(writer, kind, shape, vocabulary):
    writer.add_name(shape.name)
    writer.add_block_count(shape.layers)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.hidden)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_freq_base(500_000.0)
    writer.add_rope_dimension_count(shape.head_dim)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_key_length(shape.head_dim)
    writer.add_value_length(shape.head_dim)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(FILE_TYPES[kind])
    writer.add_quantization_version(2)
    fields = gguf.GGUFReader(vocabulary).fields
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(fields["tokenizer.ggml.tokens"].contents())
    writer.add_token_types(fields["tokenizer.ggml.token_type"].contents())
    writer.add_token_merges(fields["tokenizer.ggml.merges"].contents())
    writer.add_bos_token_id(128_000)
    writer.add_eos_token_id(128_009)
    writer.add_chat_template(TEMPLATE)


def write(kind, shape, vocabulary, output):
    rng = np.random.default_rng(20250101)
    writer = gguf.GGUFWriter(output, "llama")
    write_metadata(writer, kind, shape, vocabulary)
    for name, rows, columns, element in tensors(kind, shape):
        if element == Type.F32:
            writer.add_tensor_info(name, (columns,), np.float32, columns * 4)
        elif element == Type.F16:
            writer.add_tensor_info(name, (rows, columns), np.float16, rows * columns * 2)
        else:
            length, size = gguf.GGML_QUANT_SIZES[element]
            row = columns // length * size
            writer.add_tensor_info(name, (rows, row), np.uint8, rows * row, raw_dtype=element)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for name, rows, columns, element in tensors(kind, shape):
        if name == "rope_freqs.weight":
            writer.write_tensor_data(rope_factors(shape))
        elif element == Type.F32:
            writer.write_tensor_data(np.ones(columns, np.float32))
        else:
            writer.write_tensor_data(random_blocks(rng, rows, columns, element))
    writer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("type", choices=FILE_TYPES)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--vocabulary", type=pathlib.Path, help="a GGUF with Llama 3's vocabulary")
    options = parser.parse_args()
    vocabulary = options.vocabulary
    if vocabulary is None:
        fetch = pathlib.Path(__file__).resolve().parent / "peers" / "fetch-llama-cpp"
        source = subprocess.run([fetch], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        vocabulary = pathlib.Path(source) / VOCABULARY
    # Written beside its place first: a file that was cut off would look like a model.
    partial = options.output.with_name(options.output.name + ".partial")
    write(options.type, SHAPES[options.shape], vocabulary, partial)
    partial.rename(options.output)
    print(f"wrote {options.output}, {options.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
