"""Pure: how the settings of agent mode are read: programs to start, and calls that need no asking."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chat.agent_server import ServerSpec
from lsp_server.settings_values import Unusable, texts

MOST_SERVERS = 16
NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
CALL = re.compile(r"[A-Za-z0-9_-]{1,32}/[^\s*]{1,128}")
# What is wrong is not repeated: it may hold a key.
SERVERS_SAY = (
    "an object of at most 16 servers, each under a name of letters, digits, _ and -, with a command and, "
    "if need be, args (a list of texts) and env (an object of texts)"
)
SERVERS_SHOWN = 'an object, each server as `{"command": …, "args": […], "env": {…}}`'


def servers(value: Any) -> tuple[ServerSpec, ...]:
    """The servers of ``chat.mcpServers``; all of them or none."""
    if not isinstance(value, Mapping) or MOST_SERVERS < len(value):
        raise Unusable(SERVERS_SAY)
    return tuple(_server(name, it) for name, it in value.items())


def calls(value: Any) -> tuple[str, ...]:
    """The calls of ``chat.mcpAllowed``: each one tool of one server, never a pattern."""
    found = texts(value)
    if not all(CALL.fullmatch(it) for it in found):
        raise Unusable('a list of tools such as "server/tool", each in full')
    return found


def _server(name: str, said: Any) -> ServerSpec:
    known = {"command", "args", "env"}
    if not NAME.fullmatch(name) or not isinstance(said, Mapping) or not set(said) <= known:
        raise Unusable(SERVERS_SAY)
    command, args, env = said.get("command"), said.get("args", []), said.get("env", {})
    if not isinstance(command, str) or not command.strip() or "\0" in command:
        raise Unusable(SERVERS_SAY)
    if not isinstance(args, list) or not all(map(_is_text, args)) or not isinstance(env, Mapping):
        raise Unusable(SERVERS_SAY)
    if not all(it and "=" not in it and _is_text(it) for it in env) or not all(map(_is_text, env.values())):
        raise Unusable(SERVERS_SAY)
    return ServerSpec(name=name, command=command, args=tuple(args), env=dict(env))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value
