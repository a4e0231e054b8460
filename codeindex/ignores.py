"""The ignore rules that hold in a folder: every file of rules from the repository's top down, in git's order.

The first layer that speaks of a path decides: the folder's own `.hearthignore`, its `.gitignore`, those of
the folders above, then the repository's `info/exclude` and the user's own file. A repository within another
begins anew, but the `.hearthignore` files above it still hold: they are about the project, not about git.
"""

from __future__ import annotations

import os
from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import lru_cache

from codeindex.files import Signature, read_bytes, signature
from codeindex.gitconfig import git_settings, repository_at
from codeindex.gitignore import Rules, byte_text, deciding, read_rules, verdict

OURS, GIT = ".hearthignore", ".gitignore"
LONGEST = 16_000_000  # Bytes of a file of rules: a million names.
REMEMBERED = 1_024  # Files of rules that are kept read; each is read again when its signature changes.


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What could not be looked at, or not be honored: a path and one sentence."""

    path: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """The rules of one file, and where they stand."""

    rules: Rules
    cut: int
    """Characters of an absolute byte-text path before the part that the rules are about."""
    ours: bool
    file: str
    """Where they are from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignores:
    """What holds in one folder: the first layer that speaks of a path decides."""

    layers: tuple[Layer, ...]
    ignore_case: bool


def ignores_above(root: str, env: Mapping[str, str], problems: list[Problem]) -> Ignores:
    """What holds in a root before its own files are read: the rules of the repository that it lies in.

    Outside of any repository this is the user's own file of rules alone, and also in a folder that the
    repository around it leaves out: a project in a home folder that is itself kept in git, say.
    """
    above = [root]
    while repository_at(above[-1]) is None:
        if os.path.dirname(above[-1]) == above[-1]:
            return _begun(root, env, problems)
        above.append(os.path.dirname(above[-1]))
    ignores = Ignores(layers=(), ignore_case=False)
    for folder in reversed(above[1:]):
        if ignored(ignores, byte_text(folder), folder=True):
            return _begun(root, env, problems)
        ignores = ignores_within(ignores, folder, None, env, problems)
    return _begun(root, env, problems) if ignored(ignores, byte_text(root), folder=True) else ignores


def ignores_within(
    ignores: Ignores,
    folder: str,
    names: Container[str] | None,
    env: Mapping[str, str],
    problems: list[Problem],
) -> Ignores:
    """What holds in a folder, from what holds above it. ``names`` are those in it, if they are known."""
    if names is None or ".git" in names:
        begun = _begun(folder, env, problems) if repository_at(folder) else None
        if begun is not None:
            kept = tuple(it for it in ignores.layers if it.ours)
            ignores = Ignores(layers=kept + begun.layers, ignore_case=begun.ignore_case)
    own = tuple(
        layer
        for name in (OURS, GIT)
        if (names is None or name in names)
        and (layer := _layer(os.path.join(folder, name), folder, ignores.ignore_case, problems))
    )
    return Ignores(layers=own + ignores.layers, ignore_case=ignores.ignore_case) if own else ignores


def ignored(ignores: Ignores, path: str, *, folder: bool) -> bool:
    """Whether a path in the folder is left out. Absolute byte text; a folder above it may be left out too."""
    for layer in ignores.layers:
        decided = verdict(layer.rules, path[layer.cut :], folder=folder)
        if decided is not None:
            return decided
    return False


def rule_of(ignores: Ignores, path: str, *, folder: bool) -> tuple[str, int] | None:
    """The file and the line of the rule that leaves a path out; None if it is not left out."""
    for layer in ignores.layers:
        number = deciding(layer.rules, path[layer.cut :], folder=folder)
        if 0 <= number:
            return (layer.file, layer.rules.lines[number]) if layer.rules.excludes[number] else None
    return None


def _begun(folder: str, env: Mapping[str, str], problems: list[Problem]) -> Ignores:
    """The layers that stand behind all others in a repository with this top, or outside of any."""
    repository = repository_at(folder)
    settings = git_settings(repository, env)
    files = [os.path.join(repository.common, "info", "exclude")] if repository else []
    files += [settings.excludes] if settings.excludes else []
    layers = (_layer(it, folder, settings.ignore_case, problems, follow=True) for it in files)
    return Ignores(layers=tuple(it for it in layers if it), ignore_case=settings.ignore_case)


def _layer(
    path: str, folder: str, ignore_case: bool, problems: list[Problem], *, follow: bool = False
) -> Layer | None:
    """The layer of one file; None if there is no such file. git follows no link to a `.gitignore`."""
    try:
        stamp = signature(path, follow=follow)
        if stamp is None:
            if not follow and os.path.islink(path):
                problems.append(Problem(path=path, says="A link is not followed for rules, as in git."))
            return None
        rules = _rules(path, stamp, ignore_case, follow)
    except OSError as error:
        problems.append(Problem(path=path, says=f"Cannot be read: {error.strerror or error}."))
        return None
    problems += [Problem(path=path, says=it) for it in rules.problems]
    if LONGEST < stamp.size:
        problems.append(Problem(path=path, says=f"Only the first {LONGEST:,} bytes are read."))
    cut = len(byte_text(folder).rstrip("/")) + 1
    return Layer(rules=rules, cut=cut, ours=os.path.basename(path) == OURS, file=path)


@lru_cache(maxsize=REMEMBERED)
def _rules(path: str, _: Signature, ignore_case: bool, follow: bool) -> Rules:
    return read_rules(read_bytes(path, LONGEST, follow=follow)[:LONGEST], ignore_case=ignore_case)
