"""Writes the model in diffusers' layout, in half precision."""
import json
import shutil
from pathlib import Path

import torch

import tokens
from autoencoder import trained_autoencoder
from common import arguments
from network import schedule, text_encoder, unet
from presets import preset

# how the engine uses the model where a request doesn't say; diffusers passes over names with an underscore
DEFAULTS = {"steps": 1, "guidance_scale": 1}


@torch.no_grad()
def teach(encoder, tokenizer, neighbours):
    """Gives words that were never trained the vector of the known word that is nearest to them."""
    table = encoder.get_input_embeddings().weight
    for word, known in neighbours.items():
        (row,), (meant,) = (tokenizer(text).input_ids[1:-1] for text in (word, known))
        table[row] = table[meant]


def main():
    options = arguments(__doc__, name=("network", "of the checkpoint"), out=(Path("Assets/models/inkling-scenes"), "folder"))
    sizes, out = preset(options.preset), options.out
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    neighbours = tokens.neighbours(options.work)
    tokenizer = tokens.write(out / "tokenizer", neighbours)
    last = len(tokenizer) - 1
    (out / "tokenizer/tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "CLIPTokenizer", "model_max_length": tokens.LENGTH, "bos_token": "<|startoftext|>",
        "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}, indent=2) + "\n")
    mean = torch.load(options.work / f"{options.name}.pt", map_location="cpu")["mean"]
    encoder, network, vae = text_encoder(sizes, tokenizer), unet(sizes), trained_autoencoder(options.work, sizes)
    encoder.load_state_dict({k.removeprefix("text."): v for k, v in mean.items() if k.startswith("text.")})
    network.load_state_dict({k.removeprefix("unet."): v for k, v in mean.items() if k.startswith("unet.")})
    teach(encoder, tokenizer, neighbours)
    encoder.config.eos_token_id, encoder.config.bos_token_id = last, last - 1
    for part, folder in ((encoder, "text_encoder"), (network, "unet"), (vae, "vae")):
        part.half().save_pretrained(out / folder)
        for file in (out / folder).glob("*.json"):  # no trace of the folder that it was made in
            config = {k: v for k, v in json.loads(file.read_text()).items() if k not in ("_name_or_path", "transformers_version")}
            file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    schedule().save_pretrained(out / "scheduler")
    (out / "model_index.json").write_text(json.dumps({
        "_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.42.1", "_inkling": DEFAULTS,
        "feature_extractor": [None, None], "image_encoder": [None, None], "requires_safety_checker": False,
        "safety_checker": [None, None], "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderTiny"]}, indent=2) + "\n")
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    print(f"{out}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
