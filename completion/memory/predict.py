"""Pure: from the project memory to a suggestion: the rest of the line, or of the block, with its chance.

Occurrences of the context vote (``weigh``), a beam over what follows them gives whole lines (``beam``), lines
near by give the same with other names (``analog``), and what they are decides between them (``rank``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from completion.indentation import blanks_of, unit_width, width
from completion.memory.analog import analogies
from completion.memory.beam import Candidate, candidates
from completion.memory.evidence import DEEPER, UP, Memory, Occurrence, Source
from completion.memory.question import PIECE, Question, question_at, question_below
from completion.memory.rank import Ranked, ranked
from completion.memory.weigh import votes
from completion.spot import Spot

LIMIT = 8
"""Occurrences to each side of each part of the memory; 24 are no better on held-out code."""
OTHERS = 2 * LIMIT
"""Of dependencies and libraries so many are heard, however many parts of the memory they lie in."""
NEXT_LINE = 0.6  # A further line is shown only if it is this likely: a wrong one costs more than it helps.
ANALOG = -2.0  # The log-probability that an analogy starts from; it has no votes that could tell one.


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """A way to go on from the cursor."""

    text: str
    """With real indentation; never blank."""
    chance: float
    """The probability that it is exactly right."""
    lines: int
    occurrence: Occurrence | None
    """One place where it stands so; ``None`` if it was put together from a similar line."""


def predict(memory: Memory, spot: Spot, *, path: str, max_lines: int = 1) -> tuple[Continuation, ...]:
    """The likely continuations, best first; only the best one may have more lines than one."""
    question = question_at(memory, spot, path=path)
    lines = lines_at(memory, question)
    if not lines:
        return ()
    best, chance = lines[0], lines[0].confidence
    texts = [best.candidate.text]
    while len(texts) < max_lines:
        question = question_below(question, texts[-1])
        below = lines_at(memory, question)
        if not below or _ends(below[0].candidate.text, question, texts, spot):
            break
        if any(texts) and below[0].confidence < NEXT_LINE:  # Without it there would be nothing to show.
            break
        texts.append(below[0].candidate.text)
        chance *= below[0].confidence
    first = _continuation(texts, chance, best, spot)
    rate = _rate(best)
    others = (_continuation([it.candidate.text], rate * it.share, it, spot) for it in lines[1:])
    found: dict[str, Continuation] = {}
    for it in (first, *others):
        if it is not None:  # Two steps out are one where there is only one.
            found.setdefault(it.text, it)
    return tuple(found.values())


def lines_at(memory: Memory, question: Question) -> list[Ranked]:
    """The ways to finish the line, best first."""
    return ranked(question, *candidates_at(memory, question))


def candidates_at(memory: Memory, question: Question) -> tuple[list[Candidate], int]:
    """The lines that may follow, as they are found, and how many occurrences were asked."""
    found = memory.near(question.context, path=question.path, line=question.line, limit=LIMIT)
    heard = votes(question, _told_apart(found))
    lines = candidates(heard)
    if not question.free:
        lines += _analogies(question, {it.text for it in lines})
    return lines, len(heard)


def _told_apart(found: Sequence[Occurrence]) -> list[Occurrence]:
    """All from the user's own code, and of what others wrote, in however many parts it lies, the best."""
    own = [it for it in found if it.source <= Source.PROJECT]
    return own + [it for it in found if Source.PROJECT < it.source][:OTHERS]


def _analogies(question: Question, known: set[bytes]) -> list[Candidate]:
    lines: list[Candidate] = []
    for rest, distance in analogies(question.typed, question.line_above, question.above):
        text = rest.rstrip()
        if text not in known:
            known.add(text)
            guess = ANALOG - 0.05 * distance
            lines.append(Candidate(text, guess, guess / 2, len(PIECE.findall(text)) + 1, ()))
    return lines


def _ends(text: bytes, question: Question, texts: Sequence[bytes], spot: Spot) -> bool:
    """Whether the block is over before this line: it leaves the block, repeats, or stands there already."""
    line = text.lstrip(DEEPER + UP)
    depth = sum(_step(it) for it in (*texts[1:], text))
    if depth < 0 or not line or (line == question.line_above and not _step(text)):
        return True
    if not spot.lines_below or line != question.line_below:
        return False
    # As ``}`` shows, the same at another depth is another line.
    return _columns((*texts, text), spot)[-1] == width(spot.lines_below[0])


def _step(line: bytes) -> int:
    """By how many levels a coded line stands deeper than the one above."""
    codes = line[: len(line) - len(line.lstrip(DEEPER + UP))]
    return codes.count(DEEPER) - codes.count(UP)


def _rate(best: Ranked) -> float:
    """What a share of the scores is worth as a chance: as the best one's, within what that one leaves."""
    left, others = 1 - best.confidence, 1 - best.share
    rate = best.confidence / best.share
    return min(rate, left / others) if 0 < others else rate


def _continuation(texts: Sequence[bytes], chance: float, it: Ranked, spot: Spot) -> Continuation | None:
    text = written(texts, spot)
    if text is None or not text.strip():
        return None
    heard = it.candidate.votes
    return Continuation(
        text=text,
        chance=chance,
        lines=len(texts),
        occurrence=max(heard, key=lambda vote: vote.weight).occurrence if heard else None,
    )


def written(texts: Sequence[bytes], spot: Spot) -> str | None:
    """Coded lines as text for the cursor; ``None`` where a character would be cut."""
    lines: list[str] = []
    for coded, columns in zip(texts, _columns(texts, spot), strict=True):
        try:
            line = coded.lstrip(DEEPER + UP).decode()
        except UnicodeDecodeError:
            return None
        is_typed = not lines and not _at_margin(spot)  # The line's blanks stand there already.
        lines.append(line if is_typed else blanks_of(columns, _unit(spot)) + line)
    return "\n".join(lines)


def _columns(texts: Sequence[bytes], spot: Spot) -> list[int]:
    """How far each line is indented."""
    level = unit_width(_unit(spot))
    found: list[int] = []
    for coded in texts:
        if found:
            found.append(max(0, found[-1] + _step(coded) * level))
        elif _at_margin(spot):
            found.append(max(0, width(spot.lines_above[0]) + _step(coded) * level))
        else:
            found.append(width(spot.line_before))
    return found


def _at_margin(spot: Spot) -> bool:
    """Whether the cursor's line has not been begun, not even with blanks: it may stand at any depth."""
    return not spot.line_before and bool(spot.lines_above)


def _unit(spot: Spot) -> str:
    return spot.unit or " " * unit_width("")
