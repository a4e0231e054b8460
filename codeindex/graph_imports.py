"""Pure: what a file imports, as it is written -> the files of the project that this means.

Every language has its own rule. None of them guesses: a module of somebody else's package means no file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from posixpath import basename, dirname, join, normpath

from codeindex.graph_modules import (
    BODIES,
    HEADERS,
    Imported,
    Modules,
    ending,
    family,
    files_of,
    first_of,
    folders_ending,
    is_within,
    present,
)

SCRIPTS = (".ts", ".tsx", ".d.ts", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json", ".vue", ".svelte")
CLASSES = (".java", ".kt", ".scala", ".groovy", ".kts")
CRATE_ROOTS = ("lib.rs", "main.rs")


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
        files = present(known, f"{base}.py", f"{base}.pyi", join(base, "__init__.py"), f"{base}.pyx")
        inner = [(it, present(known, join(base, f"{it}.py"), join(base, it, "__init__.py"))) for it in names]
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
                found.append((not is_within(path, above), -len(above), base))
    inside = sorted((depth, base) for is_outside, depth, base in found if not is_outside)
    outside = sorted((-depth, base) for is_outside, depth, base in found if is_outside)
    return [base for _, base in inside + outside]


def _script(known: Modules, path: str, module: str, names: tuple[str, ...]) -> Imported:
    text = module.partition("?")[0]
    if text.startswith("."):
        return files_of(_script_file(known, join(dirname(path), text)))
    for it in known.packages:
        if it.system == "alias" and is_within(path, it.within):
            head, star, tail = it.name.partition("*")
            if text == it.name or (star and text.startswith(head) and text.endswith(tail)):
                middle = text[len(head) : len(text) - len(tail)]
                found = _script_file(known, it.folder.replace("*", middle))
                if found:
                    return files_of(found)
        elif it.system == "node" and text == it.name:
            entries = (it.entry, "src/index", "index", "lib/index", "src/main")
            return files_of(
                first_of(_script_file(known, join(it.folder, entry)) for entry in entries if entry)
            )
        elif it.system == "node" and text.startswith(f"{it.name}/"):
            rest = text[len(it.name) + 1 :]
            return files_of(first_of(_script_file(known, join(it.folder, top, rest)) for top in ("", "src")))
    if text.startswith(("@/", "~/")):  # What most bundlers mean by it where no manifest says.
        return files_of(first_of(_script_file(known, join(top, text[2:])) for top in ("src", "", "app")))
    return Imported()


def _script_file(known: Modules, place: str) -> tuple[str, ...]:
    base = normpath(place).lstrip("/")
    stem, dot, end = base.rpartition(".")
    written = [base]
    if dot and end in ("js", "jsx", "mjs", "cjs"):  # TypeScript is imported by the name of what it becomes.
        written += [f"{stem}.{end.replace('js', 'ts')}", f"{stem}.tsx"]
    index = [f"{base}/index{it}" if base != "." else f"index{it}" for it in SCRIPTS]
    return present(known, *written, *(base + it for it in SCRIPTS), *index)[:1]


def _go(known: Modules, path: str, module: str, names: tuple[str, ...]) -> Imported:
    """A package is all files of its folder, without the tests."""
    owners = [it for it in known.packages if it.system == "go" and is_within(path, it.within)]
    for it in owners or [it for it in known.packages if it.system == "go"]:
        if module == it.name or module.startswith(f"{it.name}/"):
            folder = join(it.folder, module[len(it.name) + 1 :]).rstrip("/")
            inside = known.folders.get(folder, ())
            return files_of(tuple(f for f in inside if f.endswith(".go") and not f.endswith("_test.go")))
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
    return present(known, f"{base}.rs", join(base, "mod.rs"), *(join(base, it) for it in CRATE_ROOTS))[:1]


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
            found = first_of(ending(known, path, it) for it in ends)
            if found and (1 < count or len(parts) == 1):
                return files_of(found[:1])
    for count in range(len(parts), 1, -1):
        folders = folders_ending(known, path, "/".join(parts[:count]))
        inside = [it for folder in folders for it in known.folders.get(folder, ()) if it.endswith(CLASSES)]
        if inside:
            return files_of(tuple(inside))
    return Imported()


def _namespaces(known: Modules, path: str, module: str, names: tuple[str, ...]) -> Imported:
    """C#: a namespace is, by custom, the folders of that name."""
    parts = module.split(".")
    for start in range(len(parts)):
        folders = folders_ending(known, path, "/".join(parts[start:]))
        inside = [it for folder in folders for it in known.folders.get(folder, ()) if it.endswith(".cs")]
        if inside:
            return files_of(tuple(inside))
    return Imported()


def _c(known: Modules, path: str, module: str, names: tuple[str, ...]) -> Imported:
    """The header, and the files with its stem: what it declares is defined there."""
    beside = present(known, normpath(join(dirname(path), module)))
    found = (beside or ending(known, path, normpath(module)))[:1]
    if not found:
        return Imported()
    stem = found[0].rpartition(".")[0]
    bodies = present(known, *(stem + it for it in BODIES))
    if not bodies and found[0].endswith(HEADERS):
        bodies = first_of(ending(known, found[0], basename(stem) + it)[:1] for it in BODIES)
    return files_of((*found, *(it for it in bodies if it != path)))


def _ruby(known: Modules, path: str, module: str, names: tuple[str, ...]) -> Imported:
    name = module if module.endswith(".rb") else f"{module}.rb"
    beside = present(known, normpath(join(dirname(path), name)))
    return files_of((beside or ending(known, path, join("lib", name)) or ending(known, path, name))[:1])


def _php(known: Modules, path: str, module: str, names: tuple[str, ...]) -> Imported:
    if module.endswith(".php"):
        beside = present(known, normpath(join(dirname(path), module.lstrip("/"))))
        return files_of((beside or ending(known, path, module.lstrip("/.")))[:1])
    text = module.strip("\\").replace("\\", "/")
    named = [(it, _php_class(known, path, f"{text}/{it}")) for it in names]
    return Imported(
        files=_php_class(known, path, text), named=tuple((name, it[0]) for name, it in named if it)
    )


def _php_class(known: Modules, path: str, text: str) -> tuple[str, ...]:
    for it in known.packages:
        prefix = it.name.strip("\\").replace("\\", "/")
        if it.system == "php" and (not prefix or text.startswith(f"{prefix}/")):
            found = present(known, normpath(join(it.folder, text[len(prefix) :].lstrip("/"))) + ".php")
            if found:
                return found
    parts = text.split("/")
    for start in range(max(1, len(parts) - 1)):
        found = ending(known, path, "/".join(parts[start:]) + ".php")
        if found:
            return found[:1]
    return ()


def _lua(known: Modules, path: str, module: str, names: tuple[str, ...]) -> Imported:
    base = module.replace(".", "/")
    return files_of((ending(known, path, f"{base}.lua") or ending(known, path, f"{base}/init.lua"))[:1])


def _beside(known: Modules, path: str, module: str, names: tuple[str, ...]) -> Imported:
    """Style sheets, pages and shell scripts: by the path, from where the file is."""
    base = normpath(join(dirname(path), module))
    partial = join(dirname(base), f"_{basename(base)}")
    ends = ("", ".css", ".scss", ".less", ".sh")
    return files_of(present(known, *(it + end for it in (base, partial) for end in ends))[:1])


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
