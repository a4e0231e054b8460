"""Which project a file or a folder belongs to, as far as the file system tells."""

from __future__ import annotations

from pathlib import Path

MARKERS = (".git", ".hearthignore", "pyproject.toml", "package.json", "go.mod", "Cargo.toml")


def project_of(path: Path) -> Path | None:
    """The nearest folder, upwards from a file or a folder, that holds one of the markers."""
    place = path.absolute()
    for folder in (place, *place.parents) if place.is_dir() else place.parents:
        if any((folder / it).exists() for it in MARKERS):
            return folder
    return None


def chosen_or_here(root: Path | None) -> Path:
    """The folder that was typed, or the project of the folder we are in, or that folder."""
    return root.absolute() if root else project_of(Path.cwd()) or Path.cwd()
