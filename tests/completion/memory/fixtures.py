"""Projects as the tests write them: documents by path, and one with ``‸`` where something may follow."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from completion import Spot
from completion.memory.evidence import Source
from completion.memory.predict import Continuation, predict
from tests.completion.fixtures import spot_of, text_and_cursor
from tests.completion.memory.brute import Brute

GOLDEN = Path(__file__).parent / "golden"
HERE = "src/here"
"""The path of the document with the cursor."""


def cases(*stems: str) -> list[dict[str, Any]]:
    """The cases of these golden files, each with its ``file``."""
    found = []
    for stem in stems:
        found += [{"file": stem, **it} for it in tomllib.loads((GOLDEN / f"{stem}.toml").read_text())["case"]]
    return found


def memory_of(
    document: str,
    project: Mapping[str, str] | None = None,
    *,
    open_too: Mapping[str, str] | None = None,
    dependency: Mapping[str, str] | None = None,
    crlf: bool = False,
) -> Brute:
    """A memory of the document with the cursor and of what else there is."""
    text, _ = text_and_cursor(document, crlf=crlf)
    return Brute(
        (Source.OPEN, {HERE: text, **(open_too or {})}),
        (Source.PROJECT, project or {}),
        (Source.DEPENDENCY, dependency or {}),
    )


def predicted(
    document: str, project: Mapping[str, str] | None = None, *, language: str = "python", max_lines: int = 1
) -> tuple[Continuation, ...]:
    """What may follow at the cursor, best first."""
    return predict(memory_of(document, project), spot_of(document, language), path=HERE, max_lines=max_lines)


def texts(continuations: tuple[Continuation, ...]) -> list[str]:
    """Their texts alone."""
    return [it.text for it in continuations]


def placed(spot: Spot, text: str) -> str:
    """The cursor's line with a text in it."""
    return f"{spot.line_before}⟦{text}⟧{spot.line_after}"
