"""Times layers of picture networks here, in torch and in OpenVINO, alternating, and prints the ratios.

    python Benchmarks/peers/layers.py --engine .build/release/inkling-layers [--only taesd] [--threads 2]

Needs torch and openvino from PyPI (`torch==2.13.0+cpu` from its own index: a bare torch brings CUDA). Times are the
least processor time of a call over all threads, in milliseconds; peers compute in f32, this engine with f16 weights
and f32 sums. A ratio above 1 means that this engine is faster.
"""

import argparse
import json
import subprocess
import time

import numpy
import openvino
import torch

LAYERS = {
    "unet": [
        "conv 64 64 320 320 3 1", "conv 64 64 640 320 3 1", "conv 64 64 960 320 3 1", "conv 32 32 640 640 3 1",
        "conv 32 32 1280 640 3 1", "conv 32 32 1920 640 3 1", "conv 16 16 1280 1280 3 1", "conv 16 16 2560 1280 3 1",
        "conv 8 8 1280 1280 3 1", "conv 8 8 2560 1280 3 1", "conv 4 4 1280 1280 3 1", "conv 64 64 4 320 3 1",
        "conv 64 64 320 4 3 1", "conv 64 64 320 320 3 2", "conv 32 32 640 640 3 2",
    ],
    "taesd": ["conv 64 64 64 64 3 1", "conv 256 256 64 64 3 1", "conv 512 512 64 64 3 1", "conv 512 512 64 3 3 1"],
    "vae": [
        "conv 64 64 512 512 3 1", "conv 128 128 512 512 3 1", "conv 256 256 512 256 3 1", "conv 512 512 256 128 3 1",
        "conv 512 512 128 128 3 1", "conv 512 512 128 3 3 1",
    ],
    "linear": [
        "linear 4096 320 320", "linear 4096 320 2560", "linear 4096 1280 320", "linear 1024 640 640",
        "linear 1024 640 5120", "linear 256 1280 1280", "linear 64 1280 1280", "linear 77 768 320",
    ],
}


def module(words):
    """The layer in torch and its input."""
    kind, sizes = words[0], [int(word) for word in words[1:]]
    if kind == "linear":
        rows, inputs, outputs = sizes
        return torch.nn.Linear(inputs, outputs), torch.randn(1, rows, inputs)
    height, width, inputs, outputs, size, stride = sizes
    layer = torch.nn.Conv2d(inputs, outputs, size, stride, size // 2)
    return layer, torch.randn(1, inputs, height, width)


def least(call, seconds):
    call()
    best, total, count = float("inf"), 0, 0
    while total < seconds or count < 3:
        start = time.process_time()
        call()
        spent = time.process_time() - start
        best, total, count = min(best, spent), total + spent, count + 1
    return best * 1e3


def measure(options, layer):
    words = layer.split()
    torch_layer, x = module(words)
    compiled = openvino.compile_model(
        openvino.convert_model(torch_layer, example_input=x), "CPU",
        {"INFERENCE_NUM_THREADS": options.threads, "PERFORMANCE_HINT": "LATENCY",
         "INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    request.set_input_tensor(openvino.Tensor(numpy.ascontiguousarray(x.numpy())))

    def engine():
        command = [options.engine, *words, "--threads", str(options.threads), "--instructions", options.instructions,
                   "--seconds", str(options.seconds)]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["milliseconds"]

    def run_torch():
        with torch.inference_mode():
            torch_layer(x)

    times = {"engine": [], "torch": [], "openvino": []}
    for _ in range(options.rounds):
        times["engine"].append(engine())
        times["torch"].append(least(run_torch, options.seconds))
        times["openvino"].append(least(request.infer, options.seconds))
    return {name: min(values) for name, values in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", required=True, help="inkling-layers, built in release")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--instructions", default="best", help="of this engine: best, avx2, ...")
    parser.add_argument("--only", choices=LAYERS)
    parser.add_argument("--seconds", type=float, default=0.3, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print("| layer | ms | GFLOP/s | torch | ratio | OpenVINO | ratio |\n|---|---|---|---|---|---|---|")
    for network, layers in LAYERS.items():
        if options.only not in (None, network):
            continue
        for layer in layers:
            times = measure(options, layer)
            words = layer.split()
            sizes = [int(word) for word in words[1:]]
            if words[0] == "conv":
                height, width, inputs, outputs, size, stride = sizes
                work = 2e-6 * (height // stride) * (width // stride) * inputs * outputs * size * size
            else:
                work = 2e-6 * sizes[0] * sizes[1] * sizes[2]
            engine = times["engine"]
            print(f"| {layer} | {engine:.2f} | {work / engine:.0f} | {times['torch']:.2f} "
                  f"| **{times['torch'] / engine:.2f}** | {times['openvino']:.2f} "
                  f"| **{times['openvino'] / engine:.2f}** |", flush=True)


if __name__ == "__main__":
    main()
