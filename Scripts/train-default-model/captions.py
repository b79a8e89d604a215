"""Captions to train on, in stages, with what is left out of the training, and their scenes."""
import multiprocessing
import random
from collections import deque

import tokens
from scenes import BACKGROUNDS, NAMES, caption, lexicon, shortened, understand

# kinds of scenes of each stage, and the share of the time when it ends at the latest
STAGES = [(["one"], .07), (["one"] * 9 + ["place"], .33), (["one", "one", "one", "size", "side", "count"], .45),
          (["one"] * 4 + ["size", "colour", "rows", "three", "place"] + ["side", "count"] * 2 + ["pair"] * 6, 1)]


def unseen_place(name, ground):
    """Whether the object is never trained on this background: a twelfth of all such combinations."""
    return ground != ("white", "day") and (NAMES.index(name) * 7 + sum(map(ord, "".join(ground)))) % 12 == 0


def unseen_pair(a, b):
    """Whether two objects are never trained together: a tenth of all pairs."""
    return (NAMES.index(a) * 31 + NAMES.index(b) * 17) % 10 == 0


def trained(names, ground):
    return not any(unseen_place(name, ground) for name in names) and not unseen_pair(*names[:2])


class Strangers:
    """Words that mean nothing here: of CLIP's vocabulary, and of random letters. An eighth is kept for the evaluation."""

    def __init__(self, taught, held_out=False):
        self.words = [word for word in tokens.whole() if word not in lexicon() and word not in taught
                      and (sum(map(ord, word)) % 8 == 0) == held_out]

    def __call__(self, random_):
        if random_.random() < .6:
            return random_.choice(self.words)
        letters = "abcdefghijklmnopqrstuvwxyz" if random_.random() < .5 else "aaaeeeiioouubcdfghklmnprstvwxz"
        return "".join(random_.choice(letters) for _ in range(random_.randint(3, 8)))

    def into(self, random_, text):
        """A caption with one or two of them somewhere."""
        words = text.split()
        for _ in range(random_.choice([1, 1, 2])):
            words.insert(random_.randint(0, len(words)), self(random_))
        return " ".join(words)

    def alone(self, random_):
        """A caption of nothing but them, and little words."""
        words = [self(random_) for _ in range(random_.choice([1, 1, 1, 2, 2, 3, 4]))]
        return random_.choice(["", "", "a ", "the ", "two "]) + random_.choice([" ", " ", " of ", " and the "]).join(words)


class Captions:
    """An endless row of captions and their scenes."""

    def __init__(self, work, seed):
        self.random, self.strangers = random.Random(seed), Strangers(tokens.neighbours(work))

    def __call__(self, stage, grounds=BACKGROUNDS, has=lambda scene: True):
        """One of a stage, on one of the backgrounds, whose scene is there."""
        kinds, _ = STAGES[stage]
        # most of what people type first names no place
        grounds = [("white", "day")] * 6 + (list(grounds) if stage else [])
        while True:
            if self.random.random() < .01:
                text = ""
            elif stage and self.random.random() < .1:
                text = self.strangers.alone(self.random)
            else:
                text = caption(self.random, kinds, grounds, trained)
                if stage and self.random.random() < .12:
                    text = self.strangers.into(self.random, text)
            if stage and self.random.random() < .2:
                text = shortened(self.random, text)
            scene = understand(text)
            if has(scene):
                return text, scene


class Source:
    """Batches of captions as pieces, and their scenes; made here, or ahead of time by other processes."""

    def __init__(self, work, seed, workers=0):
        self.work, self.captions = work, Captions(work, seed)
        self.tokenizer = None
        self.seeds, self.ahead, self.pool = random.Random(seed), deque(), None
        if workers:
            self.pool = multiprocessing.get_context("spawn").Pool(workers, begin, (work,))
            self.depth = 2 * workers

    def __call__(self, count, stage, latents):
        """Of `count` captions of a stage: pieces [N, 32] and scenes that the latents have."""
        if self.pool is None:
            self.tokenizer = self.tokenizer or tokens.load(self.work / "tokenizer")
            texts, scenes = zip(*(self.captions(stage, latents.backgrounds, latents.has) for _ in range(count)))
            return tokens.encode(self.tokenizer, list(texts)), scenes
        if self.ahead and self.ahead[0][0] != (count, stage):
            self.ahead.clear()
        while len(self.ahead) < self.depth:
            job = (count, stage, self.seeds.getrandbits(48))
            self.ahead.append(((count, stage), self.pool.apply_async(made, job)))
        return self.ahead.popleft()[1].get()


# --- in another process ---

here = {}


def begin(work):
    import torch
    torch.set_num_threads(1)
    here.update(captions=Captions(work, 0), tokenizer=tokens.load(work / "tokenizer"))


def made(count, stage, seed):
    here["captions"].random.seed(seed)
    texts, scenes = zip(*(here["captions"](stage) for _ in range(count)))
    return tokens.encode(here["tokenizer"], list(texts)), scenes
