"""Paints many scenes at once on the device that trains: `python composer.py` compares it with `scenes.paint`.

Sprites of a scene never touch and stand at eleven spots, so that a batch needs one paste for each spot.
"""
import random

import torch

from scenes import BACKGROUNDS, NAMES, SIZE, SPOTS, background, caption, paint, sprite, understand

KINDS = ["one", "size", "side", "count", "colour", "pair", "rows", "three", "place"]


class Composer:
    """`composer(scenes)` is `[N, 3, 128, 128]` in 0...1 on the device; a sprite goes there when it's first needed."""

    def __init__(self, device="cpu"):
        self.device = device
        grounds = [torch.from_numpy(background(*ground)) for ground in BACKGROUNDS]
        self.grounds = torch.stack(grounds).permute(0, 3, 1, 2).float().contiguous().to(device)
        self.places = {ground: index for index, ground in enumerate(BACKGROUNDS)}
        # for each size of sprites: where each is in the table `[sprites, 4, size, size]`, colours multiplied by alpha
        self.rows = {size: {} for _, _, size in SPOTS.values()}
        self.tables = {size: torch.zeros(0, 4, size, size, device=device) for size in self.rows}

    def add(self, size, looks):
        """Puts sprites, given as (name, colour), into the table of their size."""
        missing = [look for look in dict.fromkeys(looks) if look not in self.rows[size]]
        if not missing:
            return
        known = len(self.rows[size])
        self.rows[size].update({look: known + index for index, look in enumerate(missing)})
        fresh = torch.stack([torch.from_numpy(sprite(*look, size)).permute(2, 0, 1) for look in missing]).to(self.device)
        room = len(self.tables[size])
        if known + len(missing) > room:  # doubled, so that it is seldom moved
            larger = fresh.new_zeros(max(2 * room, known + len(missing), len(NAMES)), 4, size, size)
            larger[:known] = self.tables[size][:known]
            self.tables[size] = larger
        self.tables[size][known:known + len(missing)] = fresh

    def __call__(self, scenes):
        chosen = torch.tensor([self.places[scene.background] for scene in scenes], device=self.device)
        pictures = self.grounds[chosen]
        at_spot = {}
        for index, scene in enumerate(scenes):
            for name, colour, spot in scene.sprites:
                at_spot.setdefault(spot, []).append((index, (name, colour)))
        for spot, listed in at_spot.items():
            left, top, size = SPOTS[spot]
            self.add(size, [look for _, look in listed])
            which = torch.tensor([index for index, _ in listed], device=self.device)
            rows = torch.tensor([self.rows[size][look] for _, look in listed], device=self.device)
            painted = self.tables[size][rows]
            area = pictures[which, :, top:top + size, left:left + size]
            pictures[which, :, top:top + size, left:left + size] = area * (1 - painted[:, 3:]) + painted[:, :3]
        return pictures.clamp_(0, 1)


class Encoded:
    """Latents of scenes that are composed and encoded where the network is trained; like `Latents`, without tables."""

    backgrounds = BACKGROUNDS

    def __init__(self, autoencoder, device):
        self.autoencoder, self.device = autoencoder.to(device).eval().requires_grad_(False), device
        self.composer = Composer(device)

    def refresh(self):
        """There is nothing to read."""

    def has(self, scene):
        return True

    @torch.no_grad()
    def batch(self, scenes, part=256):
        """[N, latents, 16, 16]"""
        result = []
        for start in range(0, len(scenes), part):
            x = self.composer(scenes[start:start + part]).mul(2).sub(1).contiguous(memory_format=torch.channels_last)
            with torch.autocast(self.device, torch.bfloat16):
                result.append(self.autoencoder.encode(x).latents.float())
        return torch.cat(result)


def main():
    random_ = random.Random(3)
    scenes = [understand(caption(random_, KINDS, BACKGROUNDS)) for _ in range(400)]
    composer = Composer("cuda" if torch.cuda.is_available() else "cpu")
    made = torch.cat([composer(scenes[start:start + 64]) for start in range(0, len(scenes), 64)]).cpu()
    expected = torch.stack([torch.from_numpy(paint(scene)).permute(2, 0, 1) for scene in scenes])
    worst = (made - expected).abs().max().item()
    spots = {spot for scene in scenes for _, _, spot in scene.sprites}
    if worst > 1e-5 or spots != set(SPOTS):
        raise SystemExit(f"The composer is off by {worst} of 1e-5 at most, at {len(spots)} of {len(SPOTS)} spots.")
    print(f"{len(scenes)} scenes at {len(spots)} spots differ by at most {worst:.1e}")


if __name__ == "__main__":
    main()
