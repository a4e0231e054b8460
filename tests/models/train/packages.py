"""Small packages of every kind, as the registries hand them out."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from models.train.sources import Package

FREE = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2020 Somebody
License: Expat
"""


def package(
    name: str,
    *,
    origin: str = "npm",
    language: str = "javascript",
    split: str = "train",
    version: str = "1.0",
) -> Package:
    return Package(name=name, version=version, licence="MIT", language=language, split=split, origin=origin)


def npm(folder: Path, name: str, files: Mapping[str, str], *, licence: str = "MIT") -> Path:
    """An npm archive of version 1.0."""
    whole = {"package.json": f'{{"name": "{name}", "license": "{licence}"}}', **files}
    path = folder / f"{name}-1.0.tgz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tarred({f"package/{inner}": text for inner, text in whole.items()}, "gz"))
    return path


def wheel(folder: Path, name: str, files: Mapping[str, str], *, licence: str = "MIT") -> Path:
    """A wheel of version 1.0."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for inner, text in files.items():
            archive.writestr(inner, text)
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Name: {name}\nLicense: {licence}\n")
    return path


def deb(folder: Path, name: str, files: Mapping[str, str], *, copyright_file: str = FREE) -> Path:
    """A Debian package of version 1.0."""
    whole = {f"./usr/share/doc/{name}/copyright": copyright_file, **files}
    members = (("debian-binary", b"2.0\n"), ("control.tar.xz", b"odd"), ("data.tar.xz", tarred(whole, "xz")))
    path = folder / f"{name}_1.0_all.deb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"!<arch>\n" + b"".join(_member(inner, data) for inner, data in members))
    return path


def debian_source(folder: Path, name: str, files: Mapping[str, str], *, copyright_file: str = FREE) -> Path:
    """A Debian source of version 1.0: what came from elsewhere, and what Debian adds."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {
        f"{name}_1.0.orig.tar.gz": tarred(
            {f"{name}-1.0/{inner}": text for inner, text in files.items()}, "gz"
        ),
        f"{name}_1.0.debian.tar.xz": tarred({"debian/copyright": copyright_file}, "xz"),
    }
    for inner, data in parts.items():
        (folder / inner).write_bytes(data)
    listed = "".join(f" {hashlib.sha256(data).hexdigest()} {len(data)} {it}\n" for it, data in parts.items())
    path = folder / f"{name}_1.0.dsc"
    path.write_text(f"Source: {name}\nVersion: 1.0\nChecksums-Sha256:\n{listed}", encoding="utf-8")
    return path


def tarred(files: Mapping[str, str], compression: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=f"w:{compression}") as bundle:  # type: ignore[call-overload]  # its modes
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            bundle.addfile(info, io.BytesIO(text.encode()))
    return stream.getvalue()


def _member(name: str, data: bytes) -> bytes:
    head = f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode()
    return head + data + b"\n" * (len(data) % 2)
