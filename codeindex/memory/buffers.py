"""Documents that the memory knows from the editor: open ones as they are on screen, saved ones until on disk.

The document that was changed last is sorted block by block and has a layer of its own. The others share one
layer as long as they are few; then they are sorted together once, so that many open documents cost no more
than one.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from enum import Enum

from codeindex.memory.blocks import Block, Key, blocks
from codeindex.memory.coded import CONTEXT_BYTES, coded
from codeindex.memory.occurrence import Source
from codeindex.memory.segment import Run, Segment, Written, build_segment, joined
from codeindex.memory.snapshot import Layer

WHOLE_CHARACTERS = 2_000_000
"""A document longer than this is looked at only around the cursor: sorting all of it takes too long."""
AROUND_CHARACTERS = 400_000
STEP_CHARACTERS = 100_000
"""The part that is looked at moves in such steps, so that it is mostly the same part."""
OPEN_CHARACTERS = 8_000_000
"""Of all open documents, those changed last; the others are read from disk."""
SAVED_CHARACTERS = 4_000_000
EDITED = 4
"""So many documents count as edited a short while ago: what somebody is at is rarely in more files."""
FEW = 8
"""So many documents have sorted places of their own before they are sorted together."""


class Learn(Enum):
    """For whom a document says something; whoever puts it decides, with the rules of the walk."""

    EVERYWHERE = "everywhere"
    ITSELF = "itself"
    """Ignored files that harm nobody: only while they are edited."""
    NOWHERE = "nowhere"
    """Secrets, and what is no code: their text is not even kept."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entry:
    """A document as it was put."""

    path: str
    text: str
    """Of a very long document only a part."""
    first_line: int
    open: bool
    edited: bool
    learn: Learn
    version: tuple[int, int]
    """Size and time (nanoseconds) of the file when it was saved; zeros for one that was not."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Built:
    """A document's sorted blocks."""

    entry: Entry
    blocks: Mapping[Key, Block]
    order: Sequence[Block]
    text: bytes


@dataclass(slots=True, kw_only=True, eq=False)
class Together:
    """Documents that are sorted together, as they were then."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    segment: Segment = field(default_factory=lambda: build_segment([]))


class Buffers:
    """Put and drop cost nothing and may be called at any time; the work is done in ``segments``."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        """The one changed last is last."""
        self._building = threading.Lock()
        self._built: dict[str, Built] = {}
        self._together = Together()

    @property
    def paths(self) -> frozenset[str]:
        """Documents whose version on disk does not count."""
        return frozenset(self._entries)

    def put(
        self,
        path: str,
        text: str,
        *,
        open: bool = True,
        edited: bool = False,
        learn: Learn = Learn.EVERYWHERE,
        line: int = 1,
        version: tuple[int, int] = (0, 0),
    ) -> None:
        """The document as it is now; ``line`` is the cursor's. ``open=False``: it was saved, and closed.

        ``edited``: it is not only open, somebody writes in it. ``version`` is the file's size and time after
        saving: ``on_disk`` lets go of the text by it.
        """
        part, first_line = _part(text, line) if learn is not Learn.NOWHERE else ("", 1)
        entry = Entry(
            path=path,
            text=part,
            first_line=first_line,
            open=open,
            edited=edited,
            learn=learn,
            version=version,
        )
        kept = {key: it for key, it in self._entries.items() if key != path} | {path: entry}
        self._entries = _bounded(kept)

    def drop(self, path: str) -> None:
        """The document is closed, and what is on disk counts again."""
        self._entries = {key: it for key, it in self._entries.items() if key != path}

    def on_disk(self, versions: Mapping[str, tuple[int, int]]) -> None:
        """A new generation has these files: what was kept in memory until now is not needed any more."""
        self._entries = {
            key: it
            for key, it in self._entries.items()
            if it.open or not _includes(versions.get(key), it.version)
        }

    def segments(self) -> tuple[Layer, ...]:
        """Build what has changed since the last call. One thread at a time; others wait."""
        entries = self._entries
        with self._building:
            learned = [it for it in entries.values() if it.learn is not Learn.NOWHERE]
            private = [it for it in learned if it.learn is Learn.ITSELF]
            shared = [it for it in learned if it.learn is Learn.EVERYWHERE]
            current, others = shared[-1:], shared[:-1]
            together = self._together.entries
            apart = [it for it in others if not _same(it, together.get(it.path))]
            if FEW < len(apart):
                self._together = _together(others)
                together, apart = self._together.entries, []
            alone = [*current, *apart, *private]
            self._built = {it.path: _build(it, self._built.get(it.path)) for it in alone}
            settled = {it.path for it in others} - {it.path for it in apart}
            groups = [current, apart, *([it] for it in private)]
            layers = [_layer([self._built[it.path] for it in group]) for group in groups if group]
            if settled:
                layers.append(_rest(self._together, settled))
            edited = {it.path for it in [it for it in shared if it.edited][-EDITED:]}
            return tuple(_with_edited(it, edited) for it in layers)


def _part(text: str, line: int) -> tuple[str, int]:
    """The part of a very long text that is looked at, and the number of its first line."""
    if len(text) <= WHOLE_CHARACTERS:
        return text, 1
    place = 0
    for _ in range(line - 1):
        place = text.find("\n", place) + 1
        if not place:
            place = len(text)
            break
    middle = place - place % STEP_CHARACTERS
    start = text.rfind("\n", 0, max(0, middle - AROUND_CHARACTERS // 2)) + 1
    stop = text.find("\n", start + AROUND_CHARACTERS) + 1
    return text[start : stop or len(text)], 1 + text.count("\n", 0, start)


def _bounded(entries: dict[str, Entry]) -> dict[str, Entry]:
    """Without the texts that are too much, oldest first."""
    left = {True: OPEN_CHARACTERS, False: SAVED_CHARACTERS}
    kept = []
    for path, it in reversed(entries.items()):
        left[it.open] -= len(it.text)
        if 0 <= left[it.open]:
            kept.append((path, it))
    return dict(reversed(kept))


def _includes(on_disk: tuple[int, int] | None, version: tuple[int, int]) -> bool:
    return on_disk is not None and (on_disk == version or version[1] < on_disk[1])


def _same(one: Entry, other: Entry | None) -> bool:
    return other is not None and one.first_line == other.first_line and one.text == other.text


def _build(entry: Entry, old: Built | None) -> Built:
    if old is not None and old.entry is entry:
        return old
    made = blocks(entry.text, old.blocks if old else {})
    order = [it for _, it in made]
    return Built(entry=entry, blocks=dict(made), order=order, text=b"".join(it.text for it in order))


def _layer(documents: Sequence[Built]) -> Layer:
    """One layer for these documents, with a run of places for each block."""
    text, placed = joined([_written(it.entry, it.text) for it in documents])
    runs = []
    for document, at in zip(documents, placed, strict=True):
        start = at.start
        for block in document.order:
            runs.append(Run(block.ends, start - CONTEXT_BYTES))
            start += len(block.text)
    private = documents[0].entry.learn is Learn.ITSELF
    return Layer(segment=Segment(text, runs, placed), source=Source.BUFFER, private=private)


def _together(entries: Sequence[Entry]) -> Together:
    segment = build_segment([_written(it, coded(it.text)) for it in entries])
    return Together(entries={it.path: it for it in entries}, segment=segment)


def _with_edited(layer: Layer, paths: Set[str]) -> Layer:
    """The layer, knowing which of its documents were edited last."""
    numbers = layer.segment.numbers
    edited = frozenset(numbers[it] for it in paths if it in numbers)
    return replace(layer, edited=edited) if edited else layer


def _rest(together: Together, settled: Set[str]) -> Layer:
    """What was sorted together, without the documents that have changed since."""
    dead = frozenset(n for n, path in enumerate(together.segment.paths) if path not in settled)
    return Layer(segment=together.segment, source=Source.BUFFER, dead=dead)


def _written(entry: Entry, text: bytes) -> Written:
    return Written(path=entry.path, text=text, first_line=entry.first_line)
