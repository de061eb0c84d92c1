"""What is asked: texts of an exact number of tokens and pictures, new ones in every round and the same for everybody.

New ones, because an engine that keeps prompts or pictures must not find them again; where it may, that is what is
measured. Words are drawn at random: speed does not depend on them.
"""

import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.engine_peers.protocol import Prompt
from clearsight import mini
from clearsight.conversation import Conversation, Image, user
from recipes.mini.primer import shapes

WORDS = (
    "time year people way day man thing woman life child world school state family student group country problem "
    "hand part place case week company system program question work number night point home water room mother area "
    "money story fact month lot right study book eye job word business issue side kind head house service friend "
    "father power hour game line end member law car city community name president team minute idea body information"
)
SHAPE = "What shape is this?"
COLOUR = "Tell me which colours you see."


class Questions:
    """The questions of one round; pictures are written into `folder`."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder = folder
        self._number = number
        self._drawn = 0
        self._words = WORDS.split()
        self._random = random.Random(f"benchmark {number}")
        self._processor = mini.processor()

    def text(self, tokens: int) -> dict[str, Any]:
        """A message whose whole prompt has exactly `tokens` tokens."""
        words = [self._random.choice(self._words).capitalize()]
        while self._length(words) < tokens:
            short = tokens - self._length(words)
            words += [self._random.choice(self._words) for _ in range(max(1, short * 9 // 10))]
        while self._length(words) > tokens:
            words.pop()
        while self._length(words) < tokens:  # a word that is two tokens was taken back
            words.append("a")
        return self._prompt(" ".join(words), ())

    def picture(self, count: int = 1, question: str = SHAPE) -> dict[str, Any]:
        """A question about so many pictures that nobody has seen."""
        files = []
        for _ in range(count):
            seed = 1_000_000 + self._number * 1_000 + self._drawn
            self._drawn += 1
            file = self._folder / f"{seed}.png"
            shapes.sample(seed, "eval").picture.save(file)
            files.append(str(file))
        return self._prompt(question, tuple(files))

    def another(self, prompt: dict[str, Any], question: str = COLOUR) -> dict[str, Any]:
        """Another question about the same pictures."""
        return self._prompt(question, tuple(prompt["pictures"]))

    def _length(self, words: list[str]) -> int:
        return len(self._ids(" ".join(words), ()))

    def _prompt(self, text: str, pictures: tuple[str, ...]) -> dict[str, Any]:
        ids = tuple(self._ids(text, pictures))
        return asdict(Prompt(text, pictures, ids, self._processor.image_token_id))

    def _ids(self, text: str, pictures: tuple[str, ...]) -> list[int]:
        conversation = Conversation((user(*(Image.from_file(name) for name in pictures), text),))
        plans = self._processor.plan_images(conversation)
        return self._processor.template.encode(
            conversation, plans, self._processor.tokenizer, add_generation_prompt=True
        )[0]
