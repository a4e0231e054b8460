"""Muon: momentum whose matrix updates are made orthogonal, so that every direction learns at the same pace.

Follows Keller Jordan's description; matrices of one shape are orthogonalized together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

import torch
from torch import Tensor

# Coefficients of the quintic iteration: steep at zero, and steady enough around one.
QUINTIC: Final = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


def fast_in_bfloat16(device: torch.device) -> bool:
    """Whether matrices multiply faster in bfloat16: on a GPU, and on CPUs with AVX512-BF16."""
    return device.type == "cuda" or torch.cpu._is_avx512_bf16_supported()


class Muon(torch.optim.Optimizer):
    """For the matrices inside the blocks; embeddings, norms and biases belong to AdamW."""

    def __init__(
        self, parameters: Iterable[Tensor], *, lr: float, momentum: float = 0.95, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """One update of every matrix."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape[parameter.shape].append(parameter)
            for parameters in by_shape.values():
                self._update(parameters, group)

    def _update(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        moments = []
        for parameter in parameters:
            state = self.state[parameter]
            if "moment" not in state:
                state["moment"] = torch.zeros_like(parameter)
            state["moment"].lerp_(parameter.grad, 1 - group["momentum"])
            moments.append(torch.lerp(parameter.grad, state["moment"], group["momentum"]))  # Nesterov
        rows, columns = parameters[0].shape
        scale = max(1.0, rows / columns) ** 0.5
        for parameter, update in zip(parameters, orthogonalized(torch.stack(moments)), strict=True):
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.add_(update.to(parameter.dtype), alpha=-group["lr"] * scale)


def orthogonalized(matrices: Tensor) -> Tensor:
    """The nearest (semi-)orthogonal matrix of each, by Newton-Schulz iteration."""
    a, b, c = QUINTIC
    x = matrices.bfloat16() if fast_in_bfloat16(matrices.device) else matrices.float()
    tall = x.shape[-1] < x.shape[-2]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x
