"""Columns: every encoding an editor may choose, and every place it may point at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server import convert
from lsp_server.convert import Encoding, index_in_line, units_in

MARK = "‸"
WIDTHS: dict[Encoding, str] = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
UNIT_BYTES: dict[Encoding, int] = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


def check(marked: str, encoding: Encoding) -> None:
    """The mark's place survives the way to the client's units and back."""
    index = marked.index(MARK)
    line = marked.replace(MARK, "")
    units = units_in(line[:index], encoding)
    assert units == len(line[:index].encode(WIDTHS[encoding])) // UNIT_BYTES[encoding]
    assert index_in_line(line, units, encoding) == index


@pytest.mark.parametrize("encoding", convert.ENCODINGS)
@pytest.mark.parametrize(
    "marked",
    [
        "‸",
        "‸\n",
        "x = ‸1\r\n",
        "x = 'É😀'; y‸ = 1\n",
        "😀‸",
        "‸😀\r",
        "e\u0301‸ = 1  # a combining accent is a code point of its own\n",
        "👩‍👩‍👧‸ a family is five code points\n",
        "\t\tif x:‸\n",
        "نص‸ عربي",
    ],
)
def test_a_place_survives_the_round_trip(marked: str, encoding: Encoding) -> None:
    """What the editor points at is what we see, in its own units."""
    check(marked, encoding)


@pytest.mark.parametrize(
    ("encoding", "units", "expected"),
    [("utf-8", 1, 0), ("utf-8", 3, 0), ("utf-8", 4, 1), ("utf-16", 1, 0), ("utf-16", 2, 1), ("utf-32", 1, 1)],
)
def test_inside_a_character_means_before_it(encoding: Encoding, units: int, expected: int) -> None:
    """A column can fall between the halves of a surrogate pair; half an emoji is never cut off."""
    assert index_in_line("😀x\n", units, encoding) == expected


@pytest.mark.parametrize("encoding", convert.ENCODINGS)
@pytest.mark.parametrize("line", ["", "\n", "abc", "abc\n", "abc\r\n", "aé😀\r", "😀\r\n"])
def test_behind_the_end_means_the_end(line: str, encoding: Encoding) -> None:
    """A column behind the line's end stands before its line break."""
    assert index_in_line(line, 2**31 - 1, encoding) == len(line.rstrip("\r\n"))


@given(
    line=st.text(st.characters(exclude_characters="\r\n")),
    units=st.integers(0, 400),
    encoding=st.sampled_from(convert.ENCODINGS),
)
def test_every_column_means_the_last_character_that_begins_before_it(
    line: str, units: int, encoding: Encoding
) -> None:
    """Whatever the text, lone surrogates included, and whatever the column."""
    starts = [units_in(line[:at], encoding) for at in range(len(line) + 1)]
    expected = max(at for at, start in enumerate(starts) if start <= units)
    assert index_in_line(line, units, encoding) == expected


def test_columns_are_in_the_clients_units() -> None:
    """The closer behind the cursor is replaced, however wide what stands before it is."""
    line = "f('😀', )\n"
    assert convert.columns(line, 7, 8, "utf-16") == (8, 9)


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ({"general": {"positionEncodings": ["utf-32", "utf-8", "utf-16"]}}, "utf-32"),
        ({"general": {"positionEncodings": ["utf-7", "utf-8"]}}, "utf-8"),
        ({"general": {"positionEncodings": ["utf-7", ["utf-8"], None, 8]}}, "utf-16"),
        ({"general": {"positionEncodings": "utf-8"}}, "utf-16"),
        ({"general": None}, "utf-16"),
        ({}, "utf-16"),
        (None, "utf-16"),
    ],
)
def test_the_clients_first_known_encoding_is_agreed_on(client: object, expected: Encoding) -> None:
    """Neovim wants UTF-8, VS Code UTF-16, lsp-mode UTF-32; who says nothing means UTF-16."""
    assert convert.agreed_encoding(client) == expected


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("file:///w/app/src/main.py", "src/main.py"),
        ("file:///w/app/with%20space.py", "with space.py"),
        ("file:///other/x.py", "/other/x.py"),
        ("file:///w/application/x.py", "/w/application/x.py"),
        ("file:///c%3A/code/x.py", "C:/code/x.py"),
        ("file://server/share/x.py", "//server/share/x.py"),
        ("untitled:Untitled-1", "untitled:Untitled-1"),
        ("git:/w/app/x.py?ref", "git:/w/app/x.py?ref"),
        ("vscode-notebook-cell:/w/n.ipynb#W0", "vscode-notebook-cell:/w/n.ipynb#W0"),
        ("file://[broken", "file://[broken"),
        ("", ""),
    ],
)
def test_a_document_is_called_by_its_path_or_its_uri(uri: str, expected: str) -> None:
    """Any string an editor sends as a URI names a document."""
    assert convert.path_of(uri, ("file:///w/app",)) == expected
