"""Answers about maps, worked out from masks of regions, places of marks, and the geometry of grid and scale."""

import math
from collections import Counter

import numpy as np

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Placed, Question, Scene

POINTS = {0: "north", 45: "north-east", 90: "east", 135: "south-east"}
POINTS |= {180: "south", 225: "south-west", 270: "west", 315: "north-west"}
AXES = {"north": (1, -1), "south": (1, 1), "east": (0, 1), "west": (0, -1)}


def _objects(scene: Scene, label: str) -> list[Placed]:
    return [p for p in scene.placed if p.kind == "object" and p.label == label]


def _covers(region: Placed, x: float, y: float) -> bool:
    left, top, right, bottom = region.box
    if not (left <= x < right and top <= y < bottom):
        return False
    return region.mask.getpixel((int(x - left), int(y - top))) > 0


def _region_of(scene: Scene, at: list[float]) -> str:
    (number,) = [i for i, region in enumerate(_objects(scene, "region")) if _covers(region, *at)]
    return scene.facts["regions"][number]["name"]


def _ground(scene: Scene, name: str) -> np.ndarray:
    """Which pixels a region covers."""
    names = [region["name"] for region in scene.facts["regions"]]
    region = _objects(scene, "region")[names.index(name)]
    covered = np.zeros((scene.picture.height + 8, scene.picture.width + 8), dtype=bool)
    left, top, right, bottom = map(int, region.box)
    covered[top:bottom, left:right] = np.asarray(region.mask) > 0
    return covered


def _touch(scene: Scene, a: str, b: str) -> bool:
    first, second = _ground(scene, a), _ground(scene, b)
    return any((first & np.roll(second, shift, axis)).any() for axis in (0, 1) for shift in (-1, 1))


def _square(scene: Scene, at: list[float]) -> str:
    grid = scene.facts["grid"]
    column, row = (at[0] - grid["left"]) // grid["wide"], (at[1] - grid["top"]) // grid["tall"]
    return "ABCDEF"[int(column)] + str(int(row) + 1)


def _written(scene: Scene) -> set[str]:
    return {p.label for p in scene.placed if p.kind == "word"}


def _routes(roads: list[tuple[str, str]], start: str, goal: str) -> list[list[str]]:
    """Every simple way, shortest first."""
    found, open_ways = [], [[start]]
    while open_ways:
        way = open_ways.pop(0)
        if way[-1] == goal:
            found.append(way)
            continue
        for a, b in roads:
            step = b if a == way[-1] else a if b == way[-1] else None
            if step and step not in way:
                open_ways.append([*way, step])
    return found


def read(scene: Scene, question: Question) -> str:
    facts, about = scene.facts, question.about
    towns = {town["name"]: town for town in facts["towns"]}
    names = [town["name"] for town in facts["towns"]]
    legible = [region["name"] for region in facts["regions"] if region["name"] and region["legible"]]
    assert all(name.upper() in _written(scene) for name in legible)
    assert all(name in _written(scene) for name, town in towns.items() if town["legible"])
    roads = {r["number"]: tuple(names[end] for end in r["ends"]) for r in facts["roads"]}
    width, height = scene.picture.size

    def at(name: str) -> list[float]:
        return towns[name]["at"]

    match question.skill:
        case "count regions":
            return str(len(_objects(scene, "region")))
        case "count towns":
            return str(len(_objects(scene, "town")))
        case "frame":
            (thing,) = _objects(scene, about["thing"])
            sides = (width, height, width, height)
            return str(tuple(round(1000 * v / s) for v, s in zip(thing.box, sides, strict=True)))
        case "region of a colour" | "colour of a region":
            tints = [p for p in scene.placed if p.kind == "colour"]
            pairs = [
                (region["name"], tint.label) for region, tint in zip(facts["regions"], tints, strict=True)
            ]
            if question.skill == "region of a colour":
                return next(name for name, tint in pairs if tint == about["colour"])
            return next(tint for name, tint in pairs if name == about["region"])
        case "region that can't be read":
            (region,) = [r for r in facts["regions"] if r["colour"] == about["colour"]]
            assert not region["legible"] and region["name"].upper() not in _written(scene)
            return CANT_BE_READ
        case "colour of an absent region":
            assert about["region"].upper() not in _written(scene)
            return NOT_SHOWN
        case "border":
            return "yes" if _touch(scene, about["a"], about["b"]) else "no"
        case "neighbours":
            return ", ".join(n for n in legible if n != about["region"] and _touch(scene, n, about["region"]))
        case "towns in a region":
            return str(
                sum(_region_of(scene, list(t.middle)) == about["region"] for t in _objects(scene, "town"))
            )
        case "river":
            assert facts["river"]["name"] in _written(scene)
            return facts["river"]["name"]
        case "river that is absent":
            assert not _objects(scene, "river")
            return NOT_SHOWN
        case "river through a region":
            covered = _ground(scene, about["region"])
            wet = sum(covered[int(y), int(x)] for x, y in facts["river"]["points"])
            return "yes" if wet >= 3 else "no"
        case "meaning of a sign":
            shape = "columns" if "columns" in about["shape"] else about["shape"]
            return next(e["meaning"] for e in facts["legend"] if e["shape"] == shape)
        case "count signs":
            return str(len(_objects(scene, about["sign"])))
        case "region of an absent sign":
            assert not _objects(scene, about["sign"]) and about["sign"].split()[0] not in _written(scene)
            return NOT_SHOWN
        case "region of a sign":
            (sign,) = _objects(scene, about["sign"])
            return _region_of(scene, list(sign.middle))
        case "point":
            x, y = at(about["town"])
            return f"({1000 * x / width:.0f}, {1000 * y / height:.0f})"
        case "capital":
            return next(name for name, town in towns.items() if town["capital"])
        case "region of a town":
            return _region_of(scene, at(about["town"]))
        case "region of an absent town" | "square of an absent town":
            assert about["town"] not in _written(scene)
            return NOT_SHOWN
        case "square":
            return _square(scene, at(about["town"]))
        case "town in a square":
            return next(name for name in names if _square(scene, at(name)) == about["square"])
        case "town that can't be read":
            (name,) = [name for name in names if _square(scene, at(name)) == about["square"]]
            assert name not in _written(scene)
            return CANT_BE_READ
        case "direction":
            (xa, ya), (xb, yb) = at(about["a"]), at(about["b"])
            turn = math.degrees(math.atan2(xb - xa, ya - yb)) % 360
            return POINTS[min(POINTS, key=lambda p: min(abs(p - turn), 360 - abs(p - turn)))]
        case "further that way":
            axis, sign = AXES[about["way"]]
            return "yes" if (at(about["a"])[axis] - at(about["b"])[axis]) * sign > 0 else "no"
        case "furthest":
            axis, sign = AXES[about["way"]]
            return max(names, key=lambda name: at(name)[axis] * sign)
        case "nearest":
            others = [name for name in names if name != about["town"]]
            return min(others, key=lambda name: math.dist(at(name), at(about["town"])))
        case "distance":
            scale = facts["scale"]
            pixels = math.dist(at(about["a"]), at(about["b"]))
            return f"{pixels / (scale['to'] - scale['from']) * scale['km']:.1f}"
        case "road between towns" | "road that can't be read":
            (number,) = [n for n, ends in roads.items() if {about["a"], about["b"]} == set(ends)]
            if question.skill == "road between towns":
                return number
            (left, top, right, bottom) = next(r["sign"] for r in facts["roads"] if r["number"] == number)
            inside = [p for p in scene.placed if left < p.middle[0] < right and top < p.middle[1] < bottom]
            assert not any(p.kind == "word" for p in inside)
            return CANT_BE_READ
        case "ends of a road":
            return ", ".join(roads[about["road"]])
        case "ends of an absent road":
            assert about["road"] not in roads and all(road["legible"] for road in facts["roads"])
            return NOT_SHOWN
        case "roads that meet":
            return str(Counter(end for ends in roads.values() for end in ends)[about["town"]])
        case "direct road":
            return "yes" if {about["a"], about["b"]} in [set(ends) for ends in roads.values()] else "no"
        case "route":
            ways = _routes(list(roads.values()), about["a"], about["b"])
            assert len(ways) == 1 or len(ways[0]) < len(ways[1])
            return ", ".join(ways[0][1:-1])
    raise AssertionError(f"no reading for {question.skill!r}")
