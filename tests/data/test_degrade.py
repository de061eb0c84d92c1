"""A degraded picture must not be asked about what nobody could still see in it."""

import random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from clearsight.data import degrade, examples
from clearsight.data.verify import verify
from clearsight.data.worlds import WORLDS, load
from clearsight.data.worlds.drawing import lettering
from clearsight.data.worlds.drawing.fonts import any_font
from clearsight.data.worlds.scene import Placed, Question, Scene

every_kind = pytest.mark.parametrize("kind", degrade.KINDS)


def sign(size: int = 40, ink: tuple[int, int, int] = (20, 20, 20)) -> Scene:
    """One word on a light ground, asked about."""
    picture = Image.new("RGB", (448, 448), (235, 235, 235))
    font = any_font(random.Random(3), "train")
    line = lettering.draw_line(ImageDraw.Draw(picture), 120, 180, "Harbour", font, size, ink)
    scene = Scene("sign", 0, "train", picture, placed=list(line.placed), caption='A sign says "Harbour".')
    words = [i for i, p in enumerate(scene.placed) if p.kind == "word"]
    scene.questions = [
        Question("read", "What does it say?", "Harbour", needs=tuple(words)),
        Question("present", "Does it say Harbour?", "Yes", kind="yes or no", needs=tuple(words)),
        Question("signs", "How many signs are there?", "one", kind="number", value=1, needs=()),
    ]
    return scene


def answers(scene: Scene) -> dict[str, str]:
    return {q.skill: q.kind for q in scene.questions}


@every_kind
def test_a_mild_degradation_keeps_every_question(kind) -> None:
    changed = degrade.degrade(sign(60), kind, 0.05, random.Random(0))
    assert answers(changed) == answers(sign(60))
    assert changed.facts["degraded"] == [{"kind": kind, "strength": 0.05}]


@pytest.mark.parametrize("kind, strength", [("blur", 1.0), ("shrink", 1.0), ("blur", 0.8)])
def test_writing_that_is_gone_can_no_longer_be_read(kind, strength) -> None:
    changed = degrade.degrade(sign(16), kind, strength, random.Random(0))
    assert answers(changed) == {"read": "can't be read", "signs": "number"}
    read = next(q for q in changed.questions if q.skill == "read")
    assert not verify(read.truth, "Harbour").right and verify(read.truth, read.answer).right
    assert not changed.placed and not changed.caption


def test_faint_writing_drowns_in_noise_that_bold_writing_stands() -> None:
    faint = degrade.degrade(sign(14, (224, 224, 224)), "noise", 1.0, random.Random(0))
    bold = degrade.degrade(sign(60), "noise", 0.3, random.Random(0))
    assert answers(faint)["read"] == "can't be read"
    assert answers(bold)["read"] == "text"


def test_between_clear_and_gone_nothing_is_asked() -> None:
    kinds = {
        answers(degrade.degrade(sign(22), "blur", s / 50, random.Random(0))).get("read") for s in range(1, 51)
    }
    assert kinds == {"text", None, "can't be read"}
    order = [
        answers(degrade.degrade(sign(22), "blur", s / 50, random.Random(0))).get("read") for s in range(1, 51)
    ]
    assert order == sorted(order, key=["text", None, "can't be read"].index)


@pytest.mark.parametrize("kind", degrade.GEOMETRIC)
def test_places_move_with_the_pixels(kind) -> None:
    """A dark square on a light ground: its box must still hold exactly the dark pixels."""
    picture = Image.new("RGB", (448, 448), (250, 250, 250))
    box = (150.0, 200.0, 260.0, 310.0)
    ImageDraw.Draw(picture).rectangle((150, 200, 259, 309), fill=(0, 0, 0))
    mask = Image.new("L", (110, 110), 255)
    scene = Scene("square", 0, "train", picture, placed=[Placed("object", "square", box, mask)])
    corners = scene.thousandths(box)
    scene.questions = [
        Question("box", "Frame it.", str(corners), kind="box", value=list(corners)),
        Question("point", "Point to it.", "(0, 0)", kind="point", value=list(corners)),
    ]
    for seed in range(12):
        changed = degrade.degrade(scene, kind, 1.0, random.Random(seed))
        dark = np.asarray(changed.picture.convert("L")) < 128
        rows, columns = np.nonzero(dark)
        seen = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert np.allclose(seen, changed.placed[0].box, atol=2.5)
        dense = changed.dense("object", {"square": 1}, 32)
        centres = dark[7::14, 7::14]
        assert (dense == 1)[centres].mean() > 0.9 and (dense == 1)[~centres].mean() < 0.05
        value = np.array(changed.questions[0].value)
        assert np.allclose(value * 0.448, seen, atol=3)
        assert changed.questions[0].answer == str(tuple(changed.questions[0].value))
        assert verify(changed.questions[1].truth, changed.questions[1].answer).right


@every_kind
def test_degrading_is_repeatable_and_keeps_the_size(kind) -> None:
    scene = load("shapes").sample(3, "train")
    first, second = (degrade.degrade(scene, kind, 0.6, random.Random(4)) for _ in range(2))
    assert first.picture.tobytes() == second.picture.tobytes() != scene.picture.tobytes()
    assert first.questions == second.questions
    assert first.picture.size == scene.picture.size and first.picture.mode == "RGB"
    assert all(place < len(first.placed) for q in first.questions for place in q.needs or ())


@pytest.mark.parametrize("name", WORLDS)
def test_every_world_stays_consistent_when_degraded(name) -> None:
    for seed, kind in enumerate(degrade.KINDS):
        scene = load(name).sample(seed, "train")
        changed = degrade.degrade(scene, kind, 0.3 + 0.6 * (seed % 2), random.Random(seed))
        assert [p.size for p in changed.pictures] == [p.size for p in scene.pictures]
        assert len(changed.questions) <= len(scene.questions)
        for question in changed.questions:
            assert verify(question.truth, question.answer).right, question
            assert all(place < len(changed.placed) for place in question.needs or ())
        examples.from_scene(changed, random.Random(0)) if changed.questions else None


@pytest.mark.parametrize("kind, strength", [("dust", 0.5), ("blur", 0.0), ("blur", 1.1)])
def test_what_makes_no_sense_is_refused(kind, strength) -> None:
    with pytest.raises(ValueError, match=r"dust|strength"):
        degrade.degrade(sign(), kind, strength, random.Random(0))
