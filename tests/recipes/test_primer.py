"""What a world says of its picture must be true, and evaluation must never have been seen in training."""

import random
import re
from types import ModuleType

import numpy as np
import pytest

from clearsight.data.worlds.drawing import fonts, icon_drawings, lettering, palette
from clearsight.data.worlds.scene import CHARACTER_IDS, SIZE, Scene, belongs_to, listed, one_of
from clearsight.data.worlds.vocabulary import vocabulary
from recipes.mini.primer import charts, icons, shapes, tables, words

WORLDS: tuple[ModuleType, ...] = (words, shapes, icons, charts, tables)
every_world = pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.__name__.rpartition(".")[2])


@every_world
@pytest.mark.parametrize("split", ["train", "eval"])
def test_a_seed_gives_the_same_picture_and_truth_again(world: ModuleType, split) -> None:
    first, second = world.sample(7, split), world.sample(7, split)
    assert first.picture.tobytes() == second.picture.tobytes()
    assert first.questions == second.questions
    assert first.picture.size == (SIZE, SIZE)


@every_world
def test_no_picture_of_evaluation_is_drawn_in_training(world: ModuleType) -> None:
    pictures = {
        split: {world.sample(s, split).picture.tobytes() for s in range(30)} for split in ("train", "eval")
    }
    assert len(pictures["train"]) == len(pictures["eval"]) == 30
    assert not pictures["train"] & pictures["eval"]


def test_evaluation_uses_fonts_words_drawings_and_colours_that_training_never_uses() -> None:
    train_fonts = {path for family in fonts.font_files("train") for path in family}
    eval_fonts = {path for family in fonts.font_files("eval") for path in family}
    assert train_fonts and eval_fonts and not train_fonts & eval_fonts
    assert not set(vocabulary("train")) & set(vocabulary("eval"))
    drawn = {
        split: {d for all_ in icon_drawings.drawings(split).values() for d in all_}
        for split in ("train", "eval")
    }
    assert not drawn["train"] & drawn["eval"]
    rng = random.Random(0)
    values = {
        split: {palette.colour(rng, split, name) for name in palette.NAMES for _ in range(200)}
        for split in ("train", "eval")
    }
    assert not values["train"] & values["eval"]


def _wordings(world: ModuleType) -> list[tuple[str, ...]]:
    """Every way a world asks: its tuples of strings with a question mark in one of them."""
    found = [
        value
        for value in vars(world).values()
        if isinstance(value, tuple) and "?" in "".join(map(str, value))
    ]
    assert found
    return found


@every_world
@pytest.mark.parametrize("split", ["train", "eval"])
def test_evaluation_asks_in_words_that_training_never_uses(world: ModuleType, split) -> None:
    of_train = {_bare(wording) for other in WORLDS for ways in _wordings(other) for wording in ways[:-1]}
    of_eval = {_bare(ways[-1]) for other in WORLDS for ways in _wordings(other)}
    assert not of_train & of_eval
    allowed = [
        _pattern(way) for ways in _wordings(world) for way in (ways[:-1] if split == "train" else ways[-1:])
    ]
    for seed in range(60):
        for question in world.sample(seed, split).questions:
            assert any(pattern.match(question.text) for pattern in allowed), question.text


def _bare(wording: str) -> str:
    return re.sub(r"\{\d?\}", "{}", wording)


def _pattern(wording: str) -> re.Pattern[str]:
    """What a filled-in wording looks like; choices may follow it."""
    gaps = re.split(r"\{\d?\}", wording)
    return re.compile(".+".join(map(re.escape, gaps)) + "( Choose: .+)?$")


@every_world
def test_the_answer_is_among_the_choices_and_no_choice_stands_twice(world: ModuleType) -> None:
    for seed in range(40):
        for question in world.sample(seed, "eval").questions:
            assert question.answer and question.text
            if question.choices:
                assert question.answer in question.choices
                assert len(set(question.choices)) == len(question.choices)
                assert listed(question.choices) in question.text


@pytest.mark.parametrize("world", [shapes, icons, charts], ids=["shapes", "icons", "charts"])
@pytest.mark.parametrize("split", ["train", "eval"])
def test_the_colour_said_to_be_under_a_patch_is_the_colour_that_is_there(world: ModuleType, split) -> None:
    right = total = 0
    for seed in range(25):
        scene = world.sample(seed, split)
        truth = scene.dense("colour", palette.COLOUR_IDS, 32)
        pixels = np.asarray(scene.picture)
        for row, column in np.argwhere(truth > 0):
            value = tuple(int(v) for v in pixels[row * 14 + 7, column * 14 + 7])
            name = palette.NAMES[truth[row, column] - 1]
            nearest = min(
                palette.distance(value, palette.colour(random.Random(i), split, name)) for i in range(12)
            )
            right += nearest < 160
            total += 1
    assert total > 200
    assert right / total > 0.97


def test_the_dense_truth_of_a_line_spells_it() -> None:
    for seed in range(200):
        scene = words.sample(seed, "train")
        placed = [thing for thing in scene.placed if thing.kind == "word"]
        if len(placed) == 1 and placed[0].box[2] - placed[0].box[0] > 28 * len(placed[0].label):
            break
    grid = scene.dense("character", CHARACTER_IDS, 32)
    letters = {identity: letter for letter, identity in CHARACTER_IDS.items()}
    row = grid[(grid > 0).sum(1).argmax()]
    spelled = "".join(letters[i] for i in row[row > 0])
    collapsed = "".join(c for i, c in enumerate(spelled) if i == 0 or c != spelled[i - 1])
    expected = placed[0].label
    assert collapsed == "".join(c for i, c in enumerate(expected) if i == 0 or c != expected[i - 1])


def test_counts_are_what_is_drawn() -> None:
    for seed in range(80):
        scene = shapes.sample(seed, "eval")
        drawn = sum(thing.kind == "object" for thing in scene.placed)
        for question in scene.questions:
            if question.skill.startswith("count ") and question.skill != "count kind":
                assert question.answer == shapes.NUMBERS[drawn]


def test_left_and_right_are_those_of_the_picture() -> None:
    checked = 0
    for seed in range(300):
        scene = shapes.sample(seed, "train")
        centres = {
            thing.label: (thing.box[0] + thing.box[2]) / 2 for thing in scene.placed if thing.kind == "object"
        }
        for question in scene.questions:
            if question.skill == "left or right" and question.text.startswith("Is the"):
                a, b = (label for label in sorted(centres, key=question.text.find) if label in question.text)
                assert question.answer == ("left" if centres[a] < centres[b] else "right")
                checked += 1
    assert checked > 10


def test_the_tallest_bar_is_the_one_with_the_largest_value() -> None:
    for seed in range(30):
        scene = charts.sample(seed, "eval")
        bars = [thing for thing in scene.placed if thing.label == "bar"]
        colours = [thing for thing in scene.placed if thing.kind == "colour"]
        tallest = min(range(len(bars)), key=lambda i: bars[i].box[1])
        answers = {question.skill: question.answer for question in scene.questions}
        assert answers["tallest bar"] == colours[tallest].label


def test_every_shape_and_icon_leaves_ink() -> None:
    rng = random.Random(1)
    for shape in shapes.SHAPES:
        assert np.asarray(shapes.outline(shape, 64, 0)).max() == 255
    for label in icons.labels():
        for split in ("train", "eval"):
            assert np.asarray(icons.icon_mask(rng, split, label, 96)).mean() > 8, label


def test_words_are_split_by_their_spelling_and_nothing_else() -> None:
    assert belongs_to("train", "house") != belongs_to("eval", "house")
    share = len(vocabulary("eval")) / (len(vocabulary("train")) + len(vocabulary("eval")))
    assert 0.09 < share < 0.16


def test_choices_hold_the_answer_once_in_any_place() -> None:
    places = {one_of(random.Random(i), "a", tuple("abcdefgh"), 4).index("a") for i in range(60)}
    assert places == {0, 1, 2, 3}


def test_too_few_fonts_is_an_error_that_names_the_packages(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(fonts, "SYSTEM_FOLDERS", (str(tmp_path),))
    fonts.font_files.cache_clear()
    try:
        with pytest.raises(fonts.FontsMissing, match="apt-get install"):
            fonts.font_files("train")
    finally:
        fonts.font_files.cache_clear()


def test_later_things_cover_earlier_ones_in_the_dense_truth() -> None:
    from PIL import Image

    from clearsight.data.worlds.scene import Placed

    scene = Scene("test", 0, "train", Image.new("RGB", (SIZE, SIZE)))
    scene.placed = [
        Placed("colour", "red", (0, 0, SIZE, SIZE)),
        Placed("colour", "blue", (0, 0, SIZE / 2, SIZE)),
    ]
    truth = scene.dense("colour", palette.COLOUR_IDS, 4)
    assert (truth[:, :2] == palette.COLOUR_IDS["blue"]).all() and (
        truth[:, 2:] == palette.COLOUR_IDS["red"]
    ).all()


def test_a_line_knows_its_words(tmp_path) -> None:
    from PIL import Image, ImageDraw

    font = fonts.any_font(random.Random(0), "train")
    line = lettering.draw_line(
        ImageDraw.Draw(Image.new("RGB", (400, 100))), 5, 5, "ab cd", font, 40, (9, 9, 9)
    )
    assert [p.label for p in line.placed] == ["ab", "cd", "a", "b", "c", "d"]
    assert line.placed[0].box[0] == 5 and line.placed[1].box[0] > line.placed[0].box[2]
