"""Any JSONL file as a suite: one question a line.

    {"image": "a.png", "question": "How many stars?", "answer": "3", "metric": "exact", "skill": "counting"}
    {"image": ["a.png", "b.png"], "question": "What is new?", "answer": "B", "choices": ["a star", "a cross"]}
    {"image": "a.png", "question": "How many?", "truth": {"kind": "number", "answer": "three", "value": 3}}

Pictures are found beside the file. The rows may have any shape of clearsight.data.sources.rows; a conversation of
several answers is one question for each answer, with those before it given. `truth` is one of
clearsight.data.verify. Without a `metric`, a truth is judged, choices are extracted, and other answers must match
exactly, several in a list being right alike; for `vqa` the list is what ten people said. `skill`, `group`,
`cluster`, `id` and `max_tokens` may stand in a row.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from clearsight.conversation import Conversation
from clearsight.data.record import Provenance, Record
from clearsight.data.sources.image_folder import finder
from clearsight.data.sources.rows import USUAL_COLUMNS, Load, record_from
from clearsight.data.verify import Truth
from clearsight.evals.item import EvalError, Item
from clearsight.evals.metrics.by_name import by_name
from clearsight.evals.suites.suite import Suite


def load(path: Path, images: Path | None = None) -> Suite:
    """The suite in a file. A row that can't be used is an error with its line: a test may not shrink unnoticed.

    Raises EvalError when the file is missing, and while items are read.
    """
    if not path.is_file():
        raise EvalError(f"there is no file {path}; give the path of a .jsonl file")
    return Suite(path.stem, lambda: _items(path, images or path.parent), about=f"Questions of {path.name}.")


def _items(path: Path, images: Path) -> Iterator[Item]:
    find = finder(images)
    seen: set[str] = set()
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                found = list(items_of_row(json.loads(line), find, f"{path.stem}:{number}", path.stem))
            except (ValueError, RecursionError) as error:  # JSON, rows, pictures, truths, metrics
                raise EvalError(f"{path.name}, line {number}: {error}") from error
            for item in found:
                if item.id in seen:
                    raise EvalError(
                        f"{path.name}, line {number}: there already is an item {item.id}; ids are unique"
                    )
                seen.add(item.id)
            yield from found
    if not seen:
        raise EvalError(f"{path} has no questions; write one JSON object a line")


def items_of_row(row: Any, load: Load, name: str, group: str) -> Iterator[Item]:
    """The questions of one row. Raises EvalError, MetricError, Unusable, ImageError or ConversationError."""
    if not isinstance(row, Mapping):
        raise EvalError(f"a question is an object, not {type(row).__name__}")
    truth = _truth(row)
    if truth is not None and "answer" not in row and "messages" not in row:
        row = {**row, "answer": truth.answer}
    record = record_from(row, load, Provenance(group, "unknown", "eval"), USUAL_COLUMNS)
    replies = [i for i, message in enumerate(record.conversation.messages) if message.role == "assistant"]
    for number, place in enumerate(replies):
        known = truth if truth is not None and number == len(replies) - 1 else _known(record, number, place)
        metric = row.get("metric") or _usual_metric(known, truth)
        answers = row.get("answer", row.get("answers"))
        if isinstance(answers, list) and metric == "vqa":
            known = replace(
                known, value=[one["answer"] if isinstance(one, Mapping) else str(one) for one in answers]
            )
        by_name(metric)
        suffix = f".{number + 1}" if len(replies) > 1 else ""
        yield Item(
            id=str(row.get("id", name)) + suffix,
            conversation=Conversation(record.conversation.messages[:place]),
            truth=known,
            metric=metric,
            group=str(row.get("group", group)),
            skill=str(row.get("skill", record.skills[number] if record.skills else "")),
            cluster=str(row.get("cluster", "")),
            max_tokens=int(row.get("max_tokens", 64)),
        )


def _truth(row: Mapping[str, Any]) -> Truth | None:
    if not isinstance(row.get("truth"), Mapping):
        return None
    try:
        return Truth.from_json(dict(row["truth"]))
    except (KeyError, TypeError) as error:
        raise EvalError(f"a truth has a kind and an answer; {error} is missing or wrong") from error


def _known(record: Record, number: int, place: int) -> Truth:
    truth = record.truths[number] if number < len(record.truths) else None
    return truth or Truth("text", record.conversation.messages[place].text)


def _usual_metric(truth: Truth, stated: Truth | None) -> str:
    if truth is stated or truth.kind not in ("text", "choice"):
        return "judged"
    return "choice" if truth.kind == "choice" else "exact"
