"""How often Clearsight is right about whether a picture can be used.

Pictures: those of the suite `real` (photographs, screens, pages) and drawn ones of every world, as they are: each
alarm about one of them is false. The same pictures made worse by clearsight.data.degrade (blur, low light), shaken
(a box of some pixels along one side) or over-exposed: each alarm of that kind is true, at the strength the table
names. Writing is cut off by cutting drawn pictures through at least three of their words. Every second picture was
looked at when the thresholds were chosen; the figures are of the others. Intervals are Wilson's, 95%. The last line is
JSON.

    python -m benchmarks.picture_quality
"""

import argparse
import json
import random
import time
from collections.abc import Iterator

import numpy as np
from PIL import Image

from clearsight.data import worlds
from clearsight.data.degrade import LOSSY
from clearsight.data.worlds.scene import Scene
from clearsight.describing.quality import luminance, quality, sharpness
from clearsight.evals.statistics import wilson
from clearsight.evals.suites.real.provenance import PICTURES

STRENGTHS = {"blur": (0.2, 0.35, 0.5, 0.8), "low light": (0.5, 0.8, 1.0)}
SHAKES = (5, 11, 19)
EXPOSURES = (2.0, 4.0)
WANTED = {
    "blur": "blurred",
    "shaken": "blurred",
    "low light": "dark",
    "over-exposed": "bright",
    "cut": "cut off",
}


def pictures(count: int) -> Iterator[tuple[str, Image.Image, Scene | None]]:
    """(source, picture, what is known of it), real ones first."""
    for path in sorted(PICTURES.iterdir()):
        if path.suffix in (".webp", ".png", ".jpg"):
            yield "real", Image.open(path).convert("RGB"), None
    for name in worlds.WORLDS:
        for seed in range(count):
            scene = worlds.load(name).sample(seed, "eval")
            yield "drawn", scene.picture.convert("RGB"), scene


def shaken(picture: Image.Image, length: int) -> Image.Image:
    """Moved sideways by so many pixels while the shutter was open."""
    pixels = np.asarray(picture, dtype=np.float32)
    padded = np.pad(pixels, ((0, 0), (length // 2, length // 2), (0, 0)), mode="edge")
    total = sum(padded[:, step : step + pixels.shape[1]] for step in range(length // 2 * 2 + 1))
    return Image.fromarray((np.asarray(total) / (length // 2 * 2 + 1)).astype(np.uint8))


def exposed(picture: Image.Image, gain: float) -> Image.Image:
    """Too much light: grey levels lifted towards white, then cut there."""
    pixels = 255 - (255 - np.asarray(picture, dtype=np.float32)) / gain
    return Image.fromarray(np.clip(pixels * 1.1, 0, 255).astype(np.uint8))


def cut_through(scene: Scene, rng: random.Random) -> Iterator[Image.Image]:
    """The picture without what is right, or left, of a line through its words."""
    boxes = [thing.box for thing in scene.placed if thing.kind == "word" and thing.page == 0]
    width, height = scene.picture.size
    for side in ("right", "left"):
        places = [rng.uniform(0.45, 0.75) * width for _ in range(30)]
        places = [width - x if side == "left" else x for x in places]
        for x in places:
            if sum(left + 2 < x < right - 2 for left, _, right, _ in boxes) >= 3:
                box = (0, 0, round(x), height) if side == "right" else (round(x), 0, width, height)
                yield scene.picture.convert("RGB").crop(box)
                break


def worsened(
    picture: Image.Image, scene: Scene | None, rng: random.Random
) -> Iterator[tuple[str, float, Image.Image]]:
    """(kind, strength, picture) of all that is done to it."""
    for kind, strengths in STRENGTHS.items():
        for strength in strengths:
            yield kind, strength, LOSSY[kind](rng, picture, strength)[0]
    for length in SHAKES:
        yield "shaken", length, shaken(picture, length)
    for gain in EXPOSURES:
        yield "over-exposed", gain, exposed(picture, gain)
    if scene is not None:
        for cut in cut_through(scene, rng):
            yield "cut", 1.0, cut


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=4, help="drawn pictures of each world")
    parser.add_argument("--half", choices=("chosen", "held out"), default="held out")
    arguments = parser.parse_args()

    rng = random.Random(0)
    table: dict[tuple[str, str, float], list[bool]] = {}
    by_problem: dict[str, int] = {}
    sharp: dict[tuple[str, str, float], list[float]] = {}
    clean = {"real": [0, 0], "drawn": [0, 0]}
    spent = looked = 0.0
    for number, (source, picture, scene) in enumerate(pictures(arguments.count)):
        if (number % 2 == 0) != (arguments.half == "chosen"):
            continue
        start = time.perf_counter()
        found = quality(picture)
        spent += time.perf_counter() - start
        looked += 1
        clean[source][0] += bool(found.findings)
        clean[source][1] += 1
        for finding in found.findings:
            name = f"{source} {finding.problem}"
            by_problem[name] = by_problem.get(name, 0) + 1
        sharp.setdefault((source, "as it is", 0), []).append(sharpness(luminance(picture)) or np.nan)
        for kind, strength, worse in worsened(picture, scene, rng):
            seen = {finding.problem for finding in quality(worse).findings}
            table.setdefault((source, kind, strength), []).append(WANTED[kind] in seen)
            sharp.setdefault((source, kind, strength), []).append(sharpness(luminance(worse)) or np.nan)

    print(
        f"{'pictures':<8} {'made worse by':<14} {'how far':>8} {'n':>5} {'alarm':>7}   sharpness, quantiles"
    )
    for source, (alarms, n) in clean.items():
        spread = np.nanquantile(sharp[(source, "as it is", 0)], (0.02, 0.1, 0.5, 0.9))
        print(f"{source:<8} {'nothing (false)':<23} {n:>5} {alarms / n:>7.1%}   {spread.round(3)}")
    for (source, kind, strength), alarms in sorted(table.items()):
        spread = np.nanquantile(sharp[(source, kind, strength)], (0.1, 0.5, 0.9, 0.98))
        print(
            f"{source:<8} {kind:<14} {strength:>8g} {len(alarms):>5} {np.mean(alarms):>7.1%}   {spread.round(3)}"
        )
    print("false alarms:", by_problem)
    told = {
        "false": {
            source: {
                "rate": round(alarms / n, 3),
                "n": n,
                "interval": [round(v, 3) for v in wilson(alarms, n)],
            }
            for source, (alarms, n) in clean.items()
        },
        "true": {
            f"{source} {kind} {strength:g}": {"rate": round(float(np.mean(alarms)), 3), "n": len(alarms)}
            for (source, kind, strength), alarms in sorted(table.items())
        },
        "ms": round(1000 * spent / looked, 1),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
