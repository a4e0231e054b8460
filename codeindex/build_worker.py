"""`python -m codeindex.build_worker`: read files, take them apart, hand the rows back ready to be written.

A process of its own, because a grammar is a program that reads what anybody wrote: it may crash or not come
to an end. It speaks pickles over its standard input and output with whoever started it, and ends with it.
"""

from __future__ import annotations

import importlib
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from codeindex.config import WalkConfig
from codeindex.files import Signature, signature
from codeindex.store import Indexed, Reader, StoreError, open_reader
from codeindex.store.rows import content_hash, content_of
from codeindex.types import Parsed
from codeindex.walk import Belonging, FoundFile, read

NICE = 10
TRIES = 3
RACY_NS = 2_000_000_000
"""A file that changed less than this before it was read may change again without a new time: some file
systems count in steps of two seconds. Such a file is read once more."""

READY = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a worker is told first."""

    folder: Path
    """Of the index."""
    config: WalkConfig
    parser: str
    """Module and function, with a colon between: text and language in, ``Parsed`` out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A file to be read."""

    found: FoundFile
    plain: bool = False
    """Without its syntax: that has failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A file that was read."""

    path: str
    indexed: Indexed | None
    """None if it is gone."""
    lines: int = 0
    """Of text that was taken apart; what was known already does not count."""


def read_job(
    job: Job, config: WalkConfig, parse: Callable[[str, str], Parsed], known: Callable[[bytes], bool]
) -> Done:
    """Read a file that may change meanwhile, and take it apart unless its content is known."""
    found = job.found
    state, judged, stable = _read(found, config)
    if state is None:
        return Done(path=found.relative, indexed=None)
    indexed = Indexed(
        path=found.relative,
        size=state.size,
        mtime_ns=state.mtime_ns,
        ctime_ns=state.ctime_ns,
        inode=state.inode,
        sure=stable,
        reason=judged.reason.value if judged.reason else "",
    )
    if judged.text is None:
        return Done(path=found.relative, indexed=indexed)
    digest = content_hash(judged.language, judged.text)
    if known(digest):
        return Done(path=found.relative, indexed=replace(indexed, hash=digest))
    if job.plain:
        parsed = replace(parse(judged.text, ""), language=judged.language, degraded=True)
    else:
        parsed = parse(judged.text, judged.language)
    content = content_of(judged.text, replace(parsed, language=judged.language))
    return Done(
        path=found.relative, indexed=replace(indexed, hash=digest, content=content), lines=content.lines
    )


def _read(found: FoundFile, config: WalkConfig) -> tuple[Signature | None, Belonging, bool]:
    """The signature that goes with what was read, and whether it proves that this is what is there."""
    for _ in range(TRIES):
        began = time.time_ns()
        before = _signature(found.path)
        judged = read(found, config)
        after = _signature(found.path)
        if before == after:
            break
    changed = max(after.mtime_ns, after.ctime_ns) if after else 0
    return after, judged, before == after and changed < began - RACY_NS


def _signature(path: Path) -> Signature | None:
    try:
        return signature(path)
    except OSError:
        return None


def _parser(name: str) -> Callable[[str, str], Parsed]:
    module, _, function = name.partition(":")
    found: Callable[[str, str], Parsed] = getattr(importlib.import_module(module), function)
    return found


class _Known:
    """Which contents the index has, asked anew each time: others may have brought it meanwhile."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reader: Reader | None = None

    def __call__(self, digest: bytes) -> bool:
        try:
            if self._reader is None:
                self._reader = open_reader(self._folder)
            return self._reader is not None and self._reader.has_content(digest)
        except StoreError:  # The writer will find out what is wrong; to take it apart again is never wrong.
            return False


def _send(outbox: Connection, results: queue.SimpleQueue[Any]) -> None:
    """Send what is ready, while the next file is being read."""
    while (result := results.get()) is not None:
        try:
            outbox.send(result)
        except OSError:  # Whoever started us is gone.
            os._exit(0)


def main() -> int:
    """Work until nobody sends any more."""
    inbox, outbox = Connection(os.dup(0), writable=False), Connection(os.dup(1), readable=False)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # Nobody's print gets between the results.
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, 0, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    results: queue.SimpleQueue[Any] = queue.SimpleQueue()
    sender = threading.Thread(target=_send, args=(outbox, results), daemon=True)
    try:
        setup: Setup = inbox.recv()
        parse, known = _parser(setup.parser), _Known(setup.folder)
        results.put(READY)
        sender.start()
        while True:
            jobs: Sequence[Job] = inbox.recv()
            for it in jobs:
                results.put(read_job(it, setup.config, parse, known))
    except EOFError:
        return 0


if __name__ == "__main__":
    sys.exit(main())
