"""Sizes: `cpu` is what is shipped, `gpu` the larger recipe, `tiny` a test of the scripts."""
from types import SimpleNamespace

PRESETS = {
    "cpu": dict(latents=8, encoder=(32, (0, 1, 2, 2)), decoder=(32, (3, 3, 2, 1)), crop=64, ae_batch=16, ae_rate=1.5e-3,
                text=192, text_layers=2, channels=(64, 128, 192), layers=1, batch=48, rate=1.5e-3, device="cpu"),
    "gpu": dict(latents=8, encoder=(64, (1, 2, 2, 2)), decoder=(64, (3, 3, 3, 1)), crop=128, ae_batch=128, ae_rate=1e-3,
                text=192, text_layers=3, channels=(64, 128, 256), layers=2, batch=1024, rate=1.5e-3, device="cuda"),
    "tiny": dict(latents=8, encoder=(8, (0, 1, 1, 1)), decoder=(8, (1, 1, 1, 1)), crop=32, ae_batch=4, ae_rate=2e-3,
                 text=32, text_layers=1, channels=(16, 32, 32), layers=1, batch=8, rate=1e-3, device="cpu"),
}


def preset(name):
    return SimpleNamespace(**PRESETS[name])
