"""Weights that rest in int8: near the exact products, forwards and back; what is trained is left alone."""

import torch
from torch import nn

from clearsight.models.lora import add_low_rank
from clearsight.training.resting import FrozenInt8, rest_in_int8


def test_products_with_weights_that_rest_are_near_those_in_floating_point() -> None:
    torch.manual_seed(0)
    exact = nn.Linear(96, 64).requires_grad_(False)
    resting = FrozenInt8(exact)
    x = torch.randn(3, 50, 96, requires_grad=True)
    wanted = torch.randn(3, 50, 64)
    gradients = []
    for layer in (exact, resting):
        y = layer(x)
        (gradient,) = torch.autograd.grad((y * wanted).sum(), x)
        gradients.append((y.detach(), gradient))
    for right, near in zip(*gradients, strict=True):
        assert (near - right).norm() / right.norm() < 0.02


def test_only_what_is_not_trained_rests_and_trained_updates_still_learn() -> None:
    model = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32).requires_grad_(False))
    module = nn.Module()
    module.q_proj = nn.Linear(32, 32)
    add_low_rank(module, 2, 2.0)
    model.append(module.q_proj)
    assert rest_in_int8(model) == 2
    assert isinstance(model[0], nn.Linear) and isinstance(model[2], FrozenInt8)
    assert isinstance(model[3].base, FrozenInt8)
    model(torch.randn(4, 32)).sum().backward()
    assert model[0].weight.grad is not None and model[3].lora_b.grad is not None
