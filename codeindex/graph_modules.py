"""Pure: what a file imports, as it is written -> the files of the project that this means.

Every language has its own rule. None of them guesses: a module of somebody else's package means no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from posixpath import basename, dirname, join, normpath

SCRIPTS = (".ts", ".tsx", ".d.ts", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json", ".vue", ".svelte")
HEADERS = (".h", ".hpp", ".hh", ".hxx", ".h++", ".cuh", ".inl")
BODIES = (".c", ".cc", ".cpp", ".cxx", ".c++", ".m", ".mm", ".cu")
CLASSES = (".java", ".kt", ".scala", ".groovy", ".kts")
CRATE_ROOTS = ("lib.rs", "main.rs")
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


def imported(known: Modules, path: str, language: str, module: str, names: Sequence[str]) -> Imported:
    """The files that an import in a file means; nothing if it is not the project's."""
    text = module.strip().strip("\"'`<>").strip()
    rule = RULES.get(family(language))
    return rule(known, path, text, tuple(names)) if rule and text else Imported()


def _python(known: Modules, path: str, module: str, names: tuple[str, ...]) -> Imported:
    rest = module.lstrip(".")
    dots = len(module) - len(rest)
    parts = rest.split(".") if rest else []
    if dots:
        folder = dirname(path)
        for _ in range(dots - 1):
            folder = dirname(folder)
        bases = [join(folder, *parts)]
    else:
        bases = _python_bases(known, path, parts)
    for base in bases:
        files = _present(known, f"{base}.py", f"{base}.pyi", join(base, "__init__.py"), f"{base}.pyx")
        inner = [(it, _present(known, join(base, f"{it}.py"), join(base, it, "__init__.py"))) for it in names]
        named = tuple((name, found[0]) for name, found in inner if found)
        if files or named:
            return Imported(files=files[:1], named=named)
    return Imported()


def _python_bases(known: Modules, path: str, parts: list[str]) -> list[str]:
    """Where an absolute module may be: below folders that are no packages, those above the file first."""
    tail = "/".join(parts)
    ends = [it for name in (f"{parts[-1]}.py", f"{parts[-1]}.pyi") for it in known.by_name.get(name, ())]
    bases = {it.rpartition(".")[0] for it in ends} | set(known.by_folder.get(parts[-1], ()))
    found = []
    for base in bases:
        if base == tail or base.endswith(f"/{tail}"):
            above = base[: -len(tail)].rstrip("/")
            if join(above, "__init__.py") not in known.files:
                found.append((not _is_within(path, above), -len(above), base))
    inside = sorted((depth, base) for is_outside, depth, base in found if not is_outside)
    outside = sorted((-depth, base) for is_outside, depth, base in found if is_outside)
    return [base for _, base in inside + outside]


def _script(known: Modules, path: str, module: str, names: tuple[str, ...]) -> Imported:
    text = module.partition("?")[0]
    if text.startswith("."):
        return _files(_script_file(known, join(dirname(path), text)))
    for it in known.packages:
        if it.system == "alias" and _is_within(path, it.within):
            head, star, tail = it.name.partition("*")
            if text == it.name or (star and text.startswith(head) and text.endswith(tail)):
                middle = text[len(head) : len(text) - len(tail)]
                found = _script_file(known, it.folder.replace("*", middle))
                if found:
                    return _files(found)
        elif it.system == "node" and text == it.name:
            entries = (it.entry, "src/index", "index", "lib/index", "src/main")
            return _files(_first(_script_file(known, join(it.folder, entry)) for entry in entries if entry))
        elif it.system == "node" and text.startswith(f"{it.name}/"):
            rest = text[len(it.name) + 1 :]
            return _files(_first(_script_file(known, join(it.folder, top, rest)) for top in ("", "src")))
    if text.startswith(("@/", "~/")):  # What most bundlers mean by it where no manifest says.
        return _files(_first(_script_file(known, join(top, text[2:])) for top in ("src", "", "app")))
    return Imported()


def _script_file(known: Modules, place: str) -> tuple[str, ...]:
    base = normpath(place).lstrip("/")
    stem, dot, end = base.rpartition(".")
    written = [base]
    if dot and end in ("js", "jsx", "mjs", "cjs"):  # TypeScript is imported by the name of what it becomes.
        written += [f"{stem}.{end.replace('js', 'ts')}", f"{stem}.tsx"]
    index = [f"{base}/index{it}" if base != "." else f"index{it}" for it in SCRIPTS]
    return _present(known, *written, *(base + it for it in SCRIPTS), *index)[:1]


def _go(known: Modules, path: str, module: str, names: tuple[str, ...]) -> Imported:
    """A package is all files of its folder, without the tests."""
    owners = [it for it in known.packages if it.system == "go" and _is_within(path, it.within)]
    for it in owners or [it for it in known.packages if it.system == "go"]:
        if module == it.name or module.startswith(f"{it.name}/"):
            folder = join(it.folder, module[len(it.name) + 1 :]).rstrip("/")
            inside = known.folders.get(folder, ())
            return _files(tuple(f for f in inside if f.endswith(".go") and not f.endswith("_test.go")))
    return Imported()


def _rust(known: Modules, path: str, module: str, names: tuple[str, ...]) -> Imported:
    parts = [it for it in module.replace(" ", "").split("::") if it]
    here = _rust_folder(path)
    if not parts:
        return Imported()
    if parts[0] == "crate":
        return _rust_named(known, _crate_of(known, path), parts[1:], names)
    if parts[0] in ("self", "super"):
        folder = here
        while parts and parts[0] in ("self", "super"):
            folder = dirname(folder) if parts[0] == "super" else folder
            parts = parts[1:]
        return _rust_named(known, folder, parts, names)
    child = _rust_named(known, here, parts, names, whole=True)
    if child:
        return child
    for it in known.packages:
        if it.system == "rust" and it.name.replace("-", "_") == parts[0]:
            return _rust_named(known, join(it.folder, "src"), parts[1:], names)
    return Imported()


def _rust_named(
    known: Modules, folder: str, parts: list[str], names: tuple[str, ...], *, whole: bool = False
) -> Imported:
    """The file of the longest beginning of a path that is one; what comes behind it is in the file.

    With ``whole`` at least the first part has to be a file: the path may be of another crate.
    """
    for count in range(len(parts), -1 + whole, -1):
        files = _rust_file(known, join(folder, *parts[:count]))
        if files:
            inner = [(it, _rust_file(known, join(folder, *parts, it))) for it in names]
            return Imported(
                files=files,
                named=tuple((it, found[0]) for it, found in inner if found and count == len(parts)),
            )
    return Imported()


def _rust_file(known: Modules, base: str) -> tuple[str, ...]:
    return _present(known, f"{base}.rs", join(base, "mod.rs"), *(join(base, it) for it in CRATE_ROOTS))[:1]


def _rust_folder(path: str) -> str:
    """Where the children of a file's module lie."""
    stem = basename(path).removesuffix(".rs")
    return dirname(path) if stem in ("mod", "lib", "main") else join(dirname(path), stem)


def _crate_of(known: Modules, path: str) -> str:
    folder = dirname(path)
    while True:
        if any(join(folder, it) in known.files for it in CRATE_ROOTS):
            return folder
        if not folder:
            return "src"
        folder = dirname(folder)


def _java(known: Modules, path: str, module: str, names: tuple[str, ...]) -> Imported:
    """A class's file; for what is in a class, that of the class; for a package, all files of its folder."""
    parts = module.removesuffix(".*").split(".")
    if "*" not in names and not module.endswith(".*"):
        for count in range(len(parts), 0, -1):
            ends = ["/".join(parts[:count]) + it for it in CLASSES]
            found = _first(_ending(known, path, it) for it in ends)
            if found and (1 < count or len(parts) == 1):
                return _files(found[:1])
    for count in range(len(parts), 1, -1):
        folders = _folders_ending(known, path, "/".join(parts[:count]))
        inside = [it for folder in folders for it in known.folders.get(folder, ()) if it.endswith(CLASSES)]
        if inside:
            return _files(tuple(inside))
    return Imported()


def _namespaces(known: Modules, path: str, module: str, names: tuple[str, ...]) -> Imported:
    """C#: a namespace is, by custom, the folders of that name."""
    parts = module.split(".")
    for start in range(len(parts)):
        folders = _folders_ending(known, path, "/".join(parts[start:]))
        inside = [it for folder in folders for it in known.folders.get(folder, ()) if it.endswith(".cs")]
        if inside:
            return _files(tuple(inside))
    return Imported()


def _c(known: Modules, path: str, module: str, names: tuple[str, ...]) -> Imported:
    """The header, and the files with its stem: what it declares is defined there."""
    beside = _present(known, normpath(join(dirname(path), module)))
    found = (beside or _ending(known, path, normpath(module)))[:1]
    if not found:
        return Imported()
    stem = found[0].rpartition(".")[0]
    bodies = _present(known, *(stem + it for it in BODIES))
    if not bodies and found[0].endswith(HEADERS):
        bodies = _first(_ending(known, found[0], basename(stem) + it)[:1] for it in BODIES)
    return _files((*found, *(it for it in bodies if it != path)))


def _ruby(known: Modules, path: str, module: str, names: tuple[str, ...]) -> Imported:
    name = module if module.endswith(".rb") else f"{module}.rb"
    beside = _present(known, normpath(join(dirname(path), name)))
    return _files((beside or _ending(known, path, join("lib", name)) or _ending(known, path, name))[:1])


def _php(known: Modules, path: str, module: str, names: tuple[str, ...]) -> Imported:
    if module.endswith(".php"):
        beside = _present(known, normpath(join(dirname(path), module.lstrip("/"))))
        return _files((beside or _ending(known, path, module.lstrip("/.")))[:1])
    text = module.strip("\\").replace("\\", "/")
    named = [(it, _php_class(known, path, f"{text}/{it}")) for it in names]
    return Imported(
        files=_php_class(known, path, text), named=tuple((name, it[0]) for name, it in named if it)
    )


def _php_class(known: Modules, path: str, text: str) -> tuple[str, ...]:
    for it in known.packages:
        prefix = it.name.strip("\\").replace("\\", "/")
        if it.system == "php" and (not prefix or text.startswith(f"{prefix}/")):
            found = _present(known, normpath(join(it.folder, text[len(prefix) :].lstrip("/"))) + ".php")
            if found:
                return found
    parts = text.split("/")
    for start in range(max(1, len(parts) - 1)):
        found = _ending(known, path, "/".join(parts[start:]) + ".php")
        if found:
            return found[:1]
    return ()


def _lua(known: Modules, path: str, module: str, names: tuple[str, ...]) -> Imported:
    base = module.replace(".", "/")
    return _files((_ending(known, path, f"{base}.lua") or _ending(known, path, f"{base}/init.lua"))[:1])


def _beside(known: Modules, path: str, module: str, names: tuple[str, ...]) -> Imported:
    """Style sheets, pages and shell scripts: by the path, from where the file is."""
    base = normpath(join(dirname(path), module))
    partial = join(dirname(base), f"_{basename(base)}")
    ends = ("", ".css", ".scss", ".less", ".sh")
    return _files(_present(known, *(it + end for it in (base, partial) for end in ends))[:1])


Rule = Callable[[Modules, str, str, tuple[str, ...]], Imported]
RULES: Mapping[str, Rule] = {
    "c": _c,
    "csharp": _namespaces,
    "css": _beside,
    "go": _go,
    "html": _beside,
    "java": _java,
    "javascript": _script,
    "lua": _lua,
    "php": _php,
    "python": _python,
    "ruby": _ruby,
    "rust": _rust,
    "shellscript": _beside,
}


def _fixed(lists: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(it) for key, it in lists.items()}


def _files(files: tuple[str, ...]) -> Imported:
    return Imported(files=files)


def _first(found: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return next((it for it in found if it), ())


def _present(known: Modules, *paths: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(it for it in paths if it in known.files))


def _ending(known: Modules, path: str, end: str) -> tuple[str, ...]:
    """Files whose path ends so, those that share the most folders with ``path`` first."""
    found = [it for it in known.by_name.get(basename(end), ()) if it == end or it.endswith(f"/{end}")]
    return tuple(sorted(found, key=lambda it: (-shared_folders(path, it), it.count("/"), it)))


def _folders_ending(known: Modules, path: str, end: str) -> tuple[str, ...]:
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


def _is_within(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")
