"""Invented maps: regions, towns, numbered roads, a river, signs with a legend, a grid, a compass and a scale bar.

North is always up. Distances are as the crow flies. Relief, insets and maps of the real world are left out.
"""

import itertools
import math
from typing import Any

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.places.cartography import SIGNS
from clearsight.data.worlds.places.map_sheets import TEMPLATES, draw_map
from clearsight.data.worlds.places.terrain import invented_name
from clearsight.data.worlds.scene import Placed, Scene, Split, rng_for, with_article

SHAPES = {shape: shape for shape in SIGNS.values()} | {"tent": "tent", "columns": "set of columns"}
COMPASS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")

REGION_OF = (
    "In which region does {town} lie?",
    "Which region is the town of {town} in?",
    "To which of the named regions does {town} belong on the map?",
)
SQUARE = (
    "In which grid square is {town}?",
    "Which square of the grid holds {town}?",
    "Give letter and number of the grid square around {town}.",
)
TOWN_IN_SQUARE = (
    "Which town lies in grid square {square}?",
    "What is the name of the town in square {square}?",
    "Look into square {square} of the grid: which town is marked there?",
)
DIRECTION = (
    "In which direction does {b} lie from {a}?",
    "Which way is {b} as seen from {a}?",
    "Standing in {a}, towards which point of the compass is {b}?",
)
NORTH = (
    "Is {a} {way} of {b}?",
    "Does {a} lie further {way} than {b}?",
    "On this map, is it true that {a} is {way} of {b}?",
)
FURTHEST = (
    "Which town lies furthest {way}?",
    "What is the town furthest to the {way}?",
    "Of all the towns on the map, which is the one most to the {way}?",
)
NEAREST = (
    "Which town is nearest to {town}?",
    "What town lies closest to {town} as the crow flies?",
    "Draw the shortest straight line from {town} to another town: to which?",
)
DISTANCE = (
    "About how many kilometres is it from {a} to {b} in a straight line?",
    "By the scale bar, how far are {a} and {b} apart?",
    "Estimate with the bar of scale the kilometres between {a} and {b}.",
)
ROAD = (
    "Which road joins {a} and {b}?",
    "What is the number of the road between {a} and {b}?",
    "Name the road that runs directly from {a} to {b}.",
)
ROAD_ENDS = (
    "Which two towns does road {road} join?",
    "Between which towns does road {road} run?",
    "Name the pair of towns at the ends of road {road}.",
)
ROADS_MEET = (
    "How many roads meet at {town}?",
    "Count the roads that lead to {town}.",
    "At {town}, what number of roads come together?",
)
JOINED = (
    "Is there a direct road from {a} to {b}?",
    "Does a road join {a} and {b} without passing another town?",
    "Can one drive from {a} to {b} on a single road?",
)
ROUTE = (
    "Going from {a} to {b} by the fewest roads, through which towns does one pass?",
    "Which towns lie on the way from {a} to {b} by the fewest roads?",
    "Drive from {a} to {b} over as few roads as possible: which towns come in between?",
)
COUNT_TOWNS = (
    "How many towns are marked on the map?",
    "Count the towns on the map.",
    "What number of towns does this map mark?",
)
TOWNS_IN = (
    "How many towns lie in {region}?",
    "Count the towns in the region {region}.",
    "What number of towns does the region {region} contain?",
)
COUNT_REGIONS = (
    "How many regions does the map show?",
    "Count the regions of the map.",
    "Into what number of regions is the land divided?",
)
BORDER = (
    "Does {a} border on {b}?",
    "Are {a} and {b} neighbours?",
    "Do the regions {a} and {b} have a stretch of border in common?",
)
NEIGHBOURS = (
    "Which regions border on {region}?",
    "Name the neighbours of the region {region}.",
    "List every region that touches {region}.",
)
REGION_COLOUR = (
    "What colour is the region {region}?",
    "In which colour is {region} shown?",
    "Which tint does the map give the region {region}?",
)
REGION_NAME = (
    "What is the name of the {colour} region?",
    "Which region is {colour}?",
    "What do the letters within the {colour} region spell?",
)
RIVER = (
    "What is the name of the river?",
    "What is the river called?",
    "Read the name that is written along the river.",
)
RIVER_THROUGH = (
    "Does the river flow through {region}?",
    "Does the river cross the region {region}?",
    "Would one find a part of the river within {region}?",
)
CAPITAL = (
    "Which town is the capital, marked with a star?",
    "What is the name of the town with a star?",
    "Which of the towns has a star instead of a dot?",
)
MEANING = (
    "What does the {colour} {shape} stand for, by the legend?",
    "By the legend, what is marked with a {colour} {shape}?",
    "Look up the {colour} {shape} in the legend: what does it mean?",
)
COUNT_SIGN = (
    "How many of the signs for {sign} are on the map, without the legend?",
    "Count the signs for {sign} on the map itself.",
    "Leaving out the legend, how often does the sign for {sign} occur?",
)
SIGN_REGION = (
    "In which region is the {sign}?",
    "Which region has the sign for {sign}?",
    "The legend's sign for {sign} stands in which region?",
)
TOWN_POINT = (
    "Where is the town of {town}?",
    "Point to the mark of {town}.",
    "Show the spot on the map where {town} is.",
)
FURNITURE_BOX = (
    "Frame the {thing}.",
    "What is the box around the {thing} of the map?",
    "Put a frame around the map's {thing}.",
)


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("maps", seed, split)
    template = rng.choice(TEMPLATES[split])
    chart, colours = draw_map(rng, split, template)
    land, (left, top, _, _) = chart.land, chart.frame
    scene = Scene("maps", seed, split, chart.sheet.finish(rng))
    regions = []
    for number, (name, legible) in enumerate(chart.regions):
        box, mask = land.mask(number)
        moved = (box[0] + left, box[1] + top, box[2] + left, box[3] + top)
        scene.placed.append(Placed("object", "region", moved, mask))
        if colours[number]:
            scene.placed.append(Placed("colour", colours[number], moved, mask))
        regions.append({"name": name, "legible": legible, "colour": colours[number] or None})
    scene.placed += chart.sheet.placed
    borders = [[a, b, length] for (a, b), length in sorted(land.borders.items())]
    scene.facts = {"template": template, "regions": regions, "borders": borders, **chart.facts()}
    _ask(Asker(scene, rng), scene.facts)
    _describe(scene)
    return scene


# ---------------------------------------------------------------------------------------------------
# Questions


def _ask(ask: Asker, facts: dict[str, Any]) -> None:
    towns = [town for town in facts["towns"] if town["legible"]]
    ask.count("count regions", COUNT_REGIONS, len(facts["regions"]))
    ask.count("count towns", COUNT_TOWNS, len(facts["towns"]))
    thing = ask.rng.choice(("legend", "compass", "scale bar"))
    (box,) = [p.box for p in ask.scene.placed if p.kind == "object" and p.label == thing]
    ask.box("frame", FURNITURE_BOX, box, thing=thing)
    _ask_regions(ask, facts)
    _ask_signs(ask, facts)
    if not towns:
        return
    _ask_towns(ask, facts, towns)
    _ask_roads(ask, facts, towns)


def _ask_regions(ask: Asker, facts: dict[str, Any]) -> None:
    rng, regions = ask.rng, facts["regions"]
    named = [i for i, region in enumerate(regions) if region["name"] and region["legible"]]
    lengths = {(a, b): length for a, b, length in facts["borders"]}
    coloured = [region for region in regions if region["colour"]]
    if coloured:
        for legible in (True, False):
            fitting = [r for r in coloured if r["name"] and r["legible"] == legible]
            if fitting and legible:
                ask.text(
                    "region of a colour", REGION_NAME, (r := rng.choice(fitting))["name"], colour=r["colour"]
                )
            elif fitting:
                ask.cant_be_read("region that can't be read", REGION_NAME, colour=fitting[0]["colour"])
        if named:
            region = regions[rng.choice(named)]
            ask.colour("colour of a region", REGION_COLOUR, region["colour"], region=region["name"])
        if len(named) == len(regions):
            absent = invented_name(rng, ask.split, "region", {region["name"] for region in regions})
            ask.not_shown("colour of an absent region", REGION_COLOUR, region=absent)
    if len(named) >= 2:
        pairs = list(itertools.combinations(named, 2))
        touching_pairs = [pair for pair in pairs if lengths.get(pair, 0) >= 24]
        other_pairs = [pair for pair in pairs if pair not in lengths]
        pool = touching_pairs if touching_pairs and rng.random() < 0.5 else other_pairs
        if pool:
            a, b = rng.choice(pool)
            ask.yes_no("border", BORDER, (a, b) in lengths, a=regions[a]["name"], b=regions[b]["name"])
        region = rng.choice(named)
        touching = {pair[0] + pair[1] - region: length for pair, length in lengths.items() if region in pair}
        if touching and min(touching.values()) >= 24 and set(touching) <= set(named):
            names = [regions[other]["name"] for other in sorted(touching)]
            ask.items("neighbours", NEIGHBOURS, names, ordered=False, region=regions[region]["name"])
        towns_in = [town["region"] for town in facts["towns"]].count(region)
        ask.count("towns in a region", TOWNS_IN, towns_in, region=regions[region]["name"])
    river = facts["river"]
    if river is None:
        ask.not_shown("river that is absent", RIVER)
        return
    if river["name"]:
        ask.text("river", RIVER, river["name"], alternatives=(f"River {river['name']}",))
    clear = [i for i in named if not 0 < river["crossed"][i] < 30]
    if clear:
        region = rng.choice(clear)
        ask.yes_no(
            "river through a region",
            RIVER_THROUGH,
            river["crossed"][region] > 0,
            region=regions[region]["name"],
        )


def _ask_signs(ask: Asker, facts: dict[str, Any]) -> None:
    rng, meanings = ask.rng, [sign["meaning"] for sign in facts["signs"]]
    entry = rng.choice(facts["legend"])
    ask.text(
        "meaning of a sign", MEANING, entry["meaning"], colour=entry["colour"], shape=SHAPES[entry["shape"]]
    )
    ask.count("count signs", COUNT_SIGN, meanings.count(entry["meaning"]), sign=entry["meaning"])
    shown = {legend["meaning"] for legend in facts["legend"]}
    absent = rng.choice([meaning for meaning in sorted(SIGNS) if meaning not in shown])
    ask.not_shown("region of an absent sign", SIGN_REGION, sign=absent)
    single = [s for s in facts["signs"] if meanings.count(s["meaning"]) == 1]
    single = [s for s in single if (r := facts["regions"][s["region"]])["name"] and r["legible"]]
    if single:
        sign = rng.choice(single)
        ask.text(
            "region of a sign", SIGN_REGION, facts["regions"][sign["region"]]["name"], sign=sign["meaning"]
        )


def _ask_towns(ask: Asker, facts: dict[str, Any], towns: list[dict[str, Any]]) -> None:
    rng, everyone = ask.rng, facts["towns"]
    town = rng.choice(towns)
    x, y = town["at"]
    ask.point("point", TOWN_POINT, (x - 12, y - 12, x + 12, y + 12), town=town["name"])
    if everyone[0]["legible"]:
        ask.text("capital", CAPITAL, everyone[0]["name"])
    for town in rng.sample(towns, min(2, len(towns))):
        region = facts["regions"][town["region"]]
        if region["name"] and region["legible"]:
            ask.text("region of a town", REGION_OF, region["name"], town=town["name"])
    if len(towns) == len(everyone):
        absent = invented_name(rng, ask.split, "town", {town["name"] for town in towns})
        if facts["grid"] and rng.random() < 0.5:
            ask.not_shown("square of an absent town", SQUARE, town=absent)
        else:
            ask.not_shown("region of an absent town", REGION_OF, town=absent)
    if facts["grid"]:
        town = rng.choice(towns)
        ask.text("square", SQUARE, town["square"], town=town["name"])
        squares = [town["square"] for town in everyone]
        for town in rng.sample(everyone, len(everyone)):
            if squares.count(town["square"]) == 1 and town["legible"]:
                ask.text("town in a square", TOWN_IN_SQUARE, town["name"], square=town["square"])
                break
        for town in everyone:
            if squares.count(town["square"]) == 1 and not town["legible"]:
                ask.cant_be_read("town that can't be read", TOWN_IN_SQUARE, square=town["square"])
    if len(towns) < 3:
        return
    a, b = rng.sample(towns, 2)
    across, down = b["at"][0] - a["at"][0], b["at"][1] - a["at"][1]
    angle = math.degrees(math.atan2(across, -down)) % 360
    if abs((angle + 22.5) % 45 - 22.5) < 13:
        direction = COMPASS[round(angle / 45) % 8]
        ask.choice("direction", DIRECTION, direction, COMPASS, a=a["name"], b=b["name"])
    a, b = rng.sample(towns, 2)
    way = rng.choice(("north", "south", "east", "west"))
    axis, sign = (1, 1) if way in ("north", "south") else (0, 1)
    sign = -1 if way in ("south", "east") else 1
    gap = (b["at"][axis] - a["at"][axis]) * sign
    if abs(gap) > 16:
        ask.yes_no("further that way", NORTH, gap > 0, a=a["name"], b=b["name"], way=way)
    in_order = sorted(everyone, key=lambda t: t["at"][axis] * sign)
    if abs(in_order[0]["at"][axis] - in_order[1]["at"][axis]) > 14 and in_order[0]["legible"]:
        ask.text("furthest", FURTHEST, in_order[0]["name"], way=way)
    town = rng.choice(towns)
    away = sorted((math.dist(town["at"], t["at"]), i) for i, t in enumerate(everyone) if t is not town)
    if away[1][0] > away[0][0] * 1.2 and everyone[away[0][1]]["legible"]:
        ask.text("nearest", NEAREST, everyone[away[0][1]]["name"], town=town["name"])
    a, b = rng.sample(towns, 2)
    scale = facts["scale"]
    distance = math.dist(a["at"], b["at"]) * scale["km"] / (scale["to"] - scale["from"])
    rounded = float(f"{distance:.2g}")
    ask.number(
        "distance",
        DISTANCE,
        rounded,
        answer=f"{rounded:g} km",
        tolerance=distance * 0.12,
        a=a["name"],
        b=b["name"],
    )


def _ask_roads(ask: Asker, facts: dict[str, Any], towns: list[dict[str, Any]]) -> None:
    rng, everyone, roads = ask.rng, facts["towns"], facts["roads"]
    legible = {i for i, town in enumerate(everyone) if town["legible"]}
    joined = {frozenset(road["ends"]) for road in roads}
    for readable in (True, False):
        fitting = [r for r in roads if r["legible"] == readable and set(r["ends"]) <= legible]
        if not fitting:
            continue
        road = rng.choice(fitting)
        a, b = rng.sample([everyone[end]["name"] for end in road["ends"]], 2)
        if readable:
            ask.text("road between towns", ROAD, road["number"], a=a, b=b)
        else:
            ask.cant_be_read("road that can't be read", ROAD, a=a, b=b)
    fitting = [r for r in roads if r["legible"] and set(r["ends"]) <= legible]
    if fitting:
        road = rng.choice(fitting)
        ask.items(
            "ends of a road", ROAD_ENDS, [everyone[end]["name"] for end in road["ends"]], ordered=False,
            road=road["number"],
        )  # fmt: skip
        if all(r["legible"] for r in roads):
            number = next(
                str(n)
                for n in rng.sample(range(1, 90), 30)
                if all(r["number"][1:] != str(n) and r["number"] != str(n) for r in roads)
            )
            prefix = road["number"].rstrip("0123456789")
            ask.not_shown("ends of an absent road", ROAD_ENDS, road=prefix + number)
    town = rng.choice(sorted(legible))
    ask.count(
        "roads that meet",
        ROADS_MEET,
        sum(town in road["ends"] for road in roads),
        town=everyone[town]["name"],
    )
    apart = [p for p in itertools.combinations(sorted(legible), 2) if frozenset(p) not in joined]
    together = [p for p in itertools.combinations(sorted(legible), 2) if frozenset(p) in joined]
    pool = together if together and (rng.random() < 0.5 or not apart) else apart
    if pool:
        a, b = rng.choice(pool)
        ask.yes_no("direct road", JOINED, pool is together, a=everyone[a]["name"], b=everyone[b]["name"])
    routes = [
        (a, b, ways[0])
        for a, b in apart
        if len(ways := _fewest(joined, a, b, len(everyone))) == 1 and set(ways[0]) <= legible
    ]
    if routes:
        a, b, way = rng.choice(routes)
        ask.items(
            "route", ROUTE, [everyone[i]["name"] for i in way[1:-1]], ordered=True, a=everyone[a]["name"],
            b=everyone[b]["name"],
        )  # fmt: skip


def _fewest(joined: set[frozenset[int]], start: int, goal: int, count: int) -> list[list[int]]:
    """All ways from one town to another by the fewest roads."""
    ways = [[start]]
    for _ in range(count):
        if any(way[-1] == goal for way in ways):
            return [way for way in ways if way[-1] == goal]
        ways = [
            [*way, n]
            for way in ways
            for n in range(count)
            if n not in way and frozenset((way[-1], n)) in joined
        ]
    return []


# ---------------------------------------------------------------------------------------------------
# Captions


def _describe(scene: Scene) -> None:
    facts = scene.facts
    regions = [r["name"] for r in facts["regions"] if r["name"] and r["legible"]]
    towns = [town["name"] for town in facts["towns"] if town["legible"]]
    scene.short_caption = "A map of an invented country."
    scene.caption = f"A map with {len(facts['regions'])} regions and {len(facts['towns'])} towns."
    parts = [scene.caption]
    if regions:
        tints = {r["name"]: r["colour"] for r in facts["regions"]}
        named = [f"{name} ({tints[name]})" if tints[name] else name for name in regions]
        parts.append(f"Regions that are named: {', '.join(named)}.")
    if any(not region["legible"] for region in facts["regions"]):
        parts.append("The name of one region can't be read.")
    if towns:
        capital = facts["towns"][0]
        marked = f", of which {capital['name']} is the capital" if capital["legible"] else ""
        parts.append(f"Towns: {', '.join(towns)}{marked}.")
    if len(towns) < len(facts["towns"]):
        parts.append("The name of one town can't be read.")
    for road in facts["roads"]:
        a, b = (facts["towns"][end] for end in road["ends"])
        if a["legible"] and b["legible"] and road["legible"]:
            parts.append(f"Road {road['number']} joins {a['name']} and {b['name']}.")
    if facts["river"]:
        name = f", the {facts['river']['name']}," if facts["river"]["name"] else ""
        parts.append(f"A river{name} flows through the land.")
    signs = [with_article(entry["meaning"]) for entry in facts["legend"]]
    parts.append(f"The legend explains the signs for {', '.join(signs)}.")
    if facts["grid"]:
        parts.append(f"A grid has {facts['grid']['columns']} columns and {facts['grid']['rows']} rows.")
    scene.long_caption = " ".join(parts)
