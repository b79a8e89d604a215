#!/usr/bin/env python3
"""Writes diffusers directories with the shapes of real picture models and random F16 weights.

    python make-picture-shapes.py sd15 shapes/sd15

Names are sd15, sd-turbo, bk-sdm-tiny (a UNet of 0.32 B parameters) and taesd (the tiny decoder alone). Speed and memory
don't depend on the weights' values, so these files are good for measuring; their pictures are noise. Needs torch and
diffusers for the names and shapes of the tensors (no memory is taken for them), and numpy. Nothing is downloaded.
"""

import argparse
import inspect
import json
import math
import pathlib
import struct

import numpy
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

MERGES = pathlib.Path(__file__).resolve().parent.parent / "Assets" / "clip-merges.txt"

SD15_UNET = {
    "sample_size": 64, "in_channels": 4, "out_channels": 4, "layers_per_block": 2, "norm_num_groups": 32,
    "block_out_channels": [320, 640, 1280, 1280], "cross_attention_dim": 768, "attention_head_dim": 8,
    "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
    "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
}
UNETS = {
    "sd15": SD15_UNET,
    "sd-turbo": {
        **SD15_UNET, "cross_attention_dim": 1024, "attention_head_dim": [5, 10, 20, 20],
        "use_linear_projection": True,
    },
    "bk-sdm-tiny": {
        **SD15_UNET, "layers_per_block": 1, "block_out_channels": [320, 640, 1280], "mid_block_type": None,
        "down_block_types": ["CrossAttnDownBlock2D"] * 3, "up_block_types": ["CrossAttnUpBlock2D"] * 3,
    },
}
CLIP_L = {
    "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12,
    "hidden_act": "quick_gelu", "projection_dim": 768,
}
OPENCLIP_H = {
    "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 23, "num_attention_heads": 16,
    "hidden_act": "gelu", "projection_dim": 512,
}
VAE = {
    "in_channels": 3, "out_channels": 3, "latent_channels": 4, "layers_per_block": 2, "norm_num_groups": 32,
    "block_out_channels": [128, 256, 512, 512], "sample_size": 512, "scaling_factor": 0.18215,
    "down_block_types": ["DownEncoderBlock2D"] * 4, "up_block_types": ["UpDecoderBlock2D"] * 4,
}
SCHEDULER = {
    "_class_name": "PNDMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000, "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1,
}
TURBO_SCHEDULER = {
    "_class_name": "EulerDiscreteScheduler", "beta_start": 0.00085, "beta_end": 0.012,
    "beta_schedule": "scaled_linear", "num_train_timesteps": 1000, "timestep_spacing": "trailing",
    "prediction_type": "epsilon",
}


class Weights:
    """Random tensors cut from one pool, so that a billion of them take seconds."""

    def __init__(self, seed=1):
        self.random = numpy.random.default_rng(seed)
        self.pool = self.random.standard_normal(1 << 22, dtype=numpy.float32)

    def tensor(self, name, shape):
        """Variance-keeping weights, norms that do nothing, biases of 0: activations stay finite."""
        count = math.prod(shape)
        if len(shape) < 2:
            is_scale = "norm" in name and name.endswith("weight")
            return numpy.full(count, 1 if is_scale else 0, numpy.float16)
        scaled = (self.pool / math.sqrt(math.prod(shape[1:]))).astype(numpy.float16)
        start = int(self.random.integers(len(scaled)))
        return numpy.resize(numpy.roll(scaled, -start), count)


def write_safetensors(path, shapes, weights):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in shapes.items():
        end = offset + 2 * math.prod(shape)
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, shape in shapes.items():
            file.write(weights.tensor(name, shape).tobytes())


def shapes_of(module, prefix=""):
    return {prefix + name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def write_part(folder, file, config, shapes, weights):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    write_safetensors(folder / file, shapes, weights)


def diffusers_part(folder, kind, config, weights):
    with torch.device("meta"):
        module = kind.from_config(config)
    settings = {key: module.config[key] for key in inspect.signature(kind).parameters if key in module.config}
    whole = {"_class_name": kind.__name__, **settings}
    write_part(folder, "diffusion_pytorch_model.safetensors", whole, shapes_of(module), weights)


def text_encoder(folder, sizes, weights):
    # Published models end a prompt with the vocabulary's last token.
    config = CLIPTextConfig(**sizes, vocab_size=49408, bos_token_id=49406, eos_token_id=49407)
    with torch.device("meta"):
        module = CLIPTextModel(config)
    shapes = shapes_of(module)
    if not any(name.startswith("text_model.") for name in shapes):
        shapes = shapes_of(module, "text_model.")
    whole = {"architectures": ["CLIPTextModel"], **config.to_dict()}
    write_part(folder, "model.safetensors", whole, shapes, weights)


def tokenizer(folder):
    """CLIP's vocabulary: bytes, bytes at the end of a word, merges, two marks."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [line for line in MERGES.read_text("utf-8").splitlines() if line and not line.startswith("#version")]
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(byte) for byte in printable] + [chr(256 + i) for i in range(256 - len(printable))]
    tokens = letters + [letter + "</w>" for letter in letters] + ["".join(line.split()) for line in lines]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    marks = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
             "pad_token": "<|endoftext|>"}
    (folder / "vocab.json").write_text(
        json.dumps({token: i for i, token in enumerate(tokens)}, ensure_ascii=False), "utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(lines) + "\n", "utf-8")
    (folder / "special_tokens_map.json").write_text(json.dumps(marks, indent=2) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "do_lower_case": True, **marks}, indent=2) + "\n")


def pipeline(folder, name, weights):
    folder.mkdir(parents=True, exist_ok=True)
    turbo = name == "sd-turbo"
    scheduler = TURBO_SCHEDULER if turbo else SCHEDULER
    diffusers_part(folder / "unet", UNet2DConditionModel, UNETS[name], weights)
    diffusers_part(folder / "vae", AutoencoderKL, VAE, weights)
    text_encoder(folder / "text_encoder", OPENCLIP_H if turbo else CLIP_L, weights)
    tokenizer(folder / "tokenizer")
    (folder / "scheduler").mkdir(exist_ok=True)
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler, indent=2) + "\n")
    (folder / "model_index.json").write_text(json.dumps({
        "_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.42.0",
        "feature_extractor": [None, None], "image_encoder": [None, None], "safety_checker": [None, None],
        "requires_safety_checker": False, "scheduler": ["diffusers", scheduler["_class_name"]],
        "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"],
    }, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=[*UNETS, "taesd"])
    parser.add_argument("folder", type=pathlib.Path)
    options = parser.parse_args()
    weights = Weights()
    if options.name == "taesd":
        diffusers_part(options.folder, AutoencoderTiny, {}, weights)
    else:
        pipeline(options.folder, options.name, weights)
    size = sum(file.stat().st_size for file in options.folder.rglob("*.safetensors"))
    print(f"{options.folder}: {size / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
