"""A file's text -> its symbols, references, imports and chunks; whatever the text, whatever the language."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal

import tree_sitter

from codeindex.chunk import Lines, chunks
from codeindex.parse_blocks import blocks
from codeindex.parse_grammar import grammar
from codeindex.parse_names import comments, references
from codeindex.parse_symbols import Match, Outline, Text, found_in, imports, outline
from codeindex.types import Parsed

# Beyond these a file is cut along its lines alone. The seconds are of this thread's work, so that a busy
# machine gives up no sooner than an idle one.
LONGEST = 1 << 20  # characters
PATIENCE = 5.0  # seconds
CALLS_PER_LOOK = 32
MATCHES_AT_ONCE = 1 << 14
DEEPEST = 1000  # levels of the tree: below them nobody wrote a name by hand, and each level costs more
MOST_LOOSE_MARKS = 5_000
READ_AT_ONCE = 1 << 15  # bytes: a tree that is read in pieces can be stopped between them

# A header that only a C++ compiler understands.
_IS_CPP = re.compile(
    r"^[ \t]*(?:namespace\b|template[ \t]*<|class[ \t]+\w[^;]*$|using[ \t]+\w"
    r"|(?:public|private|protected)[ \t]*:)",
    re.MULTILINE,
)


def parse(text: str, language: str) -> Parsed:
    """Read a text; with no grammar for it, or a text that is too much for one, only into chunks."""
    return _with_syntax(text, language) or _plain(text, language)


def spoken(text: str, language: str) -> str:
    """Whose grammar reads a text: a header of C may be one of C++."""
    return "cpp" if language == "c" and _IS_CPP.search(text) else language


def _plain(text: str, language: str) -> Parsed:
    return Parsed(
        language=language,
        lines=_count(text),
        symbols=(),
        references=(),
        imports=(),
        chunks=chunks(Lines(text.split("\n")), (), ()),
        degraded=True,
    )


def _count(text: str) -> int:
    return text.count("\n") + (not text.endswith("\n") and bool(text))


@dataclass(frozen=True, slots=True)
class Syntax:
    """A text as its grammar reads it, by our queries."""

    source: Text
    root: tree_sitter.Node
    names: Mapping[str, Sequence[tree_sitter.Node]]
    """What was captured of the names that are used."""
    outline: Outline
    imported: Sequence[Match]
    ranges: Sequence[tuple[int, int]]
    """First byte and end of each import."""


def syntax_of(text: str, language: str) -> Syntax | None:
    """What the syntax says; None without a grammar, or if it takes too long to say it."""
    found = grammar(spoken(text, language)) if len(text) <= LONGEST else None
    if found is None:
        return None
    data = readable(text)
    tree = tree_of(data, found.language)
    if tree is None or _is_hopeless(tree.root_node):
        return None
    lines = text.split("\n")
    root = tree.root_node
    holds = _predicates(data)
    names = _cursor(found.names).captures(root, holds)
    definitions, imported = found_in(_cursor(found.definitions).matches(root, holds))
    source = Text(data, lines, len(data) == len(text), comments(names, lines))
    ranges = [(it.start_byte, it.end_byte) for _, captures in imported for it in captures["import"]]
    return Syntax(source, root, names, outline(source, definitions), imported, ranges)


def _with_syntax(text: str, language: str) -> Parsed | None:
    found = syntax_of(text, language)
    if found is None:
        return None
    symbols = tuple(found.outline.symbols)
    weighed = Lines(found.source.lines)
    return Parsed(
        language=language,
        lines=_count(text),
        symbols=symbols,
        references=references(found.source, found.names, found.outline, found.ranges),
        imports=imports(found.source, found.imported, language),
        chunks=chunks(weighed, blocks(found.root, found.source, weighed, symbols), symbols),
        degraded=False,
    )


def readable(text: str) -> bytes:
    """As grammars read it: a scanner of their own may take a zero for the end of the file."""
    return text.replace("\0", " ").encode("utf-8", "replace")


def tree_of(data: bytes, language: tree_sitter.Language) -> tree_sitter.Tree | None:
    """The syntax of a ``readable`` text; None if it takes too long."""
    is_late = _deadline(PATIENCE)
    parser = tree_sitter.Parser(language)
    try:
        return parser.parse(
            lambda offset, _: data[offset : offset + READ_AT_ONCE],
            progress_callback=is_late,
        )
    except ValueError:  # it was stopped
        return None


def _is_hopeless(root: tree_sitter.Node) -> bool:
    """Whether there are so many loose marks in one place that a query would look at each from each."""
    nodes = [root, *(it for it in root.children if it.is_error)] if root.has_error else []
    return any(MOST_LOOSE_MARKS < it.child_count - it.named_child_count for it in nodes)


def _deadline(seconds: float) -> Callable[[int, bool], bool]:
    """Whether the time is over; the clock, which is not cheap everywhere, is read once in so many calls."""
    end = time.thread_time() + seconds
    calls = count(1)
    return lambda *_: next(calls) % CALLS_PER_LOOK == 0 and end < time.thread_time()


def _cursor(query: tree_sitter.Query) -> tree_sitter.QueryCursor:
    cursor = tree_sitter.QueryCursor(query, match_limit=MATCHES_AT_ONCE)
    cursor.set_max_start_depth(DEEPEST)
    return cursor


def _predicates(data: bytes) -> tree_sitter.QueryPredicate:
    """`(#among? @_word "a" "b")`: whether what was captured is one of these; `(#small? @word)`.

    The library has such predicates of its own, but they read a tree's text back through the tree, which is
    slow and, for a tree that was read in pieces, not safe.
    """

    def holds(
        predicate: str,
        args: list[tuple[str, Literal["capture", "string"]]],
        pattern_index: int,
        captures: dict[str, list[tree_sitter.Node]],
    ) -> bool:
        (capture, _), *others = args
        words = {word.encode() for word, _ in others}
        found = [data[it.start_byte : it.end_byte] for it in captures.get(capture, ())]
        return all(it in words if predicate == "among?" else it[:1].islower() for it in found)

    return holds
