"""What there is to say of one definition without a model: its head, documentation, import, calls, code."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from chat.code import Call, Code, Symbol
from chat.extract_import import import_of
from chat.extract_page import Page, block, code, prose, sentence
from chat.extract_source import body, documentation, head, is_list, statement
from codeindex.query import Place, asked_for
from codeindex.rank_places import places
from codeindex.types import Kind, SymbolRow

MOST_CALLS = 60  # That are counted; more are said to be so many or more.
EXAMPLES = 3
MEMBERS = 12
METHODS = 8
MAKERS = frozenset({"__init__", "constructor", "__new__"})
BODY = 28  # Lines of a definition that is shown whole.
CLASSES = frozenset({Kind.CLASS, Kind.INTERFACE, Kind.ENUM, Kind.TYPE, Kind.MODULE})
VALUES = frozenset({Kind.CONSTANT, Kind.VARIABLE})
CALLABLE = frozenset({Kind.FUNCTION, Kind.METHOD, Kind.MACRO})
ORDER = {it: place for place, it in enumerate((
    Kind.CLASS, Kind.INTERFACE, Kind.FUNCTION, Kind.TYPE, Kind.ENUM, Kind.METHOD, Kind.MACRO, Kind.MODULE,
    Kind.CONSTANT, Kind.VARIABLE, Kind.SECTION,
))}  # fmt: skip
WORDS = "async|def|export|default|public|static|fn|func|pub|function|class"
PROPERTY = re.compile(r"^@(?:\w+\.)*(?:cached_)?property\b", re.MULTILINE)
WITH = re.compile(r"^@(?:\w+\.)*(?:async)?contextmanager\b", re.MULTILINE)
FIXTURE = re.compile(r"^@(?:\w+\.)*fixture\b", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A definition as its file has it now."""

    path: str
    row: SymbolRow
    lines: Sequence[str]
    """Of the whole file."""

    @property
    def name(self) -> str:
        """With the names around it."""
        return qualified(self.row)


async def find(code_: Code, names: Iterable[str], *, path: str = "", text: str = "") -> tuple[Symbol, ...]:
    """The definitions of the first name that has any, the likeliest to be meant first."""
    for name in names:
        plain = name.replace("::", ".").replace("->", ".").replace("#", ".").rstrip("()")
        scope, _, last = plain.rpartition(".")
        found = await code_.symbols(plain, limit=60)
        if scope and not any(it.row.name == last for it in found):
            # What stands before the dot may be a module, or a variable that is called like its class.
            found = tuple(it for it in await code_.symbols(last, limit=60) if _fits(it, scope))
        exact = [it for it in found if it.row.name == last]
        same = exact or [it for it in found if it.row.name.lower() == last.lower() and 2 < len(last)]
        if same:
            wanted = asked_for(text)
            around = scope.rpartition(".")[2].lower()
            return tuple(_once(sorted(same, key=lambda it: _distance(it, path, around, wanted))))
    return ()


async def near(code_: Code, name: str) -> tuple[Symbol, ...]:
    """Definitions that are called a little like it."""
    last = re.split(r"[.:#>]+", name.rstrip("()"))[-1]
    found = list(await code_.symbols(last, limit=8))
    parts = [it for it in re.split(r"_|(?<=[a-z])(?=[A-Z])", last) if 3 < len(it)]
    for it in sorted(parts, key=len, reverse=True)[:2]:
        if len(found) < 4:
            found += await code_.symbols(it, limit=6)
    kept = [it for it in found if it.row.kind is not Kind.SECTION]
    return tuple({it.row.name: it for it in reversed(kept)}.values())[::-1][:5]


async def show(code_: Code, symbol: Symbol) -> Shown | None:
    """A definition with its file's text; None if it is not there any more."""
    text = await code_.text(symbol.path)
    if text is None:
        return None
    lines = text.split("\n")
    row = symbol.row
    if row.line <= len(lines) and row.name in lines[row.line - 1]:
        return Shown(path=symbol.path, row=row, lines=lines)
    begin = row.signature[:60].rstrip("(:{ ")
    starts = [number for number, it in enumerate(lines, 1) if begin and it.strip().startswith(begin)]
    if not starts:
        return None
    by = min(starts, key=lambda it: abs(it - row.line)) - row.line
    last = min(len(lines), row.last_line + by)
    moved = replace(row, line=row.line + by, first_line=max(1, row.first_line + by), last_line=last)
    return Shown(path=symbol.path, row=moved, lines=lines)


def qualified(row: SymbolRow) -> str:
    """A symbol's name with the names around it."""
    return f"{row.scope}.{row.name}" if row.scope else row.name


def is_test(path: str) -> bool:
    """Whether it is code that tests other code."""
    return Place.TESTS in places(path)


async def how(page: Page, code_: Code, it: Shown) -> None:
    """How it is called: import, head, documentation, and real calls."""
    calls, importers = await asyncio.gather(
        code_.callers(it.row.name, path=it.path, line=it.row.line, limit=MOST_CALLS),
        code_.callers("", path=it.path, limit=50),
    )
    about(page, it)
    brought = import_of(it.path, it.row, importers)
    inside = await code_.outline(it.path) if it.row.kind in CLASSES else ()
    written = "\n".join((head(it.lines, it.row), *made(it, inside)))
    page.code("\n\n".join(part for part in (brought, written) if part), it.row.language)
    documented(page, it)
    members(page, it, inside)
    await examples(page, code_, it, calls)


def about(page: Page, it: Shown) -> None:
    """One sentence: what it is, and where."""
    written = head(it.lines, it.row)
    kind = str(it.row.kind)
    more = ""
    if it.row.kind in CALLABLE:
        if PROPERTY.search(written):
            kind, more = "property", ", read without a call"
        elif FIXTURE.search(written):
            kind, more = "fixture", ", asked for by the name of a parameter"
        elif WITH.search(written):
            more = ", entered by `with`"
        elif re.search(r"^\s*(?:\w+ )*async\b", written, re.MULTILINE):
            more = ", awaited by its callers"
    article = "an" if kind[0] in "aeiou" else "a"
    where = page.link(it.path, it.row.line)
    page.add(f"{code(it.name)} is {article} {kind} in {where}{more}.")


def documented(page: Page, it: Shown) -> None:
    """What its documentation says."""
    doc = documentation(it.lines, it.row)
    if is_list(doc):
        first, _, rest = doc.partition("\n\n")
        if rest and not is_list(first):
            page.add(prose(" ".join(first.split())))
            page.add(block(rest, "text"))
        else:
            page.add(block(doc, "text"))
    else:
        page.add(prose("\n\n".join(" ".join(part.split()) for part in doc.split("\n\n"))))


def made(it: Shown, outline: Sequence[SymbolRow]) -> list[str]:
    """How one of a class is made: its fields, or what its constructor takes; as lines of its body."""
    inside = [row for row in outline if row.scope == it.name and row.line <= len(it.lines)]
    fields = [row for row in inside if row.kind in VALUES and not row.name.startswith("_")]
    lines = [re.sub(r":$", "", it.lines[row.line - 1].strip()) for row in fields[:MEMBERS]]
    lines += ["…"] if MEMBERS < len(fields) else []
    for row in [row for row in inside if row.name in MAKERS][:2]:
        lines += head(it.lines, row).split("\n")
    return [f"    {line}" for line in lines]


def members(page: Page, it: Shown, outline: Sequence[SymbolRow]) -> None:
    """What can be done with one of a class."""
    inside = [row for row in outline if row.scope == it.name and not row.name.startswith("_")]
    methods = [row for row in inside if row.kind in CALLABLE and row.name not in (it.row.name, *MAKERS)]
    for_list = [(row, short(row, is_read=_is_property(it.lines, row))) for row in methods[:METHODS]]
    page.items(f"{page.link(it.path, row.line, label=code(text))}{said(row.doc)}" for row, text in for_list)
    if METHODS < len(methods):
        rest = methods[METHODS:]
        names = ", ".join(page.link(it.path, row.line, label=code(row.name)) for row in rest[:20])
        page.add(f"And {names}{', …' if 20 < len(rest) else ''}.")


def _is_property(lines: Sequence[str], row: SymbolRow) -> bool:
    return any(PROPERTY.match(it.strip()) for it in lines[row.first_line - 1 : row.line - 1])


def short(row: SymbolRow, *, is_read: bool = False) -> str:
    """A signature without the word that begins it; of what is read like a value without brackets."""
    text = re.sub(
        rf"^(?:\s*(?:{WORDS})\b)+\s*",
        "",
        row.signature,
    )
    text = re.sub(r"#\s*type:\s*ignore(?:\[[^\]]*\])?\s*", "", text)
    text = re.sub(r"\((?:self|cls)(?:,\s*|(?=\)))", "(", text).rstrip(" :{")
    if is_read:
        text = text.replace("()", "", 1).replace(" -> ", ": ")
    return (
        text
        if row.name in text and len(text) <= 110
        else f"{row.name}(…)"
        if "(" in row.signature
        else row.name
    )


def said(doc: str) -> str:
    """The first sentence of a documentation, behind what it is about."""
    return f" — {prose(sentence(doc))}" if doc else ""


async def examples(page: Page, code_: Code, it: Shown, calls: Sequence[Call]) -> None:
    """Real calls, the surest and plainest first, and how many there are."""
    others = [
        one
        for one in calls
        if not (one.path == it.path and it.row.first_line <= one.line <= it.row.last_line)
    ]
    real = [one for one in others if one.sure != "by name only"] or others
    if not real:
        page.add(_unused(it))
        return
    best = telling(real, it)
    number = (
        f"{MOST_CALLS} times or more"
        if MOST_CALLS <= len(calls)
        else "once"
        if len(real) == 1
        else f"{len(real)} times"
    )
    files = len({one.path for one in real})
    tests = sum(is_test(one.path) for one in real)
    only = " (only in tests)" if tests == len(real) else f", {tests} of them in tests" if tests else ""
    times = number if files == 1 else f"{number} in {files} files"
    doubt = "By its name, it is called" if all(one.sure == "by name only" for one in real) else "Called"
    listed = []
    for one in best:
        text = await code_.text(one.path)
        listed.append(
            example(
                page, one, statement((text or one.text).split("\n"), one.line if text else 1), it.row.language
            )
        )
    page.add(f"{doubt} {times}{only}{', for example' if len(best) < len(real) else ''}:")
    page.items(listed)


def example(page: Page, call: Call, text: str, language: str) -> str:
    """A call as an item of a list: on its line, or as a block below it."""
    around = f" in {code(call.name)}" if call.name else ""
    where = f"{page.link(call.path, call.line)}{around}"
    if "\n" not in text:
        return f"{where}: {code(text.strip())}"
    return where + "\n" + "\n".join(f"  {it}" for it in block(text, language).split("\n"))


def telling(calls: Sequence[Call], it: Shown) -> list[Call]:
    """The calls to show: sure, in real code, with something between the brackets, each of another file."""
    order = {"certain": 0, "likely": 1, "by name only": 2}

    owner = it.row.scope.rpartition(".")[2].lower().strip("_")

    def cost(one: Call) -> tuple[object, ...]:
        before = re.search(rf"(\w+)(?:\(.*?\))?\s*(?:\?\.|\.|->|::)\s*{re.escape(it.row.name)}\b", one.text)
        receiver = before[1].lower().strip("_") if before else ""
        is_alike = bool(receiver) and (receiver in owner or owner in receiver or receiver in ("self", "this"))
        called = re.search(rf"{re.escape(it.row.name)}\s*\((.*)", one.text)
        has_arguments = called is not None and called[1].strip() and not called[1].startswith(")")
        unlike = bool(owner) and it.row.kind is Kind.METHOD and not is_alike
        plain = (one.path == it.path, not has_arguments, len(one.text))
        return order[one.sure], unlike, bool(places(one.path)), *plain

    ranked = sorted(calls, key=cost)
    first: dict[str, Call] = {}
    for one in ranked:
        first.setdefault(one.path, one)
    return [*first.values(), *(one for one in ranked if one not in first.values())][:EXAMPLES]


def code_of(page: Page, it: Shown, most: int = BODY) -> None:
    """Its code, or as much as fits."""
    page.code(body(it.lines, it.row, most), it.row.language)


def others(page: Page, found: Sequence[Symbol], shown: Shown, most: int = 5) -> None:
    """Other definitions of the same name."""
    rest = [it for it in found if (it.path, it.row.line) != (shown.path, shown.row.line)]
    rest = [it for it in rest if (it.path, it.row.scope) != (shown.path, shown.row.scope)]
    if not rest:
        return
    links = [f"{code(qualified(it.row))} in {page.link(it.path, it.row.line)}" for it in rest[:most]]
    more = f" and {len(rest) - most:,} more" if most < len(rest) else ""
    page.add(f"Also called so: {', '.join(links)}{more}.")


def _unused(it: Shown) -> str:
    if it.row.kind in VALUES or it.row.kind is Kind.SECTION:
        return ""
    return "No call of it was found in this workspace."


def _fits(it: Symbol, scope: str) -> bool:
    """Whether the names before a name are its class, or its file."""
    wanted = scope.rpartition(".")[2].lower().replace("_", "")
    around = {
        *it.row.scope.lower().replace("_", "").split("."),
        *re.split(r"[/.]", it.path.lower().replace("_", "")),
    }
    return wanted in around


def _distance(it: Symbol, path: str, around: str, wanted: Iterable[Place]) -> tuple[object, ...]:
    is_elsewhere = bool(around) and it.row.scope.rpartition(".")[2].lower() != around
    odd = len(places(it.path) - frozenset(wanted))
    order = ORDER[it.row.kind]
    return (
        it.row.kind is Kind.SECTION,
        is_elsewhere,
        it.path != path,
        odd,
        order,
        not it.row.doc,
        it.path,
        it.row.line,
    )


def _once(found: Iterable[Symbol]) -> Iterable[Symbol]:
    """Overloads of one thing are one: the one that says most."""
    best: dict[tuple[str, str], Symbol] = {}
    for it in found:
        key = it.path, it.row.scope
        if key not in best or (not best[key].row.doc and it.row.doc):
            best[key] = it
    return best.values()
