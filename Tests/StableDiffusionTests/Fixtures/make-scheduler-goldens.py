"""Write schedulers.json and schedulers.f32: the step sequences of diffusers' own schedulers.

    python make-scheduler-goldens.py

Needs torch and diffusers (made with torch 2.13 and diffusers 0.42.1, CPU). The network is a formula: half of its input
plus a pattern that turns by one place a step. Latents are 8 numbers, in float32; all random numbers come from one
torch generator. Each case says which scheduler_config.json it begins with, which scheduler is made of it the way users
do (X.from_config of the pipeline's), the number of steps and the step that is begun with; its numbers lie in
schedulers.f32 in this order: timesteps, sigmas (where there are any), init_noise_sigma, first latents, then for every
step its latents and what add_noise gives after it (for inpainting).
"""

import json
import struct
import tempfile
import warnings
from pathlib import Path

import diffusers
import torch
from diffusers import StableDiffusionPipeline

warnings.filterwarnings("ignore")
diffusers.logging.set_verbosity_error()
HERE = Path(__file__).parent
COUNT = 8
PATTERN = torch.tensor([0.5, -1.25, 0.125, 0.75, -0.375, 1.5, -0.625, -1.0])
PICTURE = torch.tensor([0.25, 0.5, -0.75, 1.0, -0.125, 0.375, -1.5, 0.875])

SCALED = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
ZERO = {**SCALED, "prediction_type": "v_prediction", "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
CLASSES = {
    "ddim": "DDIMScheduler", "pndm": "PNDMScheduler", "euler": "EulerDiscreteScheduler",
    "euler_a": "EulerAncestralDiscreteScheduler", "dpmpp_2m": "DPMSolverMultistepScheduler",
    "dpmpp_2m_karras": "DPMSolverMultistepScheduler", "lcm": "LCMScheduler", "tcd": "TCDScheduler",
    "unipc": "UniPCMultistepScheduler",
}
STEPS = [1, 2, 4, 20, 50]
OFFSET = {**SCALED, "steps_offset": 1}
V = {**SCALED, "prediction_type": "v_prediction"}
TRAILING = {**SCALED, "timestep_spacing": "trailing"}
BETAS = [round(0.001 + 0.0004 * (i % 50), 6) for i in range(100)]

# Own settings of each scheduler: name of the class, file, steps.
OWN = [
    ("ddim", {}, STEPS),
    ("ddim", {**OFFSET, "clip_sample": False, "set_alpha_to_one": False}, STEPS),
    ("ddim", {**ZERO, "clip_sample": False}, STEPS),
    ("ddim", {**SCALED, "timestep_spacing": "linspace", "prediction_type": "sample", "clip_sample_range": 0.5}, STEPS),
    ("ddim", {"beta_schedule": "squaredcos_cap_v2", "clip_sample": False, "prediction_type": "v_prediction"}, STEPS),
    ("ddim", {"trained_betas": BETAS, "num_train_timesteps": 100, "timestep_spacing": "trailing"}, [1, 4, 20, 61]),
    ("pndm", {**OFFSET, "skip_prk_steps": True, "set_alpha_to_one": False}, STEPS),
    ("pndm", {**V, "skip_prk_steps": True}, STEPS),
    ("pndm", {**OFFSET}, [4, 20, 50]),
    ("pndm", {**TRAILING, "skip_prk_steps": True, "set_alpha_to_one": True}, [2, 20, 61]),
    ("pndm", {"timestep_spacing": "linspace", "skip_prk_steps": True}, [3, 20]),
    ("euler", {}, STEPS),
    ("euler", {**OFFSET, "timestep_spacing": "leading"}, STEPS),
    ("euler", {**TRAILING, "final_sigmas_type": "sigma_min"}, STEPS),
    ("euler", {**ZERO}, STEPS),
    ("euler", {**SCALED, "use_karras_sigmas": True, "sigma_min": 0.05, "sigma_max": 12.0}, [2, 4, 20]),
    ("euler", {**V, "use_karras_sigmas": True, "timestep_type": "continuous"}, [2, 20]),
    ("euler", {**SCALED, "interpolation_type": "log_linear"}, [2, 20]),
    ("euler", {**SCALED, "prediction_type": "sample"}, [1, 4]),
    ("euler_a", {**OFFSET}, STEPS),
    ("euler_a", {**TRAILING}, STEPS),
    ("euler_a", {**ZERO}, STEPS),
    ("euler_a", {**OFFSET, "timestep_spacing": "leading"}, [4, 50]),
    ("dpmpp_2m", {**SCALED}, STEPS),
    ("dpmpp_2m", {**OFFSET, "timestep_spacing": "leading", "solver_type": "heun"}, STEPS),
    ("dpmpp_2m", {**ZERO}, STEPS),
    ("dpmpp_2m", {**SCALED, "solver_order": 3, "final_sigmas_type": "sigma_min"}, STEPS),
    ("dpmpp_2m", {**SCALED, "lower_order_final": False, "euler_at_final": True}, [4, 20]),
    ("dpmpp_2m", {"beta_schedule": "squaredcos_cap_v2", "lambda_min_clipped": -5.1}, [4, 20]),
    ("dpmpp_2m", {**TRAILING, "prediction_type": "sample", "solver_order": 1}, [4, 20]),
    ("dpmpp_2m_karras", {**SCALED, "use_karras_sigmas": True}, STEPS),
    ("dpmpp_2m_karras", {"beta_schedule": "squaredcos_cap_v2", "use_karras_sigmas": True}, [4, 20]),
    ("lcm", {}, STEPS),
    ("lcm", {"original_inference_steps": 100, "timestep_scaling": 7.5, "prediction_type": "v_prediction"}, [1, 4, 51]),
    ("lcm", {"prediction_type": "sample", "clip_sample": True, "set_alpha_to_one": False}, [1, 4]),
    ("tcd", {}, STEPS),
    ("tcd", {"prediction_type": "v_prediction"}, [1, 4]),
    ("tcd", {"prediction_type": "sample"}, [2, 4]),
    ("unipc", {**SCALED}, STEPS),
    ("unipc", {**OFFSET, "timestep_spacing": "leading", "solver_type": "bh1",
               "final_sigmas_type": "sigma_min"}, STEPS),
    ("unipc", {**ZERO, "solver_order": 3}, STEPS),
    ("unipc", {**SCALED, "solver_order": 3, "predict_x0": False, "final_sigmas_type": "sigma_min"}, [4, 20]),
    ("unipc", {**SCALED, "use_karras_sigmas": True, "disable_corrector": [0, 2]}, [4, 20]),
    ("unipc", {**V, "solver_order": 1, "predict_x0": False, "final_sigmas_type": "sigma_min"}, [4, 20]),
]

# Files of models, of which every scheduler is made.
FILES = [
    ("pndm", {**OFFSET, "skip_prk_steps": True, "set_alpha_to_one": False, "clip_sample": False,
              "trained_betas": None}),
    ("pndm", {**SCALED, "skip_prk_steps": True}),
    ("euler", {**TRAILING, "set_alpha_to_one": False, "clip_sample": False, "skip_prk_steps": True,
               "steps_offset": 1, "interpolation_type": "linear", "use_karras_sigmas": False}),
    ("ddim", {**ZERO, "clip_sample": True, "steps_offset": 0, "skip_prk_steps": True}),
    ("lcm", {"skip_prk_steps": True}),
]

cases, numbers = [], []


def made(kind, file, wanted, corrected):
    """The scheduler a user gets: from the file, corrected by the pipeline, then perhaps replaced."""
    with tempfile.TemporaryDirectory() as folder:
        text = json.dumps({"_class_name": CLASSES[kind], "_diffusers_version": "0.42.1", **file})
        (Path(folder) / "scheduler_config.json").write_text(text)
        scheduler = getattr(diffusers, CLASSES[kind]).from_pretrained(folder)
    if corrected:
        pipe = StableDiffusionPipeline(
            vae=None, text_encoder=None, tokenizer=None, unet=None, scheduler=scheduler, safety_checker=None,
            feature_extractor=None, requires_safety_checker=False)
        scheduler = pipe.scheduler
    if wanted is None:
        return scheduler
    extra = {}
    if wanted.startswith("dpmpp"):
        extra = {"algorithm_type": "dpmsolver++", "use_karras_sigmas": wanted.endswith("karras")}
    return getattr(diffusers, CLASSES[wanted]).from_config(scheduler.config, **extra)


def record(kind, file, steps, start=0, wanted=None, corrected=False, eta=None):
    scheduler = made(kind, file, wanted, corrected)
    scheduler.set_timesteps(steps)
    trailing = scheduler.config.get("timestep_spacing") == "trailing"
    timesteps = scheduler.timesteps
    if trailing and (timesteps < 0).any():  # rounding gave an entry too many, which the engine leaves out
        return
    generator = torch.Generator("cpu").manual_seed(7)
    noise = torch.randn((1, 2, 2, 2), generator=generator)
    picture = PICTURE.reshape(1, 2, 2, 2)
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(start)
    if start > 0:
        latents = scheduler.add_noise(picture, noise, timesteps[start : start + 1])
    else:
        latents = noise * scheduler.init_noise_sigma
    sigmas = getattr(scheduler, "sigmas", torch.zeros(0))
    out = [*timesteps.tolist(), *sigmas.tolist(), float(scheduler.init_noise_sigma), *latents.flatten().tolist()]
    name = wanted or kind
    options = {}
    if name in ("euler_a", "lcm", "tcd"):
        options["generator"] = generator
    if name == "tcd":
        options["eta"] = 0.3 if eta is None else eta
    rest = timesteps[start:]
    for index, t in enumerate(rest):
        model_input = scheduler.scale_model_input(latents, t)
        output = 0.5 * model_input + torch.roll(PATTERN, -(start + index)).reshape(1, 2, 2, 2)
        latents = scheduler.step(output, t, latents, **options).prev_sample
        out += latents.flatten().tolist()
        if index + 1 < len(rest):
            out += scheduler.add_noise(picture, noise, rest[index + 1 : index + 2]).flatten().tolist()
    if not all(abs(value) < 1e30 for value in out):
        raise SystemExit(f"not finite: {kind} {file} {steps} {wanted}")
    cases.append({
        "file": {"_class_name": CLASSES[kind], **file}, "corrected": corrected, "kind": wanted, "eta": eta,
        "steps": steps, "start": start, "timesteps": len(timesteps), "sigmas": len(sigmas),
        "offset": len(numbers), "count": len(out)})
    numbers.extend(out)


for kind, file, counts in OWN:
    for steps in counts:
        record(kind, file, steps)
        if steps == 20:
            record(kind, file, steps, start=7)
for eta in (0.0, 1.0):
    record("tcd", {}, 4, eta=eta)
for kind, file in FILES:
    for corrected in (False, True):
        record(kind, file, 5, corrected=corrected)
        for wanted in CLASSES:
            if wanted != kind:
                record(kind, file, 5, wanted=wanted, corrected=corrected)

(HERE / "schedulers.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
(HERE / "schedulers.f32").write_bytes(struct.pack(f"<{len(numbers)}f", *numbers))
print(len(cases), "cases,", len(numbers) * 4, "bytes")
