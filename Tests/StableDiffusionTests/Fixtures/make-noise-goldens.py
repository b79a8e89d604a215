"""Write noise.json: what torch.randn draws from torch.Generator("cpu") on a CPU.

    python make-noise-goldens.py

Needs torch (made with 2.13, CPU). Each case is a seed and the sizes of successive draws from one generator; of large
draws the ends and a checksum in float64 are kept.
"""

import json
from pathlib import Path

import torch

SEEDS = [0, 1, 42, 2**31, 2**32, 2**32 + 42, 2**63, 2**64 - 1]
SIZES = [[1], [2], [15], [16], [17], [31], [32], [1024], [16384], [16387], [65536]]
MIXED = [[1, 1, 1], [3, 16, 3, 17, 1, 15], [16384, 16384, 7, 16384]]


def draw(generator, size):
    values = torch.randn(size, generator=generator)
    ends = values.tolist() if size <= 32 else values[:8].tolist() + values[-24:].tolist()
    return {"size": size, "ends": ends, "sum": values.double().sum().item(),
            "squares": values.double().square().sum().item()}


cases = []
for seed in SEEDS:
    for sizes in (SIZES if seed in (0, 42) else [[16384]]) + MIXED:
        generator = torch.Generator("cpu").manual_seed(seed)
        cases.append({"seed": str(seed), "draws": [draw(generator, size) for size in sizes]})
Path(__file__).with_name("noise.json").write_text(json.dumps(cases) + "\n")
