"""Every kind of package is read for its licence and its sources, and a damaged one says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.train.archives import BadArchive, read
from tests.models.train import packages

APART = packages.FREE + "\nFiles: regex/*\nCopyright: 2001 Another\nLicense: LGPL-2+\n"


def test_a_wheel_and_an_npm_archive_are_read(tmp_path: Path) -> None:
    """The wanted files by their path inside, and the licence that the metadata names."""
    wheel = packages.wheel(tmp_path, "thing", {"thing/a.py": "x = 1\n", "thing/a.txt": "no"}, licence="ISC")
    content = read(wheel, lambda name: name.endswith(".py"))
    assert (content.licence, content.files) == ("ISC", (("thing/a.py", "x = 1\n"),))
    npm = packages.npm(tmp_path, "thing", {"src/a.ts": "let x = 1;\n", "b.md": "no"})
    content = read(npm, lambda name: name.endswith(".ts"))
    assert (content.licence, content.files) == ("MIT", (("src/a.ts", "let x = 1;\n"),))


def test_a_debian_package_is_read_without_its_folders(tmp_path: Path) -> None:
    """Paths start where the project's own start, and files under another licence are counted, not given."""
    go = packages.deb(
        tmp_path,
        "golang-thing-dev",
        {
            "./usr/share/gocode/src/github.com/some/thing/a.go": "package thing\n",
            "./usr/share/gocode/src/github.com/some/thing/regex/b.go": "package regex\n",
        },
        copyright_file=APART,
    )
    content = read(go, lambda name: name.endswith(".go"))
    assert (content.licence, content.files, content.not_free) == (
        "Expat",
        (("thing/a.go", "package thing\n"),),
        1,
    )
    crate = {"./usr/share/cargo/registry/thing-1.0/src/lib.rs": "fn a() {}\n"}
    content = read(packages.deb(tmp_path, "librust-thing-dev", crate), lambda name: name.endswith(".rs"))
    assert content.files == (("src/lib.rs", "fn a() {}\n"),)


def test_a_debian_source_is_read_with_debians_own_word_on_the_licence(tmp_path: Path) -> None:
    """The sources come from one archive, the licence from the other."""
    files = {"src/a.c": "int a;\n", "regex/b.c": "int b;\n", "debian/c.c": "int c;\n"}
    content = read(
        packages.debian_source(tmp_path, "thing", files, copyright_file=APART),
        lambda name: name.endswith(".c"),
    )
    assert (content.licence, content.files, content.not_free) == ("Expat", (("src/a.c", "int a;\n"),), 1)


@pytest.mark.parametrize("name", ["a-1.0-py3-none-any.whl", "a-1.0.tgz", "a_1.0_all.deb"])
@pytest.mark.parametrize("data", [b"", b"nothing of the kind", b"!<arch>\n", b"\x1f\x8b\x08\x00damaged"])
def test_a_damaged_archive_is_named(tmp_path: Path, name: str, data: bytes) -> None:
    """One sentence that names the file, whatever is wrong with it."""
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(BadArchive, match=name):
        read(path, lambda _: True)


def test_a_cut_off_archive_is_named(tmp_path: Path) -> None:
    """A download that stopped in the middle is no package."""
    whole = packages.npm(tmp_path, "thing", {"a.js": "let a = 1;\n" * 5_000})
    whole.write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(BadArchive, match=r"thing-1\.0\.tgz"):
        read(whole, lambda name: name.endswith(".js"))
    source = packages.debian_source(tmp_path, "thing", {"a.c": "int a;\n"})
    (tmp_path / "thing_1.0.orig.tar.gz").unlink()
    with pytest.raises(BadArchive, match=r"thing_1\.0\.dsc"):
        read(source, lambda _: True)
