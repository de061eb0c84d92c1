"""Flow charts: steps, decisions with a "yes" and a "no", detours that end, rejoin or go back, and how to follow them.

The steps stand in one lane and the detours in a second lane beside it. Arrows run straight or turn at right angles,
never cross, and never pass through a box, so that each can be followed.
"""

import itertools
import random
from dataclasses import dataclass, field

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.charts.asking import ask_title
from clearsight.data.worlds.charts.page import INSIDE, Box, Page
from clearsight.data.worlds.diagrams.nodes import (
    ALTERNATIVES,
    SHAPES,
    Arrow,
    Node,
    Point,
    draw_arrow,
    draw_node,
    node_fills,
    reachable,
)
from clearsight.data.worlds.diagrams.subjects import PROCESSES
from clearsight.data.worlds.drawing.palette import readable_on
from clearsight.data.worlds.scene import Scene, Split, rng_for, with_article

# Which way the steps run, and on which side the detours are.
TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("down, aside right", "down, aside left", "right, aside down"),
    "eval": ("up, aside right", "left, aside down"),
}
SIZES = {"down": ((400, 540), (420, 560), (448, 540)), "right": ((768, 290), (740, 300))}

NEXT = (
    'What comes directly after "{node}"?',
    'Which box does the arrow from "{node}" lead to?',
    'Follow the arrow out of "{node}". Which box is next?',
    'Having finished "{node}", what has to be done next?',
)
PREVIOUS = (
    'What comes directly before "{node}"?',
    'From which box does the arrow into "{node}" come?',
    'Which box leads to "{node}"?',
    'What must have been passed immediately ahead of "{node}"?',
)
BRANCH = (
    'Where does the "{label}" arrow of "{node}" lead?',
    'At "{node}", which box follows if the answer is {label}?',
    'What is next after "{node}" when one says {label}?',
    'If "{node}" is settled with {label}, what has to be done?',
)
LABEL = (
    'Which word stands at the arrow from "{a}" to "{b}"?',
    'How is the arrow from "{a}" to "{b}" labelled?',
    'What must the answer be at "{a}" to get to "{b}"?',
    'Which reply takes one straight from "{a}" to "{b}"?',
)
ALWAYS = (
    'Starting at "{node}" and always answering {label}, where does one end up?',
    'Follow the arrows from "{node}" with the answer {label} at every decision. Which box is the last?',
    'If every decision after "{node}" is {label}, in which box does the way end?',
    'Set off at "{node}" and reply {label} to everything. In which box is one stopped?',
)
DISTANCE = (
    'How many arrows lead from "{a}" to "{b}" on the shortest way?',
    'How many arrows must be followed at least to get from "{a}" to "{b}"?',
    'Count the arrows on the shortest way from "{a}" to "{b}".',
    'On the quickest route from "{a}" to "{b}", how many arrows does one go along?',
)
REACHES = (
    'Can one get from "{a}" to "{b}" by following the arrows?',
    'Is there a way along the arrows from "{a}" to "{b}"?',
    'Do the arrows ever lead from "{a}" to "{b}"?',
    'Is "{b}" still ahead of somebody who has reached "{a}"?',
)
INTO = (
    'Which boxes have an arrow into "{node}"?',
    'From which boxes do arrows lead to "{node}"?',
    'Name all boxes that lead directly to "{node}".',
    'List everything from which one may arrive straight at "{node}".',
)
FIRST = (
    "In which box does the flow chart begin?",
    "Which box has no arrow leading into it?",
    "What is the first step of the flow chart?",
    "Where does somebody who follows this procedure set out?",
)
DECISION_COUNT = (
    "How many decisions are there?",
    "Count the decisions.",
    "How many boxes have two arrows leading out of them?",
    "How often does this procedure fork?",
)
BOX_COUNT = (
    "How many boxes does the flow chart have?",
    "Count the boxes, of whatever shape.",
    "How many boxes are drawn, of any shape?",
    "Of how many stations, whatever their outline, is this procedure made up?",
)
ARROW_COUNT = (
    "How many arrows are there?",
    "Count the arrows.",
    "How many arrows are drawn?",
    "How many arrow heads does this procedure contain?",
)
SHAPE = (
    'What shape is "{node}"?',
    'Which shape has the box of "{node}"?',
    'In what shape is "{node}" drawn?',
    'What outline was given to the station "{node}"?',
)
OF_SHAPE = (
    "Which boxes are drawn as {shape}s?",
    "Name everything drawn as {a} {shape}.",
    "What is written in the {shape}s?",
    "List the texts of all stations whose outline is {a} {shape}.",
)
COLOUR = (
    'What colour is the box of "{node}"?',
    'Which colour fills "{node}"?',
    'In which colour is "{node}" filled?',
    'What colour was given to the station "{node}"?',
)
POINT = (
    'Point to "{node}".',
    'Where is "{node}"?',
    'Show the box of "{node}".',
    'Put a finger on the station "{node}".',
)
BOX = (
    'Frame "{node}".',
    'What is the frame around the box of "{node}"?',
    'Put a frame around "{node}".',
    'Enclose the station "{node}" tightly.',
)


@dataclass
class Chart:
    """A flow chart: `steps` in their order, `aside` the detour of a decision, by the decision's name."""

    title: str
    steps: list[str]
    aside: dict[str, str]
    absent: list[str]
    straight: str
    turned: str
    arrows: list[Arrow] = field(default_factory=list)
    nodes: dict[str, Node] = field(default_factory=dict)
    lanes: dict[str, tuple[int, int]] = field(default_factory=dict)
    unread: str = ""
    smudged: str = ""

    def out_of(self, name: str) -> list[Arrow]:
        return [arrow for arrow in self.arrows if arrow.start == name]

    def into(self, name: str) -> list[Arrow]:
        return [arrow for arrow in self.arrows if arrow.end == name]


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("flow_charts", seed, split)
    template = rng.choice(TEMPLATES[split])
    upright = template.startswith(("down", "up"))
    page = Page(rng, split, rng.choice(SIZES["down" if upright else "right"]))
    chart = _any_chart(rng, split, 6 if upright else 5)
    titled = rng.random() < 0.6 or chart.unread == "title"
    title = page.title(chart.title, chart.unread != "title") if titled else []
    named = _draw(page, chart, template)
    scene = Scene("flow_charts", seed, split, page.finish(), placed=page.placed)
    scene.facts = {
        "template": template,
        "title": chart.title if titled else "",
        "nodes": [{"name": n.name, "shape": n.shape, "colour": n.fill[0]} for n in chart.nodes.values()],
        "arrows": [{"points": [list(p) for p in a.points], "label": a.label} for a in chart.arrows],
        "illegible": [chart.unread, chart.smudged] if chart.unread else [],
    }
    ask = Asker(scene, rng)
    if titled:
        ask_title(ask, chart.title, title, chart.unread)
    _ask_neighbours(ask, chart)
    _ask_ways(ask, chart)
    _ask_boxes(ask, chart, named)
    _describe(scene, chart)
    return scene


def _any_chart(rng: random.Random, split: Split, most: int) -> Chart:
    title, *lists = rng.choice(PROCESSES[split])
    steps, decisions, detours = (text.split(", ") for text in lists)
    decisions = rng.sample(decisions, rng.randint(1, min(3, len(decisions))))
    count = min(len(steps), most - len(decisions), rng.randint(2, 5))
    chosen = rng.sample(steps, count)
    if rng.random() < 0.6:
        chosen.sort(key=steps.index)
    detours = rng.sample(detours, len(detours))
    sequence = list(chosen)
    for decision in decisions:
        sequence.insert(rng.randint(1, len(sequence) - (sequence[-1] not in decisions)), decision)
    if sequence[-1] in decisions:
        sequence.append(sequence.pop(0))
    aside = dict(zip([name for name in sequence if name in decisions], detours, strict=False))
    rest = [name for name in (*steps, *detours) if name not in sequence and name not in aside.values()]
    straight, turned = rng.choice((("yes", "no"), ("yes", "no"), ("no", "yes")))
    chart = Chart(title, sequence, aside, rest, straight, turned)
    _connect(rng, chart)
    chart.unread = rng.choice(("title", "box", "box")) if rng.random() < 0.4 else ""
    if chart.unread == "box":
        chart.smudged = rng.choice([*sequence[1:], *aside.values()])
    return chart


def _connect(rng: random.Random, chart: Chart) -> None:
    """Arrows along the steps, to each detour, and from it: on to a later step, back to an earlier one, or nowhere."""
    steps = chart.steps
    for here, following in itertools.pairwise(steps):
        chart.arrows.append(Arrow(here, following, label=chart.straight if here in chart.aside else ""))
    taken: set[int] = {steps.index(name) for name in chart.aside}  # rows whose second lane is in use
    entered: set[int] = set()
    for decision, detour in chart.aside.items():
        row = steps.index(decision)
        chart.arrows.append(Arrow(decision, detour, label=chart.turned))
        ways: list[int] = []
        for direction in (1, -1):
            target = row + direction
            while 0 <= target < len(steps) and target not in taken and target not in entered:
                ways.append(target)
                target += direction
        if ways and rng.random() < 0.75:
            target = rng.choice(ways)
            entered.add(target)
            taken.update(range(min(row, target), max(row, target) + 1))
            chart.arrows.append(Arrow(detour, steps[target]))


def _draw(page: Page, chart: Chart, template: str) -> bool:
    """Lay out and draw; whether the boxes' colours have names."""
    rng = page.rng
    shapes = {"step": rng.choice(("rectangle", "rectangle", "rounded rectangle")), "decision": "diamond"}
    shapes["detour"] = rng.choice(("rectangle", "parallelogram", "hexagon"))
    shapes["end"] = rng.choice(("oval", "rounded rectangle")) if shapes["step"] == "rectangle" else "oval"
    fills, named = node_fills(page, 4, rng)
    fill_of = dict(zip(shapes, fills if rng.random() < 0.7 else [fills[0]] * 4, strict=True))
    outline, width = page.ink, rng.choice((2, 3, 4))
    for lane, names in enumerate((chart.steps, list(chart.aside.values()))):
        for name in names:
            row = chart.steps.index(name) if lane == 0 else chart.steps.index(_decision_of(chart, name))
            sort = "detour" if lane else "decision" if name in chart.aside else "step"
            sort = "end" if sort == "step" and row in (0, len(chart.steps) - 1) else sort
            box = _cell(page, chart, template, row, lane, sort)
            fill = fill_of[sort]
            ink = readable_on(fill[1])
            legible = (chart.unread, name) != ("box", chart.smudged)
            chart.nodes[name] = Node(name, shapes[sort], box, fill, ink, legible)
            chart.lanes[name] = (row, lane)
    dashed = rng.random() < 0.15
    for arrow in chart.arrows:
        arrow.points = _route(chart, arrow)
        back = dashed and chart.lanes[arrow.start][1] == 1
        draw_arrow(page, arrow, page.ink, rng.choice((3, 4)) if not back else 3, dashed=back)
    for node in sorted(chart.nodes.values(), key=lambda n: (round(n.middle[1]), n.middle[0])):
        draw_node(page, node, outline, width)
    for arrow in chart.arrows:
        _write_label(page, arrow)
    return named


def _decision_of(chart: Chart, detour: str) -> str:
    return next(decision for decision, name in chart.aside.items() if name == detour)


def _cell(page: Page, chart: Chart, template: str, row: int, lane: int, sort: str) -> Box:
    """The box of the node in a row of a lane; the template says which way rows and lanes run."""
    left, top, right, bottom = page.rest
    way, aside = template.split(", aside ")
    rows, lanes = len(chart.steps), 2
    if way in ("up", "left"):
        row = rows - 1 - row
    if aside == "left":
        lane = 1 - lane
    if way in ("down", "up"):
        wide, high = (right - left) / lanes, (bottom - top) / rows
        x, y = left + (lane + 0.5) * wide, top + (row + 0.5) * high
        half = (min(wide * 0.36, 74), min(high * 0.33, 22))
    else:
        wide, high = (right - left) / rows, (bottom - top) / lanes
        x, y = left + (row + 0.5) * wide, top + (lane + 0.5) * high
        half = (min(wide * 0.36, 58), min(high * 0.33, 26))
    if sort == "decision":
        half = (half[0] * 1.14, half[1] * 1.2)
    return x - half[0], y - half[1], x + half[0], y + half[1]


def _route(chart: Chart, arrow: Arrow) -> list[Point]:
    """Straight between neighbours; from a detour to another row along its lane, then across."""
    a, b = chart.nodes[arrow.start], chart.nodes[arrow.end]
    (ax, ay), (bx, by) = a.middle, b.middle
    if abs(ax - bx) < 1 or abs(ay - by) < 1:
        return [_edge(a, (bx, by)), _edge(b, (ax, ay))]
    upright = abs(chart.nodes[chart.steps[0]].middle[0] - chart.nodes[chart.steps[1]].middle[0]) < 1
    corner = (ax, by) if upright else (bx, ay)
    return [_edge(a, corner), corner, _edge(b, corner)]


def _edge(node: Node, towards: Point) -> Point:
    """The middle of the node's side that faces a point level with it or straight above or below it."""
    left, top, right, bottom = node.box
    x, y = node.middle
    slant = 0.14 * min(right - left, bottom - top) if node.shape == "parallelogram" else 0.0
    if abs(towards[0] - x) < 1:
        return (x, bottom) if towards[1] > y else (x, top)
    return (right - slant, y) if towards[0] > x else (left + slant, y)


def _write_label(page: Page, arrow: Arrow) -> None:
    """Beside the beginning of the arrow: to the right of an upright one, above a level one."""
    if not arrow.label:
        return
    (x, y), (to_x, to_y) = arrow.points[:2]
    if abs(to_x - x) < 1:
        page.write(arrow.label, x + 5, (y + to_y) / 2 + (-3 if to_y > y else 3), INSIDE, across="left")
    else:
        page.write(
            arrow.label, (x + to_x) / 2 + (-3 if to_x > x else 3), y - page.line_height / 2 - 1, INSIDE
        )


# ---------------------------------------------------------------------------------------------------
# Asking


def _ask_neighbours(ask: Asker, chart: Chart) -> None:
    """One arrow at a time."""
    rng, hidden = ask.rng, chart.smudged
    legible = [name for name in chart.nodes if name != hidden]
    plain = [n for n in legible if len(chart.out_of(n)) == 1 and not chart.out_of(n)[0].label]
    known = [n for n in plain if chart.out_of(n)[0].end != hidden]
    if known:
        name = rng.choice(known)
        ask.text("next", NEXT, chart.out_of(name)[0].end, node=name)
    for name in plain:
        if chart.out_of(name)[0].end == hidden:
            ask.cant_be_read("next that can't be read", NEXT, node=name)
            break
    ask.not_shown("next of what is absent", NEXT, node=rng.choice(chart.absent))
    known = [n for n in legible if len(chart.into(n)) == 1 and chart.into(n)[0].start != hidden]
    if known:
        name = rng.choice(known)
        ask.text("previous", PREVIOUS, chart.into(name)[0].start, node=name)
    for skill in ("branch", "branch that can't be read"):
        arrows = [a for a in chart.arrows if a.label and a.start in legible]
        arrows = [a for a in arrows if (a.end == hidden) == (skill != "branch")]
        if arrows and skill == "branch":
            arrow = rng.choice(arrows)
            ask.text(skill, BRANCH, arrow.end, node=arrow.start, label=arrow.label)
            arrow = rng.choice(arrows)
            ask.text("answer", LABEL, arrow.label, a=arrow.start, b=arrow.end)
        elif arrows:
            ask.cant_be_read(skill, BRANCH, node=arrows[0].start, label=arrows[0].label)
    joined = [n for n in legible if len(chart.into(n)) > 1 and hidden not in {a.start for a in chart.into(n)}]
    if joined:
        name = rng.choice(joined)
        ask.items("into", INTO, [a.start for a in chart.into(name)], ordered=False, node=name)
    if chart.steps[0] != hidden and not chart.into(chart.steps[0]):
        ask.text("first", FIRST, chart.steps[0])


def _ask_ways(ask: Asker, chart: Chart) -> None:
    """Several arrows in a row."""
    rng = ask.rng
    legible = [name for name in chart.nodes if name != chart.smudged]
    pairs = list(itertools.permutations(legible, 2))
    far = [(a, b) for a, b in pairs if reachable(chart.arrows, a).get(b, 0) >= 2]
    if far:
        a, b = rng.choice(far)
        ask.count("distance", DISTANCE, reachable(chart.arrows, a)[b], a=a, b=b)
    reaches = rng.random() < 0.5
    fitting = [(a, b) for a, b in pairs if (b in reachable(chart.arrows, a)) == reaches]
    if fitting:
        a, b = rng.choice(fitting)
        ask.yes_no("reaches", REACHES, reaches, a=a, b=b)
    label = rng.choice(("yes", "no"))
    name = rng.choice([n for n in legible if n in chart.steps])
    last = _always(chart, name, label)
    if last and last != chart.smudged and last != name:
        ask.text("always the same answer", ALWAYS, last, node=name, label=label)


def _always(chart: Chart, name: str, label: str) -> str:
    """Where one ends up who always gives the same answer; "" if he walks in circles or decides nothing."""
    seen, decided = {name}, False
    while True:
        ways = [a for a in chart.out_of(name) if a.label in ("", label)]
        if not ways:
            return name if decided else ""
        decided |= bool(ways[0].label)
        name = ways[0].end
        if name in seen:
            return ""
        seen.add(name)


def _ask_boxes(ask: Asker, chart: Chart, named: bool) -> None:
    """What boxes there are, and where."""
    rng, nodes = ask.rng, list(chart.nodes.values())
    legible = [node for node in nodes if node.legible]
    ask.count("count boxes", BOX_COUNT, len(nodes))
    ask.count("count arrows", ARROW_COUNT, len(chart.arrows))
    ask.count("count decisions", DECISION_COUNT, len(chart.aside))
    node = rng.choice(legible)
    if rng.random() < 0.4:
        ask.choice("shape", SHAPE, node.shape, SHAPES, node=node.name)
    else:
        ask.text("shape", SHAPE, node.shape, alternatives=ALTERNATIVES.get(node.shape, ()), node=node.name)
    shape = rng.choice(nodes).shape
    same = [n for n in nodes if n.shape == shape]
    if all(n.legible for n in same) and len(same) < 5:
        names = [n.name for n in same]
        article = with_article(shape).split(" ")[0]
        ask.items("boxes of a shape", OF_SHAPE, names, ordered=False, shape=shape, a=article)
    if named:
        node = rng.choice(legible)
        ask.colour("colour", COLOUR, node.fill[0], node=node.name)
    node = rng.choice(legible)
    ask.point("point", POINT, node.box, node=node.name)
    node = rng.choice(legible)
    ask.box("box", BOX, node.box, node=node.name)


def _describe(scene: Scene, chart: Chart) -> None:
    def said(name: str) -> str:
        return "a box that can't be read" if name == chart.smudged else f'"{name}"'

    titled = f' titled "{chart.title}"' if scene.facts["title"] and chart.unread != "title" else ""
    titled = titled or (" whose title can't be read" if chart.unread == "title" else "")
    decisions = f"{len(chart.aside)} decision" + ("s" if len(chart.aside) > 1 else "")
    scene.short_caption = f"A flow chart with {decisions}."
    scene.caption = f"A flow chart{titled} with {len(chart.nodes)} boxes, {decisions} among them."
    sentences = [scene.caption]
    for name in chart.nodes:
        ways = [f"{said(a.end)}{f' ({a.label})' if a.label else ''}" for a in chart.out_of(name)]
        if ways:
            sentences.append(f"From {said(name)} the way leads to {' or '.join(ways)}.")
        else:
            sentences.append(f"The way ends at {said(name)}.")
    scene.long_caption = " ".join(sentences)
