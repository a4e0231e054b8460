"""The diagnostics that a server has seen: of the lines asked about, while the document stays as it is."""

from __future__ import annotations

from lsprotocol import types as lsp

from chat.types import Problem
from lsp_server.seen_problems import SeenProblems, problems_of

URI = "file:///p/a.py"


def lines(first: int, last: int) -> lsp.Range:
    return lsp.Range(start=lsp.Position(first, 0), end=lsp.Position(last, 3))


def wrong(line: int, message: str) -> lsp.Diagnostic:
    return lsp.Diagnostic(range=lines(line, line), message=message)


def said(seen: SeenProblems, version: int | None = 1) -> list[str]:
    return [it.message for it in seen.now(lambda uri: version, lambda uri: "a.py")]


def test_what_was_seen_is_known() -> None:
    """Each question tells of its own lines and leaves the others as they were."""
    seen = SeenProblems()
    seen.see(URI, 1, lines(5, 6), [wrong(5, "b")])
    seen.see(URI, 1, lines(1, 2), [wrong(1, "a")])
    assert said(seen) == ["a", "b"]
    seen.see(URI, 1, lines(5, 5), [])
    assert said(seen) == ["a"]
    seen.forget(URI)
    assert said(seen) == []


def test_an_edit_may_have_mended_them() -> None:
    """They count for the version that they were seen in."""
    seen = SeenProblems()
    seen.see(URI, 1, lines(1, 2), [wrong(1, "a")])
    assert said(seen, version=2) == []
    seen.see(URI, 2, lines(5, 5), [])
    assert said(seen, version=2) == []


def test_nothing_grows_without_end() -> None:
    """So many documents, so many of each."""
    seen = SeenProblems()
    for number in range(150):
        seen.see(f"{URI}{number}", 1, lines(0, 500), [wrong(it, "m") for it in range(300)])
    assert len(said(seen)) == 100 * 200


def test_as_chat_has_them() -> None:
    """Lines from 1; an end at a line's first column is not in that line."""
    where = lsp.Range(start=lsp.Position(2, 4), end=lsp.Position(4, 0))
    severity = lsp.DiagnosticSeverity.Warning
    found = problems_of([lsp.Diagnostic(range=where, message="m", severity=severity, code=3)], "a.py")
    assert list(found) == [
        Problem(path="a.py", first_line=3, last_line=4, message="m", severity="warning", code="3")
    ]
