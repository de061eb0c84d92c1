"""What a packed row and a chunked loss must not change."""

import pytest
import torch
import torch.nn.functional as F
from tiny_model import TINY

from clearsight.models.loss import summed_cross_entropy, token_cross_entropy
from clearsight.models.packed import packed_attention, segment_bounds
from clearsight.models.text import TextDecoder


def test_segments_are_bounded_within_rows_and_never_across_them():
    ids = torch.tensor([[1, 1, 2, 2, 0], [2, 0, 0, 0, 0]])
    assert segment_bounds(ids).tolist() == [0, 2, 4, 5, 6, 10]
    # row 1 ends and row 2 begins with the same id
    assert segment_bounds(torch.tensor([[1, 2], [2, 2]])).tolist() == [0, 1, 2, 4]


@pytest.mark.parametrize("groups", [1, 3])
def test_packed_attention_and_its_gradients_equal_those_of_a_dense_mask(groups):
    torch.manual_seed(0)
    ids = torch.tensor([[1, 1, 1, 2, 2, 0, 0], [1, 2, 2, 2, 2, 2, 3]])
    q, k, v = (
        torch.randn(1, heads, ids.numel(), 8, dtype=torch.float64, requires_grad=True)
        for heads in (3, 3 // groups, 3 // groups)
    )
    rows = torch.arange(2).repeat_interleave(7)
    same = (ids.flatten()[:, None] == ids.flatten()[None]) & (rows[:, None] == rows[None])
    dense = F.scaled_dot_product_attention(q, k, v, attn_mask=same.tril(), enable_gqa=True)
    packed = packed_attention(q, k, v, segment_bounds(ids))
    torch.testing.assert_close(packed, dense)
    seed = torch.randn_like(dense)
    for one, other in zip(
        torch.autograd.grad(packed, (q, k, v), seed), torch.autograd.grad(dense, (q, k, v), seed), strict=True
    ):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_loss_by_chunks_and_its_gradients_equal_those_of_the_whole(chunk):
    torch.manual_seed(0)
    hidden = torch.randn(20, 6, requires_grad=True)
    weight = torch.randn(31, 6, requires_grad=True)
    labels = torch.randint(0, 31, (20,))
    whole = F.cross_entropy(hidden @ weight.T, labels, reduction="none")
    torch.testing.assert_close(token_cross_entropy(hidden, weight, labels, chunk), whole)
    total = summed_cross_entropy(hidden, weight, labels, chunk)
    torch.testing.assert_close(total, whole.sum())
    for one, other in zip(
        torch.autograd.grad(3 * total, (hidden, weight)),
        torch.autograd.grad(3 * whole.sum(), (hidden, weight)),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_a_rank_without_labels_gives_no_loss_and_zero_gradients():
    hidden = torch.randn(0, 6, requires_grad=True)
    weight = torch.randn(31, 6, requires_grad=True)
    total = summed_cross_entropy(hidden, weight, torch.zeros(0, dtype=torch.int64))
    total.backward()
    assert total.item() == 0
    assert weight.grad is not None and not weight.grad.any()
    assert token_cross_entropy(hidden, weight, torch.zeros(0, dtype=torch.int64)).shape == (0,)


@pytest.mark.parametrize("packed", [True, False])
def test_hidden_states_of_some_tokens_and_their_gradients_are_those_of_all(packed):
    torch.manual_seed(0)
    decoder = TextDecoder(TINY.text).double()
    embeds = torch.randn(2, 9, TINY.text.hidden_size, dtype=torch.float64, requires_grad=True)
    segments = torch.tensor([[1, 1, 1, 1, 2, 2, 2, 0, 0], [1, 1, 2, 2, 2, 3, 3, 3, 3]]) if packed else None
    kept = torch.tensor([0, 3, 4, 8, 9, 16])
    whole = decoder(embeds, segment_ids_BT=segments).flatten(0, 1)[kept]
    some = decoder(embeds, segment_ids_BT=segments, kept_L=kept)
    torch.testing.assert_close(some, whole)
    seed, wanted = torch.randn_like(whole), [embeds, *decoder.layers.parameters()]
    for one, other in zip(
        torch.autograd.grad(some, wanted, seed), torch.autograd.grad(whole, wanted, seed), strict=True
    ):
        torch.testing.assert_close(one, other)
