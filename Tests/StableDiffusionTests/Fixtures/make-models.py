"""Write tiny random picture models of every family into models/, in the layout that diffusers saves.

    python make-models.py [name …]

Needs torch, diffusers and transformers (written with torch 2.13, diffusers 0.42, transformers 5.24). Seeds are fixed:
the files come out the same. Weights are scaled so that no part of a network can be wrong unseen: norms that scale and
shift, attention that prefers some tokens, pictures that use their range.
"""

import json
import shutil
import sys
from collections import Counter
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL, AutoencoderTiny, DDIMScheduler, EulerDiscreteScheduler, LatentConsistencyModelPipeline,
    LCMScheduler, PNDMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel)
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

HERE = Path(__file__).resolve().parent
MODELS = HERE / "models"
WORDS = """a fox reading a newspaper in the snow; a watercolour painting of a lighthouse at night, highly detailed; two
red apples on a wooden table; photograph of an astronaut riding a horse; a small house by the sea, trees, mountains and
the moon; a cat and a dog, portrait, 4k, sharp focus; blurry, low quality, bad anatomy, watermark; don't, it's, we're"""


# The vocabulary: OpenAI's order (bytes, bytes at the end of a word, merges, two marks), learnt from a few words.

def alphabet():
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(rest))]


def learn_merges(count):
    words = Counter(word.strip(",;") for word in WORDS.lower().split())
    pieces = {word: [*word[:-1], word[-1] + "</w>"] for word in words}
    merges = []
    while len(merges) < count:
        pairs = Counter()
        for word, parts in pieces.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] += words[word]
        best = max(sorted(pairs), key=lambda pair: pairs[pair])
        merges.append(best)
        for word, parts in pieces.items():
            i = 0
            while i < len(parts) - 1:
                if (parts[i], parts[i + 1]) == best:
                    parts[i:i + 2] = ["".join(best)]
                i += 1
    return merges


MERGES = learn_merges(84)
TOKENS = [*alphabet(), *(c + "</w>" for c in alphabet()), *("".join(m) for m in MERGES)]
TOKENS += ["<|startoftext|>", "<|endoftext|>"]
IDS = {token: i for i, token in enumerate(TOKENS)}
BEGIN, END = len(TOKENS) - 2, len(TOKENS) - 1


def tokenizer(pad="<|endoftext|>"):
    return CLIPTokenizer(vocab=IDS, merges=MERGES, pad_token=pad, model_max_length=77)


def rewrite_tokenizer(folder, pad):
    """As nearly all published models have it: vocab.json and merges.txt."""
    for file in folder.iterdir():
        file.unlink()
    (folder / "vocab.json").write_text(json.dumps(IDS, ensure_ascii=False))
    (folder / "merges.txt").write_text(
        "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in MERGES), encoding="utf-8")
    marks = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": pad,
             "unk_token": "<|endoftext|>"}
    write_json(folder / "special_tokens_map.json", marks)
    write_json(folder / "tokenizer_config.json", {
        **marks, "add_prefix_space": False, "do_lower_case": True, "errors": "replace", "model_max_length": 77,
        "tokenizer_class": "CLIPTokenizer"})


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n")


# Weights.

SHARP = ("to_q", "to_k", "q_proj", "k_proj")


def randomize(model, seed):
    generator = torch.Generator().manual_seed(seed)

    def normal(shape):
        return torch.randn(shape, generator=generator)

    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() == 1:
                weight.copy_(normal(weight.shape) * 0.2 + (1 if name.endswith("weight") else 0))
            elif "embedding.weight" in name and "time" not in name:
                weight.copy_(normal(weight.shape) * 0.7)
            else:
                gain = 2.0 if any(part in name for part in SHARP) else 0.9
                weight.copy_(normal(weight.shape) * gain / weight[0].numel() ** 0.5)
    return model.eval()


def scale_output(layer, output, spread):
    """Makes the spread of what a network's last layer puts out `spread`."""
    with torch.no_grad():
        factor = spread / output.std()
        layer.weight *= factor
        if layer.bias is not None:
            layer.bias *= factor


def text_encoder(seed, kind=CLIPTextModel, **settings):
    values = dict(
        vocab_size=len(TOKENS), hidden_size=16, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2,
        max_position_embeddings=77, hidden_act="quick_gelu", bos_token_id=BEGIN, eos_token_id=END, pad_token_id=1)
    return randomize(kind(CLIPTextConfig(**{**values, **settings})), seed)


def unet(seed, **settings):
    values = dict(
        sample_size=8, in_channels=4, out_channels=4, block_out_channels=(8, 16, 16), layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        norm_num_groups=4, cross_attention_dim=16, attention_head_dim=2)
    model = randomize(UNet2DConditionModel(**{**values, **settings}), seed)
    generator = torch.Generator().manual_seed(seed)
    config = model.config
    size, width = config.sample_size, config.cross_attention_dim
    size = [size, size] if isinstance(size, int) else size
    arguments = {}
    if config.addition_embed_type == "text_time":
        ids = 6 * config.addition_time_embed_dim
        text = config.projection_class_embeddings_input_dim - ids
        arguments["added_cond_kwargs"] = {
            "text_embeds": torch.randn(1, text, generator=generator),
            "time_ids": torch.tensor([[64.0, 64.0, 0, 0, 64.0, 64.0]])}
    if config.time_cond_proj_dim:
        arguments["timestep_cond"] = torch.randn(1, config.time_cond_proj_dim, generator=generator)
    with torch.no_grad():
        output = model(
            torch.randn(1, config.in_channels, *size, generator=generator), 500,
            torch.randn(1, 77, width if isinstance(width, int) else width[0], generator=generator),
            **arguments).sample
    scale_output(model.conv_out, output, 1.0)
    return model


def autoencoder(seed, widths=(8, 8), **settings):
    count = len(widths)
    model = randomize(AutoencoderKL(**{**dict(
        in_channels=3, out_channels=3, latent_channels=4, block_out_channels=widths, layers_per_block=1,
        down_block_types=("DownEncoderBlock2D",) * count, up_block_types=("UpDecoderBlock2D",) * count,
        norm_num_groups=4, sample_size=32, scaling_factor=0.18215), **settings}), seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        latents = torch.randn(1, 4, 8, 8, generator=generator) / model.config.scaling_factor
        scale_output(model.decoder.conv_out, model.decode(latents).sample, 0.5)
        # Means of ordinary size, and a variance that matters.
        moments = model.encode(torch.rand(1, 3, 64, 64, generator=generator) * 2 - 1).latent_dist.parameters
        scale_output(model.quant_conv or model.encoder.conv_out, moments, 3.0)
    return model


def tiny_autoencoder(seed, levels, **settings):
    """`levels - 1` halvings, as TAESD has three."""
    model = randomize(AutoencoderTiny(**{**dict(
        encoder_block_out_channels=(8,) * levels, decoder_block_out_channels=(8,) * levels,
        num_encoder_blocks=(1,) * levels, num_decoder_blocks=(1,) * levels), **settings}), seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        picture = torch.rand(1, 3, 64, 64, generator=generator) * 2 - 1
        scale_output(model.encoder.layers[-1], model.encode(picture).latents, 1.0)
        latents = torch.randn(1, 4, 8, 8, generator=generator)
        scale_output(model.decoder.layers[-1], model.decode(latents).sample, 0.5)
    return model


# Schedulers, as the published models configure them.

BETAS = dict(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")


def pndm(**settings):
    return PNDMScheduler(
        **BETAS, set_alpha_to_one=False, skip_prk_steps=True, steps_offset=1, timestep_spacing="leading", **settings)


def euler(spacing, **settings):
    return EulerDiscreteScheduler(**BETAS, steps_offset=1, timestep_spacing=spacing, **settings)


# Families.

def stable_diffusion(seed, scheduler, vae=None, text=None, pipeline=StableDiffusionPipeline, pad="<|endoftext|>",
                     network=None, **settings):
    return pipeline(
        vae=vae or autoencoder(seed + 1), text_encoder=text or text_encoder(seed + 2), tokenizer=tokenizer(pad),
        unet=network or unet(seed, **settings), scheduler=scheduler, safety_checker=None, feature_extractor=None,
        requires_safety_checker=False)


def sd15():
    """SD 1.x: projections by convolution, one number of heads, PNDM; an autoencoder of factor 8."""
    return stable_diffusion(
        10, pndm(), vae=autoencoder(11, (4, 8, 8, 8)), layers_per_block=2, attention_head_dim=4,
        text=text_encoder(12, eos_token_id=2, bos_token_id=0)), {}


def sd2_v():
    """SD 2.x with v-prediction: linear projections, heads per level, gelu, no signal left at the end; BF16."""
    return stable_diffusion(
        20, DDIMScheduler(
            **BETAS, clip_sample=False, set_alpha_to_one=False, steps_offset=1, prediction_type="v_prediction",
            timestep_spacing="trailing", rescale_betas_zero_snr=True),
        vae=autoencoder(21, (8, 8, 8)), text=text_encoder(22, hidden_act="gelu", num_attention_heads=4), pad="!",
        use_linear_projection=True, attention_head_dim=(2, 4, 4), upcast_attention=True), {"dtype": torch.bfloat16}


def sd_turbo():
    """SD-Turbo: one Euler step from the last timestep; files of the variant fp16 only."""
    return stable_diffusion(
        30, euler("trailing"), vae=autoencoder(31), text=text_encoder(32, hidden_act="gelu"), pad="!",
        use_linear_projection=True, attention_head_dim=(2, 4, 4)), {"variant": "fp16"}


def sdxl():
    """SDXL: two text encoders, added time ids, transformers by level; the UNet in shards."""
    network = unet(
        40, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=24,
        use_linear_projection=True, attention_head_dim=(2, 4, 4), transformer_layers_per_block=(1, 1, 2),
        addition_embed_type="text_time", addition_time_embed_dim=8, projection_class_embeddings_input_dim=16 + 48)
    return StableDiffusionXLPipeline(
        vae=autoencoder(41, (8, 8, 8), scaling_factor=0.13025, force_upcast=True),
        text_encoder=text_encoder(42, hidden_size=8), tokenizer=tokenizer(), tokenizer_2=tokenizer("!"),
        text_encoder_2=text_encoder(43, CLIPTextModelWithProjection, hidden_act="gelu", projection_dim=16),
        unet=network, scheduler=euler("leading"), force_zeros_for_empty_prompt=True), {
            "shards": {"unet": "150KB"}, "pads": {"tokenizer_2": "!"}}


def lcm():
    """LCM: the guidance scale enters with the time; few steps. Its text encoder and tokenizer lie as newer
    versions of transformers save them: names without text_model, tokenizer.json."""
    return stable_diffusion(
        50, LCMScheduler(**BETAS, set_alpha_to_one=True, steps_offset=0, original_inference_steps=50),
        pipeline=LatentConsistencyModelPipeline, attention_head_dim=4, time_cond_proj_dim=16), {"newer": True}


def bk_sdm():
    """BK-SDM and Tiny-SD: fewer blocks, no middle; F32."""
    return stable_diffusion(
        60, pndm(), mid_block_type=None, block_out_channels=(8, 16),
        down_block_types=("CrossAttnDownBlock2D",) * 2, up_block_types=("CrossAttnUpBlock2D",) * 2,
        attention_head_dim=4), {"dtype": torch.float32}


def sdxs():
    """SDXS: as few blocks, levels whose attention only crosses, and a tiny autoencoder instead of the full one."""
    return stable_diffusion(
        70, euler("trailing"), vae=tiny_autoencoder(71, 4), mid_block_type=None,
        text=text_encoder(72, hidden_act="gelu"), use_linear_projection=True, attention_head_dim=(2, 4, 4),
        only_cross_attention=(True, False, False),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D")), {}


def with_older_names(folder):
    """Gives the tensors of a text encoder the names that published models have."""
    for path in folder.glob("*.safetensors"):
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        prefixed = {
            name if name.startswith(("text_model.", "text_projection.")) else "text_model." + name: tensor
            for name, tensor in tensors.items()}
        save_file(prefixed, path, metadata={"format": "pt"})


def write(make):
    name = make.__name__.replace("_", "-")
    pipeline, options = make()
    folder = MODELS / name
    shutil.rmtree(folder, ignore_errors=True)
    variant, shards = options.get("variant"), options.get("shards", {})
    pipeline.to(options.get("dtype", torch.float16))
    pipeline.save_pretrained(folder, safe_serialization=True, variant=variant)
    for part, size in shards.items():
        shutil.rmtree(folder / part)
        getattr(pipeline, part).save_pretrained(
            folder / part, safe_serialization=True, variant=variant, max_shard_size=size)
    for part in [] if options.get("newer") else ["text_encoder", "text_encoder_2"]:
        if (folder / part).exists():
            with_older_names(folder / part)
    for part in ["tokenizer", "tokenizer_2"]:
        if not options.get("newer") and (folder / part).exists():
            rewrite_tokenizer(folder / part, getattr(pipeline, part).pad_token)
    # A name of the folder it was made in says nothing.
    for path in folder.rglob("config.json"):
        config = json.loads(path.read_text())
        if config.pop("_name_or_path", None) is not None:
            write_json(path, config)
    StableDiffusionXLPipeline.from_pretrained(folder) if name == "sdxl" else \
        type(pipeline).from_pretrained(folder, variant=variant)
    print(name, sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) // 1024, "kB")


def write_tiny(name, seed, levels, **settings):
    """A tiny autoencoder on its own, as TAESD and its sister of SDXL are published."""
    folder = MODELS / name
    shutil.rmtree(folder, ignore_errors=True)
    tiny_autoencoder(seed, levels, **settings).to(torch.float16).save_pretrained(folder)
    print(name, sum(p.stat().st_size for p in folder.rglob("*")) // 1024, "kB")


if __name__ == "__main__":
    chosen = sys.argv[1:]
    for make in [sd15, sd2_v, sd_turbo, sdxl, lcm, bk_sdm, sdxs]:
        if not chosen or make.__name__.replace("_", "-") in chosen:
            write(make)
    if not chosen or "taesd" in chosen:
        write_tiny("taesd", 80, 4)
        write_tiny("taesdxl", 90, 3, scaling_factor=1.0)
