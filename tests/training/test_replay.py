"""A result that a machine got wrong must not be learned from, and a machine that is well must not be accused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from clearsight.training.checksums import bit_checksum, bit_checksums
from clearsight.training.replay import Replayer
from clearsight.training.replicas import AtRest, _outvoted
from clearsight.training.update_sums import UpdateSums


def flip(tensor: Tensor, place: int, bit: int) -> None:
    """Flip one bit of a tensor's `place`-th element."""
    words = {2: torch.int16, 4: torch.int32}[tensor.element_size()]
    number = 1 << bit if bit < tensor.element_size() * 8 - 1 else -(1 << bit)
    tensor.detach().view(words).view(-1)[place] ^= number


# --- checksums


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_every_single_bit_of_a_tensor_changes_its_checksum(dtype):
    tensor = torch.randn(5, generator=torch.Generator().manual_seed(0)).to(dtype)  # ends within a word
    clean = bit_checksum(tensor)
    for place in range(5):
        for bit in range(tensor.element_size() * 8):
            flip(tensor, place, bit)
            assert bit_checksum(tensor) != clean, (place, bit)
            flip(tensor, place, bit)
    assert bit_checksum(tensor) == clean


def test_equal_replicas_have_equal_checksums_wherever_they_lie_in_memory():
    tensor = torch.randn(7, 9)
    odd_start = torch.empty(64)[1:]  # not on a word's boundary
    odd_start.data[: tensor.numel()].copy_(tensor.flatten())
    strided = torch.empty(9, 7).T.copy_(tensor)
    sums = bit_checksums([tensor, odd_start[: tensor.numel()], strided, torch.cat([tensor[:3], tensor[3:]])])
    assert len(set(sums.tolist())) == 1
    assert bit_checksum(torch.empty(0)) == 0  # a rank may hold nothing of a small tensor


# --- replay


class Faulty:
    """A model that computes correctly but in the runs whose number is in `faults`, which flip a bit of a gradient."""

    def __init__(self, *faults: int, bit: int = 0):
        torch.manual_seed(0)
        self.layer, self.dropped = nn.Linear(16, 16), nn.Dropout(0.5)
        self.inputs = torch.randn(8, 16)
        self.faults, self.bit, self.runs = faults, bit, 0

    def run_once(self) -> dict[str, Tensor]:
        self.runs += 1
        self.layer.zero_grad()
        loss = self.dropped(self.layer(self.inputs)).square().sum()
        loss.backward()
        if self.runs in self.faults:
            flip(self.layer.weight.grad, 3 * self.runs, self.bit)
        return {"loss": loss.detach()} | {
            f"grad:{name}": p.grad for name, p in self.layer.named_parameters() if p.grad is not None
        }


def test_a_healthy_machine_is_not_accused_even_when_the_model_draws_random_numbers():
    model = Faulty()
    assert Replayer(every=1).check(model.run_once) is None
    assert model.runs == 2


@pytest.mark.parametrize("run", [1, 2])
def test_a_flipped_bit_is_found_and_the_step_goes_on_with_gradients_that_two_runs_agree_on(run):
    expected = Faulty()
    expected.run_once()
    model = Faulty(run)
    mismatch = Replayer(every=1).check(model.run_once)
    assert mismatch is not None and mismatch.names == ("grad:weight",) and mismatch.settled
    assert "grad:weight" in str(mismatch)
    assert torch.equal(model.layer.weight.grad, expected.layer.weight.grad)


def test_a_machine_that_never_gives_the_same_result_is_not_trusted():
    mismatch = Replayer(every=1).check(Faulty(1, 2, 3).run_once)
    assert mismatch is not None and not mismatch.settled


def test_all_ranks_run_again_when_one_of_them_sees_a_difference():
    model = Faulty()
    mismatch = Replayer(every=1, anyone=lambda here: True).check(model.run_once)
    assert model.runs == 3 and mismatch is not None and mismatch.names == ()


def test_checks_are_due_every_so_many_steps_and_never_when_turned_off():
    assert [step for step in range(1, 10) if Replayer(every=4).due(step)] == [4, 8]
    assert not any(Replayer(every=0).due(step) for step in range(10))


def test_rounding_in_another_order_is_no_fault_where_bits_need_not_repeat_but_a_flipped_exponent_is():
    sums = [torch.randn(64, 64, generator=torch.Generator().manual_seed(s)) for s in range(9)]
    orders = iter([sums, sums[::-1], sums[4:] + sums[:4]] * 2)
    zero = 1e-8  # a gradient that is 0 but for rounding, of which nothing repeats

    def run_once() -> dict[str, Tensor]:
        ordered = next(orders)
        total = torch.zeros(64, 64, dtype=torch.bfloat16)
        for each in ordered:
            total += each.to(torch.bfloat16)
        return {"loss": total.float().mean().abs() + 1, "grad:a": total, "grad:b": zero * ordered[0]}

    assert Replayer(every=1, exact=False).check(run_once) is None
    assert Replayer(every=1, exact=True).check(run_once) is not None  # so there was something to tolerate
    model = Faulty(1, bit=30)
    model.dropped.eval()
    assert Replayer(every=1, exact=False).check(model.run_once) is not None


# --- at rest


def test_a_bit_that_flips_between_two_updates_is_found_in_weights_and_in_moments():
    named = {"weight/a": torch.randn(5, 5), "exp_avg/a": torch.randn(5, 5)}
    rest = AtRest(every=2)
    rest.after_update(2, named.items())
    assert rest.before_update(named.items()) == []
    rest.after_update(4, named.items())
    flip(named["exp_avg/a"], 7, 0)
    assert rest.before_update(named.items()) == ["exp_avg/a"]


def test_a_loaded_checkpoint_is_no_fault_of_memory():
    named = {"weight/a": torch.randn(5)}
    rest = AtRest(every=1)
    rest.after_update(1, named.items())
    rest.forget()
    named["weight/a"].zero_()
    assert rest.before_update(named.items()) == []


def test_intervals_that_are_not_due_cost_nothing():
    def never():
        raise AssertionError("tensors were read")
        yield

    rest = AtRest(every=3)
    rest.after_update(2, never())
    assert rest.before_update(never()) == []


# --- the optimiser's step


def trained(steps: int) -> tuple[nn.Module, torch.optim.AdamW]:
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(32, 64), nn.LayerNorm(64), nn.Linear(64, 8))
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=1e-2, weight_decay=0.1, betas=(0.9, 0.95), fused=True
    )
    for _ in range(steps):
        gradients(model)
        optimizer.step()
    return model, optimizer


def gradients(model: nn.Module) -> None:
    model.zero_grad()
    (model(torch.randn(16, 32)).square().sum() * 10 ** torch.randint(-6, 3, ()).item()).backward()


@pytest.mark.parametrize("steps", [0, 1, 50])
def test_a_correct_update_balances_however_large_its_gradients_are(steps):
    model, optimizer = trained(steps)
    names = {parameter: name for name, parameter in model.named_parameters()}
    sums = UpdateSums(every=1)
    for step in range(1, 20):
        gradients(model)
        sums.before(step, [optimizer], names)
        optimizer.step()
        assert sums.after([optimizer], names) == []


@pytest.mark.parametrize("scale", [1.0, 0.1])
@pytest.mark.parametrize("flipped", [False, True])
def test_gradients_may_be_clipped_on_their_way_to_the_optimiser_but_not_changed_otherwise(scale, flipped):
    model, optimizer = trained(5)
    names = {parameter: name for name, parameter in model.named_parameters()}
    sums = UpdateSums(every=1)
    for parameter in model.parameters():
        parameter.grad = 1e3 * torch.randn_like(parameter)  # no smaller than what the moments remember
    sums.before(1, [optimizer], names)
    for parameter in model.parameters():
        parameter.grad.mul_(scale)
    if flipped:
        flip(model[2].weight.grad, int(model[2].weight.grad.abs().argmax()), 31)  # its sign alone
    optimizer.step()
    assert sums.after([optimizer], names, scale) == (["exp_avg/2.weight"] if flipped else [])


@pytest.mark.parametrize("kind", ["weight", "exp_avg", "exp_avg_sq"])
def test_a_high_bit_that_flips_while_the_optimiser_writes_is_found_by_name(kind):
    model, optimizer = trained(5)
    names = {parameter: name for name, parameter in model.named_parameters()}
    sums = UpdateSums(every=1)
    gradients(model)
    sums.before(1, [optimizer], names)
    optimizer.step()
    parameter = model[0].weight
    flip(
        parameter if kind == "weight" else optimizer.state[parameter][kind], 40, 24
    )  # doubled or halved twice
    wrong = sums.after([optimizer], names)
    assert f"{kind}/0.weight" in wrong
    assert {key.split("/")[1] for key in wrong} == {"0.weight"}  # a wrong moment makes its weight wrong too


# --- replicas, among processes

REPLICAS = """
import sys
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from clearsight.training.parallel import local
from clearsight.training.replicas import differing

rank, size, store = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
dist.init_process_group("gloo", rank=rank, world_size=size, init_method="file://" + store)
mesh = init_device_mesh("cpu", (size, 1), mesh_dim_names=("replicate", "shard"))
torch.manual_seed(0)
model = nn.Linear(6, 4)
plain = torch.randn(3)
fully_shard(model, mesh=mesh)
named = [*model.named_parameters(), ("plain", plain)]
assert differing(named, mesh) == []
if rank == 1:
    local(model.weight.data).view(torch.int32)[2, 2] ^= 1
    plain.view(torch.int32)[0] ^= 1 << 20
found = [(each.name, each.ranks) for each in differing(named, mesh)]
assert found == [("weight", (1,)), ("plain", (1,))], found

torch.manual_seed(rank)  # shards are not copies of each other
sharded = nn.Linear(6, 4)
along = init_device_mesh("cpu", (1, size), mesh_dim_names=("replicate", "shard"))
fully_shard(sharded, mesh=along["shard"])
assert differing(sharded.named_parameters(), along) == []
dist.destroy_process_group()
"""


def test_between_two_copies_neither_is_accused_alone():
    assert _outvoted((5, 7), [0, 4]) == (0, 4)
    assert _outvoted((5, 7, 5), [0, 4, 8]) == (4,)


def test_a_replica_that_differs_in_one_bit_is_named_with_its_rank_and_tensor(tmp_path):
    size = 3
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    ranks = [
        subprocess.Popen(
            [sys.executable, "-c", REPLICAS, str(rank), str(size), str(tmp_path / "store")],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(size)
    ]
    for rank in ranks:
        _, errors = rank.communicate(timeout=120)
        assert rank.returncode == 0, errors
