"""`hearth doctor` about chat: who would answer, what is wrong with that; and nobody elsewhere is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lsp_server.commands.doctor_chat import NO_MODEL, OFF, looked
from tests.e2e.talking_model import talking


def findings(home: Path, **settings: Any) -> list[tuple[str, str, str]]:
    """What is said with these settings: state, what, sentence."""
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "settings.json").write_text(json.dumps(settings))
    return [(it.state, it.what, it.says) for it in looked()]


def test_as_it_is_installed(hearth_home: Path) -> None:
    """No model is worth knowing, and no fault; the cloud is off."""
    assert findings(hearth_home) == [("note", "chat", NO_MODEL), ("good", "cloud", OFF)]


def test_a_server_of_this_machine(hearth_home: Path) -> None:
    """It is asked for its models: it has the one that is wanted, has others, or is not there."""
    with talking("x") as model:
        chat = {"provider": "compatible", "url": model.url, "model": "m"}
        assert findings(hearth_home, chat=chat)[0] == ("good", "chat", f"m answers at {model.url}")
        says = f"n at {model.url} has no model n"
        assert findings(hearth_home, chat={**chat, "model": "n"})[0] == ("bad", "chat", says)
        assert model.bodies == []
    state, what, _ = findings(hearth_home, chat=chat)[0]
    assert (state, what) == ("bad", "chat")


def test_our_own_engine(hearth_home: Path) -> None:
    """A file that is there, or one that is not."""
    file = hearth_home / "small.gguf"
    assert findings(hearth_home, chat={"model": str(file)})[0][:2] == ("bad", "chat")
    file.write_bytes(b"GGUF")
    said = findings(hearth_home, chat={"model": str(file)})[0]
    assert said == ("good", "chat", "small answers, in Hearth's own engine")


def test_the_cloud(hearth_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Allowed: which one, and whether there is a key. It is not asked: a test's connection would fail."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    cloud = {"allowed": True, "provider": "openai", "model": "large"}
    state, what, says = findings(hearth_home, cloud=cloud)[1]
    assert (state, what, says.startswith("There is no key for OpenAI")) == ("bad", "cloud", True)
    monkeypatch.setenv("OPENAI_API_KEY", "swordfish")
    said = findings(hearth_home, cloud=cloud)[1]
    assert said == ("note", "cloud", "allowed: large at https://api.openai.com/v1")
    assert findings(hearth_home, cloud={"allowed": True})[1][0] == "note"
    assert findings(hearth_home, cloud={**cloud, "allowed": "true"})[1:] == [("good", "cloud", OFF)]
