"""Pure: the imports that an answer brings along, put among those that a document has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chat.edits_lexical import family, is_comment, scan
from chat.edits_types import LineEdit, Unclear
from chat.edits_units import Outline

_STARTS = {
    "python": re.compile(r"(?:import|from)\s+[\w.]+"),
    "javascript": re.compile(r"import\b(?!\s*\()|(?:const|let|var)\s+[^=]+=\s*require\("),
    "java": re.compile(r"(?:import|using)\s+[\w.]+"),
    "go": re.compile(r"import\b"),
    "rust": re.compile(r"(?:pub\s+)?use\s+[\w:]+"),
    "c": re.compile(r"#\s*include\b"),
}
SAYS = "Adds imports"
_NEEDS_NO_OTHERS = frozenset({"python", "javascript"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import statement; lines are counted from 0, ``last`` is its own last line."""

    first: int
    last: int
    text: str


def imports(lines: Sequence[str], language: str) -> tuple[Import, ...]:
    """The import statements at the left edge."""
    starts = _STARTS.get(family(language))
    if starts is None:
        return ()
    seen = scan("\n".join(lines), language)
    found: list[Import] = []
    for at, line in enumerate(lines):
        if not starts.match(line) or seen.inside[at]:
            continue
        last = at
        while last + 1 < len(lines) and seen.inside[last + 1]:
            last += 1
        found.append(Import(first=at, last=last, text="\n".join(lines[at : last + 1])))
    return tuple(found)


def add(new: Sequence[Import], ours: Outline, language: str, path: str) -> list[LineEdit]:
    """What the document does not have: in the place of what brings in less, or behind the last one."""
    have = imports(ours.lines, language)
    everything = {name for it in have for name in _names(it.text, language)}
    missing = [it for it in new if not _names(it.text, language) <= everything]
    if not missing:
        return []
    if any("__future__" in it.text for it in missing):
        raise Unclear(f"The answer changes how `{path}` is read as a whole (`from __future__`).")
    units = ours.inside()
    end = units[0].lead if units else len(ours.lines)
    above = [it for it in have if it.last < end] or list(have[:1])
    if language == "go":
        return _into_go(missing, above, ours.lines, everything, path)
    found: list[LineEdit] = []
    rows: list[str] = []
    for it in missing:
        old = _less(it, have, language, path)
        lines = tuple(it.text.split("\n"))
        if old:
            found.append(LineEdit(first=old.first, last=old.last + 1, texts=lines, says=SAYS))
        else:
            rows += lines
    if not rows:
        return found
    if above:
        last = above[-1].last + 1
        return [*found, LineEdit(first=last, last=last, texts=tuple(rows), says=SAYS)]
    if family(language) not in _NEEDS_NO_OTHERS:
        raise Unclear(f"The answer needs imports, and `{path}` has none that would say where they go.")
    first = _behind_head(ours, language)
    return [*found, LineEdit(first=first, last=first, texts=(*rows, ""), says=SAYS)]


def _less(new: Import, have: Sequence[Import], language: str, path: str) -> Import | None:
    """The statement that brings in a part of what the new one does; no name is brought in twice."""
    names = _names(new.text, language)
    shared = [it for it in have if _names(it.text, language) & names]
    if len(shared) == 1 and _names(shared[0].text, language) < names:
        return shared[0]
    if shared and family(language) in ("javascript", "rust"):
        raise Unclear(f"The answer imports again what `{path}` imports in another way.")
    return None


def _into_go(
    missing: list[Import], above: list[Import], lines: Sequence[str], everything: set[str], path: str
) -> list[LineEdit]:
    names = [it for found in missing for it in sorted(_names(found.text, "go")) if it not in everything]
    if not above:
        raise Unclear(f"The answer needs imports, and `{path}` has none that would say where they go.")
    last = above[-1]
    if lines[last.last].strip() == ")":
        rows = tuple(f"\t{it}" for it in names)
        return [LineEdit(first=last.last, last=last.last, texts=rows, says=SAYS)]
    rows = tuple(f"import {it}" for it in names)
    return [LineEdit(first=last.last + 1, last=last.last + 1, texts=rows, says=SAYS)]


def _names(text: str, language: str) -> frozenset[str]:
    """What a statement brings in, so that one that brings in more has it, too."""
    flat = re.sub(r"\s+", " ", text).strip().rstrip(";")
    kind = family(language)
    if kind == "go":
        return frozenset(re.findall(r"(?:[\w.]+ )?\"[^\"]+\"", flat.removeprefix("import")))
    if kind == "python" and (found := re.match(r"from ([\w.]+) import \(?([^#)]*)\)?", flat)):
        return frozenset(f"{found[1]}:{it.strip()}" for it in found[2].split(",") if it.strip())
    if kind == "python":
        return frozenset(it.strip() for it in flat.removeprefix("import ").split(",") if it.strip())
    if kind == "javascript" and (found := re.match(r"import (?:type )?(.*) from (.*)", flat)):
        whole = re.sub(r"[{}]", ",", found[1]).split(",")
        return frozenset(f"{_plain(found[2])}:{it.strip()}" for it in whole if it.strip())
    if kind == "rust" and (found := re.match(r"(?:pub )?use ([\w:]+?)(?:::\{([^{}]*)\})?$", flat)):
        names = [it.strip() for it in (found[2] or "self").split(",") if it.strip()]
        return frozenset(found[1] if it == "self" else f"{found[1]}::{it}" for it in names)
    return frozenset({_plain(flat)})


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", text).replace("'", '"')


def _behind_head(ours: Outline, language: str) -> int:
    """Behind the comments and the text that a file begins with."""
    lines = ours.lines
    at = 0
    while at < len(lines):
        text = lines[at].strip()
        is_text = language == "python" and text.startswith(('"""', "'''", 'r"""'))
        if (
            ours.scan.inside[at] == -1
            or is_text
            or (text and is_comment(lines[at]))
            or text.startswith("#!")
            or (not text and at + 1 < len(lines) and at and is_comment(lines[at - 1]))
            or text in ("'use strict';", '"use strict";')
            or not text
        ):
            at += 1
        else:
            return at
    return at
