"""Which programs chat may start, only the user can say; what is wrong is one sentence without their keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chat.agent_server import ServerSpec
from lsp_server import settings
from lsp_server.settings_page import page

TRACKER = {"command": "/bin/tracker", "args": ["--x", "${workspace}"], "env": {"TOKEN": "sk-very-secret"}}
GOOD = {
    "chat": {"mcpServers": {"tracker": TRACKER, "bare": {"command": "b"}}, "mcpAllowed": ["tracker/find"]}
}


def test_servers_of_the_users_own_file() -> None:
    """All that is said of them, and no key shows when they are printed."""
    found, problems = settings.resolve(GOOD)
    assert problems == []
    assert found.chat_mcp_servers == (
        ServerSpec(
            name="tracker",
            command="/bin/tracker",
            args=("--x", "${workspace}"),
            env={"TOKEN": "sk-very-secret"},
        ),
        ServerSpec(name="bare", command="b"),
    )
    assert found.chat_mcp_allowed == ("tracker/find",)
    assert "sk-very-secret" not in repr(found)


def test_an_editor_can_say_none_of_it() -> None:
    """What it says may come from a workspace."""
    for said in (GOOD, {"hearth": GOOD}, {"chat.mcpServers": {"x": {"command": "rm"}}}):
        found, problems = settings.resolve({}, said)
        assert (found.chat_mcp_servers, found.chat_mcp_allowed) == ((), ())
        assert "chat.mcpServers" in problems[0]
        assert "count in your own settings.json alone" in problems[0]
    found, _ = settings.resolve(GOOD, {"chat": {"mcpAllowed": ["tracker/delete"], "mcpServers": {}}})
    assert found.chat_mcp_allowed == ("tracker/find",)
    assert len(found.chat_mcp_servers) == 2


def test_no_file_of_a_repository_says_it(
    hearth_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither one that lies there, nor one that the environment was made to point to."""
    for name in (
        "settings.json",
        ".vscode/settings.json",
        ".hearth/settings.json",
        ".mcp.json",
        "hearth.json",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(GOOD))
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    from lsp_server.wiring import Workbench

    assert Workbench(builds=False).settings.chat_mcp_servers == ()
    moved = tmp_path / "config"
    moved.mkdir()
    (moved / "settings.json").write_text(json.dumps(GOOD))
    monkeypatch.setenv("HEARTH_HOME", str(tmp_path))
    bench = Workbench(builds=False)
    assert (bench.settings.chat_mcp_servers, bench.settings.chat_mcp_allowed) == ((), ())
    assert "it lies in the repository" in bench.problems[0]


@pytest.mark.parametrize(
    "servers",
    [
        [],
        "tracker",
        {"a b": {"command": "x"}},
        {"": {"command": "x"}},
        {"x" * 33: {"command": "x"}},
        {"a": "sk-very-secret"},
        {"a": {}},
        {"a": {"command": ""}},
        {"a": {"command": 3}},
        {"a": {"command": "x\0"}},
        {"a": {"command": "x", "url": "http://sk-very-secret"}},
        {"a": {"command": "x", "args": "sk-very-secret"}},
        {"a": {"command": "x", "args": [1]}},
        {"a": {"command": "x", "env": ["sk-very-secret"]}},
        {"a": {"command": "x", "env": {"T": 1}}},
        {"a": {"command": "x", "env": {"A=B": "sk-very-secret"}}},
        {f"s{it}": {"command": "x"} for it in range(17)},
    ],
)
def test_servers_that_make_no_sense(servers: Any) -> None:
    """None of them is used, and the sentence repeats nothing of what stands there."""
    found, problems = settings.resolve({"chat": {"mcpServers": servers}})
    assert found.chat_mcp_servers == ()
    assert problems[0].startswith("The setting hearth.chat.mcpServers in settings.json must be an object of")
    assert "sk-very-secret" not in problems[0]


@pytest.mark.parametrize(
    "calls", ["tracker/find", ["tracker"], ["tracker/*"], ["*"], ["/find"], [3], ["a/b c"]]
)
def test_what_cannot_be_allowed(calls: Any) -> None:
    """One tool of one server, in full: a pattern could allow more than was meant."""
    found, problems = settings.resolve({"chat": {"mcpAllowed": calls}})
    assert found.chat_mcp_allowed == ()
    assert "chat.mcpAllowed" in problems[0]


def test_the_page_has_them() -> None:
    """With the word that they count in the user's own file alone."""
    for name in ("chat.mcpServers", "chat.mcpAllowed"):
        section = page().split(f"## `{name}`")[1].split("\n## ")[0]
        assert "- Where: in your own file alone" in section
