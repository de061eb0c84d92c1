"""Exams with pictures: sections of multiple choice and free response, points, and a control that knows file names.

    {"exam": "Signs", "held_out": true, "sections": [
      {"section": "Choices", "kind": "multiple choice",
       "examples": [{"image": "a.png", "question": "Which?", "choices": ["a bar", "a pie"],
                     "explanation": "Slices of one circle.", "answer": "B"}],
       "questions": [{"image": "b.png", "question": "Which?", "choices": ["up", "down"], "answer": "A", "points": 2}]},
      {"section": "Words", "kind": "free response", "instructions": "Answer in one sentence.", "questions": [
        {"image": "c.png", "question": "How many?", "truth": {"kind": "number", "answer": "three", "value": 3}},
        {"image": "c.png", "question": "Why?", "points": 4, "facts": [
          {"fact": "the valve is shut", "any": ["shut", "closed"], "never": ["open"], "points": 3},
          {"fact": "names the valve", "any": ["V2", "second valve"]}]}]}]}

As JSONL the sections come without "questions", and every question or example has a line of its own behind its section,
an example with "explanation". Pictures lie beside the file. It is asked as the exams of the GPT-4 technical report
were (2023, appendix A): of choices the model first explains, at temperature 0.3 and after solved examples, then names
a letter; in the control a meaningless file name stands for each picture. Free response is judged by its truth or
answer, or by a rubric of facts (metrics/rubric.py).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from clearsight.conversation import Conversation, ConversationError, Image, Message, assistant, user
from clearsight.data.sources.contract import Unusable, picture
from clearsight.data.sources.image_folder import finder
from clearsight.data.sources.rows import Load
from clearsight.data.verify import Truth
from clearsight.evals.item import EvalError, Item, Reasoning
from clearsight.evals.metrics.by_name import by_name
from clearsight.evals.suites.suite import Suite
from clearsight.processing.images import ImageError

Row = Mapping[str, Any]
CHOICES, FREE = "multiple choice", "free response"
EXPLAIN = "\nExplain step by step which choice is right."
LETTER = "So which choice is it? Answer with its letter only."
LETTER_TOKENS, FREE_TOKENS = 16, 256
_EXAM = ("exam", "held_out", "sections")
_SECTION = ("section", "kind", "instructions", "examples", "questions")
_EXAMPLE = ("image", "question", "choices", "explanation", "answer")
_QUESTION = (
    *("id", "image", "question", "answer", "points", "skill", "cluster"),
    *("choices", "truth", "facts", "max_tokens"),
)


def load(path: Path) -> Suite:
    """The exam in a file, or in a folder's exam.json or exam.jsonl. Raises EvalError for one that can't be used."""
    file = path
    if path.is_dir():
        file = next((path / name for name in ("exam.json", "exam.jsonl") if (path / name).is_file()), path)
    if not file.is_file():
        raise EvalError(f"{path} is no exam; give a .json or .jsonl file, or a folder with exam.json in it")
    exam = _read(file)
    _check_keys(exam, _EXAM, file.name)
    title = str(exam.get("exam") or file.stem)
    held_out = exam.get("held_out", False)
    if not isinstance(held_out, bool):
        raise EvalError(f"{file.name}: held_out is true or false, not {held_out!r}")
    sections = exam.get("sections")
    if not isinstance(sections, list) or not sections:
        raise EvalError(f"{file.name}: an exam has a list of sections; see docs/evals.md")
    names = [str(one.get("section")) if isinstance(one, Mapping) else "" for one in sections]
    if len(set(names)) < len(names):
        raise EvalError(f"{file.name}: two sections have the same name; give each its own")
    name = "exam-" + (re.sub(r"[^\w-]+", "-", title.lower()).strip("-") or "unnamed")
    about = f"{title}, an exam of {len(sections)} sections."
    return Suite(name, lambda: _items(file, sections), about, control="name", held_out=held_out)


def _read(file: Path) -> Row:
    text = file.read_text(encoding="utf-8-sig")
    try:
        if file.suffix == ".json":
            found = json.loads(text)
            if not isinstance(found, dict):
                raise EvalError(f'{file.name}: an exam is an object {{"exam": ..., "sections": [...]}}')
            return found
        return _from_lines([json.loads(line) for line in text.splitlines() if line.strip()], file.name)
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, EvalError) else EvalError(f"{file.name}: {error}") from error


def _from_lines(rows: Sequence[Any], where: str) -> Row:
    """The exam of a file with an object a line: the exam, then each section followed by its examples and questions."""
    exam: dict[str, Any] = {"sections": []}
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            raise EvalError(f"{where}, row {number}: a row is an object, not {type(row).__name__}")
        if number == 1 and "exam" in row:
            exam |= row
        elif "section" in row:
            exam["sections"].append({"examples": [], "questions": [], **row})
        elif exam["sections"]:
            exam["sections"][-1]["examples" if "explanation" in row else "questions"].append(row)
        else:
            raise EvalError(f'{where}, row {number}: a question stands behind its {{"section": ...}}')
    return exam


def _items(file: Path, sections: Sequence[Any]) -> Iterator[Item]:
    seen: set[str] = set()
    for section in sections:
        for item in _of_section(section, finder(file.parent), file.name):
            if item.id in seen:
                raise EvalError(f"{file.name}: two questions are called {item.id}; ids are unique")
            seen.add(item.id)
            yield item


def _of_section(section: Row, load: Load, where: str) -> Iterator[Item]:
    _check_keys(section, _SECTION, where)
    name, kind = str(section.get("section", "")), section.get("kind")
    where = f"{where}, section {name!r}"
    if kind not in (CHOICES, FREE):
        raise EvalError(f"{where}: kind is {CHOICES!r} or {FREE!r}, not {kind!r}")
    questions, examples = section.get("questions", []), section.get("examples", [])
    if not questions:
        raise EvalError(f"{where} has no questions")
    if examples and kind == FREE:
        raise EvalError(f"{where}: examples with explanations belong to {CHOICES} sections")
    instructions = str(section.get("instructions", ""))
    shown: list[Message] = []
    for number, row in enumerate(examples, 1):
        shown += _placed(f"{where}, example {number}", _example, row, load, instructions)
    make = _choice if kind == CHOICES else _free
    for number, row in enumerate(questions, 1):
        usual = f"{name}:{number}"
        yield _placed(f"{where}, question {number}", make, row, load, instructions, shown, name, usual)


def _placed(where: str, make: Any, row: Any, *rest: Any) -> Any:
    """What `make` makes of a row; what is wrong with it is told with its place."""
    try:
        return make(row, *rest)
    except KeyError as error:
        raise EvalError(f"{where}: {error.args[0]} is missing") from error
    except (ValueError, TypeError, ConversationError, ImageError, Unusable) as error:
        raise EvalError(f"{where}: {error}") from error


def _example(row: Row, load: Load, instructions: str) -> list[Message]:
    _check_keys(row, _EXAMPLE, "it")
    letter = chr(65 + _right(row))
    asked = user(*_pictures(row, load), _asked(row, instructions) + EXPLAIN)
    return [asked, assistant(str(row["explanation"])), user(LETTER), assistant(letter)]


def _choice(
    row: Row, load: Load, instructions: str, shown: Sequence[Message], section: str, usual: str
) -> Item:
    _check_keys(row, _QUESTION, "it")
    choices = tuple(map(str, row["choices"]))
    truth = Truth("choice", choices[_right(row)], choices=choices)
    asked = user(*_pictures(row, load), _asked(row, instructions) + EXPLAIN)
    return _item(row, (*shown, asked), truth, "choice", section, usual, LETTER_TOKENS, Reasoning(LETTER))


def _free(
    row: Row, load: Load, instructions: str, shown: Sequence[Message], section: str, usual: str
) -> Item:
    _check_keys(row, _QUESTION, "it")
    given = [name for name in ("truth", "answer", "facts") if name in row]
    if len(given) != 1 or "choices" in row:
        raise EvalError("a free response is judged by one of truth, answer or facts, and has no choices")
    if given == ["truth"]:
        truth, metric = Truth.from_json(row["truth"]), "judged"
    elif given == ["answer"]:
        answers = row["answer"] if isinstance(row["answer"], list) else [row["answer"]]
        truth, metric = Truth("text", str(answers[0]), alternatives=tuple(map(str, answers[1:]))), "exact"
    else:
        facts = row["facts"]
        told = "; ".join(str(fact.get("fact")) for fact in facts if isinstance(fact, Mapping))
        truth, metric = Truth("text", told, facts), "rubric"
    asked = user(*_pictures(row, load), _asked(row, instructions))
    return _item(row, (*shown, asked), truth, metric, section, usual, FREE_TOKENS, None)


def _item(
    row: Row,
    messages: tuple[Message, ...],
    truth: Truth,
    metric: str,
    section: str,
    usual: str,
    max_tokens: int,
    reasoning: Reasoning | None,
) -> Item:
    points = row.get("points", 1)
    if not isinstance(points, (int, float)) or isinstance(points, bool) or points <= 0:
        raise EvalError(f"points are a number above 0, not {points!r}")
    by_name(metric).score("", truth)  # a truth that the metric can't use is found before anything is asked
    return Item(
        id=str(row.get("id", usual)),
        conversation=Conversation(messages),
        truth=truth,
        metric=metric,
        group=section,
        skill=f"{section}: {row['skill']}" if "skill" in row else "",
        cluster=str(row.get("cluster", "")),
        max_tokens=int(row.get("max_tokens", max_tokens)),
        reasoning=reasoning,
        examples=len(messages) - 1,
        points=float(points),
    )


def _asked(row: Row, instructions: str) -> str:
    lines = [instructions] if instructions else []
    lines += [str(row["question"])]
    lines += [f"{chr(65 + number)}. {choice}" for number, choice in enumerate(row.get("choices", ()))]
    return "\n".join(lines)


def _right(row: Row) -> int:
    """The number of the right choice, which an exam names by its letter or its text."""
    choices, answer = list(map(str, row["choices"])), str(row["answer"]).strip()
    if not 2 <= len(choices) <= 26 or len(set(choices)) < len(choices):
        raise EvalError("choices are 2 to 26 texts, each another")
    if answer in choices:
        return choices.index(answer)
    number = ord(answer.upper()) - 65 if len(answer) == 1 else -1
    if not 0 <= number < len(choices):
        raise EvalError(f"the answer {answer!r} is neither a choice nor the letter of one")
    return number


def _pictures(row: Row, load: Load) -> list[Image]:
    names = row.get("image", [])
    return [picture(load(str(name))) for name in (names if isinstance(names, list) else [names])]


def _check_keys(row: Any, known: Sequence[str], where: str) -> None:
    if not isinstance(row, Mapping):
        raise EvalError(f"{where} is {type(row).__name__}, where an object is expected")
    for key in row:
        if key not in known:
            near = get_close_matches(str(key), known, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"
            raise EvalError(f"{where} has an unknown {key!r}{hint}")
