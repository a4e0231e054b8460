"""Pure: code that defines nothing, a body or a few lines: placed where its ends are, or where was asked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from chat import edits_imports
from chat.edits_elide import expand, is_elision, stripped
from chat.edits_indent import indent_of, rooted, shifted, unit_of
from chat.edits_lexical import BY_INDENTATION, is_comment
from chat.edits_lines import claimed, compare
from chat.edits_types import Code, LineEdit, Source, Unclear
from chat.edits_units import Outline, Unit, width

SHARED = 0.5  # A piece has at least this share of lines with what it stands for.
LARGER = 3  # What a piece stands for is not more than so many times as long,
MORE = 5  # and so many lines.


def place_piece(source: Source, theirs: Outline, ours: Outline, code: Code) -> list[LineEdit]:
    """The edits for a piece; `Unclear` if neither it nor a selection says where it belongs."""
    imports = edits_imports.imports(theirs.lines, source.language)
    covered = sum(it.last - it.first + 1 for it in imports)
    if imports and covered == sum(1 for it in theirs.lines if it.strip()):
        return edits_imports.add(imports, ours, source.language, source.path)
    rows = _focus(source, ours)
    if rows:
        return _into_focus(source, theirs, ours, code, rows)
    found = _between_ends(source, theirs.lines, ours, range(len(ours.lines)))
    if found is not None:
        return found
    if code.appends and code.complete and not any(is_elision(it) for it in theirs.lines):
        return _appended(source, theirs, ours, imports)
    raise Unclear(f"The answer does not say where its code belongs in `{source.path}`.")


def _focus(source: Source, ours: Outline) -> range | None:
    if not source.focus:
        return None
    rows = [
        it
        for it in range(max(0, source.focus[0] - 1), min(source.focus[1], len(ours.lines)))
        if ours.lines[it].strip()
    ]
    return range(rows[0], rows[-1] + 1) if rows else None


def _between_ends(source: Source, new: Sequence[str], ours: Outline, rows: range) -> list[LineEdit] | None:
    """From the piece's first line to its last one, if the document has each once and most between them."""
    filled = [it for it in new if it.strip()]
    places: dict[str, list[int]] = {}
    for it in rows:
        places.setdefault(ours.lines[it].strip(), []).append(it)
    first, last = places.get(filled[0].strip(), []), places.get(filled[-1].strip(), [])
    if len(first) != 1 or len(last) != 1 or last[0] - first[0] < min(len(filled) - 1, 1):
        return None
    old = ours.lines[first[0] : last[0] + 1]
    had, has = Counter(it.strip() for it in old if it.strip()), Counter(it.strip() for it in filled)
    shared = (had & has).total()
    left_out = any(is_elision(it, stripped(old)) for it in new)
    if shared < SHARED * (has.total() if left_out else max(had.total(), has.total())):
        return None
    if LARGER * len(filled) + MORE < had.total() and not left_out:
        return None
    return _in_place(source, new, ours, range(first[0], last[0] + 1))


def _in_place(source: Source, new: Sequence[str], ours: Outline, rows: range) -> list[LineEdit]:
    """A piece in the place of these rows, as deep as the first of them."""
    old = ours.lines[rows.start : rows.stop]
    target = indent_of(old[0])
    result = rooted(new, target)
    base = indent_of(result[0])
    if base != target or unit_of(result) != unit_of(ours.lines):
        result = shifted(result, base, target, unit_of(ours.lines))
    if indent_of(result[-1]) != indent_of(old[-1]) and source.language in BY_INDENTATION:
        raise Unclear("The indentation of the answer does not fit that of the document.")
    if any(is_elision(it, stripped(old)) for it in result):
        result = expand(result, old, (0, 0))
    return claimed(compare(old, result, rows.start), rows.start, rows.stop - 1, result)


def _into_focus(source: Source, theirs: Outline, ours: Outline, code: Code, rows: range) -> list[LineEdit]:
    """What was selected is replaced, if it is no definition; of a definition the body or the comment."""
    within = [it for it in ours.units if rows.start <= it.first < rows.stop and it.kind != "value"]
    outer = [it for it in within if it.lead <= rows.start and rows.stop - 1 <= it.last]
    new = theirs.lines
    if outer and code.documents and (documented := _documentation(source, new, ours, outer[0])):
        return documented
    found = _between_ends(source, new, ours, rows)
    if found is not None:
        return found
    if outer:
        return _body(source, new, ours, outer[0])
    if within:
        raise Unclear("The answer gives neither of the definitions that were selected.")
    if any(is_elision(it, stripped(ours.lines)) for it in new):
        raise Unclear("The answer leaves out code, and it is not clear how much.")
    target = _outermost([ours.lines[it] for it in rows])
    rows_new = rooted(new, target)
    moved = shifted(rows_new, _outermost(rows_new), target, unit_of(ours.lines))
    return claimed(
        compare(ours.lines[rows.start : rows.stop], moved, rows.start), rows.start, rows.stop - 1, moved
    )


def _outermost(lines: Sequence[str]) -> str:
    return min((indent_of(it) for it in lines if it.strip()), key=width)


def _body(source: Source, new: Sequence[str], ours: Outline, unit: Unit) -> list[LineEdit]:
    """All of a body: it begins or ends as the old one does, and is not much shorter."""
    is_braces = source.language not in BY_INDENTATION
    rows = range(unit.header + 1, unit.last + (not is_braces))
    old = [it for it in ours.lines[rows.start : rows.stop] if it.strip()]
    filled = [it for it in new if it.strip()]
    ends = old and (old[0].strip() == filled[0].strip() or old[-1].strip() == filled[-1].strip())
    if not ends or len(filled) < SHARED * len(old) or any(is_elision(it, stripped(old)) for it in new):
        raise Unclear(f"The answer gives only a part of `{unit.name}`, and it is not clear which.")
    new = rooted(new, _outermost(old))
    moved = shifted(new, _outermost(new), _outermost(old), unit_of(ours.lines))
    return claimed(
        compare(ours.lines[rows.start : rows.stop], moved, rows.start), rows.start, rows.stop - 1, moved
    )


def _documentation(source: Source, new: Sequence[str], ours: Outline, unit: Unit) -> list[LineEdit]:
    """A docstring or a comment for a definition that has none yet."""
    text = "\n".join(new).strip()
    header = ours.lines[unit.first]
    says = f"Documents `{unit.name}`"
    if source.language == "python" and re.fullmatch(r'(?s)[rR]?("""|\'\'\').*?\1', text):
        first = ours.lines[unit.header + 1].strip() if unit.header < unit.last else ""
        if first.startswith(('"', "'", 'r"')) or unit.header == unit.last:
            return []
        rows = shifted(new, _outermost(new), indent_of(ours.lines[unit.header + 1]), unit_of(ours.lines))
        return [LineEdit(first=unit.header + 1, last=unit.header + 1, texts=tuple(rows), says=says)]
    if source.language != "python" and all(is_comment(it) for it in new if it.strip()):
        above = ours.lines[unit.lead : unit.first]
        if any(is_comment(it) for it in above):
            return []
        rows = shifted(new, _outermost(new), indent_of(header), "")
        return [LineEdit(first=unit.lead, last=unit.lead, texts=tuple(rows), says=says)]
    return []


def _appended(
    source: Source, theirs: Outline, ours: Outline, imports: Sequence[edits_imports.Import]
) -> list[LineEdit]:
    """Tests that are calls and no definitions, at the end of the file."""
    taken = {at for it in imports for at in range(it.first, it.last + 1)}
    rows = [it for at, it in enumerate(theirs.lines) if at not in taken]
    while rows and not rows[0].strip():
        rows = rows[1:]
    if not rows or not theirs.scan.whole:
        raise Unclear("The answer has no code with a beginning and an end.")
    end = max((at for at, it in enumerate(ours.lines) if it.strip()), default=-1) + 1
    found = edits_imports.add(imports, ours, source.language, source.path)
    return [*found, LineEdit(first=end, last=end, texts=("", *rows), says="Adds tests")]
