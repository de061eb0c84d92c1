"""The suite of real pictures: where each is from, that judges hold what was seen twice, and that none is trained on."""

import hashlib
import io
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from clearsight.cli import app
from clearsight.evals.item import Item
from clearsight.evals.metrics.by_name import by_name
from clearsight.evals.suites.by_name import by_name as suite_by_name
from clearsight.evals.suites.real import contamination, rebuild
from clearsight.evals.suites.real.provenance import PICTURES, Picture, pictures, records, rows
from clearsight.processing.images import decode

ITEMS = list(suite_by_name("real").items())
ALL = list(pictures())
FREE = ("CC0-", "CC-BY-", "GPL-", "GFDL-", "BSD-", "LicenseRef-public-domain")
LARGEST = 4_000_000  # bytes of all pictures, which are in the repository


def score(item: Item, answer: str) -> float:
    return by_name(item.metric).score(answer, item.truth).score


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.file)
def test_a_picture_is_what_its_line_says_and_its_licence_is_free(one: Picture) -> None:
    assert hashlib.sha256(one.read()).hexdigest() == one.sha256
    assert one.package and one.version and one.path and one.author and one.stated
    assert one.licence.startswith(FREE) and "NC" not in one.licence and "ND" not in one.licence
    assert max(decode(one.read()).size) <= one.side <= 900


def test_every_picture_is_listed_asked_about_and_small_enough_for_a_repository() -> None:
    files = {path.name for path in PICTURES.iterdir()}
    assert files == {one.file for one in ALL} == {row["image"] for row in rows("questions.jsonl")}
    assert len(files) >= 100 and sum((PICTURES / name).stat().st_size for name in files) <= LARGEST


def test_there_are_enough_questions_of_the_large_skills_and_as_many_yes_as_no() -> None:
    skills = Counter(item.group for item in ITEMS)
    assert len(ITEMS) >= 300 and skills["reading"] >= 80 and skills["naming"] >= 80
    said = Counter(item.truth.answer for item in ITEMS if item.truth.kind == "yes or no")
    assert set(said) == {"yes", "no"} and 0.45 <= said["yes"] / said.total() <= 0.55
    assert len({item.question + item.cluster for item in ITEMS}) == len(ITEMS)


def test_right_choices_are_spread_over_the_letters() -> None:
    places = [i.truth.choices.index(i.truth.answer) for i in ITEMS if i.metric == "choice"]
    assert max(Counter(places).values()) <= len(places) / 2


def another_answer(item: Item, rng: random.Random) -> str:
    """What is right for another question: of the same kind, or of this one's own choices."""
    accepted = {answer.casefold() for answer in (item.truth.answer, *item.truth.alternatives)}
    kind = "text" if item.truth.kind == "not shown" else item.truth.kind
    answers = item.truth.choices or [other.truth.answer for other in ITEMS if other.truth.kind == kind]
    return rng.choice([answer for answer in answers if answer.casefold() not in accepted])


def test_the_judge_takes_the_written_answer_and_not_that_of_another_question() -> None:
    rng = random.Random(0)
    for item in ITEMS:
        assert score(item, item.truth.answer) == 1, item.id
        other = another_answer(item, rng)
        assert score(item, other) < 1, (item.id, other)


def test_the_second_look_found_the_same_answers() -> None:
    checked = {row["id"]: row["answer"] for row in rows("checked.jsonl")}
    assert set(checked) == {item.id for item in ITEMS}
    assert [item.id for item in ITEMS if score(item, checked[item.id]) < 1] == []


def changed(one: Picture) -> Image.Image:
    """A smaller copy of a picture, cropped at the sides and compressed again."""
    picture = decode(one.read())
    width, height = picture.size
    picture = picture.crop((width // 50, height // 50, width - width // 60, height - height // 60))
    picture.thumbnail((max(width, height) * 3 // 4,) * 2)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=70)
    return decode(out.getvalue())


def test_copies_of_the_pictures_are_found_among_training_pictures() -> None:
    some = [one for one in ALL if one.kind in ("photos", "screens")][::8]
    found = contamination.copies_among([(one.file, changed(one)) for one in some])
    assert {name for name, file in found if name == file} >= {one.file for one in some}


def test_no_picture_is_a_copy_of_a_drawn_one_or_of_a_flag() -> None:
    assert contamination.copies_among(contamination.drawn_worlds(1)) == []
    assert contamination.copies_among(contamination.drawn_flags()) == []


def test_curation_leaves_out_the_pictures_without_being_asked(tmp_path: Path) -> None:
    """A user who curates finds none of the suite's pictures, nor smaller copies of them, in what is kept."""
    drawn = list(contamination.drawn_worlds(1))[:4]
    shown = {"heron": changed(next(one for one in ALL if one.file == "heron.webp")), **dict(drawn)}
    lines = []
    for number, picture in enumerate(shown.values()):
        picture.save(tmp_path / f"{number}.png")
        lines.append(
            {"image": f"{number}.png", "question": f"What is number {number}?", "answer": "A thing."}
        )
    (tmp_path / "mine.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    asked = ["data", "curate", str(tmp_path / "mine.jsonl"), "--out", str(tmp_path / "out")]
    ran = CliRunner().invoke(app, [*asked, "--licence", "CC0-1.0", "--json"], catch_exceptions=False)
    found = json.loads(ran.stdout.splitlines()[-1])
    steps = {step["name"]: step for step in found["steps"]}
    assert steps["contamination"]["reasons"] == {"a copy of an evaluation's picture": 1}


def test_records_show_each_picture_once_with_all_that_is_asked_of_it() -> None:
    found = list(records())
    assert [record.conversation.images[0].data for record in found] == [one.read() for one in ALL]
    assert sum(len(record.conversation.messages) for record in found) == 2 * len(ITEMS)
    assert {record.provenance.split for record in found} == {"eval"}


def unpacked(root: Path) -> Iterator[Picture]:
    """Two lines for a package that is unpacked below `root` and holds one picture, red and blue."""
    picture = Image.new("RGB", (1000, 400), "red")
    picture.paste("blue", (500, 0, 1000, 400))
    (root / "made_1").mkdir()
    picture.save(root / "made_1" / "a.png")
    for crop in ((), (0.5, 0.0, 1.0, 1.0)):
        yield Picture("a.png", "photos", "made", "1", "a.png", "CC0-1.0", "", "", 250, crop=crop, colours=16)


def test_a_picture_is_made_again_as_its_line_says(tmp_path: Path) -> None:
    whole, right = (decode(rebuild.encoded(one, tmp_path)) for one in unpacked(tmp_path))
    assert whole.size == (250, 100) and whole.getpixel((10, 50)) == (255, 0, 0)
    assert right.size == (250, 200) and right.getpixel((10, 50)) == (0, 0, 255)


def test_another_encoding_is_the_same_picture_and_another_picture_is_not() -> None:
    one, other = ALL[0], ALL[1]
    out = io.BytesIO()
    decode(one.read()).save(out, "WEBP", quality=60)
    assert rebuild.difference(one.read(), out.getvalue()) < rebuild.LIKE
    assert rebuild.difference(one.read(), other.read()) > rebuild.LIKE
