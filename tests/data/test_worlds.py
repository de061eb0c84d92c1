"""What a world says of its picture must be true, and evaluation must never have been seen in training.

`--seeds 1000` reads that many pictures of each world; the default is enough to notice a mistake in a change.
"""

import json
import random
from collections import Counter
from importlib import import_module
from pkgutil import walk_packages

import numpy as np
import pytest

from clearsight.data import worlds
from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN, verify
from clearsight.data.worlds import WORLDS, load
from clearsight.data.worlds.scene import Question, Scene, listed

every_world = pytest.mark.parametrize("name", WORLDS)


def wrong_answers(rng: random.Random, question: Question) -> list[str]:
    """Answers that look right and are not."""
    truth = question.truth
    match truth.kind:
        case "text" | "verbatim":
            other = truth.answer[:-1] if len(truth.answer) > 1 else chr(ord(truth.answer) + 1)
            return [other, truth.answer + " x", NOT_SHOWN if truth.kind == "text" else "x"]
        case "yes or no":
            return ["No" if truth.answer == "Yes" else "Yes"]
        case "number":
            off = rng.choice((-1, 1)) * (truth.tolerance + max(1, abs(truth.value) * 0.3))
            return [f"{truth.value + off:g}", f"{truth.value:g} or {truth.value + off:g}"]
        case "choice":
            return [rng.choice([c for c in truth.choices if c != truth.answer])]
        case "list":
            return [", ".join(truth.value[:-1]) or "nothing at all", ", ".join([*truth.value, "x"])]
        case "set":
            return [", ".join([*truth.value[1:], "x"]), ", ".join([*truth.value, "x"])]
        case "point":
            left, top, right, bottom = truth.value
            return [f"({right + 40}, {top})", f"({left}, {bottom + 40})"]
        case "box":
            left, top, right, bottom = truth.value
            return [f"({right}, {bottom}, {right + 90}, {bottom + 90})"]
        case "time":
            minutes = (truth.value + int(truth.tolerance) + rng.randint(1, 300)) % 720
            return [f"{minutes // 60 or 12}:{minutes % 60:02d}"]
        case "not shown":
            return ["red", "Yes", "5", CANT_BE_READ]
        case "can't be read":
            return ["red", "Yes", "5", NOT_SHOWN]
    raise AssertionError(truth.kind)


@every_world
@pytest.mark.parametrize("split", ["train", "eval"])
def test_an_independent_reading_agrees_with_the_truth_and_wrong_answers_are_rejected(
    name, split, seeds
) -> None:
    world, reading, rng = load(name), import_module(f"tests.data.readings.{name}"), random.Random(0)
    for seed in range(seeds):
        scene = world.sample(seed, split)
        assert scene.questions
        for question in scene.questions:
            answer = reading.read(scene, question)
            verdict = verify(question.truth, answer)
            assert verdict.right, (
                seed,
                question.skill,
                question.text,
                question.answer,
                answer,
                verdict.reason,
            )
            assert verify(question.truth, question.answer).right, (seed, question)
            for wrong in wrong_answers(rng, question):
                assert not verify(question.truth, wrong).right, (seed, question, wrong)


@every_world
def test_a_world_asks_at_least_eight_kinds_of_questions_and_some_in_vain(name) -> None:
    skills: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for seed in range(150):
        scene = load(name).sample(seed, "train")
        skills.update(q.skill for q in scene.questions)
        kinds.update(q.kind for q in scene.questions)
    assert len(skills) >= 8, skills
    for kind in ("not shown", "can't be read"):
        assert kinds[kind] >= 10, kinds
    assert kinds["point"] + kinds["box"] >= 10, kinds


@every_world
def test_a_question_is_asked_in_so_many_words_and_its_answer_is_among_the_choices(name) -> None:
    for split in ("train", "eval"):
        for seed in range(40):
            scene = load(name).sample(seed, split)
            assert len({q.text for q in scene.questions}) == len(scene.questions)
            for question in scene.questions:
                assert question.text.strip() and question.answer.strip()
                assert "{" not in question.text, question.text
                assert all(0 <= place < len(scene.placed) for place in question.needs or ())
                if question.choices:
                    assert question.answer in question.choices
                    assert len(set(question.choices)) == len(question.choices)
                    assert listed(question.choices) in question.text
            assert all(caption.strip() for caption in scene.captions)
            assert len(scene.short_caption) <= len(scene.long_caption)
            json.dumps([scene.facts, [q.truth.to_json() for q in scene.questions]])


@every_world
@pytest.mark.parametrize("split", ["train", "eval"])
def test_a_seed_gives_the_same_pictures_and_truth_again(name, split) -> None:
    first, second = load(name).sample(7, split), load(name).sample(7, split)
    assert [p.tobytes() for p in first.pictures] == [p.tobytes() for p in second.pictures]
    assert first.questions == second.questions and first.captions == second.captions
    assert all(picture.mode == "RGB" and max(picture.size) <= 1024 for picture in first.pictures)


@every_world
def test_everything_placed_lies_in_its_picture_and_shows_in_the_dense_truth(name) -> None:
    shown = 0
    for seed in range(30):
        scene: Scene = load(name).sample(seed, "train")
        assert scene.placed
        for thing in scene.placed:
            left, top, right, bottom = thing.box
            width, height = scene.pictures[thing.page].size
            assert left <= right and top <= bottom
            assert left < width and top < height and right > 0 and bottom > 0, thing
        for page in range(len(scene.pictures)):
            for kind in {t.kind for t in scene.placed if t.page == page}:
                ids = {label: i for i, label in enumerate(sorted({t.label for t in scene.placed}), 1)}
                shown += int((scene.dense(kind, ids, 32, page) > 0).sum())
            words = [t for t in scene.placed if t.kind == "word" and t.page == page]
            assert scene.reading_order(64, page).max() <= len(words)
    assert shown > 200


@every_world
def test_no_picture_of_evaluation_is_drawn_in_training(name) -> None:
    pictures = {
        split: {load(name).sample(s, split).picture.tobytes() for s in range(30)}
        for split in ("train", "eval")
    }
    assert len(pictures["train"]) >= 28 and len(pictures["eval"]) >= 28
    assert not pictures["train"] & pictures["eval"]


def _wordings() -> list[tuple[str, ...]]:
    """Every way anything is asked: the upper-case tuples of sentences in all modules of the worlds."""
    modules = [import_module(found.name) for found in walk_packages(worlds.__path__, worlds.__name__ + ".")]
    return [
        value
        for module in modules
        for key, value in vars(module).items()
        if key.isupper()
        and isinstance(value, tuple)
        and len(value) >= 2
        and all(isinstance(v, str) for v in value)
        and all(v.endswith(("?", ".", "!", ":")) and " " in v for v in value)
    ]


def test_evaluation_asks_in_words_that_training_never_uses() -> None:
    of_train = {way for ways in _wordings() for way in ways[:-1]}
    of_eval = {ways[-1] for ways in _wordings()}
    assert len(of_eval) >= 8 * len(WORLDS)
    assert not of_train & of_eval, of_train & of_eval
    texts = {
        split: {
            q.text for name in WORLDS for seed in range(30) for q in load(name).sample(seed, split).questions
        }
        for split in ("train", "eval")
    }
    assert not texts["train"] & texts["eval"], sorted(texts["train"] & texts["eval"])[:5]


@every_world
def test_what_cannot_be_read_is_not_in_the_truth_of_what_is_written(name) -> None:
    """A picture whose illegible words stood in the dense truth would teach a tower to guess."""
    for seed in range(60):
        scene = load(name).sample(seed, "train")
        for question in scene.questions:
            if question.kind == "can't be read":
                assert not question.needs
    assert np.asarray(scene.picture).std() > 0
