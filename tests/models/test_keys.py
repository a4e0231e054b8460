"""Keys: where they are found, and all the ways in which they do not get out."""

from __future__ import annotations

import builtins
import copy
import json
import logging
import pickle
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import pytest

from models.errors import NoKey
from models.keys import Secret, find
from models.spec import KeySource

keyring = pytest.importorskip("keyring", reason="an extra that need not be there")

TEXT = "sk-proj-9aQ7wE5rT3yU1iO"
SECRET = Secret(TEXT)
BOTH = KeySource(variable="A_TEST_KEY", service="hearth", account="openai")


@dataclass
class Holder:
    """What may hold one by mistake."""

    key: Secret


@pytest.mark.parametrize(
    "shown",
    [
        repr(SECRET),
        str(SECRET),
        f"{SECRET}",
        f"{SECRET!r:>40}",
        f"{SECRET:s}",
        "%s %r" % (SECRET, SECRET),  # noqa: UP031 - as logging does it
        repr([SECRET, {"key": SECRET}]),
        repr(Holder(SECRET)),
        str(dir(SECRET)),
    ],
)
def test_no_form_shows_it(shown: str) -> None:
    """Printing is how keys get into logs."""
    assert TEXT[:5] not in shown


@pytest.mark.parametrize(
    "store", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, vars, lambda it: asdict(Holder(it))]
)
def test_it_cannot_be_stored(store: Any) -> None:
    """Neither on purpose nor in passing."""
    with pytest.raises(TypeError):
        store(SECRET)


def test_a_traceback_does_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    """Also not one that shows the variables."""

    def fails(key: Secret) -> None:
        raise ValueError(f"no answer with {key}")

    try:
        fails(SECRET)
    except ValueError as exc:
        shown = "".join(traceback.TracebackException.from_exception(exc, capture_locals=True).format())
        logging.getLogger("a test").exception("failed with %s", SECRET)
    assert "key = Secret(…)" in shown
    assert TEXT not in shown + caplog.text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"Incorrect key {TEXT}.", "Incorrect key [key]"),
        ("Incorrect key sk-proj-*****1iO\nprovided", "Incorrect key [key]\nprovided"),
        ("ends in 3yU1iO, sorry", "ends in [key] sorry"),
        ("Nothing of it.", "Nothing of it."),
        ("", ""),
    ],
)
def test_it_is_taken_out_of_what_others_say(said: str, shown: str) -> None:
    """Servers repeat wrong keys, whole or in part."""
    assert SECRET.hide_in(said) == shown


async def test_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch, ring: dict[Any, str]) -> None:
    """For one run somebody sets another key; around it there may be blanks."""
    ring["hearth", "openai"] = "from-the-ring"
    monkeypatch.setenv("A_TEST_KEY", f" {TEXT}\n")
    assert _text(await find(BOTH, "OpenAI")) == TEXT
    monkeypatch.setenv("A_TEST_KEY", " ")
    assert _text(await find(BOTH, "OpenAI")) == "from-the-ring"


async def test_none_is_needed_where_none_is_required(ring: dict[Any, str]) -> None:
    """A server on this machine asks for one rarely."""
    assert await find(replace(BOTH, required=False), "vLLM") is None
    assert await find(KeySource(required=False), "Ollama") is None


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (
            BOTH,
            "There is no key for OpenAI: set A_TEST_KEY"
            " or store it in the system's keyring (hearth, openai).",
        ),
        (KeySource(variable="A_TEST_KEY"), "There is no key for OpenAI: set A_TEST_KEY."),
        (KeySource(), "There is no key for OpenAI: no place for it is set."),
    ],
)
async def test_a_missing_key_says_where_it_was_looked_for(
    source: KeySource, sentence: str, ring: dict[Any, str]
) -> None:
    """So that the user knows what to do."""
    with pytest.raises(NoKey) as caught:
        await find(source, "OpenAI")
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "variable", [TEXT, "abc123.def456", "deadbeef" * 4, "two words", "x=y", "Bearer", "é"]
)
async def test_a_key_in_the_place_of_a_name_is_not_repeated(variable: str) -> None:
    """It is an easy mistake to make in settings."""
    with pytest.raises(NoKey) as caught:
        await find(KeySource(variable=variable), "OpenAI")
    assert variable not in str(caught.value)


@pytest.mark.parametrize("value", ["two words", "line\nbreak", "schlüssel", "a\x00b", "x" * 5000])
async def test_what_cannot_be_a_key_is_not_sent(value: str, ring: dict[Any, str]) -> None:
    """A line break would be another header; and the value is not repeated."""
    ring["hearth", "openai"] = value
    with pytest.raises(NoKey, match="What is in the system's keyring cannot be a key") as caught:
        await find(BOTH, "OpenAI")
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    "failure",
    [keyring.errors.NoKeyringError("none"), keyring.errors.KeyringLocked("no"), RuntimeError("dbus")],
)
async def test_a_keyring_that_does_not_open_is_none(
    failure: Exception, monkeypatch: pytest.MonkeyPatch, ring: dict[Any, str]
) -> None:
    """On a server there is no keyring, and in a closed session it is locked."""

    def refuse(*_: str) -> str:
        raise failure

    monkeypatch.setattr(type(keyring.get_keyring()), "get_password", refuse)
    with pytest.raises(NoKey, match="There is no key for OpenAI"):
        await find(BOTH, "OpenAI")


async def test_the_keyring_need_not_be_installed(
    monkeypatch: pytest.MonkeyPatch, ring: dict[Any, str]
) -> None:
    """It is an extra."""
    ring["hearth", "openai"] = TEXT
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "keyring":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert await find(replace(BOTH, required=False), "OpenAI") is None


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[Any, str]]:
    """A keyring of this test's own: `keyring`'s own machinery over a table of (service, account)."""
    monkeypatch.delenv("A_TEST_KEY", raising=False)
    entries: dict[Any, str] = {}

    class Ring(keyring.backend.KeyringBackend):  # type: ignore[misc,name-defined] # Any where it is not installed
        priority = 1

        def get_password(self, service: str, account: str) -> str | None:
            return entries.get((service, account))

        def set_password(self, service: str, account: str, password: str) -> None:
            entries[service, account] = password

        def delete_password(self, service: str, account: str) -> None:
            del entries[service, account]

    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    yield entries
    keyring.set_keyring(before)


def _text(key: Secret | None) -> str | None:
    return key.reveal() if key else None
