"""Which questions of a run a corpus holds: planted copies are found, clean records are not, scores are told apart."""

import io
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as PILImage
from test_runs import sees, subject
from test_runs import suite as red_suite

pytest.importorskip("daft")

from clearsight.conversation import Conversation, Image, assistant, user
from clearsight.data.curation.planted import recompressed, resized
from clearsight.data.record import Provenance, Record
from clearsight.data.verify import Truth
from clearsight.data.worlds import load
from clearsight.evals.contamination import contamination
from clearsight.evals.evaluate import evaluate
from clearsight.evals.item import EvalError, Item
from clearsight.evals.suites.suite import Suite

LONG = (
    "The lighthouse keeper wrote down every ship that passed the northern cape between dusk and dawn. "
    "On the third evening of the storm she counted eleven lanterns where only nine had been announced. "
    "Which explanation of the two further lanterns does her diary give on the following morning?"
)
ASKED = (
    "Answer with a single word or a short phrase, and write nothing else besides it whatever you are asked."
)
PICTURES = 12


def picture(seed: int) -> PILImage.Image:
    return load("shapes").sample(seed, "eval").picture


def suite() -> Suite:
    """Two questions about each picture, all asked in the same way; and two about texts."""

    def items() -> Iterator[Item]:
        for seed in range(PICTURES):
            for what in ("colour", "shape"):
                asked = user(Image(pixels=picture(seed)), f"Which {what} is the largest?\n{ASKED}")
                yield Item(f"{seed}:{what}", Conversation((asked,)), Truth("text", "right"))
        for name, text in (("diary", LONG), ("short", "Who wrote it?")):
            yield Item(name, Conversation((user(f"{text}\n{ASKED}"),)), Truth("text", "right"))

    return Suite("planted", items, control=None)


def png(image: PILImage.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def trained(*parts: Any, answer: str = "Red.") -> Record:
    return Record(Conversation((user(*parts), assistant(answer))), Provenance("corpus", "MIT"))


def clean() -> list[Record]:
    """Other pictures of the same world, short questions that the suite asks too, and other texts."""
    shown = [
        trained(
            Image(pixels=load("shapes").sample(seed, "train").picture),
            f"Which shape is the largest?\n{ASKED}",
        )
        for seed in range(500, 520)
    ]
    return [
        *shown,
        trained(f"Who wrote it?\n{ASKED}", answer="She did."),
        trained("Tell me of a lighthouse keeper."),
    ]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Right about the first four pictures and the diary alone."""
    folder = tmp_path_factory.mktemp("run")
    known = {Image(pixels=picture(seed)).sha256 for seed in range(4)}

    def answer(conversation: Conversation) -> str:
        shown = conversation.images
        return (
            "right"
            if "lighthouse" in conversation.messages[0].text or (shown and shown[0].sha256 in known)
            else "wrong"
        )

    evaluate(suite(), subject(answer), folder)
    return folder


def test_planted_copies_are_found_and_scores_are_told_with_and_without(run: Path) -> None:
    rng = random.Random(1)
    sentences = LONG.split(". ")
    planted = [
        trained(Image(data=png(picture(0))), "What is here?"),
        trained(Image(data=resized(picture(1), rng)), "What is here?"),
        trained(Image(data=recompressed(picture(2), rng)), "What is here?"),
        trained(" ".join(reversed(sentences)), answer="They were stars."),
    ]
    found = contamination(run, suite(), [*clean(), *planted])
    hits = {one["id"]: {met["how"] for met in one["met"]} for one in found["hits"]}
    assert set(hits) == {"diary", *(f"{seed}:{what}" for seed in range(3) for what in ("colour", "shape"))}
    assert "the same file" in hits["0:shape"] and hits["1:colour"] == {"a copy of the picture"}
    assert hits["2:shape"] == {"a copy of the picture"} and hits["diary"] == {"text"}
    assert found["records"] == len(clean()) + 4 and found["with pictures"] == 2 * PICTURES
    assert (found["all"]["n"], found["met"]["n"], found["without"]["n"]) == (26, 7, 19)
    assert found["met"]["score"] == 1 and found["without"]["score"] == pytest.approx(2 / 19)
    assert found["difference"]["score"] == pytest.approx(2 / 19 - 9 / 26)
    low, high = found["difference"]["interval"]
    assert low < found["difference"]["score"] < high < 0
    assert found["reported"] == found["without"]["score"], "the lower of the two"
    assert json.loads((run / "contamination.json").read_text()) == found
    assert not list(run.glob(".contamination-*")), "the copy of the corpus is gone"


def test_a_clean_corpus_changes_nothing(run: Path) -> None:
    found = contamination(run, suite(), clean())
    assert not found["hits"] and found["met"] is None and found["difference"] is None
    assert found["without"] == found["all"] and found["long enough texts"] == 1, (
        "how a suite asks is no question"
    )


def test_a_copy_is_told_for_every_question_about_it_and_for_every_copy_among_the_questions(
    tmp_path: Path,
) -> None:
    """The corpus has one picture; the suite has it twice, once smaller."""
    whole = picture(3)
    shown = [whole, whole.resize((whole.width * 3 // 4, whole.height * 3 // 4)), picture(4)]

    def items() -> Iterator[Item]:
        for number, one in enumerate(shown):
            yield Item(str(number), Conversation((user(Image(pixels=one), "What?"),)), Truth("text", "right"))

    twice = Suite("twice", items, control=None)
    evaluate(twice, subject(lambda conversation: "right"), tmp_path)
    found = contamination(tmp_path, twice, [trained(Image(data=png(whole)), "Look.")])
    assert [one["id"] for one in found["hits"]] == ["0", "1"]


def test_texts_alone_and_an_empty_corpus_can_be_compared(tmp_path: Path) -> None:
    texts = Suite("texts", lambda: (item for item in suite().items() if not item.pictures), control=None)
    evaluate(texts, subject(lambda conversation: "right"), tmp_path)
    assert contamination(tmp_path, texts, [])["records"] == 0
    found = contamination(tmp_path, texts, [trained(LONG)])
    assert [one["id"] for one in found["hits"]] == ["diary"] and found["difference"]["interval"] is None


def test_a_run_of_other_questions_is_refused(tmp_path: Path, run: Path) -> None:
    evaluate(red_suite(), subject(sees), tmp_path)
    with pytest.raises(EvalError, match=r"question red:0 of the run is not in planted any more"):
        contamination(tmp_path, suite(), clean())
    with pytest.raises(EvalError, match="holds no finished evaluation"):
        contamination(tmp_path / "nothing", suite(), clean())
