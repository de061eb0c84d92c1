"""Suites as a person names them on the command line."""

from dataclasses import replace
from pathlib import Path

from clearsight.evals.item import EvalError
from clearsight.evals.suites import dawn, exam, files, mini, reading, tables
from clearsight.evals.suites.real import questions
from clearsight.evals.suites.suite import Suite


def by_name(what: str, count: int | None = None) -> Suite:
    """`mini`, `mini:world,world`, `dawn`, `real`, `reading`, `docvqa=FOLDER`, `docvqa@COMMIT`, `exam:PATH`, a file.

    `count` is how many of each skill or leaf, where the suite draws them. Raises EvalError with the names there are.
    """
    return replace(_found(what, count), named=what, count=count)


def _found(what: str, count: int | None) -> Suite:
    name, _, rest = what.partition(":")
    if name == "mini":
        return mini.suite(count or mini.COUNT, [world for world in rest.split(",") if world])
    if what == "dawn":
        return dawn.suite(count or dawn.COUNT)
    if what == "reading":
        return reading.suite(count or reading.COUNT)
    if name == "exam" and rest:
        return exam.load(Path(rest).expanduser())
    if what == "real":
        return questions.suite()
    table, _, folder = what.partition("=")
    if folder and table in tables.TABLES:
        return tables.load(table, Path(folder).expanduser())
    table, _, revision = what.partition("@")
    if table in tables.TABLES:
        return tables.load(table, revision=revision)
    if what.endswith((".jsonl", ".json")):
        return files.load(Path(what).expanduser())
    raise EvalError(
        f"there is no suite {what!r}; there are mini, mini:WORLD,WORLD, dawn, real, reading, exam:PATH, any .jsonl "
        f"file, and, with =FOLDER or @COMMIT behind it, {', '.join(tables.TABLES)}"
    )
