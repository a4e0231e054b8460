"""Whether what the index says of a file is still there, in a buffer or on disk; and if it moved, where to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codeindex.config import WalkConfig
from codeindex.files import read_bytes, text_of
from codeindex.overlay import Buffer, parsed_buffer
from codeindex.rank import Ranked
from codeindex.store.read import Reader
from codeindex.store.rows import content_hash
from codeindex.types import Chunk, ChunkRow, Hit
from codeindex.walk import belongs


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a candidate comes from: a row of the index, or a chunk of a buffer."""

    paths: tuple[str, ...]
    """The files it may be shown in, the best first."""
    row: ChunkRow | None = None
    chunk: int = 0
    """Its id in the index, if the row is to be looked up."""
    buffer: Buffer | None = None
    number: int = 0
    """Of the buffer's chunk."""


class Check:
    """What was read to check the hits of one question: each file and each content once."""

    def __init__(self, reader: Reader, root: Path, config: WalkConfig) -> None:
        self._reader = reader
        self._root = root
        self._config = config
        self._indexed: dict[int, list[str]] = {}
        self._now: dict[tuple[str, int], Buffer | bytes | None] = {}

    def hit(self, ranked: Ranked, source: Source) -> Hit | None:
        """The candidate as it is now; None if it is gone from every file it was in."""
        if source.buffer is not None:
            chunk = source.buffer.parsed.chunks[source.number]
            saved = self._on_disk(source.buffer.path)
            return _of_chunk(ranked, source.buffer, chunk, unsaved=saved != source.buffer.text)
        row = source.row or self._reader.chunks([source.chunk]).get(source.chunk)
        if row is None:
            return None
        for path in source.paths:
            found = self._in_file(ranked, row, path)
            if found is not None:
                return found
        return None

    def _in_file(self, ranked: Ranked, row: ChunkRow, path: str) -> Hit | None:
        key = (path, row.content)
        if key not in self._now:
            self._now[key] = self._read(path, row)
        now = self._now[key]
        if now is None:
            return None
        if isinstance(now, bytes):  # nothing has changed
            lines = now.split(b"\n", row.last_line)[row.first_line - 1 : row.last_line]
            return _of_row(ranked, row, path, row.first_line, [it.decode() for it in lines])
        if row.content not in self._indexed:
            self._indexed[row.content] = self._reader.text(row.content).split("\n")
        wanted = self._indexed[row.content][row.first_line - 1 : row.last_line]
        first_line = moved_to(wanted, now.lines, row.first_line)
        if first_line:
            return _of_row(ranked, row, path, first_line, wanted)
        chunk = _same_symbol(row, now)
        return _of_chunk(ranked, now, chunk, unsaved=False) if chunk else None

    def _read(self, path: str, row: ChunkRow) -> Buffer | bytes | None:
        """The file's text if it is what was indexed; else what it says now, parsed; None if it is gone.

        By their hash: to unpack the text that was indexed takes several times as long, and so does to read
        all of a file of which some lines are shown.
        """
        data = self._data(path)
        if data is not None:
            if b"\r\n" not in data and self._is_same(row, data):  # As nearly all files are.
                return data
            text = text_of(data)
            if text is not None and self._is_same(row, plain := text.encode("utf-8", "surrogatepass")):
                return plain
        now = belongs(self._root, self._root / path, self._config)
        return None if now.text is None else parsed_buffer(path, now.text, now.language or row.language)

    def _is_same(self, row: ChunkRow, data: bytes) -> bool:
        return self._reader.is_text_of(row.content, content_hash(row.language, data))

    def _on_disk(self, path: str) -> str | None:
        data = self._data(path)
        return None if data is None else text_of(data)

    def _data(self, path: str) -> bytes | None:
        try:
            return read_bytes(self._root / path, self._config.max_bytes)
        except OSError:
            return None


def moved_to(wanted: Sequence[str], lines: Sequence[str], near: int) -> int:
    """The first of the lines where these stand now, the nearest to where they were; 0 if nowhere."""
    size = len(wanted)
    if not size or list(lines[near - 1 : near - 1 + size]) == list(wanted):
        return near if size else 0
    # The longest line is the rarest.
    mark = max(range(size), key=lambda it: len(wanted[it].strip()))
    starts = (n - mark for n, line in enumerate(lines) if line == wanted[mark])
    found = [it + 1 for it in starts if 0 <= it and list(lines[it : it + size]) == list(wanted)]
    return min(found, key=lambda it: (abs(it - near), it), default=0)


def _same_symbol(row: ChunkRow, now: Buffer) -> Chunk | None:
    """The chunk that starts the symbol of this name in the same scope."""
    if not row.name:
        return None
    for number, it in enumerate(now.parsed.symbols):
        if (it.name, it.scope, it.kind) == (row.name, row.scope, row.kind):
            return next((chunk for chunk in now.parsed.chunks if number in chunk.defines), None)
    return None


def _of_row(ranked: Ranked, row: ChunkRow, path: str, first_line: int, lines: Sequence[str]) -> Hit:
    return Hit(
        path=path,
        first_line=first_line,
        last_line=first_line + len(lines) - 1,
        text="\n".join(lines),
        score=ranked.score,
        language=row.language,
        kind=row.kind,
        name=row.name,
        scope=row.scope,
        signature=row.signature,
        doc=row.doc,
        unsaved=False,
        why=ranked.why,
    )


def _of_chunk(ranked: Ranked, buffer: Buffer, chunk: Chunk, *, unsaved: bool) -> Hit:
    return Hit(
        path=buffer.path,
        first_line=chunk.first_line,
        last_line=chunk.last_line,
        text="\n".join(buffer.lines[chunk.first_line - 1 : chunk.last_line]),
        score=ranked.score,
        language=buffer.parsed.language,
        kind=chunk.kind,
        name=chunk.name,
        scope=chunk.scope,
        signature=chunk.signature,
        doc=chunk.doc,
        unsaved=unsaved,
        why=ranked.why,
    )
