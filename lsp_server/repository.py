"""What a repository is called: by where git says it came from, else by its folder. Git is never run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

LONGEST = 200_000  # Bytes of git's settings that are read: a clone's are some hundred.
NAME = re.compile(r"([\w.-]+?)(?:\.git)?/*\Z")
HIGHEST = 32  # Folders up from where somebody works to where its repository begins.


def repository_name(folder: str) -> str:
    """The name of the repository that a folder is in, or the folder's own; empty for none.

    Of a remote's address only the last part is used: the rest may name a person, or hold a password.
    """
    from codeindex.gitconfig import repository_at  # Late: with its rules for patterns it takes a while.

    if not folder:
        return ""
    at = os.path.abspath(folder)
    for _ in range(HIGHEST):
        found = repository_at(at)
        if found is not None:
            return _from_remote(os.path.join(found.common, "config")) or os.path.basename(at)
        at, below = os.path.dirname(at), at
        if at == below:
            break
    return os.path.basename(os.path.abspath(folder))


def _from_remote(config: str) -> str:
    from codeindex.files import read_bytes, text_of

    try:
        text = text_of(read_bytes(config, LONGEST, follow=True)) or ""
    except (OSError, ValueError):
        return ""
    remotes = dict(_remotes(text))
    address = remotes.get("origin") or next(iter(remotes.values()), "")
    name = NAME.search(re.split(r"[?#]", address)[0].replace("\\", "/"))
    return name[1] if name else ""


def _remotes(text: str) -> Iterator[tuple[str, str]]:
    """Each remote's name and address."""
    remote = ""
    for line in text.split("\n"):
        section = re.match(r'\s*\[\s*([\w.-]+)(?:\s+"([^"]*)")?\s*\]', line)
        if section:
            remote = section[2] or "" if section[1].lower() == "remote" else ""
        setting = re.match(r'\s*url\s*=\s*"?([^"\s]+)', line, re.IGNORECASE)
        if remote and setting:
            yield remote, setting[1]
