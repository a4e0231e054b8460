"""The project's code for commands that ask about it: its index in this process, brought up to date first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsp_server.commands.indexed import Place, asked, warn

if TYPE_CHECKING:
    from codeindex.serve_desk import Desk
    from lsp_server.chat_code import Answers, WorkspaceCode
    from lsp_server.wiring import Workbench

BUSY = "The index is busy and did not answer in time."
MEANING_SECONDS = 2.0
"""How long a command waits for the model that compares meanings, if there is one; then it does without."""
LOOK_SECONDS = 0.02


class Here:
    """A project's index, asked in a thread of its own. Made and closed by ``coded``."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._thread = ThreadPoolExecutor(1, "index")
        self._desk: Desk | None = None

    async def ask(
        self, method: str, params: Mapping[str, Any], seconds: float, folders: Sequence[str] = ()
    ) -> tuple[Answers, str]:
        """What the index answers, and in a sentence why it does not."""
        from codeindex.protocol_asks import ASKS
        from codeindex.store import StoreError

        folder = str(self._place.root)
        if folders and folder not in folders:
            return [], ""
        work = asyncio.get_running_loop().run_in_executor(self._thread, self._answer, ASKS[method](params))
        try:
            async with asyncio.timeout(max(seconds, 60.0)):  # Somebody waits at a prompt, and can end it.
                return [(folder, await work)], ""
        except TimeoutError:
            return [], BUSY
        except StoreError as problem:
            return [], str(problem)

    def trouble(self) -> str:
        """It was brought up to date, or why not was said."""
        return ""

    async def close(self) -> None:
        """Let go of the index."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    def _answer(self, ask: Any) -> Mapping[str, Any]:
        if self._desk is None:
            self._desk = _desk(self._place)
        return self._desk.answer(ask)

    def _close(self) -> None:
        if self._desk is not None:
            self._desk.close()


@asynccontextmanager
async def coded(
    root: Path | None, workbench: Workbench, *, as_is: bool = False, quiet: bool = False
) -> AsyncIterator[tuple[Place, WorkspaceCode]]:
    """The project and its code. Ends the command with one sentence if there is no index to be had."""
    from lsp_server.chat_code import make_code

    with asked(root, as_is=as_is, quiet=quiet) as (place, _):
        here = Here(place)
        try:
            yield place, make_code(workbench, (), lambda: [str(place.root)], lambda: (), here)
        finally:
            await here.close()


def _desk(place: Place) -> Desk:
    """In its thread: with the models that search by meaning, if there are any."""
    import time

    from codeindex.protocol import State, Status
    from codeindex.serve_desk import Desk
    from codeindex.serve_desk import Place as Shared
    from codeindex.serve_meaning import Meaning

    meaning = Meaning(place.folder, place.options, lambda problem: warn(problem))
    late = time.monotonic() + MEANING_SECONDS
    while place.options.embedder and meaning.dense() is None and time.monotonic() < late:
        time.sleep(LOOK_SECONDS)
    status = Status(state=State.READY)
    return Desk(
        Shared(
            root=place.root,
            folder=place.folder,
            options=place.options,
            meaning=meaning,
            status=lambda _: status,
        )
    )
