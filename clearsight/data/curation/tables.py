"""Reading and writing the tables that steps leave, and which rows are left."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from clearsight.data.curation.extras import require
from clearsight.data.curation.pipeline import Run


def left(run: Run) -> list[int]:
    return np.flatnonzero(run.alive).tolist()


def lists(table: Any, *names: str) -> list[list[Any]]:
    return [table[name].to_pylist() for name in names]


def texts_left(run: Run) -> Any:
    """What the step of exact copies has measured, of the rows that are left."""
    arrow = require("pyarrow", "to read results")
    table = run.measured("exact", "texts")
    return table.filter(arrow.array(run.alive[table["row"].to_numpy()]))


def write(table: Any, target: Path) -> None:
    require("pyarrow.parquet", "to keep results").write_table(table, target, row_group_size=16_384)


def grouped(keys: np.ndarray, values: np.ndarray) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for key, value in zip(keys.tolist(), values.tolist(), strict=True):
        found[key].append(value)
    return found


def sample(run: Run, purpose: str, share: float) -> np.ndarray:
    """The rows that are left and drawn: the same ones on every machine."""
    rng = np.random.Generator(np.random.PCG64([run.options.seed, *purpose.encode()]))
    return run.alive & (rng.random(len(run.alive)) < share)
