"""The pages of metrics say what the metrics compute, and there is one for each."""

import re
import shutil
from pathlib import Path

import pytest

from clearsight.evals.metrics.by_name import METRICS
from docs.metrics import tables

PAGES = sorted(path.stem for path in tables.HERE.glob("*.md"))


def test_the_tables_of_the_pages_are_what_the_metrics_compute(capsys: pytest.CaptureFixture[str]) -> None:
    assert tables.main(check=True) == 0, capsys.readouterr().err


def test_a_page_that_is_out_of_date_is_found_and_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in PAGES:
        shutil.copy(tables.HERE / f"{name}.md", tmp_path)
    monkeypatch.setattr(tables, "HERE", tmp_path)
    right = (tmp_path / "anls.md").read_text()
    (tmp_path / "anls.md").write_text(right.replace("| 0.92 |", "| 0.93 |"))
    assert tables.main(check=True) == 1 and "out of date: anls;" in capsys.readouterr().err
    assert tables.main(check=False) == 0 and (tmp_path / "anls.md").read_text() == right
    (tmp_path / "anls.md").write_text(right.replace("table: golden", "table: silver"))
    with pytest.raises(ValueError, match=r"anls.md has the tables \['silver', 'generated'\]"):
        tables.main(check=True)


def test_every_metric_has_a_page_that_is_linked() -> None:
    assert sorted(tables.TABLES) == PAGES
    titles = {name: (tables.HERE / f"{name}.md").read_text().splitlines()[0] for name in PAGES}
    named = {metric for title in titles.values() for metric in re.findall(r"`(\w+)`", title)}
    assert set(METRICS) - {"ocrbench formula"} == named
    index = (tables.HERE.parent / "evals.md").read_text()
    assert set(re.findall(r"\(metrics/(\w+)\.md\)", index)) == set(PAGES)
    for name in PAGES:
        text = (tables.HERE / f"{name}.md").read_text()
        assert "**Unread**" in text and all(page in PAGES for page in re.findall(r"\]\((\w+)\.md\)", text))
