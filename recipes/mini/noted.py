"""What the experts (clearsight/experts) would note of drawn scenes, and stamps as scenes that they can name.

Text comes from a scene's truth, with the mistakes of a text recogniser, because recognising it would take a second a
picture; what a picture may show is the network's own guess. Who learns with notes learns to look things up in
them, and to doubt a guess.

Tux Paint's stamps (GPL-2.0-or-later) are pictures of animals, plants and things, each with a sentence such as
"A toucan." beside it; most are photographs. They are fetched by nobody: a folder is named, for instance
/usr/share/tuxpaint/stamps of Debian's tuxpaint-stamps-default.
"""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image as PILImage

from clearsight.data.worlds.scene import SIZE, Question, Scene, Split, rng_for
from clearsight.experts import Notes, naming
from clearsight.experts.efficientnet import square
from clearsight.experts.rows import in_rows
from clearsight.training.config import ConfigError
from recipes.mini.picture_files import opened

Pairs = list[tuple[str, str]]

HELD_OUT_STAMPS = 10  # every so many-th is never trained on
WITHOUT_NAME = "symbols"  # letters and coins
_SENTENCE = re.compile(r"(?:An? |The )?([a-z][a-z -]*[a-z])\.?", re.IGNORECASE)
MOST_WORDS = 3
ANY = (
    "What is this?",
    "What does the picture show?",
    "Name what you see.",
    "What thing is this?",
    "What is in the picture?",
)
ASKED = {  # by the folders that stamps lie in, the first that fits
    "animals/birds": ("Which bird is this?", "What kind of bird is it?", "Name the bird."),
    "animals/insects": ("Which insect is this?", "What kind of insect do you see?"),
    "animals/fish": ("Which fish is this?", "What kind of fish is it?"),
    "animals": ("What animal is this?", "Which animal do you see?", "Name the animal in the picture."),
    "food/fruit": ("Which fruit is this?", "What kind of fruit is it?"),
    "food/vegetables": ("Which vegetable is this?", "What kind of vegetable is it?"),
    "food": ("What food is this?", "What can be eaten here?"),
    "plants/flowers": ("Which flower is this?", "What kind of plant is it?"),
    "plants": ("Which plant is this?", "What kind of plant is it?"),
    "vehicles": ("What vehicle is this?", "What kind of vehicle do you see?"),
    "household/tools": ("Which tool is this?", "What tool do you see?"),
    "hobbies/music": ("Which instrument is this?", "What instrument do you see?"),
    "clothes": ("What piece of clothing is this?", "What can be worn here?"),
    "town": ("What is this in the street?", "What kind of building or sign is this?"),
}
SHORTLY = ("", "", " Answer in a word or two.", " Be brief.", " Just the name.")


# ---------------------------------------------------------------------------------------------------
# Stamps


@dataclass(frozen=True)
class Stamp:
    """A picture, what it is called, and how that may be asked for."""

    path: Path
    name: str
    asked: tuple[str, ...]


class Stamps:
    """Scenes of one stamp each. Raises ConfigError for a folder without stamps."""

    def __init__(self, folder: str):
        root = Path(folder)
        found = [stamp for path in sorted(root.rglob("*.png")) if (stamp := _stamp(root, path)) is not None]
        self.stamps: dict[Split, list[Stamp]] = {
            "train": [stamp for number, stamp in enumerate(found) if number % HELD_OUT_STAMPS],
            "eval": found[::HELD_OUT_STAMPS],
        }
        if not self.stamps["train"]:
            raise ConfigError(
                f"task.stamps={folder} holds no stamps with a name; on Debian: apt-get install "
                "tuxpaint-stamps-default, then /usr/share/tuxpaint/stamps"
            )

    def sample(self, seed: int, split: Split) -> Scene:
        """A stamp of one of the names, all names alike, somewhere on a ground of one colour."""
        rng = rng_for("stamp", seed, split)
        name = rng.choice(sorted({stamp.name for stamp in self.stamps[split]}))
        stamp = rng.choice([one for one in self.stamps[split] if one.name == name])
        white = rng.random() < 0.4
        ground = (255, 255, 255) if white else tuple(rng.randrange(256) for _ in range(3))
        picture = square(opened(stamp.path), ground)
        if split == "train":
            side = round(picture.width * rng.uniform(1.0, 1.4))
            canvas = PILImage.new("RGB", (side, side), ground)
            canvas.paste(
                picture, (rng.randint(0, side - picture.width), rng.randint(0, side - picture.width))
            )
            picture = canvas
            if rng.random() < 0.5:
                picture = picture.transpose(PILImage.Transpose.FLIP_LEFT_RIGHT)
        question = rng.choice(ANY if rng.random() < 0.3 else stamp.asked) + rng.choice(SHORTLY)
        shown = picture.resize((SIZE, SIZE), PILImage.Resampling.BICUBIC)
        return Scene("stamps", seed, split, shown, [Question("stamp", question, stamp.name)])


def _stamp(root: Path, path: Path) -> Stamp | None:
    folder = path.parent.relative_to(root).as_posix()
    told = path.with_suffix(".txt")
    if folder.startswith(WITHOUT_NAME) or not told.exists():
        return None
    match = _SENTENCE.fullmatch(told.read_text(encoding="utf-8").partition("\n")[0].strip())
    if match is None or len(match[1].split()) > MOST_WORDS:
        return None
    asked = next((questions for start, questions in ASKED.items() if folder.startswith(start)), ANY)
    return Stamp(path, match[1].lower(), asked)


# ---------------------------------------------------------------------------------------------------
# Notes


def noted(rng: random.Random, scene: Scene, pairs: Pairs, characters: int) -> tuple[list[str], Pairs]:
    """Notes of each picture, and those of the questions that can be asked with them.

    Text that does not fit is told around the answer to one of the questions; what only the rest of it answers
    is not asked.
    """
    texts = [_written(rng, scene, page) for page in range(len(scene.pictures))]
    whole = "\n".join(texts).casefold()
    if sum(map(len, texts)) > characters:
        wanted = rng.choice(pairs)[1] if pairs else ""
        texts = [_around(rng, text, wanted, characters // len(texts)) for text in texts]
        left = "\n".join(texts).casefold()
        pairs = [pair for pair in pairs if pair[1].casefold() in left or pair[1].casefold() not in whole]
    named = [naming.shown(picture) for picture in scene.pictures]
    return [Notes(text, name).text(characters + 200) for text, name in zip(texts, named, strict=True)], pairs


def _written(rng: random.Random, scene: Scene, page: int) -> str:
    words = [(t.box, t.label) for t in scene.placed if t.kind == "word" and t.page == page]
    return in_rows((box, text) for box, label in words if (text := _misread(rng, label)))


def _misread(rng: random.Random, word: str) -> str:
    """The word as a recogniser may read it: mostly right, now and then not at all or with a wrong letter."""
    if rng.random() < 0.02:
        return ""
    for right, wrong in (("l", "1"), ("O", "0"), ("I", "l"), ("rn", "m"), ("'", ""), (",", ".")):
        if right in word and rng.random() < 0.03:
            word = word.replace(right, wrong, 1)
    return word


def _around(rng: random.Random, text: str, wanted: str, characters: int) -> str:
    lines = text.splitlines()
    holding = [n for n, line in enumerate(lines) if wanted.casefold() in line.casefold()]
    first = last = rng.choice(holding or range(len(lines) or 1))
    room = characters - len(lines[first] if lines else "")
    while lines and room > 0:
        further = [n for n in (first - 1, last + 1) if 0 <= n < len(lines) and len(lines[n]) < room]
        if not further:
            break
        chosen = rng.choice(further)
        first, last = min(first, chosen), max(last, chosen)
        room -= len(lines[chosen]) + 1
    return "\n".join(lines[first : last + 1])[:characters]


def shared(encoded: Iterable[tuple[list[int], list[bool]]]) -> int:
    """How many ids all conversations begin with, before any of them answers."""
    conversations = list(encoded)
    most = min(learned.index(True) if any(learned) else len(ids) for ids, learned in conversations)
    first = conversations[0][0]
    return next((n for n in range(most) if any(ids[n] != first[n] for ids, _ in conversations)), most)
