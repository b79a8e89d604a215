"""A small CLIP byte-pair vocabulary: the merges that the known words need, and the most frequent ones."""
import json
import re
from pathlib import Path

from transformers import CLIPTokenizer

from scenes import lexicon
from vocabulary import *

LENGTH = 32
MERGES = Path(__file__).resolve().parents[2] / "Assets" / "clip-merges.txt"


def merges():
    """CLIP's, the best first."""
    return [line for line in MERGES.read_text().split("\n")[1:] if line]


def whole():
    """The words that are one piece of CLIP's vocabulary, the most frequent first."""
    listed = ("".join(line.split()).removesuffix("</w>") for line in merges() if line.endswith("</w>"))
    return [word for word in listed if re.fullmatch("[a-z]{3,}", word)]


def neighbours(work):
    """The known word that each other word has the meaning of, where `neighbours.py` was run."""
    path = work / "neighbours.json"
    return json.loads(path.read_text()) if path.exists() else {}


def words():
    phrases = [p for table in (PLACES, TIMES, RELATIONS) for listed in table.values() for p in listed]
    phrases += [" ".join(lexicon()), " ".join(FILLERS), "a an the on background white to"]
    return sorted({word for phrase in phrases for word in phrase.split()})


def merges_of(word, ranks):
    """The merges that make a word of its letters."""
    pieces, used = [*word[:-1], word[-1] + "</w>"], []
    while len(pieces) > 1:
        rank, at = min((ranks.get((a, b), 1 << 30), i) for i, (a, b) in enumerate(zip(pieces, pieces[1:])))
        if rank == 1 << 30:
            break
        used.append(rank)
        pieces[at:at + 2] = [pieces[at] + pieces[at + 1]]
    return used


def write(folder, others=(), frequent=500):
    """A tokenizer for the known words and `others`."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = merges()
    ranks = {tuple(line.split()): rank for rank, line in enumerate(lines)}
    kept = sorted({*range(frequent), *(rank for word in [*words(), *others] for rank in merges_of(word, ranks))})
    # CLIP's order of bytes: the visible ones, then the others as letters from 256 on
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(b) for b in visible] + [chr(256 + i) for i in range(256 - len(visible))]
    vocabulary = letters + [c + "</w>" for c in letters] + ["".join(lines[rank].split()) for rank in kept]
    vocabulary += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(vocabulary)}, ensure_ascii=False))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *(lines[rank] for rank in kept)]) + "\n")
    return load(folder)


def load(folder):
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=LENGTH)


def encode(tokenizer, captions):
    import torch
    return torch.tensor(tokenizer(captions, padding="max_length", max_length=LENGTH, truncation=True).input_ids)
