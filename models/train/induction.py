"""Start the model with copying in place: hand-made attention layers that continue what stood before.

Code repeats itself, and the rest of a line has often been written above it.
Models learn to copy (an *induction circuit*) after tens of millions of tokens, beyond a CPU's hour.
So the first layers start as one:

- Layer 0 attends by position alone, through the biases of Q and K: one head looks one token back, one two.
  They write the codes of those tokens into two parts of the residual stream that embeddings leave free.
- Layer 1 looks for places whose two previous tokens are the present two, and writes the code of what it finds
  where the output matrix reads it.
- Layer 2 bridges the suffix: the middle's mark looks at the suffix's mark, before which the prefix ended, and
  takes the codes of the prefix's last two tokens for the present ones.
- Layer 3 does as layer 1, now also for the first token of a middle.

Everything stays trainable; training decides how much of it to keep.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from models.train.model import Attention, Model

CODE = 64  # Embedding dimensions that serve as a token's code: random, hence nearly orthogonal.
BACK = 32  # Dimensions that hold the code of the token one back, and as many for two back.
POSITION_PAIRS = 8  # The fastest rotary pairs tell neighbors apart.
POSITION_STRENGTH = 7.0  # Of Q's and K's biases: the wanted neighbor wins by about five nats.
FIRST_SLOW_PAIR = 12  # At RoPE base 1e6, later pairs turn less than a radian in 200 tokens.
MATCH_STRENGTH = 2.2  # Of Q and K each: one matching token weighs about ten nats, its noise two.
COPY_STRENGTH = 1.5  # How loud the found token is beside the present one.
LATE = 1.4  # By layer 3 the residual stream is louder, so its layers ask louder.
BRIDGE_STRENGTH = 1.5  # Of Q and K each: the suffix's mark weighs about 20 nats for the middle's mark.
BRIDGE_COPY = 3.0  # The prefix's last token must be louder than the mark itself.
READ_STRENGTH = 0.05  # How much the output matrix believes it at first.

AVOID_STRENGTH, AVOID_BIAS = 2.5, 6.0  # Together about 16 nats against the suffix's mark.


@torch.no_grad()
def start_with_induction(model: Model, *, suffix_mark: int, middle_mark: int) -> None:
    """Overwrite the fresh weights of embedding, output and the first four attention layers."""
    free = model.shape.hidden - 2 * BACK
    embedding, output = model.embedding.weight, model.output.weight
    embedding.normal_(std=1.0)
    embedding[:, free:] = 0.0
    output.normal_(std=READ_STRENGTH / 4)
    output[:, CODE : 2 * CODE] += READ_STRENGTH * embedding[:, :CODE]
    layers = [block.attention for block in model.blocks]
    _look_back(layers[0], model.shape.rope_base, free)
    _find_and_copy(layers[1], free, loudness=1.0)
    _bridge(layers[2], free, asked=embedding[middle_mark], wanted=embedding[suffix_mark])
    _find_and_copy(layers[3], free, loudness=LATE)
    _avoid(layers[3], embedding[suffix_mark])


def _look_back(attention: Attention, rope_base: float, free: int) -> None:
    size = attention.size
    half = size // 2
    pairs = torch.arange(POSITION_PAIRS)
    turn = rope_base ** (-2.0 * pairs / size)
    attention.k_proj.weight.zero_()
    attention.k_proj.bias[pairs] = POSITION_STRENGTH
    attention.v_proj.weight.zero_()
    attention.v_proj.weight[:CODE, :CODE] = torch.eye(CODE)[:size]
    for head, distance in enumerate((1, 2)):
        start = head * size
        attention.q_proj.weight[start : start + size] = 0.0
        attention.q_proj.bias[start + pairs] = POSITION_STRENGTH * torch.cos(turn * distance)
        attention.q_proj.bias[start + half + pairs] = -POSITION_STRENGTH * torch.sin(turn * distance)
        there = free + head * BACK
        attention.o_proj.weight[there : there + BACK, start : start + BACK] = torch.eye(BACK)


def _bridge(attention: Attention, free: int, *, asked: Tensor, wanted: Tensor) -> None:
    size = attention.size
    slowest = size // 2 - 1  # the rotary pair that turns least, because a suffix may be long
    attention.k_proj.weight.mul_(0.1)
    attention.k_proj.weight[slowest] += BRIDGE_STRENGTH * wanted / wanted.norm()
    attention.q_proj.weight[:size] = 0.0
    attention.q_proj.weight[slowest] = BRIDGE_STRENGTH * asked / asked.norm()
    attention.v_proj.weight.zero_()
    attention.v_proj.weight[: 2 * BACK, free:] = torch.eye(2 * BACK)[:size]
    attention.o_proj.weight[:BACK, :BACK] = BRIDGE_COPY * torch.eye(BACK)
    attention.o_proj.weight[free : free + BACK, BACK : 2 * BACK] = BRIDGE_COPY * torch.eye(BACK)


def _find_and_copy(attention: Attention, free: int, *, loudness: float) -> None:
    size = attention.size
    half = size // 2
    first, second = _slow(0, half), _slow(half, half)
    count = len(first)
    one_back, two_back = free + torch.arange(count), free + BACK + torch.arange(count)
    present = torch.arange(count)
    match = MATCH_STRENGTH * loudness
    attention.k_proj.weight.zero_()
    attention.k_proj.weight[first, one_back] = match
    attention.k_proj.weight[second, two_back] = match
    attention.v_proj.weight.zero_()
    attention.v_proj.weight[:CODE, :CODE] = torch.eye(CODE)[:size]
    for head, strength in enumerate((1.0, 0.0)):  # one head wants both tokens to match, one only the last
        start = head * size
        attention.q_proj.weight[start : start + size] = 0.0
        attention.q_proj.weight[start + first, present] = match
        attention.q_proj.weight[start + second, one_back] = match * strength
        copied = COPY_STRENGTH / math.sqrt(1 + head) * torch.eye(CODE)
        attention.o_proj.weight[CODE : 2 * CODE, start : start + CODE] = copied[:, :size]


def _avoid(attention: Attention, unwanted: Tensor) -> None:
    """The suffix's mark also stands behind the prefix's last tokens, and must not be what is copied."""
    size = attention.size
    attention.k_proj.weight[size // 2 - 1] -= AVOID_STRENGTH * unwanted / unwanted.norm()
    attention.q_proj.bias[torch.arange(2) * size + size // 2 - 1] = AVOID_BIAS


def _slow(start: int, half: int) -> Tensor:
    return torch.arange(start + FIRST_SLOW_PAIR, start + half - 1)
