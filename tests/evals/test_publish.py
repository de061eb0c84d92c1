"""Tables in documents are those of the runs, or a check says so."""

import json
from pathlib import Path

import pytest
from test_runs import sees, subject, suite

from clearsight.evals.evaluate import evaluate
from clearsight.evals.item import EvalError
from clearsight.evals.publish import check, publish

DOCUMENT = """# Card

<!-- scores: red -->
old
<!-- end of scores -->

between

<!-- scores: red red -->
<!-- end of scores -->
<!-- scores: red of mini, blindfold -->
<!-- end of scores -->
"""


@pytest.fixture
def card(tmp_path: Path) -> Path:
    path = tmp_path / "card.md"
    path.write_text(DOCUMENT)
    return path


def runs(folder: Path) -> list[Path]:
    evaluate(suite(), subject(sees, "mini"), folder / "mini")
    evaluate(suite(), subject(lambda conversation: "No", "blindfold"), folder / "blindfold")
    return [folder / "mini", folder / "blindfold"]


def test_tables_are_filled_from_runs_and_what_is_between_stays(tmp_path: Path, card: Path) -> None:
    scores = tmp_path / "scores"
    changed = publish(runs(tmp_path), [card], scores)
    assert changed == [
        scores / "red.mini.json",
        scores / "red.blindfold.json",
        card,
    ]
    text = card.read_text()
    assert "\nold\n" not in text and "\nbetween\n" in text
    assert "| all | 40 | 100.0% (" in text and "| | n | mini | blindfold |" in text
    assert text.count("<!-- end of scores -->") == 3
    check([card], scores)
    assert publish(runs(tmp_path), [card], scores) == []


def test_a_table_that_someone_has_edited_is_noticed(tmp_path: Path, card: Path) -> None:
    scores = tmp_path / "scores"
    publish(runs(tmp_path), [card], scores)
    card.write_text(card.read_text().replace("100.0%", "100.1%", 1))
    with pytest.raises(EvalError, match="clearsight eval publish"):
        check([card], scores)


def test_a_score_that_has_changed_is_noticed(tmp_path: Path, card: Path) -> None:
    scores = tmp_path / "scores"
    publish(runs(tmp_path), [card], scores)
    kept = scores / "red.mini.json"
    whole = json.loads(kept.read_text())
    whole["all"]["score"] = 0.5
    kept.write_text(json.dumps(whole))
    with pytest.raises(EvalError, match="not those of"):
        check([card], scores)


def test_scores_that_are_not_there_are_asked_for(tmp_path: Path, card: Path) -> None:
    with pytest.raises(EvalError, match="run clearsight eval red --model mini"):
        check([card], tmp_path / "scores")
    with pytest.raises(EvalError, match="no finished evaluation"):
        publish([tmp_path / "nowhere"], [card], tmp_path / "scores")


def test_the_documents_of_this_repository_say_what_was_measured() -> None:
    check()
