"""Suites as a person names them on the command line."""

from pathlib import Path

from clearsight.evals.item import EvalError
from clearsight.evals.suites import files, mini
from clearsight.evals.suites.suite import Suite


def by_name(what: str, count: int | None = None) -> Suite:
    """`mini`, `mini:world,world`, or a .jsonl file; `count` is how many of each skill, where the suite draws them.

    Raises EvalError with the names there are.
    """
    name, _, rest = what.partition(":")
    if name == "mini":
        return mini.suite(count or mini.COUNT, [world for world in rest.split(",") if world])
    if what.endswith((".jsonl", ".json")):
        return files.load(Path(what).expanduser())
    raise EvalError(f"there is no suite {what!r}; there are mini, mini:WORLD,WORLD, and any .jsonl file")
