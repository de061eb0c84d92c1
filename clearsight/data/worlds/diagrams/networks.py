"""Networks: named nodes joined by lines or arrows, some with lengths, and block diagrams; degrees, ways and lengths.

Lines are straight, never cross, and keep clear of other nodes, so that each can be followed.
"""

import itertools
import math
import random
from dataclasses import dataclass, field

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.charts.page import INSIDE, Box, Page, Text
from clearsight.data.worlds.charts.subjects import GROUPS, LETTERS
from clearsight.data.worlds.diagrams.nodes import (
    Arrow,
    Node,
    Point,
    cross,
    draw_arrow,
    draw_node,
    leaving,
    meets,
    node_fills,
    reachable,
)
from clearsight.data.worlds.diagrams.subjects import PARTS
from clearsight.data.worlds.drawing.palette import readable_on
from clearsight.data.worlds.scene import Scene, Split, rng_for

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("circle", "scattered", "blocks", "grid"),
    "eval": ("wheel", "zigzag"),
}
NODE_COUNT = (
    "How many nodes are there?",
    "Count the nodes.",
    "How many named nodes does the network have?",
    "Of how many junctions does this network consist?",
)
LINK_COUNT = (
    "How many {links} are there?",
    "Count the {links}.",
    "How many {links} join the nodes?",
    "How many {links} does this network have between its junctions?",
)
DEGREE = (
    "How many {links} touch {node}?",
    "How many {links} begin or end at {node}?",
    "Count the {links} at {node}.",
    "At the junction {node}, how many {links} meet?",
)
MOST = (
    "Which node has the most {links}?",
    "At which node do the most {links} meet?",
    "Name the node with the greatest number of {links}.",
    "Which junction of this network is joined by more {links} than any other?",
)
NEIGHBOURS = (
    "Which nodes are joined directly to {node}?",
    "Name all neighbours of {node}.",
    "To which nodes is {node} linked, whatever the direction?",
    "List every junction that a single one of the {links} joins to {node}.",
)
JOINED = (
    "Are {a} and {b} joined directly?",
    "Is there a direct connection between {a} and {b}?",
    "Do {a} and {b} share one of the {links}?",
    "Is one of the {links} enough to join {a} with {b}?",
)
REACHES = (
    "Can one get from {a} to {b} along the {links}?",
    "Is there a way from {a} to {b} along the {links}?",
    "Do the {links} lead, directly or not, from {a} to {b}?",
    "Would a traveller keeping to the {links} be able to reach {b} from {a}?",
)
DISTANCE = (
    "How many {links} are on the shortest way from {a} to {b}?",
    "How few {links} lead from {a} to {b}?",
    "What is the least number of {links} from {a} to {b}?",
    "A traveller wants to pass as few {links} as possible from {a} to {b}. How many?",
)
AFTER = (
    "To which nodes do arrows lead from {node}?",
    "Which nodes come directly after {node}?",
    "Name the nodes at the tips of the arrows that leave {node}.",
    "List all junctions one may enter straight out of {node}.",
)
INTO = (
    "How many arrows point to {node}?",
    "How many arrows end at {node}?",
    "Count the arrows that lead into {node}.",
    "How many arrow heads touch the junction {node}?",
)
LENGTH = (
    "Which number stands at the connection of {a} and {b}?",
    "How long is the connection between {a} and {b}?",
    "What is written on the line between {a} and {b}?",
    "What figure labels the stretch that joins {a} with {b}?",
)
ROUTE = (
    "How long is the way from {a} over {b} to {c}?",
    "Add up the numbers on the way from {a} over {b} to {c}.",
    "What is the length of the route {a}, {b}, {c}?",
    "Travelling from {a} to {c} by way of {b}, what total do the labels give?",
)
LONGEST = (
    "Which two nodes does the connection with the largest number join?",
    "Between which two nodes is the longest connection, by the numbers?",
    "Name the two ends of the connection with the greatest number.",
    "The stretch with the highest figure joins which two junctions?",
)
EXTREME = (
    "Which node is furthest to the {side}?",
    "Name the node nearest to the {side} edge.",
    "Which node lies closest to the {side} of the picture?",
    "Of all junctions, which was drawn nearest to the {side} border?",
)
COLOUR = (
    "What colour is the node {node}?",
    "Which colour does the node {node} have?",
    "In which colour is the node {node} filled?",
    "What colour was the junction {node} given?",
)
COLOUR_COUNT = (
    "How many nodes are {colour}?",
    "Count the {colour} nodes.",
    "How many of the nodes are filled in {colour}?",
    "How many junctions were given the colour {colour}?",
)
POINT = (
    "Point to the node {node}.",
    "Where is the node {node}?",
    "Show the node {node}.",
    "Put a finger on the junction {node}.",
)
BOX = (
    "Frame the node {node}.",
    "What is the box around the node {node}?",
    "Put a box around the node {node}.",
    "Enclose the junction {node} tightly.",
)


@dataclass
class Network:
    """Nodes by name, and what joins them; `lengths` are the numbers at the links, in their order, or empty."""

    directed: bool
    nodes: dict[str, Node]
    arrows: list[Arrow] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    labels: list[Text] = field(default_factory=list)
    unread: str = ""
    smudged: str = ""

    @property
    def word(self) -> str:
        return "arrows" if self.directed else "lines"

    @property
    def ways(self) -> list[Arrow]:
        """Arrows as one may go along them: a line without a head goes both ways."""
        return self.arrows if self.directed else [*self.arrows, *(Arrow(a.end, a.start) for a in self.arrows)]

    def neighbours(self, name: str) -> list[str]:
        return sorted(
            {a.end if a.start == name else a.start for a in self.arrows if name in (a.start, a.end)}
        )

    def degree(self, name: str) -> int:
        return sum(name in (arrow.start, arrow.end) for arrow in self.arrows)


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("networks", seed, split)
    template = rng.choice(TEMPLATES[split])
    page = Page(rng, split)
    names = _any_names(rng, split, template)
    count = rng.randint(5, 9)
    network, named = _place_nodes(page, template, names[:count])
    weighted = template != "blocks" and rng.random() < 0.45
    _join(rng, network, weighted, len(network.nodes) + rng.randint(-1, 4))
    extremes = [_extreme(network, side)[0] for side in ("left", "right", "top", "bottom")]
    network.unread = (
        rng.choice(("node", "length" if network.lengths else "node")) if rng.random() < 0.5 else ""
    )
    if network.unread == "node":
        network.smudged = rng.choice([*extremes, max(network.nodes, key=network.degree)])
        network.nodes[network.smudged].legible = False
    _draw(page, network)
    scene = Scene("networks", seed, split, page.finish(), placed=page.placed)
    scene.facts = {
        "template": template,
        "directed": network.directed,
        "nodes": [{"name": n.name, "shape": n.shape, "colour": n.fill[0]} for n in network.nodes.values()],
        "arrows": [{"points": [list(p) for p in a.points], "label": a.label} for a in network.arrows],
        "lengths": network.lengths,
        "illegible": [network.unread, network.smudged] if network.unread else [],
    }
    ask = Asker(scene, rng)
    _ask_links(ask, network)
    _ask_ways(ask, network)
    if network.lengths:
        _ask_lengths(ask, network)
    _ask_nodes(ask, network, names[count:], named)
    _describe(scene, network)
    return scene


def _any_names(rng: random.Random, split: Split, template: str) -> list[str]:
    if template == "blocks":
        return rng.sample(PARTS[split], len(PARTS[split]))
    if rng.random() < 0.5:
        return rng.sample(LETTERS[split], len(LETTERS[split]))
    sorts = {"train": ("city", "person", "animal"), "eval": ("river", "crew", "mineral")}[split]
    members = rng.choice([group.members for group in GROUPS[split] if group.kind in sorts])
    names = [name for name in members if len(name) <= 7] if rng.random() < 0.5 else list(members)
    rng.shuffle(names)
    return [*names, *PARTS[split][: max(0, 10 - len(names))]]


def _place_nodes(page: Page, template: str, names: list[str]) -> tuple[Network, bool]:
    """Put the nodes where the template says; whether their colours have names."""
    rng = page.rng
    left, top, right, bottom = page.rest
    letters = len(names[0]) == 1
    shape = "circle" if letters else rng.choice(("rounded rectangle", "rectangle", "oval", "hexagon"))
    if template == "blocks":
        shape = "rectangle"
    half_high = rng.uniform(17, 23) if letters else page.line_height / 2 + 7
    widest = max(page.width_of(name) for name in names) / 2
    half_wide = half_high if letters else widest * (1.5 if shape == "oval" else 1.0) + 10
    half_wide += 8 if shape == "hexagon" else 0
    half_high *= 1.25 if shape == "oval" else 1
    fills, named = node_fills(page, rng.choice((1, 2, 3)), rng)
    frame = (left + half_wide, top + half_high, right - half_wide, bottom - half_high)
    nodes = {}
    for name, (x, y) in zip(
        names, _places_apart(rng, template, len(names), frame, half_wide, half_high), strict=False
    ):
        fill = rng.choice(fills)
        box = (round(x - half_wide), round(y - half_high), round(x + half_wide), round(y + half_high))
        nodes[name] = Node(name, shape, box, fill, readable_on(fill[1]))
    directed = template == "blocks" or rng.random() < 0.5
    return Network(directed, nodes), named


def _places_apart(
    rng: random.Random, template: str, count: int, frame: Box, half_wide: float, half_high: float
) -> list[Point]:
    """Places for as many nodes of this size, up to `count`, as leave a gap between any two."""
    while True:
        for _ in range(8):
            places = _places(rng, template, count, frame)
            if all(
                abs(a[0] - b[0]) > 2 * half_wide + 12 or abs(a[1] - b[1]) > 2 * half_high + 12
                for a, b in itertools.combinations(places, 2)
            ):
                return places
        count -= 1


def _places(rng: random.Random, template: str, count: int, frame: Box) -> list[Point]:
    """Where the middles of the nodes are."""
    left, top, right, bottom = frame
    wide, high, x, y = right - left, bottom - top, (left + right) / 2, (top + bottom) / 2
    if template in ("circle", "wheel"):
        hub = [(x, y)] if template == "wheel" else []
        turn, around = rng.uniform(0, 6.3), count - len(hub)
        angles = [turn + math.tau * index / around for index in range(around)]
        return [*hub, *((x + wide / 2 * math.cos(a), y + high / 2 * math.sin(a)) for a in angles)]
    if template == "zigzag":
        columns = math.ceil(count / 3)
        spots = []
        for index in range(count):
            column, row = divmod(index, 3)
            shift = 0.5 / columns if row == 1 else 0.0
            spots.append((left + wide * (column / columns + shift), top + high * (0.1 + 0.4 * row)))
        return [(px, py + rng.uniform(-0.07, 0.07) * high) for px, py in spots]
    if template == "blocks":
        layers = 3 if count < 7 else 4
        sizes = [count // layers + (index < count % layers) for index in range(layers)]
        rng.shuffle(sizes)
        return [
            (left + wide * layer / (layers - 1), top + high * (row + 0.5) / size)
            for layer, size in enumerate(sizes)
            for row in range(size)
        ]
    columns = 3
    rows = math.ceil(count / columns)
    shake = 0.04 if template == "grid" else 0.11
    cells = rng.sample([(c, r) for r in range(rows) for c in range(columns)], count)
    return [
        (
            left + wide * min(1, max(0, c / (columns - 1) + rng.uniform(-shake, shake))),
            top + high * min(1, max(0, r / max(1, rows - 1) + rng.uniform(-shake, shake))),
        )
        for c, r in cells
    ]


# ---------------------------------------------------------------------------------------------------
# Joining nodes so that every link can be followed


def _join(rng: random.Random, network: Network, weighted: bool, most: int) -> None:
    """Add links between near nodes that meet no other node and cross no other link."""
    pairs = list(itertools.combinations(network.nodes.values(), 2))
    pairs.sort(key=lambda pair: math.dist(pair[0].middle, pair[1].middle) * rng.uniform(0.7, 1.5))
    for a, b in pairs:
        if len(network.arrows) == most:
            break
        if network.directed and rng.random() < 0.5 and a.middle[0] > b.middle[0] - 1:
            a, b = b, a
        points = [leaving(a, b.middle), leaving(b, a.middle)]
        if math.dist(*points) < (62 if weighted else 26) or not _can_be_followed(network, a, b, points):
            continue
        network.arrows.append(Arrow(a.name, b.name, points))
    if weighted:
        network.lengths = rng.sample(range(2, 60), len(network.arrows))


def _can_be_followed(network: Network, a: Node, b: Node, points: list[Point]) -> bool:
    for node in network.nodes.values():
        if node is not a and node is not b and meets(node.box, *points, margin=9):
            return False
    start, end = a.middle, b.middle
    for other in network.arrows:
        p, q = network.nodes[other.start].middle, network.nodes[other.end].middle
        shared = {a.name, b.name} & {other.start, other.end}
        if not shared and cross(start, end, p, q):
            return False
        for name in shared:
            here = network.nodes[name].middle
            far, other_far = (end if start == here else start), (q if p == here else p)
            turn = math.atan2(far[1] - here[1], far[0] - here[0]) - math.atan2(
                other_far[1] - here[1], other_far[0] - here[0]
            )
            if abs((turn + math.pi) % math.tau - math.pi) < 0.42:
                return False
    return True


def _draw(page: Page, network: Network) -> None:
    rng = page.rng
    width, outline = rng.choice((3, 4, 5)), rng.choice((2, 3, 4))
    if network.unread == "length":
        network.smudged = str(rng.randrange(len(network.lengths)))
    for arrow in network.arrows:
        draw_arrow(page, arrow, page.ink, width, head=10 if network.directed else 0)
    for node in sorted(network.nodes.values(), key=lambda n: (round(n.middle[1] / 12), n.middle[0])):
        draw_node(page, node, page.ink, outline)
    for index, (arrow, length) in enumerate(zip(network.arrows, network.lengths, strict=False)):
        (ax, ay), (bx, by) = arrow.points
        share = 0.44 if network.directed else 0.5
        x, y = ax + (bx - ax) * share, ay + (by - ay) * share
        half = page.width_of(str(length)) / 2 + 3
        box = [2 * (x - half), 2 * (y - page.line_height / 2), 2 * (x + half), 2 * (y + page.line_height / 2)]
        page.draw.rectangle(box, fill=page.ground)
        legible = (network.unread, network.smudged) != ("length", str(index))
        network.labels.append(page.write(str(length), x, y, INSIDE, legible=legible))
        arrow.label = str(length)


# ---------------------------------------------------------------------------------------------------
# Asking


def _legible(network: Network) -> list[str]:
    return [node.name for node in network.nodes.values() if node.legible]


def _ask_links(ask: Asker, network: Network) -> None:
    """How nodes are joined."""
    rng, links, legible = ask.rng, network.word, _legible(network)
    ask.count("count nodes", NODE_COUNT, len(network.nodes))
    ask.count("count links", LINK_COUNT, len(network.arrows), links=links)
    name = rng.choice(legible)
    ask.count("degree", DEGREE, network.degree(name), node=name, links=links)
    ranked = sorted(network.nodes, key=network.degree)
    if network.degree(ranked[-1]) > network.degree(ranked[-2]):
        if ranked[-1] in legible:
            ask.text("most links", MOST, ranked[-1], links=links)
        else:
            ask.cant_be_read("most links that can't be read", MOST, links=links)
    known = [n for n in legible if network.neighbours(n) and set(network.neighbours(n)) <= set(legible)]
    if known:
        name = rng.choice(known)
        ask.items("neighbours", NEIGHBOURS, network.neighbours(name), ordered=False, node=name, links=links)
    joined = rng.random() < 0.5
    pairs = [(a, b) for a, b in itertools.permutations(legible, 2) if (b in network.neighbours(a)) == joined]
    if pairs:
        a, b = rng.choice(pairs)
        ask.yes_no("joined", JOINED, joined, a=a, b=b, links=links)
    if network.directed:
        name = rng.choice(legible)
        ask.count("arrows into", INTO, sum(a.end == name for a in network.arrows), node=name)
        after = {n: [a.end for a in network.arrows if a.start == n] for n in legible}
        known = [n for n in legible if after[n] and set(after[n]) <= set(legible)]
        if known:
            name = rng.choice(known)
            ask.items("after", AFTER, after[name], ordered=False, node=name)


def _ask_ways(ask: Asker, network: Network) -> None:
    """Several links in a row."""
    rng, links = ask.rng, network.word
    pairs = list(itertools.permutations(_legible(network), 2))
    reaches = rng.random() < 0.5
    fitting = [(a, b) for a, b in pairs if (b in reachable(network.ways, a)) == reaches]
    if fitting:
        a, b = rng.choice(fitting)
        ask.yes_no("reaches", REACHES, reaches, a=a, b=b, links=links)
    far = [(a, b) for a, b in pairs if reachable(network.ways, a).get(b, 0) >= 2]
    if far:
        a, b = rng.choice(far)
        ask.count("distance", DISTANCE, reachable(network.ways, a)[b], a=a, b=b, links=links)


def _ask_lengths(ask: Asker, network: Network) -> None:
    """The numbers at the links."""
    rng, legible = ask.rng, _legible(network)
    length = {
        (a.start, a.end): value
        for index, (a, value) in enumerate(zip(network.arrows, network.lengths, strict=True))
        if (network.unread, network.smudged) != ("length", str(index))
        and a.start in legible
        and a.end in legible
    }
    if length:
        a, b = rng.choice(list(length))
        ask.number("length", LENGTH, length[a, b], a=a, b=b)
    if network.unread == "length":
        hidden = network.arrows[int(network.smudged)]
        ask.cant_be_read("length that can't be read", LENGTH, a=hidden.start, b=hidden.end)
    both = length if network.directed else length | {(b, a): value for (a, b), value in length.items()}
    routes = [(a, b, c) for (a, b), (also_b, c) in itertools.permutations(both, 2) if b == also_b and a != c]
    if routes:
        a, b, c = rng.choice(routes)
        ask.number("route", ROUTE, both[a, b] + both[b, c], a=a, b=b, c=c)
    if network.unread != "length":
        longest = network.arrows[network.lengths.index(max(network.lengths))]
        if longest.start in legible and longest.end in legible:
            ask.items("longest", LONGEST, [longest.start, longest.end], ordered=False)


def _extreme(network: Network, side: str) -> tuple[str, bool]:
    """The node furthest to one side, and whether it clearly is."""
    axis, sign = (
        (0, -1 if side == "left" else 1) if side in ("left", "right") else (1, -1 if side == "top" else 1)
    )
    ranked = sorted(network.nodes.values(), key=lambda node: sign * node.middle[axis])
    return ranked[-1].name, abs(ranked[-1].middle[axis] - ranked[-2].middle[axis]) >= 14


def _ask_nodes(ask: Asker, network: Network, absent: list[str], named: bool) -> None:
    rng, legible = ask.rng, _legible(network)
    for side in rng.sample(("left", "right", "top", "bottom"), 4):
        name, clear = _extreme(network, side)
        if clear and name in legible and not any(q.skill == "extreme" for q in ask.scene.questions):
            ask.text("extreme", EXTREME, name, side=side)
        elif clear and name not in legible:
            ask.cant_be_read("extreme that can't be read", EXTREME, side=side)
    if absent:
        ask.not_shown("neighbours of what is absent", NEIGHBOURS, node=rng.choice(absent), links=network.word)
    if named:
        name = rng.choice(legible)
        ask.colour("colour", COLOUR, network.nodes[name].fill[0], node=name)
        colours = [node.fill[0] for node in network.nodes.values()]
        colour = rng.choice(colours)
        ask.count("count colour", COLOUR_COUNT, colours.count(colour), colour=colour)
    name = rng.choice(legible)
    ask.point("point", POINT, network.nodes[name].box, node=name)
    name = rng.choice(legible)
    ask.box("box", BOX, network.nodes[name].box, node=name)


def _describe(scene: Scene, network: Network) -> None:
    form = "block diagram" if scene.facts["template"] == "blocks" else "network"
    legible = _legible(network)
    scene.short_caption = f"A {form} of {len(network.nodes)} nodes."
    unread = " and one that can't be read" if len(legible) < len(network.nodes) else ""
    scene.caption = (
        f"A {form} of {len(network.nodes)} nodes joined by {len(network.arrows)} {network.word}: "
        f"{', '.join(legible)}{unread}."
    )
    parts = []
    for index, arrow in enumerate(network.arrows):
        a, b = (
            name if name in legible else "the one that can't be read" for name in (arrow.start, arrow.end)
        )
        length = f" ({network.lengths[index]})" if network.lengths else ""
        length = " (illegible)" if (network.unread, network.smudged) == ("length", str(index)) else length
        parts.append(f"{a} {'to' if network.directed else 'and'} {b}{length}")
    first = "The arrows lead from " if network.directed else "The lines join "
    scene.long_caption = f"{scene.caption} {first}{'; '.join(parts)}."
