"""Read a fetched package: its licence and its source files. Nothing is unpacked to disk, nothing is run.

A damaged archive, or one that is not what its name says, is a ``BadArchive``, which is a ``ValueError``.
"""

from __future__ import annotations

import io
import json
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.train import licences

LARGEST = 400_000  # Bytes of one file; far above what cleaning keeps.
GO: Final = re.compile(r"^usr/share/gocode/src/[^/]+/[^/]+/")
CRATE: Final = re.compile(r"^usr/share/cargo/registry/[^/]+/")
DAMAGED: Final = (zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError)

Wanted = Callable[[str], bool]
Member = tuple[str, Callable[[], bytes]]


class BadArchive(ValueError):
    """The archive cannot be read; the message says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a package says of its licence, its wanted files, and how many its own metadata does not free."""

    licence: str
    files: tuple[tuple[str, str], ...]
    not_free: int = 0


def read(path: Path, wanted: Wanted) -> Content:
    """The licence and the wanted files of a wheel, an npm archive, a Debian package or a Debian source."""
    reader = {".whl": _wheel, ".tgz": _npm, ".deb": _debian, ".dsc": _debian_source}[path.suffix]
    try:
        return reader(path, wanted)
    except (*DAMAGED, KeyError, IndexError, ValueError) as exc:
        why = str(exc).partition("\n")[0]
        raise BadArchive(f"{path.name} cannot be read: {why}") from exc


def _wheel(path: Path, wanted: Wanted) -> Content:
    with zipfile.ZipFile(path) as wheel:
        names = [it.filename for it in wheel.infolist() if it.file_size <= LARGEST]
        metadata = next((it for it in names if re.fullmatch(r"[^/]+\.dist-info/METADATA", it)), "")
        licence = licences.of_wheel(_text(wheel.read(metadata)))
        files = tuple((it, _text(wheel.read(it))) for it in names if wanted(it))
        return Content(licence=licence, files=files)


def _npm(path: Path, wanted: Wanted) -> Content:
    licence = ""
    files: list[tuple[str, str]] = []
    with tarfile.open(path) as bundle:
        for name, data in _members(bundle):
            inner = name.partition("/")[2]
            if inner == "package.json":
                licence = licences.of_npm(json.loads(data()))
            elif wanted(inner):
                files.append((inner, _text(data())))
    return Content(licence=licence, files=tuple(files))


def _debian(path: Path, wanted: Wanted) -> Content:
    found: tuple[licences.Stanza, ...] = ()
    files: list[tuple[str, str]] = []
    with tarfile.open(fileobj=io.BytesIO(_data_of_deb(path.read_bytes()))) as bundle:
        for name, data in _members(bundle):
            if name.startswith("usr/share/doc/") and name.endswith("/copyright"):
                found = licences.stanzas(_text(data()))
            elif wanted(inner := CRATE.sub("", GO.sub("", name))):
                files.append((inner, _text(data())))
    return _freed(found, files)


def _debian_source(path: Path, wanted: Wanted) -> Content:
    named = re.findall(r"^ [0-9a-f]{64} \d+ (\S+\.tar\.\w+)$", _text(path.read_bytes()), re.MULTILINE)
    found: tuple[licences.Stanza, ...] = ()
    files: list[tuple[str, str]] = []
    for archive in named:
        with tarfile.open(path.with_name(Path(archive).name)) as bundle:
            for name, data in _members(bundle):
                inner = name if name.startswith("debian/") else name.partition("/")[2]
                if inner == "debian/copyright":
                    found = licences.stanzas(_text(data()))
                elif not inner.startswith("debian/") and wanted(inner):
                    files.append((inner, _text(data())))
    return _freed(found, files)


def _freed(found: tuple[licences.Stanza, ...], files: list[tuple[str, str]]) -> Content:
    free = tuple(it for it in files if licences.debian_allows(found, it[0]))
    return Content(licence=licences.of_debian(found), files=free, not_free=len(files) - len(free))


def _data_of_deb(data: bytes) -> bytes:
    """A .deb is an ``ar`` archive: a line of 60 bytes before each member, the tenth field its size."""
    if not data.startswith(b"!<arch>\n"):
        raise BadArchive("it is no Debian package")
    at = 8
    while at + 60 <= len(data):
        name, size = data[at : at + 16].decode("ascii").strip(), int(data[at + 48 : at + 58])
        if name.startswith("data.tar"):
            return data[at + 60 : at + 60 + size]
        at += 60 + size + size % 2
    raise BadArchive("it holds no data")


def _members(bundle: tarfile.TarFile) -> Iterator[Member]:
    for member in bundle:
        if member.isfile() and member.size <= LARGEST:
            reader = bundle.extractfile(member)
            if reader is not None:
                yield member.name.removeprefix("./"), reader.read


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
