"""What git's settings say about ignoring, read from their files: git itself is never run.

Followed are `include.path` and `includeIf "gitdir:…"`; other conditions (branch, remote) count as not met.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from codeindex.files import Signature, read_bytes, signature
from codeindex.gitignore import byte_text, read_rules, verdict

LONGEST = 1_000_000  # Bytes of a settings file.
DEEPEST = 10  # Files that include each other, as in git.

SECTION = re.compile(r'\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]')
SETTING = re.compile(r"\s*([A-Za-z][\w-]*)\s*(?:=(.*))?\Z", re.DOTALL)
VALUE = re.compile(r'"((?:[^"\\]|\\.)*)"|(\\.)|([#;])|(\s+)|([^\s"\\#;]+)', re.DOTALL)
ESCAPES = {"n": "\n", "t": "\t", "b": "\b"}
TRUE = frozenset({"true", "yes", "on", "1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A folder that git works in. In worktrees and submodules `.git` is a file that leads to the rest."""

    folder: str
    git: str
    """Its own git folder."""
    common: str
    """The git folder that it shares with its worktrees; the same for most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitSettings:
    """What matters of git's settings."""

    excludes: str
    """The user's own file of ignore rules; an absolute path, or empty."""
    ignore_case: bool


def repository_at(folder: str) -> Repository | None:
    """The repository whose top this folder is; None if it is none, or one that git would not take for one."""
    marker = os.path.join(folder, ".git")
    try:
        if os.path.isdir(marker):
            git = marker
        else:
            text = _first_line(marker)
            if not text.startswith("gitdir:"):
                return None
            git = os.path.normpath(os.path.join(folder, text.removeprefix("gitdir:").strip()))
        common = git
        if signature(os.path.join(git, "commondir")):
            common = os.path.normpath(os.path.join(git, _first_line(os.path.join(git, "commondir"))))
        real = os.path.lexists(os.path.join(git, "HEAD")) and os.path.isdir(os.path.join(common, "objects"))
        return Repository(folder=folder, git=git, common=common) if real else None
    except (OSError, ValueError):
        return None


def is_submodule(folder: str) -> bool:
    """Whether a folder is the top of another repository that git keeps as a part of the one around it."""
    repository = repository_at(folder)
    return (
        repository is not None
        and f"{os.sep}modules{os.sep}" in repository.git
        and not os.path.isdir(os.path.join(folder, ".git"))
    )


def git_settings(repository: Repository | None, env: Mapping[str, str]) -> GitSettings:
    """The settings that hold in a repository, or outside of any; files that cannot be read say nothing."""
    home = env.get("HOME", "")
    user = env.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    files = (
        []
        if env.get("GIT_CONFIG_NOSYSTEM", "").lower() in TRUE
        else [env.get("GIT_CONFIG_SYSTEM") or "/etc/gitconfig"]
    )
    if "GIT_CONFIG_GLOBAL" in env:
        files.append(env["GIT_CONFIG_GLOBAL"])
    else:
        files += [os.path.join(user, "git", "config"), os.path.join(home, ".gitconfig")]
    if repository is not None:
        files += [os.path.join(repository.common, "config"), os.path.join(repository.git, "config.worktree")]
    git = repository.git if repository else ""
    values = {key: value for file in files for key, value in _settings(file, git, home, DEEPEST)}
    excludes = values.get("core.excludesfile", os.path.join(user, "git", "ignore"))
    base = repository.folder if repository else home
    return GitSettings(
        excludes=os.path.join(base, _expanded(excludes, home)) if excludes else "",
        ignore_case=values.get("core.ignorecase", "false").lower() in TRUE,
    )


def _first_line(path: str) -> str:
    return os.fsdecode(read_bytes(path, LONGEST).partition(b"\n")[0].strip())


def _expanded(path: str, home: str) -> str:
    return os.path.join(home, path[2:]) if path.startswith("~/") else path


def _settings(file: str, git: str, home: str, depth: int) -> Iterator[tuple[str, str]]:
    """The settings of a file and of those it includes, in order: the last one counts."""
    try:
        stamp = signature(file, follow=True)
        lines = _parsed(file, stamp) if stamp else ()
    except OSError:
        return
    for section, subsection, key, value in lines:
        included = section == "include" or (
            section == "includeif" and git and _is_met(subsection, git, os.path.dirname(file), home)
        )
        if included and key == "path" and depth:
            inner = os.path.join(os.path.dirname(file), _expanded(value, home))
            yield from _settings(inner, git, home, depth - 1)
        elif not subsection:
            yield f"{section}.{key}", value


def _is_met(condition: str, git: str, folder: str, home: str) -> bool:
    """Whether a repository's git folder is one that `includeIf` names."""
    kind, _, pattern = condition.partition(":")
    if kind.lower() not in ("gitdir", "gitdir/i"):
        return False
    if pattern.startswith("./"):
        pattern = folder + pattern[1:]
    pattern = _expanded(pattern, home)
    if not pattern.startswith("/"):
        pattern = "**/" + pattern
    if pattern.endswith("/"):
        pattern += "**"
    rules = read_rules(os.fsencode(pattern), ignore_case=kind.lower().endswith("/i"))
    return bool(verdict(rules, byte_text(git.strip("/")), folder=True))


@lru_cache(maxsize=64)
def _parsed(file: str, _: Signature) -> tuple[tuple[str, str, str, str], ...]:
    """Section, subsection, key and value of every line that makes sense. Raises OSError."""
    text = os.fsdecode(read_bytes(file, LONGEST, follow=True)).removeprefix("\ufeff")
    found = []
    section = subsection = ""
    for line in text.replace("\r\n", "\n").replace("\\\n", "").split("\n"):
        rest = line.strip()
        if header := SECTION.match(rest):
            section = header[1].lower()
            subsection = re.sub(r"\\(.)", r"\1", header[2] or "")
            rest = rest[header.end() :]
        if setting := SETTING.match(rest):
            value = "true" if setting[2] is None else _value(setting[2])
            found.append((section, subsection, setting[1].lower(), value))
    return tuple(found)


def _value(raw: str) -> str:
    """A value without quotes, escapes, comment and the blanks around it."""
    value = blanks = ""
    for quoted, escaped, comment, blank, plain in VALUE.findall(raw.strip()):
        if comment:
            break
        if blank:
            blanks = blank if value else ""
            continue
        text = plain or re.sub(r"\\(.)", lambda it: ESCAPES.get(it[1], it[1]), quoted or escaped)
        value += blanks + text
        blanks = ""
    return value
