"""Was a run's exam in the training data? The score with and without the questions that a corpus holds.

A question is met when its picture is there (the same file, or a copy that was resized, recompressed or cropped a
little) or when 13 words or 50 characters in a row of its text or answer are (clearsight.data.curation). Short
questions about other pictures are no contamination, and can't be told by their text: how many could is said.

The difference is the score without the met questions less that of all; its interval takes met and other questions as
independent samples, with clustered errors. That a score is the same without them does not prove that they did not
help; the GPT-4 technical report (appendix C) reports the lower of the two, and so `reported` is that.
"""

import json
import math
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from clearsight.conversation import Conversation, assistant, user
from clearsight.data.curation.options import Options
from clearsight.data.curation.overlap import Overlap, overlap
from clearsight.data.record import Provenance, Record
from clearsight.evals.comparison import read_run
from clearsight.evals.item import EvalError, Item
from clearsight.evals.statistics import CONFIDENCE, Interval, interval, student
from clearsight.evals.suites.suite import Suite
from clearsight.files import replace_file

CONTAMINATION = "contamination.json"
Line = dict[str, Any]


def contamination(folder: Path, suite: Suite, corpus: Iterable[Record]) -> dict[str, Any]:
    """Compare the questions of a run with a corpus; JSON-ready, and written beside the run.

    Raises EvalError when the folder holds no run of these questions, else as `overlap` and the corpus do.
    """
    whole, lines = read_run(folder)
    items = _items(suite, lines)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".contamination-") as room:
        found = overlap(corpus, _records(items), Path(room))
    result = {"suite": whole["suite"], "model": whole["model"]} | _scores(lines, items, found)
    replace_file(folder / CONTAMINATION, json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    return result


def _items(suite: Suite, lines: Sequence[Line]) -> list[Item]:
    """The questions of the lines, in their order."""
    known = {item.id: item for item in suite.items()}
    for line in lines:
        if line["id"] not in known or known[line["id"]].fingerprint != line["fingerprint"]:
            raise EvalError(
                f"question {line['id']} of the run is not in {suite.name} any more; run the evaluation again"
            )
    return [known[line["id"]] for line in lines]


def _records(items: Sequence[Item]) -> Iterator[Record]:
    """Each question with its answer, without examples, which are of another exam, and without how the suite asks.

    A line that half of the questions share, or more than a common phrase may, is how it asks.
    """
    times = Counter(line for item in items for line in set(_asked_lines(item)))
    many = min(Options().common_phrase, max(1, len(items) // 2))
    for item in items:
        own = "\n".join(line for line in _asked_lines(item) if times[line] <= many)
        asked = (
            [user(*item.pictures, *([own] if own.strip() else []))] if item.pictures or own.strip() else []
        )
        told = (*asked, assistant(item.truth.answer))
        yield Record(Conversation(told), Provenance("evaluation", "unknown", "eval"))


def _asked_lines(item: Item) -> list[str]:
    return [
        line
        for message in item.conversation.messages[item.examples :]
        for line in message.text.splitlines()
        if line.strip()
    ]


def _scores(lines: Sequence[Line], items: Sequence[Item], found: Overlap) -> dict[str, Any]:
    how: dict[int, list[Line]] = defaultdict(list)
    for one in found.met:
        how[one.question].append({"how": one.how, "record": one.record, "source": one.source})
    met = [line for number, line in enumerate(lines) if number in how]
    others = [line for number, line in enumerate(lines) if number not in how]
    scores = {"all": _interval(lines), "met": _interval(met), "without": _interval(others)}
    told = {name: _told(one) for name, one in scores.items()}
    without, lowest = scores["without"], scores["all"]
    assert lowest is not None
    return {
        **told,
        "difference": _difference(scores["met"], without, len(lines)),
        "reported": min(lowest.score, without.score) if without else None,
        "records": found.records,
        "with pictures": sum(bool(item.pictures) for item in items),
        "long enough texts": len(found.comparable),
        "how": dict(Counter(one.how for one in found.met)),
        "hits": [{"id": lines[number]["id"], "met": how[number]} for number in sorted(how)],
    }


def _interval(lines: Sequence[Line]) -> Interval | None:
    if not lines:
        return None
    return interval([line["score"] for line in lines], [line["cluster"] for line in lines])


def _told(one: Interval | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {"score": one.score, "interval": [one.low, one.high], "n": one.n, "clusters": one.clusters}


def _difference(met: Interval | None, without: Interval | None, n: int) -> dict[str, Any] | None:
    """The score without the met questions less that of all, which is a share of its gap to the met ones' score."""
    if met is None or without is None:
        return None
    share, gap = met.n / n, without.score - met.score
    half = math.nan
    if min(met.clusters, without.clusters) > 1:
        freedom = min(met.clusters, without.clusters) - 1
        half = student(CONFIDENCE, freedom) * math.hypot(met.error, without.error)
    certain = [share * (gap - half), share * (gap + half)] if half == half else None
    return {"score": share * gap, "interval": certain, "n": n}
