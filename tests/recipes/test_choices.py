"""Stage 3 of the bundled model: choices can't be memorised, branches don't see each other, a run can be continued."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from clearsight import mini
from clearsight.conversation import Conversation, assistant, user
from clearsight.data.worlds.drawing.icon_drawings import others
from clearsight.models.vlm import IGNORED
from recipes.mini import choices, looks
from recipes.mini.primer import icons, shapes

pytestmark = pytest.mark.bundled


def test_an_icon_is_asked_about_with_other_choices_each_time() -> None:
    scene = next(
        s
        for s in (icons.sample(seed, "train") for seed in range(99))
        if any(question.skill == "icon of ten" for question in s.questions)
    )
    idea = scene.placed[0].label
    asked = [choices.questions(random.Random(seed), scene)[0] for seed in range(20)]
    assert {answer for _, answer in asked} == {idea}
    assert len({text for text, _ in asked}) == 20
    offered = {other for other in others(idea) for text, _ in asked if other in text}
    assert len(offered) > 60  # of 140


@torch.inference_mode()
def test_questions_that_share_a_picture_are_answered_as_if_each_were_alone() -> None:
    processor, model = mini.processor(), mini.load(torch.float32)
    axes = torch.randn(4, model.connector.modality_projection.proj.in_features)
    chooser = choices.Chooser(model, axes, processor, choices.Practice()).eval()
    tokens = torch.randn(2, 16, model.config.text.hidden_size)
    pairs = [[("What is this?", "car"), ("Is it a cat or a dog?", "dog")], [("How many?", "two")]]
    chat = choices.chat_examples(processor)[0]
    branches = choices.Branches.of(processor, pairs, [chat])
    together = model.logits(chooser.hidden(branches, tokens))

    begin = len(choices.picture_prefix(processor))
    place = 0
    for picture, questions in enumerate(pairs):
        place += begin
        for text, answer in questions:
            conversation = Conversation((user(choices.ANY_PICTURE, text), assistant(answer)))
            ids = processor.prepare(conversation, add_generation_prompt=False, detail="low").input_ids_T
            alone = model(ids[None], image_features=tokens[picture : picture + 1])[0]
            own = slice(place, place + len(ids) - begin)
            assert torch.equal(branches.ids_T[own], ids[begin:])
            assert torch.allclose(together[own], alone[begin:], atol=1e-3)
            place += len(ids) - begin
    assert torch.allclose(together[place:], model(chat.ids[None])[0], atol=1e-3)
    labels = branches.labels_T[branches.labels_T != IGNORED].tolist()
    said = processor.tokenizer.decode(labels, skip_special=False)
    assert said.startswith("car<|im_end|>")
    assert "dog<|im_end|>" in said and "cat" not in said


def test_the_truth_of_an_icon_is_where_it_lies() -> None:
    scene = next(s for s in (shapes.sample(seed, "train") for seed in range(99)) if len(s.placed) == 2)
    left, top, right, bottom = scene.placed[0].box
    on = choices.lies(scene, scene.placed[0].label)
    assert on[int((top + bottom) / 2 // 112) * 4 + int((left + right) / 2 // 112)]
    assert 0 < on.sum() < 16


@pytest.mark.slow
def test_the_stage_looks_learns_goes_on_and_writes_parts(tmp_path: Path) -> None:
    folder, run, parts = tmp_path / "looks", tmp_path / "run", tmp_path / "run" / "model"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(looks, "SHARD", 16)
        patch.setattr(looks, "RANK", 32)
        for split in ("eval", "train"):
            looks.look(folder, split, 32, mini.processor())
            again = looks.Looks(folder, split)
            assert again.features.shape[0] == len(again.seen) == 32
            assert choices.by_kind(again)[choices.ALONE]
        looks.find_axes(folder)
    settings = (f"task.looks={folder}", "task.pool=4", "data.rows_per_step=2", "data.rows=2")
    small = ("schedule.warmup=1", "schedule.steps=2", "validation.batches=1", "checkpoints.every=1")
    sets = [word for setting in (*settings, *small) for word in ("--set", setting)]
    command = [sys.executable, "-m", "clearsight", "train", "recipes/mini/choices.py", "--out", str(run)]
    for _ in range(2):  # the second finds nothing left to do
        done = subprocess.run([*command, "--json", *sets], capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (parts / mini.PARTS).stat().st_size < 40e6
    before, after = load_file(mini.bundled_folder() / mini.PARTS), load_file(parts / mini.PARTS)
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert any("connector" in name for name in changed) and any("lora_b" in name for name in changed)
    assert not any("vision_model" in name and not name.endswith("scale") for name in changed)
    mini.load(folder=parts)
