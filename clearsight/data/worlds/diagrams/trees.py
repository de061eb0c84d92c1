"""Trees: organisation charts, and who is above, below and beside whom in them.

Lines are straight or turn at right angles halfway between two levels, and never cross.
"""

import random
from dataclasses import dataclass, field

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.charts.asking import ask_title
from clearsight.data.worlds.charts.page import Page
from clearsight.data.worlds.charts.subjects import GROUPS, PLACES
from clearsight.data.worlds.diagrams.nodes import ALTERNATIVES, Node, draw_node, node_fills
from clearsight.data.worlds.drawing.palette import readable_on
from clearsight.data.worlds.scene import Scene, Split, rng_for

# Which way the tree grows, and how its lines run.
TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("down, elbows", "down, straight", "right, elbows"),
    "eval": ("up, elbows", "right, straight"),
}
SIZES = {"down": ((600, 340), (640, 320), (560, 370)), "right": ((420, 480), (448, 460), (400, 500))}
TITLES: dict[Split, tuple[str, ...]] = {
    "train": ("Staff of {place}", "{place}: who reports to whom", "Organisation chart", "The {place} team"),
    "eval": ("Chain of command, {place}", "Reporting lines at {place}"),
}

PARENT = (
    "To whom does {item} report?",
    "Who is directly above {item}?",
    "Whose box is {item} attached to from below in rank?",
    "Name the immediate superior of {item}.",
)
CHILDREN = (
    "Who reports directly to {item}?",
    "Name everyone directly below {item}.",
    "Which boxes hang directly on {item}, one rank lower?",
    "List the immediate subordinates of {item}.",
)
CHILD_COUNT = (
    "How many report directly to {item}?",
    "How many boxes are directly below {item} in rank?",
    "Count those directly under {item}.",
    "How many immediate subordinates has {item}?",
)
BELOW_COUNT = (
    "How many are below {item}, directly or not?",
    "How many boxes hang on {item} in all, over every rank?",
    "Count everyone under {item}, at any rank.",
    "How many subordinates has {item} altogether, immediate or further down?",
)
TOP = (
    "Who is at the top of the chart?",
    "Who reports to nobody?",
    "Name the head of the whole chart.",
    "Who has no superior at all?",
)
SIBLINGS = (
    "Who has the same superior as {item}?",
    "Who else reports to the one above {item}?",
    "Name all those who share a superior with {item}.",
    "List the peers of {item} under one and the same superior.",
)
IS_ABOVE = (
    "Is {a} above {b} in rank, directly or over others?",
    "Does {b} report to {a}, directly or through others?",
    "Is {b} one of those below {a}?",
    "Do the lines upward from {b} pass through {a}?",
)
COMMON = (
    "Who is the nearest superior that {a} and {b} share?",
    "At whom do the ways up from {a} and {b} first meet?",
    "Who is the lowest one above both {a} and {b}?",
    "Following both chains upward, which superior have {a} and {b} in common first?",
)
DEPTH = (
    "How many lines lead from {item} up to the top?",
    "How many steps up is it from {item} to the head?",
    "Count the lines from {item} up to the very top.",
    "How many superiors does the chain above {item} contain?",
)
LEAF_COUNT = (
    "How many have nobody below them?",
    "Count those to whom nobody reports.",
    "How many boxes have no box below them in rank?",
    "How many lack any subordinate?",
)
LEVEL_COUNT = (
    "How many ranks does the chart have?",
    "Count the ranks, the head being the first.",
    "Over how many ranks do the boxes spread?",
    "From the head to the lowest, how many tiers are there?",
)
MOST = (
    "Who has the most direct reports?",
    "To whom do the most report directly?",
    "Name the one with the greatest number of direct reports.",
    "Which superior has the largest number of immediate subordinates?",
)
COUNT = (
    "How many boxes are in the chart?",
    "Count the boxes of the chart.",
    "How many names or marks stand in boxes, legible or not?",
    "How many posts does this hierarchy contain, readable or not?",
)
SHAPE = (
    "What shape are the boxes of the lowest rank?",
    "Which shape do the boxes without anybody below have?",
    "In what shape are those drawn who have nobody below them?",
    "Which outline was given to the posts that lack subordinates?",
)
COLOUR = (
    "What colour is the box of {item}?",
    "Which colour fills the box of {item}?",
    "In which colour is {item} shown in the tree?",
    "What colour was given to the post of {item}?",
)
POINT = (
    "Point to {item}.",
    "Where is {item} in the tree?",
    "Show the box of {item} in the tree.",
    "Put a finger on the post of {item}.",
)
BOX = (
    "Frame the box of {item} in the tree.",
    "What is the frame of {item} in the tree?",
    "Put a frame around {item} in the tree.",
    "Enclose the post of {item} tightly.",
)


@dataclass
class Tree:
    """`parent` of everyone but the head, in breadth-first order; `level` counts from 0 at the head."""

    names: list[str]
    parent: dict[str, str] = field(default_factory=dict)
    level: dict[str, int] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    links: list[list[tuple[float, float]]] = field(default_factory=list)
    title: str = ""
    unread: str = ""
    smudged: str = ""

    @property
    def head(self) -> str:
        return self.names[0]

    @property
    def legible(self) -> list[str]:
        return [name for name in self.names if name != self.smudged]

    def children(self, name: str) -> list[str]:
        return [child for child in self.names if self.parent.get(child) == name]

    def above(self, name: str) -> list[str]:
        """The chain of superiors, nearest first."""
        chain = []
        while name in self.parent:
            name = self.parent[name]
            chain.append(name)
        return chain

    @property
    def leaves(self) -> list[str]:
        return [name for name in self.names if not self.children(name)]


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("trees", seed, split)
    template = rng.choice(TEMPLATES[split])
    upright = not template.startswith("right")
    page = Page(rng, split, rng.choice(SIZES["down" if upright else "right"]))
    kind = {"train": "person", "eval": "guest"}[split]
    members = next(group.members for group in GROUPS[split] if group.kind == kind)
    shuffled = rng.sample(members, len(members))
    count = min(rng.randint(5, 11), len(shuffled) - 1)
    tree = _any_tree(rng, shuffled[:count])
    titled = rng.random() < 0.6
    if titled:
        tree.title = rng.choice(TITLES[split]).format(place=rng.choice(PLACES[split]))
    if rng.random() < 0.45:
        tree.unread = rng.choice(("title", "name", "name") if titled else ("name",))
    if tree.unread == "name":
        tree.smudged = rng.choice([*tree.names, *tree.parent.values()])
    title = page.title(tree.title, tree.unread != "title") if titled else []
    named = _draw(page, tree, template)
    scene = Scene("trees", seed, split, page.finish(), placed=page.placed)
    scene.facts = {
        "template": template,
        "title": tree.title,
        "axes": {},
        "nodes": [{"name": n.name, "shape": n.shape, "colour": n.fill[0]} for n in tree.nodes.values()],
        "links": [[list(point) for point in link] for link in tree.links],
        "illegible": [tree.unread, tree.smudged] if tree.unread else [],
    }
    ask = Asker(scene, rng)
    if titled:
        ask_title(ask, tree.title, title, tree.unread)
    _ask_neighbours(ask, tree, shuffled[count:])
    _ask_ranks(ask, tree)
    _ask_boxes(ask, tree, named)
    _describe(scene, tree)
    return scene


def _any_tree(rng: random.Random, names: list[str]) -> Tree:
    """Two to four levels, at most seven boxes on one, so that names fit side by side."""
    tree = Tree(names, level={names[0]: 0})
    for index, name in enumerate(names[1:], 1):
        open_to = [
            other
            for other in names[:index]
            if len(tree.children(other)) < 4
            and tree.level[other] < 3
            and list(tree.level.values()).count(tree.level[other] + 1) < 6
        ]
        weights = [1 + 3 * (tree.level[other] == 0 and index < 4) for other in open_to]
        tree.parent[name] = rng.choices(open_to, weights)[0]
        tree.level[name] = tree.level[tree.parent[name]] + 1
    return tree


def _draw(page: Page, tree: Tree, template: str) -> bool:
    """Lay out by leaves: each takes one share of the breadth, a superior stands in the middle of those below."""
    rng = page.rng
    way, lines = template.split(", ")
    left, top, right, bottom = page.rest
    levels = max(tree.level.values()) + 1
    breadth, depth = ((right - left), (bottom - top)) if way != "right" else ((bottom - top), (right - left))
    share, step = breadth / len(tree.leaves), depth / levels
    half_wide = max(page.width_of(name) for name in tree.names) / 2 + 7
    half_wide = min(half_wide, (share if way != "right" else step) / 2 - 3)
    half_high = min(page.line_height / 2 + rng.uniform(4, 9), (step if way != "right" else share) / 2 - 3)
    at = {}
    _spread(tree, tree.head, 0.0, at)

    def place(name: str) -> tuple[float, float]:
        along, down = (at[name] + 0.5) * share, (tree.level[name] + 0.5) * step
        if way == "right":
            return left + down, top + along
        return left + along, (top + down if way == "down" else bottom - down)

    shapes = [rng.choice(("rectangle", "rounded rectangle", "rectangle")) for _ in range(2)]
    fills, named = node_fills(page, levels, rng)
    fills = fills if rng.random() < 0.7 else [fills[0]] * levels
    for name in tree.names:
        x, y = place(name)
        fill = fills[tree.level[name]]
        box = (round(x - half_wide), round(y - half_high), round(x + half_wide), round(y + half_high))
        shape = shapes[0] if tree.children(name) else shapes[1]
        tree.nodes[name] = Node(name, shape, box, fill, readable_on(fill[1]), name != tree.smudged)
    width = rng.choice((3, 4, 5))
    for child, parent in tree.parent.items():
        a, b = tree.nodes[parent].middle, tree.nodes[child].middle
        half = half_wide if way == "right" else half_high
        sign = 1 if way != "up" else -1
        if way == "right":
            start, end, halfway = (a[0] + half, a[1]), (b[0] - half, b[1]), (a[0] + b[0]) / 2
            bends = [(halfway, a[1]), (halfway, b[1])]
        else:
            start, end, halfway = (a[0], a[1] + sign * half), (b[0], b[1] - sign * half), (a[1] + b[1]) / 2
            bends = [(a[0], halfway), (b[0], halfway)]
        points = [start, *(bends if lines == "elbows" else ()), end]
        tree.links.append(points)
        page.draw.line([(2 * x, 2 * y) for x, y in points], fill=page.ink, width=width)
    outline = rng.choice((2, 3, 4))
    for node in sorted(tree.nodes.values(), key=lambda n: (n.middle[1], n.middle[0])):
        draw_node(page, node, page.ink, outline)
    return named


def _spread(tree: Tree, name: str, first: float, at: dict[str, float]) -> float:
    """Place a branch from the share `first` on; the next free share."""
    children = tree.children(name)
    if not children:
        at[name] = first
        return first + 1
    following = first
    for child in children:
        following = _spread(tree, child, following, at)
    at[name] = (at[children[0]] + at[children[-1]]) / 2
    return following


# ---------------------------------------------------------------------------------------------------
# Asking


def _ask_neighbours(ask: Asker, tree: Tree, absent: list[str]) -> None:
    """Those directly above, below and beside somebody."""
    rng, legible = ask.rng, tree.legible
    below = [name for name in legible if name in tree.parent]
    known = [name for name in below if tree.parent[name] != tree.smudged]
    if known:
        name = rng.choice(known)
        ask.text("superior", PARENT, tree.parent[name], item=name)
    hidden = [name for name in below if tree.parent[name] == tree.smudged]
    if hidden:
        ask.cant_be_read("superior that can't be read", PARENT, item=rng.choice(hidden))
    ask.not_shown("superior of what is absent", PARENT, item=rng.choice(absent))
    heads = [name for name in legible if tree.children(name) and tree.smudged not in tree.children(name)]
    if heads:
        name = rng.choice(heads)
        ask.items("direct reports", CHILDREN, tree.children(name), ordered=False, item=name)
    elif tree.smudged:
        name = tree.parent.get(tree.smudged, "")
        if name and len(tree.children(name)) == 1:
            ask.cant_be_read("direct report that can't be read", CHILDREN, item=name)
    name = rng.choice([name for name in legible if tree.children(name)] or legible)
    ask.count("count of direct reports", CHILD_COUNT, len(tree.children(name)), item=name)
    siblings = {n: [s for s in tree.children(tree.parent[n]) if s != n] for n in below}
    known = [n for n in below if siblings[n] and tree.smudged not in siblings[n]]
    if known:
        name = rng.choice(known)
        ask.items("peers", SIBLINGS, siblings[name], ordered=False, item=name)


def _ask_ranks(ask: Asker, tree: Tree) -> None:
    """Chains of command, ranks and counts over the whole tree."""
    rng, legible = ask.rng, tree.legible
    if tree.head == tree.smudged:
        ask.cant_be_read("head that can't be read", TOP)
    else:
        ask.text("head", TOP, tree.head)
    name = rng.choice([name for name in legible if tree.children(name)] or legible)
    under = sum(name in tree.above(other) for other in tree.names)
    ask.count("count of all below", BELOW_COUNT, under, item=name)
    true = rng.random() < 0.5
    pairs = [(a, b) for a in legible for b in legible if a != b and (a in tree.above(b)) == true]
    if pairs:
        a, b = rng.choice(pairs)
        ask.yes_no("is above", IS_ABOVE, true, a=a, b=b)
    pairs = [
        (a, b)
        for a in legible
        for b in legible
        if a < b and a not in tree.above(b) and b not in tree.above(a)
    ]
    if pairs:
        a, b = rng.sample(rng.choice(pairs), 2)
        shared = next(name for name in tree.above(a) if name in tree.above(b))
        if shared != tree.smudged:
            ask.text("common superior", COMMON, shared, a=a, b=b)
    low = [name for name in legible if name in tree.parent]
    if low:
        name = rng.choice(low)
        ask.count("depth", DEPTH, tree.level[name], item=name)
    ranked = sorted(tree.names, key=lambda n: len(tree.children(n)))
    if len(tree.children(ranked[-1])) > len(tree.children(ranked[-2])):
        if ranked[-1] == tree.smudged:
            ask.cant_be_read("most direct reports that can't be read", MOST)
        else:
            ask.text("most direct reports", MOST, ranked[-1])
    ask.count("count of ranks", LEVEL_COUNT, max(tree.level.values()) + 1)
    ask.count("count without reports", LEAF_COUNT, len(tree.leaves))


def _ask_boxes(ask: Asker, tree: Tree, named: bool) -> None:
    rng, legible = ask.rng, tree.legible
    ask.count("count boxes", COUNT, len(tree.names))
    shape = tree.nodes[tree.leaves[0]].shape
    ask.text("shape", SHAPE, shape, alternatives=ALTERNATIVES.get(shape, ()))
    if named:
        name = rng.choice(legible)
        ask.colour("colour", COLOUR, tree.nodes[name].fill[0], item=name)
    name = rng.choice(legible)
    ask.point("point", POINT, tree.nodes[name].box, item=name)
    name = rng.choice(legible)
    ask.box("box", BOX, tree.nodes[name].box, item=name)


def _describe(scene: Scene, tree: Tree) -> None:
    def said(name: str) -> str:
        return "somebody whose name can't be read" if name == tree.smudged else name

    titled = f' titled "{tree.title}"' if tree.title and tree.unread != "title" else ""
    titled = titled or (" whose title can't be read" if tree.unread == "title" else "")
    levels = max(tree.level.values()) + 1
    scene.short_caption = f"An organisation chart with {len(tree.names)} boxes."
    boxes = f"{len(tree.names)} boxes on {levels} ranks"
    scene.caption = f"An organisation chart{titled} with {boxes}, headed by {said(tree.head)}."
    sentences = [scene.caption]
    for name in tree.names:
        below = [said(child) for child in tree.children(name)]
        if below:
            names = ", ".join(below[:-1]) + " and " + below[-1] if len(below) > 1 else below[0]
            verb = "report" if len(below) > 1 else "reports"
            sentences.append(f"{names[0].upper()}{names[1:]} {verb} to {said(name)}.")
    scene.long_caption = " ".join(sentences)
