"""Which files belong to a code base: all of a folder in order, or one at a time, by the same rules.

A file belongs if no ignore file leaves it out, and if by its name, its size and its text a person wrote it.
``walk`` asks the path and the size. ``read`` and ``belongs`` ask the text too, and are the way to get one:
what they return is never a secret's.

No link is followed: what it leads to within the root is found there, and what is outside does not belong.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from codeindex.config import WalkConfig
from codeindex.files import read_bytes, text_of
from codeindex.ignores import Ignores, Problem, ignores_above, ignores_within
from codeindex.languages import language_of, language_of_script
from codeindex.place import (
    Left,
    Place,
    inner_place,
    is_included,
    place_inside,
    place_of,
    place_of_root,
    reason_of_file,
)
from codeindex.skip import Reason, reason_of_name, reason_of_text

FIRST_LINE = 128  # Bytes that are read of a file without an extension, to see which program runs it.


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file that belongs, as far as its path and its size say."""

    path: Path
    """Absolute. Bytes of a name that are no UTF-8 are surrogates, as the standard library has them."""
    relative: str
    """From the root, with slashes."""
    size: int
    """Bytes."""
    mtime_ns: int
    ctime_ns: int
    inode: int
    language: str
    """As editors name it; never empty."""
    included: bool = False
    """Whether the user's patterns brought it in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Belonging:
    """Whether a file belongs: if not, why; if so, what it says."""

    reason: Reason | None
    language: str = ""
    text: str | None = None
    """With LF line ends. None exactly where there is a reason."""


def walk(
    root: Path,
    config: WalkConfig,
    *,
    problems: list[Problem] | None = None,
    missed: list[Left] | None = None,
) -> Iterator[FoundFile]:
    """The files that belong, one by one, in the order of their relative paths.

    Raises nothing for what is broken, forbidden or gone: that is left out, and ``problems`` hears of it.
    ``missed`` hears of everything else that is left out; of a folder that is not entered, only of that.
    The root itself is walked even if a rule above leaves it out: somebody opened it.
    """
    found_problems: list[Problem] = [] if problems is None else problems
    top = os.path.realpath(root)
    entries = _entries(top, found_problems)
    ignores = _ignores(ignores_above(top, os.environ, found_problems), top, entries, found_problems)
    frame = _Frame(iter(entries.items()), place_of_root(top, ignores), missed)
    yield from _walk_frames([frame], config, found_problems, (), 0)


def walk_package(
    root: Path, config: WalkConfig, *, leave_out: Container[str], problems: list[Problem] | None = None
) -> Iterator[FoundFile]:
    """The same without ignore files, for an installed package: its own were about its repository.

    Folders with the names to leave out are not entered.
    """
    found_problems: list[Problem] = [] if problems is None else problems
    top = os.path.realpath(root)
    yield from _walk(top, config, None, _entries(top, found_problems), found_problems, leave_out)


def one_file(path: Path, config: WalkConfig) -> Iterator[FoundFile]:
    """A file as the walk of its folder would find it, without ignore files; nothing if it does not belong."""
    folder, name = os.path.split(os.path.realpath(path))
    entries = _entries(folder, [])
    wanted = {key: it for key, it in entries.items() if key == name}
    yield from _walk(folder, config, None, wanted, [], ())


def walk_at(
    root: Path, relative: str, config: WalkConfig, *, problems: list[Problem] | None = None
) -> Iterator[FoundFile]:
    """What the walk of the root finds at one path: the file, or what is in the folder; else nothing."""
    found_problems: list[Problem] = [] if problems is None else problems
    top = os.path.realpath(root)
    *folders, name = relative.split("/")
    ignores = ignores_within(ignores_above(top, os.environ, []), top, None, os.environ, found_problems)
    frame = _Frame(iter(()), place_of_root(top, ignores))
    for depth, it in enumerate(folders, 1):
        entry = _entries(_path(top, frame), []).get(f"{it}/")
        inner = _entered(frame, entry, config, found_problems, depth) if entry else None
        if inner is None:
            return
        frame = inner
    entries = _entries(_path(top, frame), found_problems)
    frame.entries = iter([(it, entries[it]) for it in (name, f"{name}/") if it in entries])
    yield from _walk_frames([frame], config, found_problems, (), len(folders))


def belongs(root: Path, path: Path, config: WalkConfig, *, text: str | None = None) -> Belonging:
    """Whether one file belongs, by the same rules as in the walk, and its text.

    The ignore files on its way are looked at anew; those that did not change are not read again.
    With ``text`` (an editor's, not saved yet) the file need not be there.
    """
    top = os.path.realpath(root)
    folder, name = os.path.split(os.path.abspath(path))
    full = os.path.join(os.path.realpath(folder), name)
    relative = os.path.relpath(full, top)
    if relative.startswith(os.pardir + "/") or relative in (os.pardir, os.curdir):
        return Belonging(reason=Reason.OUTSIDE)
    reason = Reason.NOT_A_FILE if os.path.islink(full) else reason_of_name(relative, config)
    if reason in (Reason.SECRET, Reason.NOT_A_FILE):
        return Belonging(reason=reason)
    place = place_of(top, relative, config)
    if isinstance(place, Left):
        return Belonging(reason=place.reason)
    included = is_included(place, relative, config)
    config = _lenient(config) if included else config
    reason = reason_of_file(place, full, relative, config, included=included)
    if reason is not None:
        return Belonging(reason=reason)
    language = language_of(name)
    if text is not None:
        language = language or language_of_script(text[:FIRST_LINE])
        return _judged(language, text.replace("\r\n", "\n"), config)
    return _read(full, language, config)


def read(found: FoundFile, config: WalkConfig) -> Belonging:
    """Read a file as it is now, and judge by its text whether it belongs."""
    return _read(os.fspath(found.path), found.language, _lenient(config) if found.included else config)


def read_text(found: FoundFile, config: WalkConfig) -> str | None:
    """A file's text as it is now, with LF line ends; None if it does not belong or is gone."""
    return read(found, config).text


def _lenient(config: WalkConfig) -> WalkConfig:
    """For what was asked for by name: that a program wrote it is no reason."""
    return replace(config, generated=True, minified=True)


def _read(path: str, language: str, config: WalkConfig) -> Belonging:
    try:
        data = read_bytes(path, config.max_bytes)
    except OSError:
        is_file = os.path.isfile(path) and not os.path.islink(path)
        return Belonging(reason=Reason.UNREADABLE if is_file else Reason.NOT_A_FILE)
    if config.max_bytes < len(data):
        return Belonging(reason=Reason.TOO_LARGE)
    text = text_of(data)
    return _judged(language or language_of_script((text or "")[:FIRST_LINE]), text, config)


def _judged(language: str, text: str | None, config: WalkConfig) -> Belonging:
    if text is not None and config.max_bytes < len(text):
        return Belonging(reason=Reason.TOO_LARGE)
    reason = reason_of_text(language, text, config)
    return Belonging(reason=reason) if reason else Belonging(reason=None, language=language, text=text)


Entries = dict[str, os.DirEntry[str]]
"""What is in a folder, by name, with a slash behind the names of folders: sorted so, paths are in order."""


@dataclass(slots=True)
class _Frame:
    """A folder that is being walked."""

    entries: Iterator[tuple[str, os.DirEntry[str]]]
    place: Place
    missed: list[Left] | None = None
    """Hears of what is left out, if anybody wants to know."""

    def leave(self, left: Left) -> None:
        """Say that something is left out."""
        if self.missed is not None:
            self.missed.append(left)


def _walk(
    top: str,
    config: WalkConfig,
    ignores: Ignores | None,
    entries: Entries,
    problems: list[Problem],
    leave_out: Container[str],
) -> Iterator[FoundFile]:
    frame = _Frame(iter(entries.items()), place_of_root(top, ignores))
    yield from _walk_frames([frame], config, problems, leave_out, 0)


def _walk_frames(
    frames: list[_Frame], config: WalkConfig, problems: list[Problem], leave_out: Container[str], above: int
) -> Iterator[FoundFile]:
    """Walk what is on the stack, ``above`` folders below the root."""
    while frames:
        frame = frames[-1]
        name, entry = next(frame.entries, ("", None))
        if entry is None:
            frames.pop()
        elif not name.endswith("/"):
            found = _found(frame, name, entry, config, problems)
            if found is not None:
                yield found
        elif name[:-1] not in leave_out:
            inner = _entered(frame, entry, config, problems, above + len(frames))
            if inner is not None:
                frames.append(inner)


def _path(top: str, frame: _Frame) -> str:
    return os.path.join(top, frame.place.relative)


def _entered(
    frame: _Frame, entry: os.DirEntry[str], config: WalkConfig, problems: list[Problem], depth: int
) -> _Frame | None:
    """The frame of a folder; None if it is not to be walked."""
    place = inner_place(frame.place, entry.name, config)
    if isinstance(place, Left):
        frame.leave(place)
        return None
    if config.max_depth < depth:
        problems.append(Problem(path=entry.path, says=f"More than {config.max_depth} folders deep."))
        return None
    entries = _entries(entry.path, problems)
    inside = place_inside(place, entry.path, lambda it: it in entries or f"{it}/" in entries, config)
    if isinstance(inside, Left):
        frame.leave(inside)
        return None
    if inside.ignores is not None:
        inside = replace(inside, ignores=_ignores(inside.ignores, entry.path, entries, problems))
    return _Frame(iter(entries.items()), inside, frame.missed)


def _found(
    frame: _Frame, name: str, entry: os.DirEntry[str], config: WalkConfig, problems: list[Problem]
) -> FoundFile | None:
    """The file of an entry; None if it does not belong."""
    relative = frame.place.relative + name
    included = is_included(frame.place, relative, config)
    reason = reason_of_file(frame.place, entry.path, relative, config, included=included)
    if reason is not None:
        frame.leave(Left(reason=reason, relative=relative))
        return None
    try:
        state = entry.stat(follow_symlinks=False)
        if not stat.S_ISREG(state.st_mode) or config.max_bytes < state.st_size:
            is_file = stat.S_ISREG(state.st_mode)
            frame.leave(Left(reason=Reason.TOO_LARGE if is_file else Reason.NOT_A_FILE, relative=relative))
            return None
        language = language_of(name)
        if not language:
            first_line = read_bytes(entry.path, FIRST_LINE).decode("ascii", "replace")
            language = language_of_script(first_line)
    except FileNotFoundError:
        return None
    except OSError as error:
        problems.append(_cannot(entry.path, error))
        return None
    if not language:
        frame.leave(Left(reason=Reason.NOT_CODE, relative=relative))
        return None
    return FoundFile(
        path=Path(entry.path),
        relative=relative,
        size=state.st_size,
        mtime_ns=state.st_mtime_ns,
        ctime_ns=state.st_ctime_ns,
        inode=state.st_ino,
        language=language,
        included=included,
    )


def _entries(folder: str, problems: list[Problem]) -> Entries:
    """The files and folders in a folder, sorted; links, pipes and devices are not among them."""
    found: Entries = {}
    try:
        with os.scandir(folder) as entries:
            for it in entries:
                if it.is_dir(follow_symlinks=False):
                    found[it.name + "/"] = it
                elif it.is_file(follow_symlinks=False) or it.name.startswith("."):
                    found[it.name] = (
                        it  # a link with such a name may be one of rules; git says what it thinks of it
                    )
    except FileNotFoundError:
        return {}
    except OSError as error:
        problems.append(_cannot(folder, error))
    return dict(sorted(found.items()))


def _ignores(above: Ignores, folder: str, entries: Entries, problems: list[Problem]) -> Ignores:
    names = {it.removesuffix("/") for it in entries if it.startswith(".")}
    return ignores_within(above, folder, names, os.environ, problems)


def _cannot(path: str, error: OSError) -> Problem:
    return Problem(path=path, says=f"Cannot be read: {error.strerror or error}.")
