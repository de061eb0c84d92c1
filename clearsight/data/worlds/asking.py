"""How the worlds ask: one way for each kind of answer, so that wordings and judges are the same everywhere.

A wording is one of several ways to ask, filled in by `str.format`; the last of them is kept for evaluation.
"""

import itertools
import random
from collections.abc import Sequence
from typing import Any

from clearsight.data import verify
from clearsight.data.worlds.scene import Question, Scene, Split, listed, one_of, wording

COUNT_WORDS = verify.NUMBER_WORDS
# Said when a question rests on something that isn't there, or is there but not legible. The last is for evaluation.
NOT_SHOWN = (
    verify.NOT_SHOWN,
    "It is not in the picture.",
    "The picture does not show that.",
    "That isn't shown.",
)
CANT_BE_READ = (verify.CANT_BE_READ, "It is not legible.", "It can't be made out.", "That is unreadable.")
# Appended to a question for a place.
POINT = (
    "Give its point in thousandths of the width and height.",
    "Answer with a point (x, y) from 0 to 1000.",
    "Point to it with (x, y), each from 0 to 1000.",
)
BOX = (
    "Give its box in thousandths of the width and height.",
    "Answer with a box (left, top, right, bottom) from 0 to 1000.",
    "Frame it with (left, top, right, bottom), each from 0 to 1000.",
)


def apart(values: Sequence[float], least: float) -> bool:
    """Whether all values differ by at least so much, so that their order can be seen."""
    return all(b - a >= least for a, b in itertools.pairwise(sorted(values)))


class Asker:
    """Collects a scene's questions. Every method takes the skill, the ways to ask, and what fills them in.

    `about` goes into the question for whoever wants to work out the answer from the scene's facts; it is the keyword
    arguments of the wording unless given. `needs` are indices into `scene.placed`.
    """

    def __init__(self, scene: Scene, rng: random.Random):
        self.scene, self.rng = scene, rng

    @property
    def split(self) -> Split:
        return self.scene.split

    def text(
        self,
        skill: str,
        ways: Sequence[str],
        answer: str,
        /,
        *,
        alternatives: Sequence[str] = (),
        **rest: Any,
    ) -> None:
        """A name or short phrase."""
        self._add(skill, ways, answer, "text", alternatives=tuple(alternatives), **rest)

    def colour(self, skill: str, ways: Sequence[str], name: str, /, **rest: Any) -> None:
        """The name of a colour of the palette."""
        self.text(skill, ways, name, alternatives=("grey",) if name == "gray" else (), **rest)

    def verbatim(self, skill: str, ways: Sequence[str], answer: str, /, **rest: Any) -> None:
        """A transcription, character by character."""
        self._add(skill, ways, answer, "verbatim", **rest)

    def yes_no(self, skill: str, ways: Sequence[str], truth: bool, /, **rest: Any) -> None:
        self._add(skill, ways, "Yes" if truth else "No", "yes or no", **rest)

    def count(self, skill: str, ways: Sequence[str], count: int, /, **rest: Any) -> None:
        """A whole number of things, answered in words up to twenty."""
        answer = COUNT_WORDS[count] if count < len(COUNT_WORDS) else str(count)
        self._add(skill, ways, answer, "number", value=count, **rest)

    def number(
        self,
        skill: str,
        ways: Sequence[str],
        value: float,
        *,
        answer: str | None = None,
        tolerance: float = 0.0,
        **rest: Any,
    ) -> None:
        """A number in digits; `answer` is how it is written, with its unit if it has one."""
        self._add(skill, ways, answer or f"{value:g}", "number", value=value, tolerance=tolerance, **rest)

    def choice(
        self, skill: str, ways: Sequence[str], answer: str, others: Sequence[str], count: int = 4, **rest: Any
    ) -> None:
        """One of `count`, the wrong ones drawn from `others`; the wording has a place for them, or they follow it."""
        choices = one_of(self.rng, answer, others, min(count, len(set(others) - {answer}) + 1))
        self._add(skill, ways, answer, "choice", choices=choices, **rest)

    def items(
        self, skill: str, ways: Sequence[str], items: Sequence[str], *, ordered: bool, **rest: Any
    ) -> None:
        """Several names, separated by commas."""
        self._add(skill, ways, ", ".join(items), "list" if ordered else "set", value=list(items), **rest)

    def point(
        self, skill: str, ways: Sequence[str], box: Sequence[float], *, page: int = 0, **rest: Any
    ) -> None:
        """A point inside a box in pixels; the answer is its middle."""
        left, top, right, bottom = self.scene.thousandths(box, page)
        answer = f"({(left + right) // 2}, {(top + bottom) // 2})"
        where = " " + wording(self.rng, self.split, POINT)
        self._add(
            skill, ways, answer, "point", value=[left, top, right, bottom], after=where, page=page, **rest
        )

    def box(
        self, skill: str, ways: Sequence[str], box: Sequence[float], *, page: int = 0, **rest: Any
    ) -> None:
        """A box in pixels."""
        corners = self.scene.thousandths(box, page)
        where = " " + wording(self.rng, self.split, BOX)
        self._add(
            skill, ways, str(tuple(corners)), "box", value=list(corners), after=where, page=page, **rest
        )

    def time(
        self, skill: str, ways: Sequence[str], minutes: int, *, tolerance: float = 0.0, **rest: Any
    ) -> None:
        """A time of a twelve-hour dial, in minutes after twelve."""
        answer = f"{minutes // 60 % 12 or 12}:{minutes % 60:02d}"
        self._add(skill, ways, answer, "time", value=minutes % 720, tolerance=tolerance, **rest)

    def not_shown(self, skill: str, ways: Sequence[str], **rest: Any) -> None:
        """A question in the same words as another, about something that is not there."""
        self._add(skill, ways, wording(self.rng, self.split, NOT_SHOWN), "not shown", **rest)

    def cant_be_read(self, skill: str, ways: Sequence[str], **rest: Any) -> None:
        """A question about writing that is there, but has been made illegible."""
        self._add(skill, ways, wording(self.rng, self.split, CANT_BE_READ), "can't be read", **rest)

    def _add(
        self,
        skill: str,
        ways: Sequence[str],
        answer: str,
        kind: verify.Kind,
        /,
        *,
        page: int = 0,
        choices: tuple[str, ...] = (),
        after: str = "",
        about: dict[str, Any] | None = None,
        needs: Sequence[int] | None = None,
        value: Any = None,
        alternatives: tuple[str, ...] = (),
        tolerance: float = 0.0,
        **fills: Any,
    ) -> None:
        text = wording(self.rng, self.split, ways)
        if choices:
            fills["choices"] = listed(choices)
            if "{choices}" not in text:
                text += " Choose: {choices}."
        text = text.format(**fills) + after
        if about is None:
            about = {k: v for k, v in fills.items() if k != "choices"}
        self.scene.questions.append(
            Question(
                skill,
                text,
                answer,
                choices,
                kind,
                value,
                alternatives,
                tolerance,
                about | {"page": page} if page else about,
                None if needs is None else tuple(needs),
            )
        )
