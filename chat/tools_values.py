"""Pure: what a tool takes and gives: arguments read from what a model wrote, and bounded texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chat.types import Place

LONGEST_TEXT = 4_000  # Characters of one argument: nobody asks for more.
MOST_ITEMS = 20  # Of one list.
MOST_CHARACTERS = 20_000
"""Of one result: some 5,000 tokens, which is much of what a small model can hold."""
SHORTEST = 200  # Characters that a result has at least, however small its room is.
Value = str | int | tuple[str, ...]


class Wrong(Exception):
    """The arguments make no sense; the message is one sentence for whoever wrote them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a tool."""

    kind: str
    """``string``, ``integer`` or ``strings``."""
    says: str
    default: Value | None = None
    """``None``: it has to be given."""
    least: int = 0
    most: int = 0

    @property
    def json(self) -> dict[str, Any]:
        """Its JSON schema."""
        if self.kind == "strings":
            return {"type": "array", "items": {"type": "string"}, "description": self.says}
        bounds = {"minimum": self.least, "maximum": self.most} if self.kind == "integer" else {}
        return {"type": self.kind, "description": self.says, **bounds}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a tool answered."""

    text: str
    places: tuple[Place, ...] = ()
    """Where it stands."""
    is_error: bool = False
    """Whether the text says why there is no answer."""


def schema(arguments: Mapping[str, Argument]) -> dict[str, Any]:
    """The JSON schema of a tool's arguments."""
    return {
        "type": "object",
        "properties": {name: it.json for name, it in arguments.items()},
        "required": [name for name, it in arguments.items() if it.default is None],
        "additionalProperties": False,
    }


def read(name: str, arguments: Mapping[str, Argument], given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all arguments. Raises ``Wrong``. A number in quotation marks is one: models do that."""
    unknown = [it for it in given if it not in arguments]
    if unknown:
        known = ", ".join(arguments) or "no arguments"
        raise Wrong(f"{name} has no argument {unknown[0][:40]!r}; it takes {known}.")
    values: dict[str, Any] = {}
    for key, it in arguments.items():
        value = given.get(key)
        if value is None:
            if it.default is None:
                raise Wrong(f"{name} needs the argument {key!r}: {it.says}")
            values[key] = it.default
        else:
            values[key] = _READ[it.kind](f"The argument {key!r} of {name}", it, value)
    return values


def bounded(parts: Iterable[str], most: int, rest: Callable[[int], str], between: str = "\n\n") -> str:
    """As many of the parts as have room, and a sentence on those that have none."""
    shown: list[str] = []
    listed = list(parts)
    room = max(most, SHORTEST)
    for at, it in enumerate(listed):
        last = rest(len(listed) - at)
        if room < len(it) + len(between) + (len(last) if at + 1 < len(listed) else 0):
            shown.append(f"{it[: room - len(last) - 1]}…{between}{last}" if not shown else last)
            break
        shown.append(it)
        room -= len(it) + len(between)
    return between.join(shown)


def cut_lines(lines: list[str], most: int) -> tuple[list[str], int]:
    """The first lines that have room, the first one in part if need be, and how many are left."""
    room = max(most, SHORTEST)
    for at, it in enumerate(lines):
        if room < len(it) + 1:
            return (lines[:at] or [f"{it[: room - 1]}…"]), len(lines) - max(at, 1)
        room -= len(it) + 1
    return lines, 0


def _string(what: str, it: Argument, value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise Wrong(f"{what} is a text.")
    if LONGEST_TEXT < len(value):
        raise Wrong(f"{what} is longer than {LONGEST_TEXT:,} characters.")
    if it.default is None and not value.strip():
        raise Wrong(f"{what} is empty.")
    return value.strip()


def _integer(what: str, it: Argument, value: Any) -> int:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if isinstance(value, float) and value.is_integer():
        value, is_number = int(value), True
    if isinstance(value, str) and len(value) < 12 and value.strip().lstrip("-").isdecimal():
        value, is_number = int(value), True
    if not is_number or not it.least <= value <= it.most:
        raise Wrong(f"{what} is a whole number from {it.least} to {it.most}.")
    return int(value)


def _strings(what: str, it: Argument, value: Any) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list | tuple) or MOST_ITEMS < len(listed):
        raise Wrong(f"{what} is a list of at most {MOST_ITEMS} texts.")
    return tuple(
        found for one in listed if (found := _string(what, Argument(kind="string", says="", default=""), one))
    )


_READ: Mapping[str, Callable[[str, Argument, Any], Any]] = {
    "string": _string,
    "integer": _integer,
    "strings": _strings,
}
