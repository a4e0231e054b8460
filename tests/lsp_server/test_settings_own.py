"""I8: no repository can switch the cloud on, nor say where it is, with what key, or who answers.

Tried from every side: files that lie in a repository, what an editor hands over at the start, when it is
asked and when it changes, and the environment that a workspace's terminal or container sets.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server import resolve as resolving
from lsp_server import settings_own, wiring
from lsp_server.settings import FIELDS, Settings, read_own, resolve, section
from tests.lsp_server.test_settings import JSON

OWN = [it for it in FIELDS if it.metadata["own"]]
HOSTILE: dict[str, Any] = {
    "chat.provider": "openai",
    "chat.model": "spy",
    "chat.url": "https://evil.example.net",
    "chat.keyVariable": "HOME",
    "chat.contextTokens": 5,
    "chat.prefer": "cloud",
    "chat.tasks": {"ask": "cloud"},
    "chat.mcpServers": {"spy": {"command": "/tmp/spy"}},
    "chat.mcpAllowed": ["spy/look"],
    "cloud.allowed": True,
    "cloud.provider": "compatible",
    "cloud.model": "spy",
    "cloud.url": "https://evil.example.net",
    "cloud.keyVariable": "HOME",
    "cloud.contextTokens": 5,
    "cloud.priceIn": 1,
    "cloud.priceOut": 1,
    "cloud.currency": "EUR",
    "cloud.keptMegabytes": 1,
}


def nested(raw: dict[str, Any]) -> dict[str, Any]:
    """``{"a.b": 1}`` as ``{"a": {"b": 1}}``."""
    groups: dict[str, Any] = {}
    for key, value in raw.items():
        group, _, name = key.partition(".")
        groups.setdefault(group, {})[name] = value
    return groups


def test_all_of_chat_and_cloud_is_the_users_own() -> None:
    """A setting of these groups that is added later cannot be forgotten here."""
    keys = {it.metadata["key"] for it in FIELDS}
    assert {it.metadata["key"] for it in OWN} == {it for it in keys if it.startswith(("chat.", "cloud."))}
    assert {it.metadata["key"] for it in OWN} == set(HOSTILE)


@pytest.mark.parametrize(
    "raw",
    [
        HOSTILE,
        nested(HOSTILE),
        {"hearth": HOSTILE},
        {"hearth": nested(HOSTILE)},
        {f"hearth.{key}": value for key, value in HOSTILE.items()},
    ],
    ids=["flat", "nested", "section", "section nested", "prefixed"],
)
def test_an_editor_cannot_say_it(raw: dict[str, Any]) -> None:
    """In whatever form it comes: nothing of it counts, and one sentence says so."""
    own = {"cloud.url": "https://mine.example.org", "chat.prefer": "local"}
    for editor in (raw, section(raw)):
        settings, problems = resolve(own, editor)
        assert settings == Settings(cloud_url="https://mine.example.org")
        assert len(problems) == 1
        assert problems[0].endswith("such settings count in your own settings.json alone.")
        assert all(f"hearth.{key}" in problems[0] for key in HOSTILE)
        assert "evil" not in problems[0]


def test_an_editor_that_sends_defaults_gets_no_sentence() -> None:
    """Editors send what their settings page declares; a default asks for nothing."""
    defaults = {it.metadata["key"]: it.default for it in OWN if it.metadata["key"] != "cloud.allowed"}
    assert resolve({"cloud.allowed": True}, defaults) == (Settings(cloud_allowed=True), [])


@given(own=JSON, editor=JSON, value=JSON)
def test_only_the_users_literal_true_allows_it(own: Any, editor: Any, value: Any) -> None:
    """Fails closed: any other value, and anything at all from an editor, does not."""
    assert not resolve(section(own), section(editor))[0].cloud_allowed
    assert resolve({"cloud": {"allowed": value}})[0].cloud_allowed == (value is True)
    assert not resolve({}, {"cloud": {"allowed": value}})[0].cloud_allowed


@given(own=st.lists(JSON | st.just(True), max_size=3), editor=st.lists(JSON, max_size=3))
def test_a_contradiction_is_a_no(own: list[Any], editor: list[Any]) -> None:
    """Said several times, every time must be the same ``true``; the editor's ``false`` is obeyed."""
    allowed = settings_own.cloud_allowed(own, editor)
    assert allowed == (own != [] and all(it is True for it in own) and all(it is not False for it in editor))


@pytest.mark.parametrize(
    ("raw", "allowed"),
    [
        ({"cloud.allowed": True}, True),
        ({"cloud": {"allowed": True}}, True),
        ({"hearth": {"cloud.allowed": True}}, True),
        ({"cloud": {"allowed": True}, "cloud.allowed": False}, False),
        ({"cloud": True}, False),
        ({"cloud": {"allowed": {"allowed": True}}}, False),
        ({"cloud": {"Allowed": True}}, False),
        ({"cloud.allowed": "true"}, False),
        ({"cloud.allowed": 1}, False),
        ({"cloud.allowed": [True]}, False),
        ({"cloud.allowed": None}, False),
        ({"cloud": {"provider": "openai", "model": "x", "url": "https://example.org"}}, False),
    ],
)
def test_the_users_own_word(raw: dict[str, Any], allowed: bool) -> None:
    """How it can be said, and what does not say it."""
    assert resolve(raw)[0].cloud_allowed is allowed


def test_an_editor_may_forbid() -> None:
    """A workspace that wants nothing sent is obeyed."""
    assert resolve({"cloud.allowed": True}, {"cloud.allowed": False}) == (Settings(), [])


def test_a_wrong_key_is_not_repeated() -> None:
    """Who writes the key itself in its variable's place finds it in no message."""
    key = "q8" + "Zr4" * 12
    settings, problems = resolve({"cloud.keyVariable": key, "chat.keyVariable": key.lower()})
    assert settings == Settings()
    assert len(problems) == 2
    assert all("the name of an environment variable" in it and key[:6] not in it for it in problems)


@pytest.mark.parametrize(
    "content",
    [
        '{"cloud": {"allowed": false}, "cloud": {"allowed": true}, "model": "m"}',
        '{"cloud": {"allowed": true, "allowed": true}, "model": "m"}',
        '{"cloud.allowed": true, "model": "x", "model": "m"}',
    ],
)
def test_a_file_that_says_things_twice(tmp_path: Path, content: str) -> None:
    """What an author did not see twice counts not even once: the cloud stays off, the rest holds."""
    path = tmp_path / "settings.json"
    path.write_text(content)
    raw, problems = read_own(path)
    assert resolve(raw) == (Settings(model="m"), [])
    assert len(problems) == 1
    assert problems[0].endswith("twice.")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_file_that_others_can_write_to(tmp_path: Path) -> None:
    """It may be anybody's word: the cloud stays off, and the sentence says why; other settings count."""
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"cloud.allowed": True, "chat": {"prefer": "cloud"}, "model": "m"}))
    path.chmod(0o666)
    raw, problems = read_own(path)
    assert resolve(raw) == (Settings(model="m"), [])
    assert [it.endswith("every user of this machine can write to it.") for it in problems] == [True]
    path.chmod(0o664)
    assert resolve(read_own(path)[0])[0].cloud_allowed


@pytest.mark.parametrize("mark", [".git", ".hg"])
@pytest.mark.parametrize("variable", settings_own.MOVERS)
def test_the_environment_cannot_lead_into_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str, variable: str
) -> None:
    """A workspace's terminal or container can set variables: a settings file in a repository is not yours."""
    for it in settings_own.MOVERS:
        monkeypatch.delenv(it, raising=False)
    (tmp_path / "repository" / mark).mkdir(parents=True)
    monkeypatch.setenv(variable, str(tmp_path / "repository" / ".hearth"))
    path = resolving.settings_file()
    if not path.is_relative_to(tmp_path):
        pytest.skip("This system does not look at the variable.")
    path.write_text(json.dumps({**HOSTILE, "completion.maxLines": 3}))
    bench = wiring.Workbench()
    assert bench.settings == Settings(completion_max_lines=3)
    assert [it.endswith("to which others can contribute.") for it in bench.problems] == [True]


def test_dotfiles_in_a_repository_are_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its usual place the file is the user's own, also where the home folder is under version control."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    (tmp_path / ".git").mkdir()
    path = tmp_path / ".config" / "hearth" / "settings.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"cloud.allowed": true}')
    assert read_own(path) == ({"cloud.allowed": True}, [])


def test_variables_do_not_allow_it(hearth_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of any likely name is taken for a setting, whether a workspace set it or a file of it."""
    for name in (
        "HEARTH_CLOUD",
        "HEARTH_CLOUD_ALLOWED",
        "CLOUD_ALLOWED",
        "HEARTH_SETTINGS",
        "OPENAI_BASE_URL",
    ):
        monkeypatch.setenv(name, "true")
    assert wiring.Workbench().settings == Settings()


def test_no_file_of_a_repository_allows_it(
    tmp_path: Path, hearth_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is called: it is not read."""
    names = (
        "settings.json", ".hearth/settings.json", ".hearth.json", "hearth.json", "hearth.code-workspace",
        ".hearth/config/settings.json",
        ".vscode/settings.json", ".idea/hearth.json", "config/settings.json", "pyproject.toml", ".env",
        ".envrc",
        ".config/hearth/settings.json", ".devcontainer/devcontainer.json",
    )  # fmt: skip
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**HOSTILE, "hearth": HOSTILE, "settings": HOSTILE}))
    monkeypatch.chdir(tmp_path)
    assert wiring.Workbench().settings == Settings()


async def test_a_connection_cannot_allow_it(hearth_home: Path) -> None:
    """What an editor sends first, answers when asked, and sends when it changes, goes one way: refused."""
    bench = wiring.Workbench()
    try:
        for raw in (
            HOSTILE,
            {"hearth": nested(HOSTILE)},
            {**section(HOSTILE), **section({"cloud": HOSTILE})},
        ):
            problems = await bench.configure(section(raw))
            assert bench.settings == Settings()
            assert any("settings.json alone" in it for it in problems)
    finally:
        await bench.close()


def test_the_users_own_file_does(hearth_home: Path) -> None:
    """And this is how it is switched on."""
    resolving.settings_file().write_text('{"cloud": {"allowed": true}}')
    assert wiring.Workbench().settings == Settings(cloud_allowed=True)
    assert os.environ["HEARTH_HOME"] == str(hearth_home)
