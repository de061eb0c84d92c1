"""A run from questions to results: what is kept, what is asked again, what makes it invalid."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image as PILImage

from clearsight.conversation import Conversation, Image, user
from clearsight.data.verify import Truth
from clearsight.decoding.sampling import Sampling
from clearsight.decoding.text import Answer, ContextError, Usage
from clearsight.evals.comparison import compare
from clearsight.evals.evaluate import evaluate
from clearsight.evals.item import EvalError, Item, unseen
from clearsight.evals.replies import Replies
from clearsight.evals.runner import Progress
from clearsight.evals.subject import Subject
from clearsight.evals.suites import files
from clearsight.evals.suites.suite import Suite

TINY_RUN = Path(__file__).parent / "tiny_run.py"


class Parrot:
    """An engine that answers from a function of the question and whether it sees a picture that is not grey."""

    def __init__(self, answer: Any):
        self.answer, self.asked = answer, 0

    def submit(self, conversation: Conversation, sampling: Sampling) -> Any:
        self.asked += 1
        said = self.answer(conversation)
        if isinstance(said, Exception):
            raise said
        answer = Answer(said, Usage(10, 4, len(said)), "stop")
        return SimpleNamespace(result=lambda: answer, cancel=lambda: None)


def subject(answer: Any, name: str = "parrot") -> Subject:
    return Subject(Parrot(answer), name, name, 3)  # type: ignore[arg-type]


def grey(conversation: Conversation) -> bool:
    pixels = conversation.images[0].pixels
    return pixels is not None and pixels.getpixel((0, 0)) == (128, 128, 128)


def suite(n: int = 40, each: int = 2) -> Suite:
    """Whether a picture is red; `each` questions about every one."""

    def items() -> Iterator[Item]:
        for i in range(n):
            red = i // each % 2 == 0
            picture = PILImage.new("RGB", (8, 8), (250, 0, i) if red else (0, 0, i))
            asked = Conversation((user(Image(pixels=picture), f"Question {i}: is it red?"),))
            truth = Truth("yes or no", "Yes" if red else "No")
            yield Item(
                f"red:{i}", asked, truth, group="colours", skill="colours: red", cluster=f"p{i // each}"
            )

    return Suite("red", items)


def sees(conversation: Conversation) -> str:
    pixels = conversation.images[0].pixels
    assert pixels is not None
    return "Yes" if pixels.getpixel((0, 0))[0] > 100 else "No"  # type: ignore[index]  # grey counts as red


def test_scores_stand_beside_the_control_that_sees_nothing(tmp_path: Path) -> None:
    found = evaluate(suite(), subject(sees), tmp_path)
    assert found["all"]["score"] == 1 and found["all"]["blind"]["score"] == 0.5 and found["all"]["seen"]
    assert found["all"]["n"] == 40 and found["all"]["clusters"] == 20 and found["valid"]
    assert found["all"]["interval"][0] < 0.9, "forty questions about twenty pictures are twenty, not forty"
    assert found["all"]["commonest"] == 0.5
    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert len(lines) == 40 and lines[3]["blind"]["reply"] == "Yes"


def test_a_model_that_never_looks_is_not_said_to_see(tmp_path: Path) -> None:
    found = evaluate(suite(), subject(lambda conversation: "Yes"), tmp_path)
    assert found["all"]["score"] == found["all"]["blind"]["score"] == 0.5 and not found["all"]["seen"]


def test_a_run_with_more_than_five_in_a_hundred_unread_replies_is_invalid(tmp_path: Path) -> None:
    def mumbles(share: int) -> Any:
        return lambda conversation: (
            "hm" if int(conversation.messages[0].text.split()[1][:-1]) < share else "Yes"
        )

    assert evaluate(suite(), subject(mumbles(2), "a"), tmp_path / "a")["valid"]
    found = evaluate(suite(), subject(mumbles(3), "b"), tmp_path / "b")
    assert not found["valid"] and "7.5%" in found["notes"][0]


def test_what_was_answered_is_never_asked_again_and_changes_nothing(tmp_path: Path) -> None:
    first = subject(sees)
    before = evaluate(suite(), first, tmp_path)
    assert first.engine.asked == 80  # type: ignore[union-attr]
    again = subject(sees)
    assert evaluate(suite(), again, tmp_path) == before
    assert again.engine.asked == 0  # type: ignore[union-attr]
    evaluate(suite(), other := subject(sees, "another model"), tmp_path)
    assert other.engine.asked == 80  # type: ignore[union-attr]
    evaluate(suite(), warm := subject(sees), tmp_path, sampling=Sampling(temperature=0.5, seed=1))
    assert warm.engine.asked == 80, "other settings are other answers"  # type: ignore[union-attr]


def test_a_torn_last_line_costs_one_answer(tmp_path: Path) -> None:
    before = evaluate(suite(), subject(sees), tmp_path)
    file = tmp_path / "replies.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    assert evaluate(suite(), again := subject(sees), tmp_path) == before
    assert again.engine.asked == 1  # type: ignore[union-attr]
    assert evaluate(suite(), third := subject(sees), tmp_path) == before
    assert third.engine.asked == 0, "the torn line did not spoil the one behind it"  # type: ignore[union-attr]


def test_two_runs_do_not_write_into_one_folder(tmp_path: Path) -> None:
    with Replies(tmp_path / "replies.jsonl"), pytest.raises(EvalError, match="another evaluation"):
        evaluate(suite(), subject(sees), tmp_path)


def test_a_question_too_long_for_the_model_is_counted_and_does_not_end_the_run(tmp_path: Path) -> None:
    def long(conversation: Conversation) -> Any:
        return (
            ContextError("too long") if "Question 0:" in conversation.messages[0].text else sees(conversation)
        )

    found = evaluate(suite(), subject(long), tmp_path)
    assert (
        found["all"]["failed"] == 1 and found["all"]["unread"] == 1 / 40 and found["all"]["score"] == 39 / 40
    )


def test_progress_tells_what_is_left_and_paid(tmp_path: Path) -> None:
    told: list[tuple[int, int, float]] = []

    def show(now: Progress) -> None:
        told.append((now.done, now.total, now.price(1.0, 2.0)))

    evaluate(suite(), subject(sees), tmp_path, show=show)
    assert [done for done, *_ in told] == list(range(1, 81)) and told[-1][1] == 80
    assert told[-1][2] == pytest.approx((80 * 10 + 2 * (60 * 3 + 20 * 2)) / 1e6)


def test_the_control_by_name_shows_no_picture() -> None:
    item = unseen(next(suite().items()), "name")
    assert not item.conversation.images and "IMAGE: " in item.question and ".jpg" in item.question
    grey_one = unseen(next(suite().items()), "grey")
    assert grey(grey_one.conversation) and grey_one.conversation.images[0].pixels.size == (8, 8)  # type: ignore[union-attr]


# ---------------------------------------------------------------------------------------------------
# Comparison


def test_the_same_model_twice_differs_in_nothing(tmp_path: Path) -> None:
    for name in "ab":
        evaluate(suite(), subject(sees, name), tmp_path / name)
    found = compare(tmp_path / "a", tmp_path / "b")
    assert found["all"]["p"] == 1 and not found["all"]["significant"] and found["all"]["better"] == 0


def test_a_worse_model_is_found_worse_on_the_same_questions(tmp_path: Path) -> None:
    evaluate(suite(), subject(sees, "good"), tmp_path / "a")
    evaluate(suite(), subject(lambda conversation: "Yes", "bad"), tmp_path / "b")
    found = compare(tmp_path / "a", tmp_path / "b")
    assert found["all"]["difference"] == -0.5 and found["all"]["significant"] and found["all"]["worse"] == 20
    assert found["groups"]["colours"]["p_corrected"] >= found["groups"]["colours"]["p"]
    assert "sign flips" in found["all"]["test"]


def test_runs_of_other_questions_are_not_compared(tmp_path: Path) -> None:
    evaluate(suite(), subject(sees), tmp_path / "a")
    evaluate(suite(each=4), subject(sees), tmp_path / "b")
    found = compare(tmp_path / "a", tmp_path / "b")
    assert found["all"]["n"] < 40 and "the same in both" in found["notes"][0]
    with pytest.raises(EvalError, match="holds no finished evaluation"):
        compare(tmp_path / "a", tmp_path / "c")


# ---------------------------------------------------------------------------------------------------
# Files


def write(folder: Path, *rows: dict[str, Any]) -> Path:
    for name, colour in (("a.png", (250, 0, 0)), ("b.png", (0, 0, 250))):
        PILImage.new("RGB", (40, 30), colour).save(folder / name)
    path = folder / "mine.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    return path


def test_a_users_file_becomes_questions(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {"image": "a.png", "question": "What colour?", "answer": "red", "skill": "colour", "id": "first"},
        {
            "image": ["a.png", "b.png"],
            "question": "Which is red?",
            "answer": "A",
            "choices": ["left", "right"],
        },
        {"image": "a.png", "question": "How many?", "truth": {"kind": "number", "answer": "one", "value": 1}},
        {"image": "a.png", "question": "What?", "answer": ["red"] * 9 + ["crimson"], "metric": "vqa"},
        {"question": "2 + 2?", "answer": "4"},
    )
    first, choice, number, people, alone = files.load(path).items()
    assert (first.id, first.skill, first.metric, first.group) == ("first", "colour", "exact", "mine")
    assert (
        choice.metric == "choice" and choice.truth.answer == "left" and len(choice.conversation.images) == 2
    )
    assert number.metric == "judged" and number.truth.value == 1
    assert people.truth.value == ["red"] * 9 + ["crimson"]
    assert first.cluster == number.cluster != choice.cluster and alone.cluster == alone.id


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"image": "c.png", "question": "What?", "answer": "x"}, "line 2.*c.png is not in"),
        ({"image": "a.png", "question": "What?"}, "line 2.*unknown shape"),
        ({"image": "a.png", "question": "What?", "answer": "x", "metric": "bleurt"}, "line 2.*no metric"),
        ({"image": "a.png", "question": "What?", "truth": {"kind": "number"}}, "line 2.*answer"),
        ({"question": "Again?", "answer": "x", "id": "same"}, "line 2.*ids are unique"),
    ],
)
def test_a_row_that_can_not_be_used_is_an_error_with_its_line(
    tmp_path: Path, row: dict[str, Any], message: str
) -> None:
    path = write(tmp_path, {"question": "2 + 2?", "answer": "4", "id": "same"}, row)
    with pytest.raises(EvalError, match=message):
        list(files.load(path).items())


def test_a_killed_run_goes_on_and_ends_with_the_same_numbers(tmp_path: Path) -> None:
    """SIGKILL in the middle of a run of the real engine; what it would have said is what it says."""
    rows = [{"image": f"{'ab'[i % 2]}.png", "question": f"What is {i}?", "answer": str(i)} for i in range(60)]
    path = write(tmp_path, *rows)
    command = [sys.executable, str(TINY_RUN), str(path)]
    subprocess.run([*command, str(tmp_path / "whole")], check=True, timeout=300)
    killed, replies = tmp_path / "killed", tmp_path / "killed" / "replies.jsonl"
    process = subprocess.Popen([*command, str(killed)])
    deadline = time.monotonic() + 300
    while not replies.exists() or replies.read_bytes().count(b"\n") < 20:
        assert process.poll() is None and time.monotonic() < deadline, (
            "the run ended before it could be killed"
        )
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (killed / "summary.json").exists()
    answered = replies.read_bytes().count(b"\n")
    assert 20 <= answered < 120
    subprocess.run([*command, str(killed)], check=True, timeout=300)
    assert (killed / "results.jsonl").read_text() == (tmp_path / "whole" / "results.jsonl").read_text()
    whole, resumed = (json.loads((tmp_path / n / "summary.json").read_text()) for n in ("whole", "killed"))
    assert whole == resumed
    assert replies.read_bytes().count(b"\n") <= 121, "no answer was asked for twice, but for a torn one"
