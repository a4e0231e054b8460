"""Documents as text, and as pieces by their headings and pages: Markdown, plain text, PDF and DOCX.

PDF and DOCX need the extra ``docs``. Everything that cannot be read is one sentence: ``CannotRead``.
"""

from __future__ import annotations

import io
import logging
import re
import time
import zipfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from chat.documents_rank import Section, ranked
from chat.types import Piece, Place
from codeindex.files import read_bytes, signature, text_of
from codeindex.secret import secret_name

MOST_BYTES = 50_000_000
MOST_CHARACTERS = 2_000_000  # About a thousand pages; what comes behind them is left out.
MOST_PAGES = 1_000
PATIENCE = 20.0  # Seconds for the pages of one document: somebody waits for an answer.
REMEMBERED = 8  # Documents: the next question is mostly about the same one.
PAGE = "\f"
"""Between two pages of a text that has pages."""
LONGEST = 1_600  # Characters of a piece, about: some paragraphs under one heading.
SHORTEST = 200  # Below this, what follows under the next heading joins it.
LONGEST_TITLE = 100
TEXTS = (".md", ".markdown", ".mdx", ".mkd", ".rst", ".txt", ".text", ".adoc", ".org")
ENDINGS = (*TEXTS, ".pdf", ".docx")
"""What can be read here. Other files are code, or no text."""

_HEADING = re.compile(r"(?P<marks>#{1,6}|={1,6})[ \t]+(?P<title>\S.*?)[ \t#=]*\Z")
_RULED = re.compile(r"([=~^*#+-])\1{2,}[ \t]*\Z")
_STYLE = re.compile(r"heading (\d)", re.IGNORECASE)


class CannotRead(Exception):
    """A document that cannot be read; the message is the sentence."""


def read(path: Path) -> str:
    """A document's text, its headings as in Markdown, its pages apart. Raises CannotRead."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise CannotRead(f"{path.name} is no document that can be read: {', '.join(ENDINGS)} are.")
    if secret_name(path.as_posix().lstrip("/")):
        raise CannotRead(f"{path.name} is a file that keeps secrets, and is not read.")
    try:
        return _read(path, signature(path))
    except OSError as exc:
        raise CannotRead(f"{path.name} cannot be read: {exc.strerror or exc}.") from exc


@lru_cache(REMEMBERED)
def _read(path: Path, _: object) -> str:
    """What stands in it now; whoever changes it changes its signature."""
    ending = path.suffix.lower()
    data = read_bytes(path, MOST_BYTES)
    if MOST_BYTES < len(data):
        raise CannotRead(f"{path.name} is larger than {MOST_BYTES // 1_000_000} MB.")
    if ending == ".pdf":
        text = _pdf(path, data)
    elif ending == ".docx":
        text = _docx(path, data)
    else:
        found = text_of(data)
        if found is None:
            raise CannotRead(f"{path.name} is not a text.")
        text = found
    if not text.strip():
        raise CannotRead(f"There is no text in {path.name}; pages that are only pictures cannot be read.")
    return text[:MOST_CHARACTERS]


def sections(text: str) -> tuple[Section, ...]:
    """The text cut at its headings and pages; every line with a word in it is in exactly one section."""
    found: list[Section] = []
    trail: list[tuple[int, str]] = []
    held: list[str] = []
    first, page, title = 1, int(PAGE in text), ""
    lines = text.split("\n")

    def close(last: int) -> None:
        if any(it.strip() for it in held):
            found.extend(_cut(held, first, page, title, last))
        held.clear()

    in_code = False
    for number, line in enumerate(lines, 1):
        if line.startswith(PAGE):
            close(number - 1)
            page, first = page + line.count(PAGE), number
        in_code ^= line.lstrip().startswith(("```", "~~~"))
        following = lines[number] if number < len(lines) else ""
        heading = None if in_code else _heading(line.lstrip(PAGE), following)
        if heading is not None:
            level, name = heading
            if SHORTEST <= sum(map(len, held)) or not _is_inside(trail, level):
                close(number - 1)
                first = number
            trail = [it for it in trail if it[0] < level] + [(level, name)]
            title = title if held else " > ".join(it for _, it in trail)[:LONGEST_TITLE]
        held.append(line)
    close(len(lines))
    return tuple(found)


def pieces(name: str, text: str, question: str, *, in_file: bool, score: float = 1.0) -> tuple[Piece, ...]:
    """The sections of a document, the best for the question first; ``score`` is the best one's.

    ``in_file``: whether the text is what stands in the file, so that its lines can be pointed at.
    """
    found = sections(text)
    worth = ranked(found, question)
    top = max(worth, default=0.0)
    shares = [own / top if top else 1 / (1 + number) for number, own in enumerate(worth)]
    made = [
        piece(name, in_file, it, score=score * (0.8 + share / 5))
        for it, share in zip(found, shares, strict=True)
    ]
    return tuple(sorted(made, key=lambda it: -it.score))


def piece(name: str, in_file: bool, section: Section, *, score: float) -> Piece:
    """A section as a piece: with its lines where there are lines, else with its page."""
    place = Place(path=name, first_line=section.first_line, last_line=section.last_line) if in_file else None
    where = f"{name}, page {section.page}" if section.page else name
    return Piece(
        place=place,
        text=section.text if in_file else section.text.replace(PAGE, ""),
        title=section.title if in_file else ": ".join(filter(None, (where, section.title))),
        kind="document",
        why="a document that was named",
        score=score,
    )


def _heading(line: str, following: str) -> tuple[int, str] | None:
    """The level and the words of a heading: marked in front, or with a rule below it."""
    marked = _HEADING.match(line)
    if marked:
        return len(marked["marks"]), marked["title"]
    is_title = bool(line.strip()) and not line[0].isspace() and any(map(str.isalnum, line))
    rule = _RULED.match(following) if is_title else None
    if (
        rule
        and len(line.strip()) <= len(following.strip()) + 3
        and not line.lstrip().startswith(("- ", "* ", "|"))
    ):
        return (1 if rule[1] in "=#*" else 2), line.strip()
    return None


def _is_inside(trail: Sequence[tuple[int, str]], level: int) -> bool:
    return bool(trail) and trail[-1][0] < level


def _cut(held: Sequence[str], first: int, page: int, title: str, last: int) -> Iterator[Section]:
    """A section, in parts at blank lines where it is long; without blank lines at its ends."""
    starts = [0]
    size = 0
    for number, line in enumerate(held):
        if (
            LONGEST < size + len(line)
            and starts[-1] < number
            and (not line.strip() or 2 * LONGEST < size + len(line))
        ):
            starts.append(number)
            size = 0
        size += len(line) + 1
    for begin, end in zip(starts, [*starts[1:], len(held)], strict=True):
        while begin < end and not held[begin].strip():
            begin += 1
        while begin < end and not held[end - 1].strip():
            end -= 1
        if begin < end:
            yield Section(
                title=title,
                first_line=first + begin,
                last_line=first + end - 1,
                page=page,
                text="\n".join(held[begin:end]),
            )


def _pdf(path: Path, data: bytes) -> str:
    try:
        import pypdf
    except ImportError as exc:
        raise CannotRead(_missing(path, "PDF files")) from exc
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # It tells of every oddity of every file.
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise CannotRead(f"{path.name} is locked with a password.")
        found: list[str] = []
        size, late = 0, time.monotonic() + PATIENCE
        many = len(reader.pages)
        for number in range(min(MOST_PAGES, many)):
            found.append(reader.pages[number].extract_text().replace(PAGE, " ").strip())
            size += len(found[-1])
            if MOST_CHARACTERS < size or late < time.monotonic():
                break
    except CannotRead:
        raise
    except Exception as exc:  # It reads what others wrote, and fails in more ways than it says.
        raise CannotRead(f"{path.name} is damaged, or no PDF.") from exc
    if not any(found):
        return ""
    if len(found) < many:
        found.append(f"(Only the first {len(found)} of {many} pages were read.)")
    return f"\n{PAGE}".join(found)


def _docx(path: Path, data: bytes) -> str:
    try:
        import docx
    except ImportError as exc:
        raise CannotRead(_missing(path, "DOCX files")) from exc
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            if MOST_BYTES < sum(it.file_size for it in bundle.infolist() if it.filename.endswith(".xml")):
                raise CannotRead(
                    f"{path.name} is larger than {MOST_BYTES // 1_000_000} MB when it is unpacked."
                )
        return "\n\n".join(_blocks(docx.Document(io.BytesIO(data))))
    except CannotRead:
        raise
    except Exception as exc:  # As above: a damaged archive, a missing part, a broken tree.
        raise CannotRead(f"{path.name} is damaged, or no DOCX.") from exc


def _blocks(document: Any) -> Iterator[str]:
    """Paragraphs and tables in order; headings with their marks."""
    for it in document.iter_inner_content():
        if hasattr(it, "rows"):
            yield "\n".join(" | ".join(cell.text.strip() for cell in row.cells) for row in it.rows)
            continue
        style = (it.style.name or "") if it.style is not None else ""
        level = _STYLE.match(style)
        if it.text.strip():
            marks = "#" * int(level[1]) if level else "#" if style == "Title" else ""
            yield f"{marks} {it.text}".lstrip() if marks else it.text


def _missing(path: Path, what: str) -> str:
    return (
        f"{path.name} cannot be read: for {what}, install hearth-assistant[docs], Hearth with its extra docs."
    )
