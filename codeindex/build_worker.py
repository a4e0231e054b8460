"""`python -m codeindex.build_worker`: read files, take them apart, hand the rows back ready to be written.

When no files are left it embeds: it is there, and has what reads the index.

A process of its own, because a grammar is a program that reads what anybody wrote: it may crash or not come
to an end. It speaks pickles over its standard input and output with whoever started it, and ends with it.
"""

from __future__ import annotations

import gc
import importlib
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from codeindex.build_job import READY, REST, SELDOM, Done, Job, Parse, Setup, read_job
from codeindex.embed_job import Embed, Embedding
from codeindex.store import Reader, StoreError, open_reader

NICE = 10
TOGETHER_S = 0.02


def _parser(name: str) -> Parse:
    module, _, function = name.partition(":")
    found: Parse = getattr(importlib.import_module(module), function)
    return found


class _Index:
    """The index, as it was when the group of files was begun."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reader: Reader | None = None

    def reader(self) -> Reader | None:
        """Whoever reads in it, if there is something to read."""
        if self._reader is None:
            self._reader = open_reader(self._folder, lean=True)
        return self._reader

    def current(self) -> Reader | None:
        """The same, after a look whether it was made anew since."""
        if self._reader is not None and not self._reader.is_current():
            self.close()
        return self.reader()

    def close(self) -> None:
        """Let go."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def knows(self, digest: bytes) -> bool:
        """Whether it has a content."""
        try:
            reader = self.reader()
            return reader is not None and reader.has_content(digest)
        except StoreError:  # The writer will find out what is wrong; to take it apart again is never wrong.
            return False

    @contextmanager
    def group(self) -> Iterator[None]:
        """Within it the index stays as it is: to look whether it has changed costs more than to ask it."""
        with ExitStack() as stack:
            if self._reader is not None:
                with suppress(StoreError):
                    stack.enter_context(self._reader.snapshot())
            yield


def _send(outbox: Connection, results: queue.SimpleQueue[Any]) -> None:
    """Send what is ready, while the next file is being read."""
    while (result := results.get()) is not None:
        try:
            outbox.send(result)
        except OSError:  # Whoever started us is gone.
            os._exit(0)


def _work(jobs: Sequence[Job], work: Callable[[Job], Done], results: queue.SimpleQueue[Any]) -> None:
    """Do a group; small files' results go out together."""
    ready: list[Done] = []
    last = time.monotonic()
    for it in jobs:
        ready.append(work(it))
        now = time.monotonic()
        if TOGETHER_S < now - last:
            results.put(ready)
            ready, last = [], now
    if ready:  # Who has heard of all files does not listen any more.
        results.put(ready)


def main() -> int:
    """Work until nobody sends any more."""
    inbox, outbox = Connection(os.dup(0), writable=False), Connection(os.dup(1), readable=False)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # Nobody's print gets between the results.
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, 0, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # A second thread only waits there, and never sleeps.
    gc.freeze()
    gc.set_threshold(*SELDOM)
    results: queue.SimpleQueue[Any] = queue.SimpleQueue()
    sender = threading.Thread(target=_send, args=(outbox, results), daemon=True)
    try:
        setup: Setup = inbox.recv()
        parse, index = _parser(setup.parser), _Index(setup.folder)
        embedding = Embedding(index.current)
        outbox.send(READY)  # Told before the first file can end this process.
        sender.start()
        while True:
            what: Sequence[Job] | Embed | str = inbox.recv()
            if what == REST:
                index.close()
                embedding.rest()
            elif isinstance(what, Embed) and what.some:
                results.put(embedding(what))
            elif isinstance(what, Embed):
                embedding.prepare(what.model)
            else:
                with index.group():
                    _work(what, lambda it: read_job(it, setup.config, parse, index.knows), results)  # type: ignore[arg-type]
    except (EOFError, BrokenPipeError):
        return 0


if __name__ == "__main__":
    sys.exit(main())
