"""What an editor may say to `hearth.run`, and which of our lines it is about."""

from __future__ import annotations

from typing import Any

import pytest
from lsprotocol import types as lsp

from chat.edits_types import Refusal
from chat.types import Problem
from lsp_server.documents import Document
from lsp_server.run_request import RunRequest, read, subject

URI = "file:///p/a.py"
DOCUMENT = {"textDocument": {"uri": URI}}
WHERE = {"start": {"line": 1, "character": 2}, "end": {"line": 3, "character": 0}}
TEXT = Document(URI, "python", 5, "é = 1\ndef f():\n    return 'é😀'\n\nx = 2\n")


def spot(first: int, start: int, last: int, end: int) -> lsp.Range:
    return lsp.Range(start=lsp.Position(first, start), end=lsp.Position(last, end))


def test_a_request() -> None:
    """All that can be said; who says nothing of waiting waits."""
    said = {
        **DOCUMENT,
        "textDocument": {"uri": URI, "version": 4},
        "command": "fix",
        "range": WHERE,
        "diagnostics": [{"range": WHERE, "message": "m", "severity": 2, "code": 7}, {"message": "no range"}],
        "instruction": "  do it ",
        "choice": "local",
        "name": "f",
        "wait": False,
    }
    assert read((said,)) == RunRequest(
        command="fix",
        uri=URI,
        version=4,
        range=spot(1, 2, 3, 0),
        diagnostics=(
            lsp.Diagnostic(
                range=spot(1, 2, 3, 0), message="m", severity=lsp.DiagnosticSeverity.Warning, code=7
            ),
        ),
        instruction="do it",
        choice="local",
        name="f",
        wait=False,
    )
    assert read(({"command": "explain", **DOCUMENT},)) == RunRequest(command="explain", uri=URI)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (None,),
        ("explain",),
        ({},),
        ({"command": 3, **DOCUMENT},),
        ({"command": "", **DOCUMENT},),
        ({"command": "explain"},),
        ({"command": "explain", "textDocument": "a.py"},),
        ({"command": "explain", "textDocument": {"uri": ""}},),
    ],
)
def test_what_makes_no_sense(arguments: tuple[Any, ...]) -> None:
    """One sentence says what is missing."""
    found = read(arguments)
    assert isinstance(found, Refusal)
    assert found.reason.endswith(".")


@pytest.mark.parametrize(
    "said",
    [
        {"range": "here"},
        {"range": {"start": {"line": -1, "character": 0}, "end": {"line": 1, "character": 0}}},
        {"range": {"start": {"line": True, "character": 0}, "end": {"line": 1, "character": 0}}},
        {"diagnostics": "none"},
        {"diagnostics": [None, {"range": {}}]},
        {"instruction": 3, "choice": [], "name": {}, "wait": "no"},
    ],
)
def test_nonsense_is_left_out(said: dict[str, Any]) -> None:
    """The rest of the request counts."""
    assert read(({"command": "explain", **DOCUMENT, **said},)) == RunRequest(command="explain", uri=URI)


@pytest.mark.parametrize(
    ("where", "lines", "is_selected"),
    [
        (spot(1, 4, 1, 4), (2, 2), False),
        (spot(1, 0, 3, 0), (2, 3), True),
        (spot(1, 2, 2, 5), (2, 3), True),
        (spot(1, 0, 1, 3), (2, 2), True),
        (spot(0, 0, 99, 0), (1, 5), True),
        (spot(99, 0, 99, 5), (6, 6), False),
        (spot(2, 0, 1, 0), (3, 3), False),
        (None, (1, 1), False),
    ],
)
def test_which_lines_are_meant(where: lsp.Range | None, lines: tuple[int, int], is_selected: bool) -> None:
    """A selection up to the first column of a line does not mean that line; nothing is out of bounds."""
    it = subject(RunRequest(command="explain", uri=URI, range=where), TEXT, "a.py", "utf-16")
    assert (it.first_line, it.last_line) == lines
    assert it.is_selected is is_selected
    assert (it.path, it.language, it.version) == ("a.py", "python", 5)


def test_a_problem_is_not_a_selection() -> None:
    """Its range says where it is, and not what somebody chose."""
    wrong = lsp.Diagnostic(range=spot(2, 4, 2, 10), message="m", source="ruff", code="F821")
    request = RunRequest(command="fix", uri=URI, range=wrong.range, diagnostics=(wrong,))
    it = subject(request, TEXT, "a.py", "utf-8")
    assert not it.is_selected
    assert it.problems == (
        Problem(path="a.py", first_line=3, last_line=3, message="m", source="ruff", code="F821"),
    )
