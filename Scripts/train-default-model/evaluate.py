"""Measures a finished model: figures that can fail, and sheets of pictures to look at."""
import hashlib
import json
import random
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny, DDIMScheduler, UNet2DConditionModel
from PIL import Image
from transformers import CLIPTextModel

import tokens
from classifier import SPOT_LIST, Judge, scaled
from common import arguments
from captions import Strangers, unseen_pair, unseen_place
from scenes import BACKGROUNDS, NAMES, bytes_of, caption, understand, where
from vocabulary import RELATIONS

STEPS = (1, 2, 4, 20)


class Model:
    """The files as diffusers and transformers read them."""

    def __init__(self, folder):
        self.tokenizer = tokens.load(folder / "tokenizer")
        self.text = CLIPTextModel.from_pretrained(folder / "text_encoder", torch_dtype=torch.float32).eval()
        self.unet = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32).eval()
        self.vae = AutoencoderTiny.from_pretrained(folder / "vae", torch_dtype=torch.float32).eval()
        self.scheduler = DDIMScheduler.from_pretrained(folder / "scheduler")

    @torch.inference_mode()
    def paint(self, captions, steps, seeds=None):
        """Pictures [N, 3, 128, 128] in -1...1; all of seed 0 unless `seeds` are given."""
        result = []
        channels = self.unet.config.in_channels
        for start in range(0, len(captions), 32):
            part = captions[start:start + 32]
            noise = [torch.randn((1, channels, 16, 16), generator=torch.Generator().manual_seed(seed))
                     for seed in (seeds[start:start + 32] if seeds else [0] * len(part))]
            x, words = torch.cat(noise), self.text(tokens.encode(self.tokenizer, part)).last_hidden_state
            self.scheduler.set_timesteps(steps)
            for t in self.scheduler.timesteps:
                x = self.scheduler.step(self.unet(x, t, words).sample, t, x).prev_sample
            result.append(self.vae.decode(x).sample.clamp(-1, 1))
        return torch.cat(result)


def digest(folder):
    """Of all weights of a model."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.rglob("*.safetensors")))).hexdigest()


def truth(captions):
    pictures = np.stack([bytes_of(understand(text)) for text in captions])
    return scaled(torch.from_numpy(pictures).permute(0, 3, 1, 2))


def unseen(random_, kind, count):
    """Captions of combinations that were never trained on, no two of the same scene."""
    found = {}
    while len(found) < count:
        text = caption(random_, [kind], BACKGROUNDS, lambda names, ground: unseen_pair(*names[:2]) if kind in PAIRED
                       else unseen_place(names[0], ground))
        scene = understand(text)
        if scene.sprites:
            found.setdefault(scene, text)
    return list(found.values())


PAIRED = ("pair", "rows", "three")


def singles(random_):
    """Each object on backgrounds where it was never seen."""
    listed = []
    for name in NAMES:
        grounds = [g for g in BACKGROUNDS if unseen_place(name, g)]
        listed += [f"a {name}{where(random_, g)}" for g in random_.sample(grounds, min(2, len(grounds)))]
    return listed


def spots(scene):
    wanted = torch.zeros(len(SPOT_LIST), dtype=torch.long)
    for name, _, spot in scene.sprites:
        wanted[SPOT_LIST.index(spot)] = 1 + NAMES.index(name)
    return wanted


@torch.inference_mode()
def judge(model, captions, pictures):
    """The shares of objects at their spots, of right numbers of objects, and of scenes without a mistake."""
    wanted = torch.stack([spots(understand(text)) for text in captions])
    found = torch.cat([model(part)[0].argmax(-1) for part in pictures.split(64)])
    return {"objects": (found == wanted)[wanted > 0].float().mean().item(),
            "counts": ((found > 0).sum(1) == (wanted > 0).sum(1)).float().mean().item(),
            "whole": (found == wanted).all(1).float().mean().item()}


@torch.inference_mode()
def landscapes(model, pictures):
    """The share of pictures that are the plain landscape, with nothing on it."""
    objects, grounds = (torch.cat(x) for x in zip(*(model(part) for part in pictures.split(64))))
    plain = grounds.argmax(-1) == BACKGROUNDS.index(("grass", "day"))
    return (plain & (objects.argmax(-1) == 0).all(1)).float().mean().item()


def other_words(model, critic, singles_, neighbours, random_, steps, count):
    """What words do that were never trained: those with a neighbour, those without among others, and alone."""
    known = [word for word, meant in neighbours.items() if meant in NAMES]
    strangers, row = Strangers(neighbours, held_out=True), {}
    if known:
        words = random_.sample(known, count)
        row["neighbours"] = judge(critic, [f"a {neighbours[w]}" for w in words], model.paint([f"a {w}" for w in words], steps))
    captions = [(text, strangers.into(random_, text)) for text in random_.sample(singles_, count)]
    captions = [(text, other) for text, other in captions if understand(text) == understand(other)]
    row["among others"] = judge(critic, [text for text, _ in captions], model.paint([text for _, text in captions], steps))
    alone = []
    while len(alone) < count:
        text = strangers.alone(random_)
        if understand(text).background == ("grass", "day") and not understand(text).sprites:
            alone.append(text)
    drawn = model.paint(alone, steps)
    row["alone"] = {"landscapes": landscapes(critic, drawn), "psnr": psnr(drawn, truth(alone))}
    return row


@torch.inference_mode()
def retrieval(model, captions, pictures):
    """How often a picture's own caption has the nearest scene, or one of the five nearest."""
    real, made = (torch.cat([model.features(p) for p in x.split(64)]) for x in (truth(captions), pictures))
    real, made = ((x - real.mean(0)) for x in (real, made))
    near = torch.nn.functional.normalize(made) @ torch.nn.functional.normalize(real).T
    rank = (near > near.diag()[:, None]).sum(1)
    return (rank == 0).float().mean().item(), (rank < 5).float().mean().item()


def psnr(a, b):
    return (-10 * ((a - b) / 2).square().mean((1, 2, 3)).clamp(min=1e-6).log10()).mean().item()


def sheet(path, pictures, columns):
    tiles = ((pictures + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    rows = [np.concatenate(list(tiles[i:i + columns]), 1) for i in range(0, len(tiles), columns)]
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(np.concatenate(rows, 0))
    picture.save(path, **({"quality": 82, "method": 6} if path.suffix == ".webp" else {}))


SHOWN = """a fox|a fox in the snow at night|a red apple on grass|three stars|a cat left of a dog|a small house in a forest
a big elephant on the beach|a whale in the sea|two penguins in the snow|a rocket in space|a boat on the sea at sunset|a unicorn
an owl at night|a castle in the mountains|four balloons in the sky|a car on the road|a bee over a sunflower|a mouse under a mushroom
a robot in space|a frog in the rain|a dragon over a castle|a trumpet on the table|a cake next to a gift|a purple dinosaur
a blue car|a lion on the beach at sunset|a fish in the water|three tulips on grass|a pumpkin at night|a ghost in the forest at night
a snowman in the snow|a bear in the woods|a cow in a meadow|a horse right of a tree|a moon over a house at night|two stars over a castle
a butterfly in the garden|a helicopter in the sky|a crab on the sand|a turtle at the beach|a jaguar on the beach|a puppy in the park
a panda in a forest|a monkey with a banana|a taxi in the city at night|a bicycle on the street|a guitar on a blue background|a pink flamingo
a train in the mountains|a tent in the forest at night|a penguin on the left|a duck on a lake|qwzx and the meaning of it|a volcano at sunset
two cherries|a pizza on the table|an umbrella in the rain|a yellow rose|a fo|a penguin in the sn
a happy little hedgehog|a cat, a dog and a fox|a teddy on a pink background|three sheep on grass""".replace("\n", "|").split("|")


def main():
    options = arguments(__doc__, model=(Path("Assets/models/inkling-scenes"), "folder"), pictures=(Path("docs/pictures"), "folder"))
    torch.set_num_threads(options.threads or 2)
    model, critic = Model(options.model), Judge().eval()
    critic.load_state_dict(torch.load(options.work / "classifier.pt")["model"])
    random_ = random.Random(options.seed + 4242)
    sets = {"single": singles(random_), "count": unseen(random_, "count", 100), "pair": unseen(random_, "pair", 100)}
    if options.preset.startswith("tiny"):
        sets = {name: captions[:8] for name, captions in sets.items()}
    mixed = [text for kind in ("one", "one", "side", "count", "pair", "pair", "rows", "three", "size", "one")
             for text in unseen(random_, kind, 10)]
    mixed = list({understand(text): text for text in mixed}.values())
    while len(mixed) < 100:
        text, = unseen(random_, "pair", 1)
        if understand(text) not in map(understand, mixed):
            mixed.append(text)
    if options.preset.startswith("tiny"):
        mixed = mixed[:16]
    real = judge(critic, mixed, truth(mixed))
    results = {"judge on composed scenes": real, "steps": {}}
    known, weights = options.work / "evaluation-steps.json", digest(options.model)
    kept = json.loads(known.read_text()) if known.exists() else {}
    if kept.get("weights") == weights:  # an interrupted evaluation goes on
        results["steps"] = {int(steps): row for steps, row in kept["steps"].items()}
    for steps in STEPS:
        if steps in results["steps"]:
            continue
        row, drawn = {}, None
        if steps > 4:  # a check that more steps change nothing: a sixth of the captions will do
            sets = {name: captions[::6] for name, captions in sets.items()}
        for name, captions in sets.items():
            drawn = model.paint(captions, steps)
            row[name] = judge(critic, captions, drawn) | {"psnr": psnr(drawn, truth(captions))}
        relations = {}
        for relation, phrases in RELATIONS.items():
            chosen = [i for i, text in enumerate(sets["pair"]) if any(f" {p} " in text for p in phrases)]
            if chosen and relation != "and":
                relations[relation] = judge(critic, [sets["pair"][i] for i in chosen], drawn[chosen])["objects"]
        row["relations"] = relations
        row["single, other seeds"] = judge(critic, sets["single"], model.paint(
            sets["single"], steps, list(range(1, len(sets["single"]) + 1))))
        row["other words"] = other_words(model, critic, sets["single"], tokens.neighbours(options.work), random.Random(7), steps,
                                         min(128, len(sets["single"])))
        row["top-1"], row["top-5"] = retrieval(critic, mixed, model.paint(mixed, steps))
        results["steps"][steps] = row
        known.write_text(json.dumps({"weights": weights, "steps": results["steps"]}) + "\n")
        print(steps, json.dumps(row), flush=True)
    held = truth(mixed)
    with torch.inference_mode():
        results["autoencoder psnr"] = psnr(model.vae.decode(model.vae.encode(held).latents).sample.clamp(-1, 1), held)
    print("autoencoder", results["autoencoder psnr"])
    table = ["| | " + " | ".join(f"{s} step{'s' * (s > 1)}" for s in STEPS) + " |", "| --- |" + " ---: |" * len(STEPS)]
    lines = [("right object, alone, on a background where it was never seen", lambda row: row["single"]["objects"]),
             ("the same from other seeds than 0", lambda row: row["single, other seeds"]["objects"]),
             ("right number of things (two to four of a kind)", lambda row: row["count"]["counts"]),
             ("right objects of these", lambda row: row["count"]["objects"]),
             ("right object at the right place, pairs never seen together", lambda row: row["pair"]["objects"]),
             *((f"of these: {r}", lambda row, r=r: row["relations"].get(r, 0)) for r in ("left", "right", "over", "under")),
             ("right object for words that were given the vector of a known one",
              lambda row: row["other words"].get("neighbours", {"objects": 0})["objects"]),
             ("right object, alone, with one or two unknown words", lambda row: row["other words"]["among others"]["objects"]),
             ("a plain landscape for unknown words only", lambda row: row["other words"]["alone"]["landscapes"]),
             ("retrieval among 100 captions, first", lambda row: row["top-1"]),
             ("retrieval among 100 captions, among the first five", lambda row: row["top-5"])]
    for title, value in lines:
        table.append(f"| {title} | " + " | ".join(f"{100 * value(results['steps'][s]):.0f} %" for s in STEPS) + " |")
    table.append("| PSNR to the composed scene, alone | " + " | ".join(
        f"{results['steps'][s]['single']['psnr']:.1f} dB" for s in STEPS) + " |")
    (options.work / "evaluation.md").write_text("\n".join(table) + "\n")
    (options.work / "evaluation.json").write_text(json.dumps(results, indent=1) + "\n")
    sheet(options.pictures / "contact-sheet.webp", model.paint(SHOWN[:64], 1), 8)
    few = [sets["single"][i % len(sets["single"])] for i in (0, 40, 90, 200)] + sets["count"][:2] + sets["pair"][:2]
    sheet(options.pictures / "steps.webp", torch.cat([*(model.paint(few, s) for s in STEPS), truth(few)]), 8)


if __name__ == "__main__":
    main()
