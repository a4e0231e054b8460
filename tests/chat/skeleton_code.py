"""What a text defines, and a workspace in which it is known what a name means."""

from __future__ import annotations

import re
from collections.abc import Mapping

from chat.code import Occurrence
from chat.edits_lexical import scan
from codeindex.languages import language_of
from codeindex.parse import parse
from codeindex.types import SymbolRow
from tests.chat.code_in_memory import InMemory


def rows(path: str, text: str) -> tuple[SymbolRow, ...]:
    """What one text defines, as the index says it."""
    language = language_of(path.rpartition("/")[2])
    found = parse(text, language).symbols
    return tuple(
        SymbolRow(
            id=at,
            content=1,
            paths=(path,),
            language=language,
            name=it.name,
            kind=it.kind,
            scope=it.scope,
            first_line=it.first_line,
            last_line=it.last_line,
            line=it.line,
            column=it.column,
            signature=it.signature,
            doc=it.doc,
        )
        for at, it in enumerate(found)
    )


class SmallCode(InMemory):
    """A workspace in which a name means the same in all files but some."""

    def __init__(
        self,
        texts: Mapping[str, str],
        *,
        unsure: frozenset[str] = frozenset(),
        versions: Mapping[str, int] | None = None,
    ) -> None:
        """``unsure`` are the files in which a name may mean something else."""
        super().__init__(texts, versions=versions)
        self.unsure = unsure

    async def occurrences(self, name: str, *, path: str, line: int) -> tuple[Occurrence, ...]:
        """Where the name stands in code."""
        found = []
        for other, text in sorted(self.texts.items()):
            defined = {(it.line, it.column) for it in rows(other, text) if it.name == name}
            for at, column in _uses(other, text, name):
                found.append(
                    Occurrence(
                        path=other,
                        line=at,
                        column=column,
                        length=len(name),
                        sure="by name only" if other in self.unsure else "certain",
                        is_definition=(at, column) in defined,
                    )
                )
        return tuple(found)


def _uses(path: str, text: str, name: str) -> list[tuple[int, int]]:
    language = language_of(path.rpartition("/")[2])
    found = []
    for at, line in enumerate(scan(text, language).blank.split("\n"), 1):
        found += [(at, it.start()) for it in re.finditer(rf"(?<![\w$]){re.escape(name)}(?![\w$])", line)]
    return found
