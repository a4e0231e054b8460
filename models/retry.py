"""Ask again what may pass: bounded, with growing pauses, and never once the answer has begun."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz

from models.errors import BackendError
from models.wire import Piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often to ask again, and how long to pause before."""

    tries: int = 4
    """How often a question is sent in all."""
    first_s: float = 0.5
    """The first pause; each further one is twice as long."""
    total_s: float = 20.0
    """The pauses together: after this long a person would rather read that it does not work."""
    chance: Callable[[], float] = random.random
    """0 to 1: spreads the pauses, so that many who failed in one moment do not come back in one moment."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


def pause(patience: Patience, failures: int, waited_s: float, asked_s: float | None) -> float | None:
    """How long to pause after so many failures and so long a wait; ``None``: ask no more.

    A server that says how long to wait knows better than we do. If that is longer than anybody waits, it is
    not asked again at all: too early is as good as never, and counts against the user.
    """
    if patience.tries <= failures:
        return None
    grown = patience.first_s * 2 ** (failures - 1) * (0.5 + patience.chance() / 2)
    seconds = grown if asked_s is None else max(asked_s, grown)
    return seconds if waited_s + seconds <= patience.total_s else None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """The seconds that a response asks us to wait: a number, or the date when it is over."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        if 0.0 <= seconds < float("inf"):
            return seconds
    when = parsedate_tz(headers.get("retry-after", ""))
    try:
        return max(0.0, mktime_tz(when) - now) if when else None
    except (OverflowError, ValueError):  # A date that no calendar has.
        return None


async def until_it_begins(
    ask: Callable[[], AsyncGenerator[Piece, None]], patience: Patience
) -> AsyncGenerator[Piece, None]:
    """The answer of the first try that begins; what fails later has failed: half of it has been read."""
    failures, waited_s = 0, 0.0
    while True:
        has_begun = False
        try:
            async with aclosing(ask()) as pieces:
                async for piece in pieces:
                    has_begun = True
                    yield piece
            return
        except BackendError as exc:
            failures += 1
            seconds = pause(patience, failures, waited_s, exc.wait_s)
            if has_begun or not exc.passes or seconds is None:
                raise
        waited_s += seconds
        await patience.sleep(seconds)
