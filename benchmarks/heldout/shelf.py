"""A project's memory for one cut after another: its files but the one that is open, and that one as it is."""

from __future__ import annotations

import sysconfig
from collections.abc import Sequence
from pathlib import Path

from benchmarks.heldout.cuts import Cut
from benchmarks.heldout.projects import File, Project
from codeindex.memory.coded import coded
from codeindex.memory.occurrence import Source
from codeindex.memory.segment import Segment, Written, build_segment
from codeindex.memory.snapshot import Layer, Snapshot

LEFT_OUT = ("site-packages", "test", "tests", "idlelib", "lib2to3", "ensurepip")


class ProjectShelf:
    """One project and what lies behind it."""

    def __init__(
        self, project: Project, background: Sequence[Layer] = (), *, is_open: File | None = None
    ) -> None:
        """``is_open``: another file of the project that is open as well."""
        self._layers = (Layer(segment=_segment(project.files), source=Source.PROJECT), *background)
        self._open = is_open

    def memory(self, cut: Cut) -> Snapshot:
        """What is known while ``cut``'s line is being written."""
        edited = [File(path=cut.path, text=cut.text)]
        if self._open and self._open.path != cut.path:
            edited.append(self._open)
        layers = [Layer(segment=_segment([it]), source=Source.BUFFER) for it in edited]
        return Snapshot((*layers, *self._layers), hidden=frozenset(it.path for it in edited))


def as_dependency(project: Project) -> Layer:
    """A project as another one sees it that builds on it."""
    return Layer(segment=_segment(project.files), source=Source.DEPENDENCY)


def standard_library() -> tuple[Layer, ...]:
    """Python's, of the interpreter that runs this."""
    root = Path(sysconfig.get_paths()["stdlib"])
    written = []
    for path in sorted(root.rglob("*.py")):
        if not set(LEFT_OUT) & set(path.relative_to(root).parts):
            text = path.read_text("utf-8", "replace")
            written.append(Written(path=str(path.relative_to(root)), text=coded(text)))
    return (Layer(segment=build_segment(written), source=Source.STANDARD),)


def _segment(files: Sequence[File]) -> Segment:
    return build_segment([Written(path=it.path, text=coded(it.text)) for it in files])
