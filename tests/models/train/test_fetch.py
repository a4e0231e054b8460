"""Packages are fetched with the clients that are there, and one that vanished stops nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.train import fetch
from tests.models.train.packages import package

# A client that knows two packages, and fails as npm does if it is asked for another.
CLIENT = """#!/bin/sh
status=0
for word in "$@"; do
  case "$word" in
    here@1.0) echo archive > here-1.0.tgz ;;
    @scope/there@1.0) echo archive > scope-there-1.0.tgz ;;
    *@*) echo "404 no such package" >&2; exit 1 ;;
  esac
done
"""


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for downloads, with that client first on the path."""
    client = tmp_path / "bin" / "npm"
    client.parent.mkdir()
    client.write_text(CLIENT, encoding="utf-8")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{client.parent}:/usr/bin:/bin")
    return tmp_path / "downloads"


def test_a_package_that_vanished_is_told_and_the_others_come(
    npm: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole call fails for one name; then each is asked for by itself."""
    wanted = [package("gone"), package("here"), package("@scope/there")]
    missing = fetch.fetch(wanted, npm)
    assert [it.name for it in missing] == ["gone"]
    assert [fetch.archive(it, npm) is not None for it in wanted] == [False, True, True]
    assert "fetch: gone 1.0 is not to be had (npm): 404 no such package" in capsys.readouterr().out


def test_what_is_there_is_not_fetched_again(npm: Path) -> None:
    """A second call asks for nothing."""
    fetch.fetch([package("here")], npm)
    (npm / "javascript" / "here-1.0.tgz").write_text("as it was", encoding="utf-8")
    fetch.fetch([package("here")], npm)
    assert (npm / "javascript" / "here-1.0.tgz").read_text(encoding="utf-8") == "as it was"


def test_a_client_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A machine without npm still fetches the rest."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert fetch.fetch([package("here")], tmp_path)
    assert "npm is not installed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("origin", "version", "file"),
    [
        ("pip", "1.0", "python/Some_Thing-1.0-py3-none-any.whl"),
        ("debian", "1:1.0-2", "debian/some-thing_1%3a1.0-2_all.deb"),
        ("debian-source", "1:1.0-2", "debian/some-thing_1.0-2.dsc"),
    ],
)
def test_an_archive_is_found_by_its_pin(tmp_path: Path, origin: str, version: str, file: str) -> None:
    """Each client writes the name in its own way; another version is another package."""
    (tmp_path / file).parent.mkdir()
    (tmp_path / file).touch()
    pinned = package("some-thing", origin=origin, version=version)
    assert fetch.archive(pinned, tmp_path) == tmp_path / file
    assert fetch.archive(package("some-thing", origin=origin, version="2.0"), tmp_path) is None


def test_a_source_without_its_archives_is_not_there(tmp_path: Path) -> None:
    """The list of a source is no use without what it lists."""
    (tmp_path / "debian").mkdir()
    listed = f"Source: a\n {'0' * 64} 12 a_1.0.orig.tar.gz\n"
    (tmp_path / "debian" / "a_1.0.dsc").write_text(listed, encoding="utf-8")
    pinned = package("a", origin="debian-source")
    assert fetch.archive(pinned, tmp_path) is None
    (tmp_path / "debian" / "a_1.0.orig.tar.gz").touch()
    assert fetch.archive(pinned, tmp_path) is not None
