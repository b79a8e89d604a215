"""Sizes: `cpu` is what is shipped, `gpu` the larger recipe, `tiny` and `tiny-gpu` tests of the scripts of both."""
from types import SimpleNamespace

TINY = dict(latents=8, encoder=(8, (0, 1, 1, 1)), decoder=(8, (1, 1, 1, 1)), crop=32, pool=64, ae_batch=4, ae_rate=2e-3,
            text=32, text_layers=1, channels=(16, 32, 32), layers=1, batch=8, rate=1e-3, device="cpu", workers=0)
# workers: with some, scenes are composed and encoded on the device, and these processes make their captions
PRESETS = {
    "cpu": dict(latents=12, encoder=(32, (0, 1, 2, 4)), decoder=(32, (5, 4, 2, 1)), crop=64, pool=1024, ae_batch=16,
                ae_rate=1.5e-3, text=192, text_layers=2, channels=(64, 128, 192), layers=1, batch=48, rate=1.5e-3,
                device="cpu", workers=0),
    "gpu": dict(latents=12, encoder=(64, (1, 2, 2, 4)), decoder=(64, (5, 4, 3, 1)), crop=128, pool=16384, ae_batch=128,
                ae_rate=1e-3, text=192, text_layers=3, channels=(64, 128, 256), layers=2, batch=1024, rate=1.5e-3,
                device="cuda", workers=12),
    "tiny": TINY,
    "tiny-gpu": TINY | dict(workers=2),
}


def preset(name):
    return SimpleNamespace(**PRESETS[name])
