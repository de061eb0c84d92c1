"""The plan must not promise what a cluster can't hold, nor send a user to the wrong choice."""

import json

import pytest
from rich.console import Console

from clearsight.models.presets import PRESETS
from clearsight.training.memory import Counts, Learning
from clearsight.training.planner import RESERVED_GIB, describe, plan, shape_of


def one(choices, **wanted):
    (found,) = (c for c in choices if all(getattr(c, name) == value for name, value in wanted.items()))
    return found


@pytest.mark.parametrize(
    ("text", "parameters"), [("350M", 350e6), ("1.5B", 1.5e9), ("7b", 7e9), ("70B", 70e9)]
)
def test_a_number_of_parameters_stands_for_a_shape_of_about_that_many(text, parameters):
    config = shape_of(text)
    assert Counts.of(config).total(config) == pytest.approx(parameters, rel=0.05)
    depth = config.text.num_hidden_layers
    assert 40 < config.text.hidden_size / depth < 260  # neither a needle nor a pancake


@pytest.mark.parametrize(
    ("text", "remedy"), [("seven", "write 350M"), ("10M", "or more"), ("", "write 350M")]
)
def test_what_is_no_size_of_a_model_is_refused_with_a_remedy(text, remedy):
    with pytest.raises(ValueError, match=remedy):
        shape_of(text)


def test_gpus_that_make_no_whole_nodes_are_refused():
    with pytest.raises(ValueError, match="nodes of 8"):
        plan("7B", 12, 80)
    with pytest.raises(ValueError, match="at least one"):
        plan("7B", 0, 80)


def test_what_does_not_fit_is_never_recommended():
    choices = plan("70B", 64, 80)
    assert [c.fits for c in choices] == sorted((c.fits for c in choices), reverse=True)
    for choice in choices:
        assert choice.fits == (choice.memory.total <= (80 - RESERVED_GIB) * 2**30)
    assert not one(choices, shard=1, tensor=1, checkpoint_activations=False).fits  # 70B x 16 bytes on one GPU
    assert choices[0].fits


def test_every_choice_uses_all_gpus():
    for choice in plan("7B", 64, 80):
        assert choice.replicas * choice.shard * choice.tensor == 64


def test_sharding_divides_what_is_kept_and_not_what_is_computed():
    choices = plan("7B", 64, 141)
    whole = one(choices, shard=1, tensor=1, checkpoint_activations=False)
    sharded = one(choices, shard=64, tensor=1, checkpoint_activations=False)
    assert sharded.memory.moments == pytest.approx(whole.memory.moments / 64, rel=1e-6)
    assert sharded.compute_seconds == whole.compute_seconds


def test_recomputing_costs_time_and_no_useful_work_is_counted_for_it():
    choices = plan("7B", 8, 141)
    kept = one(choices, shard=8, tensor=1, checkpoint_activations=False)
    again = one(choices, shard=8, tensor=1, checkpoint_activations=True)
    assert 1.2 < again.compute_seconds / kept.compute_seconds < 1.4  # a third forward pass
    assert again.memory.total < kept.memory.total
    assert again.mfu <= kept.mfu


def test_communication_is_that_of_the_textbook():
    config = PRESETS["smolvlm-2.2b"]
    parameters = Counts.of(config).total(config)
    choices = plan(config, 8, 80)
    replicated = one(choices, shard=1, tensor=1, checkpoint_activations=False)
    assert replicated.sent == pytest.approx(2 * 4 * parameters * 7 / 8, rel=1e-6)
    sharded = one(choices, shard=8, tensor=1, checkpoint_activations=False)
    # gathered twice in bf16 (the root once), reduced once in fp32
    assert (4 + 2) * parameters * 7 / 8 < sharded.sent <= (4 + 4) * parameters * 7 / 8


def test_several_micro_batches_gather_more_and_reduce_once():
    one_batch = one(plan("7B", 8, 141), shard=8, tensor=1, checkpoint_activations=False)
    four = one(plan("7B", 8, 141, micro_batches=4), shard=8, tensor=1, checkpoint_activations=False)
    assert one_batch.sent < four.sent < 4 * one_batch.sent
    assert four.compute_seconds == pytest.approx(4 * one_batch.compute_seconds)
    assert four.mfu > one_batch.mfu * 0.99


def test_a_slow_network_is_worse_for_what_crosses_nodes_than_for_what_does_not():
    fast, slow = (plan("7B", 64, 141, network=speed) for speed in (50e9, 5e9))
    across = {"shard": 64, "tensor": 1, "checkpoint_activations": False}
    within = {"shard": 8, "tensor": 1, "checkpoint_activations": False}
    loss_across = one(slow, **across).step_seconds / one(fast, **across).step_seconds
    loss_within = one(slow, **within).step_seconds / one(fast, **within).step_seconds
    assert loss_across > loss_within


def test_no_prediction_reaches_more_than_the_assumed_share_of_the_peak():
    for choice in plan("7B", 512, 141):
        assert 0 < choice.mfu <= 0.6


def test_layers_are_never_shared_by_more_ranks_than_have_key_value_heads():
    heads = PRESETS["smolvlm-256m"].text.num_key_value_heads
    assert {c.tensor for c in plan(PRESETS["smolvlm-256m"], 8, 80)} == {1}
    assert heads == 3


def test_low_rank_updates_fit_where_full_training_does_not():
    full = plan("13B", 1, 80)
    low_rank = plan("13B", 1, 80, learning=Learning(frozenset({"text"}), rank=16))
    assert not any(choice.fits for choice in full)
    assert any(choice.fits for choice in low_rank)


def test_the_table_says_what_to_do_when_nothing_fits():
    console = Console(width=220, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(describe(plan("70B", 1, 24), "70B on one GPU"))
    text = console.export_text()
    assert "70B on one GPU" in text
    assert "take more or larger GPUs" in text
    assert "products at 60%" in text


@pytest.mark.parametrize(("hbm", "name"), [(80, "H100"), (141, "H200"), (24, "RTX 4090"), (192, "MI300X")])
def test_a_gpu_is_known_by_its_memory(hbm, name):
    assert {choice.accelerator for choice in plan("350M", 8, hbm)} == {name}


def test_choices_can_be_read_by_programs():
    for choice in plan("7B", 8, 80):
        read = json.loads(json.dumps(choice.to_json()))
        assert read["memory"]["total"] == choice.memory.total
        assert read["mfu"] == choice.mfu
