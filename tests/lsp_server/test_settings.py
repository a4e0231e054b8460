"""Settings are untrusted data: whatever they are, Hearth starts, and says what it could not use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from lsp_server import settings_page
from lsp_server.settings import FIELDS, Settings, read_own, resolve, section

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = [it.metadata["key"] for it in FIELDS]


def test_nothing_said_is_the_defaults() -> None:
    """A fresh install needs no settings."""
    assert resolve() == (Settings(), [])


@pytest.mark.parametrize(
    "raw",
    [
        {"completion": {"maxTokens": 7}},
        {"completion.maxTokens": 7},
        {"hearth": {"completion": {"maxTokens": 7}}},
        {"hearth.completion.maxTokens": 7},
        {"completion": {"maxTokens": 7.0, "enabled": None}},
    ],
)
def test_names_nest_or_not(raw: dict[str, Any]) -> None:
    """People write settings as their editor does."""
    assert resolve(own=raw) == (Settings(completion_max_tokens=7), [])
    assert resolve(editor=raw) == (Settings(completion_max_tokens=7), [])


def test_the_editor_wins_over_the_file_and_the_command_line_over_both() -> None:
    """What is closest to the keyboard wins."""
    own = {"model": "file", "completion.pauseMs": 1}
    assert resolve(own, {"model": "editor"})[0] == Settings(model="editor", completion_pause_ms=1)
    assert resolve(own, {"model": "editor"}, "typed")[0].model == "typed"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("completion.enabled", "yes"),
        ("completion.enabled", 1),
        ("completion.maxTokens", True),
        ("completion.maxTokens", 0),
        ("completion.maxTokens", 1.5),
        ("completion.maxTokens", "12"),
        ("completion.confidence", "loud"),
        ("completion.confidence", 1.01),
        ("completion.confidence", float("nan")),
        ("completion.confidence", ["quiet"]),
        ("model", 5),
        ("model", {"path": "x"}),
        ("engine.threads", -1),
        ("logLevel", "loud"),
        ("logLevel", ["info"]),
        ("completion", 5),
    ],
)
def test_a_wrong_value_is_reported_and_ignored(key: str, value: Any) -> None:
    """One sentence per problem, and the default instead."""
    settings, problems = resolve(editor={key: value})
    assert settings == Settings()
    assert len(problems) == 1
    assert f"hearth.{key} from the editor must be" in problems[0]


def test_a_misspelled_name_gets_a_hint_and_a_foreign_one_does_not() -> None:
    """Editors keep their own settings beside ours."""
    raw = {"completion.maxtoken": 5, "trace.server": "verbose", "path": "/usr/bin/hearth", "server": {"x": 1}}
    settings, problems = resolve(editor=raw)
    assert settings == Settings()
    assert problems == [
        "There is no setting hearth.completion.maxtoken (from the editor); "
        "did you mean hearth.completion.maxTokens?"
    ]


@examples(max_examples=50)
@given(own=st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=6), JSON, max_size=4), editor=JSON)
def test_any_json_is_survived(own: dict[str, Any], editor: Any) -> None:
    """Whatever is sent, there are settings at the end."""
    settings, problems = resolve(own, section(editor))
    assert isinstance(settings, Settings)
    assert all(it.endswith((".", "?")) for it in problems)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", ""),
        (b"\xef\xbb\xbf{}", ""),
        (b'{"model": ', "cannot be read (line 1)"),
        (b"[1]", "must hold a JSON object"),
        (b"\xff\xfe\x00", "cannot be read (UnicodeDecodeError)"),
        (b"[" * 100_000, "cannot be read (RecursionError)"),
    ],
)
def test_a_broken_file_is_one_sentence(tmp_path: Path, content: bytes, problem: str) -> None:
    """Half a file, no JSON at all, another encoding: the defaults, and why."""
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    raw, problems = read_own(path)
    assert raw == {}
    assert [problem in it for it in problems] == ([True] if problem else [])


def test_no_file_and_a_folder_in_its_place(tmp_path: Path) -> None:
    """The file need not be there, nor be a file."""
    assert read_own(tmp_path / "settings.json") == ({}, [])
    assert "IsADirectoryError" in read_own(tmp_path)[1][0]


def test_the_settings_page_is_up_to_date() -> None:
    """Run `python -m lsp_server.settings_page` after changing a setting."""
    assert settings_page.PAGE.read_text(encoding="utf-8") == settings_page.page()
