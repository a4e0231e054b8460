"""Pure: code that an answer gives without saying where: the place in a document where it belongs."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Sequence

from chat import edits_imports, edits_paths
from chat.edits_clean import has_entities, is_escaped, unescaped, without_numbers
from chat.edits_define import Pair, place_units
from chat.edits_elide import is_elision, is_to_be_filled, stripped
from chat.edits_indent import shifted, unit_of
from chat.edits_lexical import BY_INDENTATION, is_comment
from chat.edits_lines import MOST_PAIRS, claimed, compare
from chat.edits_piece import place_piece
from chat.edits_types import Code, LineEdit, Lines, Source, Unclear
from chat.edits_units import Outline, Unit, outline

FEWEST = 4  # lines with text: a shorter file is not told from a piece of one
WHOLE = 0.6  # An answer has at least this share of a file's lines if it is meant to be the file,
KEPT = 0.5  # and leaves at least this share as it was.
LARGE_GAP = 8  # lines that are not left out by mistake,
SMALL_REST = 0.25  # unless so little stands in their place
MOST_UNITS = 300

_USAGE = re.compile(
    r"\s*(?:#|//|/\*|--)\s*(?:example|usage|test (?:the|it|cases?)|testing|try|demo|sample|how to|call the"
    r"|main\b)|if __name__ ==",
    re.IGNORECASE,
)


def place_code(source: Source, lines: Lines, code: Code) -> list[LineEdit]:
    """The edits that code stands for, none if the document says the same; or `Unclear`."""
    new = _prepared(source, code)
    if not new:
        raise Unclear("The answer has no code.")
    theirs = outline(new, source.language)
    if not any(it.strip() for it in lines.texts):
        return _into_blank(code, lines, theirs)
    known = stripped(lines.texts)
    if any(is_to_be_filled(it, known) for it in new):
        raise Unclear("The answer has a place where code is still to be written.")
    ours = outline(lines.texts, source.language)
    if not code.complete and not _ends_well(source, theirs, ours):
        raise Unclear("The answer may have been cut off: its code has no end.")
    found = _whole(source, lines, theirs, ours)
    if found is not None:
        return found
    theirs = _without_usage(source, theirs, ours)
    units = theirs.inside()
    if MOST_UNITS < len(units):
        raise Unclear("The answer has too many definitions to be read as edits.")
    if not units and not theirs.scan.whole and source.language not in BY_INDENTATION:
        raise Unclear("The answer's code is not complete: a bracket or a string has no end.")
    if all(it.kind == "value" for it in units) and (source.focus or _has_others(source, theirs, units)):
        return place_piece(source, theirs, ours, code)
    imports = _beside(source, theirs, ours, units)
    pair = Pair(source=source, theirs=theirs, ours=ours, appends=code.appends, documents=code.documents)
    found = place_units(pair, units, None)
    return edits_imports.add(imports, ours, source.language, source.path) + found


def _prepared(source: Source, code: Code) -> list[str]:
    """The code's lines as they would stand in the document."""
    text = code.text
    if is_escaped(text, source.language) and not has_entities(source.text):
        text = unescaped(text)
    lines = text.split("\n")
    bare = without_numbers(lines)
    if bare != lines and source.language not in ("markdown", "text", "yaml", "restructuredtext"):
        lines = bare
    filled = [at for at, it in enumerate(lines) if it.strip()]
    if filled and edits_paths.commented(lines[filled[0]]) and lines[filled[0]].strip() not in source.text:
        filled = filled[1:]
    return lines[filled[0] : filled[-1] + 1] if filled else []


def _into_blank(code: Code, lines: Lines, theirs: Outline) -> list[LineEdit]:
    if not code.complete or any(is_elision(it) for it in theirs.lines):
        raise Unclear("The answer does not have all of the new file.")
    return [LineEdit(first=0, last=len(lines.texts), texts=theirs.lines, says="Writes a new file")]


def _ends_well(source: Source, theirs: Outline, ours: Outline) -> bool:
    """Whether code that nobody closed has its last line, by its brackets or by the document's own end."""
    if not theirs.scan.whole:
        return False
    if source.language not in BY_INDENTATION:
        return "}" in theirs.lines[-1]
    last = theirs.lines[-1].strip()
    units = theirs.inside()
    same = [it for it in ours.units if units and it.name == units[-1].name]
    return any(ours.lines[it.last].strip() == last for it in same)


def _without_usage(source: Source, theirs: Outline, ours: Outline) -> Outline:
    """Without an example of use at the end, which nobody asked to have in the file."""
    known = stripped(ours.lines)
    for at, line in enumerate(theirs.lines):
        if at and not theirs.scan.inside[at] and _USAGE.match(line) and line.strip() not in known:
            is_last = not any(at <= it.first and it.kind != "value" for it in theirs.units)
            is_behind = any(it.last < at for it in theirs.inside())
            if is_last and is_behind:
                return outline(_trimmed(theirs.lines[:at]), source.language)
    return theirs


def _trimmed(lines: Sequence[str]) -> Sequence[str]:
    filled = [at for at, it in enumerate(lines) if it.strip()]
    return lines[: filled[-1] + 1] if filled else []


def _has_others(source: Source, theirs: Outline, units: Sequence[Unit]) -> bool:
    """Whether there are statements beside assignments, which are then none of the file's own."""
    taken = {at for it in units for at in range(it.lead, it.last + 1)}
    imports = edits_imports.imports(theirs.lines, source.language)
    taken |= {at for it in imports for at in range(it.first, it.last + 1)}
    return not units or any(
        it.strip() and at not in taken and not is_comment(it) for at, it in enumerate(theirs.lines)
    )


def _beside(
    source: Source, theirs: Outline, ours: Outline, units: Sequence[Unit]
) -> list[edits_imports.Import]:
    """The imports beside the definitions; every other line there must be in the document already."""
    known = stripped(ours.lines)
    taken = {at for it in units for at in range(it.lead, it.last + 1)}
    imports = edits_imports.imports(theirs.lines, source.language)
    brought = {at for it in imports for at in range(it.first, it.last + 1)}
    for at, line in enumerate(theirs.lines):
        text = line.strip()
        if not text or at in taken or at in brought or text in known:
            continue
        if theirs.scan.inside[at] != -1 and not is_comment(line) and not is_elision(line, known):
            raise Unclear(f"It is not clear where “{text[:60]}” belongs in `{source.path}`.")
    return [it for it in imports if it.first not in taken]


# The whole file again.


def _whole(source: Source, lines: Lines, theirs: Outline, ours: Outline) -> list[LineEdit] | None:
    """The few lines in which an answer differs that repeats the whole file; None if it does not."""
    known = stripped(lines.texts)
    if any(is_elision(it, known) for it in theirs.lines):
        return None
    filled = [at for at, it in enumerate(lines.texts) if it.strip()]
    first, last = filled[0], filled[-1] + 1
    old, new = [it.rstrip() for it in lines.texts[first:last]], _as_ours(theirs, ours)
    count = sum(1 for it in new if it.strip())
    if len(filled) < FEWEST or count < WHOLE * len(filled) or not _few_pairs(old, new):
        return None
    steps = difflib.SequenceMatcher(None, old, [it.rstrip() for it in new], autojunk=False).get_opcodes()
    kept = sum(1 for kind, a, b, _, _ in steps if kind == "equal" for it in old[a:b] if it)
    if kept < KEPT * len(filled) or "delete" in (steps[0][0], steps[-1][0]):
        return None
    if _loses(theirs, ours, first, steps) or _ends_with_use(steps, theirs):
        return None
    result: list[str] = []
    for kind, a, b, c, d in steps:
        gone, here = _filled(old[a:b]), _filled(new[c:d])
        if kind != "equal" and LARGE_GAP <= gone and here < SMALL_REST * gone:
            raise Unclear(f"The answer repeats `{source.path}`, but leaves out much of it without saying so.")
        result += lines.texts[first + a : first + b] if kind == "equal" else new[c:d]
    return claimed(compare(lines.texts[first:last], result, first), first, last - 1, result)


def _as_ours(theirs: Outline, ours: Outline) -> Sequence[str]:
    """The answer's lines in the document's indentation."""
    unit, other = unit_of(ours.lines), unit_of(theirs.lines)
    if not unit or not other or unit == other:
        return theirs.lines
    return shifted(theirs.lines, "", "", unit)


def _few_pairs(old: Sequence[str], new: Sequence[str]) -> bool:
    counts = Counter(old)
    return sum(counts[it.rstrip()] for it in new) <= MOST_PAIRS


def _filled(lines: Sequence[str]) -> int:
    return sum(1 for it in lines if it.strip())


def _loses(
    theirs: Outline, ours: Outline, first: int, steps: Sequence[tuple[str, int, int, int, int]]
) -> bool:
    """Whether a definition is gone and none is there in its place."""
    have = {(it.name, it.scope) for it in theirs.units}
    had = {(it.name, it.scope) for it in ours.units}
    for unit in ours.units:
        if (unit.name, unit.scope) in have:
            continue
        for kind, a, b, c, d in steps:
            if a <= unit.first - first < b:
                new = [it for it in theirs.units if c <= it.first < d and (it.name, it.scope) not in had]
                if kind != "replace" or not new:
                    return True
    return False


def _ends_with_use(steps: Sequence[tuple[str, int, int, int, int]], theirs: Outline) -> bool:
    """Whether lines come at the very end that define nothing: they may be an example of use."""
    kind, _, _, c, d = steps[-1]
    return kind == "insert" and not any(c <= it.first < d and it.kind != "value" for it in theirs.units)
