"""Pure: which pieces of other places go before the prompt: edited lately, or about the same names.

A set of pieces stands before everything else in the prompt, so every change of it costs the prompt's KV.
Pieces that are still good therefore keep their places at the front, and new ones come behind them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.wire import Snippet

CHARACTERS_PER_TOKEN = 3
"""Code has more of them; who counts too many tokens never overruns the budget."""
PIECE_LINES = 6
"""The head of a definition and its first lines. Of the names that come, pieces of 6 lines show 22 %, of 8 or
12 lines 18 %, of 32 lines 12 %, in a budget of 256 tokens (places in other projects than are judged on)."""
LEAST_LINES = 3
"""Less than this is no piece of its own: a constant or two says little without its neighbours."""
EDITED_LINES = 12
GROWN_LINES = 4
"""An edited place is shown with so many lines of its paragraph above and below, as far as there is room."""
HEADER_LOOK = 200
"""So many lines up a piece looks for the line that it belongs to."""
LONG_LINE = 400
"""Nobody wrote a line as long as this to be read; a piece does not hold it."""

NEAREST_LINES = 3
NEAREST = 2.0
"""Names on the cursor's line and the two above it count twice: they are what is being written about."""
ABOVE_LINES = 20
BELOW_LINES = 8
DEFINES = 2.0
"""A name in the first line of a piece is mostly what the piece defines: how it is used follows from it."""
TYPICAL_NAMES = 24
"""A piece with twice as many names as most has half of the weight: it shares more by chance."""
EDITED = 1.0
"""The last edit is worth one rare name: people go on with what they have just done elsewhere."""
EDITED_HALF = 4
"""Four edits ago is worth half of that."""
LEAST_SCORE = 1.0
"""One rare name, or the very last edit. What has less is about something else, and only costs time."""
OTHER_KIND = 0.5
"""A piece of another kind of file: same names, other grammar."""
BETTER = 1.5
"""A set is replaced, and not only added to, where another one is so many times as good."""

SHORT_LINE = 8
"""Characters without blanks: `else:` and `});` are everywhere, and their repetition tells nothing."""
REPEATED_SHARE = 0.5
REPEATED_RUN = 3
"""Of a piece, half of the lines or three in a row seen already: it says again what is there."""
REPEATED_RUN_OF_OWN = 2
"""In the document's own pieces two in a row are enough: they overlap the window."""

NAME = re.compile(r"[^\W\d]\w{2,}")
_GRAMMAR = """
    abstract and any args async await bool boolean break case catch char class const constructor continue def
    default defer del delete elif else end enum except export extends extern false False final finally float
    fn for from func function global if impl implements import include int interface is lambda let long match
    module mut namespace new nil None nonlocal not null object package pass private protected pub public raise
    readonly return self short static str string struct super switch template this throw throws true True try
    type typedef typeof undefined union unsigned use using var void while with yield
"""
COMMON = frozenset(_GRAMMAR.split())
"""Words of many languages' grammars: everybody shares them."""
CLOSERS = (")", "]", "}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """A piece of an open document that may be worth showing."""

    path: str
    text: str
    when: int
    """When it was edited; larger is later, and 0 is a document that is merely open."""
    names: frozenset[str]
    defined: frozenset[str]
    """Those in its first line."""
    lines: tuple[str, ...]
    """Its lines without blanks, but for short ones: by these, repetitions are found."""

    @property
    def cost(self) -> int:
        """In tokens, with its path and what separates it from the next one."""
        return _cost(self.path, self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A cursor: its document's path, and the window that the prompt shows anyway."""

    path: str
    before: str
    after: str


def recent(path: str, text: str, when: int = 0) -> Recent:
    """A piece of this text."""
    first, _, rest = text.partition("\n")
    defined = names_in(first)
    return Recent(
        path=path,
        text=text,
        when=when,
        names=defined | names_in(rest),
        defined=defined,
        lines=tuple(told(text)),
    )


def names_in(text: str) -> frozenset[str]:
    """What a text talks about."""
    return frozenset(NAME.findall(text)) - COMMON


def told(text: str) -> Iterator[str]:
    """The lines of a text that can be recognized, without blanks."""
    for line in text.split("\n"):
        bare = "".join(line.split())
        if SHORT_LINE <= len(bare):
            yield bare


def blocks(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """A document cut into pieces at blank lines, best at those that end what began with the piece's start."""
    at, count = 0, len(lines)
    while at < count:
        if not lines[at].strip():
            at += 1
            continue
        end = _block_end(lines, at)
        yield at, end
        at = end


def _block_end(lines: Sequence[str], start: int) -> int:
    limit = min(start + PIECE_LINES, len(lines))
    base = _indent(lines[start])
    blank = 0
    for at in range(start + 1, limit):
        if lines[at].strip():
            continue
        if at - start < LEAST_LINES:
            continue
        below = next((it for it in lines[at + 1 : at + 4] if it.strip()), "")
        if _indent(below) <= base:
            return at
        blank = at
    if limit == len(lines):
        return limit
    return blank if start + PIECE_LINES // 2 < blank else limit


def piece(path: str, lines: Sequence[str], first: int, last: int, when: int = 0) -> Recent | None:
    """These lines as a piece, below the line they belong to; ``None`` if there is nothing to see."""
    while first < last and not lines[first].strip():
        first += 1
    while first < last and not lines[last - 1].strip():
        last -= 1
    body = [it.rstrip() for it in lines[first:last]]
    if not body or any(LONG_LINE < len(it) for it in body):
        return None
    header = _header(lines, first)
    if header and len(header) <= LONG_LINE:
        body.insert(0, header)
    return recent(path, "\n".join(body), when)


def grown(lines: Sequence[str], first: int, last: int) -> tuple[int, int]:
    """An edited place with its paragraph: nothing above a blank line, nothing below one, not too much."""
    room = max(EDITED_LINES - (last - first), 0)
    top, bottom = first, last
    while top > 0 and first - top < min(GROWN_LINES, room) and lines[top - 1].strip():
        top -= 1
    room -= first - top
    while bottom < len(lines) and bottom - last < min(GROWN_LINES, room) and lines[bottom].strip():
        bottom += 1
    return top, bottom


def _header(lines: Sequence[str], first: int) -> str:
    """The line that a piece stands below: the next one above with less indentation."""
    indent = _indent(lines[first])
    for at in range(first - 1, max(first - HEADER_LOOK, 0) - 1, -1):
        if indent == 0:
            break
        line = lines[at].strip()
        if not line or indent <= _indent(lines[at]):
            continue
        if not line.startswith(CLOSERS):
            return lines[at].rstrip()
        indent = _indent(lines[at]) + 1  # The end of a long head: its beginning is as far left.
    return ""


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def choose(
    pieces: Iterable[Recent],
    place: Place,
    budget_tokens: int,
    previous: Sequence[Snippet] = (),
    *,
    may_change: bool = True,
) -> tuple[Snippet, ...]:
    """The pieces to show, the best ones last; those shown before that are still there come first.

    ``may_change``: whether new ones may be added where nothing that was shown had to go.
    The same pieces at the same place, after what was chosen there, are what was chosen.
    """
    window = frozenset(told(f"{place.before}{place.after}"))

    def is_new(it: Recent) -> bool:
        return not _repeats(it, window, place.path)

    other = (it for it in pieces if it.when == 0 or is_new(it))  # The place being written is no other place.
    known = {(it.path, it.text): it for it in sorted(other, key=lambda it: it.when)}
    sent = (known[key] for key in ((it.path, it.text) for it in previous) if key in known)
    good = [it for it in sent if is_new(it)]
    kept = _within(budget_tokens, good)
    if good and len(good) == len(previous) and not may_change:
        return _snippets(kept)
    scores = _scores(list(known.values()), place)
    ranked = sorted(
        (it for it in known.values() if LEAST_SCORE <= scores[it.path, it.text]),
        key=lambda it: (-scores[it.path, it.text], -it.when, it.path, it.text),
    )
    ranked = [it for it in ranked if is_new(it)]
    added = _filled(ranked, kept, budget_tokens)
    fresh = _filled(ranked, [], budget_tokens)
    if BETTER * _total([*kept, *added], scores) < _total(fresh, scores):
        kept, added = [], fresh
    return _snippets([*kept, *reversed(added)])


def _within(budget: int, pieces: Iterable[Recent]) -> list[Recent]:
    """As many of the first ones as there is room for."""
    fits = []
    for it in pieces:
        budget -= it.cost
        if budget < 0:
            break
        fits.append(it)
    return fits


def _filled(ranked: Iterable[Recent], kept: Sequence[Recent], budget: int) -> list[Recent]:
    """The best ones that fit beside those kept, none of them saying what another one says."""
    left = budget - sum(it.cost for it in kept)
    seen = {line for it in kept for line in it.lines}
    chosen = {(it.path, it.text) for it in kept}
    added = []
    for it in ranked:
        if left < it.cost or (it.path, it.text) in chosen or _repeats(it, seen, ""):
            continue
        added.append(it)
        left -= it.cost
        seen.update(it.lines)
    return added


def _repeats(it: Recent, seen: frozenset[str] | set[str], own: str) -> bool:
    """Whether a piece says what is already there. One without a line to recognize says nothing at all."""
    longest = run = count = 0
    for line in it.lines:
        run = run + 1 if line in seen else 0
        longest = max(longest, run)
        count += line in seen
    run_limit = REPEATED_RUN_OF_OWN if it.path == own else REPEATED_RUN
    return run_limit <= longest or REPEATED_SHARE * len(it.lines) <= count


def _scores(pieces: Sequence[Recent], place: Place) -> dict[tuple[str, str], float]:
    """How much each piece is about what is being written, and how lately it was edited."""
    near = _near(place)
    shared = [near.keys() & it.names for it in pieces]
    spread = Counter(name for names in shared for name in names)
    every = len(pieces) + 1
    rarity = {name: math.log(every / count) / math.log(every) for name, count in spread.items()}
    newest = sorted({it.when for it in pieces if it.when}, reverse=True)
    rank = {when: at for at, when in enumerate(newest)}
    ending = _ending(place.path)
    scores = {}
    for it, names in zip(pieces, shared, strict=True):
        about = sum(
            near[name] * rarity[name] * (DEFINES if name in it.defined else 1.0) for name in sorted(names)
        )
        score = about / max(len(it.names) / TYPICAL_NAMES, 1.0)
        if it.when:
            score += EDITED * 0.5 ** (rank[it.when] / EDITED_HALF)
        scores[it.path, it.text] = score * (1.0 if _ending(it.path) == ending else OTHER_KIND)
    return scores


def _near(place: Place) -> Mapping[str, float]:
    """The names around the cursor, and how much each of them counts."""
    above = place.before.rsplit("\n", ABOVE_LINES)[-ABOVE_LINES:]
    below = place.after.split("\n", BELOW_LINES)[:BELOW_LINES]
    near = dict.fromkeys(names_in("\n".join([*above, *below])), 1.0)
    return near | dict.fromkeys(names_in("\n".join(above[-NEAREST_LINES:])), NEAREST)


def _ending(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[2]


def _total(pieces: Iterable[Recent], scores: Mapping[tuple[str, str], float]) -> float:
    return sum(scores[it.path, it.text] for it in pieces)


def _snippets(pieces: Iterable[Recent]) -> tuple[Snippet, ...]:
    return tuple(Snippet(path=it.path, text=it.text) for it in pieces)


def _cost(path: str, text: str) -> int:
    return -(-(len(path) + len(text) + 2) // CHARACTERS_PER_TOKEN) + 1
