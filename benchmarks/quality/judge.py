"""Pure: how good one suggestion at one place is. All definitions stand here.

**Exact**: with the suggestion accepted, the cursor's line is the real one to the last character. Blanks at
the end do not count, nor does the indentation of a line that is not begun. At a line's end, where the real
next line is missing, the suggestion must be a line break and that line. Of a block its first line counts.

**Similarity**: edit similarity of the same two texts; nothing said is 0.

**First token**: what is suggested begins with the token that the true rest begins with, each tokenized by
itself with the model's own tokenizer, also what the project memory says. Nothing said is wrong.

**Repeats**: what is suggested ends with what stands right behind the cursor on its line, leaves that in
place, and leaves it nothing to close; or one of its lines, the first one together with what is typed, is the
next line of the file that is not blank. Lines without a word (brackets) do not count, nor does a line that
really stands there twice.

**Breaks the syntax**: the file with the suggestion in it has faults (error nodes and missing tokens of
tree-sitter), although the real one has none; files whose real text has faults are not judged. What is not
finished is no fault by itself: the suggestion may go on with the closers of what is open behind it (brackets,
strings over several lines) and then a colon, a semicolon or an empty body; and the lines below that go on
with the real line (deeper ones, and the closer under them) may be missing, since whoever types would not have
them yet. Only if none of these files is without faults does the suggestion break the syntax.
**Left open**: it is only without faults with one of these additions. **Worse than nothing**: as it stands,
with nothing added, the file has more faults than before the suggestion was accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.heldout.measures import is_exact, similarity
from benchmarks.quality.places import Place
from completion.brackets import lex
from completion.config import CompletionConfig
from completion.indentation import width
from completion.languages import CLOSERS, language_of
from completion.spot import spot_at

TAILS = ("", ":", ";", ",", " {}")
"""What may come behind the last closer: a block's colon, a statement's or a property's end, an empty body."""

Faults = Callable[[str], int | None]
"""How many faults a text of the place's language has; ``None`` if there is no telling."""
Tokenize = Callable[[str], Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was suggested somewhere; an empty text if nothing was."""

    text: str
    replace_after: int = 0
    chance: float = 0.0
    source: str = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Syntax:
    """What accepting a suggestion does to the file's syntax."""

    judged: bool = False
    breaks: bool = False
    left_open: bool = False
    worse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """All that is measured of one suggestion."""

    shown: bool
    exact: bool
    similarity: float
    first_token: bool
    repeats: bool
    syntax: Syntax
    chance: float
    source: str


def judge(
    place: Place, said: Said, *, tokenize: Tokenize, faults: Faults, config: CompletionConfig
) -> Judgement:
    """One suggestion."""
    line = line_said(place, said)
    shown = bool(said.text)
    return Judgement(
        shown=shown,
        exact=shown and is_exact(place.kind, line, place.cut.rest),
        similarity=similarity(line, place.cut.rest) if shown else 0.0,
        first_token=shown and same_first_token(place, said, tokenize),
        repeats=shown and repeats(place, said),
        syntax=syntax(place, said, faults, config) if shown else Syntax(),
        chance=said.chance,
        source=said.source,
    )


def line_said(place: Place, said: Said) -> str:
    """What the line goes on with when the suggestion is accepted; at a line's end, the new line."""
    text = said.text.replace("\r\n", "\n")
    if not text:
        return ""
    if place.kind == "line_end":
        return text.split("\n")[1].rstrip() if text.startswith("\n") else ""
    first, line_break, _ = text.partition("\n")
    return (first if line_break else first + place.line_after[said.replace_after :]).rstrip()


def same_first_token(place: Place, said: Said, tokenize: Tokenize) -> bool:
    """Whether what is suggested and what is right begin with the same token."""
    text, wanted = line_said(place, said), place.cut.rest
    if place.kind in ("whole_line", "line_end"):  # Their indentation is the editor's.
        text, wanted = text.lstrip(), wanted.lstrip()
    return bool(text) and tokenize(text)[:1] == tokenize(wanted)[:1]


def repeats(place: Place, said: Said) -> bool:
    """Whether what is suggested stands behind the cursor already."""
    text = said.text.replace("\r\n", "\n")
    behind = place.line_after[said.replace_after :].strip()
    if behind and _is_again(behind, place, text):
        return True
    below = next((it.strip() for it in place.cut.after.split("\n")[1:] if it.strip()), "")
    if not _has_word(below) or _true_line(place) == below:
        return False
    first, *others = text.split("\n")
    lines = [place.line_before + first + ("" if others else behind), *others]
    return any(it.strip() == below for it in (lines[1:] if place.kind == "line_end" else lines))


def syntax(place: Place, said: Said, faults: Faults, config: CompletionConfig) -> Syntax:
    """What the file's grammar says once the suggestion is accepted."""
    if faults(place.truth) != 0:
        return Syntax()
    before, after = place.cut.before, place.cut.after[said.replace_after :]
    as_is = faults(before + said.text + after)
    if not as_is:
        return Syntax(judged=as_is is not None)
    without = faults(place.cut.before + place.cut.after) or 0
    whole = any(faults(it) == 0 for it in continued(place, said, config))
    return Syntax(judged=True, breaks=not whole, left_open=whole, worse=without < as_is)


def continued(place: Place, said: Said, config: CompletionConfig) -> Iterator[str]:
    """The files that may come of the suggestion when it is not the end of what is being written."""
    after = place.cut.after[said.replace_after :]
    for below in dict.fromkeys((after, without_continuation(place.line_before, after))):
        text = place.cut.before + said.text
        spot = spot_at(text + below, len(text), path=place.cut.path, language=place.language, config=config)
        goes_on = (*spot.facts.long_quotes, *spot.facts.comment_ends)
        ends = (spot.inside if spot.inside in goes_on else "") + spot.owed
        for tail in TAILS if ends else ("",):
            yield text + ends + tail + below


def without_continuation(line: str, after: str) -> str:
    """``after`` without the lines that go on with the real line: deeper ones, and the closer under them."""
    rest, line_break, below = after.partition("\n")
    lines = below.split("\n")
    depth = width(line)
    at = end = 0
    while at < len(lines) and (not lines[at].strip() or depth < width(lines[at])):
        at += 1
        end = at if lines[at - 1].strip() else end  # Blank lines at the end stay.
    if end and at < len(lines) and lines[at].lstrip()[:1] in tuple(CLOSERS):
        end = at + 1
    return rest + line_break + "\n".join(lines[end:])


def _is_again(behind: str, place: Place, text: str) -> bool:
    """Whether a text ends with what stands behind; closers only if they have nothing left to close."""
    if _has_word(behind):
        return text.rstrip().endswith(behind)
    closers = behind[: len(behind) - len(behind.lstrip(CLOSERS))]
    left = len(lex(place.line_before + text, language_of(place.language)).opens)
    return bool(closers) and left < len(closers) and text.rstrip(" ;,:{").endswith(closers)


def _true_line(place: Place) -> str:
    line = "" if place.kind == "line_end" else place.line_before
    return (line + place.cut.rest).strip()


def _has_word(line: str) -> bool:
    return any(it.isalnum() for it in line)
