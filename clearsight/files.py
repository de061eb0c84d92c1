"""Files that a reader never finds half written."""

import os
from pathlib import Path


def replace_file(path: Path, content: str) -> None:
    """Write a file so that a reader finds the old content or the new one, never a part."""
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    staged.write_text(content, encoding="utf-8")
    os.replace(staged, path)
