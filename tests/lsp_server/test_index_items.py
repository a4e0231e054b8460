"""What the index finds, as an editor gets it: URIs, kinds, and columns in the editor's own units."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lsprotocol import types as lsp

from codeindex.types import Hit, Kind, Signal, SymbolRow
from lsp_server.convert import Encoding
from lsp_server.index_bar import says
from lsp_server.index_items import KNOWN_TO_ALL, SYMBOL_KINDS, hit_item, symbol_item, uri_of
from lsp_server.protocol import IndexStatus

HIT = Hit(
    path="src/a b.py",
    first_line=3,
    last_line=4,
    text="def f():\n    return '😀é'",
    score=1.23456,
    language="python",
    kind=Kind.FUNCTION,
    name="f",
    scope="",
    signature="def f()",
    doc="",
    unsaved=False,
    why=(Signal(name="definition", value=1.0, score=1.23456, reason="It defines the name."),),
)
ROW = SymbolRow(
    id=1,
    content=0,
    paths=("a.py",),
    language="python",
    name="größe",
    kind=Kind.TYPE,
    scope="Outer",
    first_line=1,
    last_line=2,
    line=2,
    column=7,
    signature="x = '😀'; größe = 1",
    doc="",
)
LINE = "x='😀'; größe = 1"


def line_of(uri: str, line: int) -> str:
    return LINE if (uri, line) == ("file:///project/a.py", 1) else ""


@pytest.mark.parametrize(("encoding", "end"), [("utf-8", 19), ("utf-16", 16), ("utf-32", 15)])
def test_a_hit_ends_where_its_last_line_ends(encoding: Encoding, end: int) -> None:
    """In the editor's units; reasons come only if they are asked for."""
    item = hit_item("/project", HIT, encoding, why=False)
    assert item["uri"] == "file:///project/src/a%20b.py"
    assert item["range"] == {"start": {"line": 2, "character": 0}, "end": {"line": 3, "character": end}}
    assert (item["kind"], item["score"], "why" in item) == ("function", 1.2346, False)
    (reason,) = hit_item("/project", replace(HIT, kind=None), encoding, why=True)["why"]
    assert reason["reason"] == "It defines the name."


@pytest.mark.parametrize(
    ("encoding", "start", "end"), [("utf-8", 10, 17), ("utf-16", 8, 13), ("utf-32", 7, 12)]
)
def test_a_symbol_stands_at_its_name(encoding: Encoding, start: int, end: int) -> None:
    """Also behind characters that take several units."""
    item = symbol_item("/project", ROW, encoding, KNOWN_TO_ALL, line_of)
    assert isinstance(item.location, lsp.Location)
    assert item.location.range == lsp.Range(lsp.Position(1, start), lsp.Position(1, end))
    assert (item.name, item.container_name) == ("größe", "Outer")


def test_a_symbol_in_plain_text_needs_no_line() -> None:
    """Nothing is read for what can be counted without; a top-level symbol is contained in its file."""
    plain = replace(ROW, name="size", signature="size = 1", scope="")

    def none(uri: str, line: int) -> str:
        raise AssertionError("nobody needs it")

    item = symbol_item("/project", plain, "utf-16", KNOWN_TO_ALL, none)
    assert isinstance(item.location, lsp.Location)
    assert item.location.range.start == lsp.Position(1, 7)
    assert item.container_name == "a.py"


def test_every_kind_has_its_icon() -> None:
    """A client that does not know the newer ones gets one that all know."""
    assert SYMBOL_KINDS.keys() == set(Kind)
    old = symbol_item("/project", ROW, "utf-16", KNOWN_TO_ALL, line_of)
    new = symbol_item("/project", ROW, "utf-16", frozenset(lsp.SymbolKind), line_of)
    assert (old.kind, new.kind) == (lsp.SymbolKind.Class, lsp.SymbolKind.Struct)


def test_folders_of_all_shapes_make_uris() -> None:
    """A root, a folder with a slash, a drive."""
    assert uri_of("/", "a.py") == "file:///a.py"
    assert uri_of("/project/", "a#.py") == "file:///project/a%23.py"
    assert uri_of("C:/project", "a.py") == "file:///C:/project/a.py"


@pytest.mark.parametrize(
    ("left", "expected"),
    [(None, "1,200 files"), (12.4, "1,200 files, about 12 s left"), (300.0, "1,200 files, about 5 min left")],
)
def test_how_far_it_is_in_words(left: float | None, expected: str) -> None:
    """What cannot be told is not told."""
    assert says(IndexStatus(state="building", files=1200, seconds_left=left)) == expected
