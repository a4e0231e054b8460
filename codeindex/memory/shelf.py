"""A workspace's memory on disk, as its readers see it: whole generations, without what is damaged.

```text
<cache>/memory/<workspace>/manifest.json   the newest generation
                           lock            held by the one process that writes
                           *.segment       the project's code
<cache>/memory/shared/*.segment            standard libraries and dependencies, for all workspaces
```
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from codeindex.memory.errors import Damaged, Newer
from codeindex.memory.manifest import NAME, Manifest, Stored, Version, read_manifest
from codeindex.memory.occurrence import Source
from codeindex.memory.segment import Segment
from codeindex.memory.segment_file import open_segment
from codeindex.memory.snapshot import Layer

logger = logging.getLogger(__name__)

TRIES = 4
"""A file that is gone may mean that a new generation came while we read the old one."""
ENDING = ".segment"

Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfState:
    """A generation, opened."""

    generation: int = 0
    """0 as long as there is none."""
    stamp: Stamp | None = None
    """What ``stamp`` said before it was read: when that says something else, read again."""
    layers: tuple[Layer, ...] = ()
    versions: Mapping[str, Version] = field(default_factory=dict)
    """The project's files that are in it; ``Buffers.on_disk`` wants to know."""
    opened: Mapping[str, Segment] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    """Sentences. Where there are any, a sync repairs what can be repaired."""


def shelf_folder(root: Path, cache: Path) -> Path:
    """Where this workspace's memory lies; it may not be there yet."""
    real = os.fsencode(os.path.realpath(root))
    return cache / "memory" / hashlib.blake2b(real, digest_size=16).hexdigest()


def shared_folder(cache: Path) -> Path:
    """Where the segments lie that all workspaces share."""
    return cache / "memory" / "shared"


def stamp(root: Path, cache: Path) -> Stamp | None:
    """Changes with every generation; costs one look at the file's state."""
    try:
        found = os.stat(shelf_folder(root, cache) / NAME)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def read_shelf(root: Path, cache: Path, previous: ShelfState | None = None) -> ShelfState:
    """Open the newest generation; segments that were open in the ``previous`` state stay open.

    Raises nothing: what is damaged or gone is left out, and said.
    """
    folder = shelf_folder(root, cache)
    state = ShelfState()
    for _ in range(TRIES):
        mark = stamp(root, cache)
        try:
            manifest = read_manifest(folder)
        except (Damaged, Newer) as problem:
            return ShelfState(stamp=mark, problems=(str(problem),))
        state = _opened(manifest, folder, shared_folder(cache), previous, mark)
        if not state.problems or mark == stamp(root, cache):
            break
    for it in state.problems:
        logger.warning("memory incomplete: %s", it)
    return state


def path_of(stored: Stored, folder: Path, shared: Path) -> Path:
    """The segment's file."""
    return (shared if stored.shared else folder) / Path(stored.file).name


def _opened(
    manifest: Manifest, folder: Path, shared: Path, previous: ShelfState | None, mark: Stamp | None
) -> ShelfState:
    opened: dict[str, Segment] = {}
    problems = []
    layers = []
    versions: dict[str, Version] = {}
    for it in manifest.segments:
        segment = previous.opened.get(it.file) if previous else None
        try:
            segment = segment or open_segment(path_of(it, folder, shared))
        except Damaged as problem:
            problems.append(str(problem))
            continue
        opened[it.file] = segment
        dead = frozenset(it.dead)
        layers.append(Layer(segment=segment, source=it.source, dead=dead))
        if it.source is Source.PROJECT:
            versions |= versions_of(segment, dead)
    return ShelfState(
        generation=manifest.generation,
        stamp=mark,
        layers=tuple(layers),
        versions=versions,
        opened=opened,
        problems=tuple(problems),
    )


def versions_of(segment: Segment, dead: frozenset[int]) -> dict[str, Version]:
    """Path and version of the living documents."""
    documents = enumerate(segment.documents)
    return {it.path: (it.size, it.mtime_ns) for number, it in documents if number not in dead}
