"""Measures what it does to a picture to carry work over from the text before: its latents, or what the network said deep down.

Captions that were never trained on are typed letter by letter, and a word of them is replaced; of each two texts that
follow each other the second is painted from noise, from the first one's picture (re-noised to some of the steps), and with
the first one's deep features. The judge says whether the second one's objects are there. Distances are the program's
(`PromptDistance.swift`)."""
import json
import random
from pathlib import Path

import torch

from captions import unseen_pair, unseen_place
from classifier import Judge
from common import arguments
from evaluate import Model, judge, psnr
from scenes import BACKGROUNDS, NAMES, caption, understand
import tokens

BINS = (.0, .03, .06, .1, .15, .2, .3, .4, 1.)
KINDS = ["one", "one", "side", "count", "pair", "size"]


def pairs(random_, count):
    """Texts that follow each other while a caption is typed, whose second one has something on it and another scene."""
    found = []
    while len(found) < count:
        text = caption(random_, [random_.choice(KINDS)], BACKGROUNDS, lambda names, ground: unseen_pair(*names[:2])
                       or unseen_place(names[0], ground))
        words = text.split()
        place = random_.randrange(len(words))
        other = " ".join(words[:place] + [random_.choice([*NAMES, "red", "blue", "small", "big"])] + words[place + 1:])
        for before, after in [*((text[:end - 1], text[:end]) for end in range(4, len(text) + 1)), (text, other),
                              (" ".join(words[:-1]), text), (text, " ".join(words[:-1]))]:
            if understand(after).sprites and understand(before) != understand(after):
                found.append((before, after))
    return random_.sample(found, count)


class Carrying(Model):
    """Paints one text after the other."""

    @torch.inference_mode()
    def words(self, captions):
        """Embeddings [N, T, C], and how many of the rows belong to each text."""
        identifiers = tokens.encode(self.tokenizer, captions)
        lengths = (identifiers != self.tokenizer.eos_token_id).sum(1) + 1
        return self.text(identifiers).last_hidden_state, lengths

    def noise(self, count):
        channels = self.unet.config.in_channels
        return torch.randn((1, channels, 16, 16), generator=torch.Generator().manual_seed(0)).expand(count, -1, -1, -1)

    @torch.inference_mode()
    def latents(self, words, steps, start=None, taken=None):
        """From noise, or the last `taken` of the steps from `start`."""
        self.scheduler.set_timesteps(steps)
        times, noise = self.scheduler.timesteps, self.noise(len(words))
        x = noise
        if start is not None:
            times = times[steps - taken:]
            x = self.scheduler.add_noise(start, noise, times[:1].expand(len(words)))
        for t in times:
            x = self.scheduler.step(self.unet(x, t, words).sample, t, x).prev_sample
        return x

    @torch.inference_mode()
    def with_deep_features(self, before, after, level):
        """One step, in which the levels below `level` say what they said of the text before."""
        kept, block = [], self.unet.up_blocks[len(self.unet.up_blocks) - 1 - level]
        self.scheduler.set_timesteps(1)
        t, x = self.scheduler.timesteps[0], self.noise(len(before))

        def keep(_, inputs, named):
            kept.append(named["hidden_states"] if "hidden_states" in named else inputs[0])

        def replace(_, inputs, named):
            if "hidden_states" in named:
                return inputs, {**named, "hidden_states": kept[0]}
            return (kept[0], *inputs[1:]), named

        for words, hook in ((before, keep), (after, replace)):
            handle = block.register_forward_pre_hook(hook, with_kwargs=True)
            said = self.unet(x, t, words).sample
            handle.remove()
        return self.scheduler.step(said, t, x).prev_sample

    @torch.inference_mode()
    def share_below(self, level):
        """Of the network's products, those of the layers whose results would be kept."""
        products, blocks = {}, len(self.unet.up_blocks)
        deep = [*self.unet.down_blocks[level + 1:], self.unet.mid_block, *self.unet.up_blocks[:blocks - 1 - level]]
        below = {layer for block in deep for layer in block.modules()}

        def count(layer, _, output):
            size = output.numel() if isinstance(layer, torch.nn.Linear) else output[0].numel()
            products[layer] = size * layer.weight[0].numel()

        handles = [layer.register_forward_hook(count) for layer in self.unet.modules()
                   if isinstance(layer, (torch.nn.Conv2d, torch.nn.Linear))]
        words, _ = self.words(["a fox"])
        self.unet(self.noise(1), 999, words)
        for handle in handles:
            handle.remove()
        return sum(n for layer, n in products.items() if layer in below) / sum(products.values())

    @torch.inference_mode()
    def pictures(self, latents):
        return torch.cat([self.vae.decode(part).sample.clamp(-1, 1) for part in latents.split(32)])


def distances(first, second):
    """`Conditioning.distance` of two lists of embeddings."""
    def rows(embeddings):
        words, lengths = embeddings
        return [torch.nn.functional.normalize(text[1:length], dim=-1) for text, length in zip(words, lengths)]

    result = []
    for a, b in zip(rows(first), rows(second)):
        like = (a @ b.T).clamp(0, 1)
        result.append(1 - (like.amax(1).mean() + like.amax(0).mean()).item() / 2)
    return torch.tensor(result)


def in_parts(function, *tensors):
    return torch.cat([function(*part) for part in zip(*(t.split(32) for t in tensors))])


def main():
    options = arguments(__doc__, model=(Path("Assets/models/inkling-scenes"), "folder"), pairs=(800, "pairs of texts"),
                        steps=(4, "of the picture that is started anew"))
    torch.set_num_threads(options.threads or 2)
    model, critic = Carrying(options.model), Judge().eval()
    critic.load_state_dict(torch.load(options.work / "classifier.pt")["model"])
    listed = pairs(random.Random(options.seed + 77), options.pairs)
    afters = [after for _, after in listed]
    before, after = model.words([text for text, _ in listed]), model.words(afters)
    far = distances(before, after)
    first = in_parts(lambda words: model.latents(words, options.steps), before[0])
    made = {"from noise": in_parts(lambda words: model.latents(words, options.steps), after[0])}
    for taken in range(1, options.steps):
        made[f"{taken} of {options.steps} steps"] = in_parts(
            lambda words, start, n=taken: model.latents(words, options.steps, start, n), after[0], first)
    made["one step"] = in_parts(lambda words: model.latents(words, 1), after[0])
    for level in range(len(model.unet.up_blocks) - 1):
        made[f"one step, deep features below level {level}"] = in_parts(
            lambda a, b, n=level: model.with_deep_features(a, b, n), before[0], after[0])
    made["the text before"] = first
    drawn = {name: model.pictures(latents) for name, latents in made.items()}
    table, figures = ["| distance | texts | " + " | ".join(drawn) + " |", "| --- |" + " ---: |" * (len(drawn) + 1)], []
    for low, high in zip(BINS, BINS[1:]):
        chosen = ((far > low) & (far <= high)).nonzero().flatten()
        if len(chosen) < 20:
            continue
        texts = [afters[i] for i in chosen]
        row = {name: judge(critic, texts, pictures[chosen])["whole"] for name, pictures in drawn.items()}
        near = {name: psnr(pictures[chosen], drawn["from noise"][chosen]) for name, pictures in drawn.items()}
        figures.append({"from": low, "to": high, "texts": len(chosen), "whole": row, "psnr": near})
        table.append(f"| {low:.2f}–{high:.2f} | {len(chosen)} | " + " | ".join(
            f"{100 * row[name]:.0f} %, {near[name]:.0f} dB" for name in drawn) + " |")
    (options.work / "carry.json").write_text(json.dumps(figures, indent=1) + "\n")
    print("\n".join(table))
    for level in range(len(model.unet.up_blocks) - 1):
        print(f"Below level {level} are {100 * model.share_below(level):.0f} % of the network's products.")


if __name__ == "__main__":
    main()
