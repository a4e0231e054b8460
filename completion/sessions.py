"""The anchors of the open documents: what the engine has read, and what it should read next.

A request is asked with an anchor that fits, whatever its age: typing waits for nothing. Where none fits, as
after a jump, a small one is made that is read in the time of a key, and the full one is read behind it, in
the background, and takes over when it is there. There is one such reading at a time; the next one ends it.
It takes seconds: what is made ahead of being asked for, which takes a few steps, does not wait for its turns.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, aclosing, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from completion.anchoring import (
    Anchor,
    Fit,
    anchored_request,
    fit,
    fit_new,
    new_anchor,
    prefill_request,
    stale,
    unread,
)
from completion.config import CHARACTERS_PER_TOKEN, CompletionConfig
from completion.pace import Pace
from completion.spot import Spot
from completion.trigger import Trigger
from models.errors import BackendError, ModelError
from models.wire import CompletionRequest, Snippet, Usage

if TYPE_CHECKING:
    from models.backend import Backend

logger = logging.getLogger(__name__)

Connect = Callable[[], Awaitable["Backend"]]
"""A way to the engine, which may have to be started first."""
Context = Callable[[str, str, int], tuple[tuple[Snippet, ...], str]]
"""Text before and after the cursor, a budget in tokens -> pieces of other files, the project's name."""

MOST_READ = 3  # More of them at once do not fit into the memory that an engine has for what it has read.
TOLD_SECONDS = 1.0
"""Between two words to the engine that somebody types; it believes each for two seconds."""
KEPT_SECONDS = 45.0  # The engine forgets after a minute what nobody uses, but for what was used last.


def no_context(_before: str, _after: str, _tokens: int) -> tuple[tuple[Snippet, ...], str]:
    """For those who know no other files."""
    return (), ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """An anchor that the engine has read, and when it was used last."""

    document: str
    anchor: Anchor
    at: float


@dataclass(slots=True, kw_only=True, eq=False)
class _Reading:
    """An anchor that is being read in the background."""

    document: str
    anchor: Anchor
    """What is wanted in the end."""
    first: Anchor | None
    """What serves until then, if it is to be read before."""
    steps: deque[tuple[Anchor, CompletionRequest]]
    """What is still to be read, the soonest done first."""
    connect: Connect
    task: asyncio.Task[None] | None = None
    """``None`` while it makes way."""


class Sessions:
    """What one engine has read for all documents; lives on the event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._model = ""
        self._read: list[_Read] = []
        """The one used last first."""
        self._reading: _Reading | None = None
        self._refused: Anchor | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._active = ""
        self._pace = Pace()
        self._told_at = -math.inf

    def anchors(self, document: str) -> tuple[Anchor, ...]:
        """The anchors of a document, the one used last first."""
        return tuple(it.anchor for it in self._kept() if it.document == document)

    @property
    def is_reading(self) -> bool:
        """Whether something is read in the background now."""
        return self._reading is not None

    def forget(self, document: str) -> None:
        """It was closed."""
        self._read = [it for it in self._read if it.document != document]
        if self._reading and self._reading.document == document:
            self._stop()

    def lost(self) -> None:
        """The engine is gone, and with it all that it had read."""
        self._read.clear()
        self._refused = None
        self._stop()

    async def close(self) -> None:
        """Read nothing any more."""
        self.lost()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def session(
        self,
        document: str,
        model: str,
        config: CompletionConfig,
        connect: Connect,
        context: Context = no_context,
    ) -> Session:
        """How to ask about one document; another model has read nothing yet."""
        if model != self._model:
            self.lost()
            self._model = model
        return Session(self, document, model, config, connect, context)

    def learn(self, usage: Usage | None) -> None:
        """What an answer has cost for which somebody waited: it decides how much the next ones may read."""
        if usage:
            self._pace = self._pace.learned(usage)

    def _typed(self) -> None:
        """Somebody types while something is read for them: the editor needs a processor, too."""
        reading, now = self._reading, self._clock()
        if reading and reading.task and TOLD_SECONDS <= now - self._told_at:
            self._told_at = now
            self._spawn(_tell_typing(reading.connect))

    def _use(self, document: str, anchor: Anchor) -> None:
        others = [it for it in self._kept() if (it.document, it.anchor) != (document, anchor)]
        used = _Read(document=document, anchor=anchor, at=self._clock())
        self._read = [used, *others][:MOST_READ]

    def _forget(self, document: str, anchor: Anchor) -> None:
        self._read = [it for it in self._read if (it.document, it.anchor) != (document, anchor)]

    def _kept(self) -> list[_Read]:
        """What the engine still has: what was used last, and what was used lately."""
        since = self._clock() - KEPT_SECONDS
        return self._read[:1] + [it for it in self._read[1:] if since < it.at]

    def _stop(self) -> None:
        if self._reading and self._reading.task:
            self._reading.task.cancel()
        self._reading = None

    def _start(self, reading: _Reading) -> None:
        self._stop()
        self._reading = reading
        self._go_on(reading)

    def _go_on(self, reading: _Reading) -> None:
        reading.task = self._spawn(self._run(reading))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """What is being read now makes way, and goes on afterwards, if it is still wanted."""
        reading = self._reading
        task = reading.task if reading else None
        if reading and task:
            reading.task = None
            task.cancel()  # The engine keeps what it has read of it.
        try:
            yield
        finally:
            if reading and task and self._reading is reading:
                self._go_on(reading)

    async def _run(self, reading: _Reading) -> None:
        try:
            backend = await reading.connect()
            while reading.steps:
                anchor, request = reading.steps[0]
                usage = await _read_ahead(backend, request)
                self._use(reading.document, anchor)
                reading.steps.popleft()
                if anchor is reading.anchor and reading.first is not None:  # It has served its time.
                    self._forget(reading.document, reading.first)
                if usage:
                    new = usage.prompt_tokens - usage.cached_tokens
                    logger.info("prefill tokens=%d new=%d ms=%.0f", usage.prompt_tokens, new, usage.prompt_ms)
        except (BackendError, ModelError) as exc:
            self._refused = reading.anchor
            logger.info("prefill failed cause=%s", type(exc).__name__)
        finally:
            if self._reading is reading and reading.task is asyncio.current_task():
                self._reading = None


class Session:
    """How to ask about one document now."""

    def __init__(
        self,
        sessions: Sessions,
        document: str,
        model: str,
        config: CompletionConfig,
        connect: Connect,
        context: Context,
    ) -> None:
        self._sessions = sessions
        self._document = document
        self._model = model
        self._config = config
        self._connect = connect
        self._context = context

    def request(self, spot: Spot, trigger: Trigger) -> CompletionRequest:
        """The request for a spot, with the anchor that has the least to read."""
        anchor, found = self._fitting(spot) or self._first(spot)
        self._sessions._use(self._document, anchor)
        self._sessions._active = self._document
        return anchored_request(anchor, found, trigger, self._config, self._model)

    def request_ahead(self, spot: Spot, trigger: Trigger) -> CompletionRequest | None:
        """The same for what is not asked yet; ``None`` where no anchor fits: it is not worth a new one."""
        fitting = self._fitting(spot)
        if fitting is None:
            return None
        request = anchored_request(*fitting, trigger, self._config, self._model)
        return replace(request, priority="prefill")

    def aside(self) -> AbstractContextManager[None]:
        """For as long as somebody is asked ahead: what is read in the background, for seconds, makes way."""
        return self._sessions._aside()

    def learn(self, usage: Usage | None) -> None:
        """What an answer has cost."""
        self._sessions.learn(usage)

    def prepare(self, spot: Spot) -> None:
        """Somebody types here: have a new anchor read, if there is none or a better one is due."""
        self._sessions._typed()
        fitting = self._fitting(spot)
        is_due = fitting is None or stale(*fitting, spot, self._config)
        if is_due and not self._is_on_its_way(spot):  # To look costs less than to put a new one together.
            self._read(spot, self._full(spot))

    def hint(self, spot: Spot) -> None:
        """Somebody may type here soon: the same, with fresh context where they come from another document."""
        comes_back = self._document != self._sessions._active
        self._sessions._active = self._document
        full = self._full(spot, fresh=comes_back)
        known = self._sessions.anchors(self._document)
        fitting = self._fitting(spot)
        is_fresh = not comes_back or any(_context_of(it) == _context_of(full) for it in known)
        if fitting is None:
            self._read(spot, full, self._first(spot)[0])
        elif stale(*fitting, spot, self._config) or not is_fresh:
            self._read(spot, full)

    def _fitting(self, spot: Spot) -> tuple[Anchor, Fit] | None:
        """The anchor that fits: a full one before a small one, then the one used last."""
        for anchor in sorted(self._sessions.anchors(self._document), key=lambda it: it.small):
            found = fit(anchor, spot, self._config)
            if isinstance(found, Fit):
                return anchor, found
        return None

    def _first(self, spot: Spot) -> tuple[Anchor, Fit]:
        """A new anchor that is read soon: the full one, one that sees less behind the cursor, a small one."""
        full = self._full(spot)
        tokens = self._sessions._pace.first_tokens
        small = new_anchor(spot, self._config, full.snippets, tokens=tokens)
        near = replace(full, suffix=small.suffix, to_end=small.to_end, small=True)
        soon = (it for it in (full, near) if self._unread(it) <= tokens * CHARACTERS_PER_TOKEN)
        anchor = next(soon, small)
        return anchor, fit_new(anchor, spot, self._config)

    def _full(self, spot: Spot, *, fresh: bool = False) -> Anchor:
        """A full anchor: with the context of one whose text can be kept, or with what is the context now."""
        plain = new_anchor(spot, self._config)
        for known in self._sessions.anchors(self._document):
            kept = replace(plain, snippets=known.snippets, repository=known.repository)
            shared = kept.characters - unread(kept, [known])
            if not fresh and not known.small and plain.characters / 2 <= shared:
                return kept
        snippets, repository = self._context(
            spot.before[-self._config.prefix_characters :], plain.suffix, self._config.snippet_tokens
        )
        return replace(plain, snippets=snippets, repository=repository)

    def _unread(self, anchor: Anchor) -> int:
        return unread(anchor, [it.anchor for it in self._sessions._kept()])

    def _is_on_its_way(self, spot: Spot) -> bool:
        """Whether what is being read will do here."""
        reading = self._sessions._reading
        if reading is None or reading.document != self._document:
            return False
        found = fit(reading.anchor, spot, self._config)
        return isinstance(found, Fit) and not stale(reading.anchor, found, spot, self._config)

    def _read(self, spot: Spot, anchor: Anchor, first: Anchor | None = None) -> None:
        """Have an anchor read in the background, unless it is, or one that will do as well.

        Where ``first`` is another one, that is read before: it serves until the other is there.
        """
        reading = self._sessions._reading
        if reading and _context_of(reading.anchor) == _context_of(anchor) and self._is_on_its_way(spot):
            return
        if not anchor.characters or anchor in (
            self._sessions._refused,
            *self._sessions.anchors(self._document),
        ):
            return
        first = None if first in (anchor, *self._sessions.anchors(self._document)) else first
        steps = deque(
            (it, prefill_request(it, fit_new(it, spot, self._config), self._model))
            for it in (first, anchor)
            if it is not None
        )
        self._sessions._start(
            _Reading(document=self._document, anchor=anchor, first=first, steps=steps, connect=self._connect)
        )


async def _read_ahead(backend: Backend, request: CompletionRequest) -> Usage | None:
    """Have the engine read a prompt; what it has cost."""
    usage: Usage | None = None
    async with aclosing(backend.complete(request)) as stream:
        async for piece in stream:
            usage = piece.usage or usage
    return usage


async def _tell_typing(connect: Connect) -> None:
    with suppress(BackendError, ModelError):
        await (await connect()).typing()


def _context_of(anchor: Anchor) -> tuple[tuple[Snippet, ...], str]:
    return anchor.snippets, anchor.repository
