"""The output matrix and its loss in one go, a piece at a time.

A row of logits is forty times as wide as the hidden state it comes from: written out for a whole step, the
logits cost more time in memory traffic than all blocks together. So the gradient of each piece is taken while
its probabilities are still in the cache, and neither is kept.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

PIECE = 1024  # Positions at once; with 8,192 tokens, 16 MiB of probabilities in bfloat16.
SMALLEST = 1e-30  # Under what bfloat16 can tell from zero; keeps the logarithm finite.


class _Loss(torch.autograd.Function):
    """Weighted sum of cross-entropies; its gradients are made on the way forward."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, output: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        matrix = output.to(hidden.dtype)
        of_hidden, of_output = torch.empty_like(hidden), torch.zeros_like(output)
        loss = hidden.new_zeros((), dtype=torch.float32)
        for first in range(0, len(hidden), PIECE):
            at = slice(first, first + PIECE)
            states, wanted, weight = hidden[at], targets[at, None], weights[at, None]
            slopes = (states @ matrix.mT).softmax(-1)
            loss -= (slopes.gather(1, wanted).float().clamp(min=SMALLEST).log() * weight).sum()
            slopes.mul_(weight).scatter_add_(1, wanted, -weight.to(slopes.dtype))
            of_hidden[at] = slopes @ matrix
            of_output += slopes.mT @ states
        ctx.save_for_backward(of_hidden, of_output)
        return loss

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        (of_hidden, of_output), (scale,) = ctx.saved_tensors, gradients
        return of_hidden * scale.to(of_hidden.dtype), of_output * scale, None, None


def summed_loss(hidden: Tensor, output: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropies in nats, each times its weight, added up.

    ``hidden`` is positions x width, in the type to calculate in; ``output`` is tokens x width; ``targets``
    and ``weights`` have one number for each position.
    """
    loss: Tensor = _Loss.apply(hidden, output, targets, weights)  # type: ignore[no-untyped-call]
    return loss
