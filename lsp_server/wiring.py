"""Build what answers questions from the settings, and build it again when they change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from completion.ahead import Ahead
from completion.cache import SuggestionCache
from completion.complete import complete, typed_through
from completion.complete import look_ahead as complete_ahead
from completion.config import CompletionConfig
from completion.latest import Latest
from completion.recall import NOTHING
from completion.sessions import Connect, Session, Sessions
from completion.spot import Spot, accepted, on_next_line, spot_at
from completion.suggestion import Suggestion
from completion.trigger import Edit, Trigger, decide
from lsp_server import settings as user_settings
from lsp_server.context import Context
from lsp_server.documents import Window
from lsp_server.index import Index
from lsp_server.index_context import Around
from lsp_server.memory import ProjectMemory
from lsp_server.resolve import completion_config, engine_options, model_id, options_if_any, settings_file
from lsp_server.settings import Settings
from models import paths, registry
from models.errors import ModelError, Unreachable
from models.launch import Engine, EngineOptions
from models.spec import ModelSpec
from models.wire import CompletionRequest, Health, Sampling, Snippet

if TYPE_CHECKING:  # It imports httpx, which takes a quarter of a second, while an editor waits for an answer.
    from lsp_server.chat_desk import Clients
    from models.backend import Backend

ASKED_THRESHOLD = 0.05  # Who asks by hand sees what is right once in twenty times, but no mere noise.
LOOK_AHEAD = 2  # Places: behind the suggestion, and on the next line where nothing more is due there.
AHEAD_CHARACTERS = 256  # Of the text on each side that tell one such place from another.


class Workbench:
    """What one connection, or one command line, works with."""

    def __init__(self, model: str | None = None, *, builds: bool = True) -> None:
        """``builds``: whether what is remembered of a project is brought up to date on disk."""
        self.on_health: Callable[[Health], None] = lambda health: None
        self.paused = False
        self.latest = Latest()
        self.cache = SuggestionCache()
        self.sessions = Sessions()
        self.ahead = Ahead()
        self.context = Context()
        self.memory = ProjectMemory(paths.cache_dir(), builds=builds)
        self.index = Index(paths.cache_dir())
        self.index.is_busy = lambda: self.is_busy
        self.around = Around(self.index, self.context)
        self._loaded: tuple[int, int] | None = None
        self.context_tokens: int | None = None
        """How much text the loaded model takes at once; ``None`` until it is loaded."""
        self._argument = model
        self._own, self._unread = user_settings.read_own(settings_file())
        self._closed = False
        self._waiting = 0
        self._asking = 0
        self._is_loading = False
        self._engine: Engine | None = None
        self._clients: Clients | None = None
        self._options: EngineOptions | None = None
        self.problems: list[str] = []
        """What in the settings could not be used, as sentences."""
        self.settings = Settings()
        self._settle({})

    @property
    def clients(self) -> Clients:
        """The connections to other model servers than our engine."""
        if self._clients is None:
            from lsp_server.chat_desk import Clients  # Most windows never ask one.

            self._clients = Clients()
        return self._clients

    @property
    def model_name(self) -> str:
        """What the model is called, whether it is there or not."""
        name = self.settings.model or registry.STARTER
        return Path(name).stem if name.endswith(".gguf") else name

    @property
    def is_closed(self) -> bool:
        """Whether the engine has been given back for good."""
        return self._closed

    @property
    def is_starting(self) -> bool:
        """Whether somebody waits for the engine to be found or started."""
        return 0 < self._waiting

    @property
    def is_busy(self) -> bool:
        """Whether somebody waits for the engine, its model, or a suggestion."""
        return self.is_starting or self._is_loading or 0 < self._asking

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Somebody waits for a suggestion."""
        self._asking += 1
        try:
            yield
        finally:
            self._asking -= 1

    async def configure(self, editor: Mapping[str, Any]) -> list[str]:
        """Use what the editor says; what could not be used, as sentences."""
        self._settle(editor)
        if self.memory.configure(self.settings):
            self.forget_shown()
        if self.index.configure(self.settings):
            self.context.withdraw()
            self.around.begin_anew()
        if self._engine and self._options != options_if_any(self.settings):
            await self._let_go()
        return self.problems

    def forget_shown(self) -> None:
        """What was suggested is not suggested again without asking."""
        self.ahead.stop()
        self.cache = SuggestionCache()

    async def backend(self, *, load: bool = True) -> Backend:
        """The engine's, found, started or repaired; raises ``BackendError`` or ``ModelError``.

        One that is started loads its model at once, if ``load``.
        """
        if self._closed:
            raise Unreachable("Hearth is closing.")
        if self._engine is None:
            self._options = engine_options(self.settings)
            self._engine = Engine(self._options, self.heard)
        self._engine.loads = load
        self._waiting += 1
        try:
            return await self._engine.backend()
        finally:
            self._waiting -= 1

    async def warm(self, *, load: bool) -> None:
        """Have the engine, and with ``load`` the model, ready before the first key is pressed."""
        if not self.settings.completion_enabled or self.paused:
            return
        backend = await self.backend(load=load)
        if load:
            model = model_id(registry.find(self.settings.model))
            nothing = CompletionRequest(
                model=model, prompt="", sampling=Sampling(max_tokens=0), priority="background"
            )
            async with aclosing(backend.complete(nothing)) as stream:
                async for _ in stream:
                    pass

    async def health(self) -> Health | None:
        """What a running engine says; ``None`` if there is none. Never starts one."""
        engine = self._engine or Engine(EngineOptions())
        try:
            return await engine.health()
        finally:
            if engine is not self._engine:
                await engine.close()

    async def restart(self) -> None:
        """Stop the shared engine, for all who use it, and start it again."""
        if await self.health() is not None:
            backend = await self.backend()
            await backend.shutdown()
        await self._let_go()
        await self.backend()

    async def close(self) -> None:
        """Give the engine back for good; it stays for others, or leaves by itself."""
        self._closed = True
        self.around.close()
        await asyncio.gather(self.memory.close(), self.index.close())
        if self._clients is not None:
            await self._clients.close()
        await self._let_go()

    def heard(self, health: Health) -> None:
        """What an engine has read is gone when another one, or another load of the model, takes its place."""
        self._is_loading = health.state == "loading"
        is_ours = health.state == "idle" or health.model == self.model_name  # And not the one that chats.
        if is_ours or (self._loaded and self._loaded[0] != health.pid):
            loaded = (health.pid, health.loads) if is_ours and health.state == "ready" else None
            if self._loaded not in (loaded, None):
                self.sessions.lost()
            self._loaded = loaded
            self.context_tokens = health.context_tokens or None if is_ours else None
        self.on_health(health)

    async def _let_go(self) -> None:
        self.ahead.stop()
        await self.sessions.close()
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.close()

    def _settle(self, editor: Mapping[str, Any]) -> None:
        self.settings, problems = user_settings.resolve(self._own, editor, self._argument)
        self.problems = [*self._unread, *problems]


def look(
    window: Window, settings: Settings, *, path: str, language: str, explicit: bool, previous: Edit | None
) -> tuple[Spot, Trigger]:
    """What is at the cursor, and whether it is a moment to suggest."""
    config = completion_config(settings, None)
    spot = spot_in(window, path=path, language=language, config=config)
    return spot, decide(spot, explicit=explicit, previous=previous, config=config)


def spot_in(window: Window, *, path: str, language: str, config: CompletionConfig) -> Spot:
    """What is at the cursor of a window."""
    first = window.first_line
    return spot_at(window.text, window.offset, path=path, language=language, config=config, first_line=first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """Who answers, under which name, and how."""

    connect: Connect
    model: str
    config: CompletionConfig


async def suggest(
    bench: Workbench, spot: Spot, trigger: Trigger, document: str = "", *, anchored: bool = True
) -> Suggestion:
    """Ask the memory and the model; the same way for every editor and for the command line.

    ``document`` is its URI, by which the memory and the anchors know it; ``anchored`` is for those who will
    ask again. Without a usable model, the memory answers alone.
    """
    asked = answering(bench, explicit=trigger.explicit)
    session = session_of(bench, asked, spot, document) if document and anchored else None
    known = typed_through(bench.cache, spot, trigger, asked.model)
    if known or trigger.shape == "none":
        _prepare(bench, session, spot, trigger)
        return known or Suggestion(text="", reason=trigger.reason)
    bench.ahead.stop()
    start = time.perf_counter()
    recalled = await bench.memory.recall(document, spot, trigger) if document else NOTHING
    took = 1000 * (time.perf_counter() - start)
    try:
        with bench.asking():
            suggestion = await complete(
                asked.connect,
                bench.cache,
                spot,
                trigger,
                asked.config,
                asked.model,
                recall=lambda _spot, _trigger: recalled,
                session=session,
            )
    except Unreachable:
        bench.sessions.lost()
        raise
    except asyncio.CancelledError:
        _prepare(bench, session, spot, trigger)
        raise
    _prepare(bench, session, spot, trigger)
    return replace(suggestion, ms=suggestion.ms + took)


def _prepare(bench: Workbench, session: Session | None, spot: Spot, trigger: Trigger) -> None:
    """Once a request is over, and not before, the next anchor is read where one is due."""
    if session and trigger.shape != "none" and not bench.is_closed:
        session.prepare(spot)


def look_ahead(bench: Workbench, spot: Spot, shown: Suggestion, document: str) -> None:
    """Have the suggestion made that is due when this one, which is shown now, has been accepted."""
    if not bench.settings.completion_look_ahead or not shown.text or not document:
        return
    text = shown.text.replace(spot.line_ending, "\n")

    async def work() -> None:
        asked = answering(bench, explicit=False)
        session = session_of(bench, asked, spot, document)
        at = accepted(spot, text, shown.replace_after)
        for _ in range(LOOK_AHEAD):
            trigger = decide(at, explicit=False, previous=None, config=asked.config)
            if trigger.shape != "none":
                recalled = await bench.memory.recall(document, at, trigger)
                said = await complete_ahead(
                    asked.connect, bench.cache, at, trigger, asked.config, asked.model, recalled, session
                )
                if said is None or said.text:
                    return
            if at.line_after.strip() or not trigger.may_go_on:
                return
            at = on_next_line(at)

    before = (spot.before[-AHEAD_CHARACTERS:] + text)[-AHEAD_CHARACTERS:]
    after = spot.after[shown.replace_after : shown.replace_after + AHEAD_CHARACTERS]
    bench.ahead.start((document, before, after), work)


def hint(bench: Workbench, window: Window, *, path: str, language: str, document: str) -> None:
    """Somebody may type here soon: have the model read what stands there."""
    if not bench.settings.completion_enabled or bench.paused or bench.is_closed:
        return
    asked = answering(bench, explicit=False)
    spot = spot_in(window, path=path, language=language, config=asked.config)
    if "\0" not in spot.before + spot.after:
        session_of(bench, asked, spot, document).hint(spot)


def answering(bench: Workbench, *, explicit: bool) -> Answering:
    """Who answers now. Without a usable model, connecting says why."""
    connect: Connect = bench.backend
    try:
        model: ModelSpec | None = registry.find(bench.settings.model)
    except ModelError as exc:
        model, connect = None, partial(_raise, exc)
    config = completion_config(bench.settings, model, bench.context_tokens)
    if explicit:  # Who asks wants to see it, however unsure model and memory are.
        config = replace(config, confidence_threshold=0.0, chance_threshold=ASKED_THRESHOLD)
    return Answering(connect=connect, model=model_id(model) if model else bench.settings.model, config=config)


def session_of(bench: Workbench, asked: Answering, spot: Spot, document: str) -> Session:
    """How to ask about a document, with pieces of the others."""

    def context(before: str, after: str, tokens: int) -> tuple[tuple[Snippet, ...], str]:
        repository = bench.context.repository(document)
        pieces = bench.context.snippets(document, spot.path, before, after, tokens) if tokens else ()
        return pieces, repository

    return bench.sessions.session(document, asked.model, asked.config, asked.connect, context)


async def _raise(problem: ModelError) -> Backend:
    raise problem
