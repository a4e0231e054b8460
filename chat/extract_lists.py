"""Lists of places: who calls something, what it calls, where its name stands, and all lines of a kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chat.code import Call, Code, Line, Symbol
from chat.extract_concepts import concept_of
from chat.extract_page import Page, code, count, escaped
from chat.extract_source import head
from chat.extract_symbol import Shown, about, documented, is_test, qualified, said, short
from codeindex.rank_places import places
from codeindex.types import Kind

MOST = 200  # Lines that are linked.
COUNTED = 5_000  # Lines: so many are counted.
QUOTED = 36  # Of these, so many with what they say.
FEWEST_OF_A_FILE = 3
MOST_READ = 40  # Files that are read whole to be sure of a name's places.
MODIFIERS = "(?:export|default|public|private|protected|internal|abstract|final|static|sealed|open|data|pub)"
RAISED = re.compile(r"\b([A-Z]\w+(?:Error|Exception|Warning|Failure|Fault))\b")
IMPORTED = re.compile(
    r"\b(?:imports?|depends? on|importing|importier\w+|importan?"
    r"|importent)\s+(?:of\s+)?[`\"']?([A-Za-z_@][\w./@-]*)[`\"']?\W*$",
    re.IGNORECASE,
)
QUOTE = re.compile(r"[\"'“«]([^\"'”»\n]{2,80})[\"'”»]|`([^`\n]{1,80})`")


async def callers(page: Page, code_: Code, it: Shown) -> bool:
    """Who calls it, file by file; whether that is all."""
    found = await code_.callers(it.row.name, path=it.path, line=it.row.line, limit=MOST)
    sure = [one for one in found if one.sure != "by name only"]
    doubtful = [one for one in found if one.sure == "by name only"]
    where = page.link(it.path, it.row.line)
    if not found:
        importers = await code_.callers("", path=it.path, limit=12)
        page.add(f"Nobody in this workspace calls {code(it.name)} ({where}), as far as the syntax says.")
        if importers:
            page.add("These files import its module:")
            page.items(f"{page.link(one.path, one.line)}: {code(one.text)}" for one in importers)
        return True
    files = count(len({one.path for one in sure}), "file")
    if sure:
        times = "once" if len(sure) == 1 else f"at {len(sure)} places in {files}"
        page.add(f"{code(it.name)} ({where}) is called {times}:")
        grouped(page, [_as_line(one) for one in sure])
    if doubtful:
        says = "By their name alone these may be calls of it, too:" if sure else (
            f"Calls of something named {code(it.row.name)}; whether it is {where}, the code does not say:"
        )  # fmt: skip
        page.add(says)
        grouped(page, [_as_line(one) for one in doubtful], quoted=20 if sure else QUOTED)
    return len(found) < MOST


async def tests(page: Page, code_: Code, it: Shown) -> None:
    """Which tests call it, each test once."""
    found = await code_.callers(it.row.name, path=it.path, line=it.row.line, limit=MOST)
    first: dict[tuple[str, str], Call] = {}
    for one in found:
        if is_test(one.path) and one.sure != "by name only":
            first.setdefault((one.path, one.name), one)
    where = page.link(it.path, it.row.line)
    if not first:
        page.add(f"No test of this workspace calls {code(it.name)} ({where}) itself.")
        return
    page.add(f"{count(len(first), 'test calls', 'tests call')} {code(it.name)} ({where}):")
    grouped(page, [_as_line(one) for one in first.values()])


async def callees(page: Page, code_: Code, it: Shown) -> None:
    """What it calls, each once, in the order of its lines."""
    found = await code_.callees(it.row.name, path=it.path, line=it.row.line, limit=MOST)
    where = page.link(it.path, it.row.line)
    best: dict[str, Call] = {}
    order = {"certain": 0, "likely": 1, "by name only": 2}
    for one in sorted(found, key=lambda one: (order[one.sure], one.line)):
        if one.name not in best and one.target is not None:
            best[one.name] = one
    sure = [one for one in best.values() if one.sure != "by name only"]
    if not sure:
        page.add(f"{code(it.name)} ({where}) calls nothing that this workspace defines.")
    else:
        page.add(f"{code(it.name)} ({where}) calls:")
        page.items(_callee(page, one) for one in sorted(sure, key=lambda one: one.line)[:30])
    unsure = [one for one in best.values() if one.sure == "by name only"]
    if unsure:
        names = ", ".join(code(one.name) for one in unsure[:12])
        page.add(f"By name only, so perhaps: {names}.")


async def uses(page: Page, code_: Code, it: Shown) -> bool:
    """Every place of its name, in code; whether it is sure which of them mean it."""
    lines = await code_.lines(rf"(?<!\w){re.escape(it.row.name)}(?!\w)", words=(it.row.name,), limit=MOST)
    # To be sure of each place takes reading all files that have the name.
    is_everywhere = lines.more or MOST_READ < len({one.path for one in lines.lines})
    name, path, line = it.row.name, it.path, it.row.line
    found = () if is_everywhere else await code_.occurrences(name, path=path, line=line)
    if not found:
        page.add(f"Lines with {code(it.row.name)}, {len(lines.lines) + lines.more:,} in all:")
        grouped(page, lines.lines)
        return False
    used = [one for one in found if not one.is_definition]
    shown = [one for one in used if one.sure != "by name only"][:MOST]
    doubtful = [one for one in used if one.sure == "by name only"]
    files = count(len({one.path for one in shown}), "file")
    where = page.link(it.path, it.row.line)
    page.add(f"{code(it.name)} ({where}) stands at {count(len(shown), 'other place')} in {files}:")
    lines_ = []
    texts: dict[str, Sequence[str]] = {}
    for path, number in dict.fromkeys((one.path, one.line) for one in shown):
        if path not in texts:
            texts[path] = (await code_.text(path) or "").split("\n")
        if number <= len(texts[path]):
            lines_.append(Line(path=path, line=number, text=texts[path][number - 1]))
    grouped(page, sorted(lines_, key=lambda one: (len(places(one.path)), one.path, one.line)))
    if doubtful:
        page.add(f"And {count(len(doubtful), 'place')} that have the name and may mean it.")
    return True


async def below(page: Page, code_: Code, name: str, it: Shown | None) -> bool:
    """What inherits from a class or implements it, also one of somebody else's; whether anything does."""
    word = re.escape(name)
    pattern = (
        rf"^\s*class\s+\w+\s*(?:\[[^\]]*\]\s*)?\([^)]*(?<![\w.\"'])(?:\w+\.)*{word}\b"
        rf"|^\s*(?:{MODIFIERS}\s+)*(?:class|struct|interface|object|record|enum|trait)\s+\w+[^{{;]*"
        rf"(?:\bextends\b|\bimplements\b|\bwith\b|:|<)[^{{;]*\b{word}\b"
        rf"|^\s*(?:unsafe\s+)?impl\b[^{{]*\b{word}\b[^{{]*\bfor\b"
    )
    found = await code_.lines(pattern, words=(name,), limit=MOST)
    lines = [one for one in found.lines if it is None or (one.path, one.line) != (it.path, it.row.line)]
    where = f"{code(it.name)} ({page.link(it.path, it.row.line)})" if it else code(name)
    if lines:
        page.add(f"{count(len(lines), 'class is', 'classes are')} based on {where} directly:")
        grouped(page, lines)
    elif it is not None:
        page.add(f"Nothing in this workspace inherits from {where} or implements it by name.")
    return bool(lines)


async def called_by_name(page: Page, code_: Code, name: str) -> bool:
    """Calls of what is defined elsewhere; whether there are any."""
    found = await code_.lines(rf"(?<![\w$]){re.escape(name)}\s*\(", words=(name,), limit=MOST)
    if found.lines:
        number = len(found.lines) + found.more
        page.add(
            f"{code(name)} is not defined in this workspace. {count(number, 'line calls', 'lines call')} it:"
        )
        grouped(page, found.lines)
    return bool(found.lines)


async def everything(page: Page, code_: Code, text: str, names: Sequence[str]) -> bool | None:
    """All lines of the kind that a question asks for; None if lines alone cannot show it."""
    title, pattern, words = _wanted(text, names)
    if not pattern:
        return None
    found = await code_.lines(pattern, words=words, limit=COUNTED)
    if not found.lines:
        page.add(f"**{title}**: no line of this workspace's code shows any.")
        return True
    number = len(found.lines) + found.more
    files = {it.path for it in found.lines}
    beyond = f" The first {MOST} are linked." if MOST < number else ""
    page.add(f"**{title}**: {count(number, 'line')} in {count(len(files), 'file')}.{beyond}")
    grouped(page, found.lines[:MOST])
    return number <= MOST


def grouped(page: Page, lines: Sequence[Line], quoted: int = QUOTED) -> None:
    """Lines under their files; of a file with many the first are quoted, and the others linked."""
    by_file: dict[str, list[Run]] = {}
    for it in runs(lines):
        by_file.setdefault(it.line.path, []).append(it)
    usual = [it for it in by_file if not is_test(it)] or list(by_file)
    tests = [it for it in by_file if it not in usual]
    in_a_file = max(FEWEST_OF_A_FILE, quoted // max(1, len(usual)))
    single: list[str] = []
    for path in usual:
        found = by_file[path]
        if quoted <= 0:
            single.append(_numbers(page, path, found))
        elif len(found) == 1:
            single.append(f"{page.link(path, found[0].line.line, found[0].last)}{_text(found[0].line)}")
            quoted -= 1
        else:
            page.items(single)
            single = []
            quoted -= _file(page, path, found, min(in_a_file, quoted))
    page.items(single)
    if tests:
        number = sum(it.last - it.line.line + 1 for path in tests for it in by_file[path])
        page.add(f"In tests, {count(number, 'line')}:")
        page.items(_numbers(page, path, by_file[path]) for path in tests)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Lines that follow one another."""

    line: Line
    """The first."""
    last: int


def runs(lines: Iterable[Line]) -> list[Run]:
    """Lines that stand directly below each other, in what is likely one statement, are one."""
    found: list[Run] = []
    for it in lines:
        before = found[-1] if found else None
        if before and (before.line.path, before.last + 1, before.line.around) == (
            it.path,
            it.line,
            it.around,
        ):
            found[-1] = Run(line=before.line, last=it.line)
        else:
            found.append(Run(line=it, last=it.line))
    return found


def _file(page: Page, path: str, found: Sequence[Run], most: int) -> int:
    """The lines of one file; how many were quoted."""
    shown = found[: most if most + 1 < len(found) else len(found)]
    items = [f"{page.link(path, it.line.line, it.last, label=_number(it))}{_text(it.line)}" for it in shown]
    rest = found[len(shown) :]
    if rest:
        items.append(
            "also " + ", ".join(page.link(path, it.line.line, it.last, label=_number(it)) for it in rest)
        )
    page.add(
        f"**{page.link(path, found[0].line.line, label=escaped(path))}**\n"
        + "\n".join(f"- {it}" for it in items)
    )
    return len(shown)


def _number(it: Run) -> str:
    return f"{it.line.line}" if it.last == it.line.line else f"{it.line.line}–{it.last}"


def _text(it: Line) -> str:
    return f"{f' in {code(it.around)}' if it.around else ''}: {code(it.text)}"


def _numbers(page: Page, path: str, found: Sequence[Run]) -> str:
    """One file on one line."""
    first, *rest = found
    more = "".join(f", {page.link(path, it.line.line, it.last, label=_number(it))}" for it in rest)
    return page.link(path, first.line.line, first.last) + more


def _wanted(text: str, names: Sequence[str]) -> tuple[str, str, tuple[str, ...]]:
    """A heading, an expression, and the words of which a line must have one; empty if there is none."""
    imported = IMPORTED.search(text)
    if imported is not None:
        name = imported[1].rstrip("./")
        pattern = (
            rf"^\s*(?:from|import|use|using|require|#\s*include|export)\b[^#]*(?<![\w-]){re.escape(name)}(?![\w-])"
            rf"|\b(?:require|import)\(.*{re.escape(name)}|^\s*(?:\w+ )?\"(?:[\w./-]*/)?{re.escape(name)}\"$"
        )
        return f"Imports of {code(name)}", pattern, (name,)
    raised = RAISED.search(text)
    concept = concept_of(text)
    if raised is not None and concept is not None and concept.name.startswith("Errors that are"):
        verbs = r"except\b|catch\b|rescue\b" if concept.name.endswith("handled") else r"raise\b|throw\b"
        return f"{concept.name}: {code(raised[1])}", rf"\b(?:{verbs}).*\b{raised[1]}\b", (raised[1],)
    if names and (concept is None or names[0] in text.partition(" ")[2]):
        literal = names[0]
        return (
            f"Lines with {code(literal)}",
            rf"(?<!\w){re.escape(literal.rstrip('()'))}(?!\w)",
            (literal.rstrip("()"),),
        )
    if concept is not None:
        return concept.name, concept.pattern, concept.words
    quote = QUOTE.search(text)
    if quote is not None:
        literal = quote[1] or quote[2]
        return f"Lines with {code(literal)}", re.escape(literal), (literal,)
    return "", "", ()


def _callee(page: Page, it: Call) -> str:
    assert it.target is not None
    row = it.target.row
    owner = f"{row.scope}." if row.kind is Kind.METHOD and row.scope else ""
    name = page.link(it.target.path, row.line, label=code(owner + short(row)))
    return f"{name}, at {page.link(it.path, it.line)}{said(row.doc)}"


def _as_line(it: Call) -> Line:
    return Line(path=it.path, line=it.line, text=it.text, around=it.name)


async def where(page: Page, code_: Code, found: Sequence[Symbol], it: Shown) -> None:
    """Where it is defined: one, or each of several with what tells them apart."""
    about(page, it)
    page.code(head(it.lines, it.row), it.row.language)
    documented(page, it)
    rest = [one for one in found if (one.path, one.row.scope) != (it.path, it.row.scope)]
    if rest:
        page.add(f"Also called {code(it.row.name)}:")
        page.items(_definition(page, one) for one in rest[:10])
        if 10 < len(rest):
            page.add(f"And {len(rest) - 10:,} more.")


def _definition(page: Page, it: Symbol) -> str:
    where = page.link(it.path, it.row.line)
    return f"{where} {code(qualified(it.row))}: {code(it.row.signature, 100)}{said(it.row.doc)}"
