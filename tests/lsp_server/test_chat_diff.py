"""What has changed since the last commit: real git, in repositories that try to have programs run."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeindex.config import DEFAULTS
from lsp_server import chat_diff
from lsp_server.chat_diff import changes
from tests.codeindex.git import git, needs_git

pytestmark = needs_git
TOKEN = "ghp_" + "a1B2c3D4e5" * 4


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a commit."""
    folder = tmp_path / "project"
    folder.mkdir()
    write(folder, "a.py", "x = 1\n")
    write(folder, "old.py", "gone = 1\n")
    write(folder, "sub/b.py", "y = 1\n")
    write(folder, ".env", "KEY=1\n")
    write(folder, ".gitignore", "ignored.py\n")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def write(root: Path, path: str, text: str) -> None:
    """Make or change a file."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, "utf-8")


def test_what_has_changed(root: Path) -> None:
    """What was edited, staged or not, what is new, and what is gone."""
    write(root, "a.py", "x = 2\n")
    write(root, "sub/b.py", "y = 2\n")
    git(root, "add", "sub/b.py")
    write(root, "new.py", "z = 1\nw = 2")
    (root / "old.py").unlink()
    found = changes(str(root), DEFAULTS)
    assert "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n" in found
    assert "+++ b/sub/b.py\n" in found
    assert "-gone = 1\n" in found
    assert (
        "--- /dev/null\n+++ b/new.py\n@@ -0,0 +1,2 @@\n+z = 1\n+w = 2\n\\ No newline at end of file\n"
        in found
    )


def test_it_can_be_applied(root: Path) -> None:
    """It is a diff, and not only like one."""
    write(root, "a.py", "x = 2\n")
    write(root, "new.py", "z = 1\n")
    found = changes(str(root), DEFAULTS)
    git(root, "checkout", "-q", "a.py")
    (root / "new.py").unlink()
    git(root, "apply", "-", given=found.encode())
    assert ((root / "a.py").read_text(), (root / "new.py").read_text()) == ("x = 2\n", "z = 1\n")


def test_what_must_not_be_read_is_not_in_it(root: Path) -> None:
    """A secret file that is known to git, an ignored one, and one in which a token stands or stood."""
    write(root, ".env", "KEY=hush\n")
    write(root, "ignored.py", "hush = 1\n")
    write(root, "token.py", f"hush = '{TOKEN}'\n")
    git(root, "add", "-f", "token.py")
    git(root, "commit", "-q", "-m", "oops", "token.py")
    write(root, "token.py", "hush = ''\n")
    write(root, "a.py", "x = 3\n")
    found = changes(str(root), DEFAULTS)
    assert "+x = 3\n" in found
    assert "hush" not in found


def test_no_program_of_the_repository_is_run(root: Path) -> None:
    """Neither filters, external diffs, converters, monitors nor hooks, whatever its settings say."""
    mark = root.parent / "it ran"
    run = f"sh -c 'touch \"{mark}\"; cat' --"
    write(root, ".gitattributes", "*.py filter=evil diff=evil\n")
    for key in ("filter.evil.clean", "filter.evil.process", "diff.evil.command", "diff.evil.textconv",
                "diff.external", "core.fsmonitor", "core.pager", "pager.diff"):  # fmt: skip
        git(root, "config", key, run)
    git(root, "config", "filter.evil.required", "true")
    hook = root / ".git" / "hooks" / "post-index-change"
    write(root, ".git/hooks/post-index-change", f"#!/bin/sh\ntouch '{mark}'\n")
    hook.chmod(0o755)
    write(root, "a.py", "x = 4\n")
    assert "+x = 4\n" in changes(str(root), DEFAULTS)
    assert not mark.exists()


def test_a_folder_below_the_top(root: Path) -> None:
    """Only what is in it, with paths from it; with a name before them where there are several folders."""
    write(root, "a.py", "x = 5\n")
    write(root, "sub/b.py", "y = 5\n")
    write(root, "sub/c.py", "z = 5\n")
    found = changes(str(root / "sub"), DEFAULTS, "web/")
    assert "--- a/web/b.py\n+++ b/web/b.py\n" in found
    assert "+++ b/web/c.py\n" in found
    assert "a.py" not in found


def test_before_the_first_commit(tmp_path: Path) -> None:
    """All there is is new."""
    write(tmp_path, "a.py", "x = 1\n")
    write(tmp_path, "b.py", "y = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "a.py")
    found = changes(str(tmp_path), DEFAULTS)
    assert "+x = 1\n" in found
    assert "+y = 1\n" in found


def test_nothing_to_tell(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No change, no repository, no folder, no git, no time: nothing, and no complaint."""
    assert changes(str(root), DEFAULTS) == ""
    write(root, "a.py", "x = 6\n")
    (tmp_path / "plain").mkdir()
    assert changes(str(tmp_path / "none"), DEFAULTS) == ""
    with monkeypatch.context() as patched:
        patched.setattr(chat_diff, "SECONDS", 0.0)
        assert changes(str(root), DEFAULTS) == ""
    with monkeypatch.context() as patched:
        patched.setenv("PATH", str(tmp_path / "plain"))
        assert changes(str(root), DEFAULTS) == ""


def test_a_hooks_environment_does_not_lead_elsewhere(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever started us from a hook of another repository has told git where that one is."""
    monkeypatch.setenv("GIT_DIR", str(root.parent / "other"))
    write(root, "a.py", "x = 7\n")
    assert "+x = 7\n" in changes(str(root), DEFAULTS)
