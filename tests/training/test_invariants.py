"""Settings that change how a run is computed must not change what it learns. All through the real command."""

import shutil
from pathlib import Path

import pytest
import torch
from tiny_runs import losses, train

from clearsight.data.loader import Loader, pack
from clearsight.data.shards import Corpus
from clearsight.training import learner
from clearsight.training.checkpoint import Checkpoints, Parts
from clearsight.training.config import Model
from clearsight.training.record import read_run

STEPS = 6
SETTINGS = (f"schedule.steps={STEPS}", "data.rows_per_step=8")


@pytest.fixture(scope="module")
def plain(recipe, tmp_path_factory) -> Path:
    """One process, one batch a step, fp32."""
    out = tmp_path_factory.mktemp("plain")
    train(recipe, out, *SETTINGS, "data.rows=8")
    return out


def same_learning(one: Path, other: Path, rel: float = 1e-5) -> None:
    a, b = read_run(one), read_run(other)
    assert [line.sha256 for line in a.ledger] == [line.sha256 for line in b.ledger]
    assert losses(other) == pytest.approx(losses(one), rel=rel)
    assert [s.facts.grad_norm for s in b.steps] == pytest.approx(
        [s.facts.grad_norm for s in a.steps], rel=20 * rel
    )
    for counted in ("tokens", "labelled", "samples", "tiles", "flops", "corpora"):
        assert [getattr(s.facts, counted) for s in a.steps] == [getattr(s.facts, counted) for s in b.steps]


def test_a_batch_of_eight_is_four_times_two(recipe, plain, tmp_path):
    train(recipe, tmp_path, *SETTINGS, "data.rows=2")
    same_learning(plain, tmp_path)


def test_two_sharded_processes_learn_what_one_does(recipe, plain, tmp_path):
    train(recipe, tmp_path, *SETTINGS, "data.rows=2", processes=2)
    same_learning(plain, tmp_path)


@pytest.mark.slow
def test_two_replicas_learn_what_one_process_does(recipe, plain, tmp_path):
    train(recipe, tmp_path, *SETTINGS, "data.rows=2", "parallel.shard=1", processes=2)
    same_learning(plain, tmp_path)


@pytest.mark.slow
def test_a_decoder_shared_by_two_processes_learns_what_one_does(recipe, plain, tmp_path):
    train(recipe, tmp_path, *SETTINGS, "data.rows=4", "parallel.tensor=2", processes=2)
    same_learning(plain, tmp_path)


def test_activations_computed_again_change_nothing(recipe, plain, tmp_path):
    train(recipe, tmp_path, *SETTINGS, "data.rows=8", "parallel.checkpoint_activations=true")
    same_learning(plain, tmp_path, rel=1e-6)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a compiler: install g++")
def test_compiled_layers_learn_what_eager_ones_do(recipe, plain, tmp_path):
    train(recipe, tmp_path, *SETTINGS, "data.rows=8", "parallel.compile=true")
    same_learning(plain, tmp_path)


def test_low_rank_updates_learn_nearly_the_same_beside_weights_in_int8(recipe, tmp_path):
    settings = (*SETTINGS, "data.rows=8", "model.rank=4", "model.trained=connector,text")
    for resting in ("own", "int8"):
        train(recipe, tmp_path / resting, *settings, f"parallel.resting={resting}")
    exact, near = losses(tmp_path / "own"), losses(tmp_path / "int8")
    assert near != exact and near == pytest.approx(exact, rel=0.02)


@pytest.mark.slow
def test_muon_over_two_processes_is_muon(recipe, tmp_path):
    for processes in (1, 2):
        train(
            recipe,
            tmp_path / str(processes),
            *SETTINGS,
            "data.rows=2",
            "optimizer.kind=muon",
            processes=processes,
        )
    same_learning(tmp_path / "1", tmp_path / "2")


def test_packed_samples_learn_what_they_would_alone(checkpoint, corpus):
    """The gradient of a packed row is the sum of its samples' gradients, each in a row of its own."""
    model, processor = learner.load(Model(start=str(checkpoint)))
    learner.prepare(model, Model())
    batch = next(iter(Loader([Corpus(corpus)], processor, row_tokens=1500, rows=1, window=16)))
    prepared = [
        processor.prepare(Corpus(corpus)[record].conversation, add_generation_prompt=False)
        for _, record in batch.samples[0]
    ]
    assert len(prepared) > 2
    alone = [pack([[sample]], sample.num_tokens, processor.end_of_turn_id) for sample in prepared]

    def gradients(batches) -> dict[str, torch.Tensor]:
        model.zero_grad()
        for one in batches:
            model(
                one.input_ids_BT,
                one.tiles_NCSS.float() / 127.5 - 1,
                position_ids=one.position_ids_BT,
                segment_ids=one.segment_ids_BT,
                labels=one.labels_BT,
                reduction="sum",
            ).backward()
        return {name: p.grad.clone() for name, p in model.named_parameters()}

    packed, separate = gradients([batch]), gradients(alone)
    for name, gradient in packed.items():
        torch.testing.assert_close(gradient, separate[name], rtol=1e-4, atol=1e-4, msg=name)


def test_only_what_is_trained_changes(recipe, checkpoint, tmp_path):
    from clearsight.models import hf

    train(recipe, tmp_path, "schedule.steps=3", "model.trained=connector")
    before = dict(hf.load(checkpoint, torch.bfloat16).named_parameters())
    after = dict(hf.load(tmp_path / "model", torch.bfloat16).named_parameters())
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"model.connector.modality_projection.proj.weight"}


def test_low_rank_updates_are_merged_into_what_is_written(recipe, checkpoint, tmp_path):
    from clearsight.models import hf

    train(recipe, tmp_path, "schedule.steps=3", "model.rank=2", "model.trained=text")
    before = dict(hf.load(checkpoint, torch.bfloat16).named_parameters())
    after = dict(hf.load(tmp_path / "model", torch.bfloat16).named_parameters())
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all("text_model.layers" in name for name in changed)
    with Parts(Checkpoints(tmp_path / "checkpoints").path(3)) as parts:
        assert all("lora_" in key for key in parts)
