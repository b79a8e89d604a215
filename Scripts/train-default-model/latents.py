"""Encodes every sprite in every place: of these the network's scenes are put together without painting again.

Sprites that can't touch share a picture, and each keeps its part of the latents.
"""
import torch

from autoencoder import trained_autoencoder
from common import arguments
from presets import preset
from scenes import BACKGROUNDS, COLOURS, NAMES, SIZED, TINTED, Scene, bytes_of

# rows and columns of latents that belong to a spot
HALVES = {"left": (slice(0, 16), slice(0, 8)), "right": (slice(0, 16), slice(8, 16)),
          "top": (slice(0, 8), slice(0, 16)), "bottom": (slice(8, 16), slice(0, 16))}
REGIONS = {spot: (slice(0, 16), slice(0, 16)) for spot in ("centre", "big", "small")} | HALVES
REGIONS |= {f"{v} {h}": (HALVES[v][0], HALVES[h][1]) for v in ("top", "bottom") for h in ("left", "right")}


def jobs(ground, turn):
    """Pictures as lists of sprites: what the first stage needs, then the other spots, then the colours."""
    if turn == 0:
        yield []
        yield from ([(name, None, "centre")] for name in NAMES)
    elif turn == 1:
        spots = [("left", "right"), ("top", "bottom"), ("top left", "top right", "bottom left", "bottom right")]
        for shared in spots + ([("big",), ("small",)] if ground in SIZED else []):
            for index in range(len(NAMES)):
                yield [(NAMES[(index + 31 * k) % len(NAMES)], None, spot) for k, spot in enumerate(shared)]
    elif ground in TINTED:
        yield from ([(name, colour, "centre")] for name in NAMES for colour in COLOURS)


class Latents:
    """What is encoded so far: `[latents, 16, 16]` of a scene, by its background and its sprites."""

    def __init__(self, folder):
        self.folder, self.tables, self.times = folder, {}, {}
        self.refresh()

    def refresh(self):
        for place, time in BACKGROUNDS:
            path = self.folder / f"{place}-{time}.pt"
            if path.exists() and self.times.get(path) != path.stat().st_mtime:
                self.times[path] = path.stat().st_mtime
                self.tables[place, time] = torch.load(path)

    @property
    def backgrounds(self):
        return [ground for ground in BACKGROUNDS if ground in self.tables]

    def has(self, scene):
        """Whether all parts of it are encoded."""
        table = self.tables.get(scene.background)
        return table is not None and all(sprite in table["index"] for sprite in scene.sprites)

    def batch(self, scenes):
        """[N, latents, 16, 16]"""
        return torch.stack([self(scene) for scene in scenes]).float()

    def __call__(self, scene):
        table = self.tables[scene.background]
        result = table["rows"][0]
        if scene.sprites:
            result = result.clone()
        for sprite in scene.sprites:
            rows, columns = REGIONS[sprite[2]]
            result[:, rows, columns] = table["rows"][table["index"][sprite]][:, rows, columns]
        return result


@torch.inference_mode()
def main():
    options = arguments(__doc__)
    sizes = preset(options.preset)
    torch.set_num_threads(options.threads or 1)
    model = trained_autoencoder(options.work, sizes).to(sizes.device, memory_format=torch.channels_last).eval()
    folder = options.work / "latents"
    folder.mkdir(exist_ok=True)
    for turn in range(3):
        for ground in BACKGROUNDS:
            path = folder / f"{ground[0]}-{ground[1]}.pt"
            table = torch.load(path) if path.exists() else {"rows": None, "index": {}, "turns": 0}
            listed, rows = list(jobs(ground, turn)), [table["rows"]] if table["turns"] else []
            if table["turns"] > turn or not listed:
                continue
            begin = len(rows[0]) if rows else 0
            for start in range(0, len(listed), 32):
                part = listed[start:start + 32]
                x = torch.stack([torch.from_numpy(bytes_of(Scene(ground, tuple(job)))) for job in part])
                x = x.permute(0, 3, 1, 2).to(sizes.device).float().div(127.5).sub(1)
                with torch.autocast(sizes.device, torch.bfloat16):
                    z = model.encode(x.contiguous(memory_format=torch.channels_last)).latents
                rows.append(z.half().cpu().contiguous())
                table["index"].update({sprite: begin + start + i for i, job in enumerate(part) for sprite in job})
            torch.save({"rows": torch.cat(rows), "index": table["index"], "turns": turn + 1}, path.with_suffix(".new"))
            path.with_suffix(".new").rename(path)
            print(turn, *ground, len(listed), flush=True)


if __name__ == "__main__":
    main()
