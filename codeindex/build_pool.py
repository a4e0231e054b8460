"""The processes that take files apart: given work, watched, and replaced when one crashes or does not end.

No file stops a build. When a worker dies, what it had been given is given out again one by one; the file with
which a worker dies alone is taken apart without its syntax, and left out if that fails too.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any

from codeindex.build_job import READY, REST, Done, Job, Setup
from codeindex.embed_card import Model
from codeindex.embed_job import Embed
from codeindex.skip import Reason
from codeindex.store import Indexed
from codeindex.walk import FoundFile
from models.process import IMPORT_ROOT, environment

logger = logging.getLogger(__name__)

PARSER = "codeindex.parse:parse"
LIMIT_S = 30.0
"""The longest that a single file may take. A megabyte takes a tenth of a second."""
GROUP_BYTES, GROUP_FILES = 100_000, 24
ROOM_BYTES, ROOM_FILES = 400_000, 48
"""What a worker has waiting at most: as much as it reads while the results of others are written."""
TICK_S = 0.2


class NoWorker(Exception):
    """The processes do not start: a broken installation. The message is a sentence for the user."""


class Worker:
    """One process, and what it has been given."""

    def __init__(self, setup: Setup) -> None:
        """Start it."""
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "codeindex.build_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=IMPORT_ROOT,
            env=environment(),
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.outbox = Connection(os.dup(self._process.stdin.fileno()), readable=False)
        self.inbox = Connection(os.dup(self._process.stdout.fileno()), writable=False)
        self._process.stdin.close()
        self._process.stdout.close()
        self.given: dict[str, Job] = {}
        self.asked: deque[Embed] = deque()
        """What it has to embed."""
        self.prepared = False
        """Whether it was told of a model."""
        self.ready = False
        self.heard = time.monotonic()
        self.send(setup)

    def send(self, what: object) -> None:
        """Hand something over; if it has died, that is noticed when it is listened to."""
        try:
            self.outbox.send(what)
        except OSError:
            logger.debug("worker gone pid=%d", self._process.pid)

    def give(self, jobs: list[Job]) -> None:
        """Give it work."""
        if not self.given:
            self.heard = time.monotonic()
        self.given |= {it.found.relative: it for it in jobs}
        self.send(jobs)

    def ask(self, what: Embed) -> None:
        """Have it embed something."""
        if not self.asked:
            self.heard = time.monotonic()
        self.asked.append(what)
        self.prepared = True
        self.send(what)

    def prepare(self, model: Model) -> None:
        """Have it load a model when it has done what it has been given."""
        if not self.prepared:
            self.prepared = True
            self.send(Embed(model=model))

    def has_room(self, most: float) -> bool:
        """Whether it may soon be without work: it is given more while it is at something, up to a size."""
        size = sum(it.found.size for it in self.given.values())
        return not self.given or (len(self.given) < ROOM_FILES and size < most)

    def end(self) -> None:
        """It holds nothing that could be lost: kill it."""
        self._process.kill()
        self._process.wait()
        self.outbox.close()
        self.inbox.close()


class Pool:
    """Some workers. Started when there is work, kept for the next."""

    def __init__(self, setup: Setup, *, jobs: int, limit_s: float = LIMIT_S) -> None:
        """Up to so many processes at a time; a file may take them so long."""
        self.workers: list[Worker] = []
        self.model: Model | None = None
        """Which is loaded as soon as there are no files left: it will be asked for."""
        self._setup = setup
        self.jobs = max(1, jobs)
        self._limit_s = limit_s

    def __enter__(self) -> Pool:
        """End all of them at last."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all of them."""
        self.close()

    def close(self, *, keep: int = 0) -> None:
        """End the workers, but for so many."""
        while keep < len(self.workers):
            self.workers.pop().end()

    def start(self, most: int) -> None:
        """Have some workers, no more than there may be, before it is known what for."""
        while len(self.workers) < min(self.jobs, most):
            self.workers.append(Worker(self._setup))

    def rest(self) -> None:
        """Have the workers keep no more than the next file needs."""
        for it in self.workers:
            it.send(REST)

    def remove(self, worker: Worker) -> None:
        """End one that has died or that takes too long. Raises NoWorker if it never was there."""
        self.workers.remove(worker)
        worker.end()
        if not worker.ready:
            raise NoWorker("The process that reads files for the index does not start.")

    def listen(self, busy: Sequence[Worker], limit_s: float) -> Iterator[tuple[Worker, Any]]:
        """What these say within a moment; nothing of one that has died, or says nothing for so long."""
        inboxes = {it.inbox: it for it in busy}
        for inbox in wait(list(inboxes), timeout=TICK_S) if inboxes else ():
            worker = inboxes[inbox]  # type: ignore[index]
            try:
                while True:
                    found = worker.inbox.recv()
                    worker.heard = time.monotonic()
                    if found == READY:
                        worker.ready = True
                    else:
                        yield worker, found
                    if not worker.inbox.poll():
                        break
            except (EOFError, OSError):
                yield worker, None
        late = time.monotonic() - limit_s
        for worker in busy:
            if worker in self.workers and (worker.given or worker.asked) and worker.heard < late:
                logger.warning("worker took too long files=%d", len(worker.given))
                yield worker, None

    def run(
        self, files: Iterable[FoundFile], *, paused: Callable[[], bool] = lambda: False
    ) -> Generator[Done, None, None]:
        """Read files; the results come as they are ready. To leave early ends the workers."""
        groups = _Groups(files)
        suspects: deque[Job] = deque()
        whole = False
        try:
            while groups.waiting or suspects or any(it.given for it in self.workers):
                if not paused():
                    self._hand_out(groups, suspects)
                if not any(it.given for it in self.workers):
                    time.sleep(TICK_S)  # It is paused.
                yield from self._collected(suspects)
            whole = True
        finally:
            if not whole:
                self.close()

    def _hand_out(self, groups: _Groups, suspects: deque[Job]) -> None:
        waiting = len(groups.waiting) + len(suspects)
        self.start(waiting + sum(bool(it.given) for it in self.workers))
        for worker in self.workers:
            if suspects and not worker.given:
                worker.give([suspects.popleft()])  # Alone: if it dies now, we know of what.
        while groups.waiting and not suspects:
            # The last ones in small portions: so all workers have done their part at the same time.
            most = min(ROOM_BYTES, groups.bytes_left / (2 * self.jobs))
            free = [it for it in self.workers if it.has_room(most)]
            if not free:
                break
            for worker in free[: len(groups.waiting)]:
                worker.give(groups.take())
        if self.model is not None and not groups.waiting and not suspects:
            for worker in self.workers[: self.model.processes]:
                worker.prepare(self.model)  # Meanwhile the last files are written.

    def _collected(self, suspects: deque[Job]) -> Iterator[Done]:
        """What is ready within a moment."""
        for worker, found in self.listen([it for it in self.workers if it.given], self._limit_s):
            if found is None:
                yield from self._died(worker, suspects)
            else:
                for done in found:
                    del worker.given[done.path]
                yield from found

    def _died(self, worker: Worker, suspects: deque[Job]) -> Iterator[Done]:
        """See what becomes of what it had been given."""
        self.remove(worker)
        if len(worker.given) != 1:
            suspects.extend(worker.given.values())
            return
        (job,) = worker.given.values()
        logger.warning("worker ended path=%s plain=%s", job.found.relative, job.plain)
        if not job.plain:
            suspects.append(Job(found=job.found, plain=True))
        else:
            yield Done(path=job.found.relative, indexed=_left_out(job.found))


def _left_out(found: FoundFile) -> Indexed:
    return Indexed(
        path=found.relative,
        size=found.size,
        mtime_ns=found.mtime_ns,
        ctime_ns=found.ctime_ns,
        inode=found.inode,
        reason=Reason.BROKEN.value,
    )


class _Groups:
    """Files together, so that there are not too many messages; large ones alone."""

    def __init__(self, files: Iterable[FoundFile]) -> None:
        self.waiting: deque[list[Job]] = deque()
        self.bytes_left = 0
        size = 0
        for it in files:
            last = self.waiting[-1] if self.waiting else None
            if last is None or GROUP_BYTES < size + it.size or GROUP_FILES <= len(last):
                last, size = [], 0
                self.waiting.append(last)
            last.append(Job(found=it))
            size += it.size
            self.bytes_left += it.size

    def take(self) -> list[Job]:
        """The next ones."""
        group = self.waiting.popleft()
        self.bytes_left -= sum(it.found.size for it in group)
        return group
