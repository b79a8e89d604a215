"""The words that the model knows, and the emoji, places and colours that they stand for."""
import functools
import os
import re
import unicodedata

from fontTools.ttLib import TTFont

FONT = os.environ.get("NOTO_EMOJI", "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")


@functools.cache
def font():
    """The font's names of characters, and its bitmaps by name."""
    file = TTFont(FONT)
    return file.getBestCmap(), file["CBDT"].strikeData[0]


# name and emoji; of two names that begin alike, the first is what their beginning paints
OBJECTS = """
fox 🦊|cat 🐱|dog 🐶|house 🏠|tree 🌳|star ⭐|bear 🐻|rabbit 🐰|apple 🍎|sun 🌞|moon 🌙|car 🚗|flower 🌼|heart ❤|robot 🤖
boat ⛵|penguin 🐧|lion 🦁|mouse 🐭|umbrella ☂|king 🤴|violin 🎻|yacht 🛥|zebra 🦓|queen 👸|noodles 🍜|igloo 🛖|jar 🏺
panda 🐼|tiger 🐯|cow 🐮|pig 🐷|frog 🐸|monkey 🐵|horse 🐴|elephant 🐘|koala 🐨|wolf 🐺|sheep 🐑|owl 🦉|duck 🦆
chicken 🐔|parrot 🦜|flamingo 🦩|fish 🐟|whale 🐳|dolphin 🐬|shark 🦈|octopus 🐙|crab 🦀|turtle 🐢|snail 🐌
butterfly 🦋|bee 🐝|ladybug 🐞|spider 🕷|snake 🐍|unicorn 🦄|dragon 🐉|dinosaur 🦕|giraffe 🦒|hedgehog 🦔
pear 🍐|orange 🍊|lemon 🍋|banana 🍌|watermelon 🍉|grapes 🍇|strawberry 🍓|cherry 🍒|peach 🍑|pineapple 🍍|tomato 🍅
carrot 🥕|corn 🌽|broccoli 🥦|pizza 🍕|hamburger 🍔|cake 🎂|cupcake 🧁|donut 🍩|cookie 🍪|bread 🍞|egg 🥚|cheese 🧀
coffee ☕|candy 🍬|bus 🚌|taxi 🚕|truck 🚚|tractor 🚜|ambulance 🚑|train 🚆|bicycle 🚲|motorcycle 🏍|ship 🚢
airplane ✈|helicopter 🚁|rocket 🚀|ufo 🛸|balloon 🎈|cloud ☁|rainbow 🌈|snowflake ❄|lightning ⚡|fire 🔥|castle 🏰
tent ⛺|church ⛪|volcano 🌋|pine 🌲|palm 🌴|cactus 🌵|sunflower 🌻|tulip 🌷|rose 🌹|mushroom 🍄|clover 🍀|leaf 🍁
gift 🎁|ball ⚽|basketball 🏀|guitar 🎸|drum 🥁|book 📕|clock ⏰|key 🔑|crown 👑|hat 🎩|ghost 👻|snowman ⛄
pumpkin 🎃|bell 🔔|camera 📷|skull 💀|diamond 💎|teddy 🧸
"""
OBJECTS = dict(entry.rsplit(" ", 1) for line in OBJECTS.split("\n") for entry in line.split("|") if entry)


IRREGULAR = {
    "mouse": "mice", "sheep": "sheep", "fish": "fish", "butterfly": "butterflies", "cherry": "cherries",
    "strawberry": "strawberries", "peach": "peaches", "bus": "buses", "grapes": "grapes", "leaf": "leaves",
    "church": "churches", "wolf": "wolves", "broccoli": "broccoli", "octopus": "octopuses", "fox": "foxes",
    "teddy": "teddies", "candy": "candies", "bread": "bread", "lightning": "lightning", "noodles": "noodles",
    "cactus": "cacti", "tomato": "tomatoes", "volcano": "volcanoes", "snowman": "snowmen",
}


def plural(name):
    return IRREGULAR.get(name, name + "s")


# other words for an object
SYNONYMS = {
    "fox": "vixen", "cat": "kitten kitty pussycat tomcat", "dog": "puppy hound terrier poodle retriever pup doggy",
    "house": "home cottage cabin building hut villa", "tree": "oak maple birch willow", "star": "starlet",
    "bear": "grizzly cub", "rabbit": "bunny hare", "apple": "fruit", "sun": "sunshine", "moon": "crescent",
    "car": "automobile vehicle sedan cab", "flower": "daisy blossom bloom", "heart": "love",
    "robot": "android machine droid", "boat": "sailboat sail canoe", "lion": "lioness", "mouse": "rat",
    "umbrella": "parasol", "king": "prince man boy", "queen": "princess woman girl lady", "violin": "fiddle cello",
    "yacht": "motorboat speedboat", "noodles": "soup ramen pasta spaghetti", "jar": "vase pot urn",
    "tiger": "leopard cheetah", "cow": "bull ox calf cattle", "pig": "piglet hog boar", "frog": "toad",
    "monkey": "ape gorilla chimpanzee chimp", "horse": "pony foal donkey stallion mare", "elephant": "mammoth",
    "wolf": "coyote husky", "sheep": "lamb goat ram", "duck": "duckling goose swan", "chicken": "hen rooster chick",
    "parrot": "bird macaw parakeet", "fish": "trout salmon tuna", "octopus": "squid", "crab": "lobster",
    "turtle": "tortoise", "butterfly": "moth", "bee": "wasp hornet bumblebee", "ladybug": "beetle ladybird bug",
    "spider": "tarantula", "snake": "serpent cobra python viper", "dinosaur": "dino brontosaurus",
    "orange": "tangerine mandarin", "lemon": "lime", "grapes": "grape", "strawberry": "raspberry",
    "peach": "apricot", "corn": "maize", "hamburger": "burger cheeseburger sandwich",
    "cake": "birthday", "cupcake": "muffin", "donut": "doughnut", "cookie": "biscuit", "bread": "loaf toast",
    "coffee": "tea cup mug", "candy": "sweet", "taxi": "cab", "truck": "lorry van", "train": "tram locomotive",
    "bicycle": "bike", "motorcycle": "motorbike scooter", "ship": "steamer ferry", "airplane": "plane aeroplane jet",
    "rocket": "spaceship spacecraft", "ufo": "saucer", "lightning": "thunderbolt bolt", "fire": "flame bonfire",
    "castle": "palace fortress tower lighthouse", "church": "chapel temple cathedral", "pine": "fir spruce christmas",
    "palm": "coconut", "mushroom": "toadstool", "gift": "present box",
    "ball": "football soccer", "book": "novel notebook", "clock": "watch alarm", "crown": "tiara",
    "hat": "cap", "ghost": "spirit phantom", "pumpkin": "halloween", "camera": "photograph", "skull": "skeleton",
    "diamond": "gem jewel crystal", "teddy": "toy doll",
}

COLOURS = {
    "red": (225, 45, 45), "green": (60, 170, 60), "blue": (50, 100, 230), "yellow": (250, 210, 40),
    "purple": (150, 70, 200), "pink": (250, 130, 180), "black": (50, 50, 56), "white": (240, 240, 240),
}
OTHER_COLOURS = {"violet": "purple", "magenta": "pink", "golden": "yellow", "gold": "yellow", "crimson": "red",
                 "dark": "black", "azure": "blue", "scarlet": "red", "turquoise": "blue", "navy": "blue", "emerald": "green",
                 "olive": "green", "lavender": "purple", "lilac": "purple", "ivory": "white", "silver": "white"}

# how often a place or a time of day is said in which words; the first word is its key
PLACES = {
    "grass": ["on grass", "on the grass", "in a meadow", "in a field", "in the garden", "in a park", "on a lawn"],
    "snow": ["in the snow", "in the snow", "in snow", "in winter", "on the ice", "on snow"],
    "sea": ["on the sea", "at sea", "in the water", "on the ocean", "on a lake", "in the sea"],
    "beach": ["on the beach", "on the sand", "on sand", "in the desert", "at the beach"],
    "forest": ["in a forest", "in the forest", "in the woods", "in a jungle"],
    "road": ["on a road", "on the street", "on the road", "in the city"],
    "mountains": ["in the mountains", "on a mountain", "on a hill", "in the hills"],
    "sky": ["in the sky", "in the clouds", "in the air", "flying"],
    "space": ["in space", "in outer space", "in the galaxy", "in the universe"],
    "table": ["on a table", "on the table", "in a room", "indoors", "in the kitchen", "on a desk"],
}
TIMES = {
    "night": ["at night", "at night", "by night", "at midnight", "in the dark"],
    "sunset": ["at sunset", "at dusk", "in the evening", "at dawn", "at sunrise"],
    "rain": ["in the rain", "in rain", "on a rainy day", "in a storm"],
}
ADJECTIVES = {"snow": "snowy", "night": "nightly", "rain": "rainy", "grass": "grassy", "sea": "watery",
              "forest": "wooded", "mountains": "mountainous", "beach": "sandy"}
PLACE_WORDS = {
    "grass": "grass meadow field garden park lawn grassy farm spring", "snow": "snow snowy winter ice icy frozen arctic",
    "sea": "sea ocean water lake river pond watery underwater swimming", "beach": "beach sand desert sandy shore dunes",
    "forest": "forest woods jungle wood wooded", "road": "road street city town highway path",
    "mountains": "mountain mountains hill hills mountainous alps",
    "sky": "sky clouds air flying heaven", "space": "space universe galaxy planets cosmos",
    "table": "table room indoors kitchen desk floor inside",
}
TIME_WORDS = {
    "night": "night midnight nightly nighttime moonlight starry", "sunset": "sunset dusk evening dawn sunrise",
    "rain": "rain rainy storm raining stormy thunderstorm",
}
NUMBERS = {"one": 1, "single": 1, "two": 2, "pair": 2, "couple": 2, "both": 2, "three": 3, "several": 3, "some": 3,
           "few": 3, "four": 4, "many": 4, "lots": 4, "five": 4, "six": 4, "seven": 4, "ten": 4, "dozen": 4, "1": 1, "2": 2, "3": 3, "4": 4}
SIZES = {"small": "small", "tiny": "small", "little": "small", "big": "big", "large": "big", "huge": "big",
         "giant": "big", "enormous": "big", "massive": "big", "gigantic": "big", "mini": "small", "miniature": "small"}
RELATIONS = {
    "left": ["left of", "to the left of", "on the left of"],
    "right": ["right of", "to the right of", "on the right of"],
    "over": ["above", "over", "on top of"],
    "under": ["below", "under", "beneath", "underneath"],
    "and": ["and", "next to", "beside", "with", "near", "by"],
}
# words that change nothing
FILLERS = ("cute beautiful nice pretty happy lovely funny sleepy old new friendly brave shiny please picture painting photo "
           "drawing image art very really colorful cartoon style detailed 4k best quality lonely proud fast quiet "
           "sitting standing walking looking running young wild sleeping smiling").split()


def named_by_unicode():
    """Every other emoji with a name of at most three plain words that mean nothing else here."""
    names, bitmaps = font()
    taken = {word for table in (PLACE_WORDS, TIME_WORDS) for listed in table.values() for word in listed.split()}
    taken |= {*COLOURS, *OTHER_COLOURS, *NUMBERS, *SIZES, *FILLERS}
    for code in [*range(0x231A, 0x2B56), *range(0x1F300, 0x1FB00)]:
        name = unicodedata.name(chr(code), "").lower().removesuffix(" face")
        if (chr(code) not in OBJECTS.values() and re.fullmatch(r"[a-z]+( [a-z]+){0,2}", name) and len(name) < 24
                and names.get(code) in bitmaps and name not in taken):
            yield name, chr(code)


if os.environ.get("INKLING_OBJECTS") == "all":
    for name_, character in named_by_unicode():
        OBJECTS.setdefault(name_, character)
NAMES = list(OBJECTS)
