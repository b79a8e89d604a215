"""Write what diffusers makes of prompts with the text encoders of models/: text-goldens.safetensors.

    python make-text-goldens.py

Needs torch, diffusers and transformers (written with torch 2.13, diffusers 0.42, transformers 5.24). Computed in
float32 from the weights as the files store them. A tensor's name is MODEL/PROMPT/SKIP/context or …/pooled, where SKIP
is diffusers' clip_skip; SDXL's context is that of both encoders side by side. The prompts are in the metadata.
"""

import json
from pathlib import Path

import torch
from diffusers import LatentConsistencyModelPipeline, StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors.torch import save_file
from transformers import CLIPTextModel

# transformers 5 has no inner model any more; diffusers 0.42 still asks for it when it skips layers.
CLIPTextModel.text_model = property(lambda self: self)

HERE = Path(__file__).resolve().parent
PROMPTS = [
    "a fox reading a newspaper in the snow, highly detailed",
    "",
    "two red apples on a wooden table! " * 12,
]
# Model -> (pipeline, prompts, skips of the first prompt).
MODELS = {
    "sd15": (StableDiffusionPipeline, [0, 1, 2], [0, 1, 2, 3]),
    "sd2-v": (StableDiffusionPipeline, [0, 2], [0]),
    "lcm": (LatentConsistencyModelPipeline, [0], [0]),
    "bk-sdm": (StableDiffusionPipeline, [0], [0]),
    "sdxl": (StableDiffusionXLPipeline, [0, 1, 2], [0, 1]),
}


@torch.no_grad()
def main():
    tensors = {}
    for name, (kind, prompts, skips) in MODELS.items():
        pipeline = kind.from_pretrained(HERE / "models" / name, torch_dtype=torch.float32)
        for prompt in prompts:
            for skip in skips if prompt == 0 else [0]:
                # Without clip_skip diffusers takes another way to the same place; 0 is that way.
                settings = dict(clip_skip=skip or None, do_classifier_free_guidance=False)
                if kind is StableDiffusionXLPipeline:
                    context, _, pooled, _ = pipeline.encode_prompt(
                        PROMPTS[prompt], device="cpu", num_images_per_prompt=1, **settings)
                    tensors[f"{name}/{prompt}/{skip}/pooled"] = pooled
                else:
                    context, _ = pipeline.encode_prompt(
                        PROMPTS[prompt], device="cpu", num_images_per_prompt=1, **settings)
                tensors[f"{name}/{prompt}/{skip}/context"] = context[0]
    tensors = {key: value.contiguous() for key, value in tensors.items()}
    save_file(tensors, HERE / "text-goldens.safetensors", metadata={"prompts": json.dumps(PROMPTS)})


main()
