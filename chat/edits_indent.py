"""Pure: the indentation of new lines, as the document would have it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import gcd

from chat.edits_units import width

TAB = "\t"


def indent_of(line: str) -> str:
    """The blanks a line begins with."""
    return line[: len(line) - len(line.lstrip())]


def unit_of(lines: Iterable[str]) -> str:
    """By what a text goes one level deeper; empty if it never does."""
    indents = [indent_of(it) for it in lines if it.strip()]
    tabs = sum(it.startswith(TAB) for it in indents)
    spaces = [len(it) for it in indents if it.startswith(" ") and 1 < len(it)]
    if len(spaces) < tabs:
        return TAB
    for size in (2, 3, 4, 8):
        if size in spaces:
            common = gcd(*spaces)
            return " " * (size if common % size == 0 else 4 if common == 4 else size)
    return " " * gcd(*spaces) if spaces else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indents:
    """Which indentation of an answer is which one of the document, from the lines that both have."""

    known: dict[str, str]
    theirs: str
    """The answer's unit."""
    ours: str
    """The document's."""
    verbatim: bool = False
    """Whether lines are as deep in both, so that new ones are meant as they are."""

    def of(self, line: str) -> str | None:
        """A new line with the document's indentation; None if nothing says how deep it stands."""
        if self.verbatim:
            return line
        if not line.strip():
            return ""
        indent = indent_of(line)
        found = self._mapped(indent)
        return None if found is None else found + line[len(indent) :]

    def _mapped(self, indent: str) -> str | None:
        if indent in self.known:
            return self.known[indent]
        depth = width(indent)
        above = [it for it in self.known if width(it) < depth]
        if above:
            nearest = max(above, key=width)
            return self.known[nearest] + self._deeper(indent, nearest)
        below = [it for it in self.known if depth < width(it)]
        if not below:
            return indent
        nearest = min(below, key=width)
        return self._less(nearest, width(nearest) - depth)

    def _deeper(self, indent: str, than: str) -> str:
        """What comes on top of the nearest known indentation."""
        step = width(self.theirs) if self.theirs else 0
        extra = width(indent) - width(than)
        rest = indent[len(than) :] if indent.startswith(than) else " " * extra
        same = not self.ours or self.theirs == self.ours
        if same or not step or extra % step:
            return rest
        return self.ours * (extra // step)

    def _less(self, nearest: str, columns: int) -> str | None:
        """A known indentation without so many columns."""
        target, step = self.known[nearest], width(self.theirs) or width(self.ours)
        if self.ours == TAB and step and columns % step == 0:
            levels = columns // step
            return target[: len(target) - levels] if target.endswith(TAB * levels) else None
        if width(self.ours) and step and step != width(self.ours) and columns % step == 0:
            columns = columns // step * width(self.ours)
        ends_so = target.endswith(" " * columns)
        return target[: len(target) - columns] if ends_so else None


def indents(pairs: Sequence[tuple[str, str]], theirs: Sequence[str], ours: Sequence[str]) -> Indents | None:
    """From lines of an answer and the document's lines they are; None if they contradict each other."""
    known: dict[str, str] = {}
    for one, other in pairs:
        if known.setdefault(indent_of(one), indent_of(other)) != indent_of(other):
            return None
    verbatim = all(one == other for one, other in known.items())
    depths = [width(known[it]) for it in sorted(known, key=width)]
    if not verbatim and any(other <= one for one, other in pairwise(depths)):
        return None
    return Indents(
        known=known,
        theirs=_step(list(known)) or unit_of(theirs),
        ours=unit_of(ours),
        verbatim=verbatim,
    )


def _step(known: list[str]) -> str:
    """The unit that the known indentations show themselves."""
    return unit_of(known) if 2 < len(known) else ""


def shifted(lines: Sequence[str], base: str, target: str, ours: str) -> list[str]:
    """Lines that begin at ``base``, moved to ``target``; deeper ones go on in the document's unit."""
    found = Indents(known={base: target}, theirs=unit_of(_from(lines, base)), ours=ours)
    return [line if it is None else it for line, it in ((line, found.of(line)) for line in lines)]


def _from(lines: Sequence[str], base: str) -> list[str]:
    return [it[len(base) :] for it in lines if it.startswith(base)]


def rooted(lines: Sequence[str], target: str) -> list[str]:
    """Lines of which only the first lost its indentation, with it."""
    filled = [at for at, it in enumerate(lines) if it.strip()]
    if len(filled) < 2 or indent_of(lines[filled[0]]) or not target:
        return list(lines)
    first = lines[filled[0]]
    closes = lines[filled[-1]].strip()[:1] in "})]"
    opens = bool(re.search(r":\s*(?:#.*)?$", first)) or (
        first.rstrip().endswith(("{", "(", "[")) and not closes
    )
    least = width(target) + opens
    if any(width(lines[it]) < least for it in filled[1:]):
        return list(lines)
    return [target + it if at == filled[0] else it for at, it in enumerate(lines)]
