"""Pure: what is shown of the pieces -> the text that a model reads, with a number for each place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chat.pack_lines import ELLIPSIS, Shown, summary
from chat.types import Piece, Place

TITLES = {
    "code": "Code",
    "document": "Document",
    "diff": "Changes",
    "problem": "Problems",
    "note": "Note",
    "outline": "Outline",
}
"""Of what stands in no file, and so has no number."""

LONGEST_TITLE = 120  # Characters.


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A block, and what its numbers mean."""

    text: str
    numbers: Mapping[int, Place]
    """Those that stand in it."""
    parts: frozenset[int]
    """Of these, the ones of which not all is shown."""


@dataclass(slots=True)
class _Region:
    """Lines of a file that stand together, or a piece that stands in none."""

    first: Piece
    place: Place | None
    body: list[str]
    is_part: bool


def header(piece: Piece, number: int, place: Place | None = None) -> str:
    """The line above a piece."""
    place = place or piece.place
    title = " ".join(piece.title.split())[:LONGEST_TITLE]
    if place is None:
        return ": ".join(filter(None, (TITLES[piece.kind], title)))
    lines = (
        f"{place.first_line}-{place.last_line}" if place.first_line < place.last_line else place.first_line
    )
    return f"[{number}] {place.path}:{lines} {title}".rstrip()


def written(planned: Sequence[Shown], given: Mapping[int, Place], telling: Mapping[str, float]) -> Written:
    """The best file first, and within a file from its top; neighbors share a number."""
    known = {place: number for number, place in given.items()}
    following = max(given, default=0) + 1
    numbers: dict[int, Place] = {}
    parts = set()
    blocks = []
    for region in _regions(planned, telling):
        number = 0
        if region.place is not None:
            number = known.get(region.place, following)
            following += number == following
            numbers[number] = region.place
            if region.is_part:
                parts.add(number)
        body = "\n".join((header(region.first, number, region.place), *region.body))
        blocks.append(f"{body.rstrip()}\n")
    return Written(text="\n".join(blocks), numbers=numbers, parts=frozenset(parts))


def _regions(planned: Sequence[Shown], telling: Mapping[str, float]) -> list[_Region]:
    groups: dict[str | int, list[Shown]] = {}
    for number, it in enumerate(planned):
        place = it.lines.piece.place
        groups.setdefault(number if place is None else place.path, []).append(it)
    regions: list[_Region] = []
    for key, group in groups.items():
        group.sort(key=lambda it: it.lines.first)
        for number, it in enumerate(group):
            before = group[number - 1] if number and isinstance(key, str) else None
            if before and before.is_whole and it.is_whole and it.lines.first == before.lines.last + 1:
                _join(regions[-1], it)
            else:
                regions.append(_region(it, telling))
    return regions


def _region(it: Shown, telling: Mapping[str, float]) -> _Region:
    piece = it.lines.piece
    body = [summary(it.lines, telling)] if it.kept is None else _kept(it)
    return _Region(first=piece, place=piece.place, body=body, is_part=not it.is_whole)


def _join(region: _Region, it: Shown) -> None:
    assert region.place is not None
    region.body += it.lines.texts
    region.place = Place(path=region.place.path, first_line=region.place.first_line, last_line=it.lines.last)


def _kept(it: Shown) -> list[str]:
    """The lines that are shown, with a mark where some behind the first of them are not."""
    texts, kept = it.lines.texts, it.kept or ()
    body: list[str] = []
    for number, line in enumerate(kept):
        if number and kept[number - 1] + 1 < line:
            body.append(_indented(texts[line]))
        body.append(texts[line])
    if kept and (kept[-1] + 1 < len(texts) or it.lines.is_cut):
        body.append(_indented(texts[kept[-1]]))
    return body


def _indented(like: str) -> str:
    return like[: len(like) - len(like.lstrip())] + ELLIPSIS
