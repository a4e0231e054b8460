"""What a project builds on, as a value, and what the readers of its manifests share."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from codeindex.files import read_bytes, text_of

LONGEST = 16_000_000  # Bytes of a manifest or a lock file.


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One root of source files that the project can use. A package with several has one value for each."""

    kind: Literal["stdlib", "package"]
    language: str
    """The ecosystem: python, javascript, go or rust."""
    name: str
    """As its registry has it; the language's name for a standard library."""
    version: str
    """Empty if no file says."""
    root: Path
    """A folder, or a single file."""
    direct: bool
    """Whether the project names it itself."""


def manifest_text(path: Path) -> str:
    """A manifest's text; empty if it is not there, too long or no text."""
    try:
        data = read_bytes(path, LONGEST, follow=True)
    except (OSError, ValueError):
        return ""
    return (text_of(data) or "") if len(data) <= LONGEST else ""


def manifest_toml(path: Path) -> dict[str, Any]:
    """A TOML manifest; empty if it is not there or makes no sense."""
    try:
        return tomllib.loads(manifest_text(path))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def manifest_json(path: Path) -> dict[str, Any]:
    """A JSON manifest's object; empty if it is not there or makes no sense."""
    try:
        found = json.loads(manifest_text(path))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def table(value: Any, *keys: str) -> dict[str, Any]:
    """The table at the end of these keys; empty if there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def strings(value: Any) -> list[str]:
    """The strings in a list; none if it is no list."""
    return [it for it in value if isinstance(it, str)] if isinstance(value, list) else []


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder, links to folders among them, sorted; none if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            names = [it.name for it in entries if it.is_dir()]
    except (OSError, ValueError):
        return []
    return [folder / it for it in sorted(names)]


def is_folder(path: Path) -> bool:
    """Whether there is a folder that can be asked about."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def home_of(env: Mapping[str, str]) -> Path:
    """The user's home folder."""
    return Path(env.get("HOME") or os.sep)
