"""What the docs say about the wire, and the answer that is given before the library is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from lsprotocol.converters import get_converter

from lsp_server import protocol
from lsp_server.features import COMMANDS, FEATURES, register
from lsp_server.greeting import result
from lsp_server.protocol import Status
from lsp_server.server import Assistant
from lsp_server.wiring import Workbench

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*protocol.CUSTOM_METHODS, *protocol.COMMANDS])
def test_what_is_ours_is_documented(name: str) -> None:
    """An editor author reads docs/protocol.md, not our source."""
    assert f"\n## `{name}`\n" in PAGE


def test_nothing_is_documented_that_is_not_there() -> None:
    """A section about something gone is worse than none."""
    assert set(re.findall(r"^## `(hearth.+)`$", PAGE, re.MULTILINE)) == {
        *protocol.CUSTOM_METHODS,
        *protocol.COMMANDS,
    }
    for name in Status(model="", state="idle").json():
        assert f"`{name}`" in PAGE


def test_everything_of_ours_has_a_row() -> None:
    """The tables of features and commands are complete."""
    assert set(COMMANDS) == set(protocol.COMMANDS)
    assert {it.method for it in FEATURES if it.method.startswith("hearth/")} == set(protocol.CUSTOM_METHODS)


@pytest.mark.parametrize("encodings", [["utf-8"], ["utf-16"], ["utf-32", "utf-8"], None])
def test_the_early_answer_is_the_librarys_own(hearth_home: Path, encodings: list[str] | None) -> None:
    """What was promised before the library was loaded is what the library would have promised."""
    client: dict[str, Any] = {"general": {"positionEncodings": encodings}} if encodings else {}
    raw = {"processId": None, "rootUri": None, "capabilities": client}
    assistant = Assistant(Workbench())
    register(assistant)
    sent: list[bytes] = []
    assistant.protocol.set_writer(
        type("Pipe", (), {"write": staticmethod(sent.append), "close": lambda: None})()
    )
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": raw}
    assistant.protocol.handle_message(assistant.protocol.structure_message(message))
    theirs = get_converter().unstructure(assistant.server_capabilities, lsp.ServerCapabilities)
    assert theirs == result(raw)["capabilities"]
    assert len(sent) == 1
