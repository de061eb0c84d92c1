"""The page and the table of a run, as someone reads them who was not there."""

import base64
import hashlib
import html
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from test_runs import sees, subject, suite

from clearsight.conversation import Conversation
from clearsight.evals import report
from clearsight.evals.evaluate import evaluate

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def mixed(conversation: Conversation) -> str:
    """Right, wrong and unread in turns; one reply alone speaks of a lighthouse."""
    number = int(conversation.messages[0].text.split()[1].rstrip(":"))
    if number % 3 == 0:
        return sees(conversation)
    return "No <script> Yes" if number % 3 == 1 else "a lighthouse" if number == 5 else "hm"


def test_the_page_shows_wrong_answers_with_their_pictures_and_needs_nothing_else(tmp_path: Path) -> None:
    evaluate(suite(), subject(lambda conversation: "Yes <script>"), tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "Yes &lt;script&gt;" in page
    assert page.count('src="data:image/jpeg;base64,') == 6
    assert not re.search(r'(?:src|href)="(?!data:)', page), "a page sent by mail must be whole"
    assert "50.0% (" in page and page.count("<circle") == 2 * 2
    assert re.findall(r"<h(\d)>", page)[0] == "1"


def test_the_only_script_is_the_pages_own_and_nothing_may_be_loaded(tmp_path: Path) -> None:
    evaluate(suite(), subject(mixed), tmp_path)
    page = (tmp_path / "report.html").read_text()
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert f"script-src 'sha256-{digest}'" in policy and policy.startswith("default-src 'none'")
    assert "http" not in script and 'id="filters" role="search"' in page
    form = page[page.index("<form") : page.index("</form>")]
    assert re.findall(r'<label for="(\w+)"', form) == re.findall(r'<(?:select|input) id="(\w+)"', form) != []
    assert " hidden>" in form.split(">")[0] + ">", "without a script there is no form that does nothing"


def test_long_runs_stay_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate(suite(120), subject(mixed), tmp_path)
    assert (tmp_path / "report.html").read_text().count("<article") == 120
    monkeypatch.setattr(report, "ANSWERS", 20)
    report.write(tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert page.count("<article") == 20 and "Of 120 answers 20 are on this page" in page
    assert page.count('data-state="right"') == 0, "wrong answers come first"


def found(page: Path, tmp_path: Path, **asked: str) -> dict[str, Any]:
    """What a browser shows once the form is filled in: by a second script, which the page's policy is taken off for."""
    fill = "".join(f"form.{name}.value = {value!r};" for name, value in asked.items())
    text = re.sub(r"<meta http-equiv=[^>]*>", "", page.read_text()).replace(
        "</body>",
        f"<script>{{const form = document.getElementById('filters'); {fill}"
        "form.dispatchEvent(new Event('input'));}</script></body>",
    )
    changed = tmp_path / "changed.html"
    changed.write_text(text)
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000"]
    done = subprocess.run(
        [*command, "--dump-dom", changed.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    dom = done.stdout
    shown = [m[0] for m in re.finditer(r"<article [^>]*>", dom) if "hidden" not in m[0]]
    return {
        "told": html.unescape(re.findall(r"<output[^>]*>(.*?)</output>", dom)[0]),
        "states": sorted(re.findall(r'data-state="(\w+)"', " ".join(shown))),
        "open": len(re.findall(r"<details[^>]* open", dom)),
        "form": "hidden" not in re.findall(r"<form [^>]*>", dom)[0],
    }


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to open the page with")
def test_answers_are_found_by_state_word_and_skill(tmp_path: Path) -> None:
    evaluate(suite(12), subject(mixed), tmp_path)
    page = tmp_path / "report.html"
    nothing = found(page, tmp_path)
    assert nothing["form"] and nothing["told"] == "1 of 1 skills and 12 of 12 answers on this page."
    assert nothing["open"] == 0
    unread = found(page, tmp_path, state="unread")
    assert (
        set(unread["states"]) == {"unread"}
        and f"{len(unread['states'])} of 12 answers found" in unread["told"]
    )
    word = found(page, tmp_path, word="LightHouse")
    assert word["told"] == "1 of 1 skills and 1 of 12 answers found." and word["open"] == 1
    assert found(page, tmp_path, word="zebra")["told"] == "0 of 1 skills and 0 of 12 answers found."
    assert "12 of 12 answers found" in found(page, tmp_path, place="scolours: red")["told"]


def test_the_table_for_a_readme_holds_every_group(tmp_path: Path) -> None:
    evaluate(suite(), subject(sees), tmp_path)
    lines = (tmp_path / "report.md").read_text().splitlines()
    assert (
        len(lines) == 4
        and lines[2].startswith("| all | 40 | 100.0% (")
        and lines[3].startswith("| colours |")
    )
    assert all(line.count("|") == 8 for line in lines)
