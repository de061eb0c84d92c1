"""Two runs, question by question: where do they differ, by how much, and could it be chance?

Only questions that are the same in both (text, pictures, truth, metric) are compared. Skills are many, so their
p-values are corrected for how many are looked at (Holm); without that one skill in twenty would differ by luck.
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from clearsight.evals.item import EvalError
from clearsight.evals.statistics import SIGNIFICANT, holm, paired

RESULTS = "results.jsonl"
SUMMARY = "summary.json"


def read_run(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Summary and lines of a run. Raises EvalError when the folder holds none."""
    try:
        whole = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        lines = [json.loads(line) for line in (folder / RESULTS).read_bytes().splitlines()]
    except FileNotFoundError:
        raise EvalError(
            f"{folder} holds no finished evaluation; give a folder of `clearsight eval SUITE --out`"
        ) from None
    except ValueError as error:
        raise EvalError(f"the evaluation in {folder} can't be read: {error}") from error
    return whole, lines


def compare(first: Path, second: Path) -> dict[str, Any]:
    """The second run less the first, JSON-ready. Raises EvalError when nothing is comparable."""
    (one, lines), (other, other_lines) = read_run(first), read_run(second)
    by_id = {line["id"]: line for line in other_lines}
    pairs = [
        (line, by_id[line["id"]])
        for line in lines
        if line["id"] in by_id and line["fingerprint"] == by_id[line["id"]]["fingerprint"]
    ]
    if not pairs:
        raise EvalError(f"{first} and {second} share no question; they must be of one suite and data")
    notes = []
    if len(pairs) < max(len(lines), len(other_lines)):
        notes.append(
            f"Only {len(pairs)} questions are the same in both, of {len(lines)} and {len(other_lines)}."
        )
    if one["fingerprints"]["harness"] != other["fingerprints"]["harness"]:
        notes.append(
            "They were judged by different versions of the harness; run the older one again, it costs no answers."
        )
    for run in (one, other):
        if not run["valid"]:
            notes.append(f"{run['model']}: invalid, too many replies could not be read.")
    groups: dict[str, list[Any]] = defaultdict(list)
    skills: dict[str, list[Any]] = defaultdict(list)
    for pair in pairs:
        groups[pair[0]["group"]].append(pair)
        skills[pair[0]["skill"]].append(pair)
    return {
        "suite": one["suite"],
        "first": one["model"],
        "second": other["model"],
        "all": _paired(pairs),
        "groups": _many(groups),
        "skills": _many(skills),
        "notes": notes,
    }


def _many(groups: dict[str, list[Any]]) -> dict[str, Any]:
    found = {name: _paired(pairs) for name, pairs in groups.items() if name}
    for one, corrected in zip(found.values(), holm([one["p"] for one in found.values()]), strict=True):
        one["p_corrected"] = corrected
        one["significant"] = corrected < SIGNIFICANT
    return found


def _paired(pairs: list[Any]) -> dict[str, Any]:
    first, second = ([line["score"] for line in side] for side in zip(*pairs, strict=True))
    found = paired(first, second, [line["cluster"] for line, _ in pairs])
    return {
        "first": sum(first) / len(first),
        "second": sum(second) / len(second),
        "difference": found.difference,
        "interval": [_finite(found.low), _finite(found.high)],
        "p": found.p,
        "test": found.test,
        "significant": found.significant,
        "detectable": _finite(found.detectable),
        "n": found.n,
        "clusters": found.clusters,
        "better": sum(b > a for a, b in zip(first, second, strict=True)),
        "worse": sum(b < a for a, b in zip(first, second, strict=True)),
    }


def _finite(value: float) -> float | None:
    return value if value == value else None
