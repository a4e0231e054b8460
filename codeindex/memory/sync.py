"""Bring a workspace's memory up to date: the project first, then standard libraries, then dependencies.

Each part is committed as a generation of its own, so that the first is of use while the last is being sorted.
Ending this process at any moment leaves the generation before; the next sync goes on from there.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from filelock import FileLock, Timeout

from codeindex.dependency import Dependency
from codeindex.environment import dependencies, files
from codeindex.memory import disk
from codeindex.memory.coded import coded
from codeindex.memory.config import MemoryConfig
from codeindex.memory.errors import Newer, ShelfError
from codeindex.memory.manifest import Stored, Version, read_manifest
from codeindex.memory.occurrence import Source
from codeindex.memory.segment import LARGEST, Written
from codeindex.memory.segment_file import FORMAT
from codeindex.memory.shelf import ENDING, shared_folder, shelf_folder
from codeindex.memory.writer import LOCK, SEGMENT_BYTES, Writer, fingerprint
from codeindex.walk import FoundFile, read_text, walk

RULES = 1
"""Counted up when the same text is coded, or the same file judged, in another way than before."""
FIRST_BYTES = 4_000_000
"""The project's newest files are committed first: so much is sorted within a second."""
STANDARD_BYTES = 64_000_000
"""Of a standard library. Go's, the largest, has half of that without its tests."""
GROUPS = 2
"""Dependencies lie in so many segments, by their names, so that one that changes costs half of the work. With
more segments it would cost less, but each is asked again at every keystroke."""
SMALL_BYTES = 16_000_000
"""As many bytes of dependencies are one group: sorted again within some seconds."""


class Outcome(StrEnum):
    """How a sync ended."""

    DONE = "done"
    BUSY = "busy"
    """Another process is at it."""
    NEWER = "newer"
    """The memory belongs to a newer version of Hearth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A step that is done."""

    step: str
    """``project``, ``compact``, ``standard`` or ``dependencies``."""
    files: int
    bytes: int
    """Of coded text."""
    seconds: float
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a sync did."""

    outcome: Outcome
    generation: int = 0
    files: int = 0
    """Of the project, that were read."""
    left_out: int = 0
    """Of the project, because of the budget."""
    dependencies_left_out: int = 0


OnProgress = Callable[[Progress], None]


def sync(
    root: Path, cache: Path, config: MemoryConfig, environment: Mapping[str, str], on_progress: OnProgress
) -> Report:
    """Do what is to be done, or leave at once if another process does. Raises OSError, as for a full disk."""
    disk.private_folder(cache / "memory")
    folder = disk.private_folder(shelf_folder(root, cache))
    shared = disk.private_folder(shared_folder(cache))
    try:
        with FileLock(folder / LOCK, mode=0o600).acquire(timeout=0):
            rules = fingerprint(RULES, config.walk)
            writer = Writer(folder, shared, os.path.realpath(root), rules)
            report = _sync(writer, root, config, environment, on_progress)
        forget_lost(cache)
        return report
    except Timeout:
        return Report(outcome=Outcome.BUSY)
    except Newer:
        return Report(outcome=Outcome.NEWER)


def forget_lost(cache: Path) -> None:
    """Remove the memory of workspaces that are not there any more: their code was deleted, so it goes."""
    for folder in (cache / "memory").iterdir():
        try:
            root = read_manifest(folder).root
            if root and not os.path.isdir(root):
                with FileLock(folder / LOCK, mode=0o600).acquire(timeout=0):
                    disk.remove([folder])
        except (ShelfError, Timeout):  # not ours to judge, or somebody is at work there
            continue


def _sync(
    writer: Writer, root: Path, config: MemoryConfig, environment: Mapping[str, str], on_progress: OnProgress
) -> Report:
    started = time.monotonic()

    def tell(step: str, read: int, size: int) -> None:
        seconds = round(time.monotonic() - started, 3)
        generation = writer.manifest.generation
        on_progress(Progress(step=step, files=read, bytes=size, seconds=seconds, generation=generation))

    found, left_out = _newest(walk(root, config.walk), config.project_bytes)
    read = _project(writer, found, config, tell)
    if writer.compact():
        tell("compact", 0, sum(it.bytes for it, _ in writer.project()))
    libraries = dependencies(root, env=environment) if config.dependency_bytes else ()
    missing = _libraries(writer, libraries, config, tell)
    writer.finish()
    return Report(
        outcome=Outcome.DONE,
        generation=writer.manifest.generation,
        files=read,
        left_out=left_out,
        dependencies_left_out=missing,
    )


Tell = Callable[[str, int, int], None]


def _newest(found: Iterator[FoundFile], budget: int) -> tuple[list[FoundFile], int]:
    """The newest files that fit into the budget, newest first, and how many do not."""
    files = sorted(found, key=lambda it: it.mtime_ns, reverse=True)
    kept = []
    for it in files:
        budget -= it.size
        if 0 <= budget:
            kept.append(it)
    return kept, len(files) - len(kept)


def _project(writer: Writer, found: Sequence[FoundFile], config: MemoryConfig, tell: Tell) -> int:
    """Read what is new or changed; how many files that was."""
    known = writer.versions()
    seen = {**known, **writer.manifest.passed}
    changed = [it for it in found if seen.get(it.relative) != (it.size, it.mtime_ns)]
    gone = seen.keys() - {it.relative for it in found}
    batch: list[Written] = []
    passed: dict[str, Version] = {}
    size, limit = 0, FIRST_BYTES

    def commit() -> None:
        writer.add(batch, gone=gone, passed=passed)
        tell("project", len(batch), size)

    for it in changed:
        text = read_text(it, config.walk)
        if text is None:
            passed[it.relative] = (it.size, it.mtime_ns)
            continue
        written = Written(path=it.relative, text=coded(text), size=it.size, mtime_ns=it.mtime_ns)
        if batch and limit < size + len(written.text):
            commit()
            batch, passed, gone, size, limit = [], {}, set(), 0, SEGMENT_BYTES
        batch.append(written)
        size += len(written.text) + 1
    if batch or passed or gone:
        commit()
    return len(changed)


def _libraries(writer: Writer, found: Sequence[Dependency], config: MemoryConfig, tell: Tell) -> int:
    """Standard libraries and dependencies: what is not there yet is built; how many did not fit."""
    chosen, sizes, missing = _chosen(writer, found, config)
    ready: list[Stored] = []
    for source, step, members in _groups(chosen, sizes, writer.manifest.rules):
        versions = [_fingerprint(it) for it in members]
        name = fingerprint(FORMAT, writer.manifest.rules, source, versions) + ENDING
        stored = writer.find(source, name)
        if stored is None:
            documents = [it for member in members for it in _documents(member, config)]
            if not documents:
                continue
            stored = writer.store(documents, source, name)
            writer.use([*ready, stored], sizes)
            tell(step, len(documents), stored.bytes)
        ready.append(stored)
    writer.use(ready, sizes)
    return missing


def _chosen(
    writer: Writer, found: Sequence[Dependency], config: MemoryConfig
) -> tuple[list[Dependency], dict[str, int], int]:
    """What fits into the budget, the size of everything, and how many do not fit."""
    left = min(config.dependency_bytes, LARGEST // 2)  # All of them may be in one group.
    chosen = []
    sizes: dict[str, int] = {}
    for it in found:
        name = _fingerprint(it)
        size = writer.manifest.sizes.get(name)
        if size is None:
            size = sum(file.size for file in files(it, config.walk, max_bytes=_share(it, config)))
        sizes[name] = size
        if it.kind == "stdlib":
            chosen.append(it)
        elif 0 < size <= left:
            left -= size
            chosen.append(it)
    return chosen, sizes, len(found) - len(chosen)


def _groups(
    chosen: Sequence[Dependency], sizes: Mapping[str, int], rules: str
) -> Iterator[tuple[Source, str, list[Dependency]]]:
    """What lies in one segment together: a language's standard library; dependencies by their names."""
    for it in chosen:
        if it.kind == "stdlib":
            yield Source.STANDARD, "standard", [it]
    packages = sorted((it for it in chosen if it.kind != "stdlib"), key=lambda it: (it.name, str(it.root)))
    total = sum(sizes[_fingerprint(it)] for it in packages)
    count = max(1, min(GROUPS, total // SMALL_BYTES))
    for number in range(count):
        members = [it for it in packages if _group(it, count) == number]
        if members:
            yield Source.DEPENDENCY, "dependencies", members


def _group(it: Dependency, count: int) -> int:
    return hashlib.blake2b(it.name.encode("utf-8", "replace")).digest()[0] % count


def _documents(it: Dependency, config: MemoryConfig) -> Iterator[Written]:
    for file in files(it, config.walk, max_bytes=_share(it, config)):
        text = read_text(file, config.walk)
        if text is not None:
            path = file.path.as_posix()
            yield Written(path=path, text=coded(text), size=file.size, mtime_ns=file.mtime_ns)


def _share(it: Dependency, config: MemoryConfig) -> int:
    """No single dependency takes more than half of the budget; what it has beyond that is left out."""
    return STANDARD_BYTES if it.kind == "stdlib" else config.dependency_bytes // 2


def _fingerprint(it: Dependency) -> str:
    """The same as long as its source is. Where the version may not tell, its folder's time does."""
    try:
        exact = it.version if it.version and it.kind != "stdlib" else it.root.stat().st_mtime_ns
    except OSError:
        exact = ""
    return fingerprint(it.kind, it.language, it.name, it.version, exact, str(it.root))
