"""Which packages the next starter model is made from, and which the bundled one has learned from."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Final

from models.train.licences import PERMISSIVE, permissive

__all__ = [
    "LANGUAGES",
    "ORIGINS",
    "PERMISSIVE",
    "SOURCES",
    "SPLITS",
    "Package",
    "load_learned",
    "load_packages",
    "load_shares",
    "together",
    "write_learned",
]

SOURCES: Final = Path(__file__).with_name("sources.toml")
# What a package's language means for its files: whatever else it holds is left alone.
LANGUAGES: Final[Mapping[str, frozenset[str]]] = {
    "python": frozenset({"python"}),
    "javascript": frozenset({"javascript", "typescript", "java"}),  # apps for phones carry their Java
    "go": frozenset({"go"}),
    "rust": frozenset({"rust"}),
    "java": frozenset({"java"}),
    "c": frozenset({"c"}),
}
SPLITS: Final = ("train", "heldout")
# Where it is fetched from: a wheel, an npm archive, a Debian package that holds sources, a Debian source.
ORIGINS: Final = ("pip", "npm", "debian", "debian-source")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One pinned package: what to fetch, under which licence, and on which side of the split it stands."""

    name: str
    version: str
    licence: str
    language: str
    split: str
    origin: str


def load_packages(path: Path = SOURCES) -> tuple[Package, ...]:
    """Every package of the list, in its order; a package that breaks a rule of the list stops the recipe."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["package"]
    packages = tuple(Package(**row) for row in rows)
    for it in packages:
        if it.language not in LANGUAGES or it.split not in SPLITS or it.origin not in ORIGINS:
            raise ValueError(f"{path.name}: {it} has an unknown language, split or origin")
        if not permissive(it.licence):
            raise ValueError(f"{path.name}: {it} has no permissive licence")
    return packages


def load_shares(path: Path = SOURCES) -> dict[str, float]:
    """How much of what is drawn is of which language; the shares add up to one."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))["shares"]
    return {str(language): float(share) for language, share in table.items()}


def load_learned(path: Path) -> tuple[Package, ...]:
    """What the bundled weights learned from and were held out from, which is written down with them."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(Package(**row) for row in csv.DictReader(file))


def write_learned(packages: Sequence[Package], path: Path) -> None:
    """Write down what weights learned from; the list may go on to change."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(it.name for it in fields(Package))
        writer.writerows(map(astuple, packages))


def together(before: Sequence[Package], after: Sequence[Package]) -> tuple[Package, ...]:
    """What weights learned from that were trained on one list and then on another.

    Whatever was trained on once is not held out any more.
    """
    every: dict[tuple[str, str, str], Package] = {}
    for it in (*before, *after):
        key = (it.language, it.name, it.version)
        if every.get(key) is None or it.split == "train":
            every[key] = it
    return tuple(every.values())
