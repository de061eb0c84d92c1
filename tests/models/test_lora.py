"""Low-rank updates: nothing changes at first, the base stays, merging keeps the answer."""

import pytest
import torch
from torch import nn

from clearsight.models.lora import add_low_rank, low_rank_state_dict, merge_low_rank, without_updates


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q_proj = nn.Linear(6, 5, bias=False)
        self.other = nn.Linear(5, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.other(self.q_proj(x))


def test_a_trained_update_survives_merging_and_its_base_does_not_move() -> None:
    torch.manual_seed(0)
    block, x = Block(), torch.randn(3, 6)
    before, base = block(x), block.q_proj.weight.clone()
    parameters = add_low_rank(block, rank=2, alpha=4, names=["q_proj"])
    assert len(parameters) == 2
    assert torch.equal(block(x), before)
    for _ in range(2):  # B moves first, then A
        block(x).square().sum().backward()
        with torch.no_grad():
            for parameter in parameters:
                parameter -= 0.01 * parameter.grad
    assert block.q_proj.base.weight.grad is None
    assert torch.equal(block.q_proj.base.weight, base)
    after, updates = block(x), low_rank_state_dict(block)
    assert not torch.allclose(after, before, atol=1e-3)
    merge_low_rank(block)
    torch.testing.assert_close(block(x), after)
    assert set(block.state_dict()) == set(Block().state_dict())
    torch.testing.assert_close(
        base + updates["q_proj.lora_b"] @ updates["q_proj.lora_a"], block.q_proj.weight.detach()
    )


def test_updates_can_be_left_out_for_a_while() -> None:
    torch.manual_seed(0)
    block, x = Block(), torch.randn(3, 6)
    before = block(x)
    add_low_rank(block, rank=2, alpha=4, names=["q_proj"])
    nn.init.ones_(block.q_proj.lora_b)
    after = block(x)
    with pytest.raises(ZeroDivisionError), without_updates(block):
        assert torch.equal(block(x), before)
        raise ZeroDivisionError
    assert torch.equal(block(x), after) and not torch.equal(after, before)


def test_names_that_match_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="no linear layer is called k_proj"):
        add_low_rank(Block(), rank=2, alpha=2, names=["k_proj"])
    with pytest.raises(ValueError, match="rank of at least 1"):
        add_low_rank(Block(), rank=0, alpha=2)
    block = Block()
    add_low_rank(block, rank=2, alpha=2)
    with pytest.raises(ValueError, match="merge them first"):
        add_low_rank(block, rank=2, alpha=2)
