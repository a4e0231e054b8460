"""What has changed since the last commit, asked of git, without any program that a repository could name.

git is told to run nothing else: no pager, no hooks, no external diff, no filters of the repository's own
settings, no fetching. What does not belong to the index, a secret above all, is not in the answer.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from codeindex.config import WalkConfig
from codeindex.secret import secret_content
from codeindex.walk import belongs

logger = logging.getLogger(__name__)

SECONDS = 5.0
"""For all of it."""
MOST_FILES = 300
MOST_CHARACTERS = 1_000_000
MOST_NEW_LINES = 2_000
"""Of a file that git does not know yet."""
QUIET = (
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat"),
    *("-c", "core.quotePath=false", "-c", "core.untrackedCache=keep", "--no-pager", "--literal-pathspecs"),
)
DIFF = ("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=all", "--relative")
ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_EXTERNAL_DIFF")


def changes(folder: str, config: WalkConfig, prefix: str = "") -> str:
    """A unified diff of the folder's files that belong, new ones too; empty without git or changes.

    ``prefix`` stands before each path.
    """
    program = shutil.which("git")
    if program is None:
        return ""
    git = _Git(program, folder, time.monotonic() + SECONDS)
    if git.run("rev-parse", "--is-inside-work-tree").strip() != b"true":
        return ""
    git.leave_filters_out()
    head = "HEAD" if git.run("rev-parse", "--verify", "--quiet", "HEAD") else ""
    head = head or os.fsdecode(git.run("hash-object", "-t", "tree", "/dev/null")).strip()
    root = Path(folder)
    changed = [
        it for it in git.paths(*DIFF, "--name-only", "-z", head, "--") if _may_be_shown(root, it, config)
    ]
    new = git.paths("ls-files", "--others", "--exclude-standard", "-z")
    marks = (f"--src-prefix=a/{prefix}", f"--dst-prefix=b/{prefix}")
    said = b""
    if changed:
        said = git.run(*DIFF, *marks, head, "--", *changed[:MOST_FILES])
    parts = [it for it in _by_file(said.decode("utf-8", "replace")) if not secret_content(it)]
    parts += [_added(prefix + it, text) for it in new[:MOST_FILES] if (text := _text(root, it, config))]
    return _fitting(parts)


class _Git:
    """git in one folder, until a moment."""

    def __init__(self, program: str, folder: str, until: float) -> None:
        self._command = [program, *QUIET]
        self._folder = folder
        self._until = until
        kept = {key: it for key, it in os.environ.items() if key not in ELSEWHERE}
        quiet = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}
        self._environment = {**kept, **quiet, "LC_ALL": "C"}

    def run(self, *arguments: str) -> bytes:
        """What it says; nothing if it fails or takes too long."""
        left = self._until - time.monotonic()
        if left <= 0:
            return b""
        try:
            done = subprocess.run(
                [*self._command, *arguments],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=left,
                check=False,
            )
        except (OSError, ValueError, subprocess.SubprocessError) as problem:
            logger.info("git ask=%s cause=%s", arguments[0], type(problem).__name__)
            return b""
        return done.stdout if done.returncode == 0 else b""

    def paths(self, *arguments: str) -> list[str]:
        """Its answer as paths."""
        return [os.fsdecode(it) for it in self.run(*arguments).split(b"\0") if it]

    def leave_filters_out(self) -> None:
        """What a repository's own settings would have run over every file is not run."""
        found = self.run("config", "--local", "--includes", "--name-only", "-z", "--get-regexp", r"^filter\.")
        names = {os.fsdecode(it).rpartition(".")[0] for it in found.split(b"\0") if it}
        for it in sorted(names):
            for key in ("clean", "smudge", "process"):
                self._command += ["-c", f"{it}.{key}="]
            self._command += ["-c", f"{it}.required=false"]


def _may_be_shown(root: Path, path: str, config: WalkConfig) -> bool:
    """Whether a changed file belongs; of one that is gone, whether it did by its path."""
    if os.path.lexists(root / path):
        return belongs(root, root / path, config).text is not None
    return belongs(root, root / path, config, text="").reason is None


def _text(root: Path, path: str, config: WalkConfig) -> str | None:
    return belongs(root, root / path, config).text


def _added(path: str, text: str) -> str:
    """A new file as git would show it."""
    lines = text.split("\n")
    end = "" if lines[-1] == "" else "\\ No newline at end of file\n"
    lines = lines[:-1] if lines[-1] == "" else lines
    shown = lines[:MOST_NEW_LINES]
    body = "".join(f"+{it}\n" for it in shown)
    head = f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n"
    return f"{head}@@ -0,0 +1,{len(shown)} @@\n{body}{end if len(shown) == len(lines) else ''}"


def _by_file(diff: str) -> Iterator[str]:
    """Each file's part."""
    part: list[str] = []
    for line in diff.splitlines(keepends=True):
        if line.startswith("diff --git ") and part:
            yield "".join(part)
            part = []
        part.append(line)
    if part:
        yield "".join(part)


def _fitting(parts: Sequence[str]) -> str:
    """As many whole parts as there is room for."""
    taken: list[str] = []
    room = MOST_CHARACTERS
    for it in parts:
        if len(it) <= room:
            taken.append(it)
            room -= len(it)
    return "".join(taken)
