"""Small files in the public formats, since the real ones can not be shipped: each is asked under its own metric."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as PILImage

from clearsight.evals.item import EvalError
from clearsight.evals.metrics.by_name import by_name
from clearsight.evals.suites import tables
from clearsight.evals.suites.by_name import by_name as suite_by_name

pytest.importorskip("pyarrow")


def png() -> dict[str, Any]:
    file = io.BytesIO()
    PILImage.new("RGB", (40, 30), (200, 30, 30)).save(file, "PNG")
    return {"bytes": file.getvalue(), "path": None}


VQA = {"question_id": 1, "image_id": 7, "question": "What colour?", "image": png()}
ROWS: dict[str, tuple[dict[str, Any], str, str]] = {
    "vqav2": (
        VQA | {"question_type": "what", "answers": [{"answer": "red", "answer_id": i} for i in range(10)]},
        "red",
        "vqa",
    ),
    "textvqa": (VQA | {"ocr_tokens": ["STOP"], "answers": ["stop"] * 9 + ["stop sign"]}, "stop", "vqa"),
    "chartqa": (
        {"type": "human_test", "question": "How many?", "answer": "2500", "image": png()},
        "2,500",
        "relaxed",
    ),
    "ai2d": (
        {"question": "Which?", "options": ["root", "leaf"], "answer": "1", "image": png()},
        "(B) leaf",
        "choice",
    ),
    "ai2d-no-mask": (
        {"question": "Which?", "options": ["root", "leaf"], "answer": "0", "image": png()},
        "A",
        "choice",
    ),
    "docvqa": (
        {"questionId": "1", "question": "Date?", "answers": ["1 May", "May 1"], "image": png()},
        "may  1",
        "anls",
    ),
    "infographicvqa": (
        {"questionId": "1", "question": "Who?", "answers": ["who"], "image": png()},
        "WHO",
        "anls",
    ),
    "mmmu": (
        {
            "id": "validation_Art_Theory_3",
            "question": "Compare <image 1> and <image 2>.",
            "options": "['one', 'two', 'three']",
            "answer": "C",
            "question_type": "multiple-choice",
            "image_1": png(),
            "image_2": png(),
        },
        "The answer is C",
        "choice",
    ),
    "mmstar": (
        {
            "index": 0,
            "question": "Which is it?\nOptions: A: a red, round thing, B: a blue one, C: none, D: both",
            "answer": "B",
            "category": "fine-grained perception",
            "l2_category": "recognition",
            "image": png(),
        },
        "a blue one",
        "choice",
    ),
    "mathvista": (
        {
            "pid": "1",
            "question": "How long?",
            "image": "images/1.jpg",
            "decoded_image": png(),
            "choices": None,
            "answer": "1.4",
            "answer_type": "float",
            "precision": 1.0,
            "question_type": "free_form",
        },
        "1.4 cm",
        "judged",
    ),
    "ocrbench": (
        {
            "dataset": "HME100k",
            "question": "Write the formula.",
            "question_type": "Handwritten Mathematical Expression Recognition",
            "answer": ["\\Delta x"],
            "image": png(),
        },
        "\\Delta x = 3",
        "ocrbench formula",
    ),
    "pope": (
        {
            "question": "Is there a dog?",
            "answer": "no",
            "category": "random",
            "image_source": "a",
            "image": png(),
        },
        "No.",
        "pope",
    ),
}


def write(folder: Path, *rows: dict[str, Any]) -> Path:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    parquet.write_table(arrow.Table.from_pylist(list(rows)), folder / "test-00000-of-00001.parquet")
    return folder


def test_every_data_set_has_a_look_alike() -> None:
    assert set(ROWS) == set(tables.TABLES)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_in_the_public_format_is_asked_and_scored(tmp_path: Path, name: str) -> None:
    row, reply, metric = ROWS[name]
    suite = suite_by_name(f"{name}={write(tmp_path, row, row)}")
    first, second = suite.items()
    assert first.metric == metric and first.group == name and first.cluster == second.cluster
    assert first.conversation.images and row["question"].split()[0] in first.question
    assert by_name(metric).score(reply, first.truth).score == 1
    assert first.id != second.id


def test_pictures_stand_in_the_order_the_question_names_them(tmp_path: Path) -> None:
    (item,) = tables.load("mmmu", write(tmp_path, ROWS["mmmu"][0])).items()
    assert len(item.conversation.images) == 2 and item.skill == "mmmu: Art_Theory"


def test_another_data_set_under_this_name_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, ROWS["pope"][0])
    with pytest.raises(EvalError, match="there is no column 'answers' among"):
        list(tables.load("docvqa", folder).items())
    with pytest.raises(EvalError, match="there are vqav2"):
        tables.load("nonesuch", folder)


def test_published_scores_stand_beside_and_a_missing_revision_is_explained() -> None:
    assert tables.load("docvqa").published["GPT-4V"] == 88.4
    with pytest.raises(Exception, match="needs a revision"):
        list(tables.load("docvqa").items())
