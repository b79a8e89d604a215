"""Write LoRA files for the models of this folder, and what diffusers makes of the models with them, into loras/.

    python make-lora-goldens.py

Needs the models (make-models.py), torch, diffusers, transformers and peft (written with torch 2.13, diffusers 0.42, peft
0.21). The files are in the spellings that LoRAs are published in: kohya's with diffusers' block names, kohya's with
CompVis's (as for SDXL), and peft's with its metadata. Each golden has some weights after `fuse_lora`, which works in the
models' own F16, and the network's output (and the text encoder's) with all of them, computed in float32.
"""

import importlib.util
import json
import re
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file

HERE = Path(__file__).resolve().parent
LORAS = HERE / "loras"
spec = importlib.util.spec_from_file_location("make_single_files", HERE / "make-single-files.py")
single_files = importlib.util.module_from_spec(spec)
spec.loader.exec_module(single_files)

ATTENTION = r"attn[12]\.(to_q|to_k|to_v|to_out\.0)$"
SCALE = 0.7


def layers(model, pattern):
    return {name: module for name, module in model.named_modules() if re.search(pattern, name)}


def pair(module, rank, generator):
    """Down and up of a linear layer or a convolution, large enough to matter."""
    weight = module.weight
    down = torch.randn(rank, *weight.shape[1:], generator=generator) / weight[0].numel() ** 0.5
    up = torch.randn(weight.shape[0], rank, *([1, 1] if weight.dim() == 4 else []), generator=generator) * 0.5
    return down, up


def kohya(pipe, rank, alpha, rename, dtype, seed):
    generator = torch.Generator().manual_seed(seed)
    chosen = layers(pipe.unet, ATTENTION + r"|ff\.net\.0\.proj$|proj_in$|(down|mid).*resnets\.0\.conv1$|samplers\.0\.conv$")
    tensors = {}

    def add(name, module):
        down, up = pair(module, rank, generator)
        tensors[f"{name}.lora_down.weight"] = down.to(dtype)
        tensors[f"{name}.lora_up.weight"] = up.to(dtype)
        tensors[f"{name}.alpha"] = torch.tensor(alpha)

    for name, module in chosen.items():
        add("lora_unet_" + rename(name).replace(".", "_"), module)
    encoders = {"te": pipe.text_encoder}
    if getattr(pipe, "text_encoder_2", None) is not None:
        encoders = {"te1": pipe.text_encoder, "te2": pipe.text_encoder_2}
    for prefix, encoder in encoders.items():
        for name, module in layers(encoder, r"layers\.[01]\.(self_attn\.(q|k|v|out)_proj|mlp\.fc1)$").items():
            if not name.startswith("text_model."):
                name = "text_model." + name
            add(f"lora_{prefix}_" + name.replace(".", "_"), module)
    return tensors


def peft_file(pipe, seed, path):
    """As diffusers' training scripts save it."""
    generator = torch.Generator().manual_seed(seed)
    config = LoraConfig(r=2, lora_alpha=3, target_modules=["to_q", "to_k", "to_v", "to_out.0"])
    pipe.unet.add_adapter(config)
    with torch.no_grad():
        for name, weight in pipe.unet.named_parameters():
            if "lora_" in name:
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.4)
    StableDiffusionPipeline.save_lora_weights(
        path.parent, unet_lora_layers=get_peft_model_state_dict(pipe.unet), weight_name=path.name,
        unet_lora_adapter_metadata=config.to_dict())


def golden(name, pipe, path, watched):
    pipe.load_lora_weights(str(path.parent), weight_name=path.name)
    pipe.fuse_lora(lora_scale=SCALE)
    pipe.unload_lora_weights()
    tensors = {}
    for watch in watched:
        tensors["weight." + watch] = pipe.unet.state_dict()[watch].contiguous()
    unet = pipe.unet.to(torch.float32).eval()
    generator = torch.Generator().manual_seed(77)
    latents = torch.randn(1, 4, 8, 8, generator=generator)
    context = torch.randn(1, 5, unet.config.cross_attention_dim, generator=generator)
    arguments = {}
    if unet.config.addition_embed_type == "text_time":
        pooled, ids = torch.randn(1, 16, generator=generator), torch.tensor([[64.0, 64.0, 0, 0, 64.0, 64.0]])
        arguments["added_cond_kwargs"] = {"text_embeds": pooled, "time_ids": ids}
        tensors["0.pooled"], tensors["0.time_ids"] = pooled, ids
    tokens = torch.tensor([[596, 300, 301, 40, 597] + [597] * 72])
    with torch.no_grad():
        output = unet(latents, torch.tensor(500.0), context, **arguments).sample
        text = pipe.text_encoder.to(torch.float32).eval()(tokens).last_hidden_state
    tensors["0.latents"] = latents[0].permute(1, 2, 0).contiguous()
    tensors["0.output"] = output[0].permute(1, 2, 0).contiguous()
    tensors["0.context"] = context[0]
    tensors["text"] = text[0].contiguous()
    metadata = {"0.timestep": "500.0", "tokens": json.dumps(tokens[0].tolist())}
    save_file(tensors, LORAS / f"{name}.golden.safetensors", metadata=metadata)
    print(name, path.stat().st_size // 1024, "kB")


def load(kind, model):
    return kind.from_pretrained(HERE / "models" / model, torch_dtype=torch.float16)


if __name__ == "__main__":
    LORAS.mkdir(exist_ok=True)
    attention = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight"
    pipe = load(StableDiffusionPipeline, "sd15")
    path = LORAS / "kohya.safetensors"
    save_file(kohya(pipe, 2, 1.5, lambda name: name, torch.float16, 200), path, metadata={"ss_network_dim": "2"})
    golden("kohya", pipe, path, [attention, "down_blocks.0.resnets.0.conv1.weight"])

    pipe = load(StableDiffusionXLPipeline, "sdxl")
    path = LORAS / "compvis.safetensors"
    unet = single_files.config(HERE / "models" / "sdxl" / "unet")

    def compvis(name):
        return single_files.unet_name(name + ".weight", unet)[:-len(".weight")]

    save_file(kohya(pipe, 2, 2.0, compvis, torch.float32, 210), path)
    golden("compvis", pipe, path, [attention])

    path = LORAS / "peft.safetensors"
    peft_file(load(StableDiffusionPipeline, "sd15"), 220, path)
    golden("peft", load(StableDiffusionPipeline, "sd15"), path, [attention])
