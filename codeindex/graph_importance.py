"""How important files and symbols are: what is used by what is important itself, is.

Each use is a vote for what it may mean, divided among what is as near. Nobody looks at the lines here, so it
is coarser than ``graph.callers``, and quick: one pass over everything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from posixpath import dirname

import numpy as np

from codeindex.graph_modules import family
from codeindex.graph_rank import Numbers, pagerank
from codeindex.graph_resolve import PACKAGES
from codeindex.graph_view import View, view
from codeindex.graph_whole import Whole, uses, whole
from codeindex.store.read import Reader
from codeindex.types import Kind

OWN, NEAR, FURTHER, FOLDER, ANYWHERE = 0.2, 1.0, 0.5, 0.3, 0.1
"""What a vote weighs, by where its target is: in the same file (who praises oneself?), in what it imports, in
what that imports, in the same folder, elsewhere."""
KINDS = {Kind.VARIABLE: 0.2, Kind.CONSTANT: 0.5, Kind.METHOD: 0.5, Kind.SECTION: 0.0}
"""By what the target is: names of members are on everybody's lips, and mean something else each time."""
CONTAINS = 0.2  # From a symbol to its file: who reads a function sees the file.
IMPORTS = 1.0
MOST_ALIKE = 8  # More definitions elsewhere than these say nothing.
MOST_NEAR = 40
BACK = 0.4  # With a focus, edges count backwards too, but less: who uses it is a neighbor.
FOCUSED = 0.85  # How often one begins in the focus.
HIDDEN = 0.5  # What a vote for a name with an underscore in front counts: others should not know it.


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """Of a generation of an index. All files together are one."""

    files: Mapping[str, float]
    symbols: Mapping[int, float]
    """By their ids; a file's importance is that of its symbols, and what is due to the file itself."""


def importance(reader: Reader, *, focus: Collection[str] = (), seen: View | None = None) -> Importance:
    """How important everything is; with ``focus``, seen from these files (or folders)."""
    with reader.snapshot():
        sight = view(reader, seen)
        known = whole(reader)
        used = uses(reader, known)
        votes = _Votes(known, _imports(sight, known))
    for place, counts in enumerate(used):
        votes.cast(place, counts)
    return _ranked(known, votes, focus)


def _imports(sight: View, known: Whole) -> list[set[int]]:
    """For each text the texts that it imports, as its first file does."""
    places = {path: place for place, it in enumerate(known.texts) for path in it.paths}
    rows: dict[str, list[str]] = {}
    for path, files in sight.imports().items():
        rows[path] = files
    return [
        {places[file] for file in rows.get(it.paths[0], ()) if file in places} - {place}
        for place, it in enumerate(known.texts)
    ]


class _Votes:
    """Edges while they are found: symbols are nodes by their places, texts come behind them."""

    def __init__(self, known: Whole, imports: list[set[int]]) -> None:
        self.sources: list[int] = []
        self.targets: list[int] = []
        self.weights: list[float] = []
        self._known = known
        self._imports = imports
        self._defined: dict[int, list[int]] = {}
        for place, name in enumerate(known.names):
            if 0 <= known.owners[place]:
                self._defined.setdefault(name, []).append(place)
        self._families = [family(it.language) for it in known.texts]
        self._folders = [dirname(it.paths[0]) for it in known.texts]
        self._hidden = {number for number, text in known.spelled.items() if text.startswith("_")}

    def cast(self, place: int, counts: Mapping[tuple[int, int], int]) -> None:
        """The votes of one text."""
        text, symbols = self._known.texts[place], len(self._known.names)
        further = self._further(place)
        targets: dict[int, tuple[list[int], float]] = {}
        for (name, symbol), count in counts.items():
            if name not in targets:
                targets[name] = self._meant(place, name, further)
            meant, weight = targets[name]
            source = text.first + symbol if 0 <= symbol else symbols + place
            for it in meant:
                of_kind = KINDS.get(self._known.kinds[it], 1.0)
                if it != source and of_kind:
                    self._add(source, it, weight * of_kind * count**0.5 / len(meant))
        for it in range(text.first, text.last):
            self._add(it, symbols + place, CONTAINS)
        for other in self._imports[place]:
            self._add(symbols + place, symbols + other, IMPORTS / len(self._imports[place]))

    def _add(self, source: int, target: int, weight: float) -> None:
        self.sources.append(source)
        self.targets.append(target)
        self.weights.append(weight)

    def _further(self, place: int) -> set[int]:
        found = set()
        for it in self._imports[place]:
            found |= self._imports[it]
            if MOST_NEAR * 10 < len(found):
                break
        return found

    def _meant(self, place: int, name: int, further: set[int]) -> tuple[list[int], float]:
        """The nearest definitions of a name, and what a vote for them weighs."""
        owners, known = self._known.owners, self._defined[name]
        hidden = HIDDEN if name in self._hidden else 1.0
        if own := [it for it in known if owners[it] == place]:
            return own[:MOST_NEAR], OWN * hidden
        direct = self._imports[place]
        if near := [it for it in known if owners[it] in direct]:
            return near[:MOST_NEAR], NEAR * hidden
        if behind := [it for it in known if owners[it] in further]:
            return behind[:MOST_NEAR], FURTHER * hidden
        kin = [it for it in known if self._families[owners[it]] == self._families[place]]
        if beside := [it for it in kin if self._folders[owners[it]] == self._folders[place]]:
            together = self._families[place] in PACKAGES
            return beside[:MOST_NEAR], (NEAR if together else FOLDER) * hidden
        return (kin if len(kin) <= MOST_ALIKE else []), ANYWHERE * hidden


def _ranked(known: Whole, votes: _Votes, focus: Collection[str]) -> Importance:
    symbols = len(known.names)
    sources, targets = np.array(votes.sources, dtype=np.int64), np.array(votes.targets, dtype=np.int64)
    weights = np.array(votes.weights, dtype=np.float64)
    begin = _spread(known, range(len(known.texts)))
    inside = [place for place, it in enumerate(known.texts) if any(is_in(path, focus) for path in it.paths)]
    if inside:
        sources, targets = np.concatenate([sources, targets]), np.concatenate([targets, sources])
        weights = np.concatenate([weights, BACK * weights])
        there = _spread(known, inside)
        begin = FOCUSED * there / there.sum() + (1 - FOCUSED) * begin / begin.sum()
    rank = pagerank(sources, targets, weights, begin)
    return Importance(
        files=_of_files(known, rank),
        symbols=dict(zip(known.ids.tolist(), rank[:symbols].tolist(), strict=True)),
    )


def _spread(known: Whole, texts: Iterable[int]) -> Numbers:
    """Begin at these texts, and as often somewhere in them: what nobody calls has a voice, too."""
    symbols = len(known.names)
    there: Numbers = np.zeros(symbols + len(known.texts))
    for place in texts:
        text = known.texts[place]
        there[symbols + place] += 1
        there[text.first : text.last] += 1 / max(1, text.last - text.first)
    return there


def _of_files(known: Whole, rank: Numbers) -> dict[str, float]:
    """A text's importance is shared by the files that have it."""
    symbols = len(known.names)
    found: dict[str, float] = {}
    for place, it in enumerate(known.texts):
        total = float(rank[symbols + place] + rank[it.first : it.last].sum())
        found |= dict.fromkeys(it.paths, total / len(it.paths))
    return found


def is_in(path: str, places: Iterable[str]) -> bool:
    """Whether a file is one of these, or in one of these folders; the root is a dot or nothing."""
    return any(it in ("", ".") or path == it or path.startswith(f"{it.rstrip('/')}/") for it in places)
