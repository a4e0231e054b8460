"""Write the suggestion's blanks the way the document does, and put it where it belongs."""

from __future__ import annotations

import re
from dataclasses import replace

from completion.brackets import code_of, lex
from completion.indentation import blanks_of, first_line, leading, width
from completion.languages import opens_block
from completion.postprocess.draft import Draft
from completion.spot import Spot
from completion.trigger import Trigger

SPACES_AT_LINE_START = re.compile(r"(?<=\n)[ \t]+(?=\S)")


def fit_tabs(draft: Draft, spot: Spot, trigger: Trigger) -> Draft:
    """Tabs in a file of tabs, spaces in a file of spaces; as it is in a string or a file that has neither."""
    if not spot.unit or spot.inside:
        return draft
    level = _level(draft.text)

    def written(found: re.Match[str]) -> str:
        blanks = found.group()
        if spot.unit == "\t":
            levels, rest = divmod(blanks.count(" "), level)
            return "\t" * (blanks.count("\t") + levels) + " " * rest
        return blanks.replace("\t", spot.unit)

    start = "\n" if spot.on_blank_line else ""
    return replace(draft, text=SPACES_AT_LINE_START.sub(written, start + draft.text).removeprefix(start))


def fit_indentation(draft: Draft, spot: Spot, trigger: Trigger) -> Draft:
    """On a blank line, the first line stands where it belongs; the others move along if they must."""
    if not spot.on_blank_line or spot.inside:
        return draft
    first = first_line(draft.text, spot)
    if not first.body:
        return replace(draft, text="")
    head, *rest = first.body.split("\n")
    blanks = blanks_of(first.wanted - width(spot.line_before), spot.unit)
    shift = first.wanted - first.given
    if shift and _moves(head, rest, first.given, first.wanted, spot):
        inner = _lines_before_scope_end(first.body, spot) - 1
        rest = [_shifted(it, shift, spot) for it in rest[:inner]] + rest[inner:]
    return replace(draft, text="\n".join([blanks + head, *rest]))


def fit_first_blanks(draft: Draft, spot: Spot, trigger: Trigger) -> Draft:
    """One blank between what is typed and what follows is enough."""
    is_typed = spot.line_before[-1:].isspace() and not spot.on_blank_line and not spot.inside
    return replace(draft, text=draft.text.lstrip(" \t")) if is_typed else draft


def _moves(head: str, rest: list[str], given: int, wanted: int, spot: Spot) -> bool:
    """Whether the lines behind the first one belong to where the model put it, not to where it belongs."""
    depth = next((width(it) for it in rest if it.strip()), None)
    if depth is None:
        return False
    deeper = opens_block(code_of(head, spot.facts), spot.facts)

    def fits(first: int) -> bool:
        return first < depth if deeper else first <= depth

    return fits(given) if wanted < given else not fits(wanted)


def _lines_before_scope_end(body: str, spot: Spot) -> int:
    """How many lines there are before one that closes what the document opened; that one stands elsewhere."""
    closes = lex(body, spot.facts).closes
    return body.count("\n", 0, closes[0].at) if closes else body.count("\n") + 1


def _shifted(line: str, columns: int, spot: Spot) -> str:
    if not line.strip():
        return ""
    unit = "\t" if "\t" in leading(line) else spot.unit
    return blanks_of(max(0, width(line) + columns), unit) + line.lstrip(" \t")


def _level(text: str) -> int:
    """How many spaces the model writes for one level; odd numbers of them are alignment."""
    widths = {len(it.group()) for it in SPACES_AT_LINE_START.finditer("\n" + text)}
    return 2 if any(it % 4 == 2 for it in widths) else 4
