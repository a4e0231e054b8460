"""Pure: the styles of Python's docstrings: which one a file has, and what a docstring in it says where."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from chat import shape_python
from chat.docstrings_items import Item, There
from chat.naming import GAP
from chat.shape import Parameter, Shape

Style = Literal["google", "numpy", "rest", "plain"]

_GOOGLE = re.compile(r"^[ \t]*(?:Args|Arguments|Returns|Raises|Yields|Attributes):[ \t]*$", re.MULTILINE)
_NUMPY = re.compile(
    r"^[ \t]*(?:Parameters|Returns|Raises|Yields|Attributes)[ \t]*\n[ \t]*-{3,}", re.MULTILINE
)
_REST = re.compile(r"^[ \t]*:(?:param|type|returns?|rtype|raises?|ivar)\b[^:\n]*:", re.MULTILINE)
_GOOGLE_TYPE = re.compile(r"^[ \t]+\*{0,2}\w+ \([^()\n]+\):", re.MULTILINE)
FIELDS, PARAMETERS, RESULT, ERRORS = -1, 0, 1, 2
_RANKS = {
    "args": PARAMETERS, "arguments": PARAMETERS, "parameters": PARAMETERS, "params": PARAMETERS,
    "other parameters": PARAMETERS, "keyword args": PARAMETERS, "keyword arguments": PARAMETERS,
    "returns": RESULT, "return": RESULT, "yields": RESULT, "yield": RESULT, "raises": ERRORS,
    "attributes": FIELDS,
}  # fmt: skip
_OTHERS = {"example", "examples", "note", "notes", "see also", "references", "warning", "warnings", "todo"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a file writes its docstrings."""

    style: Style
    third: bool = False
    """Whether summaries say "Returns" and not "Return"."""
    types: bool = False
    """Whether types are said again in them."""
    below: bool = False
    """Whether a text of several lines begins on the line below the quotes."""
    quotes: str = '"""'
    says_return: bool = False
    """``:return:`` and not ``:returns:``."""


def texts(text: str) -> tuple[str, ...]:
    """The docstrings of the functions and classes of a file; none if it cannot be read."""
    found = shape_python.module(text)
    if found is None:
        return ()
    raw = (ast.get_docstring(it, clean=False) for it, _ in shape_python.definitions(found.tree))
    return tuple(it for it in raw if it)


def manner(docs: Sequence[str], text: str, fallback: Manner | None = None) -> Manner | None:
    """How most of these docstrings are written; the fallback, if there are none."""
    if not docs:
        return fallback
    counts: dict[Style, int] = {
        "google": sum(bool(_GOOGLE.search(it)) for it in docs),
        "numpy": sum(bool(_NUMPY.search(it)) for it in docs),
        "rest": sum(bool(_REST.search(it)) for it in docs),
    }
    best = max(counts, key=lambda it: counts[it])
    long = [it for it in docs if "\n" in it.strip()]
    firsts = [it.split()[0] for it in docs if it.split()]
    thirds = sum(it.endswith("s") and not it.endswith("ss") and it[:1].isupper() for it in firsts)
    return Manner(
        style=best if counts[best] else "plain",
        third=len(firsts) < 2 * thirds,
        types=any(":type " in it for it in docs) if best == "rest" else any(map(_GOOGLE_TYPE.search, docs)),
        below=bool(long) and len(long) < 2 * sum(it.lstrip(" ").startswith("\n") for it in long),
        quotes="'''" if text.count("'''") > text.count('"""') else '"""',
        says_return=any(":return:" in it for it in docs),
    )


def style_of(doc: str) -> Style:
    """The style that one docstring shows."""
    if _NUMPY.search(doc):
        return "numpy"
    if _GOOGLE.search(doc):
        return "google"
    return "rest" if _REST.search(doc) else "plain"


def items(shape: Shape, manner: Manner) -> tuple[Item, ...]:
    """What a docstring of this style shall say beside its summary."""
    if manner.style == "plain":
        return ()
    is_fields = shape.what == "class"
    found = [_parameter(it, manner, is_fields) for it in shape.parameters if it.name.strip("_")]
    if not is_fields and not shape.is_property and not shape.is_constructor:
        if shape.body is not None and shape.body.yields:
            found.append(_result(shape, manner, "Yields"))
        elif shape.gives:
            found.append(_result(shape, manner, "Returns"))
    if not is_fields:
        found += [_error(it, manner) for it in shape.raised]
    return tuple(found)


def shown(it: Parameter) -> str:
    """A parameter's name, with its stars."""
    return {"rest": "*", "keywords": "**"}.get(it.kind, "") + it.name


def _parameter(it: Parameter, manner: Manner, is_field: bool) -> Item:
    name, optional = shown(it), ", optional" if it.is_optional else ""
    rank = FIELDS if is_field else PARAMETERS
    if manner.style == "numpy":
        kind = f" : {it.type}{optional}" if it.type else f" : {optional[2:]}" if optional else ""
        lines: tuple[str, ...] = (f"{name}{kind}", f"    {GAP}")
    elif manner.style == "google":
        lines = (f"{name} ({it.type}{optional}): {GAP}" if manner.types and it.type else f"{name}: {GAP}",)
    else:
        word = "ivar" if is_field else "param"
        escaped = name.replace("*", "\\*")
        types = (f":type {escaped}: {it.type}",) if manner.types and it.type else ()
        lines = (f":{word} {escaped}: {GAP}", *types)
    return Item(rank=rank, key=it.name, lines=lines)


def _result(shape: Shape, manner: Manner, word: str) -> Item:
    type_ = shape.returns
    if word == "Yields" and (inner := re.match(r"^(?:\w+\.)*\w*(?:Iterat|Generat)\w*\[([^,\[\]]+)", type_)):
        type_ = inner[1]
    if manner.style == "numpy":
        lines: tuple[str, ...] = (type_, f"    {GAP}") if type_ else (GAP,)
    elif manner.style == "google":
        lines = (f"{type_}: {GAP}" if manner.types and type_ else GAP,)
    else:
        said = {"Yields": "yields", "Returns": "return" if manner.says_return else "returns"}[word]
        types = (f":rtype: {type_}",) if manner.types and type_ else ()
        lines = (f":{said}: {GAP}", *types)
    return Item(rank=RESULT, key=word, lines=lines)


def _error(name: str, manner: Manner) -> Item:
    if manner.style == "numpy":
        lines: tuple[str, ...] = (name, f"    {GAP}")
    elif manner.style == "google":
        lines = (f"{name}: {GAP}",)
    else:
        lines = (f":raises {name}: {GAP}",)
    return Item(rank=ERRORS, key=name, lines=lines)


def headed(group: Sequence[Item], style: Style) -> list[str]:
    """Parts of one rank under their heading."""
    rank = group[0].rank
    rows = [line for it in group for line in it.lines]
    if style == "rest":
        return rows
    names = {FIELDS: "Attributes", RESULT: group[0].key, ERRORS: "Raises"}
    if style == "numpy":
        heading = names.get(rank, "Parameters")
        return [heading, "-" * len(heading), *rows]
    return [f"{names.get(rank, 'Args')}:", *(f"    {it}" for it in rows)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section that is there: its heading's line, where its parts begin, and where it ends."""

    rank: int | None
    head: int
    first: int
    end: int


def sections(lines: Sequence[str], style: Style) -> tuple[Section, ...]:
    """The sections of a docstring's lines."""
    heads: list[tuple[int, int, int | None]] = []
    for at, line in enumerate(lines):
        word = line.strip().lower()
        if style == "google" and word.endswith(":") and (word[:-1] in _RANKS or word[:-1] in _OTHERS):
            heads.append((at, at + 1, _RANKS.get(word[:-1])))
        elif style == "numpy" and at + 1 < len(lines) and re.fullmatch(r"\s*-{3,}\s*", lines[at + 1]):
            heads.append((at, at + 2, _RANKS.get(word)))
    found = []
    for number, (head, first, rank) in enumerate(heads):
        end = heads[number + 1][0] if number + 1 < len(heads) else len(lines)
        while first < end and not lines[end - 1].strip():
            end -= 1
        found.append(Section(rank=rank, head=head, first=first, end=end))
    return tuple(found)


def there(lines: Sequence[str], style: Style) -> tuple[There, ...]:
    """The parts that a docstring has."""
    if style == "rest":
        return tuple(_of_rest(lines))
    found: list[There] = []
    for section in sections(lines, style):
        if section.rank == RESULT:
            word = "Yields" if lines[section.head].strip().lower().startswith("yield") else "Returns"
            found.append(There(rank=RESULT, key=word, first=section.head, end=section.end))
        elif section.rank is not None:
            found += _entries(lines, section, section.rank, style)
    return tuple(found)


def _entries(lines: Sequence[str], section: Section, rank: int, style: Style) -> Iterable[There]:
    pattern = re.compile(
        r"(\s*)(?P<names>[*\w.]+(?:,\s*[*\w.]+)*)\s*(?::|$)"
        if style == "numpy"
        else r"(\s+)(?P<names>[*\w.\\]+)\s*(?:\([^)]*\))?\s*:"
    )
    filled = [at for at in range(section.first, section.end) if lines[at].strip()]
    if not filled:
        return
    depth = min(len(lines[at]) - len(lines[at].lstrip()) for at in filled)
    starts = []
    for at in filled:
        hit = pattern.match(lines[at])
        if hit and len(hit[1]) == depth:
            starts.append((at, hit["names"]))
    for number, (at, names) in enumerate(starts):
        end = starts[number + 1][0] if number + 1 < len(starts) else section.end
        while at + 1 < end and not lines[end - 1].strip():
            end -= 1
        for name in names.split(","):
            yield There(rank=rank, key=name.strip().lstrip("*\\"), first=at, end=end)


_FIELD = re.compile(
    r"^\s*:(?P<word>param|parameter|arg|type|returns?|rtype|yields?|raises?|except|ivar|vartype)\b"
    r"(?P<rest>[^:]*):"
)


def _of_rest(lines: Sequence[str]) -> Iterable[There]:
    starts = [(at, hit) for at, line in enumerate(lines) if (hit := _FIELD.match(line))]
    for number, (at, hit) in enumerate(starts):
        end = starts[number + 1][0] if number + 1 < len(starts) else at + 1
        while number + 1 == len(starts) and end < len(lines) and lines[end].strip():
            end += 1
        while at + 1 < end and not lines[end - 1].strip():
            end -= 1
        word, rest = hit["word"], hit["rest"].split()
        name = rest[-1].replace("\\", "").lstrip("*") if rest else ""
        if word in ("returns", "return", "rtype", "yields", "yield"):
            yield There(rank=RESULT, key="Yields" if "yield" in word else "Returns", first=at, end=end)
        elif word in ("raises", "raise", "except"):
            yield There(rank=ERRORS, key=name, first=at, end=end)
        elif word in ("ivar", "vartype"):
            yield There(rank=FIELDS, key=name, first=at, end=end)
        else:
            yield There(rank=PARAMETERS, key=name, first=at, end=end)
