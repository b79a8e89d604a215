#!/usr/bin/env python3
"""Makes the golden values of the quantisers with llama.cpp itself.

Run with: pip install gguf==0.19.0 numpy; python make-fixtures.py LIBRARIES
LIBRARIES is a folder with llama.cpp's libggml-base.so and libllama.so, built from the source that
Benchmarks/peers/fetch-llama-cpp prints (in vendor/llama.cpp):
cmake -S SOURCE -B BUILD -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=OFF && cmake --build BUILD --target llama

rows.bin      rows of 256 numbers (F32), and behind each other what ggml_quantize_chunk makes of them, type by type
goldens.json  where those lie; and of small random models, whose weights both sides make by the same arithmetic, what
              llama_model_quantize makes: the file's SHA-256, and the tensors' types in the file's order
"""
import ctypes
import hashlib
import json
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np

HERE = Path(__file__).parent
LIBRARIES = Path(sys.argv[1])
TYPES = {"q4_0": 2, "q5_0": 6, "q8_0": 8, "q4_K": 12, "q5_K": 13, "q6_K": 14}
FILE_TYPES = {"Q4_0": 2, "Q8_0": 7, "Q4_K_M": 15, "Q6_K": 18}


def rows() -> np.ndarray:
    """Numbers as models have them, and as they should not."""
    random = np.random.default_rng(7)
    normal = random.standard_normal((8, 256)) * 0.02
    heavy = random.standard_t(2, (4, 256)) * 0.01
    kinds = [
        normal, heavy, normal[:2] + 1, np.abs(normal[:1]), -np.abs(normal[:1]), normal[:1] * 1e-4,
        np.zeros((1, 256)), np.full((1, 256), 0.5), np.full((1, 256), -0.25), normal[:1] * 1e-9,
        normal[:1] * 1e-20, np.where(random.random((2, 256)) < 0.9, 0, normal[:2]),
        np.repeat(normal[:1, :8], 32, axis=1), np.tile(normal[:1, :16], 16), np.sign(normal[:1]),
        np.arange(256)[None] / 256 - 0.5, normal[:1] * np.repeat([1, 0, 1e3, 1e-6, 1, 5, 1e-3, 0], 32)[None],
        np.round(normal[:1] * 300) / 8,
    ]
    outlier = normal[2:3].copy()
    outlier[0, 100] = 9
    return np.concatenate(kinds + [outlier]).astype(np.float32)


def quantized(library: ctypes.CDLL, numbers: np.ndarray, kind: int) -> bytes:
    kind = gguf.GGMLQuantizationType(kind)
    block, size = gguf.GGML_QUANT_SIZES[kind]
    target = ctypes.create_string_buffer(numbers.size // block * size)
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    written = library.ggml_quantize_chunk(
        ctypes.c_int(kind), numbers.ctypes.data_as(ctypes.c_void_p), target, ctypes.c_int64(0),
        ctypes.c_int64(numbers.shape[0]), ctypes.c_int64(numbers.shape[1]), None)
    assert written == len(target.raw)
    return target.raw


def second_source(numbers: np.ndarray, kind: str, blocks: bytes):
    """The package gguf agrees where it has the type."""
    if kind not in ("q4_0", "q5_0", "q8_0"):
        return
    other = gguf.quants.quantize(numbers, gguf.GGMLQuantizationType(TYPES[kind])).tobytes()
    differing = sum(a != b for a, b in zip(other, blocks))
    print(f"{kind}: {differing} of {len(blocks)} bytes differ from gguf's Python")


# What the test builds by the same arithmetic.
MODELS = {
    "untied": dict(layers=10, hidden=256, ffn=256, heads=4, kv=2, dim=32, vocabulary=64, type="f16", tied=False),
    "tied": dict(layers=3, hidden=512, ffn=256, heads=2, kv=1, dim=32, vocabulary=40, type="bf16", tied=True),
    "uneven": dict(layers=9, hidden=96, ffn=80, heads=3, kv=3, dim=32, vocabulary=40, type="f32", tied=False),
    "eighty": dict(layers=80, hidden=256, ffn=32, heads=2, kv=1, dim=16, vocabulary=32, type="f16", tied=True),
}


def splitmix(state: np.ndarray) -> np.ndarray:
    z = state
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def weights(number: int, shape: tuple[int, ...]) -> np.ndarray:
    """Multiples of 2^-28 below 2^-5 in magnitude, exact in F32; `number` is the tensor's place in the model."""
    count = int(np.prod(shape))
    with np.errstate(over="ignore"):
        index = np.arange(1, count + 1, dtype=np.uint64) + np.uint64(number << 32)
        bits = splitmix(index * np.uint64(0x9E3779B97F4A7C15))
    whole = (bits >> np.uint64(40)).astype(np.int64) - (1 << 23)
    return (whole.astype(np.float64) * 2.0**-28).astype(np.float32).reshape(shape)


def shapes(m: dict) -> list[tuple[str, tuple[int, ...]]]:
    tensors = [("token_embd.weight", (m["vocabulary"], m["hidden"])), ("output_norm.weight", (m["hidden"],))]
    if not m["tied"]:
        tensors.append(("output.weight", (m["vocabulary"], m["hidden"])))
    q, k = m["heads"] * m["dim"], m["kv"] * m["dim"]
    for layer in range(m["layers"]):
        name = f"blk.{layer}."
        tensors += [
            (name + "attn_norm.weight", (m["hidden"],)), (name + "attn_q.weight", (q, m["hidden"])),
            (name + "attn_k.weight", (k, m["hidden"])), (name + "attn_v.weight", (k, m["hidden"])),
            (name + "attn_output.weight", (m["hidden"], q)), (name + "ffn_norm.weight", (m["hidden"],)),
            (name + "ffn_gate.weight", (m["ffn"], m["hidden"])), (name + "ffn_up.weight", (m["ffn"], m["hidden"])),
            (name + "ffn_down.weight", (m["hidden"], m["ffn"])),
        ]
    return tensors


def write_model(path: str, name: str, m: dict):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(name)
    writer.add_context_length(128)
    writer.add_embedding_length(m["hidden"])
    writer.add_block_count(m["layers"])
    writer.add_feed_forward_length(m["ffn"])
    writer.add_head_count(m["heads"])
    writer.add_head_count_kv(m["kv"])
    writer.add_key_length(m["dim"])
    writer.add_value_length(m["dim"])
    writer.add_layer_norm_rms_eps(2.0**-16)
    writer.add_tokenizer_model("llama")
    writer.add_token_list([f"t{i}" for i in range(m["vocabulary"])])
    writer.add_token_scores([-float(i) for i in range(m["vocabulary"])])
    writer.add_token_types([1] * m["vocabulary"])
    writer.add_bool("test.flag", True)
    for number, (tensor, shape) in enumerate(shapes(m)):
        values = weights(number, shape)
        if len(shape) == 1 or m["type"] == "f32":
            writer.add_tensor(tensor, values)
        elif m["type"] == "f16":
            writer.add_tensor(tensor, values.astype(np.float16))
        else:
            halves = gguf.quants.quantize(values, gguf.GGMLQuantizationType.BF16)
            writer.add_tensor(tensor, halves, raw_dtype=gguf.GGMLQuantizationType.BF16)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class Parameters(ctypes.Structure):
    _fields_ = [
        ("nthread", ctypes.c_int32), ("ftype", ctypes.c_int), ("output_tensor_type", ctypes.c_int),
        ("token_embedding_type", ctypes.c_int), ("allow_requantize", ctypes.c_bool),
        ("quantize_output_tensor", ctypes.c_bool), ("only_copy", ctypes.c_bool), ("pure", ctypes.c_bool),
        ("keep_split", ctypes.c_bool), ("dry_run", ctypes.c_bool), ("imatrix", ctypes.c_void_p),
        ("kv_overrides", ctypes.c_void_p), ("tt_overrides", ctypes.c_void_p), ("prune_layers", ctypes.c_void_p),
        ("max_buf_size", ctypes.c_size_t),
    ]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def model_goldens(llama: ctypes.CDLL, name: str, m: dict, folder: str) -> dict:
    source = f"{folder}/{name}.gguf"
    write_model(source, name, m)
    golden = {"source": digest(Path(source).read_bytes()), "files": {}}
    for label, ftype in FILE_TYPES.items():
        target = f"{folder}/{name}-{label}.gguf"
        parameters = llama.llama_model_quantize_default_params()
        parameters.ftype = ftype
        parameters.nthread = 1
        assert llama.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(parameters)) == 0
        types = [t.tensor_type.name.lower().replace("_k", "_K") for t in gguf.GGUFReader(target).tensors]
        golden["files"][label] = {"sha256": digest(Path(target).read_bytes()), "types": " ".join(types)}
    return golden


def main():
    base = ctypes.CDLL(str(LIBRARIES / "libggml-base.so"), mode=ctypes.RTLD_GLOBAL)
    llama = ctypes.CDLL(str(LIBRARIES / "libllama.so"))
    llama.llama_model_quantize_default_params.restype = Parameters
    llama.llama_backend_init()
    numbers = rows()
    data, places = numbers.tobytes(), {}
    for kind, number in TYPES.items():
        blocks = quantized(base, numbers, number)
        second_source(numbers, kind, blocks)
        places[kind] = [len(data), len(blocks)]
        data += blocks
    (HERE / "rows.bin").write_bytes(data)
    with tempfile.TemporaryDirectory() as folder:
        models = {name: model_goldens(llama, name, m, folder) for name, m in MODELS.items()}
    goldens = {
        "versions": "llama.cpp of llama-cpp-python 0.3.36, gguf 0.19.0, numpy " + np.__version__,
        "rows": len(numbers), "blocks": places, "shapes": MODELS, "models": models,
    }
    (HERE / "goldens.json").write_text(json.dumps(goldens, separators=(",", ":")) + "\n")


main()
