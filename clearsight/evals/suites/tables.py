"""Public data sets by name, in their public formats: how a row becomes a question, and which metric is theirs.

    docvqa=FOLDER             Parquet files that you have
    docvqa@COMMIT             the hub's, at a revision

Nothing is downloaded but what is named. Questions end with the usual request for a short answer; another wording
gives other scores, so the prompt is part of a run's fingerprint. AI2D has two protocols that lie ten points apart:
labels in the picture replaced by letters (`ai2d`) or left as they are (`ai2d-no-mask`).
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clearsight.conversation import Conversation, ConversationError, Image, Part, user
from clearsight.data.sources import hub, parquet
from clearsight.data.sources.contract import Unusable, picture
from clearsight.data.verify import Truth
from clearsight.evals.item import EvalError, Item
from clearsight.evals.suites.published import PUBLISHED
from clearsight.evals.suites.suite import Suite
from clearsight.processing.images import ImageError

Row = Mapping[str, Any]
SHORT = "\nAnswer the question using a single word or phrase."
LETTER = "\nAnswer with the option's letter from the given choices directly."


@dataclass(frozen=True)
class Asked:
    """What a row asks: text, truth and metric; `images` when they are not in the column `image`."""

    question: str
    truth: Truth
    metric: str
    skill: str = ""
    cluster: str = ""
    images: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Table:
    """A public data set: where the hub has it, and how one of its rows is asked."""

    hub: str
    split: str
    read: Callable[[Row], Asked]
    config: str | None = None
    max_tokens: int = 32
    note: str = ""


def load(name: str, folder: Path | None = None, revision: str = "") -> Suite:
    """The suite of a public data set, from Parquet files in `folder` or from the hub.

    Raises EvalError for an unknown name; reading items raises it and SourceError.
    """
    if name not in TABLES:
        raise EvalError(f"there is no data set {name!r}; there are {', '.join(TABLES)}")
    table = TABLES[name]

    def items() -> Iterator[Item]:
        rows = (
            parquet.rows(folder)
            if folder is not None
            else hub.rows(table.hub, revision=revision, config=table.config, split=table.split)
        )
        for place, row in rows:
            yield _item(name, table, place, row)

    notes = (table.note,) if table.note else ()
    about = f"{name}, split {table.split}, as {table.hub} has it."
    return Suite(name, items, about, published=PUBLISHED.get(name, {}), notes=notes)


def _item(name: str, table: Table, place: str, row: Row) -> Item:
    try:
        asked = table.read(row)
        images = [_image(value) for value in asked.images or (row["image"],)]
        parts: list[str | Part] = [*images, asked.question]
        return Item(
            f"{name}:{place}",
            Conversation((user(*parts),)),
            asked.truth,
            asked.metric,
            name,
            f"{name}: {asked.skill}" if asked.skill else "",
            asked.cluster,
            table.max_tokens,
        )
    except KeyError as error:
        there = ", ".join(map(str, row))
        raise EvalError(
            f"{name}, {place}: there is no column {error} among {there}; is it this data set?"
        ) from error
    except (ValueError, SyntaxError, IndexError, TypeError, ConversationError, ImageError, Unusable) as error:
        raise EvalError(f"{name}, {place}: {error}") from error


def _image(value: Any) -> Image:
    data = value.get("bytes") if isinstance(value, Mapping) else value
    if not isinstance(data, bytes):
        raise Unusable("picture missing", "the row holds no picture's bytes")
    return picture(data)


# ---------------------------------------------------------------------------------------------------
# How the rows are asked


def _several(answers: Any) -> Truth:
    """What several people said, as often as they said it."""
    said = [str(one["answer"] if isinstance(one, Mapping) else one) for one in answers]
    return Truth("text", max(said, key=said.count), said)


def _choice(
    question: str, letter_or_number: Any, choices: Any, skill: str = "", images: tuple[Any, ...] = ()
) -> Asked:
    texts = [str(choice) for choice in (ast.literal_eval(choices) if isinstance(choices, str) else choices)]
    said = str(letter_or_number).strip()
    right = int(said) if said.isdigit() else ord(said.upper()) - 65
    numbered = [text if texts.count(text) == 1 else f"{text} ({i + 1})" for i, text in enumerate(texts)]
    listed = "\n".join(f"{chr(65 + i)}. {text}" for i, text in enumerate(numbered))
    truth = Truth("choice", numbered[right], choices=tuple(numbered))
    return Asked(f"{question}\n{listed}{LETTER}", truth, "choice", skill, images=images)


def _vqa(row: Row) -> Asked:
    return Asked(
        row["question"] + SHORT,
        _several(row["answers"]),
        "vqa",
        row.get("question_type") or "",
        str(row["image_id"]),
    )


def _chartqa(row: Row) -> Asked:
    return Asked(row["question"] + SHORT, Truth("text", str(row["answer"])), "relaxed", str(row["type"]))


def _document(row: Row) -> Asked:
    return Asked(row["question"] + SHORT, _several(row["answers"]), "anls")


def _ai2d(row: Row) -> Asked:
    return _choice(row["question"], row["answer"], row["options"])


def _mmmu(row: Row) -> Asked:
    names = sorted(set(re.findall(r"<image (\d)>", row["question"] + str(row["options"]))))
    images = tuple(row[f"image_{number}"] for number in names) or (row["image_1"],)
    subject = re.sub(r"^[a-z]+_(.+)_\d+$", r"\1", row["id"])
    if row["question_type"] == "multiple-choice":
        return _choice(row["question"], row["answer"], row["options"], subject, images)
    answer = row["answer"]
    said = ast.literal_eval(answer) if answer.startswith("[") else [answer]
    return Asked(row["question"] + SHORT, _several(said), "exact", subject, images=images)


def _mmstar(row: Row) -> Asked:
    question, _, options = row["question"].partition("Options:")
    choices = [text.strip(" ,\n") for text in re.split(r"(?:^|[\s,])[A-H]: ", options)[1:]]
    return _choice(question.strip(), row["answer"], choices or list("ABCD"), row["category"])


def _mathvista(row: Row) -> Asked:
    images = (row.get("decoded_image") or row["image"],)
    choices, answer, skill = row["choices"], str(row["answer"]), str(row["question_type"])
    if choices:
        return _choice(row["question"], list(choices).index(answer), choices, skill, images)
    if row["answer_type"] in ("integer", "float"):
        half = 0.5 * 10 ** -float(row["precision"] or 0) if row["answer_type"] == "float" else 0.0
        return Asked(
            row["question"] + SHORT,
            Truth("number", answer, float(answer), tolerance=half),
            "judged",
            skill,
            images=images,
        )
    return Asked(row["question"] + SHORT, Truth("text", answer), "exact", skill, images=images)


def _ocrbench(row: Row) -> Asked:
    metric = "ocrbench formula" if row["dataset"] == "HME100k" else "ocrbench"
    answers = row["answer"] if isinstance(row["answer"], list) else [row["answer"]]
    return Asked(row["question"], _several(answers), metric, row["question_type"])


def _pope(row: Row) -> Asked:
    answer = row["answer"].strip().capitalize()
    return Asked(
        row["question"] + SHORT, Truth("yes or no", answer), "pope", row["category"], str(row["image_source"])
    )


TABLES: dict[str, Table] = {
    "vqav2": Table(
        "lmms-lab/VQAv2",
        "validation",
        _vqa,
        note="GPT-4V was scored on test-dev, whose answers are not public.",
    ),
    "textvqa": Table("lmms-lab/textvqa", "validation", _vqa, note="Asked without OCR tokens in the prompt."),
    "chartqa": Table(
        "lmms-lab/ChartQA", "test", _chartqa, note="GPT-4V's score is of four shots with reasoning."
    ),
    "ai2d": Table("lmms-lab/ai2d", "test", _ai2d, note="Labels in the pictures are replaced by letters."),
    "ai2d-no-mask": Table(
        "lmms-lab/ai2d-no-mask", "test", _ai2d, note="Labels in the pictures are left as they are."
    ),
    "docvqa": Table(
        "lmms-lab/DocVQA",
        "validation",
        _document,
        "DocVQA",
        note="The answers of the test split are not public.",
    ),
    "infographicvqa": Table(
        "lmms-lab/DocVQA",
        "validation",
        _document,
        "InfographicVQA",
        note="The answers of test are not public.",
    ),
    "mmmu": Table("lmms-lab/MMMU", "validation", _mmmu),
    "mmstar": Table("Lin-Chen/MMStar", "val", _mmstar),
    "mathvista": Table(
        "AI4Math/MathVista",
        "testmini",
        _mathvista,
        max_tokens=256,
        note="The authors let a language model read the answers; here rules do.",
    ),
    "ocrbench": Table("echo840/OCRBench", "test", _ocrbench, max_tokens=128),
    "pope": Table("lmms-lab/POPE", "test", _pope),
}
