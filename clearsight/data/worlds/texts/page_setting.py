"""Setting a page of text: blocks of words broken into lines and put into columns, from top to bottom.

A block that doesn't fit into its column is not set, so paragraphs are never broken across columns.
"""

import random
from dataclasses import dataclass, field
from typing import Literal

from PIL import ImageDraw

from clearsight.data.worlds.drawing.glyphs import advance
from clearsight.data.worlds.drawing.palette import RGB
from clearsight.data.worlds.drawing.running_text import extent, set_words, width_of_words, wrap
from clearsight.data.worlds.scene import Placed, Scene
from clearsight.data.worlds.texts import prose

LONGEST_SENTENCE = 110  # characters

Kind = Literal[
    "title", "heading", "paragraph", "item", "number", "running head", "date", "greeting", "signature"
]


@dataclass
class Block:
    """A piece of the page. `lines` are the words of each line as broken; `places` index them in scene.placed."""

    kind: Kind
    text: str
    column: int = 0
    lines: list[list[str]] = field(default_factory=list)
    places: list[list[int]] = field(default_factory=list)
    box: tuple[float, float, float, float] = (0, 0, 0, 0)
    lost: int | None = None  # the line that can't be read

    @property
    def all_places(self) -> list[int]:
        return [place for line in self.places for place in line]


@dataclass
class Style:
    """How a page is set. Sizes are in pixels of the em."""

    paper: RGB
    ink: RGB
    accent: RGB
    font: str
    size: int
    heading_font: str
    heading_size: int
    leading: float
    justified: bool
    indent: float  # of a paragraph's first line; 0: paragraphs are set apart by space


class Page:
    """What has been set so far, and where the pen is: columns are filled from top to bottom."""

    def __init__(self, scene: Scene, rng: random.Random, style: Style):
        self.scene, self.rng, self.style = scene, rng, style
        self.draw = ImageDraw.Draw(scene.picture)
        self.blocks: list[Block] = []
        self.characters: list[Placed] = []
        self.lost_lines: list[tuple[float, float, float, float]] = []
        self.column, self.left, self.right, self.top, self.bottom = 0, 0.0, 0.0, 0.0, 0.0
        self.pen = 0.0

    def open_column(self, number: int, left: float, top: float, right: float, bottom: float) -> None:
        self.column, self.left, self.right, self.top, self.bottom = number, left, right, top, bottom
        self.pen = top

    def put(
        self,
        kind: Kind,
        text: str,
        *,
        font: str = "",
        size: int = 0,
        ink: RGB | None = None,
        align: Literal["left", "centre", "right"] = "left",
        inset: float = 0.0,
        before: float = 0.0,
        spare: float = 0.0,
        loses: bool = False,
    ) -> Block | None:
        """Set a block at the pen; None when it, and `spare` more pixels, do not fit into the column."""
        style = self.style
        font, size = font or style.font, size or style.size
        above, below = extent(font, size)
        step = max(size * style.leading, above + below + 1)
        first = style.indent if kind == "paragraph" else 0.0
        room = self.right - self.left - inset
        lines = wrap(text, font, size, room, first)
        pen = self.pen + (before if self.pen > self.top else 0.0)
        if pen + step * (len(lines) - 1) + above + below + spare > self.bottom:
            return None
        block = Block(kind, text, self.column, lines)
        if loses and len(lines) >= 3:
            block.lost = self.rng.randrange(1, len(lines) - 1)
        boxes = []
        for number, words in enumerate(lines):
            x = self.left + inset + (first if number == 0 else 0.0)
            width, gap = width_of_words(words, font, size), None
            if align != "left":
                x += (room - width) * (0.5 if align == "centre" else 1.0)
            elif style.justified and kind == "paragraph" and number < len(lines) - 1 and len(words) > 2:
                gap = advance(font, size, " ") + (self.right - x - width) / (len(words) - 1)
            placed, characters = set_words(
                self.scene.picture, x, pen + above, words, font, size, ink or style.ink, gap=gap
            )
            boxes.append((x, pen, placed[-1].box[2], pen + above + below))
            at = len(self.scene.placed)
            if number == block.lost:
                self.lost_lines.append(boxes[-1])
                block.places.append([])
            else:
                block.places.append(list(range(at, at + len(placed))))
                self.scene.placed += placed
                self.characters += characters
            pen += step
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        block.box = (min(lefts), tops[0], max(rights), bottoms[-1])
        self.blocks.append(block)
        self.pen = bottoms[-1]
        return block

    def paragraph(self, sentences: int, *, loses: bool = False, before: float | None = None) -> Block | None:
        text = prose.paragraph(self.rng, self.scene.split, sentences)
        gap = self.style.size * (0.3 if self.style.indent else 0.75) if before is None else before
        return self.put("paragraph", text, before=gap, loses=loses)

    def heading(self, text: str, align: Literal["left", "centre"] = "left") -> Block | None:
        """A heading, if it and the longest sentence below it fit."""
        style = self.style
        lines = 2 + LONGEST_SENTENCE * advance(style.font, style.size, "n") // (self.right - self.left)
        return self.put(
            "heading",
            text,
            font=style.heading_font,
            size=style.heading_size,
            ink=style.accent,
            before=style.size * 1.1,
            spare=style.size * style.leading * lines,
            align=align,
        )

    def of_kind(self, *kinds: Kind) -> list[Block]:
        return [block for block in self.blocks if block.kind in kinds]
