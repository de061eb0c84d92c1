"""Exams: how they are asked, graded and reported, and that a held-out one is run once."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as PILImage
from test_runs import subject

from clearsight.conversation import Conversation
from clearsight.decoding.sampling import Sampling
from clearsight.evals.evaluate import evaluate
from clearsight.evals.item import EvalError
from clearsight.evals.metrics.by_name import MetricError, by_name
from clearsight.evals.metrics.rubric import rubric
from clearsight.evals.suites import exam
from clearsight.evals.suites.by_name import by_name as suite_by_name

EXAMPLE = Path(__file__).parents[2] / "docs" / "exam"
CHOICES = {
    "section": "Choices",
    "kind": "multiple choice",
    "instructions": "One choice is right.",
    "examples": [
        {
            "image": "b.png",
            "question": "Which colour?",
            "choices": ["red", "blue"],
            "explanation": "The whole picture is blue.",
            "answer": "B",
        }
    ],
    "questions": [
        {"image": "a.png", "question": "Which colour?", "choices": ["red", "blue"], "answer": "red"},
        {"question": "What is 2 + 2?", "choices": ["3", "4"], "answer": "B", "points": 2, "skill": "sums"},
    ],
}
FACTS = [
    {"fact": "it is red", "any": ["red", "crimson"], "never": ["blue"], "points": 3},
    {"fact": "one square", "any": ["1"]},
]
FREE = {
    "section": "Words",
    "kind": "free response",
    "questions": [
        {"image": "a.png", "question": "What is shown?", "facts": FACTS, "points": 4},
        {"image": "b.png", "question": "What colour is it?", "answer": ["blue", "azure"]},
    ],
}


def write(folder: Path, *sections: dict[str, Any], name: str = "exam.json", **more: Any) -> Path:
    for file, colour in (("a.png", (250, 0, 0)), ("b.png", (0, 0, 250))):
        PILImage.new("RGB", (40, 30), colour).save(folder / file)
    (folder / name).write_text(json.dumps({"exam": "Colours", "sections": list(sections), **more}))
    return folder


def answers(conversation: Conversation) -> str:
    """Explains where it is asked to; knows the letters, and of the rubric only the colour when it sees it."""
    asked = conversation.messages[-1].text
    if asked.endswith(exam.EXPLAIN):
        return "Because of the colour." if conversation.messages[-1].images else "I only know a name."
    if asked == exam.LETTER:
        assert conversation.messages[-2].role == "assistant"
        question = conversation.messages[-3]
        return "B" if "2 + 2" in question.text else "A" if question.images else "B"
    return "A red thing." if conversation.images else "Nothing."


def test_points_are_told_by_section_beside_those_of_the_control(tmp_path: Path) -> None:
    found = evaluate(exam.load(write(tmp_path, CHOICES, FREE)), subject(answers), tmp_path / "run")
    assert found["all"]["points"]["of"] == 8
    choices, words = found["groups"]["Choices"]["points"], found["groups"]["Words"]["points"]
    assert (choices["got"], choices["of"], choices["blind"]["got"]) == (3, 3, 2)
    assert (words["got"], words["of"], words["blind"]["got"]) == (3, 5, 0)
    assert words["share"] == pytest.approx(0.6) and words["interval"][0] <= 0.6 <= words["interval"][1]
    assert found["settings"]["control"] == "name" and found["settings"]["temperature of explanations"] == 0.3
    page, table = ((tmp_path / "run" / name).read_text() for name in ("report.html", "report.md"))
    assert "Points by section" in page and "| Words | 3 | 5 | 60.0% (" in table


def test_the_letter_is_asked_after_the_explanation_and_both_are_kept(tmp_path: Path) -> None:
    asked: list[tuple[Conversation, Sampling]] = []
    model = subject(answers)
    submit = model.engine.submit

    def noted(conversation: Conversation, sampling: Sampling) -> Any:
        asked.append((conversation, sampling))
        return submit(conversation, sampling)

    model.engine.submit = noted  # type: ignore[method-assign]
    evaluate(exam.load(write(tmp_path, CHOICES)), model, tmp_path / "run", blind=False)
    assert [sampling.temperature for _, sampling in asked] == [0.3, 0.3, 0, 0]
    first, then = asked[0][0].messages, asked[2][0].messages
    assert [m.text for m in first[1:4]] == ["The whole picture is blue.", exam.LETTER, "B"], (
        "a solved example"
    )
    assert first[0].text.startswith("One choice is right.\nWhich colour?\nA. red\nB. blue")
    assert then[: len(first)] == first and then[-2].text == "Because of the colour."
    line = json.loads((tmp_path / "run" / "results.jsonl").read_text().splitlines()[0])
    assert line["explanation"] == "Because of the colour." and line["reply"] == "A" and line["points"] == 1


def test_the_control_sees_names_instead_of_pictures_in_examples_too(tmp_path: Path) -> None:
    seen: list[str] = []

    def blind(conversation: Conversation) -> str:
        if not conversation.images:
            seen.append(conversation.messages[0].text)
        return answers(conversation)

    evaluate(exam.load(write(tmp_path, CHOICES)), subject(blind), tmp_path / "run")
    assert seen and all(text.startswith("IMAGE: ") and ".jpg\n" in text for text in seen)
    lines = (tmp_path / "run" / "results.jsonl").read_text().splitlines()
    assert [json.loads(line)["blind"]["explanation"] for line in lines] == ["I only know a name."] * 2


def test_questions_are_not_one_cluster_for_showing_the_same_example(tmp_path: Path) -> None:
    first, second = exam.load(write(tmp_path, CHOICES)).items()
    assert first.cluster != second.cluster and second.cluster == second.id
    assert len(first.pictures) == 1 and not second.pictures


def test_a_killed_exam_asks_nothing_twice(tmp_path: Path) -> None:
    suite = exam.load(write(tmp_path, CHOICES, FREE))
    before = evaluate(suite, subject(answers), tmp_path / "run")
    kept = tmp_path / "run" / "replies.jsonl"
    kept.write_text("\n".join(kept.read_text().splitlines()[:-2]) + "\n")
    assert evaluate(suite, again := subject(answers), tmp_path / "run") == before
    assert again.engine.asked == 2  # type: ignore[union-attr]


def test_lines_say_the_same_as_one_object(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"exam": "Colours", "held_out": True}]
    for section in (CHOICES, FREE):
        rows.append({k: v for k, v in section.items() if k not in ("examples", "questions")})
        rows += [*section.get("examples", []), *section["questions"]]  # type: ignore[misc]
    folder = write(tmp_path, CHOICES, FREE, held_out=True)
    (tmp_path / "lines.jsonl").write_text("\n".join(map(json.dumps, rows)))
    whole, lines = exam.load(folder), exam.load(tmp_path / "lines.jsonl")
    assert whole.held_out and lines.held_out and whole.name == lines.name == "exam-colours"
    assert list(whole.items()) == list(lines.items())


# ---------------------------------------------------------------------------------------------------
# Held out


def test_a_held_out_exam_is_run_once_by_a_model(tmp_path: Path) -> None:
    suite, run = exam.load(write(tmp_path, CHOICES, held_out=True)), tmp_path / "run"
    assert "first run" in evaluate(suite, subject(answers), run)["notes"][0]
    with pytest.raises(EvalError, match=r"held out.*sat it on 20.*--again"):
        evaluate(suite, subject(answers), run)
    with pytest.raises(EvalError, match="held out"):
        evaluate(suite, subject(answers), run, sampling=Sampling(temperature=1.0))
    assert "first run" in evaluate(suite, subject(answers, "another"), run)["notes"][0]
    found = evaluate(suite, subject(answers), run, again=True)
    assert "run 2" in found["notes"][0] and "run 2" in (run / "report.html").read_text()
    ledger = [json.loads(line) for line in (run / "held_out.jsonl").read_text().splitlines()]
    assert [(one["name"], one["run"]) for one in ledger] == [("parrot", 1), ("another", 1), ("parrot", 2)]


def test_a_held_out_exam_that_was_stopped_goes_on(tmp_path: Path) -> None:
    suite, run = exam.load(write(tmp_path, CHOICES, held_out=True)), tmp_path / "run"

    def stopped(conversation: Conversation) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(suite, subject(stopped), run)
    assert evaluate(suite, subject(answers), run)["valid"]


# ---------------------------------------------------------------------------------------------------
# What can't be used


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"kind": "essay"}, "section 'Words': kind is 'multiple choice' or 'free response', not 'essay'"),
        ({"question": []}, "unknown 'question'; did you mean 'questions'"),
        ({"questions": []}, "has no questions"),
        ({"questions": [{"question": "What?"}]}, "question 1: .*one of truth, answer or facts"),
        ({"questions": [{"question": "What?", "answer": "x", "image": "c.png"}]}, "c.png is not in"),
        ({"questions": [{"question": "What?", "answer": "x", "points": 0}]}, "points are a number above 0"),
        ({"questions": [{"question": "What?", "facts": ["red"]}]}, "a rubric is a list of facts"),
        ({"questions": [{"question": "What?", "truth": {"answer": "x"}}]}, "question 1: kind is missing"),
        ({"questions": [{"answer": "x"}]}, "question 1: question is missing"),
        ({"kind": "multiple choice"}, "question 1: choices is missing"),
        ({"examples": [{}]}, "examples with explanations belong to"),
    ],
)
def test_an_exam_that_can_not_be_used_is_an_error_with_its_place(
    tmp_path: Path, section: dict[str, Any], message: str
) -> None:
    with pytest.raises(EvalError, match=message):
        list(exam.load(write(tmp_path, {**FREE, **section})).items())


def test_an_answer_that_is_no_choice_and_a_missing_exam_are_explained(tmp_path: Path) -> None:
    wrong = {"questions": [{"question": "?", "choices": ["a cat", "a dog"], "answer": "C"}]}
    with pytest.raises(EvalError, match="'C' is neither a choice nor the letter of one"):
        list(exam.load(write(tmp_path, {**CHOICES, **wrong})).items())
    with pytest.raises(EvalError, match=r"is no exam; give a \.json"):
        suite_by_name(f"exam:{tmp_path / 'nothing'}")
    with pytest.raises(EvalError, match="two sections have the same name"):
        exam.load(write(tmp_path, FREE, FREE))
    with pytest.raises(EvalError, match="held_out is true or false"):
        exam.load(write(tmp_path, FREE, held_out="yes"))


# ---------------------------------------------------------------------------------------------------
# The rubric


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ("One red square.", 1.0),
        ("There is a crimson square, just 1.", 1.0),
        ("It is red.", 0.75),
        ("It is not red.", 0.0),
        ("It isn't really red", 0.0),
        ("It is red and blue.", 0.0),
        ("a single thing, reddish", 0.0),
        ("There are 11.", 0.0),
    ],
)
def test_a_rubric_gives_points_for_each_fact_that_is_stated(reply: str, score: float) -> None:
    scored = rubric(reply, FACTS)
    assert scored.score == score and scored.parsed and scored.under["all facts"] == float(score == 1)


def test_an_empty_reply_to_a_rubric_is_unread_and_a_rubric_needs_forms() -> None:
    assert not rubric(" ", FACTS).parsed
    truth = next(iter(exam.load(EXAMPLE).items())).truth
    with pytest.raises(MetricError, match="a rubric is a list of facts"):
        by_name("rubric").score("x", truth)


def test_the_right_answers_of_the_example_exam_get_all_points() -> None:
    items = list(exam.load(EXAMPLE).items())
    assert {item.metric for item in items} == {"choice", "judged", "exact", "rubric"}
    for item in items:
        if item.metric == "rubric":
            said = " ".join(fact["any"][0] for fact in item.truth.value)
        else:
            said = item.truth.answer
        assert by_name(item.metric).score(said, item.truth).score == 1, item.id
