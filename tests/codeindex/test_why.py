"""Why a file is in the index or not: which rule, in which line; and what the user's patterns bring in."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from codeindex.config import DEFAULTS
from codeindex.skip import Reason
from codeindex.walk import belongs, read, walk, walk_at
from codeindex.why import left_out, why
from tests.codeindex.git import git, make, needs_git
from tests.codeindex.why_tree import TREE

CODE = "x = 1\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with something of every kind."""
    return make(tmp_path / "project", TREE)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("src/a.py", "src/a.py is in the index, as python."),
        ("src/b.tmp.py", "src/b.tmp.py is not in the index: line 3 of .gitignore leaves it out."),
        ("src/own.py", "src/own.py is not in the index: line 1 of src/.hearthignore leaves it out."),
        ("build/x/y.py", "build/x/y.py is not in the index: line 2 of .gitignore leaves it out (build/)."),
        (
            "node_modules/p/i.js",
            "node_modules/p/i.js is not in the index: it lies in a folder that is never looked into:"
            " installed packages: dependencies, looked up as such (node_modules/).",
        ),
        (
            "env/lib/x.py",
            "env/lib/x.py is not in the index: it lies in a folder that is never looked into:"
            " installed packages: dependencies, looked up as such, as pyvenv.cfg in it says (env/).",
        ),
        (
            "package-lock.json",
            "package-lock.json is not in the index: a program wrote it: its name or its first lines say so.",
        ),
        ("nothing.py", "nothing.py is not in the index: there is no such file: a link, a folder or nothing."),
        ("big.py", "big.py is not in the index: it is larger than 1,000,000 bytes."),
        ("data.csv", "data.csv is not in the index: it is in no language that we know."),
        ("bin.py", "bin.py is not in the index: it is no text."),
    ],
)
def test_the_rule_is_named(path: str, says: str, root: Path) -> None:
    """One sentence, with the file and the line of the rule where there is one."""
    assert why(root, Path(path), DEFAULTS) == says
    assert why(root, root / path, DEFAULTS) == says


def test_secrets_and_what_is_outside(root: Path) -> None:
    """They are said, too, and nothing of what is in them."""
    assert "it keeps a secret" in why(root, Path(".env"), DEFAULTS)
    assert "not below the workspace's folder" in why(root, Path("../other.py"), DEFAULTS)


def test_everything_left_out_is_listed_with_its_reason(root: Path) -> None:
    """A file is found or it is in the list, itself or a folder above it; in order, each a sentence."""
    found = {it.relative for it in walk(root, DEFAULTS) if read(it, DEFAULTS).reason is None}
    listed = list(left_out(root, DEFAULTS))
    paths = [it.path for it in listed]
    assert paths == sorted(paths)
    assert all(it.says.endswith(".") for it in listed)
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), root)
            out = [it for it in paths if it == path or (it.endswith("/") and path.startswith(it))]
            assert (path in found) != bool(out), path
    assert {it.path: it.reason for it in listed}["build/"] is Reason.IGNORED


@pytest.mark.parametrize(
    ("include", "more"),
    [
        (("*.tmp.py",), {"src/b.tmp.py"}),
        (("/build/x/",), {"build/x/y.py", "build/x/z/w.py"}),
        (("build/*/z",), {"build/x/z/w.py"}),
        (("node_modules/p/", "!*.map"), {"node_modules/p/i.js", "node_modules/p/min.min.js"}),
        (("env/lib/*.py",), {"env/lib/x.py"}),
        (("package-lock.json", "src/own.py"), {"package-lock.json", "src/own.py"}),
        ((".env", "*.pem", ".git/", ".aws/", "data.csv", "bin.py", "big.py"), set()),
        (("*.py",), {"src/b.tmp.py", "src/own.py"}),
    ],
)
def test_patterns_bring_in(include: tuple[str, ...], more: set[str], root: Path) -> None:
    """What ignore rules leave out or a program wrote; never a secret, never what is no code."""
    config = replace(DEFAULTS, include=include)

    def belonging(config: object) -> set[str]:
        assert isinstance(config, type(DEFAULTS))
        return {it.relative for it in walk(root, config) if read(it, config).reason is None}

    plain = belonging(DEFAULTS)
    assert belonging(config) - plain == more
    assert plain <= belonging(config)
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), root)
            assert (belongs(root, root / path, config).reason is None) == (path in plain | more), path
            assert bool(list(walk_at(root, path, config))) == (
                path in {it.relative for it in walk(root, config)}
            )
    for path in more:
        assert why(root, Path(path), config).endswith("brought in by the user's patterns.")


@needs_git
def test_a_submodule_belongs_only_if_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is another project; a pattern that names it or the setting brings it in. Opened, it belongs."""
    monkeypatch.setenv("HOME", str(tmp_path))
    other = make(tmp_path / "other", {"lib.py": CODE})
    root = make(tmp_path / "root", {"a.py": CODE})
    for it in (other, root):
        git(it, "init", "-q")
        git(it, "add", ".")
        git(it, "commit", "-q", "-m", "x")
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "sub")

    def names(top: Path, **changes: object) -> list[str]:
        config = replace(DEFAULTS, **changes)  # type: ignore[arg-type]
        found = [it.relative for it in walk(top, config) if it.relative.endswith(".py")]
        for it in ("a.py", "sub/lib.py"):
            assert (belongs(top, top / it, config).reason is None) == (it in found)
        return found

    assert names(root) == ["a.py"]
    assert why(root, Path("sub/lib.py"), DEFAULTS) == (
        "sub/lib.py is not in the index: it is a git submodule, another project:"
        " it belongs if the included patterns name it (sub/)."
    )
    assert names(root, submodules=True) == names(root, include=("sub/",)) == ["a.py", "sub/lib.py"]
    assert [it.relative for it in walk(root / "sub", DEFAULTS)] == ["lib.py"]
    make(root, {"clone/b.py": CODE})
    git(root / "clone", "init", "-q")
    assert names(root) == ["a.py", "clone/b.py"]
