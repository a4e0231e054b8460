"""Pure: what is known of a text as the rows it becomes, made where it is parsed: so writing is quick."""

from __future__ import annotations

import hashlib
import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from codeindex.embedding import embedded_hash, embedded_text
from codeindex.identifiers import searchable
from codeindex.types import Chunk, Parsed, Reference, Symbol

HASH_BYTES = 16
WORD = "I"  # 32 bits.
ChunkValues = tuple[int, int, bytes, int | None, str | None, str | None, str | None, str | None, str | None]
"""First and last line, hash, place of its symbol; where there is none: kind, name, scope, signature, doc."""
SymbolValues = tuple[int, str, int, int, int, int, str, str, str]
"""Place of its name, kind, first and last line, line, column, scope, signature, doc."""
Words = tuple[str, str, str]
"""Name, doc and body of a chunk, as the full-text index is fed."""
Use = tuple[int, int, int, bool]
"""Place of the name, line, place of the symbol around it or -1, whether it is a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """All rows of one text, but for their ids."""

    hash: bytes
    language: str
    lines: int
    size: int
    """Bytes of the text in UTF-8."""
    degraded: bool
    text: bytes
    """Compressed."""
    chunks: tuple[ChunkValues, ...]
    words: tuple[Words, ...]
    """Of each chunk."""
    names: tuple[str, ...]
    used: int
    """How many of the names, from the first, are used; the others are only defined."""
    uses: bytes
    symbols: tuple[SymbolValues, ...]
    imports: tuple[tuple[int, str, str], ...]
    """Line, module, names a line each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """A file as it was found, and what its text says."""

    path: str
    """From the root, with slashes."""
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    hash: bytes = b""
    """Of its content; empty for a file that does not belong."""
    content: Content | None = None
    """None if the content is known already, or the file does not belong."""
    reason: str = ""
    """Why it does not belong."""
    sure: bool = True
    """False if it was read so soon after it had changed that its signature proves nothing."""


def content_hash(language: str, text: str) -> bytes:
    """Under which a text is kept."""
    data = f"{language}\0{text}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=HASH_BYTES).digest()


def content_of(text: str, parsed: Parsed) -> Content:
    """The rows of a text."""
    data = text.encode("utf-8", "surrogatepass")
    names, used = _names(parsed)
    places = {name: place for place, name in enumerate(names)}
    lines = text.split("\n")
    heads = {_head(it): place for place, it in reversed(list(enumerate(parsed.symbols)))}
    defined = [(it.line, it.name) for it in parsed.symbols]
    return Content(
        hash=content_hash(parsed.language, text),
        language=parsed.language,
        lines=parsed.lines,
        size=len(data),
        degraded=parsed.degraded,
        text=zlib.compress(data),
        chunks=tuple(_chunk(it, lines, heads) for it in parsed.chunks),
        words=tuple(
            words_of(it.first_line, it.last_line, (it.name, it.scope, it.doc), defined, lines)
            for it in parsed.chunks
        ),
        names=names,
        used=used,
        uses=_packed(parsed.references, places),
        symbols=tuple(_symbol(it, places) for it in parsed.symbols),
        imports=tuple((it.line, it.module, "\n".join(it.names)) for it in parsed.imports),
    )


def words_of(
    first_line: int,
    last_line: int,
    said: tuple[str, str, str],
    defined: Sequence[tuple[int, str]],
    lines: Sequence[str],
) -> Words:
    """What a chunk is found by. ``said`` are its name, scope and doc; ``defined`` the file's symbols by line.

    Deleting from the full-text index takes the very same words: everything here comes from what is stored.
    """
    name, scope, doc = said
    here = [it for line, it in defined if first_line <= line <= last_line]
    names = dict.fromkeys([name, *here] if name else here)
    body = "\n".join(lines[first_line - 1 : last_line])
    return searchable(" ".join(names)), searchable(doc), searchable(f"{scope}\n{body}" if scope else body)


def kept_path(path: str) -> str | bytes:
    """A path as it is kept: as text, but for one whose bytes are none."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return path.encode("utf-8", "surrogateescape")
    return path


def path_in(kept: str | bytes) -> str:
    """The path again."""
    return kept if isinstance(kept, str) else kept.decode("utf-8", "surrogateescape")


def text_in(data: bytes) -> str:
    """The text in a kept one. Raises ValueError or zlib.error if it is damaged."""
    return zlib.decompress(data).decode("utf-8", "surrogatepass")


def ids_in(data: bytes) -> array[int]:
    """Ids of names."""
    found = array(WORD)
    found.frombytes(data)
    return found


def uses_in(data: bytes) -> Iterator[Use]:
    """Where names are used, in the order of the lines."""
    if not data:
        return iter(())
    values = ids_in(zlib.decompress(data))
    count = len(values) // 3
    names, lines, rest = values[:count], accumulate(values[count : 2 * count]), values[2 * count :]
    return (
        (name, line, (it >> 1) - 1, bool(it & 1)) for name, line, it in zip(names, lines, rest, strict=True)
    )


def _packed(references: Sequence[Reference], places: dict[str, int]) -> bytes:
    """Column by column, lines as differences: that is what compresses."""
    uses = sorted(
        {
            (it.line, places[it.name], (-1 if it.symbol is None else it.symbol), it.is_call)
            for it in references
        }
    )
    if not uses:
        return b""
    lines = [it[0] for it in uses]
    values = array(WORD, (it[1] for it in uses))
    values.extend(now - before for before, now in zip([0, *lines], lines, strict=False))
    values.extend((it[2] + 1) << 1 | it[3] for it in uses)
    return zlib.compress(values.tobytes())


def _names(parsed: Parsed) -> tuple[tuple[str, ...], int]:
    used = dict.fromkeys(it.name for it in parsed.references)
    defined = dict.fromkeys(it.name for it in parsed.symbols if it.name not in used)
    return (*used, *defined), len(used)


def _head(it: Symbol | Chunk) -> tuple[str | None, str, str, str, str]:
    return it.kind, it.name, it.scope, it.signature, it.doc


def _chunk(
    it: Chunk, lines: Sequence[str], heads: dict[tuple[str | None, str, str, str, str], int]
) -> ChunkValues:
    text = "\n".join(lines[it.first_line - 1 : it.last_line])
    digest = embedded_hash(embedded_text(it, text))
    head = _head(it)
    symbol = heads.get(head) if it.name else None
    if symbol is not None:
        return (it.first_line, it.last_line, digest, symbol, None, None, None, None, None)
    kind = it.kind.value if it.kind else None
    rest = (it.name or None, it.scope or None, it.signature or None, it.doc or None)
    return (it.first_line, it.last_line, digest, None, kind, *rest)


def _symbol(it: Symbol, places: dict[str, int]) -> SymbolValues:
    where = (it.first_line, it.last_line, it.line, it.column)
    return (places[it.name], it.kind.value, *where, it.scope, it.signature, it.doc)
