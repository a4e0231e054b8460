"""Names by what is typed of them: written so, their beginning, their humps, somewhere in them; best first."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeindex.build import build
from codeindex.config import DEFAULTS
from codeindex.overlay import Overlay
from codeindex.serve_symbols import BEGINS, CONTAINS, EXACT, HUMPS, SAME, find_symbols, fit, outline_of
from codeindex.store import open_reader, store_folder
from tests.codeindex.git import make

FILES: dict[str, str | bytes] = {
    "src/a.py": "class RequestParser:\n    def parse_request(self):\n        0\n\n\ndef parser():\n    0\n",
    "src/b.go": "package b\n\nfunc ReparseQuickly() {}\n",
    "src/c.py": "import a\n\n\ndef _tell_open():\n    a.parser()\n",
    "tests/test_a.py": "def parser():\n    pass\n",
}


@pytest.mark.parametrize(
    ("typed", "name", "expected"),
    [
        ("Parser", "Parser", EXACT),
        ("parser", "Parser", SAME),
        ("par", "Parser", BEGINS),
        ("RP", "RequestParser", HUMPS),
        ("rqp", "RequestParser", None),
        ("reqpar", "RequestParser", HUMPS),
        ("pr", "parse_request", HUMPS),
        ("phr", "parseHTTPRequest", HUMPS),
        ("p2", "parse_v2", HUMPS),
        ("arse", "Parser", CONTAINS),
        ("ar", "Parser", None),
        ("xyz", "Parser", None),
        ("er", "RequestParser", None),
        ("tellOp", "_tell_open", HUMPS),
        ("_tellOp", "__tell_open", HUMPS),
        ("__", "_tell_open", None),
    ],
)
def test_how_a_name_fits(typed: str, name: str, expected: int | None) -> None:
    """From written so to not at all."""
    assert fit(typed, name) == expected


def test_names_of_an_index_and_of_a_buffer(tmp_path: Path) -> None:
    """Best first; tests last; a file with a buffer is as it is on screen."""
    root = make(tmp_path / "root", FILES)
    build(root, tmp_path / "cache", DEFAULTS)
    reader = open_reader(store_folder(root, tmp_path / "cache"))
    assert reader is not None
    overlay = Overlay()
    with reader:

        def names(query: str, limit: int = 10) -> list[tuple[str, str]]:
            return [(row.name, path) for row, path in find_symbols(reader, overlay, query, limit)]

        assert names("parser") == [
            ("parser", "src/a.py"),
            ("parser", "tests/test_a.py"),
            ("parse_request", "src/a.py"),
            ("RequestParser", "src/a.py"),
        ]
        assert names("pars", 2) == [("parser", "src/a.py"), ("parser", "tests/test_a.py")]
        assert names("RP") == [("RequestParser", "src/a.py")]
        assert names("requestparser.pars") == [("parse_request", "src/a.py")]
        assert names("reparse") == [("ReparseQuickly", "src/b.go"), ("RequestParser", "src/a.py")]
        assert names("tellOp") == names("tO") == names("_tellOp") == [("_tell_open", "src/c.py")]
        assert names("%") == names('"') == names("\0") == []
        overlay.put("src/a.py", "def other_parser():\n    pass\n", "python")
        assert names("parser") == [("parser", "tests/test_a.py"), ("other_parser", "src/a.py")]
        assert [row.name for row, _ in outline_of(reader, overlay, "src/a.py")] == ["other_parser"]
        assert [row.name for row, _ in outline_of(reader, overlay, "src/b.go")] == ["ReparseQuickly"]
        assert outline_of(None, overlay, "src/b.go") == []


def test_before_anything_is_typed_there_is_something_to_choose_from(tmp_path: Path) -> None:
    """What is on screen, then what is used by others; no part of anything, no more than asked for."""
    root = make(tmp_path / "root", FILES)
    build(root, tmp_path / "cache", DEFAULTS)
    reader = open_reader(store_folder(root, tmp_path / "cache"))
    assert reader is not None
    overlay = Overlay()
    with reader:

        def names(query: str, limit: int = 10) -> list[tuple[str, str]]:
            return [(row.name, path) for row, path in find_symbols(reader, overlay, query, limit)]

        everything = names("")
        assert everything[0] == ("parser", "src/a.py")
        assert everything[-1] == ("parser", "tests/test_a.py")
        assert {name for name, _ in everything} == {"parser", "RequestParser", "ReparseQuickly", "_tell_open"}
        assert names(" ", 2) == everything[:2]
        overlay.put("src/b.go", "package b\n\nfunc Quick() {}\n", "go")
        assert [it for it in names("") if it[1] == "src/b.go"] == [("Quick", "src/b.go")] == names("", 1)
