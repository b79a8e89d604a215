#!/usr/bin/env python3
"""Makes CLIP's fixtures of TokenizersTests: the ids that transformers' CLIPTokenizer gives.

    pip install transformers==5.24.0
    python make-clip-fixtures.py

Every variant answers for `strings.json` and then `clip.strings.json`, which is made here as well. The full
vocabulary follows from Assets/clip-merges.txt; the trimmed one, of the same merges, is written out in the layouts
that a diffusers directory may have. `*.padded.json` has ids as the text encoder takes them (padded
and cut to `model_max_length`), `*.ids.json` those of the whole text.
"""

import json
import random
import shutil
import tempfile
import unicodedata
from importlib.metadata import version
from pathlib import Path

from transformers import CLIPTokenizer

HERE = Path(__file__).parent
MERGES = HERE.parents[2] / "Assets" / "clip-merges.txt"
BOS, EOS = "<|startoftext|>", "<|endoftext|>"

PROMPTS = [
    "a photo of an astronaut riding a horse on mars", "A Fox Reading a Newspaper, Oil Painting by REMBRANDT",
    "masterpiece, best quality, 8k uhd, dslr, soft lighting, high quality, film grain, Fujifilm XT3",
    "(masterpiece:1.2), [blurry|sharp], <lora:detail:0.8>, {{{soft}}}", "1girl, 2boys, 3d, 4k, 35mm, f/1.4, 1990s",
    "it's the cat's pyjamas, isn't it? they'll've I'd you're we've I'm", "''s'''t 're've'll 'S 'T 'RE it'S don'T",
    "x's's's", "'", "'x", "s't", "rock'n'roll", "l'été à Paris", "caf\u0065\u0301 CAFE\u0301 \u212b \ufb01 \u01c4",
    "\u0130stanbul ISTANBUL \u0131 Stra\u00dfe STRASSE \u1e9e", "\u03a3\u03a3 \u03a3 \u039f\u0394\u039f\u03a3",
    "\uac00\u1100\u1161\u11a8 \u0958 \u2126 \u2f81a", "\u0344 a\u0301\u0323 a\u0323\u0301 \u0f73 \u1e9b\u0323",
    "\u00a0nbsp\u00a0\u2003em\u3000ideographic\u0085nel\u2028ls\u000bvt\u000cff\u001cfs\u180emvs\u200bzwsp\ufeffbom",
    "control\u0000\u0001\u0007\u001b[31mred", "soft\u00adhyphen \u200e\u202eoverride", "\ufffd \U000e0001 \ue000",
    "😀😃 👨‍👩‍👧‍👦 👍🏽 🇩🇪 ❤️ ✈️ 🏳️‍🌈", "日本の庭、桜の木、夕焼け", "красивый закат над морем, масло", "ภาพวาดแมว",
    "صورة قطة جميلة", "चाँद की तस्वीर", "Ⅻ ⅷ ½ ² ① ٣ 五 𝟘 ൘", "<|startoftext|>", "<|endoftext|>",
    "a <|endoftext|> b", "a<|ENDOFTEXT|>b", "<|startoftext|><|startoftext|>!", "<|endoftext|", "|endoftext|>",
    "!<|endoftext|>!", "<|EndOfText|>'s", "wow! such art!!", "!", " ! ", "!!!", "a!b", "\u0338!\u0338", "=\u0338 !=\u0338",
    "</w>", "cat</w>", "a</w>b", "Ġ Ċ ġ ģ", "http://example.org/?q=a+b&c=%20#x", "C:\\path\\file_name.txt",
    "snake_case camelCase kebab-case", "--ar 16:9 --v 5", "\t\ttabs\n\nand\r\nnewlines\n", "trailing space ", "  ", "",
    "hyper-realistic " * 40, "cat " * 74, "cat " * 75, "cat " * 76, "cat " * 200, "a" * 300, "ab1!" * 60,
    "😀" * 60, "é" * 200, "supercalifragilisticexpialidocious antidisestablishmentarianism pneumonoultramicroscopic",
]


def random_strings(count):
    """Prompts out of characters that are assigned since long, so that no table's version matters."""
    chance = random.Random(1)
    pool = [chr(c) for c in range(0x20, 0x3100) if unicodedata.category(chr(c)) not in ("Cn", "Cs")]
    pool += [chr(c) for c in range(0x4E00, 0x4E80)] + [chr(c) for c in range(0xAC00, 0xAC80)]
    words = "the of a cat don't portrait 42 lighting (soft:1.1) Ünïcödé ! ' 's ... 3d".split()
    strings = []
    for _ in range(count):
        parts = []
        for _ in range(chance.randint(1, 40)):
            parts.append(chance.choice(words) if chance.random() < 0.4 else chance.choice(pool))
            parts.append(chance.choice(["", "", " ", "  ", "\n"]))
        strings.append("".join(parts))
    return strings


def alphabet():
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(c) for c in printable] + [chr(256 + i) for i in range(256 - len(printable))]


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def added(text, normalized=True):
    return {"content": text, "lstrip": False, "normalized": normalized, "rstrip": False, "single_word": False}


def directory(path, vocabulary, merges, config, special=None, more=None):
    path.mkdir(parents=True)
    write(path / "vocab.json", {token: i for i, token in enumerate(vocabulary)})
    (path / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    config = {k: {"__type": "AddedToken", **v} if isinstance(v, dict) else v for k, v in config.items()}
    write(path / "tokenizer_config.json", {"tokenizer_class": "CLIPTokenizer", **config})
    if special:
        write(path / "special_tokens_map.json", special)
    if more:
        write(path / "added_tokens.json", more)


def main():
    strings = json.loads((HERE / "strings.json").read_text()) + PROMPTS + random_strings(150)
    write(HERE / "clip.strings.json", strings[len(json.loads((HERE / "strings.json").read_text())):])
    merges = MERGES.read_text().split("\n")[1:-1]
    work = Path(tempfile.mkdtemp())
    letters = alphabet()
    full = letters + [x + "</w>" for x in letters] + ["".join(m.split()) for m in merges] + [BOS, EOS]
    named = {"bos_token": added(BOS), "eos_token": added(EOS), "unk_token": added(EOS)}

    # SD 1: padded by the token that ends the text. SD 2 and the second encoder of SDXL: by "!", which is then a
    # special token, and so found in prompts as well.
    directory(work / "sd1", full, merges, {**named, "pad_token": EOS, "model_max_length": 77})
    directory(work / "sd2", full, merges, {**named, "pad_token": EOS, "model_max_length": 77},
              special={**named, "pad_token": "!"})

    # Trimmed: few merges, bytes missing, ids in another order, tokens that were added later, a short text.
    ascii_letters = [x for x in letters if x in "abcdefghijklmnopqrstuvwxyz',.!-<>|/"]
    known = set(ascii_letters) | {x + "</w>" for x in ascii_letters}
    few = []
    for merge in merges:
        left, right = merge.split()
        if left in known and right in known and len(few) < 250:
            known.add(left + right)
            few.append(merge)
    vocabulary = sorted(known)
    random.Random(2).shuffle(vocabulary)
    vocabulary += [BOS, EOS]
    for path in HERE.glob("clip-trimmed*"):
        shutil.rmtree(path)
    directory(HERE / "clip-trimmed", vocabulary, few, {**named, "model_max_length": 24},
              special={**named, "pad_token": added("!", False)}, more={"<Cat-Toy>": len(vocabulary)})
    loaded = CLIPTokenizer.from_pretrained(HERE / "clip-trimmed")
    loaded.save_pretrained(HERE / "clip-trimmed-saved")

    def whole(name, path):
        tokenizer = CLIPTokenizer.from_pretrained(path)
        ids = [tokenizer(text, add_special_tokens=False).input_ids for text in strings]
        write(HERE / f"{name}.ids.json", ids)

    def padded(name, path):
        tokenizer = CLIPTokenizer.from_pretrained(path)
        length = tokenizer.model_max_length
        ids, cut = [], []
        for text in PROMPTS:
            ids.append(tokenizer(text, padding="max_length", max_length=length, truncation=True).input_ids)
            # What diffusers warns of.
            rest = tokenizer(text).input_ids[length - 1:-1]
            cut.append(tokenizer.decode(rest) if rest else None)
        write(HERE / f"{name}.padded.json", {"texts": PROMPTS, "ids": ids, "truncated": cut})

    whole("clip-sd1", work / "sd1")
    padded("clip-sd1", work / "sd1")
    padded("clip-sd2", work / "sd2")
    whole("clip-trimmed", HERE / "clip-trimmed")
    padded("clip-trimmed", HERE / "clip-trimmed")
    same = CLIPTokenizer.from_pretrained(HERE / "clip-trimmed-saved")
    assert all(same(t).input_ids == loaded(t).input_ids for t in strings)
    shutil.rmtree(work)
    write(HERE / "clip.provenance.json", {
        "script": "make-clip-fixtures.py", "transformers": version("transformers"),
        "tokenizers": version("tokenizers")})


main()
