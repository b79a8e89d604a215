"""Write what diffusers' UNet2DConditionModel computes with the models of this folder into goldens/.

    python make-unet-goldens.py [name …]

Needs the models (make-models.py), torch and diffusers (written with torch 2.13, diffusers 0.42). Two more networks, with
settings that no published pipeline here has, are made by this script and put into networks/. Each case has its inputs
beside its output, in float32 with the channels last, and in the file's metadata its timestep and guidance scale.
"""

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file

HERE = Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location("make_models", HERE / "make-models.py")
make_models = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make_models)

# Height, width, rows of the context, timestep: whole and broken times, sizes that halve unevenly.
CASES = [(8, 8, 77, 999.0), (8, 12, 5, 501.25), (7, 5, 3, 1.0), (5, 10, 2, 0.0)]


def uneven():
    """SSD-1B and other distilled networks: depths by layer, a middle without a transformer."""
    return make_models.unet(
        100, block_out_channels=(4, 8, 8), layers_per_block=(1, 2, 1), norm_num_groups=2,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"), mid_block_type="UNetMidBlock2D",
        transformer_layers_per_block=[1, [2, 1], 1], reverse_transformer_layers_per_block=[[1, 0], [2, 1, 1], 1],
        use_linear_projection=True, cross_attention_dim=8, attention_head_dim=(1, 2, 4))


def odd():
    """Settings that few networks change."""
    return make_models.unet(
        110, block_out_channels=(6, 12), norm_num_groups=3, norm_eps=1e-3, sample_size=(6, 10), in_channels=3,
        out_channels=5, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), center_input_sample=True, downsample_padding=0,
        flip_sin_to_cos=False, freq_shift=1, conv_in_kernel=1, conv_out_kernel=1, time_embedding_dim=10,
        only_cross_attention=True, cross_attention_dim=[8, 8], attention_head_dim=3)


def write_network(make):
    folder = HERE / "networks" / make.__name__
    shutil.rmtree(folder, ignore_errors=True)
    make().to(torch.float16).save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    config.pop("_name_or_path", None)
    make_models.write_json(folder / "config.json", config)


def channels_last(x):
    return x[0].permute(1, 2, 0).contiguous()


def guidance_embedding(scale, size):
    """LatentConsistencyModelPipeline.get_guidance_scale_embedding, of the scale less 1."""
    half = size // 2
    w = torch.tensor([scale]) - 1
    emb = torch.exp(torch.arange(half, dtype=torch.float32) * -(torch.log(torch.tensor(10000.0)) / (half - 1)))
    emb = (w * 1000.0)[:, None] * emb[None, :]
    return torch.cat([torch.sin(emb), torch.cos(emb)], dim=1)


def write_goldens(name, folder, variant=None):
    model = UNet2DConditionModel.from_pretrained(folder, variant=variant, torch_dtype=torch.float32).eval()
    config = model.config
    width = config.cross_attention_dim
    width = width if isinstance(width, int) else width[0]
    tensors, metadata = {}, {}
    for case, (h, w, rows, timestep) in enumerate(CASES):
        generator = torch.Generator().manual_seed(1000 + case)
        latents = torch.randn(1, config.in_channels, h, w, generator=generator)
        context = torch.randn(1, rows, width, generator=generator)
        arguments = {}
        if config.addition_embed_type == "text_time":
            size = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
            pooled = torch.randn(1, size, generator=generator)
            ids = torch.tensor([[8.0 * h, 8.0 * w, 0.0, 16.0, 8.0 * h, 8.0 * w]])
            arguments["added_cond_kwargs"] = {"text_embeds": pooled, "time_ids": ids}
            tensors[f"{case}.pooled"], tensors[f"{case}.time_ids"] = pooled, ids
        if config.time_cond_proj_dim:
            scale = 1 + 7.5 * case
            metadata[f"{case}.guidance_scale"] = str(scale)
            arguments["timestep_cond"] = guidance_embedding(scale, config.time_cond_proj_dim)
        with torch.no_grad():
            output = model(latents, torch.tensor(timestep), context, **arguments).sample
        tensors[f"{case}.latents"], tensors[f"{case}.output"] = channels_last(latents), channels_last(output)
        tensors[f"{case}.context"] = context[0]
        metadata[f"{case}.timestep"] = str(timestep)
    path = HERE / "goldens" / f"unet-{name}.safetensors"
    path.parent.mkdir(exist_ok=True)
    save_file(tensors, path, metadata=metadata)
    print(name, path.stat().st_size // 1024, "kB")


if __name__ == "__main__":
    chosen = sys.argv[1:]
    for make in [uneven, odd]:
        if not chosen or make.__name__ in chosen:
            write_network(make)
            write_goldens(make.__name__, HERE / "networks" / make.__name__)
    for name in ["sd15", "sd2-v", "sd-turbo", "sdxl", "lcm", "bk-sdm", "sdxs"]:
        if not chosen or name in chosen:
            folder = HERE / "models" / name / "unet"
            write_goldens(name, folder, "fp16" if name == "sd-turbo" else None)
