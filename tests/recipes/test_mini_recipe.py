"""The bundled model's recipe: grading is what greedy decoding does, targets are true, runs can be continued."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image as PILImage

from clearsight import mini
from clearsight.conversation import Conversation, Image, user
from clearsight.data.worlds.scene import SIZE
from clearsight.decoding.sampling import Sampling
from clearsight.engine import Engine, EngineConfig
from clearsight.generation import generate
from clearsight.training.config import Config, ConfigError, Data
from clearsight.training.parallel import World
from clearsight.training.record import read_run
from recipes.mini import bridge, evaluate, lessons, tower
from recipes.mini.primer import shapes, words
from recipes.mini.seeds import SeededBatch, train_batches

pytestmark = pytest.mark.bundled
GREY = PILImage.new("RGB", (SIZE, SIZE), (128, 128, 128))


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine.load("mini", EngineConfig(weights="model", dtype=torch.float32)) as engine:
        yield engine


def test_a_graded_answer_is_right_exactly_when_the_exact_generator_gives_it(engine: Engine) -> None:
    model, processor = mini.load(torch.float32), mini.processor()
    pictures = [(scene, scene.questions) for scene in (shapes.sample(seed, "eval") for seed in range(4))]
    expected: Counter[str] = Counter()
    for scene, questions in pictures:
        for question in questions:
            for kind, picture in (("right", scene.picture), ("blind", GREY)):
                conversation = Conversation((user(Image(pixels=picture, detail="low"), question.text),))
                prompt = processor.prepare(conversation)
                events = list(generate(model, processor, prompt, Sampling(max_tokens=16)))
                said = "".join(event.text for event in events)
                expected[f"{question.skill}|{kind}"] += (
                    said == question.answer and events[-1].finish_reason == "stop"
                )
    grader = evaluate.Grader(engine)
    counts = grader.grade(pictures)
    again = grader.grade(pictures)  # now that blind replies are known
    assert counts == again
    assert sum(expected.values()) > 5
    for key, value in expected.items():
        assert counts[key] == value


def test_the_interval_is_wilsons() -> None:
    low, high = evaluate.wilson(8, 10)
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)  # Newcombe 1998's method 3
    assert evaluate.wilson(0, 20)[0] == 0.0
    assert evaluate.wilson(20, 20)[1] == 1.0


def test_every_skill_is_asked_often_enough_and_none_is_left_out() -> None:
    asked: dict[str, int] = {}
    for _, questions in evaluate.asked(words, 12):
        for question in questions:
            asked[question.skill] = asked.get(question.skill, 0) + 1
    assert set(asked) == {q.skill for seed in range(100) for q in words.sample(seed, "eval").questions}
    assert min(asked.values()) >= 12


def test_image_tokens_are_taught_the_words_beneath_them() -> None:
    processor = mini.processor()
    vocabulary = lessons.Vocabulary(processor)
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
    example = lessons.picture_example(processor, 5, "train")
    learned = processor.tokenizer.decode(example.ids[example.learned].tolist(), skip_special=False)
    turns = processor.tokenizer.decode(example.ids.tolist(), skip_special=False).count("assistant\n")
    assert learned.count("<|im_end|>") == turns >= 2
    assert "?" not in learned and "<image>" not in learned


@pytest.mark.parametrize("ranks", [2, 4])
def test_a_steps_seeds_and_which_are_drawn_together_do_not_depend_on_the_ranks(ranks: int) -> None:
    config = Config(data=Data(rows_per_step=8, rows=2, workers=0))

    def steps(ranks: int, state: dict | None, count: int) -> list[tuple[list[list[int]], dict]]:
        found = []
        worlds = [World(rank, ranks, torch.device("cpu"), None, rank, ranks) for rank in range(ranks)]
        streams = [train_batches(SeededBatch, config, world, state) for world in worlds]
        for _ in range(count):
            step: list[SeededBatch] = []
            while not step or not step[-1].ends_step:
                step += [next(stream) for stream in streams]
            assert {seed for _, seed in step[-1].step_samples} == {s for b in step for s in b.seeds.own}
            found.append(([[*batch.seeds.own] for batch in step], step[-1].state))
        return found

    alone, shared = steps(1, None, 3), steps(ranks, None, 3)
    assert shared == alone
    assert steps(ranks, alone[0][1], 2) == alone[1:]  # a state is where to go on, with any number of ranks
    alone_here = World(0, 1, torch.device("cpu"))
    with pytest.raises(ConfigError, match=r"data\.rows=2"):
        next(train_batches(SeededBatch, replace(config, data=Data(rows=4)), alone_here, alone[0][1]))


SMALL = ("schedule.warmup=1", "validation.batches=1", "checkpoints.every=1", "checkpoints.keep=9")


def train(stage: str, out: Path, *settings: str, processes: int = 1) -> None:
    """The real command, in steps of two seeds."""
    start = [sys.executable, "-m"]
    if processes > 1:
        start += ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"]
    both = (*SMALL, "data.rows_per_step=2", "data.rows=1", *settings)
    sets = [word for setting in both for word in ("--set", setting)]
    finish([*start, "clearsight", "train", f"recipes/mini/{stage}.py", "--out", str(out), "--json", *sets])


def finish(command: list[str]) -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_both_stages_train_go_on_and_export(tmp_path: Path) -> None:
    towers, bridges, parts = tmp_path / "tower", tmp_path / "bridge", tmp_path / "parts"
    train("tower", towers, "schedule.steps=3")
    before = read_run(towers).steps
    for step in (2, 3):
        (towers / "checkpoints" / f"step-{step:08d}" / "manifest.json").unlink()
    train("tower", towers, "schedule.steps=3", "data.workers=1", processes=2)
    after = read_run(towers).steps
    assert [step.facts.step for step in after] == [1, 2, 3]
    assert [step.facts.loss for step in after] == pytest.approx([s.facts.loss for s in before], rel=1e-3)

    train("bridge", bridges, "schedule.steps=2", "task.crowded=1", f"model.start={towers / 'model'}")
    assert read_run(bridges).ledger[2].samples == [(0, 2), (0, 3)]
    finish([sys.executable, "-m", "recipes.mini.bridge", "--run", str(bridges), "--export", str(parts)])
    assert (parts / mini.PARTS).read_bytes() == (bridges / "model" / mini.PARTS).read_bytes()
    assert (parts / mini.PARTS).stat().st_size < 40e6
    crowded = ("model.trained=vision,connector", "task.crowded=1", "schedule.steps=1")
    train("bridge", tmp_path / "further", *crowded, f"model.start={parts}")

    with Engine(mini.load(folder=parts), mini.processor(), EngineConfig(weights="model")) as engine:
        scene = shapes.sample(0, "eval")
        counts = evaluate.Grader(engine).grade([(scene, scene.questions)])
    assert sum(value for key, value in counts.items() if key.endswith("|n")) == len(scene.questions)


def test_dense_heads_know_every_label_of_the_worlds() -> None:
    kinds = tower.kinds()
    for seed in range(20):
        for thing in shapes.sample(seed, "train").placed:
            assert thing.label in kinds[thing.kind]
