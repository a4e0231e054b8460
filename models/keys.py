"""Find the key of a model server: in the environment, then in the system's keyring. It is shown nowhere."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from typing import NoReturn, SupportsIndex, final

from models.errors import NoKey
from models.spec import KeySource

logger = logging.getLogger(__name__)

NAME = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)  # Of an environment variable; keys look otherwise.
USUAL_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
KEY = re.compile(r"[!-~]{1,4096}")  # What fits into a header, and has no blank in the middle.
SHOWN = 6  # Characters in a row that would tell something about a key.
HIDDEN = "[key]"


@final
class Secret:
    """A text that only ``reveal()`` shows: not printing, formatting, logging, copying or a traceback."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one place that sends it."""
        return self._text

    def hide_in(self, message: str) -> str:
        """The message without the words that hold a part of the text: servers like to repeat a wrong key."""
        text = self._text
        parts = {text[n : n + SHOWN] for n in range(max(1, len(text) - SHOWN + 1))}
        words = re.split(r"(\s+)", message)
        return "".join(HIDDEN if any(part in word for part in parts) else word for word in words)

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"

    def __format__(self, form: str) -> str:
        return "…"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("A secret is neither copied nor stored.")


async def find(source: KeySource, title: str) -> Secret | None:
    """The key of the server called ``title``.

    Raises ``NoKey`` with one sentence when there is none and it cannot do without, or when what is there
    cannot be a key.
    """
    if source.variable and not NAME.fullmatch(source.variable):
        raise NoKey(f"The key of {title} is to be named by an environment variable, not written down itself.")
    text, place = os.environ.get(source.variable, "").strip() if source.variable else "", source.variable
    if not text and source.service:
        text, place = await asyncio.to_thread(_from_keyring, source), "the system's keyring"
    if text and not KEY.fullmatch(text):
        raise NoKey(f"What is in {_shown(place)} cannot be a key: it has a blank or a strange character.")
    if not text and source.required:
        raise NoKey(f"There is no key for {title}: {advice(source)}.")
    return Secret(text) if text else None


def advice(source: KeySource) -> str:
    """Where a key is looked for, as something to do."""
    ways = [f"set {_shown(source.variable)}"] if source.variable else []
    if source.service:
        ways.append(f"store it in the system's keyring ({source.service}, {source.account})")
    return " or ".join(ways) or "no place for it is set"


def _shown(variable: str) -> str:
    """A variable's name; what looks like none may be the key, put in the wrong place."""
    return variable if USUAL_NAME.fullmatch(variable) or " " in variable else "that variable"


def _from_keyring(source: KeySource) -> str:
    """What the keyring holds; nothing if there is none, or if it is locked. It may ask the user first."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:  # An extra that need not be there.
        return ""
    try:
        return (keyring.get_password(source.service, source.account) or "").strip()
    except (KeyringError, OSError, RuntimeError) as exc:
        logger.info("keyring not used cause=%s", type(exc).__name__)
        return ""
