"""Pure: the values of the code index, between parsing, the store, the ranking and those who ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a symbol is; languages' own words are mapped onto these."""

    CLASS = "class"
    CONSTANT = "constant"
    ENUM = "enum"
    FUNCTION = "function"
    INTERFACE = "interface"
    """Also protocols and traits."""
    MACRO = "macro"
    METHOD = "method"
    MODULE = "module"
    """Also namespaces and packages."""
    SECTION = "section"
    """A heading of a text, a table of a configuration file."""
    TYPE = "type"
    """An alias, a struct without a class's behaviour, a union."""
    VARIABLE = "variable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """A definition in one file."""

    name: str
    kind: Kind
    scope: str
    """The names around it, joined by dots; empty at the top."""
    first_line: int
    """1-based; with its decorators and the comment above that documents it."""
    last_line: int
    line: int
    """Where its name stands, 1-based."""
    column: int
    """Of its name, 0-based, in characters."""
    signature: str
    """The head of its definition on one line, without the body; at most 200 characters."""
    doc: str
    """The first paragraph of its documentation, on one line; at most 300 characters."""
    parent: int | None
    """Index of the enclosing symbol among the file's symbols."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A name that is used and, as far as the syntax says, defined somewhere else."""

    name: str
    line: int
    symbol: int | None
    """Index of the symbol in whose body it stands."""
    is_call: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What a file takes from another one."""

    module: str
    """As it is written: ``os.path``, ``./router``, ``std::io``, ``stdio.h``."""
    names: tuple[str, ...]
    """What of it; empty for the whole module."""
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of a file that makes sense by itself: a function, some small siblings, part of a long body."""

    first_line: int
    """1-based."""
    last_line: int
    """Inclusive."""
    kind: Kind | None
    """Of the symbol it is, or is the first part of; None for what is between symbols."""
    name: str
    """Of that symbol; empty if there is none."""
    scope: str
    """The names around it, joined by dots."""
    signature: str
    doc: str
    defines: tuple[int, ...]
    """Indices of the symbols whose heads are in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """All that is known of a file's text, whatever its path."""

    language: str
    lines: int
    symbols: tuple[Symbol, ...]
    """In the order of their first lines; parents before their children."""
    references: tuple[Reference, ...]
    imports: tuple[Import, ...]
    chunks: tuple[Chunk, ...]
    """In order. Every line that is not blank is in exactly one."""
    degraded: bool
    """Whether it was chunked without its syntax: no grammar, or one that failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """A file of the index."""

    path: str
    """From the root, with slashes."""
    language: str
    content: int
    lines: int
    size: int
    """Bytes."""
    mtime_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkRow:
    """A chunk of the index."""

    id: int
    content: int
    paths: tuple[str, ...]
    """All files with this content, sorted; never empty."""
    language: str
    first_line: int
    last_line: int
    kind: Kind | None
    name: str
    scope: str
    signature: str
    doc: str
    hash: bytes
    """Of the text that is embedded: 8 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolRow:
    """A symbol of the index."""

    id: int
    content: int
    paths: tuple[str, ...]
    language: str
    name: str
    kind: Kind
    scope: str
    first_line: int
    last_line: int
    line: int
    column: int
    signature: str
    doc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRow:
    """Where a name is used."""

    name: str
    paths: tuple[str, ...]
    line: int
    symbol: int | None
    """Id of the enclosing symbol."""
    is_call: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """What a file imports."""

    path: str
    module: str
    names: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What is asked for at all; empty fields let everything pass."""

    paths: tuple[str, ...] = ()
    """Glob patterns with git's meaning, of which one must match."""
    languages: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    changed_since_ns: int = 0
    """Files changed on disk since, in nanoseconds of the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One reason for a hit's place."""

    name: str
    value: float
    """What it was, in its own unit: a rank, a factor, a cosine."""
    score: float
    """What the hit's score was after it."""
    reason: str
    """In words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A piece of code that answers a question, as it is on screen or on disk now."""

    path: str
    """From the root, with slashes."""
    first_line: int
    last_line: int
    text: str
    """Exactly these lines, without the last line end."""
    score: float
    language: str
    kind: Kind | None
    name: str
    scope: str
    signature: str
    doc: str
    unsaved: bool
    """Whether it is from a buffer that differs from its file."""
    why: tuple[Signal, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much is in the index, of what can be found."""

    files: int
    contents: int
    """Different texts: files that are the same count once."""
    chunks: int
    symbols: int
    lines: int
    """Of all files."""
    bytes: int
    """Of all files, on disk."""
    vectors: int
