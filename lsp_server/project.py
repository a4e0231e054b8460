"""What is remembered of the workspace folders: documents of the editor, what is on disk, and how to ask both.

Used by one thread, the memory's own. Documents that are in no folder belong to the first one, as its guests:
they are told what the project knows, and say nothing to it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from codeindex.config import DEFAULTS
from codeindex.memory.buffers import Buffers, Learn
from codeindex.memory.coded import coded
from codeindex.memory.occurrence import Source
from codeindex.memory.segment import Written, build_segment
from codeindex.memory.shelf import ShelfState, read_shelf, stamp
from codeindex.memory.snapshot import Layer, Snapshot
from codeindex.secret import secret_content, secret_name
from codeindex.skip import Reason, reason_of_folder, reason_of_name, reason_of_text
from codeindex.walk import Belonging, belongs, read_text, walk
from completion.recall import Recalled, recall
from completion.spot import Spot
from completion.trigger import Trigger
from lsp_server import convert
from lsp_server.marks import Mark

RULES = frozenset({".gitignore", ".hearthignore"})
FIRST = b"\n"
SHARE = 0.5  # Of the time for reading: to find the files.
SORTED_PER_SECOND = 8_000_000  # Bytes of text.
HEAD_CHARACTERS = 128  # Of a document without an extension: its first line says which program runs it.


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How much is remembered."""

    files: int
    bytes: int
    built: frozenset[str]
    """The folders that have been read, by this window's builder or another's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """What follows from changed files."""

    folders: frozenset[str]
    """The folders to read again."""
    rules: bool
    """Whether a file with rules is among them: other documents may belong now."""


class Library:
    """All the folders of one connection."""

    def __init__(self, roots: Sequence[str], cache: Path, *, dependencies: bool) -> None:
        self.projects = [Project(it, cache, dependencies=dependencies) for it in roots]
        self.folders = tuple(it for it in roots if os.path.isdir(it))
        """Those that are there."""
        self._guests = self.projects[0] if self.projects else Project(None, cache, dependencies=dependencies)

    def update(self, marks: Iterable[Mark]) -> None:
        """Take in what has changed in the editor."""
        for mark in marks:
            self._project_of(mark.document.uri).put(mark)

    def files_changed(self, changed: Iterable[str], deleted: Iterable[str]) -> Touched:
        """Files have changed on disk; those that were deleted are forgotten."""
        folders: set[str] = set()
        rules = False
        for uris, gone in ((changed, False), (deleted, True)):
            for uri in uris:
                project = self._project_of(uri)
                name = project.file_changed(uri, gone=gone)
                if project.root and matters(name):
                    folders.add(project.root)
                rules = rules or name.rpartition("/")[2] in RULES
        if rules:
            for it in self._all():
                it.forget_rules()
        return Touched(folders=frozenset(folders), rules=rules)

    def recall(self, uri: str, spot: Spot, trigger: Trigger) -> Recalled:
        """What is remembered for a spot of a document."""
        return self._project_of(uri).recall(uri, spot, trigger)

    def look(self) -> Summary:
        """Use what builders have committed since."""
        for it in self._all():
            it.look()
        counts = [it.count() for it in self._all()]
        return Summary(
            files=sum(files for files, _ in counts),
            bytes=sum(size for _, size in counts),
            built=frozenset(it.root for it in self.projects if it.root and it.is_built),
        )

    def read(self, seconds: float) -> int:
        """Read folders that no builder has read, as far as the time goes; how many files that was."""
        return sum(it.read(seconds) for it in self.projects if not it.is_built)

    def _all(self) -> list[Project]:
        return self.projects or [self._guests]

    def _project_of(self, uri: str) -> Project:
        """The innermost folder that a document is in."""
        path = convert.file_path(uri) if uri.startswith("file:") else ""
        inside = [it for it in self.projects if it.root and path.startswith(it.root.rstrip("/") + "/")]
        return max(inside, key=lambda it: len(it.root or ""), default=self._guests)


class Project:
    """One folder, or none: then its documents have only each other."""

    def __init__(self, root: str | None, cache: Path, *, dependencies: bool) -> None:
        self.root = root
        self._cache = cache
        self._dependencies = dependencies
        self._top = os.path.realpath(root) if root else ""
        self._buffers = Buffers()
        self._gone: frozenset[str] = frozenset()
        """Names of files that were deleted since they were read."""
        self._names: dict[str, str] = {}
        """What documents are called here, by URI."""
        self._places: dict[str, Belonging] = {}
        """Whether documents belong by where they are, by URI."""
        self._disk = ShelfState()
        self._read: Layer | None = None
        """What was read without a builder."""
        self._snapshot: Snapshot | None = None

    def put(self, mark: Mark) -> None:
        """Take in a document as the editor has it now."""
        name, document = self._name(mark.document.uri), mark.document
        self._snapshot = None
        if mark.state == "closed":
            self._buffers.drop(name)
            return
        text = unix(document.text)
        version = (0, 0)
        if mark.state == "saved":
            try:
                state = os.stat(convert.file_path(document.uri))
            except (OSError, ValueError):
                self._buffers.drop(name)
                return
            version = (state.st_size, state.st_mtime_ns)
        change = document.last_change
        self._buffers.put(
            name,
            text,
            open=mark.state == "open",
            edited=change is not None,
            learn=self._learn(document.uri, name, text),
            line=change.line + 1 if change else 1,
            version=version,
        )

    def recall(self, uri: str, spot: Spot, trigger: Trigger) -> Recalled:
        """What is remembered for a spot of a document."""
        return recall(self._now(), self._name(uri), spot, trigger)

    def file_changed(self, uri: str, *, gone: bool) -> str:
        """A file has changed, or a folder or file was deleted; what it is called here."""
        name = self._name(uri)
        if gone:
            within = {path for path in self._disk.versions if path.startswith(f"{name}/")}
            self._gone |= {name, *within}
            self._snapshot = None
        elif name in self._gone:
            self._gone -= {name}
            self._snapshot = None
        return name

    def forget_rules(self) -> None:
        """What belongs is looked at again."""
        self._places = {}

    @property
    def is_built(self) -> bool:
        """Whether some builder has read the folder."""
        return 0 < self._disk.generation

    def look(self) -> None:
        """Use what a builder has committed since."""
        if self.root is None or stamp(Path(self.root), self._cache) == self._disk.stamp:
            return
        self._disk = read_shelf(Path(self.root), self._cache, self._disk)
        self._buffers.on_disk(self._disk.versions)
        self._gone = frozenset(it for it in self._gone if it in self._disk.versions)
        self._snapshot = None
        self._now().near(FIRST, path="", line=1, limit=1)  # The tables it makes once are made now.

    def read(self, seconds: float) -> int:
        """Read the folder without keeping anything on disk: what is near the open documents comes first."""
        deadline = time.monotonic() + seconds
        near = {path.rpartition("/")[0] for path in self._buffers.paths}
        found = []
        for file in walk(Path(self._top), DEFAULTS):
            found.append(file)
            if deadline - seconds * SHARE < time.monotonic():
                break
        found.sort(key=lambda it: (it.relative.rpartition("/")[0] not in near, -it.mtime_ns))
        documents, size = [], 0
        for file in found:
            if deadline < time.monotonic() + size / SORTED_PER_SECOND:
                break
            text = read_text(file, DEFAULTS)
            if text is not None:
                documents.append(Written(path=file.relative, text=coded(text)))
                size += len(documents[-1].text)
        self._read = Layer(segment=build_segment(documents), source=Source.PROJECT)
        self._snapshot = None
        return len(documents)

    def count(self) -> tuple[int, int]:
        """How many files are remembered, and bytes of text."""
        apart = self._buffers.paths - self._disk.versions.keys()
        counts = [(len(it.segment.documents) - len(it.dead), it.segment.size) for it in self._layers]
        size = sum(size for _, size in counts) + sum(it.segment.size for it in self._buffers.segments())
        return sum(files for files, _ in counts) + len(apart), size

    @property
    def _layers(self) -> list[Layer]:
        """What is used of what is on disk."""
        layers = [it for it in self._disk.layers if self._dependencies or it.source is Source.PROJECT]
        return [*layers, self._read] if self._read else layers

    def _now(self) -> Snapshot:
        if self._snapshot is None:
            layers = (*self._buffers.segments(), *self._layers)
            self._snapshot = Snapshot(layers, hidden=self._buffers.paths | self._gone)
        return self._snapshot

    def _name(self, uri: str) -> str:
        """What a document is called here: its path in the folder, or all of it, or a URI that is no file."""
        if uri not in self._names:
            self._names[uri] = name_in(self._top, uri)
        return self._names[uri]

    def _learn(self, uri: str, name: str, text: str) -> Learn:
        """For whom a document says something: the rules of the walk decide, with the text as it is now."""
        if secret_name(name.removeprefix("/")) or "\0" in text or secret_content(text):
            return Learn.NOWHERE
        if not uri.startswith("file:"):  # It has not been saved anywhere yet.
            return Learn.ITSELF if self.root else Learn.EVERYWHERE
        if uri not in self._places:
            path = Path(convert.file_path(uri))
            root = Path(self._top) if self.root else path.parent
            self._places[uri] = belongs(root, path, DEFAULTS, text=text[:HEAD_CHARACTERS])
        place = self._places[uri]
        if place.reason is Reason.SECRET:
            return Learn.NOWHERE
        reason = place.reason or reason_of_text(place.language, text, DEFAULTS)
        return Learn.ITSELF if reason or DEFAULTS.max_bytes < len(text) else Learn.EVERYWHERE


def matters(name: str) -> bool:
    """Whether a change of this file may change what is remembered: most files that change are no code."""
    *folders, last = name.split("/")
    if any(reason_of_folder(it) for it in folders):
        return False
    return last in RULES or reason_of_name(name, DEFAULTS) is None


def name_in(top: str, uri: str) -> str:
    """A document's path in a folder, or all of its path; what is no file is called as it is."""
    if not uri.startswith("file:"):
        return uri
    folder, name = os.path.split(convert.file_path(uri))
    path = os.path.join(os.path.realpath(folder), name)
    inside = top.rstrip(os.sep) + os.sep if top else "\0"
    return (path[len(inside) :] if path.startswith(inside) else path).replace(os.sep, "/")


def unix(text: str) -> str:
    """With LF line ends, so that lines have the numbers they have in the editor."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
