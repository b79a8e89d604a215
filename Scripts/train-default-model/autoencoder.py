"""Trains the autoencoder: 128 x 128 pixels to 16 x 16 latents of mean 0 and deviation 1, and back."""
import random

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderTiny

from common import Run, arguments, grown, optimizers, set_rate
from composer import Composer
from presets import preset
from scenes import BACKGROUNDS, SIZE, bytes_of, caption, understand

KINDS = ["one", "one", "size", "side", "count", "count", "colour", "pair", "pair", "rows", "three"]


def build(sizes):
    (encoder, encoder_blocks), (decoder, decoder_blocks) = sizes.encoder, sizes.decoder
    return AutoencoderTiny(
        encoder_block_out_channels=(encoder,) * 4, num_encoder_blocks=encoder_blocks,
        decoder_block_out_channels=(decoder,) * 4, num_decoder_blocks=decoder_blocks, latent_channels=sizes.latents)


def trained_autoencoder(work, sizes):
    model = build(sizes)
    model.load_state_dict(torch.load(work / "autoencoder.pt", map_location="cpu")["model"])
    return model


def pictures(random_, count, composer=None):
    """Scenes [count, 3, 128, 128] in 0...255, painted one by one or by a composer."""
    scenes = [understand(caption(random_, KINDS, BACKGROUNDS)) for _ in range(count)]
    if composer:
        return torch.cat([(composer(scenes[i:i + 256]) * 255 + .5).byte() for i in range(0, count, 256)])
    return torch.from_numpy(np.stack([bytes_of(scene) for scene in scenes])).permute(0, 3, 1, 2)


def edges(a, b):
    return (F.l1_loss(a.diff(dim=-1), b.diff(dim=-1)) + F.l1_loss(a.diff(dim=-2), b.diff(dim=-2)))


def psnr(a, b):
    """Of pictures in -1...1, the mean over the batch."""
    return (-10 * ((a.clamp(-1, 1) - b) / 2).square().mean((1, 2, 3)).log10()).mean().item()


def main():
    options = arguments(__doc__, **{"decoder-only": (0, "1: keep the encoder, so that the network stays valid")})
    sizes = preset(options.preset)
    run = Run(options, "autoencoder", sizes.device)
    model = build(sizes).to(sizes.device, memory_format=torch.channels_last)
    if run.state:
        model.load_state_dict(grown(run.state["model"], model))
        if options.decoder_only:
            run.spent = run.step = 0
    random_ = random.Random(options.seed * 1000 + run.step)
    held_out = pictures(random.Random(99), 64).to(sizes.device).float() / 127.5 - 1
    if options.decoder_only:
        model.encoder.requires_grad_(False)
    both = optimizers(model, sizes.ae_rate)
    same = run.state and all(run.state["model"][name].shape == p.shape for name, p in model.state_dict().items())
    if same and not options.decoder_only:
        for optimizer, state in zip(both, run.state["optimizers"]):
            optimizer.load_state_dict(state)
    pool, composer = None, Composer(sizes.device) if sizes.workers else None
    while run.progress < 1:
        if pool is None or run.step % 200 == 0:
            # a quarter of the pool is painted anew
            fresh = pictures(random_, sizes.pool if pool is None else sizes.pool // 4, composer)
            pool = fresh if pool is None else torch.cat([pool[len(fresh):], fresh])
        cells = (SIZE - sizes.crop) // 8 + 1
        crops = []
        for index in torch.randint(len(pool), (sizes.ae_batch,)).tolist():
            top, left = 8 * random_.randrange(cells), 8 * random_.randrange(cells)
            crops.append(pool[index, :, top:top + sizes.crop, left:left + sizes.crop])
        x = torch.stack(crops).to(sizes.device).float().div(127.5).sub(1).contiguous(memory_format=torch.channels_last)
        for optimizer in both:
            set_rate(optimizer, run.rate(sizes.ae_rate, 50))
        with torch.autocast(sizes.device, torch.bfloat16):
            z = model.encode(x).latents
            y = model.decode(z + .05 * torch.randn_like(z)).sample
        y, z = y.float(), z.float()
        # the logarithm: what is measured is the mean of decibels, and flat scenes count as much as crowded ones
        error = ((y - x).square().mean((1, 2, 3)) + 1e-3).log().mean()
        centred = z.mean((0, 2, 3)).square().mean() + (z.std((0, 2, 3)) - 1).square().mean()
        loss = .05 * error + .1 * F.l1_loss(y, x) + .1 * edges(y, x) + .05 * centred
        model.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
        for optimizer in both:
            optimizer.step()
        run.tick()
        if run.step % 200 == 0 or run.progress == 1:
            with torch.no_grad():
                z = model.encode(held_out).latents
                reached = psnr(model.decode(z).sample, held_out)
                run.log(f"loss {loss.item():.4f} psnr {reached:.2f} latents {z.mean():.2f} +- {z.std():.2f} "
                        f"threads {torch.get_num_threads()}")
            run.save(model=model.state_dict(), optimizers=[o.state_dict() for o in both], psnr=reached)


if __name__ == "__main__":
    main()
