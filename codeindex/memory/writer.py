"""The one writer of a workspace's memory: it builds, commits generation after generation, and cleans up."""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from codeindex.memory import disk
from codeindex.memory.errors import Damaged
from codeindex.memory.manifest import NAME, Manifest, Stored, Version, read_manifest, write_manifest
from codeindex.memory.occurrence import Source
from codeindex.memory.segment import Segment, Written, build_segment
from codeindex.memory.segment_file import open_segment, write_segment
from codeindex.memory.shelf import ENDING, path_of, versions_of

logger = logging.getLogger(__name__)

LOCK = "lock"
SEGMENT_BYTES = 32_000_000
"""Of coded text in one of the project's segments: what is written again when one of its files changes."""
FEW = 4
"""So many segments more than needed, and they are merged: each costs a fraction of every question."""
CHECK_S = 24 * 3600
"""All bytes of all segments are looked at once a day; heads and tables always."""
UNUSED_S = 30 * 24 * 3600
"""A shared segment that no workspace has asked for in this time is removed."""
ABANDONED_S = 3600
"""A file that was being written this long ago: who wrote it is gone."""


class Writer:
    """Holds the newest generation and makes the next one. Whoever has one has the lock."""

    def __init__(self, folder: Path, shared: Path, root: str, rules: str) -> None:
        """Raises ``Newer``. A damaged manifest is one that is not there."""
        self.folder = folder
        self.shared = shared
        try:
            self.manifest = read_manifest(folder)
        except Damaged as problem:
            logger.warning("memory built anew: %s", problem)
            self.manifest = Manifest()
        self._committed = self.manifest
        if (self.manifest.root, self.manifest.rules) != (root, rules):
            self.manifest = Manifest(generation=self.manifest.generation, root=root, rules=rules)
        now = time.time()
        self.thorough = not 0 <= now - self.manifest.checked_s < CHECK_S
        self.opened: dict[str, Segment] = {}
        self._open()
        if self.thorough:
            self.manifest = replace(self.manifest, checked_s=now)

    def project(self) -> list[tuple[Stored, Segment]]:
        """The project's segments."""
        return [(it, self.opened[it.file]) for it in self.manifest.segments if not it.shared]

    def versions(self) -> dict[str, Version]:
        """The project's files that are known."""
        found: dict[str, Version] = {}
        for stored, segment in self.project():
            found |= versions_of(segment, frozenset(stored.dead))
        return found

    def add(
        self, documents: Sequence[Written], *, gone: Iterable[str] = (), passed: dict[str, Version]
    ) -> None:
        """Commit a generation with these files of the project, in place of what it had of them."""
        replaced = {*gone, *(it.path for it in documents), *passed}
        segments = [_without(it, self.opened.get(it.file), replaced) for it in self.manifest.segments]
        if documents:
            segments.append(self.store(documents, Source.PROJECT, f"{secrets.token_hex(8)}{ENDING}"))
        kept = {path: it for path, it in self.manifest.passed.items() if path not in replaced}
        self._commit(replace(self.manifest, segments=_ordered(segments), passed=kept | passed))

    def compact(self) -> bool:
        """Write again what has dead documents, and merge what is small, so that what was deleted is gone.

        Whether there was anything to do.
        """
        own = self.project()
        spoilt = [it for it in own if it[0].dead]
        needed = -(-sum(it.bytes for it, _ in own) // SEGMENT_BYTES)
        if not spoilt and len(own) <= FEW + needed:
            return False
        again = [it for it in own if it[0].dead or it[0].bytes < SEGMENT_BYTES // 4]
        documents = [
            _again(segment, number)
            for stored, segment in again
            for number in range(len(segment.documents))
            if number not in set(stored.dead)
        ]
        files = {it.file for it, _ in again}
        kept = [it for it in self.manifest.segments if it.file not in files]
        for part in parts(documents, SEGMENT_BYTES):
            kept.append(self.store(part, Source.PROJECT, f"{secrets.token_hex(8)}{ENDING}"))
        self._commit(replace(self.manifest, segments=_ordered(kept)))
        return True

    def use(self, libraries: Sequence[Stored], sizes: dict[str, int]) -> None:
        """Commit a generation with these shared segments, if they are others than before."""
        own = [it for it in self.manifest.segments if not it.shared]
        changed = replace(self.manifest, segments=_ordered([*own, *libraries]), sizes=sizes)
        if changed != self.manifest:
            self._commit(changed)

    def find(self, source: Source, name: str) -> Stored | None:
        """A shared segment that is there and sound, marked as used."""
        path = self.shared / name
        known = next((it for it in self.manifest.segments if it.file == name), None)
        try:
            segment = self.opened.get(name) or open_segment(path, thoroughly=True)
            disk.mark_as_used(path)
        except (Damaged, OSError):
            return None
        self.opened[name] = segment
        return known or Stored(file=name, source=source, bytes=segment.size)

    def store(self, documents: Sequence[Written], source: Source, name: str) -> Stored:
        """Build a segment and write its file; it counts from the next commit on."""
        segment = build_segment(documents)
        stored = Stored(file=name, source=source, bytes=segment.size)
        path = path_of(stored, self.folder, self.shared)
        write_segment(segment, path)
        self.opened[name] = open_segment(path)  # Mapped instead of held.
        return stored

    def finish(self) -> None:
        """Commit what is not yet, then clean up."""
        if self.manifest != self._committed:
            self._commit(self.manifest)
        self._clean()

    def _clean(self) -> None:
        """Remove what is not needed: the last generation's files, half written ones, unused ones."""
        needed = {it.file for it in self.manifest.segments}
        disk.remove(it for it in self.folder.iterdir() if it.name not in {*needed, NAME, LOCK})
        now = time.time()
        for path in self.shared.iterdir():
            limit = ABANDONED_S if path.name.endswith(disk.TEMPORARY) else UNUSED_S
            if path.name not in needed and limit < now - _time_of(path, now):
                disk.remove([path])

    def _open(self) -> None:
        sound = []
        for it in self.manifest.segments:
            try:
                path = path_of(it, self.folder, self.shared)
                self.opened[it.file] = open_segment(path, thoroughly=self.thorough)
                sound.append(it)
            except Damaged as problem:
                logger.warning("memory segment built again: %s", problem)
        self.manifest = replace(self.manifest, segments=tuple(sound))

    def _commit(self, manifest: Manifest) -> None:
        self.manifest = replace(manifest, generation=manifest.generation + 1)
        write_manifest(self.folder, self.manifest)
        self._committed = self.manifest


def parts(documents: Iterable[Written], limit: int) -> Iterable[list[Written]]:
    """The documents in groups of at most so many bytes, if no single one has more."""
    part: list[Written] = []
    size = 0
    for it in documents:
        if part and limit < size + len(it.text):
            yield part
            part, size = [], 0
        part.append(it)
        size += len(it.text) + 1
    if part:
        yield part


def _ordered(segments: Iterable[Stored]) -> tuple[Stored, ...]:
    """The project's first: the same segments are the same generation, however they came together."""
    return tuple(sorted(segments, key=lambda it: (it.source, it.file)))


def fingerprint(*values: object) -> str:
    """The same for the same values, in any process."""
    return hashlib.blake2b(repr(values).encode("utf-8", "replace"), digest_size=16).hexdigest()


def _without(stored: Stored, segment: Segment | None, paths: set[str]) -> Stored:
    """The segment with the documents of these paths dead."""
    if stored.shared or segment is None:
        return stored
    dead = {segment.numbers[it] for it in paths if it in segment.numbers} | set(stored.dead)
    documents = segment.documents
    alive = sum(it.stop - it.start + 1 for number, it in enumerate(documents) if number not in dead)
    return replace(stored, dead=tuple(sorted(dead)), bytes=alive)


def _again(segment: Segment, number: int) -> Written:
    it = segment.documents[number]
    return Written(path=it.path, text=segment.coded(number), size=it.size, mtime_ns=it.mtime_ns)


def _time_of(path: Path, otherwise: float) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return otherwise
