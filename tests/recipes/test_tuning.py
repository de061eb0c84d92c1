"""Stage 4 of the bundled model: rows share a picture and nothing else, text is held to the base model's."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

from clearsight import mini
from clearsight.data import worlds
from clearsight.models.lora import LowRank, add_low_rank
from clearsight.models.vlm import IGNORED
from clearsight.training.parallel import SLOW
from clearsight.training.resting import gain
from recipes.mini import chat_cost, choices, curves, tuning
from recipes.mini.cpu_attention import written_out
from recipes.mini.lessons import Vocabulary
from recipes.mini.seeds import Seeds

pytestmark = pytest.mark.bundled


@pytest.fixture(scope="module")
def processor():
    return mini.processor()


@pytest.fixture(scope="module")
def exercises(processor):
    return tuning.Exercises(tuning.Tuning(), processor, Vocabulary(processor))


def seeds(first: int, split: str = "train") -> Seeds:
    return Seeds(range(first, first + 4), range(first, first + 4), split, True)


@torch.inference_mode()
def test_each_conversation_of_a_row_is_answered_as_if_it_were_alone(processor) -> None:
    model = mini.load(torch.float32)
    turns = [
        [("What is this?", "car"), ("And the other?", "dog")],
        [("Is it a cat or a dog?", "dog")],
        [("How many?", "two")],
    ]
    pictures = [tuning.ANY_PICTURE] * 2
    encoded = [choices.encoded_turns(processor, pictures, one) for one in turns]
    begin = choices.behind_pictures(processor, encoded[0][0])
    row = tuning.Row.of(begin, encoded, 160)
    tokens = torch.randn(2, 16, model.config.text.hidden_size)
    tuned = tuning.Tuned(
        model, torch.randn(4, 6144), processor, Vocabulary(processor), tuning.Tuning()
    ).eval()
    branches = row.branches_T[None]
    hidden = tuned.hidden(model.embed(row.ids_T[None], tokens), row.positions_T[None], tuning.sees(branches))
    assert torch.isfinite(hidden).all()
    together, place = model.logits(hidden[0]), begin
    for own, _ in encoded:
        alone = model(torch.tensor([own]), image_features=tokens)[0]
        here = slice(place, place + len(own) - begin)
        assert row.ids_T[here].tolist() == own[begin:]
        assert torch.allclose(together[here], alone[begin:], atol=1e-3)
        place = here.stop
    learned = row.labels_T[row.labels_T != IGNORED].tolist()
    said = processor.tokenizer.decode(learned, skip_special=False).split("<|im_end|>")
    assert [answer.strip() for answer in said] == ["car", "dog", "dog", "two", ""]
    assert (row.branches_T[place:] == -1).all()


def test_a_row_leaves_out_what_does_not_fit_and_begins_all_the_same() -> None:
    long, short = ([1, 2] + [3] * 30, [False] * 32), ([1, 2, 4, 5], [False, False, True, True])
    row = tuning.Row.of(2, [long, short, short], 8)
    assert row.ids_T.tolist() == [1, 2, 4, 5, 4, 5, 0, 0]
    assert row.positions_T.tolist() == [0, 1, 2, 3, 2, 3, 0, 0]
    assert row.branches_T[:2].tolist() == [0, 0] and row.branches_T[6:].tolist() == [-1, -1]
    assert len(set(row.branches_T[2:6].tolist())) == 2
    assert row.weights_T.sum() == pytest.approx((4 + 2) / 2)  # the beginning's weights stand beside no label


@pytest.mark.parametrize("first", [0, 4000])
def test_every_micro_batch_has_a_row_of_text_and_as_many_pictures_as_placeholders(exercises, first) -> None:
    for split in ("train", "eval"):
        for start in range(first, first + 24, 4):
            batch = exercises.draw(seeds(start, split))
            image = tuning.MINI.image_token_id
            assert int((batch.ids_BT == image).sum()) == len(batch.tiles_NCSS) * tuning.MINI.tokens_per_tile
            assert not (batch.ids_BT[-1] == image).any() and (batch.branches_BT[-1] > 0).sum() > 40
            assert (batch.labels_BT[-1] == IGNORED).all()
            assert ((batch.labels_BT[:-1] != IGNORED).sum(1) > 0).all()
            assert len(batch.first_L) == len(batch.target_LV) == 4 * tuning.MINI.tokens_per_tile


def test_seeds_draw_the_same_and_held_out_texts_are_never_learned_from(exercises) -> None:
    a, b = exercises.draw(seeds(8)), exercises.draw(seeds(8))
    assert torch.equal(a.ids_BT, b.ids_BT) and torch.equal(a.tiles_NCSS, b.tiles_NCSS)
    held_out = {(r["prompt"], r["reply"]) for r in exercises.texts["eval"]}
    assert held_out and not held_out & {(r["prompt"], r["reply"]) for r in exercises.texts["train"]}
    assert not set(chat_cost.PROMPTS) & {r["prompt"] for r in exercises.texts["train"]}


def test_questions_of_all_worlds_are_asked() -> None:
    drawn = {tuning.scene_of(seed, "train").world for seed in range(400)}
    assert set(worlds.WORLDS) <= drawn
    scene = worlds.load("tables").sample(3, "train")
    for seed in range(20):
        said = tuning.asked(random.Random(seed), scene)
        turns = tuning.in_turns(random.Random(seed), said)
        assert [pair for one in turns for pair in one] == said
        questions = {(q.text, q.answer) for q in scene.questions}
        assert questions <= set(said) and len(set(said) - questions) <= 1


def test_without_updates_the_chat_is_the_base_models_and_with_them_it_is_told_apart(
    processor, exercises
) -> None:
    model = mini.base_model(torch.float32).requires_grad_(False)
    add_low_rank(model.text_model, 4, 8.0)
    tuned = tuning.Tuned(model, torch.randn(4, 6144), processor, Vocabulary(processor), tuning.Tuning())
    batch = exercises.draw(seeds(0))
    branches = batch.branches_BT[-1:]
    some = torch.arange(40)

    def chat() -> torch.Tensor:
        x, positions = model.embed(batch.ids_BT[-1:]), batch.positions_BT[-1:]
        hidden = tuned.hidden(x, positions, tuning.sees(branches))
        return tuned.divergence(x, positions, tuning.sees(branches), hidden[0, some], some)

    assert abs(chat().item()) < 1e-6
    layer = model.text_model.layers[3].mlp.down_proj
    assert isinstance(layer, LowRank)
    nn.init.ones_(layer.lora_b)
    loss = chat()
    assert loss.item() > 1e-3
    loss.backward()
    assert layer.lora_b.grad is not None and layer.lora_b.grad.abs().sum() > 0


def test_attention_written_out_takes_a_mask_a_row() -> None:
    torch.manual_seed(0)
    q, k, v = torch.randn(2, 6, 8, 16), torch.randn(2, 2, 8, 16), torch.randn(2, 2, 8, 16)
    mask = (torch.rand(2, 1, 8, 8) > 0.5) | torch.eye(8, dtype=torch.bool)
    right = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=True)
    assert torch.allclose(written_out(q, k, v, mask, enable_gqa=True), right, atol=1e-5)
    flat = mask[0, 0]
    right = F.scaled_dot_product_attention(q, k, v, attn_mask=flat, enable_gqa=True)
    assert torch.allclose(written_out(q, k, v, flat, enable_gqa=True), right, atol=1e-5)


def test_the_ratio_of_perplexities_and_its_interval() -> None:
    base, ours = torch.tensor([[100.0, 50], [30, 10]]).numpy(), torch.tensor([[106.0, 50], [30, 10]]).numpy()
    middle, low, high = chat_cost.ratio(ours, base)
    assert middle == pytest.approx(2.718281828 ** (6 / 60))
    assert low == pytest.approx(1.0) and high == pytest.approx(2.718281828 ** (6 / 50))


def test_the_cards_tables_are_those_of_the_kept_scores() -> None:
    root = Path(__file__).parents[2]
    card = (root / chat_cost.CARD).read_text(encoding="utf-8")
    assert chat_cost.table(json.loads((root / chat_cost.SCORES).read_text())) in card
    assert curves.table(json.loads((root / curves.OUT / "mini_curves.json").read_text())) in card


def test_needed_compute_is_that_of_the_law_and_none_below_its_floor() -> None:
    points = [{"flops": c, "nats": 2.0 * c**-0.3 + 0.2} for c in (1.0, 2.0, 4.0, 8.0)]
    assert curves.needed(points, 0.5) == pytest.approx((2.0 / (0.6931 - 0.2)) ** (1 / 0.3), rel=0.1)
    assert curves.needed(points, 0.99) is None
    assert curves.needed(points[::-1][:2], 0.5) is None


def test_every_question_has_a_skill_of_the_curves() -> None:
    for name in worlds.WORLDS:
        for question in worlds.load(name).sample(1, "eval").questions:
            assert curves.skill_of(name, question) in curves.WANTED


@pytest.mark.slow
def test_the_stage_learns_goes_on_and_writes_parts(tmp_path: Path) -> None:
    run, parts = tmp_path / "run", tmp_path / "run" / "model"
    settings = (
        "task.row_tokens=96",
        "task.axes=16",
        "data.rows_per_step=2",
        "data.rows=2",
        "parallel.compile=false",
        *(("parallel.resting=own",) if gain() < SLOW else ()),  # in int8 it would take minutes
        "schedule.warmup=1",
        "schedule.steps=2",
        "validation.batches=1",
        "checkpoints.every=1",
    )
    sets = [word for setting in settings for word in ("--set", setting)]
    command = [sys.executable, "-m", "clearsight", "train", "recipes/mini/tuning.py", "--out", str(run)]
    for _ in range(2):  # the second finds nothing left to do
        done = subprocess.run([*command, "--json", *sets], capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (parts / mini.PARTS).stat().st_size < 40e6
    before, after = load_file(mini.bundled_folder() / mini.PARTS), load_file(parts / mini.PARTS)
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert any("connector" in name for name in changed) and any("lora_b" in name for name in changed)
    assert not any("vision_model" in name and not name.endswith("scale") for name in changed)
    mini.load(folder=parts)
