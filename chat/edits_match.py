"""Pure: where the lines to be replaced stand in a document, exactly or but for blanks."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from chat.edits_blocks import change as as_change
from chat.edits_clean import has_entities, is_escaped, unescaped, without_numbers
from chat.edits_elide import is_elision, stripped
from chat.edits_indent import Indents, indent_of, indents
from chat.edits_lexical import BY_INDENTATION
from chat.edits_lines import compare
from chat.edits_types import Change, LineEdit, Lines, Marked, Source, Unclear
from chat.edits_units import outline, width

MOST_PLACES = 20
LONGEST_QUOTE = 60  # characters of a line in a refusal

Found = tuple[int | None, ...]
"""For each old line, the document's line; None for a blank one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A document's lines in one of the ways of comparing them."""

    text: str
    starts: tuple[int, ...]
    numbers: tuple[int, ...]
    """The lines that are compared."""


def place_change(source: Source, lines: Lines, change: Change) -> list[LineEdit]:
    """The edits that a change stands for; `Unclear` if it fits nowhere, or in more than one place."""
    if not any(it.mark != "+" and it.text.strip() for it in change.lines):
        return _into_blank(source, lines, change)
    for variant in _variants(source, change):
        placed = _placed(source, lines, variant)
        if placed is not None:
            return placed
    first = next(it.text.strip() for it in change.lines if it.mark != "+" and it.text.strip())
    raise Unclear(f"The text to be replaced is not in `{source.path}`: “{_quote(first)}”.")


def _quote(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE].rstrip() + "…"


def _into_blank(source: Source, lines: Lines, change: Change) -> list[LineEdit]:
    if any(it.strip() for it in lines.texts):
        raise Unclear(f"The answer does not say where in `{source.path}` its new lines belong.")
    new = tuple(it.text for it in change.lines if it.mark == "+")
    return [LineEdit(first=0, last=len(lines.texts), texts=new)]


def _variants(source: Source, change: Change) -> list[Change]:
    """The change as it is; then without numbers in front; then as it was before it was written for a page."""
    found = [change]
    old = [it.text for it in change.lines if it.mark != "+"]
    new = [it.text for it in change.lines if it.mark != "-"]
    bare = without_numbers(old), without_numbers(new)
    if bare[0] != old and (bare[1] != new or not new):
        found.append(as_change(*bare))
    text = "\n".join(old + new)
    if is_escaped(text, source.language) and not has_entities(source.text):
        old, new = unescaped("\n".join(old)).split("\n"), unescaped("\n".join(new)).split("\n")
        found.append(as_change(old, new))
    return [found[0], *(_like(it, change) for it in found[1:])]


def _like(variant: Change, change: Change) -> Change:
    return Change(
        path=change.path, hint=change.hint, lines=variant.lines, heading=change.heading, at=change.at
    )


def _placed(source: Source, lines: Lines, change: Change) -> list[LineEdit] | None:
    pieces = _pieces(change.lines, lines)
    if len(pieces) == 1:
        found = _one_place(source, lines, change, pieces[0])
        if found is not None:
            return _edits(source, lines, pieces[0], found)
        return _runs(source, lines, change)
    if any(not _has_old(it) for it in pieces):
        raise Unclear("The answer leaves out code where it says nothing of what stands there.")
    placed: list[LineEdit] = []
    end = 0
    for piece in pieces:
        found = _one_place(source, lines, change, piece, end)
        if found is None:
            return None
        end = max(it for it in found if it is not None) + 1
        placed += _edits(source, lines, piece, found)
    return placed


def _has_old(piece: Sequence[Marked]) -> bool:
    return any(it.mark != "+" and it.text.strip() for it in piece)


def _pieces(marked: Sequence[Marked], lines: Lines) -> list[list[Marked]]:
    """What stands between the lines that say that something is left out."""
    known = stripped(lines.texts)
    pieces: list[list[Marked]] = [[]]
    for it in marked:
        if not is_elision(it.text, known):
            pieces[-1].append(it)
        elif it.mark == " ":
            pieces.append([])
        else:
            raise Unclear(
                "The answer leaves out code in one of the two parts of a change, but not in the other."
            )
    found = [_trimmed(it) for it in pieces]
    return [it for it in found if it]


def _trimmed(piece: list[Marked]) -> list[Marked]:
    filled = [at for at, it in enumerate(piece) if it.text.strip() or it.mark != " "]
    return piece[filled[0] : filled[-1] + 1] if filled else []


def _runs(source: Source, lines: Lines, change: Change) -> list[LineEdit] | None:
    """A diff without context may hold several places in a row."""
    if any(it.mark == " " for it in change.lines):
        return None
    runs: list[list[Marked]] = []
    for it in change.lines:
        if not runs or (it.mark == "-" and runs[-1][-1].mark == "+"):
            runs.append([])
        runs[-1].append(it)
    if len(runs) < 2 or not all(map(_has_old, runs)):
        return None
    placed: list[LineEdit] = []
    end = 0
    for run in runs:
        found = _one_place(source, lines, change, run)
        first = next((it for it in found or () if it is not None), None)
        if found is None or first is None or first < end:
            return None
        end = max(it for it in found if it is not None) + 1
        placed += _edits(source, lines, run, found)
    return placed


def _one_place(
    source: Source, lines: Lines, change: Change, piece: Sequence[Marked], start: int = 0
) -> Found | None:
    """The only place where the old lines stand, in the strictest way of comparing that finds any."""
    old = [it.text for it in piece if it.mark != "+"]
    for level in range(4):
        found = [it for it in _places(source, lines, old, level) if start <= _first(it)]
        if len(found) == 1:
            return found[0]
        if found:
            return _chosen(source, lines, change, found)
    return None


def _places(source: Source, lines: Lines, old: list[str], level: int) -> list[Found]:
    view = _view(lines, level)
    keyed = [(at, _key(it, level)) for at, it in enumerate(old) if level == 0 or it.strip()]
    if 2 <= level and not any(x.isalnum() for _, it in keyed for x in it):
        return []
    needle = "\n" + "".join(it + "\n" for _, it in keyed)
    found: list[Found] = []
    at = view.text.find(needle)
    while 0 <= at and len(found) <= MOST_PLACES:
        row = bisect_left(view.starts, at)
        places: list[int | None] = [None] * len(old)
        for offset, (index, _) in enumerate(keyed):
            places[index] = view.numbers[row + offset]
        found.append(tuple(places))
        at = view.text.find(needle, at + 1)
    if level < 2:
        return found
    fitting = [it for it in found if _pairs(lines, old, it) is not None]
    return fitting if fitting or source.language in BY_INDENTATION else found


def _view(lines: Lines, level: int) -> View:
    numbers = [at for at, it in enumerate(lines.texts) if level == 0 or it.strip()]
    keys = [_key(lines.texts[it], level) for it in numbers]
    starts, at = [], 0
    for it in keys:
        starts.append(at)
        at += len(it) + 1
    return View(text="\n" + "".join(it + "\n" for it in keys), starts=tuple(starts), numbers=tuple(numbers))


def _key(line: str, level: int) -> str:
    if level < 2:
        return line.rstrip()
    return line.strip() if level == 2 else "".join(line.split())


def _first(found: Found) -> int:
    return next(it for it in found if it is not None)


def _chosen(source: Source, lines: Lines, change: Change, found: list[Found]) -> Found:
    """Of several places the one that was asked about, or that the diff itself names."""
    for chosen in (_in_focus(source, found), _under(source, lines, change, found), _at(change, found)):
        if len(chosen) == 1:
            return chosen[0]
    numbers = [str(_first(it) + 1) for it in found[:4]]
    where = ", ".join(numbers[:3]) + (", …" if 3 < len(numbers) else "")
    raise Unclear(
        f"The text to be replaced is in `{source.path}` more than once (lines {where}), "
        "so it is not clear which place is meant."
    )


def _in_focus(source: Source, found: list[Found]) -> list[Found]:
    if not source.focus:
        return []
    first, last = source.focus[0] - 1, source.focus[1] - 1
    return [it for it in found if all(x is None or first <= x <= last for x in it)]


def _under(source: Source, lines: Lines, change: Change, found: list[Found]) -> list[Found]:
    heading = "".join(change.heading.split())
    if not heading:
        return []
    units = outline(lines.texts, source.language).units
    named = [it for it in units if "".join(lines.texts[it.first].split()).startswith(heading)]
    if len(named) != 1:
        return []
    return [it for it in found if named[0].lead <= _first(it) <= named[0].last]


def _at(change: Change, found: list[Found]) -> list[Found]:
    return [it for it in found if change.at is not None and _first(it) == change.at - 1]


def _pairs(lines: Lines, old: list[str], found: Found) -> dict[str, str] | None:
    known: dict[str, str] = {}
    for text, at in zip(old, found, strict=True):
        if at is not None and text.strip():
            ours = indent_of(lines.texts[at])
            if known.setdefault(indent_of(text), ours) != ours:
                return None
    return known


def _edits(source: Source, lines: Lines, piece: Sequence[Marked], found: Found) -> list[LineEdit]:
    """The lines of the place with the change made in them; what stays keeps the document's own blanks."""
    filled = [it for it in found if it is not None]
    start, end = filled[0], filled[-1] + 1
    fit = _fit(source, lines, piece, found)
    if _drops_indentation(source, piece):
        raise Unclear(
            "The new lines stand less deep than those they replace, so it is not clear where they belong."
        )
    new: list[str] = []
    at, before = start, " "
    places = iter(found)
    for it in piece:
        if it.mark == "+":
            text = fit.of(it.text) if fit else it.text
            if text is None:
                raise Unclear("The new lines stand less deep than the document allows.")
            new.append(text)
            continue
        place = next(places)
        if place is None:
            if at < end and not lines.texts[at].strip():
                new += [lines.texts[at]] if it.mark == " " else []
                at += 1
            continue
        if not before == it.mark == "-":
            new += lines.texts[at:place]
        new += [lines.texts[place]] if it.mark == " " else []
        at, before = place + 1, it.mark
    return compare(lines.texts[start:end], new, start)


def _fit(source: Source, lines: Lines, piece: Sequence[Marked], found: Found) -> Indents | None:
    """How deep new lines stand: as the lines that go, which were written like them, or as those that stay."""
    old = [it for it in piece if it.mark != "+"]
    rows = [
        (it, lines.texts[at]) for it, at in zip(old, found, strict=True) if at is not None and it.text.strip()
    ]
    gone = [(it.text, ours) for it, ours in rows if it.mark == "-"]
    every = [(it.text, ours) for it, ours in rows]
    theirs = [it.text for it in piece]
    fit = indents(every, theirs, lines.texts) or (indents(gone, theirs, lines.texts) if gone else None)
    if fit is None and source.language in BY_INDENTATION:
        raise Unclear("The indentation of the answer does not fit that of the document.")
    return fit


def _drops_indentation(source: Source, piece: Sequence[Marked]) -> bool:
    """Whether new lines begin at the left edge where all that they replace stood deeper."""
    old = [it.text for it in piece if it.mark != "+" and it.text.strip()]
    new = [it.text for it in piece if it.mark == "+" and it.text.strip()]
    if source.language not in BY_INDENTATION or not new or not old:
        return False
    same = new[0].strip() == old[0].strip()
    return not same and not width(new[0]) and all(0 < width(it) for it in old)
