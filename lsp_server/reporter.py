"""Tell the editor how the engine is: `hearth/status`, progress while a model loads, problems once each."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from completion.suggestion import Suggestion
from lsp_server import protocol
from lsp_server.protocol import Count, Status
from models.wire import Health

if TYPE_CHECKING:
    from lsp_server.server import Assistant

logger = logging.getLogger(__name__)

SETTLE_SECONDS = 0.2  # Several changes in a row become one notification; nobody reads faster.
PROGRESS_SECONDS = 0.5  # Models that load faster than this need no progress bar.


class Reporter:
    """What this connection's editor has been told, and what it has yet to be told."""

    def __init__(self, assistant: Assistant) -> None:
        self._ls = assistant
        self._health: Health | None = None
        self._problem = ""
        self._told: dict[str, Any] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._progress: asyncio.Task[None] | None = None
        self._loaded = asyncio.Event()
        self._said: set[str] = set()
        self._shown: Counter[str] = Counter()
        self._accepted: Counter[str] = Counter()
        self.last: Suggestion | None = None
        """What was shown last."""

    @property
    def status(self) -> Status:
        """How things are now."""
        health, bench = self._health, self._ls.workbench
        state: protocol.State = health.state if health else "starting" if bench.is_starting else "stopped"
        return Status(
            model=bench.model_name,
            state="failed" if self._problem else state,
            progress=health.progress if health and health.state == "loading" else 0.0,
            tokens_per_second=health.tokens_per_second if health else 0.0,
            problem=self._problem or (health.problem if health else ""),
            paused=bench.paused,
            shown=self._shown.total(),
            accepted=self._accepted.total(),
            by_source={
                it: Count(shown=self._shown[it], accepted=self._accepted[it]) for it in protocol.SOURCES
            },
            memory=bench.memory.status,
            index=bench.index.status,
        )

    def shown(self, suggestion: Suggestion) -> None:
        """A suggestion has gone to the editor."""
        self.last = suggestion
        self._shown[suggestion.source] += 1

    def accepted(self, source: str) -> None:
        """The editor says that one was accepted, and where that one had come from, if it still knows."""
        self._accepted[source] += 1
        self.changed()

    def health(self, health: Health | None) -> None:
        """The engine said something, or (``None``) is gone."""
        self._health = health
        loading = health is not None and health.state == "loading"
        if loading and self._progress is None:
            self._loaded.clear()
            self._progress = asyncio.create_task(self._show_progress())
        if not loading:
            self._loaded.set()
        self.changed()

    def problem(self, sentence: str) -> None:
        """Nothing can be suggested, because of this; or (empty) something could.

        An engine can be ready and still not do what it is asked, so only an answer ends a problem.
        """
        if sentence != self._problem:
            self._problem = sentence
            self.changed()

    def changed(self) -> None:
        """Something in ``status`` may be different now: say so soon, once."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SETTLE_SECONDS, self._tell)

    def say(self, sentence: str) -> None:
        """Show the user a sentence that they asked for."""
        self._ls.window_show_message(lsp.ShowMessageParams(type=lsp.MessageType.Info, message=sentence))

    def warn(self, sentence: str) -> None:
        """Show the user a sentence, once in the life of this server."""
        if sentence in self._said:
            return
        self._said.add(sentence)
        logger.warning("%s", sentence)
        message = lsp.ShowMessageParams(type=lsp.MessageType.Warning, message=f"Hearth: {sentence}")
        self._ls.window_show_message(message)

    def _tell(self) -> None:
        self._timer = None
        status = self.status.json()
        if status != self._told:
            self._told = status
            self._ls.protocol.notify(protocol.STATUS, status)

    async def _show_progress(self) -> None:
        """A progress bar from now until the model is loaded, in editors that have them."""
        try:
            await asyncio.wait_for(self._loaded.wait(), PROGRESS_SECONDS)
        except TimeoutError:
            window = self._ls.client_capabilities.window
            if window and window.work_done_progress:
                await self._fill_bar()
        finally:
            self._progress = None

    async def _fill_bar(self) -> None:
        bar, token = self._ls.work_done_progress, f"hearth-{uuid.uuid4()}"
        try:
            await bar.create_async(token)
        except JsonRpcException as exc:
            logger.info("progress refused cause=%s", type(exc).__name__)
            return
        model = self._health.model if self._health else self._ls.workbench.model_name
        title = f"Hearth: loading {model}"
        bar.begin(token, lsp.WorkDoneProgressBegin(title=title, cancellable=False, percentage=0))
        while not self._loaded.is_set():
            done = self._health.progress if self._health else 0.0
            bar.report(token, lsp.WorkDoneProgressReport(percentage=min(100, int(100 * done))))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._loaded.wait(), PROGRESS_SECONDS)
        bar.end(token, lsp.WorkDoneProgressEnd(message=self.status.problem or "ready"))
