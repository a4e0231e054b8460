"""Real git in a folder of a test's own: what we are held against."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git to be held against")


def git(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    """What git says; 1 is an answer too ("none is ignored")."""
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, check=False, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def ignored_by_git(folder: Path, paths: list[str]) -> set[str]:
    """Which of these paths git leaves out."""
    given = b"".join(os.fsencode(it) + b"\0" for it in paths)
    answer = git(folder, "check-ignore", "-z", "--stdin", "--no-index", given=given)
    return {os.fsdecode(it) for it in answer.split(b"\0") if it}


def kept_by_git(folder: Path) -> list[str]:
    """The files that git would add or has."""
    answer = git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return sorted({os.fsdecode(it) for it in answer.split(b"\0") if it})


def make(root: Path, files: dict[str, str | bytes]) -> Path:
    """Write a tree: a name that ends in a slash is an empty folder."""
    for name, content in files.items():
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root
