"""What a caption means, and the picture of it: sprites of Noto Color Emoji on painted backgrounds.

`understand` reads a caption (whole or half typed) into a `Scene`; `paint` paints a scene. Both are functions: one
caption has one picture. Sprites stand at multiples of eight pixels, so that a sprite has the same latents everywhere.
"""
import functools
import io
import random
import re
from typing import NamedTuple

import numpy as np
from PIL import Image

from vocabulary import *

SIZE = 128
HORIZON = 72

# where sprites stand: left, top and size, in pixels
SPOTS = {
    "centre": (24, 32, 80), "big": (8, 8, 112), "small": (40, 48, 48),
    "left": (8, 48, 48), "right": (72, 48, 48), "top": (40, 8, 48), "bottom": (40, 72, 48),
    "top left": (8, 8, 48), "top right": (72, 8, 48), "bottom left": (8, 72, 48), "bottom right": (72, 72, 48),
}
COUNTS = {1: ["centre"], 2: ["left", "right"], 3: ["top", "bottom left", "bottom right"],
          4: ["top left", "top right", "bottom left", "bottom right"]}
ROWS = {"top": {1: ["top"], 2: ["top left", "top right"]}, "bottom": {1: ["bottom"], 2: ["bottom left", "bottom right"]}}
# times of day that a place has
SKIES = {"grass": ["day", "night", "sunset", "rain"], "sky": ["day", "night", "sunset"],
         "space": ["day"], "table": ["day"], "white": ["day"]}
BACKGROUNDS = [(place, time) for place in ["white", *PLACES] for time in SKIES.get(place, ["day", "night", "sunset"])]
BACKGROUNDS += [(colour, "day") for colour in COLOURS if colour != "white"]
# the backgrounds on which there are coloured things, and small and big ones
TINTED = [("white", "day"), ("grass", "day"), ("snow", "day"), ("grass", "night")]
SIZED = [*TINTED, ("sea", "day"), ("forest", "day"), ("beach", "day")]


class Scene(NamedTuple):
    background: tuple
    # (name, colour or None, spot)
    sprites: tuple = ()


# --- words to a scene ---

@functools.cache
def lexicon():
    """word -> (kind, value)"""
    words = {}
    for kind, table in [("place", PLACE_WORDS), ("time", TIME_WORDS)]:
        for value, listed in table.items():
            words.update({word: (kind, value) for word in listed.split()})
    words.update({word: ("colour", word) for word in COLOURS})
    words.update({word: ("colour", value) for word, value in OTHER_COLOURS.items()})
    words.update({word: ("number", value) for word, value in NUMBERS.items()})
    words.update({word: ("size", value) for word, value in SIZES.items()})
    for name, listed in SYNONYMS.items():
        for word in listed.split():
            words[plural(word)] = ("plural", name)
            words[word] = ("object", name)
    for name in NAMES:
        words.setdefault(plural(name), ("plural", name))
    words.update({name: ("object", name) for name in NAMES})
    words.update({"left": ("relation", "left"), "right": ("relation", "right"), "top": ("side", "top"),
                  "bottom": ("side", "bottom"), "background": ("ground", None)})
    for value, phrases in RELATIONS.items():
        words.update({p: ("relation", value) for p in phrases if " " not in p})
    return words


@functools.cache
def completion(start):
    """The whole word that a half typed one stands for, or None."""
    for name in NAMES:
        if name.startswith(start):
            return name
    return next((word for word in lexicon() if word.startswith(start)), None) if len(start) > 1 else None


def understand(caption):
    """The scene that a caption tells of. Words that mean nothing are passed over; where there is nothing but such words,
    it is a plain landscape."""
    words = re.findall(r"[a-z0-9]+|,", caption.lower())
    known = lexicon()
    groups, place, time, relation = [], None, None, None
    number, colour, size, side, ground = None, None, None, None, None
    following, passed = 0, False
    for index, word in enumerate(words):
        if index < following:
            continue
        phrase = next((" ".join(words[index:index + n]) for n in (3, 2) if " ".join(words[index:index + n]) in known), word)
        if phrase != word:
            word, following = phrase, index + phrase.count(" ") + 1
        found = known.get(word)
        before = words[index - 1] if index else ""
        if index == len(words) - 1 and (found is None or len(word) < 3) and word not in GRAMMAR:
            whole = completion(word)
            if before in ("in", "the", "at") and index > 1:
                ends = [p for table in (PLACES, TIMES) for ps in table.values() for p in ps
                        if p.startswith((words[index - 2] + " " if before == "the" else "") + before + " " + word)]
                whole = ends[0].split()[-1] if ends else whole
            found = known.get(whole) or found
        if found is None:
            passed = passed or word not in GRAMMAR and word not in FILLERS and len(word) > 1
            continue
        kind, value = found
        if word == "dark" and before == "the":
            kind, value = "time", "night"
        if kind in ("object", "plural"):
            count = number or (3 if kind == "plural" and word not in SAME else 1)
            if len(groups) < 3:
                groups.append([count, colour, size, value])
            number = colour = size = None
        elif kind == "place":
            place = value
        elif kind == "time":
            time = value
        elif kind == "colour":
            colour = value
        elif kind == "number":
            number = value
        elif kind == "size":
            size = value
        elif kind == "relation":
            if len(groups) == 1:
                relation = value
        elif kind == "side":
            if value == "top" and words[index + 1:index + 2] == ["of"]:
                relation = "over"
            else:
                side = value
        elif kind == "ground":
            ground, colour = colour, None
    if place is None:
        nothing = passed and not groups and not ground
        place = ground if ground and not time else ("grass" if time or nothing else "white")
    skies = SKIES.get(place, ["day"] if place in COLOURS else ["day", "night", "sunset"])
    background = (place, time if time in skies else "day")
    return Scene(background, tuple(arrange(groups, relation, side)))


GRAMMAR = {"a", "an", "the", "in", "on", "at", "of", "to", "and", "is", "it", ","}
SAME = {"grapes", "sheep", "fish", "broccoli", "bread", "lightning", "noodles"}


def arrange(groups, relation, side):
    """Where the sprites of each group stand."""
    if len(groups) == 1:
        count, colour, size, name = groups[0]
        spots = COUNTS[count]
        if count == 1:
            spots = [side or (relation if relation in ("left", "right") else None) or size or "centre"]
        return [(name, colour, spot) for spot in spots]
    if len(groups) == 2:
        first, second = groups
        if relation in ("over", "under"):
            upper, lower = (first, second) if relation == "over" else (second, first)
            return [(g[3], g[1], spot) for g, row in ((upper, "top"), (lower, "bottom"))
                    for spot in ROWS[row][min(g[0], 2)]]
        left, right = (second, first) if relation == "right" else (first, second)
        return [(left[3], left[1], "left"), (right[3], right[1], "right")]
    return [(g[3], g[1], spot) for g, spot in zip(groups, COUNTS[3])]


# --- a scene to a picture ---

@functools.cache
def glyph(name):
    """A sprite in a square, with straight alpha."""
    names, bitmaps = font()
    picture = Image.open(io.BytesIO(bitmaps[names[ord(OBJECTS[name][0])]].imageData)).convert("RGBA")
    picture = picture.crop(picture.getchannel("A").getbbox())
    side = max(picture.size)
    square = Image.new("RGBA", (side, side))
    square.paste(picture, ((side - picture.width) // 2, side - picture.height if side > picture.height * 1.6
                           else (side - picture.height) // 2))
    return np.asarray(square, np.float32) / 255


@functools.lru_cache(8192)
def sprite(name, colour, size):
    """A sprite of some size, multiplied by its alpha."""
    image = glyph(name)
    if colour:
        luminance = image[..., :3] @ np.array([.3, .59, .11], np.float32)
        mean = luminance[image[..., 3] > .5].mean()
        tint = np.array(COLOURS[colour], np.float32) / 255
        ratio = np.clip(luminance / (mean + 1e-3), 0, 1.6)[..., None]
        painted = np.where(ratio < 1, tint * ratio, tint + (1 - tint) * (ratio - 1) / .6 * .8)
        image = np.concatenate([.12 * image[..., :3] + .88 * painted, image[..., 3:]], -1)
    planes = np.concatenate([image[..., :3] * image[..., 3:], image[..., 3:]], -1)
    side = size - 2
    scaled = [np.asarray(Image.fromarray(planes[..., i]).resize((side, side), Image.Resampling.BOX if side < 60 else
                                                                Image.Resampling.HAMMING)) for i in range(4)]
    return np.pad(np.stack(scaled, -1), ((1, 1), (1, 1), (0, 0)))


def mix(top, bottom, share):
    top, bottom = np.array(top, np.float32) / 255, np.array(bottom, np.float32) / 255
    return top + (bottom - top) * share[..., None]


GROUNDS = {
    "grass": ((120, 200, 80), (60, 140, 50)), "snow": ((250, 252, 255), (212, 226, 245)),
    "sea": ((60, 150, 215), (20, 75, 155)), "beach": ((246, 222, 160), (218, 182, 112)),
    "forest": ((80, 135, 60), (40, 88, 36)), "road": ((96, 96, 102), (78, 78, 84)),
    "mountains": ((130, 160, 90), (80, 110, 60)),
}
SKY = {"day": ((110, 185, 245), (208, 234, 252)), "night": ((10, 12, 48), (46, 52, 108)),
       "sunset": ((226, 96, 84), (255, 208, 116)), "rain": ((96, 108, 124), (158, 170, 182))}
LIGHT = {"day": (1, 1, 1), "night": (.30, .34, .52), "sunset": (.86, .62, .58), "rain": (.72, .76, .8)}


@functools.cache
def background(place, time):
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    y, x = y + .5, x + .5
    if place in COLOURS:
        tint = np.array(COLOURS[place], np.float32) / 255
        return np.ones((SIZE, SIZE, 3), np.float32) * (tint * .8 + .2 if place != "white" else np.float32(.98))
    spots = random.Random(5)
    if place == "space":
        image = mix((8, 4, 26), (52, 14, 78), x / SIZE)
        return dots(image, [(spots.random() * SIZE, spots.random() * SIZE) for _ in range(28)], (255, 250, 220))
    if place == "table":
        wall, wood = mix((240, 230, 214), (228, 214, 194), y / HORIZON), mix((180, 124, 74), (134, 86, 48), (y - HORIZON) / 56)
        return np.where((y > HORIZON)[..., None], wood, wall)
    upper, lower = SKY[time]
    if place == "sky":
        image = mix(upper, lower, y / SIZE)
    else:
        ground = np.array(LIGHT[time], np.float32) * mix(*GROUNDS[place], np.clip((y - HORIZON) / (SIZE - HORIZON), 0, 1))
        image = mix(upper, lower, np.clip(y / HORIZON, 0, 1))
    light = np.array(LIGHT[time], np.float32)
    if time == "sunset":
        near = np.clip(1.5 - np.hypot(x - 64, y - HORIZON) / 18, 0, 1)[..., None]
        image = image * (1 - near) + near * np.array((1, .94, .68), np.float32)
    if time == "night":
        image = dots(image, [(spots.random() * SIZE, spots.random() * 60) for _ in range(16)], (255, 250, 215))
    if place == "sky":
        if time != "night":
            for cx, cy, size in ((20, 20, 13), (108, 34, 15), (16, 104, 15), (104, 112, 17)):
                near = np.clip(1.6 - np.hypot((x - cx) / size / 1.6, (y - cy) / size * 1.3), 0, .75)[..., None]
                image = image * (1 - near) + near * np.array((1, 1, 1) if time == "day" else (1, .86, .8), np.float32)
        return np.clip(image, 0, 1)
    if place == "mountains":
        for cx, height, grey in ((24, 44, .52), (72, 56, .45), (116, 38, .56)):
            slope = HORIZON - height + np.abs(x - cx) * 1.25
            inside = np.clip(y - slope + .5, 0, 1)[..., None]
            snowy = np.clip(HORIZON - height + 16 - y + 2 * np.cos(x), 0, 1)[..., None]
            rock = np.array((grey, grey * 1.04, grey * 1.14), np.float32) * (1 - snowy) + .95 * snowy
            image = image * (1 - inside) + inside * rock * light
    if place == "forest":
        image = image * .45 + .55 * light * np.array((.36, .55, .36), np.float32)
        trunk = np.clip(4.5 - np.abs(np.mod(x, 24) - 8), 0, 1)[..., None]
        image = image * (1 - trunk) + trunk * light * np.array((.33, .25, .17), np.float32)
    image = np.where((y > HORIZON)[..., None], ground, image)
    if place == "road":
        lane = (np.clip(2.5 - np.abs(y - 100), 0, 1) * np.clip(10.5 - np.abs(np.mod(x, 32) - 16), 0, 1))[..., None]
        image = image * (1 - lane) + lane * light * np.array((.96, .88, .48), np.float32)
    if place == "sea":
        wave = (np.clip(np.cos((y + 2 * np.sin(x / 128 * 12 * np.pi)) / 16 * 2 * np.pi) * 3 - 2, 0, 1) * (y > HORIZON + 8))
        image = image + (wave[..., None] * .13 * light)
    if place == "snow" and time != "sunset":
        image = dots(image, [(spots.random() * SIZE, spots.random() * HORIZON) for _ in range(20)],
                     tuple(255 * v ** .5 for v in LIGHT[time]))
    if time == "rain":
        streak = np.clip(1.2 - np.abs(np.mod(x + y / 4, 16) - 8), 0, 1) * (np.mod(y + 24 * (x // 16), 32) < 16)
        image = image * (1 - .3 * streak[..., None]) + .3 * streak[..., None]
    return np.clip(image, 0, 1).astype(np.float32)


def dots(image, places, colour):
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) + .5
    near = np.zeros((SIZE, SIZE), np.float32)
    for cx, cy in places:
        near = np.maximum(near, np.clip(2.1 - np.hypot(x - cx, y - cy), 0, 1))
    return image * (1 - near[..., None]) + near[..., None] * np.array(colour, np.float32) / 255


def paint(scene):
    """The picture, [128, 128, 3] in 0...1."""
    image = background(*scene.background).copy()
    for name, colour, spot in scene.sprites:
        left, top, size = SPOTS[spot]
        painted = sprite(name, colour, size)
        area = image[top:top + size, left:left + size]
        area *= 1 - painted[..., 3:]
        area += painted[..., :3]
    return np.clip(image, 0, 1)


def bytes_of(scene):
    return (paint(scene) * 255 + .5).astype(np.uint8)


# --- captions ---

def article(words):
    return ("an " if words[0] in "aeiou" and not words.startswith(("uni", "ufo")) else "a ") + words


def noun(random_, name):
    others = SYNONYMS.get(name, "").split()
    return random_.choice(others) if others and random_.random() < .12 else name


def where(random_, background_):
    place, time = background_
    if place == "white" and time == "day":
        return random_.choice(["", "", "", "", " on white", " on a white background"])
    if place in COLOURS:
        return f" on a {place} background"
    said = random_.choice(PLACES[place])
    if time == "day":
        return " " + said
    when = random_.choice(TIMES[time])
    if place == "grass" and random_.random() < .6:
        return " " + when
    return " " + (said + " " + when if random_.random() < .8 else when + " " + said)


def thing(random_, name, colour=None, size=None, number=1):
    adjective = random_.choice(FILLERS) + " " if random_.random() < .07 else ""
    words = adjective + (size + " " if size else "") + (colour + " " if colour else "")
    if number > 1:
        said = random_.choice({2: ["two", "two", "two", "a pair of", "a couple of", "2"],
                               3: ["three", "three", "three", "some", "several", "3"],
                               4: ["four", "four", "four", "many", "4"]}[number])
        return f"{said} {words}{plural(noun(random_, name))}"
    words += noun(random_, name)
    start = random_.random()
    return words if start < .15 else "the " + words if start < .22 else article(words)


def caption(random_, kinds, backgrounds, allowed=None):
    """A caption of one of the kinds of scene; `allowed` refuses combinations of names and background."""
    kind = random_.choice(kinds)
    while True:
        ground = random_.choice({"colour": TINTED, "size": SIZED}.get(kind, backgrounds))
        names = [random_.choice(NAMES) for _ in range(3)]
        if ground in backgrounds and (allowed is None or allowed(names, ground)):
            break
    a, b, c = names
    if kind == "one":
        text = thing(random_, a)
    elif kind == "size":
        text = thing(random_, a, size=random_.choice(["small", "big", "tiny", "little", "large", "huge"]))
    elif kind == "side":
        text = thing(random_, a) + random_.choice([" on the left", " on the right", " at the top", " at the bottom"])
    elif kind == "count":
        text = thing(random_, a, number=random_.choice([2, 2, 3, 3, 4]))
    elif kind == "colour":
        text = thing(random_, a, colour=random_.choice(list(COLOURS)))
    elif kind == "pair":
        relation = random_.choice(["left", "right", "right", "over", "over", "under", "and"])
        text = f"{thing(random_, a)} {random_.choice(RELATIONS[relation])} {thing(random_, b)}"
    elif kind == "rows":
        relation = random_.choice(["over", "under"])
        text = f"{thing(random_, a, number=2)} {random_.choice(RELATIONS[relation])} {thing(random_, b)}"
    elif kind == "three":
        text = f"{thing(random_, a)}, {thing(random_, b)} and {thing(random_, c)}"
    else:  # the place alone
        return where(random_, ground).strip()
    return text + where(random_, ground)


def shortened(random_, text):
    """A caption as it is while it is typed."""
    return text[:random_.randint(min(2, len(text)), len(text))]
