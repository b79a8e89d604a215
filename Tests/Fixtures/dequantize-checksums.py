"""Prints the checksums of Tests/TensorsTests/DequantizeTests.swift.

    pip install gguf numpy; python Tests/Fixtures/dequantize-checksums.py

Random blocks of every quantised type (SplitMix64, seed 1, the low byte of each draw; bit 6 and bit 2 of the high byte
of each f16 cleared, so that it is finite), dequantised by gguf's own quants.py; the FNV-1a hash takes each f32's bits.
"""

import gguf
import numpy as np
from gguf import GGMLQuantizationType, quants

MASK = (1 << 64) - 1
HALVES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108],
    "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0],
}


def split_mix(state):
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


for name, offsets in HALVES.items():
    kind = GGMLQuantizationType[name]
    _, size = gguf.GGML_QUANT_SIZES[kind]
    random, data = split_mix(1), bytearray()
    for _ in range(16):
        block = bytearray(next(random) & 255 for _ in range(size))
        for offset in offsets:
            block[offset + 1] &= 0xBB
        data += block
    values = quants.dequantize(np.frombuffer(bytes(data), dtype=np.uint8), kind).astype(np.float32).ravel()
    digest = 0xCBF29CE484222325
    for bits in (values + np.float32(0)).view(np.uint32).tolist():  # + 0 turns -0 into 0
        digest = ((digest ^ bits) * 0x100000001B3) & MASK
    print(name, hex(digest))
