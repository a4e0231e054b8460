"""Pure: paths as chat has them, and the workspace folders that they are in.

With one folder a path is as the index has it. With several it begins with the folder's name; two of the same
name also have the name of the folder above.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Roots:
    """The folders that are open, each with how its paths begin. Made by ``roots_of``."""

    named: tuple[tuple[str, str], ...]
    """What paths begin with, without a slash, and the folder."""

    @property
    def folders(self) -> tuple[str, ...]:
        """Where they are on disk."""
        return tuple(folder for _, folder in self.named)

    def shown(self, folder: str, path: str) -> str:
        """A folder's path as chat has it."""
        name = next((name for name, it in self.named if it == folder), "")
        return f"{name}/{path}" if name else path

    def is_owner(self, folder: str, path: str) -> bool:
        """Whether no other folder that is open, inside of this one, has the file too."""
        full = f"{folder}/{path}"
        return not any(
            it != folder and it.startswith(f"{folder}/") and full.startswith(f"{it}/") for it in self.folders
        )

    def found(self, path: str) -> tuple[str, str] | None:
        """The folder of a path, and the path in it; None if it begins with no folder's name."""
        if not path or "\0" in path:
            return None
        for name, folder in self.named:
            if not name:
                return folder, path
            if path.startswith(f"{name}/") and path != f"{name}/":
                return folder, path[len(name) + 1 :]
        return None

    def within(self, pattern: str) -> tuple[tuple[str, str], ...]:
        """The folders that a pattern or a part of a path is about, each with what it is there."""
        for name, folder in self.named:
            if name and (pattern.rstrip("/") == name or pattern.startswith(f"{name}/")):
                return ((folder, pattern[len(name) :].strip("/") if pattern.rstrip("/") == name else
                         pattern[len(name) + 1 :]),)  # fmt: skip
        return tuple((folder, pattern) for folder in self.folders)


def roots_of(folders: Iterable[str]) -> Roots:
    """Folders by their paths on disk, each once, in order."""
    each = list(dict.fromkeys(it.rstrip("/") or "/" for it in folders))
    if len(each) == 1:
        return Roots((("", each[0]),))
    return Roots(tuple((_name(it, each), it) for it in each))


def _name(folder: str, others: Sequence[str]) -> str:
    """The fewest last parts of a folder's path that no other one ends with."""
    parts = folder.strip("/").split("/")
    for count in range(1, len(parts) + 1):
        name = "/".join(parts[-count:])
        if not any(it != folder and f"/{it}".endswith(f"/{name}") for it in others):
            return name
    return "/".join(parts)
