"""Texts taken apart by a rule that one sees at a glance, and files with them."""

from __future__ import annotations

import re

from codeindex.store.rows import Indexed, content_of
from codeindex.types import Chunk, Import, Kind, Parsed, Reference, Symbol


def parsed(text: str, language: str = "python") -> Parsed:
    """A chunk per paragraph, a symbol per ``def``, a reference per call."""
    lines = text.split("\n")
    symbols: list[Symbol] = []
    references: list[Reference] = []
    chunks: list[Chunk] = []
    imports: list[Import] = []
    first = 0
    for number, line in enumerate([*lines, ""], 1):
        if head := re.match(r"def (\w+)", line):
            symbols.append(
                Symbol(
                    name=head[1],
                    kind=Kind.FUNCTION,
                    scope="module",
                    first_line=number,
                    last_line=number,
                    line=number,
                    column=4,
                    signature=line,
                    doc=f"About {head[1]}.",
                    parent=None,
                )
            )
        elif call := re.search(r"(\w+)\(", line):
            whose = len(symbols) - 1 if first and symbols and first <= symbols[-1].line else None
            references.append(Reference(name=call[1], line=number, symbol=whose, is_call=True))
        if taken := re.match(r"import (\w+)", line):
            imports.append(Import(module=taken[1], names=(), line=number))
        if line.strip() and not first:
            first = number
        if not line.strip() and first:
            inside = [place for place, it in enumerate(symbols) if first <= it.line]
            its = symbols[inside[0]] if inside else None
            chunks.append(
                Chunk(
                    first_line=first,
                    last_line=number - 1,
                    kind=its.kind if its else None,
                    name=its.name if its else "",
                    scope=its.scope if its else "",
                    signature=its.signature if its else "",
                    doc=its.doc if its else "",
                    defines=tuple(inside),
                )
            )
            first = 0
    return Parsed(
        language=language,
        lines=len(lines),
        symbols=tuple(symbols),
        references=tuple(references),
        imports=tuple(imports),
        chunks=tuple(chunks),
        degraded=False,
    )


def indexed(path: str, text: str, *, mtime_ns: int = 1, known: bool = False) -> Indexed:
    """A file with this text; with ``known``, only its hash is told."""
    content = content_of(text, parsed(text))
    return Indexed(
        path=path,
        size=len(text.encode()),
        mtime_ns=mtime_ns,
        ctime_ns=mtime_ns,
        inode=1,
        hash=content.hash,
        content=None if known else content,
    )
