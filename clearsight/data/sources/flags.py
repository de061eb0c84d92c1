"""National flags from the npm package flag-icons (MIT): one drawing in the shape 4:3 and another in a square.

The drawings are vectors; `pictures` rasterises all of them once and keeps them in the cache folder.

https://flagicons.lipis.dev
"""

import io
import os
import re
import tarfile
import zipfile
from functools import cache, lru_cache

from PIL import Image
from rich.progress import track

from clearsight import weights
from clearsight.data.sources.icon_sets import rasterise

WIDTHS = {"4x3": 320, "1x1": 256}  # pixels
_MEMBER = re.compile(r"package/flags/(4x3|1x1)/([a-z]{2})\.svg")


@cache
def pictures() -> dict[tuple[str, str], bytes]:
    """(two-letter country code, shape) -> PNG of the flag.

    Only the first call takes long. Raises WeightsError when the package cannot be had.
    """
    assert weights.FLAGS.sha256 is not None
    path = weights.cache_folder() / "flags" / f"{weights.FLAGS.sha256[:16]}.zip"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = path.with_suffix(f".{os.getpid()}")
        with (
            tarfile.open(weights.fetch(weights.FLAGS), "r:gz") as source,
            zipfile.ZipFile(staged, "w", zipfile.ZIP_STORED) as archive,
        ):
            for member in track(source.getmembers(), description="drawing flags", transient=True):
                match = _MEMBER.fullmatch(member.name)
                file = source.extractfile(member) if match else None
                if match is None or file is None:
                    continue
                out = io.BytesIO()
                rasterise(file.read().decode(), WIDTHS[match[1]]).convert("RGB").save(out, "PNG")
                archive.writestr(f"{match[2]}/{match[1]}", out.getvalue())
        os.replace(staged, path)
    with zipfile.ZipFile(path) as archive:
        return {tuple(name.split("/")): archive.read(name) for name in archive.namelist()}  # type: ignore[misc]


@lru_cache(maxsize=512)
def picture(code: str, shape: str) -> Image.Image:
    """The flag of a country (RGB), in the shape "4x3" or "1x1"; not to be drawn on."""
    found = Image.open(io.BytesIO(pictures()[code, shape]))
    found.load()
    return found
