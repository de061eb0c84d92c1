"""The page and the table of a run, as someone reads them who was not there."""

import re
from pathlib import Path

from test_runs import sees, subject, suite

from clearsight.evals.evaluate import evaluate


def test_the_page_shows_wrong_answers_with_their_pictures_and_needs_nothing_else(tmp_path: Path) -> None:
    evaluate(suite(), subject(lambda conversation: "Yes <script>"), tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "<script" not in page and "Yes &lt;script&gt;" in page
    assert page.count('src="data:image/jpeg;base64,') == 6
    assert not re.search(r'(?:src|href)="(?!data:)', page), "a page sent by mail must be whole"
    assert "50.0% (" in page and page.count("<circle") == 2 * 2
    assert re.findall(r"<h(\d)>", page)[0] == "1"


def test_the_table_for_a_readme_holds_every_group(tmp_path: Path) -> None:
    evaluate(suite(), subject(sees), tmp_path)
    lines = (tmp_path / "report.md").read_text().splitlines()
    assert (
        len(lines) == 4
        and lines[2].startswith("| all | 40 | 100.0% (")
        and lines[3].startswith("| colours |")
    )
    assert all(line.count("|") == 8 for line in lines)
