"""Pure: a document and a cursor -> ``Spot``, the neighborhood that every rule and the prompt look at."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from completion.brackets import Lexed, code_of, go_on, in_comment, lex
from completion.config import CompletionConfig
from completion.indentation import leading, unit_of
from completion.languages import Language, language_of, opens_block
from completion.owed import owed

LOOK_CHARACTERS = 8_192
"""The rules look at this much on each side at least, however small the prompt's budget is: some 200 lines."""
CLUSTER_CHARACTERS = 32
"""The longest run of combining characters that a cut steps over; emoji families have about 11."""
NEAR_LINES = 40
"""How many lines the search for a line that is not blank looks at."""
JOINER = "\u200d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    r"""A place in a document. All text has ``\n`` for line breaks, whatever the document has."""

    path: str
    language: str
    before: str
    """The text before the cursor, from a place that stays the same while somebody types."""
    after: str
    """The text after the cursor, up to a place that depends on nothing before the cursor."""
    first_line: int
    """The number of line breaks before ``before``."""
    whole: bool
    """Whether ``after`` goes to the document's end."""
    line_ending: str
    """What the document breaks its lines with; suggestions are given back in it."""
    inside: str
    r"""What ends the string or comment around the cursor (``"``, ``*/``, ``\n``); empty in code."""
    owed: str
    """The closing brackets that the document still lacks at the cursor, innermost first."""

    @property
    def unit(self) -> str:
        """The blanks of one level of indentation; empty when the neighborhood does not tell."""
        return unit_of(self.before + self.after, self.language)

    @property
    def line_before(self) -> str:
        """The cursor's line up to the cursor."""
        return self.before[self.before.rfind("\n") + 1 :]

    @property
    def line_after(self) -> str:
        """The cursor's line from the cursor on."""
        return self.after.partition("\n")[0]

    @property
    def indent(self) -> str:
        """The blanks at the start of the cursor's line, as far as the cursor."""
        return leading(self.line_before)

    @property
    def on_blank_line(self) -> bool:
        """Whether nothing but blanks stands before the cursor on its line."""
        return not self.line_before.strip()

    @property
    def lines_above(self) -> list[str]:
        """The nearest lines above that are not blank, nearest first."""
        lines = self.before.rsplit("\n", NEAR_LINES)[:-1]
        if lines:
            lines[0] = lines[0].rpartition("\n")[2]
        return [it for it in reversed(lines) if it.strip()]

    @property
    def line_above(self) -> str:
        """The line directly above, which may be blank."""
        return self.before[: -len(self.line_before) - 1].rpartition("\n")[2]

    @property
    def lines_below(self) -> list[str]:
        """The nearest lines below that are not blank, nearest first."""
        lines = self.after.split("\n", NEAR_LINES + 1)[1:]
        return [it for it in lines[:NEAR_LINES] if it.strip()]

    @property
    def facts(self) -> Language:
        """What the rules know about the language."""
        return language_of(self.language)

    @property
    def in_comment(self) -> bool:
        """Whether the cursor is in a comment."""
        return in_comment(self.inside, self.facts)


def spot_at(
    text: str, offset: int, *, path: str, language: str, config: CompletionConfig, first_line: int = 0
) -> Spot:
    """The spot at ``offset``, in code points; one outside the text means its nearest end.

    ``first_line`` says how many lines of the document stand before ``text``.

    The work is bounded by the budget, but for one count of line breaks: a file may have 100,000 lines, and
    one line a million characters.
    """
    offset = min(max(offset, 0), len(text))
    if text[offset - 1 : offset + 1] == "\r\n":
        offset -= 1
    start = _start(text, offset, max(2 * config.prefix_characters, LOOK_CHARACTERS))
    end = _end(text, offset, max(2 * config.suffix_characters, LOOK_CHARACTERS))
    raw_before, raw_after = text[start:offset], text[offset:end]
    before, after = _unix(raw_before), _unix(raw_after)
    return _spot(
        before,
        after,
        path=path,
        language=language,
        first_line=first_line + text.count("\n", 0, start),
        whole=end == len(text),
        line_ending=_line_ending(raw_before, raw_after),
    )


def accepted(spot: Spot, text: str, replace_after: int = 0) -> Spot:
    """The spot behind ``text`` when it has been put in at this one."""
    return _spot(
        spot.before + text,
        spot.after[replace_after:],
        path=spot.path,
        language=spot.language,
        first_line=spot.first_line,
        whole=spot.whole,
        line_ending=spot.line_ending,
    )


def lexed_before(spot: Spot, *, at_line: bool = False) -> Lexed:
    """What is open at the cursor, or with ``at_line`` where its line begins."""
    line_start = spot.before.rfind("\n") + 1
    above = _lexed(spot.before[:line_start], spot.language)
    return above if at_line else go_on(above, spot.before, line_start, spot.facts)


def on_next_line(spot: Spot) -> Spot:
    """The spot on a new line behind this one, as deep as an editor puts it."""
    deeper = spot.unit if opens_block(code_of(spot.line_before, spot.facts), spot.facts) else ""
    return accepted(spot, f"\n{leading(spot.line_before)}{deeper}")


def _spot(
    before: str,
    after: str,
    *,
    path: str,
    language: str,
    first_line: int,
    whole: bool,
    line_ending: str,
) -> Spot:
    line_start = before.rfind("\n") + 1
    above = _lexed(before[:line_start], language)
    lexed_before = go_on(above, before, line_start, language_of(language))
    lexed_after = _lexed(after, language, lexed_before.inside)
    return Spot(
        path=path,
        language=language,
        before=before,
        after=after,
        first_line=first_line,
        whole=whole,
        line_ending=line_ending,
        inside=lexed_before.inside,
        owed=owed(before, lexed_before, after, lexed_after, whole=whole),
    )


@lru_cache(maxsize=16)  # What stands above and below the line that is being written stays as it is.
def _lexed(text: str, language: str, inside: str = "") -> Lexed:
    return lex(text, language_of(language), inside)


def _start(text: str, offset: int, limit: int) -> int:
    """Where ``before`` starts: a multiple of half the limit, then the next line start if one is near."""
    if offset <= limit:
        return 0
    step = limit // 2
    start = (offset - limit) // step * step
    line_start = text.find("\n", start, start + step) + 1
    return line_start or whole_character(text, start, forward=False)


def _end(text: str, offset: int, limit: int) -> int:
    """Where ``after`` ends: behind the last line break within the limit if there is one."""
    if len(text) - offset <= limit:
        return len(text)
    line_end = text.rfind("\n", offset + limit // 2, offset + limit) + 1
    return line_end or whole_character(text, offset + limit, forward=False)


def whole_character(text: str, at: int, *, forward: bool) -> int:
    """The nearest place that does not cut a base character from its marks, or CR from LF."""
    step = 1 if forward else -1
    for place in range(at, at + step * CLUSTER_CHARACTERS, step):
        if not 0 < place < len(text) or not _joins(text[place - 1], text[place]):
            return min(max(place, 0), len(text))
    return at


def _joins(left: str, right: str) -> bool:
    if right.isascii():
        return left == "\r" and right == "\n"
    code = ord(right)
    return (
        unicodedata.category(right) in ("Mn", "Me", "Mc")
        or JOINER in (left, right)
        or 0x1F3FB <= code <= 0x1F3FF  # skin tones
        or 0xDC00 <= code <= 0xDFFF  # the second half of a pair
    )


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _line_ending(before: str, after: str) -> str:
    """The line break nearest to the cursor, looking up first."""
    at = before.rfind("\n")
    if at >= 0:
        return "\r\n" if before[at - 1 : at] == "\r" else "\n"
    at = after.find("\n")
    if at >= 0:
        return "\r\n" if after[max(at - 1, 0) : at] == "\r" else "\n"
    return "\r" if "\r" in before + after else "\n"
