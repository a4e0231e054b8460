"""Paths of a workspace with one folder and with several."""

from __future__ import annotations

import pytest

from lsp_server.chat_paths import roots_of


def test_one_folder() -> None:
    """Paths are as they are in it."""
    roots = roots_of(["/a/shop/"])
    assert roots.shown("/a/shop", "x/y.py") == "x/y.py"
    assert roots.found("x/y.py") == ("/a/shop", "x/y.py")
    assert roots.within("x/") == (("/a/shop", "x/"),)


def test_several_folders() -> None:
    """Paths begin with the folder's name, and are found by it."""
    roots = roots_of(["/a/shop", "/b/web", "/a/shop"])
    assert roots.named == (("shop", "/a/shop"), ("web", "/b/web"))
    assert roots.shown("/b/web", "x.ts") == "web/x.ts"
    assert roots.found("web/x.ts") == ("/b/web", "x.ts")
    assert roots.within("web/*.ts") == (("/b/web", "*.ts"),)
    assert roots.within("web") == (("/b/web", ""),)
    assert roots.within("*.ts") == (("/a/shop", "*.ts"), ("/b/web", "*.ts"))


def test_folders_of_the_same_name() -> None:
    """They are told apart by the folders above."""
    roots = roots_of(["/a/api", "/b/api", "/c/b/api"])
    assert [name for name, _ in roots.named] == ["a/api", "b/api", "c/b/api"] or len(
        {name for name, _ in roots.named}
    ) == 3
    for name, folder in roots.named:
        assert roots.found(f"{name}/x.py") == (folder, "x.py")


def test_a_folder_inside_of_another() -> None:
    """A file that both have is the inner one's."""
    roots = roots_of(["/a/shop", "/a/shop/web"])
    assert roots.is_owner("/a/shop", "x.py")
    assert not roots.is_owner("/a/shop", "web/x.py")
    assert roots.is_owner("/a/shop/web", "x.py")


@pytest.mark.parametrize("path", ["", "\0", "elsewhere/x.py", "shop", "shop/"])
def test_what_is_in_none(path: str) -> None:
    """It is no folder's."""
    assert roots_of(["/a/shop", "/b/web"]).found(path) is None


def test_no_folder() -> None:
    """Nothing is found, and nothing breaks."""
    roots = roots_of([])
    assert (roots.found("x.py"), roots.within("x"), roots.folders) == (None, (), ())
