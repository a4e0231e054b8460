"""Bring an index up to date: look what changed, have it read in several processes, write it in batches.

The files are the truth. Whatever was interrupted at whatever moment, the next build compares all files with
what the index knows of them and does the rest. One process at a time does this, the holder of the lease.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from codeindex.build_embed import embed
from codeindex.build_job import Done, Setup
from codeindex.build_pool import LIMIT_S, PARSER, Pool
from codeindex.build_report import BuildReport, OnProgress, Outcome, Progress, unheard
from codeindex.build_rules import rules
from codeindex.config import WalkConfig
from codeindex.embed_card import Model
from codeindex.embed_job import Embedded, Portion
from codeindex.ignores import GIT, OURS, Problem
from codeindex.lease import take
from codeindex.skip import MARKERS
from codeindex.store import Indexed, Writer, open_writer, store_folder
from codeindex.store.disk import move_aside_in, size_on_disk
from codeindex.store.errors import Damaged
from codeindex.store.write import Known
from codeindex.walk import FoundFile, walk, walk_at

BATCH_S, FIRST_BATCH_S = 0.7, 0.2
BATCH_FILES = 1_000
FIRST_WORKERS = 2
BATCH_BYTES = 24_000_000  # Of files, so that what waits to be written fits into memory.
REDOES_FOLDER = frozenset({GIT, OURS, ".git", *MARKERS})
"""When such a file comes, changes or goes, other files in its folder belong or do not belong any more."""
REBUILT = "The index was damaged; it was moved aside and built again."

Judge = Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a build goes about it; what is here changes nothing of what is in the index in the end."""

    jobs: int = 0
    """Processes that read; 0 for as many as there are cores."""
    parser: str = PARSER
    limit_s: float = LIMIT_S
    """The longest that one file may take."""


class Site:
    """A workspace's index, held for writing. Use ``open_site``."""

    def __init__(self, root: Path, folder: Path, config: WalkConfig, options: Options) -> None:
        """With the lease taken."""
        self.root = Path(os.path.realpath(root))
        self.folder = folder
        self.config = config
        self._options = options
        setup = Setup(folder=folder, config=config, parser=options.parser)
        self._pool = Pool(setup, jobs=options.jobs or os.cpu_count() or 1, limit_s=options.limit_s)
        if not size_on_disk(folder):
            self._pool.start(FIRST_WORKERS)  # They take a moment to begin: meanwhile we look around.
        try:
            self.writer = self._opened()
        except BaseException:
            self._pool.close()
            raise

    def close(self) -> None:
        """End the workers, close the index."""
        self._pool.close()
        self.writer.close()

    def build(
        self,
        *,
        first: Sequence[str] = (),
        on_progress: OnProgress = unheard,
        stop: Judge = lambda: False,
        paused: Judge = lambda: False,
    ) -> BuildReport:
        """Look at all files. Those named ``first`` are read first, then the newest."""
        if not self.root.is_dir():
            return BuildReport(outcome=Outcome.NO_ROOT, generation=self.writer.generation())
        return self._safely(lambda: self._build(first, on_progress, stop, paused))

    def update(self, paths: Collection[str | Path], *, stop: Judge = lambda: False) -> BuildReport:
        """Look at some files and folders, also at those that are gone: what was saved, a batch of events."""
        if not self.root.is_dir():
            return BuildReport(outcome=Outcome.NO_ROOT, generation=self.writer.generation())
        return self._safely(lambda: self._update(paths, stop))

    def collect(self, *, stop: Judge = lambda: False) -> int:
        """Take away what nobody needs any more, when there is time."""
        return self.writer.collect(stop=stop)

    def prepare(self, model: Model) -> None:
        """Have this model loaded where files are read, as soon as they are."""
        self._pool.model = model

    def embed(self, model: Model, portions: Iterator[Portion]) -> Iterator[Embedded]:
        """Have texts embedded where files are read. Raises ModelError, StoreError, NoWorker."""
        return embed(self._pool, model, portions)

    def warm(self, found: Iterable[FoundFile]) -> None:
        """Have a worker ready that has read these files, and write nothing."""
        for _ in self._pool.run(found):
            pass

    def rest(self) -> None:
        """Nothing to do for a while: keep one worker, and the log small."""
        self._pool.close(keep=1)
        self._pool.rest()
        self.writer.checkpoint()

    def _opened(self) -> Writer:
        writer = open_writer(self.folder, rules=rules())
        writer.set_meta("root", str(self.root))
        return writer

    def _safely(self, work: Callable[[], BuildReport]) -> BuildReport:
        """What is damaged may show only while one works with it: then all of it is built again, once."""
        try:
            return work()
        except Damaged:
            self._pool.close()
            self.writer.close()
            move_aside_in(self.folder)
            self.writer = self._opened()
            self.writer.notice = REBUILT
            return self._build((), unheard, lambda: False, lambda: False)

    def _build(
        self, first: Sequence[str], on_progress: OnProgress, stop: Judge, paused: Judge
    ) -> BuildReport:
        judged = repr(self.config)
        if self.writer.meta("judged") != judged:
            self.writer.doubt(judged)
        known = self.writer.known()
        if not known:
            self._pool.start(FIRST_WORKERS)
        problems: list[Problem] = []
        found = {it.relative: it for it in walk(self.root, self.config, problems=problems)}
        changed = [it for it in found.values() if _has_changed(it, known.get(it.relative))]
        gone = known.keys() - found.keys()
        total = len(found) - _left_out(known, found.keys() - {it.relative for it in changed})
        return self._read(_ordered(changed, first), gone, on_progress, stop, paused, total, problems)

    def _update(self, paths: Collection[str | Path], stop: Judge) -> BuildReport:
        asked = _places(self.root, paths)
        if "" in asked:
            return self._build((), unheard, stop, lambda: False)
        problems: list[Problem] = []
        found: dict[str, FoundFile] = {}
        known: dict[str, Known] = {}
        for it in asked:
            known |= self.writer.known(it)
            found |= {one.relative: one for one in walk_at(self.root, it, self.config, problems=problems)}
        changed = [it for it in found.values() if _has_changed(it, known.get(it.relative))]
        gone = known.keys() - found.keys()
        total = len(found) - _left_out(known, found.keys() - {it.relative for it in changed})
        return self._read(changed, gone, unheard, stop, lambda: False, total, problems, at_once=True)

    def _read(
        self,
        files: Sequence[FoundFile],
        gone: Collection[str],
        on_progress: OnProgress,
        stop: Judge,
        paused: Judge,
        total: int,
        problems: Sequence[Problem],
        *,
        at_once: bool = False,
    ) -> BuildReport:
        """Have these files read, and write what comes of it; ``at_once`` if that is all of it together."""
        batches = _Batches(self.writer, files, on_progress, at_once=at_once)
        outcome = Outcome.DONE
        results = self._pool.run(files, paused=paused)
        while (done := next(results, None)) is not None:
            batches.add(done)
            if stop():
                results.close()
                outcome = Outcome.STOPPED
                break
        batches.commit(gone if outcome is Outcome.DONE else ())
        again = [it for it in files if it.relative in batches.missing]
        if (
            again and outcome is Outcome.DONE
        ):  # Their contents were taken away between the look and the commit.
            for done in self._pool.run(again):
                batches.add(done)
            batches.commit(())
        notice, self.writer.notice = self.writer.notice, ""
        return BuildReport(
            outcome=outcome,
            generation=self.writer.generation(),
            files=total - len(batches.left_out),
            read=batches.files,
            gone=len(gone) if outcome is Outcome.DONE else 0,
            lines=batches.lines,
            seconds=round(time.monotonic() - batches.started, 3),
            left_out=tuple(batches.left_out),
            problems=tuple(f"{it.path}: {it.says}" for it in problems),
            notice=notice,
        )


@contextmanager
def open_site(
    root: Path, cache: Path, config: WalkConfig, options: Options | None = None
) -> Iterator[Site | None]:
    """The workspace's index with its lease; None if another process has that. Raises StoreError, OSError."""
    folder = store_folder(root, cache)
    lease = take(folder)
    if lease is None:
        yield None
        return
    with lease:
        site = Site(root, folder, config, options or Options())
        try:
            yield site
        finally:
            site.close()


def build(
    root: Path,
    cache: Path,
    config: WalkConfig,
    *,
    first: Sequence[str] = (),
    on_progress: OnProgress = unheard,
    stop: Judge = lambda: False,
    paused: Judge = lambda: False,
    options: Options | None = None,
) -> BuildReport:
    """Bring a workspace's index up to date. Raises StoreError (Newer, Full), OSError, NoWorker."""
    if not root.is_dir():
        return BuildReport(outcome=Outcome.NO_ROOT)
    with open_site(root, cache, config, options) as site:
        if site is None:
            return BuildReport(outcome=Outcome.BUSY)
        return site.build(first=first, on_progress=on_progress, stop=stop, paused=paused)


def update(
    root: Path, cache: Path, config: WalkConfig, paths: Collection[str | Path], options: Options | None = None
) -> BuildReport:
    """The same for some files and folders."""
    if not root.is_dir():
        return BuildReport(outcome=Outcome.NO_ROOT)
    with open_site(root, cache, config, options) as site:
        return site.update(paths) if site else BuildReport(outcome=Outcome.BUSY)


class _Batches:
    """What was read and is not written yet, and the counts."""

    def __init__(
        self, writer: Writer, files: Sequence[FoundFile], on_progress: OnProgress, *, at_once: bool
    ) -> None:
        self._writer = writer
        self._on_progress = on_progress
        self._sizes = {it.relative: it.size for it in files}
        self._waiting: list[Indexed] = []
        self._gone: list[str] = []
        self._bytes = self._read_bytes = 0
        self._all_bytes = sum(self._sizes.values())
        self.started = self._last = time.monotonic()
        self._at_once = at_once
        self._limit_s = FIRST_BATCH_S
        self.files = self.lines = 0
        self.left_out: list[tuple[str, str]] = []
        self.missing: set[str] = set()
        if files:
            self._tell()

    def add(self, done: Done) -> None:
        """Take in a file; write if it is time."""
        size = self._sizes.get(done.path, 0)
        self.files += 1
        self.lines += done.lines
        self._bytes += size
        self._read_bytes += size
        if done.indexed is None:
            self._gone.append(done.path)
        else:
            self._waiting.append(done.indexed)
            if done.indexed.reason:
                self.left_out.append((done.path, done.indexed.reason))
        late = not self._at_once and self._limit_s < time.monotonic() - self._last
        if late or BATCH_FILES <= len(self._waiting) or BATCH_BYTES < self._bytes:
            self.commit(())

    def commit(self, gone: Collection[str]) -> None:
        """Write what waits."""
        if self._waiting or self._gone or gone:
            self.missing |= set(self._writer.replace(self._waiting, [*self._gone, *gone]))
            self._waiting, self._gone, self._bytes = [], [], 0
            self._tell()
        self._last, self._limit_s = time.monotonic(), BATCH_S

    def _tell(self) -> None:
        seconds = time.monotonic() - self.started
        read = self._read_bytes
        self._on_progress(
            Progress(
                files=self.files,
                total=len(self._sizes),
                lines=self.lines,
                seconds=round(seconds, 3),
                seconds_left=round(seconds / read * (self._all_bytes - read), 1) if read else None,
                generation=self._writer.generation(),
            )
        )


def _has_changed(found: FoundFile, known: Known | None) -> bool:
    """Whether a file is to be read: it is new, it looks different, or it was read too soon after a change."""
    if known is None or not known.sure:
        return True
    return (found.size, found.mtime_ns, found.ctime_ns, found.inode) != (
        *(known.size, known.mtime_ns, known.ctime_ns, known.inode),
    )


def _left_out(known: Mapping[str, Known], unchanged: Iterable[str]) -> int:
    """How many of these do not belong, for what is in them."""
    return sum(bool(known[it].reason) for it in unchanged)


def _ordered(files: Sequence[FoundFile], first: Sequence[str]) -> list[FoundFile]:
    places = {path: place for place, path in enumerate(first)}
    return sorted(files, key=lambda it: (places.get(it.relative, len(places)), -it.mtime_ns))


def _places(root: Path, paths: Collection[str | Path]) -> list[str]:
    """What to look at, relative to the root, none below another one; an empty one means everything."""
    found = set()
    for it in paths:
        folder, name = os.path.split(os.path.join(root, it))
        full = os.path.join(os.path.realpath(folder), name)
        relative = os.path.relpath(full, root)
        if relative == os.curdir:
            return [""]
        if relative == os.pardir or relative.startswith(os.pardir + os.sep):
            continue
        parts = relative.split(os.sep)
        if ".git" in parts and not relative.endswith((".git", f"info{os.sep}exclude")):
            continue  # git's own business: it is about no file of ours
        changed = [place for place, part in enumerate(parts) if part in REDOES_FOLDER]
        found.add("/".join(parts[: changed[0]] if changed else parts))
    kept: list[str] = []
    for path in sorted(found):
        if not any(path.startswith(f"{it}/") or not it for it in kept):
            kept.append(path)
    return kept
