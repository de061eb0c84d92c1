"""Coloured drawings of everyday things by name: the same thing drawn by several hands, some never seen in training.

Training uses the emoji of Noto, Twemoji, Emoji One and Firefox OS; evaluation those of Fluent alone. Evaluation thus
asks for known things in drawings, by another hand, that training never showed. Only things that a person names at
once are here: no faces, signs, flags or symbols, and nothing that two sets draw as different things.
"""

import io
import random
from collections.abc import Sequence
from functools import cache, lru_cache

from PIL import Image

from clearsight.data.sources import icon_sets
from clearsight.data.worlds.scene import Split, with_article

SETS: dict[Split, tuple[str, ...]] = {
    "train": ("noto", "twemoji", "emojione", "fxemoji"),
    "eval": ("fluent-emoji-flat",),
}
# Drawings that are little pictures with a background of their own, or show something else.
MISDRAWN = {
    ("fxemoji", "gamedie"),
    ("fxemoji", "rainbow"),
    ("fxemoji", "sailboat"),
    ("fxemoji", "tent"),
    ("emojione", "tent"),
}

# sort: its things, in brackets how the sets call them where that isn't the name with hyphens.
SORTS: dict[str, str] = {
    "animal": """
        ant, bat, bear, bee [honeybee], butterfly, camel [two-hump-camel], cat [cat cat-face],
        chick [front-facing-baby-chick], cow [cow cow-face], crab, crocodile, dog [dog dog-face], dolphin,
        duck, elephant, fish, flamingo, fox [fox fox-face], frog [frog frog-face],
        giraffe [giraffe giraffe-face], goat, gorilla, hedgehog, horse [horse horse-face], kangaroo, koala,
        ladybug [lady-beetle], lion [lion lion-face], lobster, monkey [monkey monkey-face],
        mouse [mouse mouse-face], octopus, owl, panda [panda panda-face], parrot, peacock, penguin,
        pig [pig pig-face], rabbit [rabbit rabbit-face], rhinoceros, rooster, shark, sheep [ewe sheep],
        snail, snake, spider, swan, tiger [tiger tiger-face], turtle, whale [spouting-whale],
        wolf [wolf wolf-face], zebra [zebra zebra-face]
    """,
    "food": """
        apple [red-apple], avocado, banana, birthday cake, broccoli, carrot, cheese [cheese-wedge], cherries,
        cookie, corn [ear-of-corn], croissant, cupcake, doughnut, eggplant, french fries, grapes, hamburger,
        hot dog, lemon, lollipop, mushroom [mushroom brown-mushroom], onion, pancakes, peach, pear,
        pineapple, pizza, popcorn, potato, pretzel, sandwich, strawberry, taco, tomato, watermelon
    """,
    "vehicle": """
        airplane, ambulance, bicycle, bus, canoe, car [automobile], fire engine, helicopter,
        scooter [kick-scooter], locomotive, motorcycle, police car, rocket, sailboat, taxi, tractor,
        truck [delivery-truck]
    """,
    "musical instrument": """
        accordion, banjo, drum, guitar, saxophone, trumpet, violin
    """,
    "piece of clothing": """
        coat, dress, gloves, jeans, running shoe [running-shoe], scarf, shorts, socks, top hat, t-shirt
    """,
    "tool": """
        axe, hammer, ladder, saw [carpentry-saw], scissors, screwdriver, wrench
    """,
    "plant": """
        cactus, Christmas tree [christmas-tree], four-leaf clover, maple leaf, palm tree, rose, sunflower,
        tulip
    """,
    "building": "castle, church, factory, house",
    "ball": "basketball, baseball, soccer ball, volleyball",
    "thing in the sky": """
        cloud, crescent moon, lightning [high-voltage], rainbow, snowflake, star, sun [sun sun-with-face],
        tornado
    """,
    "thing of the house": """
        alarm clock, backpack, balloon, basket, bathtub, bed, bell, book [closed-book], broom, bucket,
        camera, candle, chair, compass, crown, diamond [gem-stone], die [game-die], door, envelope,
        flashlight, gift [wrapped-gift], hourglass [hourglass-done], key, kite, laptop, light bulb, magnet,
        magnifying glass [magnifying-glass-tilted-left magnifying-glass-tilted-right], microscope, newspaper,
        padlock [locked], paintbrush, paperclip, pencil, puzzle piece, radio, ring, ruler [straight-ruler],
        soap, stethoscope, suitcase [luggage], syringe, teapot, teddy bear, telephone, telescope, television,
        tent, toilet, toothbrush, trophy, umbrella, watch, wine glass
    """,
}
# Things that a picture never shows together, nor asks for when the other is there: one may fairly be called, or
# holds, the other.
CONFUSABLE = (
    {"car", "taxi", "police car"},
    {"truck", "fire engine", "ambulance", "bus"},
    {"bicycle", "motorcycle", "scooter"},
    {"bear", "panda", "koala", "teddy bear"},
    {"monkey", "gorilla"},
    {"cat", "tiger", "lion"},
    {"dog", "wolf", "fox"},
    {"chick", "rooster", "duck", "swan"},
    {"fish", "shark", "dolphin", "whale"},
    {"crab", "lobster"},
    {"ant", "bee", "ladybug"},
    {"sheep", "goat"},
    {"apple", "peach", "tomato"},
    {"birthday cake", "cupcake", "candle"},
    {"hamburger", "sandwich"},
    {"rose", "tulip"},
    {"Christmas tree", "palm tree", "star"},
    {"cloud", "rainbow", "tornado", "lightning"},
    {"sun", "star", "crescent moon"},
    {"guitar", "banjo", "violin"},
    {"saxophone", "trumpet"},
    {"coat", "t-shirt", "dress"},
    {"backpack", "suitcase"},
    {"watch", "alarm clock", "compass"},
    {"ring", "diamond"},
    {"book", "newspaper"},
    {"pencil", "paintbrush"},
    {"axe", "hammer"},
    {"house", "church", "castle", "factory"},
    {"basket", "bucket"},
    {"radio", "television"},
    {"telescope", "microscope"},
)
PLURALS = {
    "die": "dice",
    "fish": "fish",
    "mouse": "mice",
    "scarf": "scarves",
    "sheep": "sheep",
    "wolf": "wolves",
    "maple leaf": "maple leaves",
    "piece of clothing": "pieces of clothing",
}
# Names of one drawing that are no countable word in the singular.
UNCOUNTED = (
    *("broccoli", "cherries", "corn", "french fries", "gloves", "grapes", "jeans", "lightning", "pancakes"),
    *("popcorn", "scissors", "shorts", "soap", "socks"),
)
# Drawings that a mirror changes: there is writing on them.
WRITTEN = (
    *("alarm clock", "ambulance", "bus", "fire engine", "newspaper", "police car", "ruler", "soap", "taxi"),
    *("truck", "watch"),
)


@cache
def _listed() -> dict[str, tuple[str, tuple[str, ...]]]:
    """name -> (sort, what the sets call it)."""
    found = {}
    for sort, things in SORTS.items():
        for thing in " ".join(things.split()).split(", "):
            name, _, called = thing.partition(" [")
            found[name] = sort, tuple(called.rstrip("]").split()) or (name.lower().replace(" ", "-"),)
    return found


@cache
def names() -> tuple[str, ...]:
    return tuple(_listed())


def sort_of(name: str) -> str:
    return _listed()[name][0]


@cache
def of_sort(sort: str) -> tuple[str, ...]:
    return tuple(name for name in names() if sort_of(name) == sort)


def is_countable(name: str) -> bool:
    """Whether drawings of it can be counted: "three cats", but not "three corn" or, of pairs, "three socks"."""
    return name not in UNCOUNTED


def plural(name: str) -> str:
    if name in PLURALS or not is_countable(name):
        return PLURALS.get(name, name)
    if name.endswith("y") and name[-2] not in "aeiou":
        return name[:-1] + "ies"
    return name + ("es" if name.endswith(("s", "x", "ch", "sh", "ato")) else "s")


def with_determiner(name: str) -> str:
    """ "a cat", "an hourglass", "some grapes"."""
    if not is_countable(name):
        return "some " + name
    return "an hourglass" if name == "hourglass" else with_article(name)


@cache
def confused_with(name: str) -> frozenset[str]:
    """What a drawing of this may fairly be called, or may show too; the name itself among it."""
    return frozenset({name}.union(*(group for group in CONFUSABLE if name in group)))


def some(rng: random.Random, count: int, among: Sequence[str] | None = None) -> list[str]:
    """Up to `count` different things, none of which can be taken for another."""
    found: list[str] = []
    for name in rng.sample(among or names(), len(among or names())):
        if len(found) == count:
            break
        if not any(name in confused_with(other) for other in found):
            found.append(name)
    return found


def absent(rng: random.Random, shown: Sequence[str], like: str) -> str | None:
    """A thing of the same sort as `like` that is not among those shown, beyond dispute."""
    taken = frozenset().union(*(confused_with(name) for name in shown))
    return rng.choice([name for name in of_sort(sort_of(like)) if name not in taken] or [None])


@cache
def _drawings(split: Split) -> dict[str, tuple[bytes, ...]]:
    """name -> the drawings (PNG) of the split's sets."""
    called = {alias: name for name, (_, aliases) in _listed().items() for alias in aliases}
    called |= {alias.replace("-", ""): name for alias, name in called.items()}  # as Firefox OS writes them
    key = repr((sorted(called.items()), sorted(MISDRAWN)))
    drawn = icon_sets.pictures(key, SETS[split], lambda p, n: n in called and (p, n) not in MISDRAWN)
    found: dict[str, dict[str, bytes]] = {name: {} for name in names()}
    for (prefix, icon), png in drawn.items():
        found[called[icon]][f"{prefix}/{icon}"] = png
    return {name: tuple(pngs.values()) for name, pngs in found.items()}


@lru_cache(maxsize=1024)
def _decoded(png: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(png))
    picture.load()
    return picture


def drawing(
    rng: random.Random, split: Split, name: str, size: int, *, which: int | None = None
) -> Image.Image:
    """A drawing (RGBA) of the thing whose longer side has `size` pixels; in training, sometimes varied.

    Equal `which` give the same hand's drawing, so that a picture can repeat it.
    """
    pngs = _drawings(split)[name]
    picture = _decoded(pngs[(rng.randrange(len(pngs)) if which is None else which) % len(pngs)])
    if split == "train":
        if name not in WRITTEN and rng.random() < 0.4:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if rng.random() < 0.3:
            width = max(1, round(picture.width * rng.uniform(0.88, 1.12)))
            picture = picture.resize((width, picture.height), Image.Resampling.BILINEAR)
    scale = size / max(picture.size)
    sides = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(sides, Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.BILINEAR)
