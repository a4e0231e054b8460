"""The projects that suggestions are judged on: fetched through the registries' own clients, never run."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models import paths

LIST = Path(__file__).with_name("projects.toml")
ENDINGS = {
    "python": (".py",),
    "javascript": (".js", ".mjs", ".cjs", ".jsx"),
    "typescript": (".ts", ".tsx", ".mts"),
    "go": (".go",),
    "rust": (".rs",),
    "java": (".java",),
    "c": (".c", ".h"),
}
LARGEST_FILE = 200_000  # Bytes. What is larger is generated, or data.
LARGEST_PROJECT = 6_000_000  # Bytes of one language; the rest is left out.
MADE_BY_MACHINE = re.compile(r"\.min\.|\.d\.ts$|\.d\.mts$|(^|/)(dist|build|node_modules|umd|locales)/")
LONG_LINE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A source file; lines end in a line feed."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One project's sources of one language."""

    name: str
    language: str
    split: str
    files: tuple[File, ...]


def projects(split: str, languages: tuple[str, ...] = tuple(ENDINGS)) -> Iterator[Project]:
    """The projects of a split, downloaded first where they are missing; those that cannot be are told."""
    folder = paths.cache_dir() / "heldout"
    for it in tomllib.loads(LIST.read_text("utf-8"))["project"]:
        if it["split"] != split or it["language"] not in languages:
            continue
        place = folder / re.sub(r"\W+", "-", f"{it['name']}-{it.get('version', '')}")
        try:
            archive = _archive(place, it)
            files = tuple(_files(archive, ENDINGS[it["language"]]))
        except (OSError, subprocess.CalledProcessError) as exc:
            print(f"left out: {it['name']} ({it['language']}, from {it['from']}): {exc}", file=sys.stderr)
            continue
        yield Project(name=it["name"], language=it["language"], split=split, files=files)


def _archive(place: Path, it: dict[str, str]) -> Path:
    if not place.exists():
        place.mkdir(parents=True)
        sign = {"pip": "==", "npm": "@"}.get(it["from"], "")
        pin = f"{it['name']}{sign}{it['version']}" if "version" in it else it["name"]
        commands = {
            "pip": [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--only-binary=:all:", pin],
            "npm": ["npm", "pack", "--silent", "--ignore-scripts", pin],
            "apt": ["apt-get", "download", "-q", pin],
        }
        try:
            subprocess.run(commands[it["from"]], cwd=place, check=True, capture_output=True)
        except BaseException:
            place.rmdir()
            raise
    return next(it for it in sorted(place.iterdir()) if it.is_file())


def _files(archive: Path, endings: tuple[str, ...]) -> Iterator[File]:
    budget = LARGEST_PROJECT
    for name, data in sorted(_members(archive)):
        if not name.endswith(endings) or LARGEST_FILE < len(data) or MADE_BY_MACHINE.search(name):
            continue
        text = re.sub(r"\r\n?", "\n", data.decode("utf-8", "replace").removeprefix("\ufeff"))
        if not text.strip() or "\0" in text or any(LONG_LINE < len(it) for it in text.split("\n")):
            continue
        budget -= len(data)
        if budget < 0:
            return
        yield File(path=name, text=text)


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The files of an archive, by their path inside."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for name in wheel.namelist():
                yield name, wheel.read(name)
        return
    stream = io.BytesIO(archive.read_bytes())
    if archive.suffix == ".deb":
        unpack = ["dpkg", "--fsys-tarfile", str(archive)]
        stream = io.BytesIO(subprocess.run(unpack, check=True, capture_output=True).stdout)
    with tarfile.open(fileobj=stream) as bundle:
        for member in bundle:
            reader = bundle.extractfile(member) if member.isfile() else None
            if reader is not None:
                yield member.name, reader.read()
