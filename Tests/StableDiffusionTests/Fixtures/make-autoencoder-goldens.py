"""Write what diffusers makes of pictures and latents with the autoencoders of models/: autoencoder-goldens.safetensors.

    python make-autoencoder-goldens.py

Needs torch and diffusers (written with torch 2.13, diffusers 0.42). Computed in float32 from the weights as the files
store them. Maps are [H, W, C], as the engine has them. Beside MODEL/picture and MODEL/latents there are

- MODEL/decoded, MODEL/mean, MODEL/log-variance (or MODEL/encoded of tiny autoencoders);
- MODEL/tiled/latents, MODEL/tiled/decoded, MODEL/tiled/picture, MODEL/tiled/mean: in tiles of the model's sample size.

It also writes models/old-vae, an AutoencoderKL with settings and names that no other model has, with its own
old-vae-goldens.safetensors, and taesd's halves as TAESD's own repository names them: taesd_encoder.safetensors and
taesd_decoder.safetensors.
"""

from pathlib import Path

import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from safetensors.torch import load_file, save_file

HERE = Path(__file__).resolve().parent
MODELS = HERE / "models"


def maps(tensor):
    """[H, W, C] of [1, C, H, W]."""
    return tensor[0].permute(1, 2, 0).float().contiguous()


def smooth(generator, channels, height, width):
    """A picture with areas and edges, -1...1."""
    coarse = torch.rand(1, channels, max(height // 8, 1), max(width // 8, 1), generator=generator) * 2 - 1
    fine = torch.randn(1, channels, height, width, generator=generator) * 0.1
    return (torch.nn.functional.interpolate(coarse, size=(height, width)) + fine).clamp(-1, 1)


def load(kind, folder):
    variants = ["fp16", None] if list(folder.glob("*.fp16.safetensors")) else [None]
    return kind.from_pretrained(folder, variant=variants[0], torch_dtype=torch.float32).eval()


def kl(name, tensors, seed, latent_size, tiled=None):
    model = load(AutoencoderKL, MODELS / name / "vae")
    record_kl(model, name, tensors, seed, latent_size, tiled)


def record_kl(model, name, tensors, seed, latent_size, tiled=None):
    generator = torch.Generator().manual_seed(seed)
    factor = 2 ** (len(model.config.block_out_channels) - 1)
    height, width = latent_size
    latents = torch.randn(1, model.config.latent_channels, height, width, generator=generator) * 3
    picture = smooth(generator, 3, height * factor, width * factor)
    tensors[f"{name}/latents"] = maps(latents)
    tensors[f"{name}/decoded"] = maps(model.decode(latents).sample)
    tensors[f"{name}/picture"] = maps(picture)
    distribution = model.encode(picture).latent_dist
    tensors[f"{name}/mean"] = maps(distribution.mean)
    tensors[f"{name}/log-variance"] = maps(distribution.logvar)
    if tiled:
        model.enable_tiling()
        height, width = tiled
        latents = torch.randn(1, model.config.latent_channels, height, width, generator=generator) * 3
        picture = smooth(generator, 3, height * factor, width * factor)
        tensors[f"{name}/tiled/latents"] = maps(latents)
        tensors[f"{name}/tiled/decoded"] = maps(model.decode(latents).sample)
        tensors[f"{name}/tiled/picture"] = maps(picture)
        tensors[f"{name}/tiled/mean"] = maps(model.encode(picture).latent_dist.mean)


def tiny(name, folder, tensors, seed, latent_size):
    model = load(AutoencoderTiny, folder)
    generator = torch.Generator().manual_seed(seed)
    factor = 2 ** (len(model.config.num_decoder_blocks) - 1)
    height, width = latent_size
    # Some latents beyond the clamp.
    latents = torch.randn(1, 4, height, width, generator=generator) * 2
    picture = smooth(generator, 3, height * factor, width * factor)
    tensors[f"{name}/latents"] = maps(latents)
    tensors[f"{name}/decoded"] = maps(model.decode(latents).sample)
    tensors[f"{name}/picture"] = maps(picture)
    tensors[f"{name}/encoded"] = maps(model.encode(picture).latents)


def split_taesd():
    weights = load_file(MODELS / "taesd" / "diffusion_pytorch_model.safetensors")
    encoder, decoder = {}, {}
    for name, tensor in weights.items():
        half, _, index, *rest = name.split(".")
        if half == "encoder":
            encoder[".".join([index, *rest])] = tensor
        else:
            # The clamp is a layer of its own there.
            decoder[".".join([str(int(index) + 1), *rest])] = tensor
    save_file(encoder, HERE / "taesd_encoder.safetensors")
    save_file(decoder, HERE / "taesd_decoder.safetensors")


@torch.no_grad()
def main():
    tensors = {}
    kl("sd15", tensors, 1, (3, 5))
    kl("sdxl", tensors, 2, (4, 6), tiled=(18, 12))
    kl("sd2-v", tensors, 3, (4, 4))
    kl("sd-turbo", tensors, 4, (5, 4))
    tiny("taesd", MODELS / "taesd", tensors, 5, (3, 4))
    tiny("taesdxl", MODELS / "taesdxl", tensors, 6, (5, 4))
    tiny("sdxs", MODELS / "sdxs" / "vae", tensors, 7, (2, 3))
    save_file(tensors, HERE / "autoencoder-goldens.safetensors")
    changed()
    split_taesd()


def changed():
    """An autoencoder without the parts that all others have, with the attention's names of old files."""
    torch.manual_seed(8)
    model = AutoencoderKL(
        block_out_channels=(4, 8), down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2, layers_per_block=2, latent_channels=3, norm_num_groups=2,
        use_quant_conv=False, use_post_quant_conv=False).eval()
    for parameter in model.parameters():
        if parameter.dim() == 1:
            parameter.data.add_(torch.randn(parameter.shape) * 0.2)
    folder = MODELS / "old-vae"
    folder.mkdir(exist_ok=True)
    model.save_config(folder)
    tensors = {}
    record_kl(model, "old-vae", tensors, 8, (4, 4))
    save_file(tensors, HERE / "old-vae-goldens.safetensors")
    names = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    weights = {}
    for name, tensor in model.state_dict().items():
        for new, old in names.items():
            name = name.replace(f".attentions.0.{new}.", f".attentions.0.{old}.")
        weights[name] = tensor
    save_file(weights, folder / "diffusion_pytorch_model.safetensors", metadata={"format": "pt"})


main()
