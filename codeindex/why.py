"""Why a file is in the index or not, in one sentence; and everything that is left out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from codeindex.config import WalkConfig
from codeindex.gitignore import byte_text
from codeindex.ignores import Problem, ignores_above, ignores_within, rule_of
from codeindex.place import Left, is_included, place_of
from codeindex.skip import Reason
from codeindex.walk import belongs, read, walk

SENTENCES = {
    Reason.SECRET: "by its name or by what stands in it, it keeps a secret: such a file is never read in",
    Reason.IGNORED: "an ignore rule leaves it out",
    Reason.FOLDER: "it lies in a folder that is never looked into",
    Reason.BINARY: "it is no text",
    Reason.TOO_LARGE: "it is larger than {max_bytes:,} bytes",
    Reason.MINIFIED: "it is minified",
    Reason.GENERATED: "a program wrote it: its name or its first lines say so",
    Reason.NOT_CODE: "it is in no language that we know",
    Reason.NOT_A_FILE: "there is no such file: a link, a folder or nothing",
    Reason.OUTSIDE: "it is not below the workspace's folder, or too deep in it",
    Reason.UNREADABLE: "it cannot be read",
    Reason.SUBMODULE: "it is a git submodule, another project: it belongs if the included patterns name it",
    Reason.BROKEN: "to take it apart fails",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """What is left out, and why."""

    path: str
    """From the root; a folder's with a slash behind."""
    reason: Reason
    says: str
    """A sentence."""


def why(root: Path, path: Path, config: WalkConfig) -> str:
    """One sentence: whether a file is in the index, and by which rule not."""
    top = os.path.realpath(root)
    folder, name = os.path.split(os.path.join(top, path))
    full = os.path.join(os.path.realpath(folder), name)
    relative = os.path.relpath(full, top)
    found = belongs(root, Path(full), config)
    if found.reason is None:
        place = place_of(top, relative, config)
        included = not isinstance(place, Left) and is_included(place, relative, config)
        how = ", brought in by the user's patterns" if included else ""
        return f"{relative} is in the index, as {found.language}{how}."
    left = place_of(top, relative, config) if found.reason is not Reason.OUTSIDE else None
    about = left.relative if isinstance(left, Left) else relative
    detail = left.says if isinstance(left, Left) and left.reason is found.reason else ""
    return _sentence(top, relative, about, found.reason, detail, config)


def left_out(root: Path, config: WalkConfig) -> Iterator[Explained]:
    """Everything that is left out, in order; of a folder that is not looked into, only the folder."""
    top = os.path.realpath(root)
    missed: list[Left] = []
    problems: list[Problem] = []
    for found in walk(root, config, problems=problems, missed=missed):
        reason = read(found, config).reason
        if reason is not None:
            missed.append(Left(reason=reason, relative=found.relative))
    for problem in problems:
        relative = os.path.relpath(problem.path, top)
        missed.append(Left(reason=Reason.UNREADABLE, relative=relative, says=problem.says))
    for it in sorted(missed, key=lambda it: it.relative):
        folder = os.path.isdir(os.path.join(top, it.relative))
        path = f"{it.relative}/" if folder else it.relative
        says = _sentence(top, path, it.relative, it.reason, it.says, config)
        yield Explained(path=path, reason=it.reason, says=says)


def _sentence(top: str, path: str, about: str, reason: Reason, detail: str, config: WalkConfig) -> str:
    """``about`` is the folder or the file itself that the reason is about."""
    said = SENTENCES[reason].format(max_bytes=config.max_bytes)
    if reason is Reason.IGNORED:
        said = _rule(top, about, folder=path.rstrip("/") != about or path.endswith("/")) or said
    elif detail:
        said = f"{said}: {detail.rstrip('.')}"
    where = f" ({about}/)" if about != path.rstrip("/") else ""
    return f"{path} is not in the index: {said}{where}."


def _rule(top: str, about: str, *, folder: bool) -> str:
    """Which line of which file leaves something out."""
    ignores = ignores_within(ignores_above(top, os.environ, []), top, None, os.environ, [])
    here = top
    for name in about.split("/")[:-1]:
        here = os.path.join(here, name)
        ignores = ignores_within(ignores, here, None, os.environ, [])
    found = rule_of(ignores, byte_text(os.path.join(top, about)), folder=folder)
    if found is None:
        return ""
    file, line = found
    shown = os.path.relpath(file, top) if file.startswith(f"{top}{os.sep}") else file
    return f"line {line} of {shown} leaves it out"
