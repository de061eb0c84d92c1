"""Finds the pictures that a data file names, within one folder and nowhere else.

A data file is somebody else's: a name in it that leads out of the folder, also by way of a link, is refused.
"""

import re
from pathlib import Path

from clearsight.data.sources.contract import SourceError, Unusable
from clearsight.data.sources.rows import Load

_HASH = re.compile(r"[0-9a-f]{64}")


def finder(folder: Path) -> Load:
    """A function from a picture's name to its bytes. Names are relative to `folder`; a hash may lack its suffix.

    Raises SourceError when there is no such folder; the function raises Unusable.
    """
    if not folder.is_dir():
        raise SourceError(
            f"There is no image folder {folder}; name the folder that the pictures' names start from."
        )
    root = folder.resolve()

    def load(name: str) -> bytes:
        if not name or "\0" in name:
            raise Unusable("picture missing", "its name is empty")
        path = (root / name.replace("\\", "/")).resolve()
        if not path.is_relative_to(root):
            raise Unusable("picture outside the folder", f"{name!r} leads out of {folder}")
        if _HASH.fullmatch(name) and not path.exists():
            path = next(iter(sorted(root.glob(f"{name}.*"))), path)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise Unusable("picture missing", f"{name} is not in {folder}") from None
        except OSError as error:
            raise Unusable("picture missing", f"{name} can't be read: {error.strerror}") from error

    return load
