"""Where cursors stand: random places in random files, the rest of the line hidden."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.heldout.projects import File

Kind = Literal["in_word", "at_border", "line_start", "whole_line"]
KINDS: tuple[Kind, ...] = ("in_word", "at_border", "line_start", "whole_line")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A document as it is while somebody writes a line of it."""

    path: str
    kind: Kind
    before: str
    """All of the document before the cursor."""
    after: str
    """All of it behind the cursor; the cursor's line has nothing there."""
    rest: str
    """What the line goes on with; for ``whole_line`` with its indentation. Never blank."""

    @property
    def text(self) -> str:
        return self.before + self.after


def cuts(
    files: Sequence[File], count: int, rng: random.Random, *, whole_lines: bool = False
) -> Iterator[Cut]:
    """Places drawn evenly from all characters; with ``whole_lines`` only lines that are still to be begun.

    A place in a line's indentation is its start: the cursor stands behind the indentation, as an editor
    would put it. For a whole line it stands at the margin.
    """
    sizes = [len(it.text) for it in files]
    while count and sum(sizes):
        file = rng.choices(files, sizes)[0]
        text = file.text
        at = rng.randrange(len(text))
        start = text.rfind("\n", 0, at) + 1
        end = text.find("\n", at)
        line = text[start : len(text) if end < 0 else end]
        if not line[at - start :].strip():
            continue
        body = start + len(line) - len(line.lstrip())
        kind: Kind = "at_border"
        if whole_lines:
            kind, at = "whole_line", start
        elif at <= body:
            kind, at = "line_start", body
        elif _of_word(text[at - 1]) and _of_word(text[at]):
            kind = "in_word"
        count -= 1
        yield Cut(
            path=file.path,
            kind=kind,
            before=text[:at],
            after=text[start + len(line) :],
            rest=text[at : start + len(line)].rstrip(),
        )


def _of_word(character: str) -> bool:
    return character.isalnum() or character == "_"
