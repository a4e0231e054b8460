"""The walk finds what git keeps, in order, whatever lies in the tree; one file alone is judged the same."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from codeindex.config import DEFAULTS
from codeindex.files import read_bytes
from codeindex.ignores import Problem
from codeindex.skip import Reason
from codeindex.walk import FoundFile, belongs, one_file, read, read_text, walk, walk_package
from tests.codeindex.git import git, kept_by_git, make, needs_git

CODE = "x = 1\n"


def names(root: Path, problems: list[Problem] | None = None) -> list[str]:
    return [it.relative for it in walk(root, DEFAULTS, problems=problems)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of this test's own, for git's settings."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / ".config"))
    return folder


def check_like_git(root: Path) -> None:
    """The walk yields what git keeps (all of it is code here), and each file alone is judged the same."""
    expected = [it for it in kept_by_git(root) if it.endswith(".py")]
    assert [it for it in names(root) if it.endswith(".py")] == expected
    assert expected
    for path in sorted(root.rglob("*.py")):
        relative = path.relative_to(root).as_posix()
        assert (belongs(root, path, DEFAULTS).reason is None) == (relative in expected), relative


def test_files_come_in_the_order_of_their_paths(tmp_path: Path) -> None:
    """The order is the same everywhere, and says what each file is."""
    make(tmp_path, {"b.py": CODE, "a/z.ts": "let a;\n", "a.py": CODE, "a/b/c.md": "Hello\n", "ä.py": CODE})
    found = list(walk(tmp_path, DEFAULTS))
    assert [it.relative for it in found] == ["a.py", "a/b/c.md", "a/z.ts", "b.py", "ä.py"]
    state = (tmp_path / "a.py").stat()
    assert found[0] == FoundFile(
        path=tmp_path.resolve() / "a.py",
        relative="a.py",
        size=6,
        mtime_ns=state.st_mtime_ns,
        ctime_ns=state.st_ctime_ns,
        inode=state.st_ino,
        language="python",
    )
    assert [it.language for it in found] == ["python", "markdown", "typescript", "python", "python"]


def test_the_walk_is_lazy(tmp_path: Path) -> None:
    """The first file is there before the last folder is looked into; a folder gone since is no trouble."""
    make(tmp_path, {"a.py": CODE, "b/c.py": CODE, "d.py": CODE})
    problems: list[Problem] = []
    found = walk(tmp_path, DEFAULTS, problems=problems)
    assert next(found).relative == "a.py"
    (tmp_path / "b" / "c.py").unlink()
    (tmp_path / "b").rmdir()
    (tmp_path / "d.py").unlink()
    assert list(found) == []
    assert problems == []


@needs_git
def test_nested_rules(tmp_path: Path, home: Path) -> None:
    """Deeper files win, the last pattern wins, and what is excluded above does not come back."""
    make(
        tmp_path,
        {
            ".gitignore": "*_gen.py\nout/\n!keep_gen.py\n",
            "a_gen.py": CODE,
            "keep_gen.py": CODE,
            "out/.gitignore": "!*\n",
            "out/a.py": CODE,
            "in/.gitignore": "!a_gen.py\nkeep_gen.py\n/only.py\n",
            "in/a_gen.py": CODE,
            "in/b_gen.py": CODE,
            "in/keep_gen.py": CODE,
            "in/only.py": CODE,
            "in/deep/only.py": CODE,
        },
    )
    git(tmp_path, "init", "-q")
    check_like_git(tmp_path)


@needs_git
def test_the_users_and_the_repositorys_own_rules(tmp_path: Path, home: Path) -> None:
    """`info/exclude` goes before the user's file, `.gitignore` before both; git's settings name it."""
    root = make(tmp_path / "root", {"a.py": CODE, "b.py": CODE, "c.py": CODE, "d.py": CODE, "e.py": CODE})
    git(root, "init", "-q")
    make(root, {".git/info/exclude": "b.py\n!c.py\n", ".gitignore": "!b.py\nd.py\n"})
    make(home, {".config/git/ignore": "a.py\nc.py\n"})
    check_like_git(root)
    assert names(root) == [".gitignore", "b.py", "c.py", "e.py"]
    make(
        home,
        {".gitconfig": '[include]\n\tpath = more # a comment\n[core] ; x\n\texcludesFile = "~/my rules"\n'},
    )
    make(
        home,
        {"my rules": "e.py\n", ".config/git/config": "[core]\nexcludesFile = ~/before\n", "before": "a.py\n"},
    )
    check_like_git(root)
    make(home, {"more": "[core]\nexcludesfile=~/other\nignoreCase = yes\n", "other": "A.PY\n"})
    make(home, {".gitconfig": "[include]\npath = more\n"})
    check_like_git(root)
    assert "a.py" not in names(root)
    make(home, {".gitconfig": f'[includeIf "gitdir:{tmp_path}/ro*/"]\npath = more\n[core]\nx = "\\\n'})
    make(home, {".gitconfig": f'[includeIf "gitdir:{tmp_path}/ro*/"]\npath = more\n'})
    check_like_git(root)
    assert "a.py" not in names(root)
    make(home, {".gitconfig": f'[includeIf "gitdir:{tmp_path}/other/"]\npath = more\n'})
    check_like_git(root)
    assert "e.py" in names(root)


@needs_git
def test_a_worktree(tmp_path: Path, home: Path) -> None:
    """Where `.git` is a file, the rules are in the repository that it leads to."""
    root = make(tmp_path / "root", {"a.py": CODE})
    git(root, "init", "-q")
    git(root, "add", "a.py")
    git(root, "commit", "-q", "-m", "a")
    git(root, "worktree", "add", "-q", str(tmp_path / "tree"))
    make(root, {".git/info/exclude": "b.py\n"})
    make(tmp_path / "tree", {"b.py": CODE, "c.py": CODE})
    check_like_git(tmp_path / "tree")
    assert names(tmp_path / "tree") == ["a.py", "c.py"]


@needs_git
def test_a_repository_within_begins_anew(tmp_path: Path, home: Path) -> None:
    """A submodule belongs, with its own rules: not those of git above it, but our own still hold."""
    make(
        tmp_path,
        {
            ".gitignore": "a.py\ngone/\n",
            ".hearthignore": "c.py\n",
            "sub/a.py": CODE,
            "sub/b.py": CODE,
            "sub/c.py": CODE,
            "sub/.gitignore": "b.py\n",
            "gone/a.py": CODE,
            "fake/.git": "gitdir: nowhere\n",
            "fake/a.py": CODE,
            "empty/.git/": "",
            "empty/a.py": CODE,
            "empty/d.py": CODE,
        },
    )
    for folder in (tmp_path, tmp_path / "sub", tmp_path / "gone"):
        git(folder, "init", "-q")
    assert [it for it in names(tmp_path) if it.endswith(".py")] == ["empty/d.py", "sub/a.py"]
    reasons = [belongs(tmp_path, tmp_path / "sub" / it, DEFAULTS).reason for it in ("a.py", "b.py", "c.py")]
    assert reasons == [None, Reason.IGNORED, Reason.IGNORED]


@needs_git
def test_a_folder_of_a_repository_is_opened(tmp_path: Path, home: Path) -> None:
    """The rules above the root hold in it; but a root that they leave out was opened on purpose."""
    make(tmp_path, {".gitignore": "*.log.py\n/in/b.py\nbuild/\n"})
    make(tmp_path / "in", {"a.log.py": CODE, "b.py": CODE, "c.py": CODE})
    make(tmp_path / "build", {"a.log.py": CODE, "c.py": CODE})
    git(tmp_path, "init", "-q")
    assert names(tmp_path / "in") == ["c.py"]
    assert names(tmp_path / "build") == ["a.log.py", "c.py"]


def test_our_own_rules_win_at_their_level(tmp_path: Path) -> None:
    """`.hearthignore` leaves out more and brings back, but nothing below an excluded folder, no secret."""
    make(
        tmp_path,
        {
            ".gitignore": "made.py\nout/\n",
            ".hearthignore": "!made.py\nother.py\n!out/a.py\n!.env\n!*.pem\n!node_modules/\n",
            "made.py": CODE,
            "other.py": CODE,
            "in/.gitignore": "made.py\n!other.py\n",
            "in/made.py": CODE,
            "in/other.py": CODE,
            "out/a.py": CODE,
            ".env": "A=1\n",
            "a.pem": "",
            "node_modules/a/index.js": "a()\n",
        },
    )
    assert names(tmp_path) == [".gitignore", ".hearthignore", "in/.gitignore", "in/other.py", "made.py"]
    assert belongs(tmp_path, tmp_path / ".env", DEFAULTS).reason is Reason.SECRET
    assert belongs(tmp_path, tmp_path / "node_modules/a/index.js", DEFAULTS).reason is Reason.FOLDER


@needs_git
@pytest.mark.parametrize("seed", range(3))
def test_random_trees(seed: int, tmp_path: Path, home: Path) -> None:
    """With rules at every level of a tree that nobody drew up, the walk yields what git keeps."""
    dice = random.Random(seed)
    lines = (
        "a",
        "b/",
        "/c",
        "*.py",
        "!a.py",
        "!b/",
        "a/**",
        "!*/",
        "**/c",
        "b/a.py",
        "!c",
        "[ab]*",
        "!/a/*.py",
    )
    files: dict[str, str | bytes] = {"zz.py": CODE}
    for _ in range(120):
        folder = "".join(dice.choice(("a", "b", "c", "d", "e")) + "/" for _ in range(dice.randint(0, 4)))
        files[folder + dice.choice(("a.py", "c.py", "d.py", "f.py"))] = CODE
        if dice.random() < 0.25:
            files[folder + ".gitignore"] = "\n".join(dice.choices(lines, k=dice.randint(1, 2)))
    make(tmp_path, {**files, ".gitignore": "/home\n"})
    git(tmp_path, "init", "-q")
    check_like_git(tmp_path)


def test_folders_that_are_never_walked(tmp_path: Path) -> None:
    """Without any ignore file: packages, caches, version control; environments by what is in them."""
    version_control, packages = (".git", ".hg"), ("node_modules", "sub/node_modules", ".venv", "x.egg-info")
    left_out = (*version_control, *packages, "__pycache__", ".mypy_cache", ".ssh", ".idea")
    make(tmp_path, {f"{it}/a.py": CODE for it in left_out})
    make(tmp_path, {"my-env/pyvenv.cfg": "home = /\n", "my-env/lib/a.py": CODE, "target/CACHEDIR.TAG": "S"})
    make(tmp_path, {"target/a.rs": "fn a() {}\n", "conda/conda-meta/history": "", "conda/a.py": CODE})
    make(tmp_path, {"env/a.py": CODE, "build/a.py": CODE})
    assert names(tmp_path) == ["build/a.py", "env/a.py"]
    for path in ("sub/node_modules/a.py", "my-env/lib/a.py", "target/a.rs", "conda/a.py"):
        assert belongs(tmp_path, tmp_path / path, DEFAULTS).reason is Reason.FOLDER


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A loop is no trap, a link leads nowhere, and what it leads to within the root is found there."""
    make(tmp_path, {"out/secret.py": CODE, "root/a/b.py": CODE, "root/c.py": CODE})
    root = tmp_path / "root"
    (root / "a" / "loop").symlink_to(root)
    (root / "out").symlink_to(tmp_path / "out")
    (root / "d.py").symlink_to(root / "c.py")
    (root / "gone.py").symlink_to(tmp_path / "nothing")
    (root / "self.py").symlink_to(root / "self.py")
    problems: list[Problem] = []
    assert names(root, problems) == ["a/b.py", "c.py"]
    assert problems == []
    assert belongs(root, root / "out" / "secret.py", DEFAULTS).reason is Reason.OUTSIDE
    assert belongs(root, root / "a" / "loop" / "c.py", DEFAULTS).reason is None
    assert belongs(root, root / "d.py", DEFAULTS).reason is Reason.NOT_A_FILE
    assert belongs(root, root / "d.py", DEFAULTS, text=CODE).reason is Reason.NOT_A_FILE
    (tmp_path / "link").symlink_to(root)
    assert names(tmp_path / "link") == ["a/b.py", "c.py"]


def test_what_is_no_file_is_never_opened(tmp_path: Path) -> None:
    """A pipe would wait forever, a device would do something: as code, as a script, as a file of rules."""
    make(tmp_path, {"a.py": CODE, "x/a.py": CODE})
    for name in ("pipe.py", "script", "x/.gitignore", ".hearthignore"):
        os.mkfifo(tmp_path / name)
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.open(tmp_path, os.O_RDONLY)
        try:
            listener.bind(
                f"/proc/self/fd/{here}/s.py" if Path("/proc/self/fd").is_dir() else str(tmp_path / "s.py")
            )
            assert names(tmp_path) == ["a.py", "x/a.py"]
        finally:
            os.close(here)
    assert belongs(tmp_path, tmp_path / "pipe.py", DEFAULTS).reason is Reason.NOT_A_FILE
    assert belongs(tmp_path, tmp_path / "x" / "a.py", DEFAULTS).reason is None
    assert belongs(tmp_path, tmp_path / "x", DEFAULTS).reason is Reason.NOT_A_FILE


def test_odd_files_of_rules(tmp_path: Path) -> None:
    """A folder named `.gitignore` is a folder; a link to rules is not followed, as in git, and is said."""
    make(tmp_path, {"a/.gitignore/b.py": CODE, "c/d.py": CODE, "rules": "d.py\n"})
    make(tmp_path, {"e/.gitignore": b"\xff\xfe\x00d.py\n\xe9.py\n", "e/d.py": CODE})
    (tmp_path / "c" / ".gitignore").symlink_to(tmp_path / "rules")
    problems: list[Problem] = []
    assert names(tmp_path, problems) == ["a/.gitignore/b.py", "c/d.py", "e/.gitignore", "e/d.py"]
    assert [Path(it.path).parent.name for it in problems] == ["c"]


@pytest.mark.parametrize("failing", ["scandir", "stat"])
def test_what_cannot_be_read_is_said(failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder or a file of rules that is forbidden is left out with a sentence; the rest is found."""
    make(tmp_path, {"a/b.py": CODE, "a/.gitignore": "c\n", "c.py": CODE})
    real = getattr(os, failing)
    blocked = str(tmp_path.resolve() / "a") + ("/.gitignore" if failing == "stat" else "")

    def refuse(path: str, *arguments: object, **options: object) -> object:
        if str(path) == blocked:
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, failing, refuse)
    problems: list[Problem] = []
    found = names(tmp_path, problems)
    assert "c.py" in found
    assert problems == [Problem(path=blocked, says="Cannot be read: Permission denied.")]


def test_a_root_that_is_not_there(tmp_path: Path) -> None:
    """No folder, no files; a root that is a file has none either, and that is said."""
    problems: list[Problem] = []
    assert names(tmp_path / "nothing", problems) == []
    assert problems == []
    make(tmp_path, {"a.py": CODE})
    assert names(tmp_path / "a.py", problems) == []
    assert len(problems) == 1


def test_names_that_are_no_text(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 go through as surrogates, and lead back to the file."""
    name = os.fsdecode(b"caf\xe9.py")
    try:
        (tmp_path / name).write_text(CODE)
    except OSError:
        pytest.skip("this file system knows only UTF-8")
    (tmp_path / "line\nbreak.py").write_text(CODE)
    found = list(walk(tmp_path, DEFAULTS))
    assert [it.relative for it in found] == [name, "line\nbreak.py"]
    assert [read_text(it, DEFAULTS) for it in found] == [CODE, CODE]
    assert belongs(tmp_path, tmp_path / name, DEFAULTS).text == CODE


def test_too_deep_is_said(tmp_path: Path) -> None:
    """The walk ends at its depth; one file alone is judged the same."""
    make(tmp_path, {"a/b/c.py": CODE, "a/b/c/d.py": CODE})
    config = replace(DEFAULTS, max_depth=2)
    problems: list[Problem] = []
    assert [it.relative for it in walk(tmp_path, config, problems=problems)] == ["a/b/c.py"]
    assert [Path(it.path).name for it in problems] == ["c"]
    assert belongs(tmp_path, tmp_path / "a/b/c.py", config).reason is None
    assert belongs(tmp_path, tmp_path / "a/b/c/d.py", config).reason is Reason.OUTSIDE


def test_rules_that_change_count_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered of a file of rules holds as long as the file; until then it is not read again."""
    make(tmp_path, {"a/b.py": CODE, "a/.gitignore": "c.py\n"})
    reads: list[str] = []

    def counted(path: str, limit: int, *, follow: bool = False) -> bytes:
        reads.append(os.path.basename(path))
        return read_bytes(path, limit, follow=follow)

    monkeypatch.setattr("codeindex.ignores.read_bytes", counted)
    file = tmp_path / "a" / "b.py"
    assert [belongs(tmp_path, file, DEFAULTS).reason for _ in range(3)] == [None] * 3
    assert reads == [".gitignore"]
    make(tmp_path, {"a/.gitignore": "b.py\n"})
    os.utime(tmp_path / "a" / ".gitignore", ns=(1, 1))
    assert belongs(tmp_path, file, DEFAULTS).reason is Reason.IGNORED
    (tmp_path / "a" / ".gitignore").unlink()
    assert belongs(tmp_path, file, DEFAULTS).reason is None
    assert reads == [".gitignore", ".gitignore"]


def test_one_file_alone(tmp_path: Path) -> None:
    """A file outside, a file that is gone, a buffer that is not saved yet."""
    make(tmp_path, {"root/.gitignore": "x.py\n", "other.py": CODE})
    root = tmp_path / "root"
    assert belongs(root, tmp_path / "other.py", DEFAULTS).reason is Reason.OUTSIDE
    assert belongs(root, root, DEFAULTS).reason is Reason.OUTSIDE
    assert belongs(root, root / "new.py", DEFAULTS).reason is Reason.NOT_A_FILE
    assert belongs(root, root / "new.py", DEFAULTS, text="a\r\nb\n").text == "a\nb\n"
    assert belongs(root, root / "x.py", DEFAULTS, text="a\n").reason is Reason.IGNORED
    assert belongs(root, root / "tool", DEFAULTS, text="#!/bin/sh\n").language == "shellscript"
    assert belongs(root, root / "tool", DEFAULTS, text="hello\n").reason is Reason.NOT_CODE
    assert belongs(root, root / "..foo.py", DEFAULTS, text=CODE).reason is None


def test_what_is_read_is_judged(tmp_path: Path) -> None:
    """The text of a found file is its text now: grown too large, turned binary or gone, it has none."""
    make(
        tmp_path,
        {"a.py": "a\r\nb\r\n", "b.py": CODE, "c.py": CODE, "d.py": CODE, "run": "#!/usr/bin/env node\n"},
    )
    a, b, c, d, run = walk(tmp_path, DEFAULTS)
    make(tmp_path, {"b.py": b"\0\1", "c.py": "x" * (DEFAULTS.max_bytes + 1)})
    (tmp_path / "d.py").unlink()
    assert read_text(a, DEFAULTS) == "a\nb\n"
    assert (run.language, read(run, DEFAULTS).language) == ("javascript", "javascript")
    reasons = [read(it, DEFAULTS).reason for it in (b, c, d)]
    assert reasons == [Reason.BINARY, Reason.TOO_LARGE, Reason.NOT_A_FILE]


def test_a_package_has_no_rules(tmp_path: Path) -> None:
    """An installed package's ignore files were about its repository; folders can be left out by name."""
    make(
        tmp_path,
        {".gitignore": "*\n", "a.py": CODE, "tests/b.py": CODE, "c/tests/d.py": CODE, "c/e.py": CODE},
    )
    found: Iterator[FoundFile] = walk_package(tmp_path, DEFAULTS, leave_out={"tests"})
    assert [it.relative for it in found] == [".gitignore", "a.py", "c/e.py"]
    assert [it.relative for it in one_file(tmp_path / "a.py", DEFAULTS)] == ["a.py"]
    assert list(one_file(tmp_path / "nothing.py", DEFAULTS)) == []
