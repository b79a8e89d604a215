"""Write pipelines.json, pipelines.rgb and pipelines.f32: whole renders by diffusers' pipelines.

    python make-pipeline-goldens.py

Needs torch, diffusers, transformers and pillow (made with torch 2.13, diffusers 0.42.1, transformers 5.24, pillow 13,
CPU), and models/ as make-models.py wrote it. Everything is float32. Start pictures and masks are formulas, repeated in
the test. pipelines.rgb has the pictures, 8 bits a sample; pipelines.f32 the latents they were decoded from, [H, W, C].
"""

import json
import struct
import warnings
from pathlib import Path

import diffusers
import numpy as np
import torch
from diffusers import (
    AutoencoderTiny, LatentConsistencyModelImg2ImgPipeline, StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline, StableDiffusionPipeline, StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline, StableDiffusionXLPipeline)
from PIL import Image

warnings.filterwarnings("ignore")
diffusers.logging.set_verbosity_error()
diffusers.logging.disable_progress_bar()
torch.set_grad_enabled(False)
torch.set_num_threads(1)
HERE = Path(__file__).resolve().parent
FOX = "a fox reading a newspaper in the snow"
LONG = ", ".join(["a watercolour painting of a lighthouse at night, highly detailed"] * 6)
CLASSES = {
    "ddim": "DDIMScheduler", "pndm": "PNDMScheduler", "euler": "EulerDiscreteScheduler",
    "euler_a": "EulerAncestralDiscreteScheduler", "dpmpp_2m": "DPMSolverMultistepScheduler",
    "dpmpp_2m_karras": "DPMSolverMultistepScheduler", "lcm": "LCMScheduler", "tcd": "TCDScheduler",
    "unipc": "UniPCMultistepScheduler",
}


def picture(width, height):
    y, x = np.mgrid[0:height, 0:width]
    return Image.fromarray(
        np.stack([(5 * x + 3 * y) % 256, (x * y) % 256, 255 - (2 * x) % 256], axis=-1).astype(np.uint8))


def mask(width, height):
    y, x = np.mgrid[0:height, 0:width]
    inside = (2 * x - width) ** 2 + (2 * y - height) ** 2 < (width * width) // 3
    return Image.fromarray(np.where(inside, np.where(x % 2 == 0, 255, 200), np.where(y % 2 == 0, 0, 100))
                           .astype(np.uint8)).convert("RGB")


def case(model, size, seed, steps, **options):
    return {"model": model, "width": size[0], "height": size[1], "seed": str(seed), "steps": steps, "prompt": FOX,
            **options}


CASES = [
    case("sd15", (64, 64), 42, 8, negative="blurry, low quality", guidance=7.5),
    case("sd15", (96, 48), 7, 4, guidance=1.0),
    case("sd15", (56, 72), 2**33 + 5, 5, guidance=3.0, clip_skip=1, prompt=LONG),
    # DDIM clips where the file doesn't say that it shouldn't; after five steps of that, noise that is 1e-6 larger
    # changes the reference's own latents by 2e-2.
    *[case("sd15", (64, 48), 100 + i, 3 if kind == "ddim" else 5, guidance=5.0, scheduler=kind, negative="watermark")
      for i, kind in enumerate(CLASSES) if kind != "pndm"],
    case("sd15", (64, 64), 3, 4, guidance=4.0, decoder="tiny"),
    case("sd2-v", (32, 32), 1, 6, guidance=7.5, negative="blurry"),
    case("sd2-v", (48, 32), 2, 5, guidance=7.5, scheduler="dpmpp_2m"),
    case("sd2-v", (32, 40), 2**63, 5, guidance=2.0, scheduler="euler_a", clip_skip=2),
    case("sd-turbo", (16, 16), 42, 1, guidance=0.0),
    case("sd-turbo", (32, 24), 43, 4, guidance=0.0, prompt="two red apples on a wooden table"),
    case("sdxl", (32, 32), 42, 6, guidance=5.0),
    case("sdxl", (48, 32), 8, 5, guidance=5.0, negative="blurry, low quality", scheduler="dpmpp_2m_karras"),
    case("sdxl", (32, 48), 9, 3, guidance=1.0, clip_skip=1, scheduler="euler_a"),
    case("sdxl", (32, 32), 5, 3, guidance=5.0, decoder="tiny"),
    case("lcm", (16, 16), 42, 4, guidance=8.5),
    case("lcm", (24, 16), 4, 2, guidance=1.0),
    case("bk-sdm", (16, 24), 42, 6, guidance=7.5),
    case("sdxs", (64, 64), 42, 1, guidance=0.0),
    case("sd15", (64, 64), 11, 6, guidance=5.0, init=(64, 64), strength=0.6),
    case("sd15", (64, 48), 12, 6, guidance=5.0, init=(100, 61), strength=0.8, scheduler="euler"),
    case("sd15", (64, 48), 13, 6, guidance=5.0, init=(40, 30), strength=1.0, scheduler="unipc"),
    case("sd15", (48, 64), 14, 7, guidance=5.0, init=(48, 64), strength=0.5, scheduler="euler_a"),
    case("sd15", (48, 64), 15, 7, guidance=5.0, init=(48, 64), strength=0.7, scheduler="dpmpp_2m"),
    case("sd15", (48, 64), 16, 4, guidance=1.0, init=(48, 64), strength=0.8, scheduler="lcm"),
    case("sd-turbo", (24, 24), 17, 4, guidance=0.0, init=(24, 24), strength=0.5),
    case("sdxl", (32, 32), 18, 5, guidance=5.0, init=(50, 32), strength=0.6),
    case("sdxs", (64, 64), 19, 2, guidance=0.0, init=(64, 64), strength=0.5),
    case("lcm", (16, 24), 20, 4, guidance=8.5, init=(16, 24), strength=0.8),
    case("sd15", (64, 64), 21, 6, guidance=5.0, init=(64, 64), mask=(64, 64), strength=1.0),
    case("sd15", (64, 48), 22, 6, guidance=5.0, init=(80, 50), mask=(30, 30), strength=0.7, scheduler="ddim"),
    case("sd15", (64, 48), 23, 6, guidance=5.0, init=(64, 48), mask=(64, 48), strength=1.0, scheduler="euler_a"),
    case("sd15", (64, 48), 24, 6, guidance=1.0, init=(64, 48), mask=(64, 48), strength=0.8, scheduler="unipc"),
    case("sdxl", (32, 48), 25, 5, guidance=5.0, init=(32, 48), mask=(32, 48), strength=0.9),
]

PIPELINES = {
    ("text", False): StableDiffusionPipeline, ("text", True): StableDiffusionXLPipeline,
    ("init", False): StableDiffusionImg2ImgPipeline, ("init", True): StableDiffusionXLImg2ImgPipeline,
    ("mask", False): StableDiffusionInpaintPipeline, ("mask", True): StableDiffusionXLInpaintPipeline,
}


def pipeline(spec):
    folder = HERE / "models" / spec["model"]
    isXL = spec["model"] == "sdxl"
    kind = "mask" if "mask" in spec else "init" if "init" in spec else "text"
    options = {"variant": "fp16"} if spec["model"] == "sd-turbo" else {}
    if not isXL:
        options.update(safety_checker=None, requires_safety_checker=False)
    if spec["model"] == "lcm":
        made = {"text": diffusers.LatentConsistencyModelPipeline,
                "init": LatentConsistencyModelImg2ImgPipeline}[kind]
    else:
        made = PIPELINES[kind, isXL]
    pipe = made.from_pretrained(folder, torch_dtype=torch.float32, **options)
    pipe.set_progress_bar_config(disable=True)
    if not isXL:  # diffusers looks for the final norm where transformers had it before version 5
        object.__setattr__(pipe.text_encoder, "text_model", pipe.text_encoder)
    wanted = spec.get("scheduler")
    if wanted:
        extra = {}
        if wanted.startswith("dpmpp"):
            extra = {"algorithm_type": "dpmsolver++", "use_karras_sigmas": wanted.endswith("karras")}
        pipe.scheduler = getattr(diffusers, CLASSES[wanted]).from_config(pipe.scheduler.config, **extra)
    if spec.get("decoder") == "tiny":
        tiny = HERE / "models" / ("taesdxl" if isXL else "taesd")
        pipe.vae = AutoencoderTiny.from_pretrained(tiny, torch_dtype=torch.float32)
    return pipe


def render(spec):
    pipe = pipeline(spec)
    size = (spec["width"], spec["height"])
    arguments = {"prompt": spec["prompt"], "num_inference_steps": spec["steps"], "guidance_scale": spec["guidance"],
                 "generator": torch.Generator("cpu").manual_seed(int(spec["seed"]))}
    if spec.get("negative") is not None:
        arguments["negative_prompt"] = spec["negative"]
    if "clip_skip" in spec:
        arguments["clip_skip"] = spec["clip_skip"]
    if spec.get("scheduler") == "tcd":
        arguments["eta"] = 0.3
    if "init" in spec:
        image = picture(*spec["init"]).resize(size, Image.LANCZOS)
        arguments.update(image=image, strength=spec["strength"])
    if "mask" in spec:
        arguments.update(mask_image=mask(*spec["mask"]), width=size[0], height=size[1])
    if "init" not in spec:
        arguments.update(width=size[0], height=size[1])
    seen = {}
    decode = pipe.vae.decode

    def watched(latents, *rest, **options):
        seen["latents"] = latents
        return decode(latents, *rest, **options)

    pipe.vae.decode = watched
    image = np.array(pipe(**arguments).images[0])
    assert image.shape == (size[1], size[0], 3), image.shape
    latents = seen["latents"] * pipe.vae.config.scaling_factor
    return image, latents[0].permute(1, 2, 0).contiguous().numpy()


cases, pixels, latents = [], bytearray(), []
for spec in CASES:
    image, values = render(spec)
    assert np.isfinite(values).all() and np.abs(values).max() < 1e4, spec
    print(spec["model"], spec.get("scheduler"), "spread of samples", image.std().round(1), "of latents",
          values.std().round(2))
    cases.append({**spec, "offset": len(pixels), "latents": [len(latents), values.size]})
    pixels += image.tobytes()
    latents += values.flatten().tolist()
(HERE / "pipelines.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
(HERE / "pipelines.rgb").write_bytes(pixels)
(HERE / "pipelines.f32").write_bytes(struct.pack(f"<{len(latents)}f", *latents))
print(len(cases), "cases,", len(pixels) + 4 * len(latents), "bytes")
