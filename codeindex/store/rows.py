"""Pure: what is known of a text as the rows it becomes, made where it is parsed: so writing is quick."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from codeindex.embedding import embedded_hash, embedded_text
from codeindex.identifiers import searchable
from codeindex.store.packed import PLACES, pack_heads, pack_text, pack_uses
from codeindex.types import Chunk, Parsed

HASH_BYTES = 16
ChunkValues = tuple[int, int, int | None, int | None, bytes]
"""First and last line, kind by its place among the kinds, place in the heads, hash of what is embedded."""
SymbolValues = tuple[int, int, bool]
"""Place of its name, kind, whether it is at the top."""
Words = tuple[str, str, str]
"""Name, doc and body of a chunk, as the full-text index is fed."""


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
    """Packed, and so is all that is bytes below."""
    heads: bytes
    chunks: tuple[ChunkValues, ...]
    words: tuple[Words, ...]
    """Of each chunk."""
    names: tuple[str, ...]
    used: int
    """How many of the names, from the first, are used; the others are only defined."""
    uses: bytes
    symbols: tuple[SymbolValues, ...]


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


def content_hash(language: str, text: str | bytes) -> bytes:
    """Under which a text is kept; it may be given as it lies on disk, if that is UTF-8 with LF line ends."""
    said = hashlib.blake2b(f"{language}\0".encode(), digest_size=HASH_BYTES)
    said.update(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return said.digest()


def content_of(text: str, parsed: Parsed) -> Content:
    """The rows of a text."""
    data = text.encode("utf-8", "surrogatepass")
    names, used = _names(parsed)
    places = {name: place for place, name in enumerate(names)}
    lines = text.split("\n")
    heads, known, said = pack_heads(parsed.symbols, parsed.chunks, parsed.imports)
    defined = [(it.line, it.name) for it in parsed.symbols]
    bodies = ["\n".join(lines[it.first_line - 1 : it.last_line]) for it in parsed.chunks]
    return Content(
        hash=content_hash(parsed.language, text),
        language=parsed.language,
        lines=parsed.lines,
        size=len(data),
        degraded=parsed.degraded,
        text=pack_text(data, known),
        heads=heads,
        chunks=tuple(map(_chunk, parsed.chunks, said, bodies)),
        words=tuple(
            words_of(it.first_line, it.last_line, (it.name, it.scope, it.doc), defined, body)
            for it, body in zip(parsed.chunks, bodies, strict=True)
        ),
        names=names,
        used=used,
        uses=pack_uses(parsed.references, places),
        symbols=tuple((places[it.name], PLACES[it.kind], not it.scope) for it in parsed.symbols),
    )


def words_of(
    first_line: int,
    last_line: int,
    said: tuple[str, str, str],
    defined: Sequence[tuple[int, str]],
    body: str,
) -> Words:
    """What a chunk is found by. ``said`` are its name, scope and doc; ``defined`` the file's symbols by line.

    Deleting from the full-text index takes the very same words: everything here comes from what is stored.
    """
    name, scope, doc = said
    here = [it for line, it in defined if first_line <= line <= last_line]
    names = dict.fromkeys([name, *here] if name else here)
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


def _names(parsed: Parsed) -> tuple[tuple[str, ...], int]:
    used = dict.fromkeys(it.name for it in parsed.references)
    defined = dict.fromkeys(it.name for it in parsed.symbols if it.name not in used)
    return (*used, *defined), len(used)


def _chunk(it: Chunk, place: int | None, text: str) -> ChunkValues:
    kind = None if it.kind is None else PLACES[it.kind]
    return it.first_line, it.last_line, kind, place, embedded_hash(embedded_text(it, text))
