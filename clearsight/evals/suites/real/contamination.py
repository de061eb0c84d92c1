"""Looks for the suite's pictures in what training data is made of, as curation does: by fingerprint, then by pixels.

    python -m clearsight.evals.suites.real.contamination --seeds 20 --stamps FOLDER --clip-art FOLDER

Drawn worlds are looked at for the given number of training seeds each, flags and the sets of telling icons whole;
stamps and clip art where the folders of their packages are given. Prints what was compared, and ends with status 1
when there was a copy.
"""

import argparse
import io
import json
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image as PILImage

from clearsight.data import worlds
from clearsight.data.curation import Options, alignment, neighbours
from clearsight.data.curation.pictures import fingerprints
from clearsight.data.record import Record
from clearsight.data.sources import clip_art, flags, icon_sets, stamps
from clearsight.evals.suites.real.provenance import pictures
from clearsight.processing.images import decode, from_conversation_image

AT_ONCE = 1024

Named = tuple[str, PILImage.Image]


def main() -> None:
    """Compares with every source that can be had here and prints counts as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10, help="of each drawn world")
    parser.add_argument("--stamps", type=Path, help="the stamps of Tux Paint, unpacked")
    parser.add_argument("--clip-art", type=Path, help="Open Clip Art, unpacked")
    asked = parser.parse_args()
    sources = {"worlds": drawn_worlds(asked.seeds), "flags": drawn_flags(), "icons": of(icon_sets.records())}
    if asked.stamps:
        sources["stamps"] = of(stamps.records(asked.stamps))
    if asked.clip_art:
        sources["clip art"] = of(clip_art.records(asked.clip_art))
    compared, found = {}, []
    for name, source in sources.items():
        compared[name], copies = 0, []
        while some := list(islice(source, AT_ONCE)):
            compared[name] += len(some)
            copies += copies_among(some)
        found += [f"{name}: {where} is {file}" for where, file in copies]
    print(json.dumps({"compared": compared, "copies": found}, ensure_ascii=False))
    sys.exit(1 if found else 0)


def copies_among(shown: Iterable[Named]) -> list[tuple[str, str]]:
    """Of pictures with their names, those that are copies of one of the suite: (name, file of the suite)."""
    mine, (its, its_prints) = list(shown), _of_the_suite()
    prints = np.stack([fingerprints(picture) for _, picture in mine])
    found = []
    for one, other, window, back in neighbours.copies_between(prints, its_prints, Options().farthest_copy):
        looks = alignment.look(mine[one][1]), alignment.look(its[other][1])
        if alignment.is_copy(looks[back], looks[1 - back], int(window)):
            found.append((mine[one][0], its[other][0]))
    return found


@cache
def _of_the_suite() -> tuple[list[Named], np.ndarray]:
    """The suite's pictures under the names of their files, and their fingerprints."""
    its = [(one.file, decode(one.read())) for one in pictures()]
    return its, np.stack([fingerprints(picture) for _, picture in its])


def drawn_worlds(seeds: int) -> Iterator[Named]:
    """The pictures of the first so many training seeds of each world."""
    for world in worlds.WORLDS:
        for seed in range(seeds):
            for number, picture in enumerate(worlds.load(world).sample(seed, "train").pictures):
                yield f"{world}:{seed}:{number}", picture


def drawn_flags() -> Iterator[Named]:
    for (code, shape), png in flags.pictures().items():
        yield f"{code} {shape}", PILImage.open(io.BytesIO(png)).convert("RGB")


def of(records: Iterable[Record]) -> Iterator[Named]:
    """The pictures that a source's records show."""
    for record in records:
        for image in record.conversation.images:
            picture = image.pixels if image.pixels is not None else from_conversation_image(image)
            yield record.provenance.uri, picture


if __name__ == "__main__":
    main()
