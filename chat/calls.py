"""Pure: the texts in what a model asks tools for, to be looked through and put back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from models.wire import ToolCall


def texts_of(calls: Sequence[ToolCall]) -> Iterator[str]:
    """Every text in the arguments of calls, in a fixed order."""
    for it in calls:
        yield from _texts(dict(it.arguments))


def with_texts(calls: Sequence[ToolCall], texts: Iterator[str]) -> tuple[ToolCall, ...]:
    """The same calls with these texts in the place of theirs; what was no JSON is left out."""
    return tuple(replace(it, arguments=_filled(dict(it.arguments), texts), raw="") for it in calls)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for it in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(it)


def _filled(value: Any, texts: Iterator[str]) -> Any:
    if isinstance(value, str):
        return next(texts)
    if isinstance(value, dict):
        return {name: _filled(it, texts) for name, it in value.items()}
    return [_filled(it, texts) for it in value] if isinstance(value, list) else value
