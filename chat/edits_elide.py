"""Pure: what an answer leaves out (`# ... existing code ...`), taken from the document it was left out of."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Sequence

from chat.edits_indent import indent_of
from chat.edits_types import Unclear

_DOTS = re.compile(r"(?:\.{3,}|…)")
_BARE = re.compile(r"^\s*(?:\.{3,}|…)\s*,?\s*$")
_COMMENT = re.compile(r"^\s*(?:#+|//+|/\*+|\*|--+|<!--|;+|\{/\*)\s*(?P<text>.*?)\s*(?:\*+/\}?|-->)?\s*$")
_LEFT_OUT = re.compile(
    r"\b(?:rest|remain\w*|existing|other|previous|original|same|unchanged|omitted|elided|as before|above"
    r"|below)\b",
    re.IGNORECASE,
)
_OF = re.compile(
    r"\b(?:code|function|method|methods|functions|class|implementation|body|file|logic|lines|content"
    r"|unchanged|same|as before|omitted|imports|fields|parts?|stuff|here)\b",
    re.IGNORECASE,
)
_TO_FILL = re.compile(
    r"(?:to.?do:?\s*)?(?:\.{3}\s*)?(?:put|insert|add|write|place|implement)?\s*(?:your|the|some|more)?\s*"
    r"(?:own\s+)?(?:code|logic|implementation|body)\s+(?:goes\s+)?here\b"
    r"|your (?:code|logic|implementation)\b",
    re.IGNORECASE,
)
LONGEST_MARK = 100  # characters: a longer comment says something
MOST_WORDS = 9
ALIKE = 0.6  # From here on a line is another one, changed.
MOST_LINES = 3000
MOST_LOST = 3  # lines that may go without a word beside a mark


def stripped(lines: Iterable[str]) -> frozenset[str]:
    """A document's lines, as ``is_elision`` wants them."""
    return frozenset(it.strip() for it in lines)


def is_elision(line: str, known: Collection[str] = frozenset()) -> bool:
    """Whether a line says that something is left out; one that the document has itself does not."""
    text = line.strip()
    if not text or LONGEST_MARK < len(text) or text in known:
        return False
    if _BARE.match(line):
        return True
    found = _COMMENT.match(line)
    if not found:
        return False
    words = found["text"]
    if MOST_WORDS < len(words.split()):
        return False
    has_dots, leaves_out = bool(_DOTS.search(words)), bool(_LEFT_OUT.search(words))
    if _DOTS.fullmatch(words):
        return True
    starts_or_ends = bool(re.match(r"\s*(?:\.{3,}|…)", words) or re.search(r"(?:\.{3,}|…)\s*$", words))
    return (has_dots and (leaves_out or starts_or_ends)) or (leaves_out and bool(_OF.search(words)))


def is_to_be_filled(line: str, known: Collection[str]) -> bool:
    """Whether a line asks the reader to write the code."""
    found = _COMMENT.match(line) if len(line) <= 2 * LONGEST_MARK and line.strip() not in known else None
    return bool(found and _TO_FILL.match(found["text"]))


def expand(new: Sequence[str], old: Sequence[str], header: tuple[int, int]) -> list[str]:
    """The new lines with the old ones in the place of what was left out.

    What is left out lies between the lines around the mark, found again in the old text. Where those are
    new themselves, nothing says how far it goes, and that is unclear. ``header`` are the lengths of the new
    and of the old header, which are known to belong together.
    """
    if MOST_LINES < len(new) + len(old):
        raise Unclear("The answer leaves out parts of a text that is too long to fill them in.")
    known = stripped(old)
    segments: list[list[str]] = [[]]
    for it in new:
        if is_elision(it, known):
            segments.append([])
        else:
            segments[-1].append(it)
    result: list[str] = []
    at = 0
    for number, segment in enumerate(segments):
        filled = [it for it in segment if it.strip()]
        if number:
            start = at
            end = len(old) if not filled else _find(filled[0], old, start, _is_last(number, segments))
            result += _without_blank_ends(old[start:end], bool(segment and not segment[0].strip()))
            at = end
        result += segment
        if filled and number < len(segments) - 1:
            is_header = not number and len(segment) <= header[0]
            end = header[1] if is_header else _find(filled[-1], old, at, False) + 1
            lost = sum(1 for it in old[at:end] if it.strip()) - len(filled)
            if max(MOST_LOST, len(filled)) < lost:
                raise Unclear("The answer leaves out code without saying where.")
            at = end
    return result


def _is_last(number: int, segments: list[list[str]]) -> bool:
    return number == len(segments) - 1 and len([it for it in segments[number] if it.strip()]) == 1


def _without_blank_ends(lines: Sequence[str], has_blank: bool) -> list[str]:
    found = list(lines)
    while has_blank and found and not found[-1].strip():
        found.pop()
    return found


def _find(line: str, old: Sequence[str], start: int, is_last: bool) -> int:
    """Where a line, or the one it was made of, stands from ``start`` on; only if there is no doubt."""
    rest = range(start, len(old))
    found = [it for it in rest if old[it].strip() == line.strip()]
    deep = [it for it in found if indent_of(old[it]) == indent_of(line)]
    found = deep or found
    if is_last and found and found[-1] == _last_filled(old):
        return found[-1]
    if not found:
        found = [it for it in rest if _is_alike(line, old[it])]
    if len(found) != 1:
        raise Unclear(
            f"The answer leaves out code next to “{line.strip()[:60]}”, and it is not clear how much."
        )
    return found[0]


def _last_filled(old: Sequence[str]) -> int:
    return max((at for at, it in enumerate(old) if it.strip()), default=-1)


def _is_alike(line: str, old: str) -> bool:
    """Whether one line is the other, changed: as deep, the same beginning, and most of the rest."""
    one, other = line.strip(), old.strip()
    if (
        not other
        or indent_of(line) != indent_of(old)
        or re.split(r"\W+", one)[0] != re.split(r"\W+", other)[0]
    ):
        return False
    return ALIKE <= difflib.SequenceMatcher(None, one[:400], other[:400], autojunk=False).ratio()
