"""Small corpora for tests, and a reference that finds the nearest places by looking at every one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import strategies as st

from codeindex.memory.coded import CONTEXT_BYTES, coded
from codeindex.memory.occurrence import AFTER_BYTES, Source
from codeindex.memory.segment import Segment, Written, build_segment
from codeindex.memory.snapshot import Layer

WORDS = st.sampled_from(["a", "b", "ab", "é", "(", "\n", "\n  ", "\n    ", " ", "aaaa", "return x"])
TEXTS = st.lists(WORDS, max_size=40).map("".join)
PATHS = ("m/a.py", "m/b.py", "n/c.py", "d.py", "m/e.py")


class Place(NamedTuple):
    """What the reference says of one place, in the order of an occurrence's fields."""

    matched: int
    source: int
    distance: int
    after: bytes
    path: str
    line: int


def segment_of(texts: dict[str, str], first_line: int = 1) -> Segment:
    """A segment of these texts."""
    return build_segment(
        [Written(path=path, text=coded(text), first_line=first_line) for path, text in texts.items()]
    )


def agreement(before: bytes, context: bytes) -> int:
    """How many bytes of two texts agree, from their ends."""
    matched = 0
    for one, other in zip(reversed(before), reversed(context), strict=False):
        if one != other or matched == CONTEXT_BYTES:
            break
        matched += 1
    return matched


def every_place(
    layer: Layer, context: bytes, *, path: str, line: int, hidden: Sequence[str] = ()
) -> list[Place]:
    """All places of a layer that count, best first, found the slow way."""
    found = []
    segment = layer.segment
    for number, document in enumerate(segment.documents):
        hides = layer.source is not Source.BUFFER and document.path in hidden
        if number in layer.dead or hides or (layer.private and document.path != path):
            continue
        text = segment.coded(number)
        for end in range(len(text) + 1):
            at = text.count(b"\n", 0, end) + document.first_line
            matched = agreement(text[:end], context)
            if (document.path == path and at == line) or not (matched if context else end == 0):
                continue
            source, distance = layer.source, -1
            if document.path == path:
                source, distance = (Source.ABOVE if at < line else Source.BELOW), abs(at - line)
            elif source is Source.PROJECT and document.path.rpartition("/")[0] == path.rpartition("/")[0]:
                source = Source.FOLDER
            after = text[end : end + AFTER_BYTES]
            found.append(Place(matched, int(source), distance, after, document.path, at))
    return sorted(found, key=lambda it: -it.matched)
