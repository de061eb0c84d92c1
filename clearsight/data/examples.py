"""From a scene to a training example: which of its questions are asked, in one conversation, and what they teach.

Three in ten pictures are degraded first. Most conversations ask several questions about the same picture, because
looking costs more than answering; some ask for a description at one of three lengths.
"""

import io
import random
from collections.abc import Iterator
from contextlib import suppress

from PIL import Image as PILImage

from clearsight import __version__
from clearsight.conversation import Conversation, Image, Message, assistant, user
from clearsight.data import degrade
from clearsight.data.record import Provenance, Record
from clearsight.data.verify import Truth
from clearsight.data.worlds import load
from clearsight.data.worlds.scene import Scene, Split, rng_for, wording

# What the generators draw with is listed with its licence in NOTICE; what they make is Clearsight's own.
LICENCE = "Apache-2.0"
DEGRADED = 0.3  # share of pictures
JPEGS = 0.9  # share of pictures stored as JPEG; PNG takes seven times as long
QUESTIONS = (1, 2, 3, 4, 5, 6)  # how many a conversation asks, each equally often
DESCRIBED = 0.25  # share of conversations in which a description is asked for
DESCRIBE = (
    ("Describe the picture in a few words.", "What is this? Be brief.", "Give a very short description."),
    ("Describe the picture.", "What do you see?", "Say what the picture shows."),
    (
        "Describe the picture in detail.",
        "Describe everything you see.",
        "Give a full description of the picture.",
    ),
)


class NothingToAsk(ValueError):
    """A scene of which nothing can be asked, and which nothing can be said about."""


def example(world: str, seed: int, split: Split = "train") -> Record:
    """The training example that a world and seed give, always the same. Raises NothingToAsk when it gives none."""
    rng = rng_for(f"examples.{world}", seed, split)
    scene = load(world).sample(seed, split)
    if rng.random() < DEGRADED:
        changed = degrade.degrade(scene, rng.choice(degrade.KINDS), rng.uniform(0.05, 1.0), rng)
        if changed.questions:  # a picture of which nothing can be asked teaches nothing
            scene = changed
    return from_scene(scene, rng)


def shown(world: str, split: Split, first: int, count: int) -> Iterator[Record]:
    """`count` examples of a world from seed `first` on, to look at."""
    for seed in range(first, first + 10 * count):
        if count <= 0:
            return
        with suppress(NothingToAsk):
            yield example(world, seed, split)
            count -= 1


def from_scene(scene: Scene, rng: random.Random) -> Record:
    """A conversation of some of the scene's questions, with their truths. Raises NothingToAsk if it has none."""
    turns: list[tuple[str, str, str, Truth | None]] = [
        (q.text, q.answer, q.skill, q.truth)
        for q in rng.sample(scene.questions, min(rng.choice(QUESTIONS), len(scene.questions)))
    ]
    if scene.caption and rng.random() < DESCRIBED:
        length = rng.randrange(3)
        ask = wording(rng, scene.split, DESCRIBE[length])
        turns.insert(rng.randint(0, len(turns)), (ask, scene.captions[length], "describe", None))
    if not turns:
        raise NothingToAsk(f"{scene.world} {scene.seed} has nothing to ask about")
    pictures = [Image(data=encoded(picture, rng)) for picture in scene.pictures]
    messages: list[Message] = []
    for number, (question, answer, _, _) in enumerate(turns):
        messages += [user(*(pictures if number == 0 else []), question), assistant(answer)]
    return Record(
        Conversation(tuple(messages)),
        Provenance(
            source=f"worlds.{scene.world}",
            licence=LICENCE,
            split=scene.split,
            generator=f"clearsight {__version__}",
            seed=scene.seed,
        ),
        truths=tuple(truth for *_, truth in turns),
        skills=tuple(skill for _, _, skill, _ in turns),
    )


def encoded(picture: PILImage.Image, rng: random.Random) -> bytes:
    """The picture as a file: mostly a JPEG of good quality, as pictures come from cameras, sometimes a PNG."""
    file = io.BytesIO()
    if rng.random() < JPEGS:
        picture.save(file, "JPEG", quality=rng.randint(88, 96), subsampling=rng.choice((0, 2)))
    else:
        picture.save(file, "PNG", compress_level=1)
    return file.getvalue()
