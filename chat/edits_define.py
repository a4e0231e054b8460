"""Pure: definitions that an answer gives, in the place of those of the same name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from chat.edits_elide import expand, is_elision, stripped
from chat.edits_indent import indent_of, rooted, shifted, unit_of
from chat.edits_lexical import family, is_comment
from chat.edits_lines import claimed, compare
from chat.edits_types import LineEdit, Source, Unclear
from chat.edits_units import Outline, Unit, is_decorator


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An answer and the document it is about, both as outlines."""

    source: Source
    theirs: Outline
    ours: Outline
    appends: bool
    documents: bool


def place_units(pair: Pair, new: Sequence[Unit], within: Unit | None) -> list[LineEdit]:
    """The edits for definitions that stand side by side; ``within`` is the document's one around them."""
    matched = {it.first: _match(pair, it, within) for it in new}
    found: list[LineEdit] = []
    for at, it in enumerate(new):
        old = matched[it.first]
        if old is not None:
            found += _replaced(pair, it, old)
        else:
            found.append(_added(pair, new, at, matched, within))
    return found


def _match(pair: Pair, unit: Unit, within: Unit | None) -> Unit | None:
    """The document's definition of that name; `Unclear` if there are several that it may be."""
    pool = pair.ours.inside(within) if within else pair.ours.units
    found = [it for it in pool if it.name == unit.name and _is_kind(pair, it, unit)]
    if pair.source.language == "go":
        found = [it for it in found if it.scope == unit.scope]
    if unit.kind == "value" and within is None:
        found = [it for it in found if not it.scope]
        _no_inner_value(pair, unit, found)
    header = _header(pair.theirs, unit)
    narrowings = (
        [it for it in found if _header(pair.ours, it) == header],
        [it for it in found if _decorators(pair, pair.ours, it) == _decorators(pair, pair.theirs, unit)],
        [it for it in found if _is_asked(pair.source, it)],
        [it for it in found if _has_self(pair.ours, it) == _has_self(pair.theirs, unit)],
    )
    if 1 < len(found):
        one = [it[0] for it in narrowings if len(it) == 1]
        if not one or any(it != one[0] for it in one):
            raise Unclear(
                f"`{unit.name}` is defined more than once in `{pair.source.path}`, "
                "so it is not clear which is meant."
            )
        found = one[:1]
    if found and _is_in_function(pair, found[0]) and _header(pair.ours, found[0]) != header:
        raise Unclear(f"`{unit.name}` in `{pair.source.path}` is within another function.")
    if found and _language(pair) == "python":
        theirs, ours = _has_self(pair.theirs, unit), _has_self(pair.ours, found[0])
        where = "the answer", f"`{pair.source.path}`"
        if theirs != ours:
            raise Unclear(f"`{unit.name}` is a method in {where[ours]}, but not in {where[theirs]}.")
    return found[0] if found else None


def _is_in_function(pair: Pair, unit: Unit) -> bool:
    return any(it.kind == "function" and it.first < unit.first <= it.last for it in pair.ours.units)


def _no_inner_value(pair: Pair, unit: Unit, found: list[Unit]) -> None:
    """A name that is also assigned somewhere deeper may mean that place."""
    pattern = re.compile(rf"\s+(?:(?:const|let|var)\s+)?{re.escape(unit.name)}\s*(?::[^=]*)?=(?!=)")
    if found and any(pattern.match(it) for it in pair.ours.lines):
        raise Unclear(f"`{unit.name}` is assigned in several places in `{pair.source.path}`.")


def _is_kind(pair: Pair, old: Unit, unit: Unit) -> bool:
    """In JavaScript a function may become a constant that holds one (`const f = () => …`), and back."""
    if old.kind == unit.kind:
        return True
    if "type" in (old.kind, unit.kind) or _language(pair) != "javascript":
        return False
    outline, value = (pair.theirs, unit) if unit.kind == "value" else (pair.ours, old)
    return bool(re.search(r"=>|=\s*(?:async\s+)?function\b", _spaced_header(outline, value)))


def _header(outline: Outline, unit: Unit) -> str:
    return "".join("".join(outline.lines[unit.first : unit.header + 1]).split())


def _decorators(pair: Pair, outline: Outline, unit: Unit) -> list[str]:
    above = outline.lines[unit.lead : unit.first]
    return [it.strip() for it in above if not is_comment(it) or is_decorator(it, pair.source.language)]


def _has_self(outline: Outline, unit: Unit) -> bool:
    return bool(re.search(r"\(\s*&?\s*(?:'\w+\s+)?(?:mut\s+)?(?:self|cls)\b", _spaced_header(outline, unit)))


def _spaced_header(outline: Outline, unit: Unit) -> str:
    return " ".join(outline.lines[unit.first : unit.header + 1])


def _is_asked(source: Source, unit: Unit) -> bool:
    if not source.focus:
        return False
    first, last = source.focus[0] - 1, source.focus[1] - 1
    return unit.lead <= last and first <= unit.last and (unit.first <= first or last <= unit.last)


def _language(pair: Pair) -> str:
    return family(pair.source.language)


# One definition in the place of another.


def _replaced(pair: Pair, unit: Unit, old: Unit) -> list[LineEdit]:
    members, ours = pair.theirs.inside(unit), pair.ours.inside(old)
    is_container = unit.kind == "type" and old.kind == "type" and any(it.kind == "function" for it in ours)
    if is_container and _is_partial(pair, unit, old):
        return _within(pair, unit, old, members)
    body = _moved(pair, pair.theirs.lines[unit.first : unit.last + 1], old)
    lines = pair.ours.lines
    known = stripped(lines[old.first : old.last + 1])
    if any(is_elision(it, known) for it in body):
        sizes = unit.header - unit.first + 1, old.header - old.first + 1
        body = expand(body, lines[old.first : old.last + 1], sizes)
    lead = _lead(pair, unit, old)
    new = [*lead, *body]
    found = compare(lines[old.lead : old.last + 1], new, old.lead, f"Changes `{unit.name}`")
    return claimed(found, old.lead, old.last, new)


def _moved(pair: Pair, new: Sequence[str], old: Unit) -> list[str]:
    """Lines moved to where the old definition stands; lines that it has just so stay just so."""
    ours, target = pair.ours.lines, indent_of(pair.ours.lines[old.first])
    new = rooted(new, target)
    base = indent_of(next((it for it in new if it.strip()), ""))
    unit = unit_of(ours[old.first : old.last + 1]) or unit_of(ours)
    if base == target and (unit_of(new) in ("", unit) or not unit):
        return list(new)
    exact = set(ours[old.first : old.last + 1]) if base != target else set()
    return [one if one in exact and indent_of(one) == "" else other
            for one, other in zip(new, shifted(new, base, target, unit), strict=True)]  # fmt: skip


def _lead(pair: Pair, unit: Unit, old: Unit) -> list[str]:
    """The comments and decorators above: those of the answer where it has any, else the document's."""
    language = pair.source.language
    ours = list(pair.ours.lines[old.lead : old.first])
    new = _moved(pair, pair.theirs.lines[unit.lead : unit.first], old)
    new = [it for it in new if not is_elision(it)]
    theirs_said, theirs_set = _parts(new, language)
    ours_said, ours_set = _parts(ours, language)
    if theirs_said and not ours_said and not _documents(pair, theirs_said, unit.name):
        theirs_said = []
    said, set_ = theirs_said or ours_said, theirs_set or ours_set
    if said == ours_said and set_ == ours_set:
        return ours
    return [*said, *set_]


def _parts(lines: Sequence[str], language: str) -> tuple[list[str], list[str]]:
    """What is said above a definition, and what is set."""
    said: list[str] = []
    set_: list[str] = []
    for it in lines:
        is_said = is_comment(it) and not is_decorator(it, language)
        (said if is_said and not set_ else set_).append(it)
    return said, set_


def _documents(pair: Pair, said: list[str], name: str) -> bool:
    """Whether comments are for the reader of the code, not for the one who asked."""
    first = said[0].strip()
    return (
        pair.documents
        or first.startswith(("/**", "///", "//!"))
        or (pair.source.language == "go" and first.startswith(f"// {name}"))
    )


# A class of which only some is given.


def _is_partial(pair: Pair, unit: Unit, old: Unit) -> bool:
    """Whether a class lacks something that the document's has."""
    theirs, ours = pair.theirs.inside(unit), pair.ours.inside(old)
    names = Counter(it.name for it in ours if it.kind == "function")
    names.subtract(it.name for it in theirs if it.kind == "function")
    if any(0 < it for it in names.values()):
        return True
    known = stripped(pair.ours.lines[old.first : old.last + 1])
    if any(is_elision(it, known) for it in pair.theirs.lines[unit.first : unit.last + 1]):
        return any(is_elision(it, known) for it in _rest(pair.theirs, unit, theirs))
    mine = Counter(it.strip() for it in _rest(pair.ours, old, ours) if it.strip() and not is_comment(it))
    given = Counter(it.strip() for it in _rest(pair.theirs, unit, theirs) if it.strip())
    return (given - mine).total() < (mine - given).total()


def _rest(outline: Outline, unit: Unit, members: Sequence[Unit]) -> list[str]:
    """The lines of a class that belong to none of its members."""
    taken = {at for it in members for at in range(it.lead, it.last + 1)}
    return [outline.lines[at] for at in range(unit.header + 1, unit.last + 1) if at not in taken]


def _within(pair: Pair, unit: Unit, old: Unit, members: Sequence[Unit]) -> list[LineEdit]:
    """The members that are given; the others stay as they are."""
    lines = pair.ours.lines
    mine = stripped(_rest(pair.ours, old, pair.ours.inside(old)))
    for it in _rest(pair.theirs, unit, members):
        text = it.strip()
        if (
            text
            and text not in mine
            and not is_elision(it, mine)
            and not is_comment(it)
            and text.strip("}); ")
        ):
            raise Unclear(
                f"The answer gives only a part of `{unit.name}`, "
                f"and it is not clear where “{text[:60]}” belongs."
            )
    found: list[LineEdit] = []
    if _header(pair.theirs, unit) != _header(pair.ours, old):
        header = _moved(pair, pair.theirs.lines[unit.first : unit.header + 1], old)
        found = compare(lines[old.first : old.header + 1], header, old.first, f"Changes `{unit.name}`")
    return found + place_units(pair, members, old)


# A definition that the document does not have.


def _added(
    pair: Pair, new: Sequence[Unit], at: int, matched: dict[int, Unit | None], within: Unit | None
) -> LineEdit:
    """A new definition beside the one that the answer has it beside."""
    unit = new[at]
    says = f"Adds `{unit.name}`"
    before = next((old for it in reversed(new[:at]) if (old := matched[it.first])), None)
    after = next((old for it in new[at:] if (old := matched[it.first])), None)
    beside = before or after
    lines = pair.theirs.lines[unit.lead : unit.last + 1]
    if any(is_elision(it) and (it.strip() != "..." or not _is_stub(pair, unit)) for it in lines):
        raise Unclear(f"The answer leaves out code in `{unit.name}`, which is not in `{pair.source.path}`.")
    if beside is None:
        if pair.appends and within is None and _stands_alone(pair, unit):
            return _appended(pair, lines, says)
        raise Unclear(
            f"`{unit.name}` is not in `{pair.source.path}`, and the answer does not say where it belongs."
        )
    if unit.kind == "value" and within is None and all(it.kind == "value" for it in new[at:]):
        raise Unclear(f"It is not clear whether `{unit.name}` is a part of the change or shows its use.")
    if within is None and beside.scope and _language(pair) != "go" and not _is_member(pair, unit):
        raise Unclear(
            f"It is not clear whether `{unit.name}` is to stand beside `{beside.name}` "
            "or outside of its class."
        )
    if within is None and not beside.scope and _has_self(pair.theirs, unit):
        raise Unclear(f"`{unit.name}` is a method, and it is not clear of what.")
    rows = _moved(pair, lines, beside)
    blanks = [""] * _gap(pair, beside, unit)
    if before:
        return LineEdit(first=beside.last + 1, last=beside.last + 1, texts=(*blanks, *rows), says=says)
    return LineEdit(first=beside.lead, last=beside.lead, texts=(*rows, *blanks), says=says)


def _stands_alone(pair: Pair, unit: Unit) -> bool:
    """Whether a definition may stand on top of a file."""
    return unit.kind == "type" or not (_has_self(pair.theirs, unit) or _language(pair) == "java")


def _is_stub(pair: Pair, unit: Unit) -> bool:
    """Whether three dots are all that a definition has: in Python that is a body."""
    body = [it.strip() for it in pair.theirs.lines[unit.header + 1 : unit.last + 1] if it.strip()]
    return _language(pair) == "python" and body == ["..."]


def _is_member(pair: Pair, unit: Unit) -> bool:
    """Whether a definition can only stand in a class."""
    language, header = _language(pair), _spaced_header(pair.theirs, unit)
    if language in ("python", "rust"):
        return _has_self(pair.theirs, unit)
    if language == "javascript":
        return unit.kind == "function" and not re.match(
            r"\s*(?:export\s+)?(?:default\s+)?(?:async\s+)?function\b", header
        )
    return unit.kind == "function" and language == "java"


def _gap(pair: Pair, beside: Unit, unit: Unit) -> int:
    """How many blank lines stand between definitions here."""
    if unit.kind == beside.kind == "value":
        return 0
    units = [it for it in pair.ours.inside() if it.kind != "value"]
    if beside.scope:
        return 1
    gaps = [other.lead - one.last - 1 for one, other in pairwise(units)]
    usual = 2 if _language(pair) == "python" else 1
    return min(max(gaps[0], 1), 2) if gaps else usual


def _appended(pair: Pair, rows: Sequence[str], says: str) -> LineEdit:
    lines = pair.ours.lines
    end = max((at for at, it in enumerate(lines) if it.strip()), default=-1) + 1
    blanks = [""] * (2 if _language(pair) == "python" else 1)
    return LineEdit(first=end, last=end, texts=(*blanks, *rows), says=says)
