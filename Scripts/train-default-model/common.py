"""What every training has: a folder, a clock, threads, a log and checkpoints."""
import argparse
import math
import os
import time
from pathlib import Path

import torch


def arguments(description, **extra):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--work", type=Path, default=Path("train-work"), help="where data and checkpoints lie")
    parser.add_argument("--minutes", type=float, default=10, help="training time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--preset", default="cpu", help="a set of sizes in presets.py")
    parser.add_argument("--threads", type=int, default=0, help="0: as many as are faster, up to the cores")
    for name, (default, text) in extra.items():
        parser.add_argument("--" + name, type=type(default), default=default, help=text)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    return options


class Run:
    """A training run that knows how far its time is gone, over interruptions."""

    def __init__(self, options, name, device="cpu"):
        self.path = options.work / f"{name}.pt"
        self.log_path = options.work / f"{name}.log"
        self.seconds = options.minutes * 60
        self.threads, self.device = options.threads, device
        self.cores = os.cpu_count() or 1
        torch.set_num_threads(options.threads or 1)
        # on a CPU the time that this thread gets, so that others who use the cores don't shorten the training
        self.clock = time.thread_time if device == "cpu" else time.time
        self.step, self.spent, self.last, self.since = 0, 0.0, self.clock(), time.time()
        self.state = torch.load(self.path, map_location=device) if self.path.exists() else None
        if self.state:
            self.step, self.spent = self.state["step"], self.state["spent"]
        self.trial, self.speeds = 0, {}

    @property
    def progress(self):
        return min(1, self.spent / self.seconds)

    def tick(self, measured=8, every=150):
        """After each step; now and then tries whether one thread or all are faster (others may use the cores)."""
        now, wall = self.clock(), time.time()
        self.spent += now - self.last
        took, self.last, self.since = wall - self.since, now, wall
        self.step += 1
        if self.threads or self.cores == 1 or self.device != "cpu":
            return
        count = torch.get_num_threads()
        self.speeds.setdefault(count, []).append(took)
        phase = self.step % every
        if phase == 0:
            self.speeds = {}
            torch.set_num_threads(1)
        elif phase == measured:
            torch.set_num_threads(self.cores)
        elif phase == 2 * measured:
            middle = {n: sorted(times)[len(times) // 2] for n, times in self.speeds.items()}
            torch.set_num_threads(min(middle, key=middle.get))

    def rate(self, peak, warmup=100, floor=.02):
        """The learning rate: a cosine over the time that there is."""
        wave = floor + (1 - floor) * .5 * (1 + math.cos(math.pi * self.progress))
        return peak * min(1, (self.step + 1) / warmup) * wave

    def log(self, text):
        line = f"step {self.step} {self.spent:.0f}s {text}"
        print(line, flush=True)
        with open(self.log_path, "a") as file:
            file.write(line + "\n")

    def save(self, **state):
        torch.save({"step": self.step, "spent": self.spent, **state}, self.path.with_suffix(".new"))
        self.path.with_suffix(".new").rename(self.path)
        self.last, self.since = self.clock(), time.time()


def grown(state, model):
    """A checkpoint's weights for a model that has become wider since: what is new keeps its beginning, but new inputs
    begin at zero, so that what was learnt stays."""
    result = model.state_dict()
    for name, old in state.items():
        new = result[name]
        if new.shape == old.shape:
            result[name] = old
            continue
        new = new.clone()
        if new.ndim > 1:
            new[:, old.shape[1]:] = 0
        new[tuple(slice(size) for size in old.shape)] = old
        result[name] = new
    return result


def set_rate(optimizer, rate):
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("scale", 1)


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised, for matrices and kernels, scaled so that AdamW's rates fit (Jordan, Liu et al.)."""

    def __init__(self, parameters, lr, momentum=.95, weight_decay=.01):
        super().__init__(parameters, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["momentum"] = torch.zeros_like(p)
                mean = state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                x = p.grad.lerp(mean, group["momentum"]).flatten(1).bfloat16()
                rows, columns = x.shape
                if rows > columns:
                    x = x.T
                x = x / (x.norm() + 1e-7)
                for _ in range(4):
                    a = x @ x.T
                    x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
                if rows > columns:
                    x = x.T
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(x.reshape(p.shape).to(p.dtype), alpha=-.2 * max(rows, columns) ** .5 * group["lr"])


def optimizers(net, rate):
    matrices, others = [], []
    for name, p in net.named_parameters():
        if p.requires_grad:
            plain = "embedding" in name or "conv_in" in name or "conv_out" in name or p.ndim < 2 or min(p.shape[:2]) < 8
            (others if plain else matrices).append(p)
    return [Muon(matrices, rate), torch.optim.AdamW(others, rate, betas=(.9, .98), weight_decay=0)]
