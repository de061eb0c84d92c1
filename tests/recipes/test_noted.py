"""Notes of training say what a scene's truth says, and stamps are asked by their names."""

import random
from pathlib import Path

import pytest
from PIL import Image as PILImage

from clearsight import mini
from clearsight.data import worlds
from clearsight.experts import naming
from clearsight.training.config import ConfigError
from recipes.mini import choices, noted, tuning
from recipes.mini.lessons import Vocabulary
from recipes.mini.seeds import Seeds


@pytest.fixture
def stamps(tmp_path: Path) -> Path:
    """Twelve stamps, of which ten have a usable name, and a letter."""
    for folder, name, told in (
        *(("animals/birds", f"bird{n}", "A toucan.\nfr.utf8=Un toucan.") for n in range(6)),
        *(("food/fruit", f"fruit{n}", "An apple.") for n in range(4)),
        ("town", "long", "Houses in which people live who like to tell stories."),
        ("town", "silent", None),
        ("symbols/letters", "a", "The letter A."),
    ):
        place = tmp_path / folder
        place.mkdir(parents=True, exist_ok=True)
        PILImage.new("RGBA", (40, 24), (200, 30, 30, 128)).save(place / f"{name}.png")
        if told is not None:
            (place / f"{name}.txt").write_text(told, encoding="utf-8")
    return tmp_path


def test_stamps_are_asked_by_what_they_are(stamps):
    drawn = noted.Stamps(str(stamps))
    assert {len(drawn.stamps[split]) for split in ("train", "eval")} == {9, 1}
    scenes = [drawn.sample(seed, "train") for seed in range(40)]
    assert {scene.questions[0].answer for scene in scenes} == {"toucan", "apple"}
    assert all(scene.picture.size == (448, 448) for scene in scenes)
    assert any("fruit" in scene.questions[0].text for scene in scenes)
    assert drawn.sample(3, "train").picture.tobytes() == scenes[3].picture.tobytes()


def test_a_folder_without_stamps_is_refused_in_words(tmp_path):
    with pytest.raises(ConfigError, match="tuxpaint-stamps-default"):
        noted.Stamps(str(tmp_path))


@pytest.fixture
def unnamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The classifier sees nothing, so that notes are text alone."""
    monkeypatch.setattr(naming, "shown", lambda pixels: "")


def test_notes_hold_what_is_written_line_by_line(unnamed):
    scene = worlds.load("receipts").sample(5, "train")
    ((note,), pairs) = noted.noted(random.Random(0), scene, [("?", "!")], 5_000)
    assert pairs == [("?", "!")] and note.startswith("Text in the picture:\n")
    words = [thing.label for thing in scene.placed if thing.kind == "word"]
    found = sum(word in note for word in words) / len(words)
    assert 0.85 < found <= 1  # a recogniser makes mistakes


def test_of_a_long_text_the_part_with_an_answer_is_noted_and_what_the_rest_answers_is_not_asked(unnamed):
    kept = dropped = 0
    for seed in range(30):
        scene = worlds.load("pages").sample(seed, "train")
        pairs = [(q.text, q.answer) for q in scene.questions]
        (notes, left) = noted.noted(random.Random(seed), scene, pairs, 120)
        assert all(len(note) < 400 for note in notes)
        told = "\n".join(notes).casefold()
        whole = "\n".join(
            noted._written(random.Random(0), scene, page) for page in range(len(scene.pictures))
        )
        kept += sum(answer.casefold() in told for _, answer in left)
        dropped += len(pairs) - len(left)
        assert set(left) <= set(pairs) and whole
    assert kept > 10 and dropped > 10


@pytest.mark.bundled
def test_conversations_share_all_that_stands_before_their_first_difference():
    processor = mini.processor()
    ask = [[("What is red?", "car")], [("What is blue?", "dog")]]
    encoded = [choices.encoded_turns(processor, [choices.ANY_PICTURE], turns) for turns in ask]
    begin = noted.shared(encoded)
    first, second = (ids for ids, _ in encoded)
    assert first[:begin] == second[:begin] and first[begin] != second[begin]
    assert begin > choices.behind_pictures(processor, first)
    alone = noted.shared(encoded[:1])
    assert encoded[0][1].index(True) == alone


@pytest.mark.bundled
def test_rows_with_notes_are_as_long_as_they_may_be_and_every_row_learns(stamps):
    processor = mini.processor()
    settings = tuning.Tuning(row_tokens=224, notes=1.0, stamps=str(stamps))
    exercises = tuning.Exercises(settings, processor, Vocabulary(processor))
    batch = exercises.draw(Seeds(range(20, 26), range(20, 26), "train", True))
    assert batch.ids_BT.shape == (7, 224)
    assert ((batch.labels_BT[:-1] >= 0).sum(1) > 0).all()
    told = [processor.tokenizer.decode(row.tolist()) for row in batch.ids_BT[:-1]]
    assert any("Text in the picture" in text for text in told)
