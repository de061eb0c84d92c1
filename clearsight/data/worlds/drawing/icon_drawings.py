"""Icons by name: the same idea drawn by many icon families, some of them never seen in training.

Training uses Font Awesome 5 and 6, Material Design Icons and Elusive from the icon fonts inside the package
qtawesome, and the sets of the Iconify collection named in SETS; evaluation uses Phosphor, Remix Icon and Codicons
from qtawesome alone. Evaluation thus asks for known ideas in drawings, by other hands, that training never showed.
"""

import json
import random
import re
from collections import Counter
from functools import cache, lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

from clearsight import weights
from clearsight.data.sources import icon_sets
from clearsight.data.worlds.drawing.fonts import sized
from clearsight.data.worlds.scene import Split

# label: names it goes by in the families, when they differ from the label with hyphens
CONCEPTS: dict[str, tuple[str, ...]] = {
    "airplane": ("airplane", "plane"),
    "alarm clock": ("alarm",),
    "anchor": (),
    "barcode": (),
    "basketball": (),
    "battery": ("battery", "battery-full"),
    "bed": (),
    "bell": (),
    "bicycle": ("bicycle", "bike"),
    "bird": ("bird", "crow", "dove"),
    "book": ("book", "book-open", "book-open-variant"),
    "bookmark": (),
    "brain": (),
    "briefcase": (),
    "bug": (),
    "building": ("building", "office-building"),
    "bus": (),
    "cactus": (),
    "cake": ("cake", "birthday-cake", "cake-candles", "cake-2", "cake-3"),
    "calculator": (),
    "calendar": (),
    "camera": (),
    "car": (),
    "cat": (),
    "cloud": (),
    "clipboard": (),
    "clock": ("clock", "time"),
    "coffee": ("coffee", "cup", "mug-hot"),
    "coins": ("coins", "coin"),
    "compass": (),
    "computer": ("desktop", "monitor", "desktop-mac", "computer", "desktop-computer"),
    "cookie": (),
    "credit card": ("credit-card", "bank-card", "bank-card-2"),
    "crown": ("crown", "vip-crown", "vip-crown-2"),
    "cube": (),
    "database": (),
    "diamond": ("diamond", "gem", "diamond-stone"),
    "dog": (),
    "door": ("door", "door-closed", "door-open"),
    "envelope": ("envelope", "email", "mail"),
    "eraser": (),
    "eye": (),
    "factory": ("factory", "industry"),
    "fingerprint": (),
    "fire": (),
    "fish": (),
    "flag": (),
    "flask": (),
    "flower": (),
    "folder": (),
    "football": ("football", "football-ball"),
    "game controller": ("game-controller", "gamepad", "controller", "google-controller"),
    "gas station": ("gas-pump", "gas-station"),
    "gauge": ("gauge", "dashboard", "speedometer", "dashboard-2"),
    "gear": ("gear", "cog", "settings", "gear-six", "settings-2", "settings-3"),
    "ghost": (),
    "gift": (),
    "glasses": ("glasses", "eyeglasses"),
    "globe": ("globe", "earth", "earth-americas"),
    "graduation cap": ("graduation-cap", "school"),
    "hammer": (),
    "handshake": (),
    "headphones": ("headphones", "headphone"),
    "heart": ("heart", "heart-straight"),
    "horse": (),
    "hospital": (),
    "hourglass": (),
    "house": ("house", "home", "home-variant"),
    "key": ("key", "key-variant"),
    "keyboard": (),
    "knife": (),
    "lamp": (),
    "laptop": ("laptop", "macbook"),
    "leaf": (),
    "light bulb": ("lightbulb", "bulb"),
    "link": (),
    "lock": ("lock", "lock-simple"),
    "magnet": ("magnet", "magnet-straight"),
    "magnifying glass": ("magnifying-glass", "search", "magnify"),
    "map": (),
    "map pin": ("map-pin", "map-marker", "location-dot", "map-marker-alt"),
    "medal": (),
    "microphone": ("microphone", "mic"),
    "microscope": (),
    "moon": ("moon", "moon-waning-crescent"),
    "motorcycle": ("motorcycle", "motorbike"),
    "music note": ("music", "music-note", "music-notes", "music-2"),
    "newspaper": (),
    "package": ("package", "package-variant", "package-variant-closed", "box"),
    "paintbrush": ("paint-brush", "paintbrush", "brush"),
    "palette": (),
    "paperclip": (),
    "paw": ("paw", "paw-print"),
    "pencil": (),
    "person": ("user", "account", "person"),
    "phone": (),
    "pill": ("pill", "capsule", "capsules"),
    "pizza": ("pizza", "pizza-slice"),
    "plug": ("plug", "power-plug"),
    "printer": ("printer", "print"),
    "puzzle piece": ("puzzle-piece", "puzzle"),
    "rainbow": (),
    "recycling symbol": ("recycle",),
    "robot": (),
    "rocket": ("rocket", "rocket-launch"),
    "ruler": (),
    "sailboat": ("sailboat", "sail-boat"),
    "scales": ("scales", "scale-balance", "balance-scale"),
    "scissors": ("scissors", "cut", "content-cut"),
    "shield": ("shield", "shield-halved", "shield-alt"),
    "shirt": ("shirt", "t-shirt", "tshirt", "tshirt-crew"),
    "shopping cart": ("shopping-cart", "cart"),
    "skull": (),
    "smiley": ("smiley", "face-smile", "smile", "emoticon", "emotion-happy", "emoticon-happy"),
    "snowflake": (),
    "speaker": ("speaker", "speaker-high"),
    "star": (),
    "stethoscope": (),
    "suitcase": ("suitcase", "bag-suitcase", "suitcase-rolling"),
    "sun": ("sun", "white-balance-sunny"),
    "sword": (),
    "syringe": ("syringe", "needle"),
    "table": (),
    "tag": ("tag", "price-tag", "price-tag-3"),
    "target": ("target", "bullseye", "crosshairs"),
    "television": ("television", "tv"),
    "tent": ("tent", "campground"),
    "thermometer": ("thermometer", "temperature-half", "thermometer-half"),
    "thumbs down": ("thumbs-down", "thumb-down"),
    "thumbs up": ("thumbs-up", "thumb-up"),
    "ticket": (),
    "toilet": (),
    "traffic light": ("traffic-light", "traffic-signal"),
    "train": ("train", "train-simple"),
    "trash can": ("trash", "delete", "trash-can", "delete-bin", "trash-simple", "trash-alt"),
    "tree": ("tree", "tree-evergreen"),
    "trophy": (),
    "truck": (),
    "umbrella": (),
    "wallet": (),
    "watch": (),
    "wheelchair": (),
    "wifi": ("wifi", "wifi-high"),
    "wrench": (),
}
FAMILIES = {
    "train": (
        "fontawesome5-solid",
        "fontawesome5-regular",
        "fontawesome6-solid",
        "fontawesome6-regular",
        "materialdesignicons6",
        "elusiveicons",
    ),
    "eval": ("phosphor", "remixicon", "codicon"),
}
# Sets of the Iconify collection, for training alone: none draws with the hands of the evaluation's families.
SETS = (
    *("at-icons", "bi", "boxicons", "bx", "bxs", "carbon", "cil", "emojione-monotone", "famicons"),
    *("fluent", "fluent-emoji-high-contrast", "game-icons", "gravity-ui", "hugeicons", "icon-park-outline"),
    *(
        "icon-park-solid",
        "iconoir",
        "ion",
        "jam",
        "la",
        "lineicons",
        "lucide",
        "majesticons",
        "material-symbols",
    ),
    *(
        "mingcute",
        "mynaui",
        "picon",
        "pixelarticons",
        "pepicons-pop",
        "proicons",
        "solar",
        "tabler",
        "teenyicons",
    ),
    *("uil", "vaadin", "whh", "fontisto", "clarity", "meteor-icons", "akar-icons", "tdesign", "streamline"),
)
PER_SET = 4  # drawings of one idea a set, so that no set of many variants outweighs the others
# Names that mean something else in most sets than in the fonts.
AMBIGUOUS = {
    *("school", "dashboard", "settings-2", "needle", "cut", "football", "box", "industry", "time", "account"),
    *("delete", "cup", "alarm"),
}
# Names that mean something else in one family than in the others.
EXCLUDED = {
    ("fontawesome5-solid", "school"),
    ("fontawesome6-solid", "school"),
    ("codicon", "settings"),
    ("remixicon", "dashboard"),
    ("remixicon", "football"),
    ("materialdesignicons6", "box"),
}
# Ideas that a drawing of one may fairly be called by the other's name: never offered as its wrong answer.
CONFUSABLE = (
    {"alarm clock", "clock", "watch"},
    {"map", "map pin"},
    {"suitcase", "briefcase"},
    {"tree", "cactus", "leaf"},
    {"medal", "trophy"},
    {"building", "hospital", "factory", "house"},
    {"bus", "train", "truck", "car"},
    {"computer", "television", "laptop"},
    {"globe", "basketball", "compass", "target"},
    {"sun", "gear", "flower"},
)
SUFFIX = re.compile(r"-(fill|line|bold|light|duotone|outline|solid|outlined|filled|[0-9])$")
SET_SUFFIX = re.compile(
    r"-(fill|line|bold|light|duotone|outline|solid|outlined|filled|rounded|round|sharp|linear|broken|regular|thin"
    r"|twotone|alt|[0-9]+)$"
)

# Ideas that a mirror changes.
DIRECTED = {"barcode", "music note", "thumbs up", "thumbs down"}


ALIASES = {
    alias: label for label, names in CONCEPTS.items() for alias in (names or (label.replace(" ", "-"),))
}


def set_label(name: str) -> str | None:
    """The idea that an icon of this name in a set draws, if it is one of ours."""
    while name not in ALIASES:
        shorter = SET_SUFFIX.sub("", name)
        if shorter == name:
            return None
        name = shorter
    return ALIASES[name] if name not in AMBIGUOUS else None


@cache
def set_drawings() -> dict[str, tuple[tuple[bytes, ...], ...]]:
    """label -> for each set that draws it, the masks (PNG) of its drawings."""
    kept: Counter[tuple[str, str]] = Counter()

    def wanted(prefix: str, name: str) -> bool:
        label = set_label(name)
        if label is None:
            return False
        kept[prefix, label] += 1
        return kept[prefix, label] <= PER_SET

    found: dict[str, dict[str, list[bytes]]] = {}
    key = repr((CONCEPTS, sorted(AMBIGUOUS), SET_SUFFIX.pattern, PER_SET))
    for (prefix, name), png in icon_sets.masks(key, SETS, wanted).items():
        label = set_label(name)
        assert label is not None
        found.setdefault(label, {}).setdefault(prefix, []).append(png)
    return {label: tuple(tuple(pngs) for pngs in sets.values()) for label, sets in found.items()}


@cache
def drawings(split: Split) -> dict[str, tuple[tuple[str, str], ...]]:
    """label -> ((font file, character), ...) of every drawing in a font that the split may use."""
    folder = Path(weights.fetch(weights.ICON_FONTS)) / "qtawesome" / "fonts"
    found: dict[str, list[tuple[str, str]]] = {label: [] for label in CONCEPTS}
    for family in FAMILIES[split]:
        font = next(path for path in sorted(folder.glob(f"{family}*.ttf")))
        charmap = json.loads(next(iter(sorted(folder.glob(f"{family}*charmap*.json")))).read_text())
        for name, code in charmap.items():
            base = SUFFIX.sub("", name)
            label = ALIASES.get(base)
            if label and (family, base) not in EXCLUDED:
                found[label].append((str(font), chr(int(code, 16))))
    return {label: tuple(dict.fromkeys(glyphs)) for label, glyphs in found.items() if glyphs}


@cache
def labels() -> tuple[str, ...]:
    """Ideas that both splits can draw, in a fixed order."""
    return tuple(label for label in CONCEPTS if label in drawings("train") and label in drawings("eval"))


def others(label: str) -> list[str]:
    """Ideas that are a wrong name for this one beyond dispute."""
    close = set().union(*(group for group in CONFUSABLE if label in group))
    return [other for other in labels() if other != label and other not in close]


@lru_cache(maxsize=4096)
def _glyph(font: str, character: str, size: int) -> Image.Image:
    face = sized(font, size)
    left, top, right, bottom = face.getbbox(character)
    mask = Image.new("L", (int(max(1, right - left)), int(max(1, bottom - top))), 0)
    ImageDraw.Draw(mask).text((-left, -top), character, font=face, fill=255)
    return mask


def icon_mask(rng: random.Random, split: Split, label: str, size: int) -> Image.Image:
    """A drawing (L) of the idea that fits into size x size pixels; in training, sometimes varied."""
    sets = set_drawings().get(label, ()) if split == "train" else ()
    if rng.random() * (len(sets) + 6) < len(sets):
        mask = icon_sets.decoded(rng.choice(rng.choice(sets)))
    else:
        font, character = rng.choice(drawings(split)[label])
        mask = _glyph(font, character, size // 8 * 8)
    if split == "train":
        mask = varied(rng, label, mask)
    scale = size / max(mask.size)
    mask = mask.resize(
        (max(1, round(mask.width * scale)), max(1, round(mask.height * scale))), Image.Resampling.BILINEAR
    )
    if rng.random() < 0.5:
        mask = mask.rotate(rng.uniform(-10, 10), Image.Resampling.BILINEAR, expand=False)
    return mask


def varied(rng: random.Random, label: str, mask: Image.Image) -> Image.Image:
    """The drawing by a slightly different hand: mirrored, thicker, thinner, stretched or sheared."""
    if label not in DIRECTED and rng.random() < 0.4:
        mask = mask.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if rng.random() < 0.25:
        mask = mask.filter(ImageFilter.MaxFilter(3) if rng.random() < 0.6 else ImageFilter.MinFilter(3))
    if rng.random() < 0.4:
        stretch = rng.uniform(0.8, 1.25)
        mask = mask.resize((max(1, round(mask.width * stretch)), mask.height), Image.Resampling.BILINEAR)
    return mask
