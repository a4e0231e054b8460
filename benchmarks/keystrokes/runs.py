"""Play the keys: in a closed loop by turns, in real time, after jumps, along suggestions, from cold."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks.keystrokes.client import Reply
from benchmarks.keystrokes.measured import Followed, Played, Sample
from benchmarks.keystrokes.traces import Hole, Key, Passage, jumps, place_of, segments, with_holes
from benchmarks.keystrokes.ways import BareSteps, Hearth, Setup, Way, newest_prompt

TYPED_THROUGH = 12  # Characters of each suggestion.
READING_SECONDS = 0.8  # Between a suggestion that is there and its acceptance: reading a few words, and Tab.
COLD_SECONDS = 120.0

Started = TypeVar("Started", bound=Way)


async def closed_loop(ways: Sequence[Way], passages: Sequence[Passage], rounds: int) -> dict[str, Played]:
    """Every key answered before the next one, in rounds: a piece of the trace by each way, then the next."""
    played = {it.name: Played() for it in ways}
    asked_before = {it.name: await _evaluated(it) for it in ways}
    for passage in passages:
        for way in ways:
            await way.open(passage)
            await way.calm()
        for number, part in enumerate(segments(len(passage.keys), rounds)):
            turn = number % len(ways)
            for way in [*ways[turn:], *ways[:turn]]:
                _progress(f"round {number + 1}, {way.name}")
                if isinstance(way, BareSteps):
                    way.adapt(max(newest_prompt(it.first + it.samples) for it in played.values()))
                await _play(way, passage.keys[part.start : part.stop], played[way.name], new=part.start == 0)
    for way in ways:
        played[way.name].memory_mb = way.memory_mb
        total, before = await _evaluated(way), asked_before[way.name]
        if total is not None and before is not None:
            played[way.name].evaluated = total - before
    return played


async def _play(way: Way, keys: Sequence[Key], played: Played, *, new: bool) -> None:
    begun = way.cpu_s
    for key in keys:
        sample = await way.press(key)
        if sample is not None and new:
            played.first.append(sample)
            new = False
        elif sample is not None:
            played.samples.append(sample)
    await way.calm()
    played.cpu_s += way.cpu_s - begun


async def jumped(
    ways: Sequence[Way], path: str, text: str, made: Sequence[Hole], dwell_s: float
) -> dict[str, list[Sample]]:
    """At each place in turn, one key and its suggestion; the cursor has been there for ``dwell_s``."""
    passage = jumps(path, text, made)
    found: dict[str, list[Sample]] = {it.name: [] for it in ways}
    for way in ways:
        await way.open(passage)
        await way.calm()
    for number, key in enumerate(passage.keys):
        turn = number % len(ways)
        for way in [*ways[turn:], *ways[:turn]]:
            _progress(f"jump {number + 1}, {way.name}")
            if dwell_s:
                await way.hint(key.at)
                await asyncio.sleep(dwell_s)
            sample = await way.press(key)
            if sample is not None:
                found[way.name].append(sample)
            await way.calm()
    return found


async def followed(
    way: Hearth, path: str, text: str, typed: Sequence[Hole], accepted: Sequence[Hole]
) -> Followed:
    """At some places the suggestion is typed character by character, at others it is accepted."""
    found = Followed()
    await way.open(Passage(path=path, text=with_holes(text, [*typed, *accepted]), keys=()))
    await way.calm()
    for number, hole in enumerate([*typed, *accepted]):
        _progress(f"suggestion {number + 1}")
        at = place_of(way.text, hole)  # What is typed at the places before has no line break.
        await way.press(Key(at=at, insert=hole.rest[0], cursor=at + 1))
        reply = way.reply
        line = reply.text.partition("\n")[0] if reply else ""
        if not line or reply is None or reply.replaced:
            found.silent += 1
        elif number < len(typed):
            found.typed += await _pressed(way, _through(at + 1, line))
        else:
            await asyncio.sleep(READING_SECONDS)
            found.accepted += await _pressed(way, [Key(at=at + 1, insert=line, cursor=at + 1 + len(line))])
        await way.calm()
    return found


def _through(at: int, line: str) -> list[Key]:
    """The keys that type a suggestion, but for its end."""
    typed = line[: min(TYPED_THROUGH, len(line) - 1)]
    return [Key(at=it, insert=character, cursor=it + 1) for it, character in enumerate(typed, at)]


async def _pressed(way: Way, keys: Sequence[Key]) -> list[Sample]:
    samples = [await way.press(key) for key in keys]
    return [it for it in samples if it is not None]


async def real_time(setup: Setup, root: Path, passages: Sequence[Passage], gaps: Sequence[float]) -> Played:
    """Keys come when they come; a newer one cancels the request of the one before it."""
    played = Played()
    left = iter(gaps)
    async with running(Hearth(setup, root)) as way:
        for passage in passages:
            await _in_real_time(way, passage, left, played)
        played.memory_mb = way.memory_mb
    return played


async def _in_real_time(way: Hearth, passage: Passage, left: Iterator[float], played: Played) -> None:
    await way.open(passage)
    await way.calm()
    begun, evaluated = way.cpu_s, await way.evaluated()
    pending: list[_Pending] = []
    due = time.perf_counter()
    for key in passage.keys:
        due += next(left) if key.asks else 0.0
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        if pending and not pending[-1].reply.done():
            way.client.cancel(pending[-1].number)
        way.client.press(key)
        if key.asks:
            number, reply = way.client.ask(key.cursor)
            pending.append(_Pending(number=number, reply=reply, sent=time.perf_counter()))
    await asyncio.gather(*(it.reply for it in pending))
    await way.calm()
    played.cpu_s += way.cpu_s - begun
    played.evaluated = (played.evaluated or 0) + await way.evaluated() - evaluated
    ends = [*(it.sent for it in pending[1:]), float("inf")]
    played.samples += [it.sample(end) for it, end in zip(pending, ends, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    number: int
    reply: asyncio.Future[Reply]
    sent: float

    def sample(self, end: float) -> Sample:
        """``end`` is when the next key came."""
        reply = self.reply.result()
        in_time = reply.result is not None and reply.at < end
        return Sample(
            ms=(reply.at - self.sent) * 1000,
            source="peer",
            shown=in_time and bool(reply.text),
            in_time=in_time,
        )


async def cold(setup: Setup, root: Path, passage: Passage, times: int) -> list[float]:
    """Seconds from starting the server, with no engine there, to the first suggestion that is shown.

    The editor opens the file and types at once, and asks again whenever an answer has nothing to show.
    """
    found = []
    for number in range(times):
        _progress(f"cold start {number + 1}")
        started = time.perf_counter()
        async with running(Hearth(setup, root)) as way:
            reply = await _until_shown(way, root, passage, started + COLD_SECONDS)
            if reply is not None:
                found.append(reply.at - started)
            await way.view.until_there()
    return found


async def _until_shown(way: Hearth, root: Path, passage: Passage, limit: float) -> Reply | None:
    way.client.open(root / passage.path, passage.text)
    for key in passage.keys:
        way.client.press(key)
        if key.asks:
            reply = await way.client.ask(key.cursor)[1]
            if reply.text:
                return reply
            if limit < reply.at:
                break
    return None


@asynccontextmanager
async def running(way: Started) -> AsyncIterator[Started]:
    """A way from its start to its end, whatever happens between."""
    await way.start()
    try:
        yield way
    finally:
        await way.close()


async def _evaluated(way: Way) -> int | None:
    return await way.evaluated() if isinstance(way, Hearth) else None


def _progress(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{what:60}", end="", file=sys.stderr, flush=True)
