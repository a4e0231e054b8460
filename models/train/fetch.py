"""Download the listed packages with their ecosystems' own clients; nothing of them is ever run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from models.train.sources import Package


def fetch(packages: Sequence[Package], downloads: Path) -> None:
    """Bring every package's archive into ``downloads/<language>``; what is already there stays."""
    for language, command in (("python", _pip), ("javascript", _npm)):
        folder = downloads / language
        folder.mkdir(parents=True, exist_ok=True)
        wanted = [it for it in packages if it.language == language and archive(it, downloads) is None]
        if wanted:
            subprocess.run(command(wanted, folder), cwd=folder, check=True)
        print(f"fetch language={language} fetched={len(wanted)}")


def archive(package: Package, downloads: Path) -> Path | None:
    """The downloaded archive of a package, or None."""
    if package.language == "python":
        stem = package.name.replace("-", "_").lower()
        for path in (downloads / "python").glob("*.whl"):
            name, version = path.name.split("-")[:2]
            if name.lower().replace(".", "_") == stem and version == package.version:
                return path
        return None
    stem = package.name.removeprefix("@").replace("/", "-")
    path = downloads / "javascript" / f"{stem}-{package.version}.tgz"
    return path if path.exists() else None


def _pip(packages: Sequence[Package], folder: Path) -> list[str]:
    """Wheels only: a source archive could run its own setup code."""
    pins = [f"{it.name}=={it.version}" for it in packages]
    options = ["--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(folder)]
    return [sys.executable, "-m", "pip", "download", *options, *pins]


def _npm(packages: Sequence[Package], folder: Path) -> list[str]:
    """``npm pack`` of a registry package downloads its archive and runs none of its scripts."""
    pins = [f"{it.name}@{it.version}" for it in packages]
    return ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), *pins]
