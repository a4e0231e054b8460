"""Documents as the tests write them: ``‸`` is the cursor, ``⟦…⟧`` is shown, ``⟨…⟩`` is what it replaces."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from completion import CompletionConfig, Spot, Suggestion, spot_at
from completion.sessions import Connect
from models.backend import Backend

CURSOR = "‸"
GOLDEN = Path(__file__).parent / "golden"
CONFIG = CompletionConfig(
    enabled=True,
    max_tokens=96,
    max_lines=12,
    prefix_tokens=1024,
    suffix_tokens=160,
    middle_tokens=192,
    snippet_tokens=256,
    anchor_lines=0,
    pause_ms=0,
    deadline_ms=10_000,
    confidence_threshold=0.3,
    model_trust=0.5,
    memory_at_once=0.5,
    chance_threshold=0.2,
    model_chance={},
)


def reach(backend: Backend) -> Connect:
    """A way to a backend that is there already."""

    async def connect() -> Backend:
        return backend

    return connect


def cases(*stems: str) -> list[dict[str, Any]]:
    """The cases of these golden files, each with its ``file``."""
    found = []
    for stem in stems:
        found += [{"file": stem, **it} for it in tomllib.loads((GOLDEN / f"{stem}.toml").read_text())["case"]]
    return found


def name_of(case: dict[str, Any]) -> str:
    """The name of a case in pytest's report."""
    return f"{case['file']}: {case['name']}"


def config_of(case: dict[str, Any]) -> CompletionConfig:
    """The tests' config with what the case says otherwise."""
    fields = ("enabled", "max_tokens", "max_lines", "prefix_tokens", "suffix_tokens")
    return replace(CONFIG, **{it: case[it] for it in fields if it in case})


def text_and_cursor(document: str, *, crlf: bool = False) -> tuple[str, int]:
    """The document without the cursor mark, and where the mark was."""
    assert document.count(CURSOR) == 1, "a document has one cursor"
    if crlf:
        document = document.replace("\n", "\r\n")
    return document.replace(CURSOR, ""), document.index(CURSOR)


def spot_of(
    document: str, language: str = "python", config: CompletionConfig = CONFIG, *, crlf: bool = False
) -> Spot:
    """The spot at the cursor mark."""
    text, offset = text_and_cursor(document, crlf=crlf)
    return spot_at(text, offset, path="file", language=language, config=config)


def in_place(spot: Spot, suggestion: Suggestion) -> str:
    """The cursor's line with the suggestion in it."""
    replaced, rest = spot.line_after[: suggestion.replace_after], spot.line_after[suggestion.replace_after :]
    return f"{spot.line_before}⟦{suggestion.text}⟧" + (f"⟨{replaced}⟩" if replaced else "") + rest


def logprob(probability: float) -> float:
    """The natural logarithm that a server sends."""
    return math.log(probability)
