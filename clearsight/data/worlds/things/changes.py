"""Changed pairs: two pictures that are equal but for none to three changes, and what is different.

Each thing (see changing_things) has at most one change: recoloured, moved, added, removed, resized, turned or
relabelled (a mark or a sign's word). Names are unique in a pair, so that a question never fits two things. A change of
the whole picture, such as other light, is left out: it would make every thing differ.
"""

from typing import Any

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.drawing import icon_drawings
from clearsight.data.worlds.drawing.outlines import SHAPES
from clearsight.data.worlds.drawing.palette import background
from clearsight.data.worlds.scene import Scene, Split, rng_for, with_article
from clearsight.data.worlds.things.changing_things import (
    KINDS,
    LEFT_OUT,
    Thing,
    changed,
    draw,
    names_of,
    random_thing,
    slots_of,
)

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("scattered", "grid", "shelves"),
    "eval": ("ring", "staggered cards"),
}
WHICH = ("first", "second")
TOLD = {"moved": "has moved", "added": "has been added", "removed": "is gone", "turned": "has been turned"}

DIFFERENT = (
    "Is anything different between the first and the second picture?",
    "Do the first and the second picture differ in anything?",
    "Has anything changed from the first picture to the second?",
    "Comparing picture one with picture two, can any change be found?",
)
HOW_MANY = (
    "How many things changed between the first and the second picture?",
    "Count the changes from the first picture to the second.",
    "How many differences are there between the first and the second picture?",
    "Going from picture one to picture two, what is the number of changes?",
)
WHAT = (
    "Which thing changed between the first and the second picture?",
    "One thing differs between the first and the second picture. Which one?",
    "Name the thing that changed from the first picture to the second.",
    "Only a single thing is not the same in picture one and picture two. What is it?",
)
WHICH_ALL = (
    "Which things changed between the first and the second picture?",
    "Name everything that changed from the first picture to the second.",
    "List the things that differ between the first and the second picture.",
    "Write down all things that are not the same in picture one and picture two.",
)
HOW = (
    "What happened to the {thing} from the first picture to the second: was it {choices}?",
    "Compare the {thing} in the first and the second picture. Was it {choices}?",
    "Between the first and the second picture, was the {thing} {choices}?",
    "Follow the {thing} from picture one to picture two: is it {choices}?",
)
COLOUR = (
    "What colour is the {thing} in the {which} picture?",
    "Which colour does the {thing} have in the {which} picture?",
    "In the {which} picture, what is the colour of the {thing}?",
    "Look at the {which} picture of the pair: name the colour of the {thing} there.",
)
BEFORE = (
    "What colour did the {thing} have before?",
    "The {thing} has changed its colour. Which one did it have in the first picture?",
    "Which colour was the {thing} before it changed?",
    "Before it was recoloured, what was the colour of the {thing}?",
)
NEW = (
    "Which thing is new in the second picture?",
    "What does the second picture show that the first does not?",
    "Name the thing that has been added in the second picture.",
    "What has come in addition in picture two?",
)
GONE = (
    "Which thing is gone in the second picture?",
    "What does the first picture show that the second does not?",
    "Name the thing that has been taken away from the first picture.",
    "What was in picture one and has vanished from picture two?",
)
WAS = (
    "Where was the {thing} in the first picture?",
    "Where did the {thing} stand in the first picture?",
    "Point to the {thing} in the first picture.",
    "In picture one, at which place is the {thing}?",
)
IS = (
    "Where is the {thing} in the second picture?",
    "What is the box around the {thing} in the second picture?",
    "Frame the {thing} in the second picture.",
    "In picture two, what space does the {thing} take?",
)
DIRECTION = (
    "In which direction did the {thing} move from the first picture to the second: {choices}?",
    "The {thing} has moved. Which way: {choices}?",
    "Which way did the {thing} go between the first and the second picture: {choices}?",
    "From picture one to picture two, where did the {thing} shift: {choices}?",
)
LARGER = (
    "In which picture is the {thing} larger: {choices}?",
    "Where is the {thing} bigger: {choices}?",
    "Compare the sizes of the {thing} in the two pictures. Where is it larger: {choices}?",
    "In which of the pair does the {thing} take more room: {choices}?",
)
MORE = (
    "Which picture shows more things: {choices}?",
    "Where are there more things: {choices}?",
    "Count the things in the first and in the second picture. Where are there more: {choices}?",
    "Which of the pair holds the greater number of things: {choices}?",
)
THINGS = (
    "How many things are in the {which} picture?",
    "Count the things in the {which} picture.",
    "What is the number of things in the {which} picture?",
    "Take the {which} picture of the pair: how many things does it hold?",
)
SAME_COLOUR = (
    "Does the {thing} have the same colour in the first and the second picture?",
    "Is the colour of the {thing} the same in the first and the second picture?",
    "Has the {thing} kept its colour from the first picture to the second?",
    "Is the {thing} of one and the same colour in picture one and in picture two?",
)
WRITTEN = (
    "What is written on the {thing} in the {which} picture?",
    "Read what is on the {thing} in the {which} picture.",
    "In the {which} picture, what does the {thing} say?",
    "What can be read on the {thing} in the {which} picture of the pair?",
)


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("changes", seed, split)
    template = rng.choice(TEMPLATES[split])
    count, spare = rng.randint(4, 8), 2
    canvas, ground = background(rng, split)
    canvas, slots = slots_of(rng, template, canvas, ground, count + spare)
    scene = Scene("changes", seed, split, canvas.copy(), further=[canvas.copy()])
    names = names_of(rng, split, count + 1)
    free = [slots.pop() for _ in range(len(slots) - count)]
    first = [
        random_thing(rng, split, ground, name, kind, slot)
        for (name, kind), slot in zip(names[:-1], slots, strict=True)
    ]
    extra = random_thing(rng, split, ground, *names[-1], free[0])
    second, changes = changed(rng, split, ground, first, extra, free[1])
    standing = template == "shelves"
    boxes = [draw(scene, page, things, standing) for page, things in enumerate((first, second))]
    scene.facts = {
        "template": template,
        "changes": changes,
        "pictures": [
            [
                {
                    "name": t.name,
                    "called": t.called,
                    "colour": t.colour,
                    "box": boxes[page][t.name],
                    "turn": t.turn,
                    **({"text": t.text, "legible": t.legible} if t.text else {}),
                }
                for t in things
            ]
            for page, things in enumerate((first, second))
        ],
    }
    _ask(Asker(scene, rng), first, second, changes, boxes)
    _describe(scene, first, second, changes)
    return scene


# ---------------------------------------------------------------------------------------------------
# Questions and captions


def _ask(
    ask: Asker,
    first: list[Thing],
    second: list[Thing],
    changes: list[dict[str, Any]],
    boxes: list[dict[str, tuple[float, ...]]],
) -> None:
    rng = ask.rng
    pictures = [{t.name: t for t in things} for things in (first, second)]
    called = {t.name: t.called for things in pictures for t in things.values()}
    by_kind = {change["kind"]: change["name"] for change in changes}
    kept = [t.name for t in first if t.name not in [change["name"] for change in changes]]
    if not changes or rng.random() < 0.43:
        ask.yes_no("different", DIFFERENT, bool(changes))
    ask.count("how many changes", HOW_MANY, len(changes))
    if len(changes) == 1:
        ask.text("what changed", WHAT, changes[0]["name"], alternatives=[f"word {changes[0]['name']}"])
    elif changes:
        ask.items("all that changed", WHICH_ALL, [change["name"] for change in changes], ordered=False)
    for change in changes[:2]:
        if rng.random() < 0.7:
            name = change["name"]
            ask.choice(
                "how it changed",
                HOW,
                change["kind"],
                (*KINDS, "left as it is"),
                thing=called[name],
                about={"name": name},
            )
    if kept and rng.random() < 0.25:
        name = rng.choice(kept)
        ask.choice("how it changed", HOW, "left as it is", KINDS, thing=called[name], about={"name": name})
    _ask_colours(ask, pictures, by_kind, kept, called)
    for kind, skill, ways in (("added", "what is new", NEW), ("removed", "what is gone", GONE)):
        if kind in by_kind:
            ask.text(skill, ways, by_kind[kind], alternatives=[f"word {by_kind[kind]}"])
    for kind in ("moved", "removed"):
        if kind in by_kind:
            name = by_kind[kind]
            ask.point("where it was", WAS, boxes[0][name], thing=called[name], about={"name": name})
    if "moved" in by_kind:
        name = by_kind["moved"]
        (x, y, _), (x2, y2, _) = (picture[name].place for picture in pictures)
        if max(abs(x2 - x), abs(y2 - y)) > 2 * min(abs(x2 - x), abs(y2 - y)):
            along = ("left", "right")[x2 > x] if abs(x2 - x) > abs(y2 - y) else ("up", "down")[y2 > y]
            ask.choice(
                "direction",
                DIRECTION,
                along,
                ("left", "right", "up", "down"),
                thing=called[name],
                about={"name": name},
            )
    placed_anew = [by_kind[kind] for kind in ("moved", "added", "resized") if kind in by_kind]
    name = rng.choice(placed_anew or list(pictures[1]))
    ask.box("where it is", IS, boxes[1][name], page=1, thing=called[name], about={"name": name})
    sizes = ("the first picture", "the second picture", "neither")
    solid = [name for name in kept if pictures[0][name].base is not None]
    if "resized" in by_kind or (solid and rng.random() < 0.12):
        name = by_kind.get("resized") or rng.choice(solid)
        grown = pictures[1][name].share - pictures[0][name].share
        answer = sizes[2 if not grown else grown > 0]
        ask.choice("where it is larger", LARGER, answer, sizes, thing=called[name], about={"name": name})
    which = rng.randrange(2)
    ask.count("things", THINGS, len(pictures[which]), which=WHICH[which])
    more = len(second) - len(first)
    if more or rng.random() < 0.2:
        ask.choice("where there are more", MORE, sizes[2 if not more else more > 0], sizes)
    _ask_writing(ask, pictures, by_kind)


def _ask_colours(
    ask: Asker,
    pictures: list[dict[str, Thing]],
    by_kind: dict[str, str],
    kept: list[str],
    called: dict[str, str],
) -> None:
    rng = ask.rng
    if "recoloured" in by_kind:
        name = by_kind["recoloured"]
        about = {"name": name, "which": "first"}
        ask.colour("colour before", BEFORE, pictures[0][name].colour, thing=called[name], about=about)
        if rng.random() < 0.6:
            ask.yes_no("same colour", SAME_COLOUR, False, thing=called[name], about={"name": name})
    elif kept and rng.random() < 0.25:
        name = rng.choice(kept)
        ask.yes_no("same colour", SAME_COLOUR, True, thing=called[name], about={"name": name})
    which = rng.randrange(2)
    name = rng.choice(list(pictures[which]))
    about = {"name": name, "which": WHICH[which]}
    ask.colour(
        "colour", COLOUR, pictures[which][name].colour, thing=called[name], which=WHICH[which], about=about
    )
    missing = [
        (by_kind[kind], WHICH[page]) for kind, page in (("added", 0), ("removed", 1)) if kind in by_kind
    ]
    if not missing and rng.random() < 0.3:
        absent = [
            s
            for s in (*SHAPES, *rng.sample(icon_drawings.labels(), 20))
            if s not in called and s not in LEFT_OUT
        ]
        missing = [(rng.choice(absent), rng.choice(WHICH))]
    for name, page in missing:
        about = {"name": name, "which": page}
        ask.not_shown(
            "colour of what is absent", COLOUR, thing=called.get(name, name), which=page, about=about
        )


def _ask_writing(ask: Asker, pictures: list[dict[str, Thing]], by_kind: dict[str, str]) -> None:
    rng = ask.rng
    asked = set()
    for legible in (True, False):
        which = rng.randrange(2)
        things = [
            t for t in pictures[which].values() if t.base is not None and t.text and t.legible == legible
        ]
        if not things:
            continue
        thing = rng.choice(things)
        about = {"name": thing.name, "which": WHICH[which]}
        asked.add((thing.name, which))
        if not legible:
            ask.cant_be_read(
                "mark that can't be read", WRITTEN, thing=thing.called, which=WHICH[which], about=about
            )
            continue
        box, places = thing.place, ask.scene.placed
        near = [
            i
            for i, p in enumerate(places)
            if p.kind == "word"
            and p.page == which
            and p.label == thing.text
            and abs(p.middle[0] - box[0]) < box[2] / 2
        ]
        ask.text(
            "mark", WRITTEN, thing.text, thing=thing.called, which=WHICH[which], needs=near[:1], about=about
        )
    if "relabelled" in by_kind:
        name = by_kind["relabelled"]
        for which in range(2):
            if (name, which) not in asked:
                about = {"name": name, "which": WHICH[which]}
                thing = pictures[which][name]
                ask.text("mark", WRITTEN, thing.text, thing=thing.called, which=WHICH[which], about=about)


def _described(thing: Thing, size: tuple[int, int]) -> str:
    row = ("top", "middle", "bottom")[min(2, thing.place[1] * 3 // size[1])]
    column = ("left", "centre", "right")[min(2, thing.place[0] * 3 // size[0])]
    where = "in the middle" if (row, column) == ("middle", "centre") else f"at the {row} {column}"
    if thing.base is None:
        return f'the word "{thing.text}" in {thing.colour} {where}'
    writing = ""
    if thing.text:
        writing = f' marked "{thing.text}"' if thing.legible else " with writing that can't be read"
    return f"{with_article(thing.colour)} {thing.name}{writing} {where}"


def _describe(scene: Scene, first: list[Thing], second: list[Thing], changes: list[dict[str, Any]]) -> None:
    before, after = ({t.name: t for t in things} for things in (first, second))
    told = []
    for change in changes:
        name, kind = change["name"], change["kind"]
        a, b = before.get(name), after.get(name)
        subject = f"the {(a or b).called}"  # type: ignore[union-attr]
        if kind == "recoloured":
            assert a and b
            told.append(f"{subject} turns from {a.colour} to {b.colour}")
        elif kind == "relabelled":
            assert a and b
            told.append(f'the writing on {subject} changes from "{a.text}" to "{b.text}"')
        elif kind == "resized":
            assert a and b
            told.append(f"{subject} becomes {'larger' if b.share > a.share else 'smaller'}")
        else:
            told.append(f"{subject} {TOLD[kind]}")
    changed = "; ".join(told) if told else "the two are the same"
    number = ("No", "One", "Two", "Three")[len(changes)]
    scene.short_caption = f"{number} change{'s' * (len(changes) != 1)} between two pictures."
    change = f"from the first to the second, {changed}" if told else changed
    scene.caption = f"Two pictures, the first of {len(first)} things; {change}."
    scene.long_caption = (
        "The first picture shows "
        + ", ".join(_described(t, scene.picture.size) for t in first)
        + ". "
        + (
            "From the first to the second picture, " + changed + "."
            if told
            else "The second picture is the same."
        )
    )
