"""Which packages the starter model is made from: the pinned list in ``sources.toml``."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SOURCES: Final = Path(__file__).with_name("sources.toml")
LANGUAGES: Final = ("python", "javascript")
SPLITS: Final = ("train", "heldout")

# Licences that ask for no more than attribution; the words come from package metadata, so the match is loose.
PERMISSIVE: Final = re.compile(r"\b(MIT|BSD|Apache|PSF|Python Software Foundation|ISC)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One pinned package: what to fetch, under which licence, and on which side of the split it stands."""

    name: str
    version: str
    licence: str
    language: str
    split: str


def load_packages(path: Path = SOURCES) -> tuple[Package, ...]:
    """Every package of the list, in its order; a package that breaks a rule of the list stops the recipe."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["package"]
    packages = tuple(Package(**row) for row in rows)
    for it in packages:
        if it.language not in LANGUAGES or it.split not in SPLITS or not PERMISSIVE.search(it.licence):
            raise ValueError(f"sources.toml: {it} has an unknown language or split, or no permissive licence")
    return packages
