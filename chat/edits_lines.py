"""Pure: a document's lines, and changes of lines as edits of its text with the document's own line ends."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from chat.edits_types import Claim, Edit, LineEdit, Lines, Source, Unclear

BOM = "\ufeff"
_LINE = re.compile(r"([^\r\n]*)(\r\n|\n|\r|\Z)")
# Comparing looks at every pair of equal lines; where there are more, all between the first and the last
# difference counts as different.
MOST_PAIRS = 400_000


def split(text: str) -> Lines:
    """Only what editors agree on ends a line: not a form feed, not a Unicode separator."""
    origin = len(BOM) if text.startswith(BOM) else 0
    texts, ends, starts = [], [], []
    for found in _LINE.finditer(text, origin):
        if found.start() == len(text):
            break
        texts.append(found[1])
        ends.append(found[2])
        starts.append(found.start())
    return Lines(texts=tuple(texts), ends=tuple(ends), starts=(*starts, len(text)), origin=origin)


def compare(old: Sequence[str], new: Sequence[str], offset: int = 0, says: str = "") -> list[LineEdit]:
    """The changes that make ``new`` of ``old``, with no line in them that is the same in both."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    one, other = old[head : len(old) - tail], new[head : len(new) - tail]
    if not one and not other:
        return []
    counts = Counter(one)
    if MOST_PAIRS < sum(counts[it] for it in other):
        steps = [("replace", 0, len(one), 0, len(other))]
    else:
        matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
        steps = [it for it in matcher.get_opcodes() if it[0] != "equal"]
    first = offset + head
    return [
        LineEdit(first=first + a, last=first + b, texts=tuple(other[c:d]), says=says)
        for _, a, b, c, d in steps
    ]


def claimed(changes: Iterable[LineEdit], first: int, last: int, new: Sequence[str]) -> list[LineEdit]:
    """Changes that are the whole of what an answer says of these lines."""
    claim = Claim(first=first, last=last, text="\n".join(new))
    return [replace(it, claim=claim) for it in changes]


def edits(source: Source, lines: Lines, changes: Iterable[LineEdit]) -> tuple[Edit, ...]:
    """Changes of lines as edits of the text: in order, apart, and none for what stays as it is."""
    found = []
    changes = list(changes)
    _check_claims(changes)
    for change in _merged(changes):
        for it in compare(lines.texts[change.first : change.last], change.texts, change.first, change.says):
            start, end, text = _place(lines, it)
            says = it.says or _says(it)
            found.append(
                Edit(
                    path=source.path,
                    version=source.version,
                    start=start,
                    end=end,
                    new_text=text,
                    says=says,
                )
            )
    return tuple(found)


def _check_claims(changes: Iterable[LineEdit]) -> None:
    claims = sorted({(it.claim.first, it.claim.last, it.claim.text) for it in changes if it.claim})
    for one, other in pairwise(claims):
        if other[0] <= one[1]:
            raise Unclear("The answer has two versions of the same code, so it is not clear which is meant.")


def _merged(changes: Iterable[LineEdit]) -> list[LineEdit]:
    """In order; those that touch become one, those that overlap are no edit at all."""
    merged: list[LineEdit] = []
    for it in sorted(dict.fromkeys(changes), key=lambda it: (it.first, it.last)):
        before = merged[-1] if merged else None
        if before and it.first < before.last:
            raise Unclear("Two parts of the answer change the same lines in different ways.")
        if before and it.first == before.last:
            says = before.says if before.says == it.says else ""
            merged[-1] = LineEdit(first=before.first, last=it.last, texts=before.texts + it.texts, says=says)
        else:
            merged.append(it)
    return merged


def _place(lines: Lines, change: LineEdit) -> tuple[int, int, str]:
    """Where in the text, and the new text with the line ends of where it goes."""
    count = len(lines.texts)
    first, last = change.first, change.last
    end = _end_at(lines, first)
    if not count:
        return lines.origin, lines.origin, "".join(it + end for it in change.texts)
    if last < count or lines.ends[-1]:
        return lines.starts[first], lines.starts[last], "".join(it + end for it in change.texts)
    # The last line has no end, and the one that becomes the last shall have none either.
    if not change.texts:
        start = lines.starts[first] - len(lines.ends[first - 1]) if first else lines.starts[first]
        return start, lines.starts[last], ""
    if first == count:
        return lines.starts[last], lines.starts[last], end + end.join(change.texts)
    return lines.starts[first], lines.starts[last], end.join(change.texts)


def _end_at(lines: Lines, first: int) -> str:
    near = [lines.ends[it] for it in (first, first - 1) if 0 <= it < len(lines.ends)]
    most = [it for it, _ in Counter(it for it in lines.ends if it).most_common(1)]
    return next((it for it in (*near, *most) if it), "\n")


def _says(change: LineEdit) -> str:
    count = change.last - change.first
    where = f"line {change.first + 1}" if count == 1 else f"lines {change.first + 1} to {change.last}"
    if not change.texts:
        return f"Removes {where}"
    if not count:
        return f"Adds {len(change.texts)} line{'s' * (1 < len(change.texts))} after line {change.first}"
    return f"Changes {where}"
