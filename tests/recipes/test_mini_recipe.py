"""The bundled model's recipe: grading is what greedy decoding does, targets are true, runs can be continued."""

import json
import subprocess
import sys

import pytest
import torch
from PIL import Image as PILImage

from clearsight import mini
from clearsight.assistant import Assistant
from clearsight.data.worlds.scene import SIZE
from recipes.mini import bridge, evaluate, tower
from recipes.mini.primer import shapes, words

pytestmark = pytest.mark.bundled


@pytest.fixture(scope="module")
def assistant() -> Assistant:
    return Assistant.load("mini", dtype=torch.float32)


@torch.inference_mode()
def test_a_graded_answer_is_right_exactly_when_greedy_decoding_gives_it(assistant: Assistant) -> None:
    grader = evaluate.Grader(assistant.model, assistant.processor)
    graded = []
    for seed in range(6):
        scene = shapes.sample(seed, "eval")
        cache, prefix = grader.look(scene.picture)
        right = grader.grade(cache, prefix, scene.questions, scene.picture)
        for question, is_right in zip(scene.questions, right, strict=True):
            answer = assistant.ask([scene.picture, question.text], max_tokens=12)
            assert is_right == (answer.text == question.answer and answer.finish_reason == "stop")
            graded.append(is_right)
    assert len(graded) > 20


def test_the_interval_is_wilsons() -> None:
    low, high = evaluate.wilson(8, 10)
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)  # Newcombe 1998's method 3
    assert evaluate.wilson(0, 20)[0] == 0.0
    assert evaluate.wilson(20, 20)[1] == 1.0


def test_every_skill_is_asked_often_enough_and_none_is_left_out() -> None:
    asked: dict[str, int] = {}
    for _, questions in evaluate.asked(words, 12, 0, 1):
        for question in questions:
            asked[question.skill] = asked.get(question.skill, 0) + 1
    assert set(asked) == {q.skill for seed in range(100) for q in words.sample(seed, "eval").questions}
    assert min(asked.values()) >= 12


def test_image_tokens_are_taught_the_words_beneath_them() -> None:
    processor = mini.processor()
    vocabulary = bridge.Vocabulary(processor)
    scene = next(s for s in (shapes.sample(i, "train") for i in range(99)) if len(s.placed) == 2)
    target = vocabulary.target(scene, 16, 4)
    assert target.shape == (16, len(vocabulary.ids))
    assert torch.allclose(target.sum(1), torch.ones(16))
    left, top, right, bottom = scene.placed[0].box
    middle = int((top + bottom) / 2 // 112) * 4 + int((left + right) / 2 // 112)
    taught = {
        processor.tokenizer.decode([vocabulary.ids[i]]).strip()
        for i in target[middle].nonzero()[:, 0].tolist()
    }
    assert {thing.label for thing in scene.placed} == taught
    (one,) = vocabulary.places_of["one"]
    assert target[:, one].max() == 1  # and some place is empty: it says how many things there are
    text = vocabulary.target(words.sample(1, "train"), 16, 4)
    assert text[:, 0].max() == 1  # where nothing can be counted it says nothing


def test_a_coarser_grid_takes_every_second_position_of_the_finer() -> None:
    positions = bridge.spread_positions(16, 32).view(16, 16)
    assert positions[0, 0] == 33 and positions[0, 1] == 35 and positions[1, 0] == 33 + 64
    assert torch.equal(bridge.spread_positions(32, 32), torch.arange(1024))


def test_only_replies_are_learned() -> None:
    processor = mini.processor()
    example = bridge.picture_example(processor, 5, "train")
    learned = processor.tokenizer.decode(example.ids[example.learned].tolist(), skip_special=False)
    turns = processor.tokenizer.decode(example.ids.tolist(), skip_special=False).count("assistant\n")
    assert learned.count("<|im_end|>") == turns >= 2
    assert "?" not in learned and "<image>" not in learned


@pytest.mark.slow
def test_both_stages_run_save_continue_and_export(tmp_path) -> None:
    def run(stage: str, *arguments: str) -> str:
        command = [sys.executable, "-m", f"recipes.mini.{stage}", "--device", "cpu", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=400)
        assert done.returncode == 0, done.stderr
        return done.stdout

    towers, bridges, parts = tmp_path / "tower", tmp_path / "bridge", tmp_path / "parts"
    short = ("--minutes", "0.05", "--batch", "2")
    run("tower", "--out", towers, *short)
    seen = json.loads((towers / "state.json").read_text())["samples"]
    run("tower", "--out", towers, *short)
    assert json.loads((towers / "state.json").read_text())["samples"] > seen
    both = ("--tower", towers, "--out", bridges)
    run("bridge", *both, *short)
    run("bridge", *both, *short)
    run("bridge", *both, "--export", parts)
    run("bridge", "--parts", parts, "--out", tmp_path / "further", *short)
    assert (parts / mini.PARTS).stat().st_size < 40e6
    model = mini.load(folder=parts)
    grader = evaluate.Grader(model, mini.processor())
    picture = PILImage.new("RGB", (SIZE, SIZE), (200, 0, 0))
    cache, prefix = grader.look(picture)
    assert len(grader.grade(cache, prefix, shapes.sample(0, "eval").questions, picture)) > 1


def test_dense_heads_know_every_label_of_the_worlds() -> None:
    kinds = tower.DenseHeads(8).kinds
    for seed in range(20):
        for thing in shapes.sample(seed, "train").placed:
            assert thing.label in kinds[thing.kind]
