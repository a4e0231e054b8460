"""Pure: sections of a document or a file, and which of them answer a question."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from codeindex.identifiers import searchable
from codeindex.query import read as read_query
from codeindex.rank_places import is_among

SATURATION, LENGTHS = 1.2, 0.75  # Of BM25.
IN_TITLE = 3.0  # What a word in a heading counts, against one in the text.


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Some lines of a document that belong together."""

    title: str
    """The headings above, from the outermost; empty before the first."""
    first_line: int
    last_line: int
    page: int
    """1-based; 0 in a document without pages."""
    text: str


def ranked(found: Sequence[Section], question: str) -> list[float]:
    """How well each section answers, by its words: 0 for those that share none."""
    terms = read_query(question).terms if question.strip() else ()
    counts = [_counted(it, terms) for it in found]
    lengths = [1 + len(it.text) for it in found]
    mean = sum(lengths) / max(1, len(lengths))
    total = len(found)
    worth = [0.0] * total
    for term in terms:
        spread = sum(0 < it[term] for it in counts)
        rarity = math.log(1 + (total - spread + 0.5) / (spread + 0.5))
        for number, it in enumerate(counts):
            damp = SATURATION * (1 - LENGTHS + LENGTHS * lengths[number] / mean)
            worth[number] += rarity * it[term] * (SATURATION + 1) / (it[term] + damp)
    return worth


def _counted(section: Section, terms: Sequence[str]) -> Counter[str]:
    """How often each term stands in it, in any of its forms."""
    found: Counter[str] = Counter()
    for text, weight in ((section.title, IN_TITLE), (section.text, 1.0)):
        for word, times in Counter(searchable(text).split()).items():
            for term in terms:
                if is_among(word, (term,)):
                    found[term] += int(weight * times)
    return found
