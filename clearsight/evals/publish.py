"""The tables of documents, written from runs: nothing is typed over, and a check says when the two differ.

    clearsight eval publish runs/eval/mini/mini runs/eval/mini/dawn     keeps both in docs/scores, fills the tables
    clearsight eval publish --check                                     fails when a table is not what docs/scores says

A document holds a table between two marks:

    <!-- scores: mini -->  ...  <!-- end of scores -->            a line for each group
    <!-- scores: mini dawn real -->  ...                          a line for each suite
    <!-- scores: reading of mini, tesseract, pp-ocr -->  ...      a column for each model

Unless it says otherwise a table is about the model `mini`.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clearsight.evals.comparison import read_run
from clearsight.evals.item import EvalError
from clearsight.evals.report import markdown, markdown_table, share
from clearsight.files import replace_file

MODEL = "mini"
DOCUMENTS = (Path("README.md"), Path("docs/model_card.md"))
SCORES = Path("docs/scores")
BEGIN, END = "<!-- scores: {} -->", "<!-- end of scores -->"
BLOCK = re.compile(r"<!-- scores: (?P<what>[^>]+?) -->\n.*?<!-- end of scores -->", re.DOTALL)
OF = " of "
SHOWN = ("n", "clusters", "score", "interval", "blind", "commonest", "unread", "seen")
DIGITS = 4


def publish(
    runs: Sequence[Path],
    documents: Sequence[Path] = DOCUMENTS,
    scores: Path = SCORES,
) -> list[Path]:
    """Keep the summaries of finished runs in `scores` and fill the tables; returns the files that changed.

    Raises EvalError for a folder without a run and for a table whose scores are not there.
    """
    changed = [path for folder in runs if (path := _kept(folder, scores)) is not None]
    for document, text in _outdated(documents, scores).items():
        replace_file(document, text)
        changed.append(document)
    return changed


def check(documents: Sequence[Path] = DOCUMENTS, scores: Path = SCORES) -> None:
    """Raises EvalError when a table is not what `publish` would write."""
    for document in _outdated(documents, scores):
        raise EvalError(f"the tables in {document} are not those of {scores}; run clearsight eval publish")


def _kept(folder: Path, scores: Path) -> Path | None:
    """The file a run's summary was kept in, or None when it was there already."""
    found, _ = read_run(folder)
    path = scores / f"{found['suite']}.{found['model']}.json"
    text = json.dumps(_rounded(_shortened(found)), indent=1, ensure_ascii=False) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, text)
    return path


def _shortened(found: dict[str, Any]) -> dict[str, Any]:
    """A summary without what no table shows."""
    kept = {
        key: found[key] for key in ("suite", "about", "model", "valid", "notes", "settings", "fingerprints")
    }
    groups = {name: _short(one) for name, one in found["groups"].items()}
    return kept | {"all": _short(found["all"]), "groups": groups}


def _short(one: dict[str, Any]) -> dict[str, Any]:
    kept = {key: one[key] for key in SHOWN if key in one}
    if "blind" in kept:
        kept["blind"] = {key: kept["blind"][key] for key in ("score", "interval")}
    return kept


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value


def _outdated(documents: Sequence[Path], scores: Path) -> dict[Path, str]:
    """The documents whose tables are not those of `scores`, with the text that they should have."""
    outdated = {}
    for document in documents:
        if not document.exists():
            raise EvalError(f"there is no {document}; run this from the repository, or name a --document")
        text = document.read_text(encoding="utf-8")
        filled = BLOCK.sub(lambda found: _block(found["what"], scores), text)
        if filled != text:
            outdated[document] = filled
    return outdated


def _block(what: str, scores: Path) -> str:
    return f"{BEGIN.format(what)}\n{_table(what, scores)}\n{END}"


def _table(what: str, scores: Path) -> str:
    if OF in what:
        suite, _, models = what.partition(OF)
        return _by_model([_read(suite, model.strip(), scores) for model in models.split(",")])
    suites = [_read(suite, MODEL, scores) for suite in what.split()]
    if len(suites) == 1:
        return markdown(suites[0]).rstrip()
    return markdown_table([(found["suite"], found["all"]) for found in suites])


def _by_model(runs: Sequence[dict[str, Any]]) -> str:
    """Groups that every model was asked, a column for each model."""
    lines = ["| | n | " + " | ".join(run["model"] for run in runs) + " |", "|---|---:|" + "---|" * len(runs)]
    for name, one in runs[0]["groups"].items():
        cells = [share(run["groups"][name]) if name in run["groups"] else "" for run in runs]
        lines.append(f"| {name} | {one['n']:,} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _read(suite: str, model: str, scores: Path) -> dict[str, Any]:
    path = scores / f"{suite}.{model}.json"
    if not path.exists():
        raise EvalError(
            f"a table is to show {suite} of {model}, and {path} is not there; run clearsight eval {suite} "
            f"--model {model}, then clearsight eval publish with its folder"
        )
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
