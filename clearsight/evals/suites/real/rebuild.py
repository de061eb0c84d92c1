"""Makes the suite's pictures again from the Debian packages that they come from, so that anyone can check it.

    python -m clearsight.evals.suites.real.rebuild FOLDER

FOLDER keeps the packages (`apt-get download`, about 600 MB) and what is unpacked of them. Each picture is then made as
its line of pictures.jsonl says and compared with the stored one: equal bytes, or, where another version of Pillow
writes other bytes, equal to within a few grey levels. Pages of PDF files need pypdfium2. `--write` stores what was
made, with its hash, instead of comparing: that is how a picture gets in.
"""

import argparse
import gzip
import hashlib
import io
import json
import shutil
import struct
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PILImage

from clearsight.data.sources.contract import SourceError
from clearsight.evals.suites.real.provenance import FOLDER, PICTURES, Picture, pictures
from clearsight.files import replace_file
from clearsight.processing.images import decode

PAGE_SCALE = 3.0  # a PDF page is rendered at 216 dots an inch, then made smaller
LIKE = 4.0  # mean difference in grey levels below which two encodings show the same
LARGEST = 400_000_000  # pixels of a wallpaper


def main() -> None:
    """Compares every picture, or with --write stores them; ends with status 1 when one differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, help="where packages are kept")
    parser.add_argument("--write", action="store_true", help="store the pictures and their hashes")
    asked = parser.parse_args()
    try:
        if asked.write:
            store(asked.folder)
            return
        outcomes = Counter(compare(asked.folder))
    except SourceError as error:
        sys.exit(str(error))
    print(json.dumps(outcomes))
    sys.exit(1 if outcomes["differs"] else 0)


def compare(folder: Path) -> Iterator[str]:
    """For each picture "same bytes", "same picture" or "differs"; what differs is printed."""
    for one in pictures():
        kept, made = one.read(), encoded(one, folder)
        if kept == made:
            yield "same bytes"
            continue
        outcome = "same picture" if difference(kept, made) < LIKE else "differs"
        if outcome == "differs":
            print(f"{one.file} is not what {one.package} {one.version} gives")
        yield outcome


def store(folder: Path) -> None:
    """Writes every picture and pictures.jsonl with their hashes."""
    PICTURES.mkdir(exist_ok=True)
    lines = []
    for one in pictures():
        data = encoded(one, folder)
        (PICTURES / one.file).write_bytes(data)
        row = {**one.to_json(), "sha256": hashlib.sha256(data).hexdigest()}
        lines.append(json.dumps(row, ensure_ascii=False))
    replace_file(FOLDER / "pictures.jsonl", "\n".join(lines) + "\n")


def difference(one: bytes, other: bytes) -> float:
    """Mean difference of the grey levels of two picture files; infinite when their sizes are not the same."""
    left, right = (np.asarray(decode(data).convert("L"), dtype=np.float32) for data in (one, other))
    return float(np.abs(left - right).mean()) if left.shape == right.shape else float("inf")


def encoded(one: Picture, folder: Path) -> bytes:
    """The picture's file, made of its package: opened, cropped, made smaller, encoded."""
    picture = _opened(one, unpacked(one.package, one.version, folder))
    if one.crop:
        width, height = picture.size
        edges = [round(part * side) for part, side in zip(one.crop, (width, height) * 2, strict=True)]
        picture = picture.crop((edges[0], edges[1], edges[2], edges[3]))
    if max(picture.size) > one.side:
        picture.thumbnail((one.side, one.side), PILImage.Resampling.LANCZOS)
    out = io.BytesIO()
    if one.colours:
        picture.quantize(one.colours, dither=PILImage.Dither.NONE).save(out, "PNG", optimize=True)
    else:
        picture.save(out, "WEBP", quality=one.quality, method=6)
    return out.getvalue()


def _opened(one: Picture, root: Path) -> PILImage.Image:
    data = (root / one.path).read_bytes()
    if one.page is not None:
        return _page(gzip.decompress(data) if one.path.endswith(".gz") else data, one.page)
    if one.member:
        data = dict(_resources(root / one.path))[one.member]
    return decode(data, max_pixels=LARGEST)


@cache
def unpacked(package: str, version: str, folder: Path) -> Path:
    """Where a package is unpacked, fetched first if need be. Raises SourceError."""
    root = folder / f"{package}_{version.replace(':', '%3a')}"
    if root.is_dir():
        return root
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise SourceError(f"There is no {tool} here; run this on Debian 12 or in a container of it.")
    folder.mkdir(parents=True, exist_ok=True)
    found = subprocess.run(["apt-get", "download", f"{package}={version}"], cwd=folder, check=False)
    files = sorted(folder.glob(f"{package}_*.deb"))
    if found.returncode or not files:
        raise SourceError(
            f"apt-get does not find {package} {version}; it is of Debian 12 (bookworm), see snapshot.debian.org."
        )
    partial = root.with_suffix(".new")
    subprocess.run(["dpkg-deb", "-x", str(files[-1]), str(partial)], check=True)
    partial.rename(root)
    return root


def _page(data: bytes, number: int) -> PILImage.Image:
    try:
        import pypdfium2
    except ImportError:
        raise SourceError("Pages of PDF files need pypdfium2: pip install pypdfium2") from None
    document: Any = pypdfium2.PdfDocument(data)
    return PILImage.fromarray(document[number].render(scale=PAGE_SCALE).to_numpy()[..., 2::-1])


def _resources(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every file in a Qt resource collection (.rcc), formats 1 to 3."""
    data = path.read_bytes()
    version, tree, bodies, names = struct.unpack_from(">4I", data, 4)
    size = 14 if version < 2 else 22  # bytes of a node

    def walk(node: int, folder: str) -> Iterator[tuple[str, bytes]]:
        place = tree + size * node
        name, flags = struct.unpack_from(">IH", data, place)
        (length,) = struct.unpack_from(">H", data, names + name)
        start = names + name + 6
        here = f"{folder}/{data[start : start + 2 * length].decode('utf-16-be')}" if node else ""
        if flags & 2:
            count, first = struct.unpack_from(">II", data, place + 6)
            for child in range(first, first + count):
                yield from walk(child, here)
            return
        (body,) = struct.unpack_from(">I", data, place + 10)
        (length,) = struct.unpack_from(">I", data, bodies + body)
        content = data[bodies + body + 4 : bodies + body + 4 + length]
        if flags & 4:
            return  # Zstandard: nothing that is used here
        yield here, zlib.decompress(content[4:]) if flags & 1 else content

    yield from walk(0, "")


if __name__ == "__main__":
    main()
