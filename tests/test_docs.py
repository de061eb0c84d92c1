"""The pages about the server say what the code does: computed tables are fresh, and tests that are named exist."""

import re
from pathlib import Path

from docs import pages, tables

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def test_computed_tables_are_those_of_the_code() -> None:
    for name in tables.TABLES:
        page = (DOCS / f"{name}.md").read_text(encoding="utf-8")
        assert pages.written(DOCS, tables.TABLES, name) == page, (
            f"{name}.md is out of date; run python -m docs.tables"
        )


def test_every_defence_names_a_test_that_exists() -> None:
    page = (DOCS / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"(tests/\S+?\.py)::(\w+)", page)
    assert len(named) > 30
    for file, name in named:
        source = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {name}\(", source, re.M), f"{file} has no {name}"


def test_files_and_metrics_that_are_named_exist() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "clearsight").rglob("*.py"))
    for name in ("operations", "security", "api"):
        page = (DOCS / f"{name}.md").read_text(encoding="utf-8")
        for path in re.findall(r"`((?:deploy|requirements|benchmarks|tests)/[\w./-]+)`", page):
            assert (ROOT / path).exists(), f"{name}.md names {path}"
        for path in re.findall(r"\]\((\w+\.md)\)", page):
            assert (DOCS / path).exists(), f"{name}.md links to {path}"
        for metric in re.findall(r"`(clearsight_[a-z_]+)", page):
            short = re.sub(r"^clearsight_(engine_|upstream_)?|_total$", "", metric)
            assert re.search(rf"\b(clearsight_)?{short}\b", sources), f"{name}.md names {metric}"


def test_the_example_of_costs_is_computed_right() -> None:
    page = (DOCS / "operations.md").read_text(encoding="utf-8")
    assert "1000 x 0.4 / 3600 x 0.10 / 0.5 = 0.022" in page
    assert round(1000 * 0.4 / 3600 * 0.10 / 0.5, 3) == 0.022
