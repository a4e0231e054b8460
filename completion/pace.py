"""Pure: how fast an engine reads and writes, and so how much it may read before a first answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from models.wire import Usage

FIRST_SECONDS = 0.5
"""How long the first answer after a jump may take, in which nothing of the prompt is read yet."""
ANSWER_TOKENS = 8  # The rest of a line of code.
LEAST_SHARE = 0.25  # Of the time, for reading, however slowly the engine writes.
LEAST_TOKENS, MOST_TOKENS = 48, 15_000
"""With less the model sees too little to say anything; more there never is."""
SLOWEST, FASTEST = 50.0, 50_000.0
"""Tokens read per second."""
SLOWEST_WRITER = 1.0  # Tokens per second; one that is as slow as that reads little before it begins.
LEAST_READ = 24  # Tokens; the time of fewer is mostly that of getting started.
LEAST_SAID = 4  # The same for writing.


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What reading and writing have cost lately, on this machine and with this model."""

    reads: float = 300.0
    """Tokens of a prompt per second; until it is known, as half a billion weights on two cores."""
    writes: float = 50.0
    """Tokens of an answer per second."""

    @property
    def first_tokens(self) -> int:
        """How much is read before the first answer after a jump."""
        left = max(FIRST_SECONDS - ANSWER_TOKENS / self.writes, LEAST_SHARE * FIRST_SECONDS)
        return int(min(max(left * self.reads, LEAST_TOKENS), MOST_TOKENS))

    def learned(self, usage: Usage) -> Pace:
        """The same after one more answer that somebody waited for."""
        read = usage.prompt_tokens - usage.cached_tokens
        said = usage.completion_tokens
        reads, writes = self.reads, self.writes
        if LEAST_READ <= read and 0 < usage.prompt_ms:
            reads = _between(1000 * read / usage.prompt_ms, reads, SLOWEST)
        if LEAST_SAID <= said and 0 < usage.decode_ms:
            writes = _between(1000 * (said - 1) / usage.decode_ms, writes, SLOWEST_WRITER)
        return replace(self, reads=reads, writes=writes)


def _between(measured: float, known: float, least: float) -> float:
    return min(max((known + measured) / 2, least), FASTEST)
