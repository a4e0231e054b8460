"""The loss that never writes its logits out is the plain one, and so are its gradients."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="training needs the extra `train`; nothing else does")

import torch

from models.train import head


@pytest.mark.parametrize("count", [1, 7, 64])
def test_the_same_as_the_plain_loss(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pieces it is made in, and whatever the weights are, zero included."""
    monkeypatch.setattr(head, "PIECE", 16)
    torch.manual_seed(count)
    hidden = torch.randn(count, 8, requires_grad=True)
    output = torch.randn(40, 8, requires_grad=True)
    targets = torch.randint(0, 40, (count,))
    weights = torch.rand(count) * torch.randint(0, 2, (count,))

    plain = (torch.nn.functional.cross_entropy(hidden @ output.mT, targets, reduction="none") * weights).sum()
    wanted = torch.autograd.grad(plain, (hidden, output))
    ours = head.summed_loss(hidden, output, targets, weights)
    found = torch.autograd.grad(ours * 1.0, (hidden, output))

    torch.testing.assert_close(ours, plain)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)


def test_in_bfloat16_it_is_close() -> None:
    """Probabilities in eight bits: good enough to learn from."""
    torch.manual_seed(1)
    hidden, output = torch.randn(300, 32), torch.randn(500, 32) * 0.2
    targets, weights = torch.randint(0, 500, (300,)), torch.ones(300) / 300
    plain = torch.nn.functional.cross_entropy(hidden @ output.mT, targets)
    ours = head.summed_loss(hidden.bfloat16(), output, targets, weights)
    torch.testing.assert_close(ours, plain, rtol=0.01, atol=0.01)
