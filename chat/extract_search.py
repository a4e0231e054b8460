"""Ranked code for a question that no phrase fits: the best with its code, the others a line each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from chat.code import Code
from chat.extract_page import Page, block, code, prose, sentence
from codeindex.identifiers import searchable
from codeindex.query import STOP, asked_for
from codeindex.query import read as read_query
from codeindex.rank_places import alike, places
from codeindex.types import Hit, Kind

SHOWN = 7
LINES = 22
FEW = 5  # Of these the one is shown first whose name and head say most of the question.
NAMED, FILED, HEADED = 3.0, 2.0, 1.5
"""What a word of the question counts in a name, in what its file is called, in a head."""
BEHIND = 1.0  # What each place further behind costs.
ODD = 2.0  # What it costs to be a test, an example, a document.
NAMELESS = 2.0  # And to be the middle of something.
DOCUMENTS = 2
QUOTED = 12  # Lines of each.
LEAST_SHARED = 0.6
DOCUMENT_FILES = ("*.md", "*.rst", "*.txt", "*.adoc")
QUESTION = re.compile(
    r"\s*(?:how|why|what|when|where|which|can|does|do|is|are|should|wie|warum|was|wann|wo|cómo|por qué"
    r"|comment|pourquoi)\b",
    re.IGNORECASE,
)
HEADING = re.compile(r"#{1,6}\s+(.*\S)")
IMPORTS = re.compile(r"\s*(?:from\s+\S+\s+import\b|import\b|use\b|using\b|#\s*include\b|require\b|package\b)")
PROSE = frozenset({"markdown", "restructuredtext", "text", "latex"})


async def search(page: Page, code_: Code, text: str, *, paths: tuple[str, ...] = (), head: str = "") -> bool:
    """The best answers of the index; whether there are any."""
    terms = telling(text)
    wants_documents = not paths and QUESTION.match(text) is not None and 1 < len(terms)
    found = await code_.search(text, limit=3 * SHOWN, paths=paths)
    documents = await code_.search(text, limit=DOCUMENTS * 4, paths=DOCUMENT_FILES) if wants_documents else ()
    sections = [section(it, terms) for it in once(documents)]
    told = [it for it in sections if _is_about(it, terms)][:DOCUMENTS]
    known = [(it.path, it.first_line, it.last_line) for it in told]
    new = [it for it in once(found) if not any(_overlaps(it, *one) for one in known)]
    hits = [it for it in new if not _is_data(it, text) and says_something(it, terms)]
    hits = first_the_best(hits, terms)
    if (hits or told) and head:
        page.add(head)
    leads = bool(told) and _leads(told[0], terms)
    if leads:
        _documents(page, told, terms)
    if hits:
        best, *rest = hits[:SHOWN]
        if leads:
            page.add("In the code:")
        page.add(_best_head(page, best))
        shown = "\n".join(excerpt(best, terms, LINES))
        page.add(_quoted(best, terms) if best.language in PROSE else block(shown, best.language))
        if rest:
            page.add("Also:")
            page.items(hit_line(page, it, terms) for it in rest)
    if told and not leads:
        page.add("In the documents:" if hits else "The documents say:")
        _documents(page, told, terms)
    return bool(hits or told)


def section(it: Hit, terms: Sequence[str]) -> Hit:
    """The section of a piece of a document whose heading has the most of the words; else all of it."""
    lines = it.text.split("\n")
    heads = [(number, found[1]) for number, line in enumerate(lines) if (found := HEADING.match(line))]
    counts = [sum(_has(searchable(title).split(), term) for term in terms) for _, title in heads]
    most = max(counts, default=0)
    if not most:
        return it
    place = counts.index(most)
    begin, title = heads[place]
    end = heads[place + 1][0] if place + 1 < len(heads) else len(lines)
    while begin + 1 < end and not lines[end - 1].strip():
        end -= 1
    first = it.first_line + begin
    text = "\n".join(lines[begin:end])
    return replace(it, first_line=first, last_line=first + end - begin - 1, text=text, name=title.strip())


def _overlaps(it: Hit, path: str, first: int, last: int) -> bool:
    return it.path == path and it.first_line <= last and first <= it.last_line


def _documents(page: Page, told: Sequence[Hit], terms: Sequence[str]) -> None:
    for it in told:
        page.add(f"{_best_head(page, it)}\n\n{_quoted(it, terms)}")


def _leads(it: Hit, terms: Sequence[str]) -> bool:
    """Whether the heading of a piece of a document is about the question itself."""
    heading = searchable(f"{it.scope} {it.name}").split()
    shared = sum(_has(heading, term) for term in terms)
    return 2 <= shared and len(terms) <= 2 * shared


def says_something(it: Hit, terms: Sequence[str]) -> bool:
    """Whether a hit is more than imports and blank lines."""
    if it.name:
        return True
    lines = [line for line in it.text.split("\n") if line.strip() and not IMPORTS.match(line)]
    return (
        any(_has(searchable(line).split(), term) for line in lines for term in terms)
        if terms
        else bool(lines)
    )


def _is_data(it: Hit, text: str) -> bool:
    """Whether it is data, which answers no question that does not ask for data."""
    return it.language in ("json", "jsonc", "csv", "xml") and it.language.rstrip("c") not in text.lower()


def first_the_best(hits: Sequence[Hit], terms: Sequence[str]) -> list[Hit]:
    """The hits, but of the first few that one first whose name and head have the most of the words."""
    few = list(hits[:FEW])
    if not few or not terms:
        return list(hits)

    def worth(number: int) -> float:
        it = few[number]
        named = searchable(f"{it.scope} {it.name}").split()
        stem = searchable(it.path.rpartition("/")[2].partition(".")[0]).split()
        head = searchable(f"{it.signature} {it.doc}").split()
        each = (max(NAMED * _has(named, it), FILED * _has(stem, it), HEADED * _has(head, it)) for it in terms)
        odd = ODD * len(places(it.path) - asked_for(" ".join(terms)))
        return sum(each) - BEHIND * number - odd - NAMELESS * (not it.name)

    best = max(range(len(few)), key=lambda it: (worth(it), -it))
    return [few[best], *(it for number, it in enumerate(hits) if number != best)]


def _has(words: Sequence[str], term: str) -> bool:
    return any(alike(it, term) for it in words)


def _is_about(it: Hit, terms: Sequence[str]) -> bool:
    """Whether a piece of a document answers: its heading and text have most of the words."""
    lines = [line for line in it.text.split("\n") if line.strip()]
    if len(lines) < 2 * sum(line.lstrip().startswith("|") for line in lines):
        return False  # A table says little without what stands around it.
    text = searchable(f"{it.name} {it.text}").split()
    heading = searchable(f"{it.scope} {it.name}").split()
    shared = sum(_has(text, term) for term in terms)
    return LEAST_SHARED * len(terms) <= shared and any(_has(heading, term) for term in terms)


def _quoted(it: Hit, terms: Sequence[str]) -> str:
    """Lines of a document, without its heading, as a quotation."""
    lines = [line for line in it.text.split("\n") if not re.match(r"\s*#+ |\s*[=\-~]{3,}\s*$", line)]
    while lines and not lines[0].strip():
        lines.pop(0)
    shown, is_code = [], False
    for line in lines[:QUOTED]:
        is_fence = line.lstrip().startswith(("```", "~~~"))
        is_code ^= is_fence
        shown.append(f"> {line if is_code or is_fence else prose(unlinked(line))}")
    if is_code:
        shown.append("> ```")
    if QUOTED < len(lines):
        shown.append("> …")
    return "\n".join(it.rstrip() for it in shown)


def unlinked(text: str) -> str:
    """Links of a document lead from where it stands; here only their words are shown."""
    return re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)


def once(hits: Iterable[Hit]) -> list[Hit]:
    """Each definition once: long ones are several hits."""
    found: dict[tuple[str, str], Hit] = {}
    for it in hits:
        key = (it.path, f"{it.scope}.{it.name}") if it.name else (it.path, str(it.first_line))
        found.setdefault(key, it)
    return list(found.values())


def telling(text: str) -> tuple[str, ...]:
    """The words of a question that say what it is about, as code has them."""
    terms = read_query(text).terms
    return tuple(it for it in terms if it not in STOP and 2 < len(it))


def excerpt(hit: Hit, terms: Sequence[str], most: int) -> list[str]:
    """A hit's lines, or of a long one its first and those around its most telling line."""
    lines = hit.text.split("\n")
    inset = min((len(it) - len(it.lstrip()) for it in lines if it.strip()), default=0)
    lines = [it[inset:].rstrip() for it in lines]
    if len(lines) <= most:
        return lines
    at = best_line(hit, terms) - hit.first_line
    if at < most - 4:
        return [*lines[:most], "…"]
    begin = at - most // 2
    return [*lines[:3], "…", *lines[begin : begin + most - 5], "…"]


def best_line(hit: Hit, terms: Sequence[str]) -> int:
    """The line of a hit with the most of the words; that of its head where none has more than another."""
    lines = hit.text.split("\n")
    named = next(
        (
            n
            for n, it in enumerate(lines)
            if hit.name and re.search(rf"(?<!\w){re.escape(hit.name)}(?!\w)", it)
        ),
        0,
    )
    counts = [sum(it in searchable(line) for it in terms) for line in lines]
    most = max(counts, default=0)
    if most <= counts[named]:
        return hit.first_line + named
    return hit.first_line + counts.index(most)


def hit_line(page: Page, it: Hit, terms: Sequence[str] = ()) -> str:
    """A hit on one line: where, its signature, its documentation; of what has none, its most telling line."""
    line = best_line(it, terms)
    named = best_line(it, ())
    if it.language in PROSE or it.kind is Kind.SECTION:
        title = (
            f"{it.scope.rpartition('.')[2]} › {it.name}"
            if it.scope and it.name
            else it.name or it.text.strip().split("\n")[0]
        )
        return f"{page.link(it.path, it.first_line)} {prose(title.lstrip('# '))}"
    if it.signature:
        owner = f"{it.scope}: " if it.scope else ""
        doc = f" — {prose(sentence(it.doc))}" if it.doc else ""
        return f"{page.link(it.path, named)} {code(owner + it.signature, 110)}{doc}"
    lines = it.text.split("\n")
    text = lines[line - it.first_line] if line - it.first_line < len(lines) else lines[0]
    return f"{page.link(it.path, line)} {code(text, 110)}"


def _best_head(page: Page, it: Hit) -> str:
    name = f"{it.scope}.{it.name}" if it.scope and it.name and it.kind is not Kind.SECTION else it.name
    where = page.link(it.path, best_line(it, ()))
    doc = f" — {prose(sentence(it.doc))}" if it.doc and it.language not in PROSE else ""
    if it.language in PROSE:
        return f"**{prose(name)}** ({where}):" if name else f"{where}:"
    return f"{code(name)} ({where}){doc}" if name else where
