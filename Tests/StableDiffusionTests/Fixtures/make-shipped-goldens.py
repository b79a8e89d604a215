"""Write shipped.json and shipped.rgb: what diffusers paints with the model in Assets/models/inkling-scenes.

    python make-shipped-goldens.py

Needs torch, diffusers and transformers (made with torch 2.13, diffusers 0.42.1, transformers 5.24, CPU). Everything is
float32. shipped.rgb has 128 x 128 pixels of each case, 8 bits a sample.
"""

import json
import warnings
from pathlib import Path

import diffusers
import numpy as np
import torch
from diffusers import StableDiffusionPipeline

warnings.filterwarnings("ignore")
diffusers.logging.set_verbosity_error()
torch.set_grad_enabled(False)
torch.set_num_threads(1)
HERE = Path(__file__).resolve().parent
CASES = [("a fox in the snow at night", 0, 1), ("a fox", 0, 2), ("two cats", 0, 2), ("a red apple on grass", 7, 4),
         ("an owl left of a dog", 3, 20), ("a qwzx boat, please", 0, 2)]

pipe = StableDiffusionPipeline.from_pretrained(
    HERE.parents[2] / "Assets/models/inkling-scenes", torch_dtype=torch.float32, safety_checker=None,
    requires_safety_checker=False)
pipe.set_progress_bar_config(disable=True)
# diffusers looks for the final norm where transformers had it before version 5
object.__setattr__(pipe.text_encoder, "text_model", pipe.text_encoder)
pixels = bytearray()
for prompt, seed, steps in CASES:
    picture = pipe(prompt, num_inference_steps=steps, guidance_scale=1, width=128, height=128,
                   generator=torch.Generator("cpu").manual_seed(seed), output_type="np").images[0]
    assert picture.shape == (128, 128, 3), picture.shape
    print(prompt, "spread", picture.std().round(3))
    pixels += (picture * 255).round().astype(np.uint8).tobytes()
(HERE / "shipped.json").write_text(json.dumps(
    [{"prompt": p, "seed": seed, "steps": steps} for p, seed, steps in CASES], indent=1) + "\n")
(HERE / "shipped.rgb").write_bytes(pixels)
