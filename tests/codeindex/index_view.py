"""Everything that an index shows, in a form in which two of them can be compared: without ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from codeindex.store import Reader, open_reader
from codeindex.types import ChunkRow, Filters, SymbolRow

WEIGHTS = (4.0, 2.0, 1.0)


def view(folder: Path, words: tuple[str, ...] = ()) -> dict[str, Any]:
    """Files with their texts, chunks, symbols, imports and uses; what is found for words and names."""
    reader = open_reader(folder)
    assert reader is not None
    with reader, reader.snapshot():
        files = list(reader.files())
        names = sorted({it.name for file in files for it in reader.outline(file.path)})
        uses = sorted(
            {
                (it.name, it.line, it.is_call, it.paths)
                for name in names
                for it in reader.references(name, 10**6)
            }
        )
        return {
            "files": {it.path: (it.language, it.lines, it.size, reader.text(it.content)) for it in files},
            "chunks": {it.path: [_chunk(one) for one in reader.chunks_of(it.path)] for it in files},
            "symbols": {it.path: [_symbol(one) for one in reader.outline(it.path)] for it in files},
            "imports": [(it.path, it.module, it.names, it.line) for it in reader.imports()],
            "uses": uses,
            "found": {it: _found(reader, it) for it in words},
            "paths": {it.path: _paths(reader, it.path) for it in files},
            "named": {it: _named(reader, it) for it in names},
            "left out": reader.left_out(),
            "counts": reader.counts(),
            "embedded": sorted({digest for digest, _ in reader.missing_vectors("m", 10**6)}),
        }


def _chunk(it: ChunkRow) -> tuple[Any, ...]:
    said = (it.kind, it.name, it.scope, it.signature, it.doc, it.hash)
    return (it.first_line, it.last_line, it.paths, it.language, *said)


def _symbol(it: SymbolRow) -> tuple[Any, ...]:
    where = (it.first_line, it.last_line, it.line, it.column, it.paths)
    return (it.name, it.kind, it.scope, *where, it.signature, it.doc)


def _found(reader: Reader, word: str) -> list[Any]:
    ids = [it for it, _ in reader.lexical(f'"{word}"', WEIGHTS, 10**6, Filters())]
    rows = reader.chunks(ids)
    assert rows.keys() == set(ids)
    return sorted((it.paths, it.first_line) for it in rows.values())


def _paths(reader: Reader, path: str) -> bool:
    match = " ".join(f'"{it}"' for it in path.replace(".", "/").split("/"))
    return path in [it for it, _ in reader.paths(match, 10**6)]


def _named(reader: Reader, name: str) -> list[Any]:
    rows = reader.symbols([name], where=Filters(), limit=10**6)
    assert name in reader.names_near(name, 5)
    return sorted((it.name, it.paths, it.line) for it in rows)
