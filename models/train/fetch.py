"""Download the listed packages with their ecosystems' own clients; nothing of them is ever run.

Where a registry stands is the clients' own configuration. A package that is not to be had is told in one
sentence, and the others are fetched all the same.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from models.train.sources import Package

FOLDERS: Final = {"pip": "python", "npm": "javascript", "debian": "debian", "debian-source": "debian"}
AT_ONCE = 25  # Packages of one call of a client; a call that fails is repeated one by one.
APT: Final = Path("/etc/apt")
APT_OPTIONS = 'Dir::Etc::sourcelist "{0}/sources.list";\nDir::Etc::sourceparts "{0}/parts";\n'
APT_STATE = 'Dir::State::lists "{0}/lists";\nDir::Cache "{0}/cache";\n'

Command = Callable[[Sequence[Package], Path], list[str]]


def fetch(packages: Sequence[Package], downloads: Path) -> tuple[Package, ...]:
    """Bring every package's archive into ``downloads``; what is there stays. Returns what is missing."""
    missing: list[Package] = []
    for origin, command in COMMANDS.items():
        folder = downloads / FOLDERS[origin]
        folder.mkdir(parents=True, exist_ok=True)
        wanted = [it for it in packages if it.origin == origin and archive(it, downloads) is None]
        environment = dict(os.environ)
        if wanted and origin.startswith("debian"):
            environment["APT_CONFIG"] = str(_apt_with_sources(downloads.parent / "apt"))
        for start in range(0, len(wanted), AT_ONCE):
            batch = wanted[start : start + AT_ONCE]
            _run(command(batch, folder), folder, environment)
            for it in (it for it in batch if archive(it, downloads) is None):
                said = _run(command([it], folder), folder, environment)
                if archive(it, downloads) is None:
                    print(
                        f"fetch: {it.name} {it.version} is not to be had ({origin}): {said or 'nothing came'}"
                    )
                    missing.append(it)
        print(f"fetch origin={origin} wanted={len(wanted)}")
    return tuple(missing)


def archive(package: Package, downloads: Path) -> Path | None:
    """The downloaded archive of a package, or None."""
    folder = downloads / FOLDERS[package.origin]
    if package.origin == "pip":
        stem = re.sub(r"[-_.]+", "_", package.name).lower()
        for path in folder.glob(f"*-{package.version}-*.whl"):
            if re.sub(r"[-_.]+", "_", path.name.split("-")[0]).lower() == stem:
                return path
        return None
    if package.origin == "npm":
        stem = package.name.removeprefix("@").replace("/", "-")
        path = folder / f"{stem}-{package.version}.tgz"
        return path if path.exists() else None
    if package.origin == "debian":
        return next(folder.glob(f"{package.name}_{package.version.replace(':', '%3a')}_*.deb"), None)
    path = folder / f"{package.name}_{package.version.partition(':')[2] or package.version}.dsc"
    return path if path.exists() and all(it.exists() for it in parts(path)) else None


def parts(source: Path) -> tuple[Path, ...]:
    """The archives that a Debian source consists of."""
    text = source.read_text(encoding="utf-8", errors="replace")
    named = re.findall(r"^ [0-9a-f]{64} \d+ (\S+\.tar\.\w+)$", text, re.MULTILINE)
    return tuple(source.with_name(Path(it).name) for it in named)


def _pip(packages: Sequence[Package], folder: Path) -> list[str]:
    """Wheels only: a source archive could run its own setup code."""
    pins = [f"{it.name}=={it.version}" for it in packages]
    options = ["--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(folder)]
    return [sys.executable, "-m", "pip", "download", *options, *pins]


def _npm(packages: Sequence[Package], folder: Path) -> list[str]:
    """``npm pack`` of a registry package downloads its archive and runs none of its scripts."""
    pins = [f"{it.name}@{it.version}" for it in packages]
    return ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), *pins]


def _debian(packages: Sequence[Package], _: Path) -> list[str]:
    return ["apt-get", "download", "-qq", *(f"{it.name}={it.version}" for it in packages)]


def _debian_source(packages: Sequence[Package], _: Path) -> list[str]:
    pins = [f"{it.name}={it.version}" for it in packages]
    return ["apt-get", "source", "-qq", "--download-only", "--only-source", *pins]


COMMANDS: Final[Mapping[str, Command]] = {
    "pip": _pip,
    "npm": _npm,
    "debian": _debian,
    "debian-source": _debian_source,
}


def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str | None:
    """Run a client; None if it worked, else the last thing it said."""
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return f"{command[0]} is not installed"
    said = (done.stderr.strip() or done.stdout.strip()).split("\n")[-1]
    return None if done.returncode == 0 else said or f"{command[0]} failed"


def _apt_with_sources(folder: Path) -> Path:
    """A configuration of apt like the machine's own, that knows the source packages as well."""
    configuration = folder / "apt.conf"
    for it in ("parts", "lists/partial", "cache/archives/partial"):
        (folder / it).mkdir(parents=True, exist_ok=True)
    for path in (APT / "sources.list", *sorted((APT / "sources.list.d").glob("*"))):
        if path.is_file() and path.suffix in (".list", ".sources"):
            target = folder / ("sources.list" if path.parent == APT else f"parts/{path.name}")
            target.write_text(_sources_too(path.read_text(encoding="utf-8")), encoding="utf-8")
    configuration.write_text((APT_OPTIONS + APT_STATE).format(folder), encoding="utf-8")
    _run(["apt-get", "update", "-qq"], folder, {**os.environ, "APT_CONFIG": str(configuration)})
    return configuration


def _sources_too(listed: str) -> str:
    """The same list, and for each entry its sources."""
    both = re.sub(r"^Types:\s*deb\s*$", "Types: deb deb-src", listed, flags=re.MULTILINE)
    return both + "".join(f"\ndeb-src{it[3:]}" for it in both.split("\n") if it.startswith("deb ")) + "\n"
