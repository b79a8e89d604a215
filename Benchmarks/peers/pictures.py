#!/usr/bin/env python3
"""Times the parts of a picture model with diffusers and torch, or with OpenVINO, and prints JSON.

    python pictures.py torch --model sd15 --tiny taesd --size 512
    python pictures.py openvino --model sd15 --tiny taesd --size 512 --cache ~/.cache/inkling/peers/openvino

Both compute in f32. OpenVINO runs the same modules, converted once for each size into `--cache` (by a process of their
own, so that the peak memory is OpenVINO's alone), with the hint LATENCY and the given number of threads. Needs torch,
diffusers and transformers; openvino for the second.
"""

import argparse
import hashlib
import json
import pathlib
import resource
import subprocess
import sys
import time

STAGES = ("text", "step", "decode", "tiny")


class Sample:
    """Seconds of one call: wall-clock, and of the processors for all threads."""

    def __init__(self, body):
        start, used = time.perf_counter(), time.process_time()
        body()
        self.seconds, self.processor_seconds = time.perf_counter() - start, time.process_time() - used


def measure(body, repetitions):
    samples = [Sample(body) for _ in range(repetitions + 1)][1:]
    return {"seconds": [sample.seconds for sample in samples],
            "processorSeconds": [sample.processor_seconds for sample in samples]}


def module_of(options, stage):
    """The part as a module of tensors alone, and its inputs."""
    import torch
    from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
    from transformers import CLIPTextModel

    class Part(torch.nn.Module):
        def __init__(self, inner, call):
            super().__init__()
            self.inner, self.call = inner, call

        def forward(self, *inputs):
            return self.call(self.inner, *inputs)

    torch.manual_seed(1)
    side, float32 = options.size // 8, {"torch_dtype": torch.float32}
    latents = torch.randn(1, 4, side, side)
    if stage == "text":
        encoder = CLIPTextModel.from_pretrained(options.model / "text_encoder", **float32)
        tokens = torch.randint(0, 49406, (1, 77))
        return Part(encoder, lambda inner, x: inner(x, return_dict=False)[0]), (tokens,)
    if stage == "step":
        unet = UNet2DConditionModel.from_pretrained(options.model / "unet", **float32)
        context = torch.randn(1, 77, unet.config.cross_attention_dim)
        return Part(unet, lambda inner, x, t, c: inner(x, t, c, return_dict=False)[0]), (
            latents, torch.tensor([500.0]), context)
    if stage == "decode":
        vae = AutoencoderKL.from_pretrained(options.model / "vae", **float32)
        return Part(vae, lambda inner, x: inner.decode(x, return_dict=False)[0]), (latents,)
    vae = AutoencoderTiny.from_pretrained(options.tiny, **float32)
    return Part(vae, lambda inner, x: inner.decode(x, return_dict=False)[0]), (latents,)


def run_torch(options):
    import torch

    torch.set_num_threads(options.threads)
    results, load = {}, 0.0
    # All parts are held at once, as a pipeline holds them.
    with torch.inference_mode():
        start = time.perf_counter()
        parts = {stage: module_of(options, stage) for stage in options.stages}
        for module, _ in parts.values():
            module.eval()
        load = time.perf_counter() - start
        for stage, (module, inputs) in parts.items():
            results[stage] = measure(lambda: module(*inputs), options.repetitions)
    return results, load, f"torch {torch.__version__}"


def converted(options, stage):
    source = options.tiny if stage == "tiny" else options.model
    key = hashlib.sha256(str(source.resolve()).encode()).hexdigest()[:12]
    return options.cache / f"{source.name}-{key}-{stage}-{options.size}.xml"


def convert(options, stage):
    import openvino
    import torch

    module, inputs = module_of(options, stage)
    module.eval()
    with torch.no_grad():
        model = openvino.convert_model(module, example_input=inputs)
    model.reshape({i: list(x.shape) for i, x in enumerate(inputs)})
    options.cache.mkdir(parents=True, exist_ok=True)
    partial = converted(options, stage).with_suffix(".partial.xml")
    openvino.save_model(model, partial, compress_to_fp16=False)
    partial.with_suffix(".bin").rename(converted(options, stage).with_suffix(".bin"))
    partial.rename(converted(options, stage))


def prepare(options):
    """Converts what is missing, a process for each part."""
    for stage in options.stages:
        if not converted(options, stage).exists():
            command = [sys.executable, __file__, *sys.argv[1:], "--convert", stage]
            subprocess.run(command, check=True, stdout=sys.stderr)


def run_openvino(options):
    prepare(options)
    import numpy
    import openvino

    core = openvino.Core()
    hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": options.threads,
             "INFERENCE_PRECISION_HINT": "f32"}
    start = time.perf_counter()
    parts = {stage: core.compile_model(core.read_model(converted(options, stage)), "CPU", hints)
             for stage in options.stages}
    load = time.perf_counter() - start
    random, results = numpy.random.default_rng(1), {}
    for stage, model in parts.items():
        request = model.create_infer_request()
        inputs = []
        for port in model.inputs:
            shape = tuple(port.shape)
            if port.element_type == openvino.Type.i64:
                inputs.append(random.integers(0, 49406, shape))
            else:
                inputs.append(random.standard_normal(shape, dtype=numpy.float32))
        results[stage] = measure(lambda: request.infer(inputs), options.repetitions)
    return results, load, f"OpenVINO {openvino.__version__.split('-')[0]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runtime", choices=["torch", "openvino"])
    parser.add_argument("--model", type=pathlib.Path, required=True, help="a diffusers directory")
    parser.add_argument("--tiny", type=pathlib.Path, help="an AutoencoderTiny directory")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--cache", type=pathlib.Path, help="where converted models go")
    parser.add_argument("--prepare", action="store_true", help="convert for OpenVINO what is missing, and measure nothing")
    parser.add_argument("--convert", choices=STAGES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.stages = options.stages.split(",")
    if unknown := set(options.stages) - set(STAGES):
        parser.error(f"no such stage: {', '.join(sorted(unknown))}")
    if "tiny" in options.stages and options.tiny is None:
        parser.error("the stage tiny needs --tiny")
    if options.runtime == "openvino" and options.cache is None:
        parser.error("openvino needs --cache")
    if options.convert:
        convert(options, options.convert)
        return
    if options.prepare:
        prepare(options)
        print(json.dumps({"peakResidentBytes": 0}))
        return
    results, load, version = (run_torch if options.runtime == "torch" else run_openvino)(options)
    print(json.dumps({
        "runtime": version, "model": str(options.model), "size": options.size, "threads": options.threads,
        "loadSeconds": load, "stages": results,
        "peakResidentBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }, indent=1))


if __name__ == "__main__":
    main()
