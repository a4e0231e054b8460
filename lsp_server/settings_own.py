"""What only the user may say: whether the cloud may be asked, and whether a file is really the user's own."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

MOVERS = ("HEARTH_HOME", "XDG_CONFIG_HOME")
"""Environment variables that move the settings file. A workspace's terminal or container can set them."""
REPOSITORY = (".git", ".hg", ".svn", ".jj")


def cloud_allowed(own: Sequence[Any], editor: Sequence[Any] = ()) -> bool:
    """Whether the cloud may be asked: the user's own file says so, and nothing contradicts.

    Fails closed: nothing but a literal ``true`` in the user's own file allows it, however often it is said.
    What the editor says can come from a workspace: a ``false`` is obeyed, anything else means nothing.
    """
    return 0 < len(own) and all(it is True for it in own) and not any(it is False for it in editor)


def only_own(keys: Iterable[str]) -> str:
    """One sentence for all that an editor said and may not say."""
    return (
        f"What the editor says about {', '.join(sorted(set(keys)))} is ignored, as a workspace could say it: "
        "such settings count in your own settings.json alone."
    )


def once(pairs: Iterable[tuple[str, Any]], twice: list[str]) -> dict[str, Any]:
    """A JSON object; the names that it says more than once go into ``twice``."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            twice.append(name)
        found[name] = value
    return found


def doubt(path: Path, twice: Sequence[str] = ()) -> str:
    """Why this file may not be the user's own word, as one sentence; empty if nothing speaks against it."""
    says = f"What the settings file {path} says about the cloud and chat is ignored, as"
    if twice:
        return f"{says} it says {twice[0]!r} twice."
    if hasattr(os, "getuid"):
        info = path.stat()
        if info.st_uid not in (os.getuid(), 0):
            return f"{says} it belongs to another user."
        if info.st_mode & stat.S_IWOTH:
            return f"{says} every user of this machine can write to it."
    if repository := _repository(path):
        return f"{says} it lies in the repository {repository}, to which others can contribute."
    return ""


def _repository(path: Path) -> Path | None:
    """The repository that a moved settings file lies in. In its usual place the file is the user's."""
    real = path.resolve()
    usual = (Path.home() / ".config").resolve()
    if not any(os.environ.get(it) for it in MOVERS) or real.is_relative_to(usual):
        return None
    return next((it for it in real.parents if any((it / name).exists() for name in REPOSITORY)), None)
