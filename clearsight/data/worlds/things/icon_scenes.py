"""Icons and emoji put into a backdrop: which things, by which names, drawn how, and what is written below them."""

import random
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageDraw, ImageFilter

from clearsight.data.sources import icon_sets
from clearsight.data.worlds.drawing import emoji_drawings, icon_drawings, lettering
from clearsight.data.worlds.drawing.fonts import sized
from clearsight.data.worlds.drawing.palette import RGB, colour, readable_on, standing_out
from clearsight.data.worlds.scene import Placed, Scene, Split
from clearsight.data.worlds.things.icon_backdrops import Backdrop, Slot, rounded, stands_out
from clearsight.data.worlds.vocabulary import vocabulary

PLAIN = 0.35  # share of pictures with plain icons, where the backdrop allows them
ILLEGIBLE = 0.13  # share of labels that can't be read
# Sorts that people agree on, with what their things are called together.
COUNTED_SORTS = {
    "animal": "animals",
    "food": "things to eat",
    "vehicle": "vehicles",
    "piece of clothing": "pieces of clothing",
}
PLURAL_NOUNS = (
    *("cherries", "coins", "french fries", "glasses", "gloves", "grapes", "headphones", "jeans", "pancakes"),
    *("scales", "scissors", "shorts", "socks"),
)
# Plain icons whose names are no countable words in the singular, or have unusual plurals.
UNCOUNTED_ICONS = ("coins", "glasses", "headphones", "scales", "thumbs down", "thumbs up")
PLURAL_ICONS = {"knife": "knives", "leaf": "leaves", "person": "people"}


@dataclass
class Thing:
    """One drawing. `index` is its place in `scene.placed`; `colour` is set for plain icons alone."""

    name: str
    box: tuple[int, int, int, int]
    index: int
    row: int
    column: int
    colour: str = ""
    tile: str = ""
    label: str = ""
    legible: bool = True
    words: tuple[int, ...] = ()

    @property
    def middle(self) -> tuple[float, float]:
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2

    @property
    def side(self) -> int:
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])


@cache
def sort_of(name: str) -> str:
    """What sort of thing it is; empty for ideas that only plain icons draw."""
    return emoji_drawings.sort_of(name) if name in emoji_drawings.names() else ""


def _plain_names() -> tuple[str, ...]:
    return tuple(name for name in icon_drawings.labels() if name != "wifi")


def is_countable(name: str) -> bool:
    """Whether drawings of it can be counted by its name."""
    return emoji_drawings.is_countable(name) and name not in UNCOUNTED_ICONS


def plural(name: str) -> str:
    return PLURAL_ICONS.get(name) or emoji_drawings.plural(name)


def with_determiner(name: str) -> str:
    """ "a cat", "some coins"."""
    if name in ("thumbs up", "thumbs down"):
        return f"a {name}"
    return "some " + name if name in UNCOUNTED_ICONS else emoji_drawings.with_determiner(name)


@cache
def _confused_icons(name: str) -> frozenset[str]:
    return frozenset(icon_drawings.labels()) - frozenset(icon_drawings.others(name))


def _fits(name: str, shown: list[str], plain: bool) -> bool:
    """Whether nothing that is shown can be taken for a thing of this name, or the other way round."""
    close = _confused_icons if plain else emoji_drawings.confused_with
    return not any(name in close(other) for other in shown)


def cast(rng: random.Random, stage: Backdrop, plain: bool) -> list[str]:
    """A name for every slot: all different, a few kinds repeated, or all but one of a sort."""
    count = len(stage.slots)
    everything = _plain_names() if plain else emoji_drawings.names()
    way = rng.choice(("different", "different", "repeated", "stranger"))
    kinds: list[str] = []
    if way == "stranger" and not plain:
        sort = rng.choice([s for s in COUNTED_SORTS if len(emoji_drawings.of_sort(s)) > 9])
        pool = list(emoji_drawings.of_sort(sort))
        odd = rng.choice([name for name in everything if sort_of(name) != sort and name != "teddy bear"])
    else:
        pool, odd = list(everything), ""
    rng.shuffle(pool)
    most = rng.randint(2, 4) if way == "repeated" else count
    for name in pool:
        if len(kinds) == most:
            break
        if _fits(name, [*kinds, odd] if odd else kinds, plain):
            kinds.append(name)
    found: list[str] = []
    for place, slot in enumerate(stage.slots):
        if slot.among:
            fitting = [n for n in slot.among if n in found or _fits(n, found, plain)]
            fresh = [n for n in fitting if n not in found]
            found.append(rng.choice(fresh if fresh and rng.random() < 0.8 else fitting))
        elif way == "repeated":
            found.append(rng.choice(kinds))
        else:
            found.append(kinds[place % len(kinds)])
    if odd and count > 2 and not stage.slots[0].among:
        found[rng.randrange(count)] = odd
    return found


def draw(
    rng: random.Random,
    scene: Scene,
    stage: Backdrop,
    slot: Slot,
    name: str,
    plain: bool,
    hand: int,
    same_ink: tuple[str, RGB] | None,
) -> Thing:
    """Draw one thing into its slot and note it in the scene's truth."""
    left, top, width, height = slot.box
    ground, tile = slot.ground, ""
    if stage.style == "tile":
        tile, ground = standing_out(rng, scene.split, slot.ground, 120)
        if not plain:
            tile, ground = "white", colour(rng, scene.split, "white")
        mask = rounded(round(width), round(height), round(width * 0.23))
        scene.picture.paste(ground, (round(left), round(top)), mask)
        scene.placed.append(Placed("colour", tile, (left, top, left + width, top + height), mask))
        left, top, width, height = left + width * 0.17, top + height * 0.17, width * 0.66, height * 0.66
    size = round(min(width, height))
    shade = ""
    if plain:
        shade, ink = same_ink if same_ink and not tile else standing_out(rng, scene.split, ground)
        mask = _icon_mask(rng, scene.split, name, size)
        picture = Image.new("RGBA", mask.size, ink)
        picture.putalpha(mask)
    else:
        picture = emoji_drawings.drawing(rng, scene.split, name, size, which=hand)
        if stage.template in ("scatter", "stickers") and rng.random() < 0.5:
            turned = picture.rotate(rng.uniform(-20, 20), Image.Resampling.BICUBIC, expand=True)
            turned.thumbnail((size, size))
            picture = turned
    x = round(left + (width - picture.width) / 2)
    y = round(top + height - picture.height if slot.stands else top + (height - picture.height) / 2)
    if stage.style == "sticker" or not (plain or stands_out(picture, ground)):
        _paste_outlined(scene.picture, picture, (x, y), 5 if stage.style == "sticker" else 3)
    else:
        scene.picture.paste(picture, (x, y), picture)
    box = (x, y, x + picture.width, y + picture.height)
    alpha = picture.getchannel("A")
    scene.placed.append(Placed("object", name, box, alpha))
    thing = Thing(name, box, len(scene.placed) - 1, slot.row, slot.column, shade, tile if plain else "")
    if shade:
        scene.placed.append(Placed("colour", shade, box, alpha))
    return thing


def _icon_mask(rng: random.Random, split: Split, name: str, size: int) -> Image.Image:
    """A plain icon (L) that fits into size x size pixels, upright and whole; in training, sometimes varied."""
    sets = icon_drawings.set_drawings().get(name, ()) if split == "train" else ()
    if rng.random() * (len(sets) + 6) < len(sets):
        mask = icon_sets.decoded(rng.choice(rng.choice(sets)))
    else:
        font, character = rng.choice(icon_drawings.drawings(split)[name])
        face = sized(font, size // 8 * 8)
        left, top, right, bottom = face.getbbox(character)
        mask = Image.new("L", (max(1, int(right - left)), max(1, int(bottom - top))), 0)
        ImageDraw.Draw(mask).text((-left, -top), character, font=face, fill=255)
    if split == "train":
        mask = icon_drawings.varied(rng, name, mask)
    scale = size / max(mask.size)
    sides = max(1, round(mask.width * scale)), max(1, round(mask.height * scale))
    return mask.resize(sides, Image.Resampling.BILINEAR)


def _paste_outlined(canvas: Image.Image, picture: Image.Image, place: tuple[int, int], rim: int) -> None:
    """Paste a drawing (RGBA) with an outline of paper around it, as a sticker has, and a faint shadow."""
    mask = Image.new("L", (picture.width + 4 * rim, picture.height + 4 * rim), 0)
    mask.paste(picture.getchannel("A"), (2 * rim, 2 * rim))
    mask = mask.filter(ImageFilter.BoxBlur(rim)).point(lambda v: min(255, v * 9))
    x, y = place[0] - 2 * rim, place[1] - 2 * rim
    canvas.paste((0, 0, 0), (x + 2, y + 3), mask.point(lambda v: v // 3))
    canvas.paste((255, 255, 255), (x, y), mask)
    canvas.paste(picture, place, picture)


def labels_for(rng: random.Random, split: Split, stage: Backdrop) -> list[str]:
    """A label for each slot that has room for one, all different."""
    if stage.labels == "price":
        cents = rng.sample(range(5, 200), len(stage.slots))
        return [f"${value // 10}.{value % 10}{rng.choice('059')}" for value in cents]
    found: list[str] = []
    for slot in stage.slots:
        word = ""
        while slot.label and (not word or word in found):
            word = rng.choice(vocabulary(split))
            word = word.capitalize() if 4 <= len(word) <= (9 if slot.label[2] > 90 else 7) else ""
        found.append(word)
    return found


def write(rng: random.Random, scene: Scene, slot: Slot, thing: Thing, label: str, font: str) -> None:
    """Write the label below the thing, so small that it fits; sometimes illegibly."""
    assert slot.label is not None
    middle, top, most = slot.label
    size = next(s for s in range(19, 8, -1) if s == 9 or lettering.width_of(label, font, s) <= most)
    draw, ink = ImageDraw.Draw(scene.picture), readable_on(slot.label_ground)
    x = middle - lettering.width_of(label, font, size) / 2
    line = lettering.draw_line(draw, x, top, label, font, size, ink)
    thing.label, thing.legible = label, rng.random() > ILLEGIBLE
    if thing.legible:
        thing.words = (len(scene.placed),)
        scene.placed += line.placed
    else:
        lettering.smudge(scene.picture, line.box, rng)


def absent(rng: random.Random, names: list[str], plain: bool) -> str:
    """Something that isn't there, of the sort of something that is, where there is such a thing."""
    like = rng.choice(names)
    pool = _plain_names() if plain else emoji_drawings.names()
    fitting = [name for name in pool if _fits(name, list(dict.fromkeys(names)), plain)]
    close = [name for name in fitting if sort_of(name) and sort_of(name) == sort_of(like)]
    return rng.choice(close or fitting)
