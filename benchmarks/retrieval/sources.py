"""The annotated repositories' sources: fetched through the registries' own clients, unpacked, never run."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIST = Path(__file__).with_name("sources.toml")
APT_SOURCES = Path("/etc/apt/sources.list.d")
_CODE = (
    ".py .js .jsx .ts .tsx .go .rs .java .kt .kts .rb .php .c .h .cpp .hpp .cs .swift .scala .ex .exs "
    ".dart .lua .sql .sh .bash .zig .hs "
)
CODE = frozenset(_CODE.split())
_LEFT_OUT = ".git .hg .svn __pycache__ node_modules .venv venv .env .tox dist build .eggs .mypy_cache "
LEFT_OUT = frozenset(_LEFT_OUT.split())


class CannotFetch(Exception):
    """A source that this machine's registries do not give; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One repository: what it was annotated for, and where its files lie now."""

    name: str
    split: str
    """"tune" or "decide"."""
    root: Path
    """A folder with exactly the files that a question may find."""
    moved: Mapping[str, str]
    """Beginnings of annotated paths, and what they were in this version."""

    def here(self, path: str) -> str:
        """An annotated path, as it is in this version."""
        for old, new in self.moved.items():
            if path.startswith(old):
                return new + path.removeprefix(old)
        return path


def source(entry: Mapping[str, Any], below: str, cache: Path) -> Source:
    """The unpacked source of one row of the list; only code ``below`` a folder of the repository."""
    root = cache / "src" / entry["name"]
    if not root.exists():
        fresh = root.with_name(root.name + ".part")
        shutil.rmtree(fresh, ignore_errors=True)
        for part in entry["parts"]:
            inside = re.compile(part["inside"])
            for name, data in _members(archive(cache / "archives", part["from"], part["package"])):
                match = inside.match(name.removeprefix("./"))
                path = part["to"] + name.removeprefix("./")[match.end() :] if match else ""
                if path and _belongs(path, below):
                    _write(fresh / path, data)
        if not fresh.exists():
            raise CannotFetch(f"{entry['name']}: no code in its archive.")
        fresh.rename(root)
    return Source(name=entry["name"], split=entry["split"], root=root, moved=entry.get("moved", {}))


def listed() -> list[dict[str, Any]]:
    """The rows of the list."""
    rows: list[dict[str, Any]] = tomllib.loads(LIST.read_text("utf-8"))["repository"]
    return rows


def _belongs(path: str, below: str) -> bool:
    folders = path.split("/")[:-1]
    inside = not below or path.startswith(f"{below}/")
    return inside and os.path.splitext(path)[1].lower() in CODE and LEFT_OUT.isdisjoint(folders)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def archive(folder: Path, where: str, package: str) -> Path:
    """The archive of a package, downloaded if it is not there yet."""
    place = folder / re.sub(r"\W+", "-", package)
    if not place.exists():
        place.mkdir(parents=True)
        options = _source_options(folder) if where == "apt-source" else []
        commands = {
            "pip": [
                sys.executable,
                "-m",
                "pip",
                "download",
                "-qq",
                "--no-deps",
                "--only-binary=:all:",
                package,
            ],
            "npm": ["npm", "pack", "--silent", "--ignore-scripts", package],
            "apt": ["apt-get", "download", "-q", package],
            "apt-source": ["apt-get", *options, "source", "-q", "--download-only", package],
        }
        try:
            subprocess.run(commands[where], cwd=place, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as exc:
            shutil.rmtree(place)
            raise CannotFetch(f"{package}: cannot be had from {where} here.") from exc
    found = [it for it in sorted(place.iterdir()) if where != "apt-source" or ".orig." in it.name]
    if not found:
        raise CannotFetch(f"{package}: nothing came from {where}.")
    return found[0]


def _source_options(folder: Path) -> list[str]:
    """Options with which apt sees the sources of its own archives, with lists in a folder of ours."""
    own = folder / "apt"
    (own / "parts").mkdir(parents=True, exist_ok=True)
    (own / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    for it in APT_SOURCES.glob("debian*.sources"):
        text = re.sub(r"^Types: deb$", "Types: deb-src", it.read_text("utf-8"), flags=re.MULTILINE)
        (own / "parts" / it.name).write_text(text, "utf-8")
    settings = {
        "Dir::Etc::SourceList": "/dev/null",
        "Dir::Etc::SourceParts": own / "parts",
        "Dir::State::Lists": own / "lists",
    }
    options = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
    subprocess.run(["apt-get", *options, "update", "-q"], check=False, capture_output=True)
    return options


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The files of an archive, by their path inside."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for name in wheel.namelist():
                if not name.endswith("/"):
                    yield name, wheel.read(name)
        return
    data = archive.read_bytes()
    if archive.suffix == ".deb":
        data = subprocess.run(
            ["dpkg", "--fsys-tarfile", str(archive)], check=True, capture_output=True
        ).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as bundle:
        for member in bundle:
            reader = bundle.extractfile(member) if member.isfile() else None
            if reader is not None:
                yield member.name, reader.read()
