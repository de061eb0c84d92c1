"""The loss of the output head, a few tokens at a time: scores of a large vocabulary are never all in memory.

Scores (tokens x vocabulary) are the largest tensor of a small language model's training step, several times over with
their softmax and gradient. Here a chunk's gradients are taken as soon as its scores are there, so that one chunk is
all that lives, and nothing is computed twice.

Shape suffixes: L labelled tokens, D channels, V vocabulary.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK = 1024  # tokens; at 49,152 words a chunk of scores in fp32 takes 200 MB


class _ChunkedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden_LD: Tensor, weight_VD: Tensor, labels_L: Tensor, chunk: int) -> Tensor:
        dtype = (
            torch.get_autocast_dtype(hidden_LD.device.type)
            if torch.is_autocast_enabled(hidden_LD.device.type)
            else hidden_LD.dtype
        )
        weight_cast_VD = weight_VD.to(dtype)
        wants_hidden, wants_weight = ctx.needs_input_grad[:2]
        grad_hidden_LD = torch.empty_like(hidden_LD) if wants_hidden else None
        grad_weight_VD: Tensor | None = None
        total = torch.zeros((), dtype=torch.float32, device=hidden_LD.device)
        with torch.autocast(hidden_LD.device.type, enabled=False):
            for start in range(0, len(labels_L), chunk):
                part_LD = hidden_LD[start : start + chunk].to(dtype)
                labels_L1 = labels_L[start : start + chunk, None]
                scores_LV = (part_LD @ weight_cast_VD.T).float()
                chosen_L1 = scores_LV.gather(1, labels_L1)
                # written over from here on, being large: now the softmax, and less one-hot its gradient
                largest_L1 = scores_LV.amax(1, keepdim=True)
                sums_L1 = scores_LV.sub_(largest_L1).exp_().sum(1, keepdim=True)
                total += (largest_L1 + sums_L1.log() - chosen_L1).sum()
                if not (wants_hidden or wants_weight):
                    continue
                scores_LV.div_(sums_L1)
                scores_LV.scatter_add_(1, labels_L1, scores_LV.new_full((1, 1), -1.0).expand_as(labels_L1))
                slope_LV = scores_LV.to(dtype)
                if grad_hidden_LD is not None:
                    grad_hidden_LD[start : start + chunk] = slope_LV @ weight_cast_VD
                if wants_weight:
                    product_VD = slope_LV.T @ part_LD
                    grad_weight_VD = (
                        product_VD.float() if grad_weight_VD is None else grad_weight_VD.add_(product_VD)
                    )
        if wants_weight and grad_weight_VD is None:
            grad_weight_VD = torch.zeros_like(weight_VD, dtype=torch.float32)
        ctx.save_for_backward(grad_hidden_LD, grad_weight_VD)
        ctx.weight_dtype = weight_VD.dtype
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        grad_hidden_LD, grad_weight_VD = ctx.saved_tensors
        # written over: as large as the vocabulary's weights, and of no more use (a second backward is refused)
        return (
            None if grad_hidden_LD is None else grad_hidden_LD.mul_(grad),
            None if grad_weight_VD is None else grad_weight_VD.mul_(grad).to(ctx.weight_dtype),
            None,
            None,
        )


def summed_cross_entropy(
    hidden_LD: Tensor, weight_VD: Tensor, labels_L: Tensor, chunk: int = CHUNK
) -> Tensor:
    """Sum over tokens of -log softmax(hidden @ weight.T)[label]: a scalar, fp32.

    hidden (L, D) and weight (V, D) floating, labels (L,) int64 within [0, V). Products are in the dtype of `hidden`, or
    of autocast; softmax and sums in fp32. Without tokens the loss is 0 and gradients are zeros.
    """
    return _ChunkedCrossEntropy.apply(hidden_LD, weight_VD, labels_L, chunk)


def token_cross_entropy(hidden_LD: Tensor, weight_VD: Tensor, labels_L: Tensor, chunk: int = CHUNK) -> Tensor:
    """The loss of each token (L,) fp32, chunk by chunk; for measuring, as its scores stay in memory for a backward."""
    losses = [
        F.cross_entropy((part_LD @ weight_VD.T).float(), labels, reduction="none")
        for part_LD, labels in zip(hidden_LD.split(chunk), labels_L.split(chunk), strict=True)
    ]
    return torch.cat(losses) if losses else hidden_LD.new_zeros(0, dtype=torch.float32)
