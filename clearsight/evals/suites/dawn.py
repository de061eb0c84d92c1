"""Dawn: the forty leaves of "The Dawn of LMMs" (Yang et al., 2023, https://arxiv.org/abs/2309.17421) as a scored
checklist.

The paper shows examples; here each leaf is asked many times, of pictures drawn from seeds, with exact truths. A
leaf takes the questions of the worlds' skills named with it, as they are or in the leaf's own wording. `NOT_DRAWN`
lists the leaves that no world can draw, and what they would take.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from clearsight.conversation import Conversation, Image, Message, Part, assistant, user
from clearsight.data import worlds
from clearsight.data.worlds.scene import Question, Scene, rng_for
from clearsight.evals.item import Item
from clearsight.evals.suites.mini import MAX_TOKENS, USUAL_TOKENS
from clearsight.evals.suites.suite import Suite

COUNT = 24  # questions of a leaf
SCENES = 60  # pictures looked at, at most, to find them
FIRST_SEED = 1_000_000  # so that Dawn and Mini never show the same picture

Shape = Callable[[Scene, Question, random.Random], Conversation | None]


@dataclass(frozen=True)
class Leaf:
    """A leaf: its number in the paper's outline, and the skills it is made of, as "world: skill" or a whole "world"."""

    number: str
    title: str
    skills: tuple[str, ...]
    shape: Shape | None = None


def suite(count: int = COUNT) -> Suite:
    """`count` questions of each leaf that can be drawn."""

    def items() -> Iterator[Item]:
        for leaf in LEAVES:
            yield from _of_leaf(leaf, count)

    missing = "; ".join(f"{number} {why}" for number, why in NOT_DRAWN.items())
    about = f'{count} questions of each of {len(LEAVES)} leaves of "The Dawn of LMMs", on drawn pictures.'
    return Suite("dawn", items, about, notes=(f"Leaves that are not drawn: {missing}.",))


def _of_leaf(leaf: Leaf, count: int) -> Iterator[Item]:
    """Questions in turns of the leaf's worlds, until there are enough."""
    wanted: dict[str, set[str]] = {}
    for one in leaf.skills:
        world, _, skill = one.partition(": ")
        wanted.setdefault(world, set()).update([skill] if skill else [])
    found = 0
    for step in range(SCENES):
        world = list(wanted)[step % len(wanted)]
        seed = FIRST_SEED + step
        scene = worlds.load(world).sample(seed, "eval")
        rng = rng_for(f"dawn.{leaf.number}", seed, "eval")
        pictures = [Image(pixels=picture) for picture in scene.pictures]
        fitting = [
            (n, q) for n, q in enumerate(scene.questions) if not wanted[world] or q.skill in wanted[world]
        ]
        for number, question in rng.sample(fitting, min(3, len(fitting))):
            asked = (
                leaf.shape(scene, question, rng)
                if leaf.shape
                else Conversation((user(*pictures, question.text),))
            )
            if asked is None:
                continue
            if found == count:
                return
            found += 1
            yield Item(
                f"dawn:{leaf.number}:{world}:{seed}:{number}",
                asked,
                question.truth,
                group=f"{leaf.number} {leaf.title}",
                skill=f"{leaf.number}: {world}: {question.skill}",
                cluster=f"{world}:{seed}",
                max_tokens=MAX_TOKENS.get(question.kind, USUAL_TOKENS),
            )


# ---------------------------------------------------------------------------------------------------
# Leaves that ask in a way of their own


def _text_alone(scene: Scene, question: Question, rng: random.Random) -> Conversation | None:
    """What is in the picture, told in words instead."""
    return Conversation((user(f"{scene.captions[2]}\n{question.text}"),)) if scene.captions[2] else None


def _among_others(scene: Scene, question: Question, rng: random.Random) -> Conversation:
    """Two pictures between pieces of text; the question is about the second."""
    other = worlds.load(scene.world).sample(scene.seed + 500_000, "eval").picture
    return Conversation(
        (
            user(
                "First picture: ",
                Image(pixels=other),
                "Second picture: ",
                *_shown(scene),
                f"Of the second: {question.text}",
            ),
        )
    )


def _with_condition(scene: Scene, question: Question, rng: random.Random) -> Conversation:
    """The paper's "conditioning on good performance"."""
    lead = "You are an expert at looking closely. Make sure that the answer is right. "
    return Conversation((user(*_shown(scene), lead + question.text),))


def _instructed(scene: Scene, question: Question, rng: random.Random) -> Conversation:
    """The instruction stands before the picture, and asks for the bare answer."""
    return Conversation((user(f"Answer with nothing but the answer. {question.text}", *_shown(scene)),))


def _one_example(scene: Scene, question: Question, rng: random.Random) -> Conversation | None:
    """Two solved examples of the same skill before the question (the paper's speedometers need two)."""
    messages: list[Message] = []
    for step in range(1, 40):
        other = worlds.load(scene.world).sample(scene.seed + 500_000 + step, "eval")
        same = [q for q in other.questions if q.skill == question.skill]
        if same:
            messages += [user(*_shown(other), same[0].text), assistant(same[0].answer)]
        if len(messages) == 4:
            return Conversation((*messages, user(*_shown(scene), question.text)))
    return None


def _step_by_step(scene: Scene, question: Question, rng: random.Random) -> Conversation:
    """A reply must still be nothing but readable: it is judged whole."""
    asked = f"{question.text} Think step by step, then give only the final answer."
    return Conversation((user(*_shown(scene), asked),))


def _shown(scene: Scene) -> list[Part]:
    return [Image(pixels=picture) for picture in scene.pictures]


LEAVES: tuple[Leaf, ...] = (
    Leaf(
        "A1",
        "text alone",
        ("shapes: count", "shapes: present", "solids: count", "solids: exists"),
        _text_alone,
    ),
    Leaf("A2", "one picture and text", ("shapes", "icons")),
    Leaf(
        "A3",
        "text and pictures in turn",
        ("receipts: total", "tables: cell", "shapes: count"),
        _among_others,
    ),
    Leaf("B1", "following an instruction", ("shapes: colour", "icons: present", "clocks: time"), _instructed),
    Leaf(
        "B2",
        "lists and other set forms",
        ("shapes: left to right", "tables: headings", "solids: left to right"),
    ),
    Leaf("B3", "conditioned on good performance", ("shapes: count", "icons: count"), _with_condition),
    Leaf("B4", "pointing with coordinates", ("shapes: point", "icons: point", "solids: point")),
    Leaf("B5", "marks drawn on the picture", ("marks",)),
    Leaf("B6", "pictures and text as one prompt", ("flow_charts", "sequences: caption")),
    Leaf("B7", "two solved examples", ("gauges: reading", "line_charts: value"), _one_example),
    Leaf("B8", "step by step", ("venn_diagrams: total", "bar_charts: sum", "tables: sum"), _step_by_step),
    Leaf("C1d", "flags and scenes", ("flags: country", "flags: colours")),
    Leaf(
        "C1c",
        "premises that are false",
        ("shapes: colour of what is absent", "icons: place of what is absent"),
    ),
    Leaf(
        "C2s",
        "spatial relations",
        ("shapes: left or right", "solids: side", "maps: direction"),
    ),
    Leaf("C2c", "counting", ("shapes: count", "solids: count kind", "icons: count thing")),
    Leaf("C2l", "framing what is named", ("shapes: box", "solids: box", "icons: box")),
    Leaf("C3", "working out a result", ("code: result", "venn_diagrams: both", "formulas: value")),
    Leaf("C4t", "text in pictures", ("lines: read", "pages: line", "flags: label")),
    Leaf("C4m", "formulas", ("formulas: transcribe", "formulas: exponent", "formulas: coefficient")),
    Leaf("C4c", "charts", ("bar_charts", "pie_charts", "line_charts", "scatter_plots")),
    Leaf("C4b", "tables", ("tables",)),
    Leaf("C4d", "documents", ("receipts", "forms", "pages")),
    Leaf("C4p", "plans and maps", ("maps",)),
    Leaf("C5", "other scripts", ("lines: script", "lines: point to script")),
    Leaf("C6", "code", ("code",)),
    Leaf("D1", "understanding what is pointed at", ("marks: what is marked", "marks: pinned")),
    Leaf("D2", "marks told apart", ("marks: how", "marks: colour of the mark", "marks: unmarked")),
    Leaf("D3", "pointing as an answer", ("marks: point", "screens: point", "maps: point")),
    Leaf("E1", "putting pictures in order", ("sequences: order", "sequences: which is first")),
    Leaf("E2", "what comes next", ("sequences: what comes next", "sequences: step", "sequences: grows")),
    Leaf("E3", "a place through time", ("sequences: where", "sequences: colour")),
    Leaf("F2", "parts and wholes", ("trees: direct reports", "clocks: tip", "gauges: pointer colour")),
    Leaf("F3", "puzzles of tests", ("puzzles",)),
    Leaf("F4", "matrices", ("puzzles: matrix", "puzzles: shapes in cell")),
    Leaf("H1", "spot the difference", ("changes",)),
    Leaf("H2", "counting gear and goods", ("badges: how many wear", "badges: wears", "receipts: pieces")),
    Leaf("H8", "screens to be used", ("screens",)),
)

NOT_DRAWN: dict[str, str] = {
    "C1": "(people, landmarks, food, medical pictures, logos) needs photographs",
    "F1": "(tangrams, drawings of characters) needs a world",
    "G1 to G3": "(faces, moods) need photographs of people and pictures that were rated",
    "H3, H4": "(medical reports, insurance) need photographs and experts",
    "H5, H6": "(captions in a style, scoring generated pictures) have no exact truth",
    "H7": "(embodied agents) needs a world of rooms",
    "I": "(plug-ins, chains, reflection, retrieval) belongs to agents; self-consistency needs several samples an item",
}
