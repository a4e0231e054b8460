"""The diagnostics that an editor has sent along with its questions: all that a server knows of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from lsprotocol import types as lsp

from chat.types import Problem, Severity

SEVERITIES: dict[lsp.DiagnosticSeverity | None, Severity] = {
    lsp.DiagnosticSeverity.Error: "error",
    lsp.DiagnosticSeverity.Warning: "warning",
    lsp.DiagnosticSeverity.Information: "information",
    lsp.DiagnosticSeverity.Hint: "hint",
    None: "error",
}
MOST_OF_A_DOCUMENT = 200
MOST_DOCUMENTS = 100


@dataclass(slots=True)
class _Seen:
    version: int | None
    all: list[lsp.Diagnostic]


class SeenProblems:
    """By document, as long as it stays as it is: an edit may have mended them."""

    def __init__(self) -> None:
        self._documents: dict[str, _Seen] = {}

    def see(
        self, uri: str, version: int | None, where: lsp.Range, diagnostics: Sequence[lsp.Diagnostic]
    ) -> None:
        """These are the ones of this range now; those of other lines stay as they were."""
        seen = self._documents.pop(uri, None)
        if seen is None or seen.version != version:
            seen = _Seen(version, [])
        apart = [it for it in seen.all if not _touch(it.range, where)]
        seen.all = sorted(
            [*apart, *diagnostics], key=lambda it: (it.range.start.line, it.range.start.character)
        )[:MOST_OF_A_DOCUMENT]
        self._documents[uri] = seen
        if MOST_DOCUMENTS < len(self._documents):
            del self._documents[next(iter(self._documents))]

    def forget(self, uri: str) -> None:
        """The document was closed."""
        self._documents.pop(uri, None)

    def now(self, versions: Callable[[str], int | None], path_of: Callable[[str], str]) -> Iterator[Problem]:
        """All of the documents that are still as they were."""
        for uri, seen in tuple(self._documents.items()):
            if versions(uri) == seen.version:
                yield from problems_of(seen.all, path_of(uri))


def problems_of(diagnostics: Iterable[lsp.Diagnostic], path: str) -> Iterator[Problem]:
    """Diagnostics as chat has them."""
    for it in diagnostics:
        yield Problem(
            path=path,
            first_line=it.range.start.line + 1,
            last_line=max(it.range.start.line, it.range.end.line - (it.range.end.character == 0)) + 1,
            message=it.message,
            severity=SEVERITIES.get(it.severity, "error"),
            source=it.source or "",
            code="" if it.code is None else str(it.code),
        )


def _touch(one: lsp.Range, other: lsp.Range) -> bool:
    return one.start.line <= other.end.line and other.start.line <= one.end.line
