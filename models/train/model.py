"""The Qwen2 architecture, small: what llama.cpp's ``qwen2`` computes, so that the export is exact."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-6
INITIAL_STD = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The sizes that make a model; Q8_0 needs widths divisible by 32."""

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    feed_forward: int
    rope_base: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class RMSNorm(nn.Module):
    """Root-mean-square normalization with a learned scale."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        return functional.rms_norm(x, (x.shape[-1],), self.weight, EPSILON)


class Attention(nn.Module):
    """Causal grouped-query attention with biases on Q, K and V, as in Qwen2."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.size = shape.heads, shape.kv_heads, shape.hidden // shape.heads
        self.q_proj = nn.Linear(shape.hidden, shape.hidden)
        self.k_proj = nn.Linear(shape.hidden, self.kv_heads * self.size)
        self.v_proj = nn.Linear(shape.hidden, self.kv_heads * self.size)
        self.o_proj = nn.Linear(shape.hidden, shape.hidden, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        batch, length, width = x.shape
        q = self.q_proj(x).view(batch, length, self.heads, self.size).transpose(1, 2)
        k = self.k_proj(x).view(batch, length, self.kv_heads, self.size).transpose(1, 2)
        v = self.v_proj(x).view(batch, length, self.kv_heads, self.size).transpose(1, 2)
        q, k = _rotate(q, cos, sin), _rotate(k, cos, sin)
        share = self.heads // self.kv_heads
        k, v = k.repeat_interleave(share, dim=1), v.repeat_interleave(share, dim=1)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        out: Tensor = self.o_proj(mixed.transpose(1, 2).reshape(batch, length, width))
        return out


class Block(nn.Module):
    """Attention, then a SwiGLU feed-forward, each behind its norm."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.input_norm = RMSNorm(shape.hidden)
        self.attention = Attention(shape)
        self.post_norm = RMSNorm(shape.hidden)
        self.gate_proj = nn.Linear(shape.hidden, shape.feed_forward, bias=False)
        self.up_proj = nn.Linear(shape.hidden, shape.feed_forward, bias=False)
        self.down_proj = nn.Linear(shape.feed_forward, shape.hidden, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        x = x + self.attention(self.input_norm(x), cos, sin)
        y = self.post_norm(x)
        out: Tensor = x + self.down_proj(functional.silu(self.gate_proj(y)) * self.up_proj(y))
        return out


class Model(nn.Module):
    """Embedding, blocks, norm, output."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.hidden)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = RMSNorm(shape.hidden)
        self.output = nn.Linear(shape.hidden, shape.vocabulary, bias=False)
        for name, parameter in self.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight", "bias")):
                nn.init.zeros_(parameter)  # each block begins as the identity
            elif parameter.dim() == 2:
                std = INITIAL_STD if name.startswith(("embedding", "output")) else parameter.shape[1] ** -0.5
                nn.init.normal_(parameter, std=std)

    def states(self, ids: Tensor) -> Tensor:
        """What the output matrix reads at each position."""
        cos, sin = _angles(self.shape, ids.shape[1], ids.device)
        x = self.embedding(ids)
        for block in self.blocks:
            x = block(x, cos, sin)
        states: Tensor = self.norm(x)
        return states

    def forward(self, ids: Tensor) -> Tensor:
        """Logits for the token after each position."""
        logits: Tensor = self.output(self.states(ids))
        return logits


def count_parameters(model: nn.Module) -> int:
    return sum(it.numel() for it in model.parameters())


def flops_per_token(shape: Shape, context: int) -> float:
    """Floating-point operations of training on one token: two per weight and pass, and causal attention."""
    size = shape.hidden // shape.heads
    attention = 2 * shape.hidden**2 + 2 * shape.hidden * shape.kv_heads * size
    weights = shape.layers * (attention + 3 * shape.hidden * shape.feed_forward)
    weights += shape.hidden * shape.vocabulary  # The output; the embedding is only looked up.
    return 6.0 * (weights + shape.layers * shape.hidden * context)


def _angles(shape: Shape, length: int, device: torch.device) -> tuple[Tensor, Tensor]:
    size = shape.hidden // shape.heads
    frequencies = shape.rope_base ** (-torch.arange(0, size, 2, device=device).float() / size)
    angles = torch.arange(length, device=device).float()[:, None] * frequencies
    return angles.cos(), angles.sin()


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions in the NEOX layout: first half with second half."""
    first, second = x.chunk(2, dim=-1)
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
