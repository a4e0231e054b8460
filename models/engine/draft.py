"""Pure: what a request's candidates say about the next token, and how many of their tokens to verify at once.

A candidate agrees with an answer as long as their bytes do: the model may cut the same text into other tokens
than the tokenizer does. What it refutes drops out, and with it its part of the candidates' influence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from models.wire import Candidate

WINDOW_BYTES = 256  # Cut into tokens at a time: more than a draft takes, little work for each refuted guess.
LONGEST = 15  # Tokens of a draft: with the token before it, as many rows of logits as one call gives.

KNOTS = (1, 2, 4, 8, 16)  # Batch sizes whose cost is kept; what lies between them is interpolated.
PRIOR_RATIOS = (1.0, 1.6, 2.0, 3.1, 4.9)  # Between Q4_0 and Q4_K_M of a 0.5B model; one token costs 1.
COST_RATE = 0.2  # Of a new measurement in the running one: a machine that gets busy is noticed in five steps.
OUTLIER = 2.0  # A measurement further off than this factor counts as if it were this far off.
DEAREST = 1.25  # Times as many single tokens: no batch costs more, but one that was interrupted.

MATCHES = (2, 4, 12)  # Drafts from the window are counted by the tokens that are the same: up to so many.
SURENESS = 4  # Drafts are counted apart by their weight: a sure one pays where a guess does not.
PRIOR_RATE = 0.8  # A draft token's chance before anything was measured: hopeful, so that it is.
PRIOR_COUNT = 4.0  # How many observations that hope is worth.
KEEP = 0.95  # What an observation is worth one draft later: about the last twenty count.
PROBE_EVERY = 16  # Chances not taken, before one is taken to see whether drafts pay by now.


class Vocabulary(Protocol):
    """Text to tokens, tokens to bytes."""

    def tokenize(self, text: str, *, goes_on: bool = False) -> Sequence[int]: ...

    def piece(self, token: int) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """What is left of a candidate that agrees with everything generated so far."""

    weight: float
    rest: bytes
    tokens: tuple[int, ...]
    """How the start of ``rest`` is cut; none where it begins inside a character."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Tokens that may come next, and the weight of the candidates that begin with the first of them."""

    tokens: tuple[int, ...] = ()
    weight: float = 0.0
    match: int = 0
    """For a draft from the window: how many tokens before it are the same as there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuations:
    """The candidates that are left, and the weight that all of them had at the start."""

    left: tuple[Continuation, ...] = ()
    total: float = 0.0

    def after(self, token: int, vocabulary: Vocabulary) -> Continuations:
        """What is left when ``token`` was generated."""
        data = vocabulary.piece(token)
        left = []
        for it in self.left:
            rest = it.rest[len(data) :]
            if rest and it.rest.startswith(data):
                tokens = it.tokens[1:] if it.tokens[:1] == (token,) else ()
                left.append(replace(it, rest=rest, tokens=tokens or _cut_up(rest, vocabulary)))
        return replace(self, left=tuple(left))

    def next_tokens(self) -> Mapping[int, float]:
        """The share of all weight that expects each token next; what is missing from 1 does not know."""
        shares: dict[int, float] = {}
        for it in self.left:
            if it.tokens and it.weight:
                shares[it.tokens[0]] = shares.get(it.tokens[0], 0.0) + it.weight / self.total
        return shares

    def draft(self, limit: int) -> Draft:
        """At most ``limit`` tokens: at each place what most of the weight says that agrees so far."""
        speaking = [it for it in self.left if it.tokens]
        tokens: list[int] = []
        weight = 0.0
        while speaking and len(tokens) < limit:
            place = len(tokens)
            weights: dict[int, float] = {}
            for it in speaking:
                weights[it.tokens[place]] = weights.get(it.tokens[place], 0.0) + it.weight
            best = max(weights, key=weights.__getitem__)
            weight = weight if tokens else weights[best]
            tokens.append(best)
            speaking = [it for it in speaking if it.tokens[place] == best and place + 1 < len(it.tokens)]
        return Draft(tokens=tuple(tokens), weight=weight)


def continuations(
    candidates: Sequence[Candidate], vocabulary: Vocabulary, behind: bytes = b""
) -> Continuations:
    """The candidates as they stand at the cursor, or ``behind`` text that must be written before them."""
    texts = [(it.weight, it.text.encode("utf-8", "replace")) for it in candidates]
    left = [
        Continuation(weight=weight, rest=behind + text, tokens=_cut_up(behind + text, vocabulary))
        for weight, text in texts
        if text
    ]
    return Continuations(left=tuple(left), total=sum(weight for weight, _ in texts))


def _cut_up(rest: bytes, vocabulary: Vocabulary) -> tuple[int, ...]:
    """The tokens that ``rest`` begins with, as far as their bytes are its own."""
    if 0x80 <= rest[0] < 0xC0:  # Inside a character: it speaks again when the character is over.
        return ()
    tokens: list[int] = []
    at = 0
    for token in vocabulary.tokenize(rest[:WINDOW_BYTES].decode("utf-8", "ignore"), goes_on=True):
        data = vocabulary.piece(token)
        if not data or not rest.startswith(data, at):
            break
        tokens.append(token)
        at += len(data)
    if WINDOW_BYTES < len(rest) and 1 < len(tokens):
        tokens.pop()  # The window's end may have cut it short.
    return tuple(tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """How often the model chose what a draft said, by place in the draft; older observations count less."""

    tried: tuple[float, ...] = (0.0,) * LONGEST
    accepted: tuple[float, ...] = (0.0,) * LONGEST
    idle: int = 0
    """Chances not taken since the last draft."""

    def told(self, tried: int, accepted: int) -> Acceptance:
        """A draft's first ``tried`` places were judged; the first ``accepted`` of them were right."""
        return Acceptance(
            tried=tuple(it * KEEP + (place < tried) for place, it in enumerate(self.tried)),
            accepted=tuple(it * KEEP + (place < accepted) for place, it in enumerate(self.accepted)),
        )

    def expected(self, longest: int) -> list[float]:
        """The tokens to expect from a draft of each length up to ``longest``; without any it is one."""
        common = _rate(sum(self.tried), sum(self.accepted), PRIOR_RATE)
        expected, chance = [1.0], 1.0
        for tried, accepted in zip(self.tried[:longest], self.accepted, strict=False):
            chance *= _rate(tried, accepted, common)
            expected.append(expected[-1] + chance)
        return expected


def _rate(tried: float, accepted: float, prior: float) -> float:
    return (accepted + PRIOR_COUNT * prior) / (tried + PRIOR_COUNT)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSize:
    """How many tokens to draft: by what batches have cost here, and by how often drafts were right."""

    single: float = 0.0
    """Milliseconds for one token; 0 before anything was measured."""
    ratios: tuple[float, ...] = PRIOR_RATIOS
    """What a batch of each size of ``KNOTS`` costs in single tokens: that holds on a busy machine too."""
    seen: tuple[float, ...] = (0.0,) * len(KNOTS)
    """How often each size was measured."""
    by_weight: tuple[Acceptance, ...] = (Acceptance(),) * (SURENESS + len(MATCHES))
    """First those of candidates, then those from the window."""

    def size(self, draft: Draft, *, pending: int = 1) -> int:
        """How many of ``draft``'s tokens give the most tokens per millisecond, behind ``pending`` others.

        0 where drafts do not pay; but now and then the least bad size, to see whether that is still so.
        """
        longest = min(len(draft.tokens), LONGEST)
        if not longest:
            return 0
        known = self.by_weight[_sureness(draft)]
        expected = known.expected(longest)
        # What waits to be evaluated anyway is paid already. So what counts is not the ratio of all that comes
        # to all that it costs, but what comes, at the best price per token, less what more of it costs.
        price = min(self.cost(1 + size) / tokens for size, tokens in enumerate(expected))
        gains = [tokens * price - self.cost(pending + size) for size, tokens in enumerate(expected)]
        best = gains.index(max(gains))
        if best == 0 and PROBE_EVERY <= known.idle:
            best = gains.index(max(gains[1:]), 1)
        return best

    def cost(self, tokens: int) -> float:
        """What a batch of so many tokens costs, in single tokens."""
        shares = _shares(tokens)
        return sum(share * ratio for share, ratio in zip(shares, self.ratios, strict=True))

    def measured(self, tokens: int, ms: float) -> DraftSize:
        """A batch of so many tokens, each with its logits, took so many milliseconds."""
        if not (1 <= tokens <= KNOTS[-1] and 0.0 < ms):
            return self
        if not self.single:
            return replace(self, single=ms / self.cost(tokens))
        if tokens == 1:
            return replace(self, single=self.single * _bounded(ms / self.single) ** COST_RATE)
        dearness = min(max(ms / self.single, 1.0), DEAREST * tokens)
        surprise = _bounded(dearness / self.cost(tokens))
        shares = _shares(tokens)
        # The prior is worth one measurement; then the mean of all counts, until it is a running one.
        pulls = [
            share * max(COST_RATE, 1 / (2 + seen)) for share, seen in zip(shares, self.seen, strict=True)
        ]
        ratios = [ratio * surprise**pull for ratio, pull in zip(self.ratios, pulls, strict=True)]
        seen = [seen + share for seen, share in zip(self.seen, shares, strict=True)]
        return replace(self, ratios=(1.0, *ratios[1:]), seen=tuple(seen))

    def judged(self, draft: Draft, tried: int, accepted: int) -> DraftSize:
        """The model has chosen at the first ``tried`` places of ``draft``, ``accepted`` times the same."""
        return self._with(draft, self.by_weight[_sureness(draft)].told(tried, accepted))

    def passed(self, draft: Draft) -> DraftSize:
        """A draft was there and not taken."""
        known = self.by_weight[_sureness(draft)]
        return self._with(draft, replace(known, idle=known.idle + 1))

    def _with(self, draft: Draft, known: Acceptance) -> DraftSize:
        at = _sureness(draft)
        return replace(self, by_weight=(*self.by_weight[:at], known, *self.by_weight[at + 1 :]))


def _sureness(draft: Draft) -> int:
    if draft.match:
        return SURENESS + sum(it < draft.match for it in MATCHES[:-1])
    return min(int(draft.weight * SURENESS), SURENESS - 1)


def _bounded(factor: float) -> float:
    return min(max(factor, 1 / OUTLIER), OUTLIER)


def _shares(tokens: int) -> tuple[float, ...]:
    """How much of each knot a batch of so many tokens is: of the two beside it, or beyond the last two."""
    shares = [0.0] * len(KNOTS)
    for at, (low, high) in enumerate(pairwise(KNOTS)):
        if tokens <= high or high == KNOTS[-1]:
            shares[at + 1] = (tokens - low) / (high - low)
            shares[at] = 1.0 - shares[at + 1]
            break
    return tuple(shares)
