"""Pure: how single settings are read from untrusted JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Literal

CONFIDENCE_LEVELS = ("eager", "balanced", "quiet")

VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")
MOST_MONEY = 1_000_000

Reader = Callable[[Any], Any]
Confidence = Literal["eager", "balanced", "quiet"] | float


class Unusable(ValueError):
    """The value cannot be used; the message says what would be, as in "true or false"."""


def option(key: str, default: Any, reads: Reader, says: str, allowed: str, *, own: bool = False) -> Any:
    """A field of the settings. ``own``: it counts in the user's own file alone, never from an editor."""
    metadata = {"key": key, "reads": reads, "says": says, "allowed": allowed, "own": own}
    return field(default=default, metadata=metadata)


def truth(value: Any) -> bool:
    """Either of both."""
    if not isinstance(value, bool):
        raise Unusable("true or false")
    return value


def whole(least: int, most: int) -> Reader:
    """A whole number within bounds."""

    def read(value: Any) -> int:
        exact = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not exact or not least <= value <= most:
            raise Unusable(f"a whole number from {least} to {most}")
        return int(value)

    return read


def text(value: Any) -> str:
    """One text, without blanks around it."""
    if not isinstance(value, str) or "\0" in value:
        raise Unusable("text")
    return value.strip()


def texts(value: Any) -> tuple[str, ...]:
    """Several texts."""
    if not isinstance(value, list) or not all(isinstance(it, str) and "\0" not in it for it in value):
        raise Unusable("a list of texts")
    return tuple(it.strip() for it in value if it.strip())


def one_of(*names: str) -> Reader:
    """One of these words."""

    def read(value: Any) -> str:
        if value not in names:
            raise Unusable(f"one of {', '.join(names)}")
        return str(value)

    return read


def confidence(value: Any) -> Confidence:
    """A level, or a number from 0 to 1."""
    if isinstance(value, str) and value in CONFIDENCE_LEVELS:
        return value  # type: ignore[return-value]  # one of the literals, as just checked
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise Unusable(f"one of {', '.join(CONFIDENCE_LEVELS)}, or a number from 0 to 1")


def amount(value: Any) -> float:
    """Money, never negative."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not 0 <= value <= MOST_MONEY:
        raise Unusable(f"a number from 0 to {MOST_MONEY}")
    return float(value)


def variable(value: Any) -> str:
    """The name of an environment variable. What stands there instead may be the key: it is not repeated."""
    if value == "" or (isinstance(value, str) and VARIABLE.fullmatch(value)):
        return str(value)
    raise Unusable("the name of an environment variable, not the key itself")


def choices(keys: tuple[str, ...], names: tuple[str, ...]) -> Reader:
    """An object with some of these keys, and one of these names for each."""

    def read(value: Any) -> tuple[tuple[str, str], ...]:
        is_good = isinstance(value, Mapping) and all(it in keys for it in value)
        if not is_good or not all(isinstance(it, str) and it in names for it in value.values()):
            raise Unusable(f"an object of {', '.join(keys)}, each one of {', '.join(names)}")
        return tuple(sorted(value.items()))

    return read
