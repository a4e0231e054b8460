"""Pure: a server of tools, as the user's settings describe it. The settings are read with every start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSpec:
    """An MCP server as the user's settings describe it: a program on this machine."""

    name: str
    command: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What it finds in its environment beside the usual; it may be a key, so it is never shown."""
