"""Reading: programs that read are asked the same, and single lines are whole."""

import shutil
from collections import Counter

import pytest

from clearsight.evals.item import EvalError
from clearsight.evals.metrics.by_name import by_name
from clearsight.evals.readers import READERS
from clearsight.evals.runner import run
from clearsight.evals.subject import opened
from clearsight.evals.suites import reading


def test_the_suite_has_as_many_questions_of_each_group_and_right_answers_are_right() -> None:
    items = list(reading.suite(4).items())
    groups = Counter(item.group for item in items)
    assert groups.pop("in real pictures") > 100 and set(groups.values()) == {4}
    assert len({item.id for item in items}) == len(items) and len(groups) == 1 + len(reading.LARGER)
    for item in items:
        assert by_name(item.metric).score(item.truth.answer, item.truth).score == 1, item.id


def test_a_single_line_is_cut_out_of_a_larger_picture() -> None:
    for item in reading._lines(4):
        (picture,) = item.conversation.images
        assert picture.pixels is not None and min(picture.pixels.size) < 448


@pytest.mark.parametrize("name", READERS)
def test_a_reader_reads_lines_that_were_drawn(name: str, tmp_path) -> None:
    if name == "tesseract" and shutil.which(name) is None:
        pytest.skip("tesseract is not installed")
    with opened(name) as subject:
        judged = run(reading.suite(6), subject, tmp_path, blind=False, limit=6)
    lines = [one.scored.score for one in judged]
    assert sum(lines) / len(lines) > 0.5, [(one.item.truth.answer, one.reply.text) for one in judged]


def test_a_reader_that_is_not_installed_is_explained(monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EvalError, match="apt-get install tesseract-ocr"), opened("tesseract"):
        pass
