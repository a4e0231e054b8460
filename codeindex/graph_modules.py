"""Pure: the files of a project, to be found by what imports call them, and what its manifests say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from posixpath import basename, dirname

HEADERS = (".h", ".hpp", ".hh", ".hxx", ".h++", ".cuh", ".inl")
BODIES = (".c", ".cc", ".cpp", ".cxx", ".c++", ".m", ".mm", ".cu")
FAMILIES = {
    **dict.fromkeys(("c", "cpp", "cuda-cpp", "objective-c", "objective-cpp"), "c"),
    **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact"), "javascript"),
    **dict.fromkeys(("vue", "svelte"), "javascript"),
    **dict.fromkeys(("java", "kotlin", "scala", "groovy"), "java"),
    **dict.fromkeys(("css", "scss", "less", "sass"), "css"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What a manifest says: under which name the files of a folder are imported."""

    system: str
    """``go``, ``node``, ``rust``, ``php`` or ``alias`` (of a `tsconfig.json`)."""
    name: str
    """A module path, a package's name, a prefix of a namespace, a pattern with a star."""
    folder: str
    """From the root, without a slash at the end; for an alias a pattern too."""
    within: str = ""
    """For an alias: the folder whose files may use it."""
    entry: str = ""
    """The file that stands for the package, if the manifest says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The files of one import."""

    files: tuple[str, ...] = ()
    """Of the module itself."""
    named: tuple[tuple[str, str], ...] = ()
    """Names out of it that are files of their own."""

    def __bool__(self) -> bool:
        """Whether it is the project's own."""
        return bool(self.files or self.named)


@dataclass(frozen=True, slots=True)
class Modules:
    """The project's files, to be found by what imports call them. Made by ``modules``."""

    files: frozenset[str]
    folders: Mapping[str, tuple[str, ...]]
    """The files that lie directly in a folder; the root is empty text."""
    by_name: Mapping[str, tuple[str, ...]]
    """Files by their names with extension."""
    by_folder: Mapping[str, tuple[str, ...]]
    """Folders by their last names."""
    packages: tuple[Package, ...] = field(default=())


def family(language: str) -> str:
    """Languages that call each other's functions share a family."""
    return FAMILIES.get(language, language)


def modules(paths: Iterable[str], packages: Iterable[Package] = ()) -> Modules:
    """Index the project's paths."""
    files = sorted(set(paths))
    folders: dict[str, list[str]] = {}
    by_name: dict[str, list[str]] = {}
    for it in files:
        folders.setdefault(dirname(it), []).append(it)
        by_name.setdefault(basename(it), []).append(it)
    every = set(folders)
    for it in folders:
        while it:
            it = dirname(it)
            every.add(it)
    by_folder: dict[str, list[str]] = {}
    for it in sorted(every):
        by_folder.setdefault(basename(it), []).append(it)
    longest_first = sorted(packages, key=lambda it: (-len(it.name), it.name, it.folder))
    return Modules(
        frozenset(files), _fixed(folders), _fixed(by_name), _fixed(by_folder), tuple(longest_first)
    )


def _fixed(lists: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(it) for key, it in lists.items()}


def files_of(files: tuple[str, ...]) -> Imported:
    """The files of a module that has no names which are files."""
    return Imported(files=files)


def first_of(found: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The first that is not empty."""
    return next((it for it in found if it), ())


def present(known: Modules, *paths: str) -> tuple[str, ...]:
    """Those that there are, each once."""
    return tuple(dict.fromkeys(it for it in paths if it in known.files))


def ending(known: Modules, path: str, end: str) -> tuple[str, ...]:
    """Files whose path ends so, those that share the most folders with ``path`` first."""
    found = [it for it in known.by_name.get(basename(end), ()) if it == end or it.endswith(f"/{end}")]
    return tuple(sorted(found, key=lambda it: (-shared_folders(path, it), it.count("/"), it)))


def folders_ending(known: Modules, path: str, end: str) -> tuple[str, ...]:
    """Folders whose path ends so, in the same order."""
    found = [it for it in known.by_folder.get(basename(end), ()) if it == end or it.endswith(f"/{end}")]
    return tuple(sorted(found, key=lambda it: (-shared_folders(path, f"{it}/"), it.count("/"), it)))


def shared_folders(left: str, right: str) -> int:
    """How many folders, from the root, two paths have in common."""
    count = 0
    for one, other in zip(left.split("/")[:-1], right.split("/")[:-1], strict=False):
        if one != other:
            break
        count += 1
    return count


def is_within(path: str, folder: str) -> bool:
    """Whether a file lies below a folder; all lie below the root."""
    return not folder or path.startswith(f"{folder}/")
