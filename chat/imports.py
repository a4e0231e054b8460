"""The import that a name lacks: as other files have it, where it is defined, or a standard one.

Nothing is guessed: each proposal says what proves it, and where several are possible, there are several.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from posixpath import basename, dirname, join

from chat import imports_lines, imports_python, scaffold_project, scaffold_script
from chat.code import Code
from chat.edits_lines import edits, split
from chat.edits_types import Edit, Refusal, Source
from chat.imports_found import kind_of, pattern, read, rust_module
from chat.imports_known import missing_name, modules_of
from chat.imports_types import Layout, Wanted
from chat.scaffold_types import Plan
from chat.target import source_of
from chat.types import Problem
from codeindex.languages import language_of
from codeindex.types import Kind

MOST_CHOICES = 6
MOST_LINES = 200
MOST_FILES = 3000

__all__ = ["Fix", "fixes", "missing_name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One import that would bring the name in."""

    name: str
    says: str
    """The statement."""
    why: str
    """What proves it, in a few words."""
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    wanted: Wanted
    why: str
    rank: tuple[int, int]
    """The lower, the likelier."""


async def fixes(problem: Problem, code: Code, *, language: str = "") -> tuple[Fix, ...] | Refusal:
    """The imports that a diagnostic about an unknown name asks for, the likeliest first."""
    name = missing_name(problem.message)
    if not name:
        return Refusal(reason="The message does not say that a name is unknown.")
    source = await source_of(problem.path, code, language)
    if isinstance(source, Refusal):
        return source
    return await for_name(name, source, code)


async def for_name(name: str, source: Source, code: Code) -> tuple[Fix, ...] | Refusal:
    """The imports that would bring a name into a file."""
    found = [*await _as_others(name, source, code), *await _defined(name, source, code)]
    found += _standard(name, source.language)
    layout = Layout(own=await _own(source, code))
    made: dict[str, Fix] = {}
    for it in sorted(found, key=lambda it: (it.rank, it.wanted.key)):
        fix = _fix(name, it, source, layout)
        if fix is not None:
            made.setdefault(fix.says, fix)
    if not made:
        return Refusal(reason=f"Nothing in this workspace says where `{name}` is from.")
    return tuple(made.values())[:MOST_CHOICES]


def _fix(name: str, it: _Found, source: Source, layout: Layout) -> Fix | None:
    lines = split(source.text)
    if source.language == "python":
        changes = imports_python.add(source.text, lines.texts, it.wanted, layout)
        says = imports_python.text_of(it.wanted)
    else:
        changes = imports_lines.add(source.text, lines.texts, source.language, it.wanted)
        says = imports_lines.text_of(source.language, it.wanted)
    placed = edits(source, lines, changes)
    return Fix(name=name, says=says, why=it.why, edits=placed) if placed else None


async def _as_others(name: str, source: Source, code: Code) -> list[_Found]:
    """How other files of the same language bring it in."""
    wanted = pattern(name, source.language)
    if not wanted:
        return []
    found: Counter[Wanted] = Counter()
    first: dict[Wanted, str] = {}
    for it in (await code.lines(wanted, words=(name,), limit=MOST_LINES)).lines:
        if it.path == source.path or kind_of(language_of(basename(it.path))) != kind_of(source.language):
            continue
        one = read(it.text, name, source.language, it.path, source.path)
        if one is not None and not _is_itself(one, source.path):
            found[one] += 1
            first.setdefault(one, it.path)
    return [
        _Found(wanted=one, why=f"as in `{first[one]}`" + (f" and {count - 1} more" if 1 < count else ""),
               rank=(0, -count))
        for one, count in found.items()
    ]  # fmt: skip


def _is_itself(wanted: Wanted, path: str) -> bool:
    """Whether a relative import would be that of the file itself."""
    if not wanted.module.startswith("."):
        return False
    return wanted.module.rpartition("/")[2].rpartition(".")[2] == scaffold_project.stem_of(path)


async def _defined(name: str, source: Source, code: Code) -> list[_Found]:
    """Where the workspace defines it, so that an import can reach it."""
    found: list[_Found] = []
    for it in await code.symbols(name, limit=40):
        row = it.row
        is_same = row.name == name and kind_of(row.language) == kind_of(source.language)
        if not is_same or it.path == source.path or row.kind in (Kind.SECTION, Kind.MODULE):
            continue
        one = await _reach(name, it.path, row.scope, source, code)
        if one is not None:
            tests = scaffold_project.is_test(it.path, row.language)
            far = 20 * tests - len(set(dirname(it.path).split("/")) & set(dirname(source.path).split("/")))
            found.append(_Found(wanted=one, why=f"defined in `{it.path}`", rank=(1, far)))
    if source.language == "go":
        found += await _go_packages(name, source, code)
    if source.language == "python" and not found:
        found += await _python_modules(name, source, code)
    return found


async def _reach(name: str, path: str, scope: str, source: Source, code: Code) -> Wanted | None:
    """The import of something defined at the top of another file; None if none reaches it."""
    kind = kind_of(source.language)
    if kind == "python":
        return None if scope else Wanted(module=await _python_module(path, code), name=name)
    text = await code.text(path) or ""
    if kind == "javascript":
        given = None if scope else scaffold_script.exported(text, name)
        if given is None:
            return None
        plan = Plan(framework="jest", path=source.path, text=source.text)
        module = scaffold_script.module_of(path, source.path, plan, source.text)
        return Wanted(module=module, name=given.name, called=name, form=given.form)
    if kind == "rust":
        is_open = re.search(rf"\bpub\b[^\n;{{]*\b{re.escape(name)}\b", text)
        return Wanted(module=rust_module(path), name=name) if is_open and not scope else None
    if kind in ("java", "kotlin", "scala"):
        package = re.search(r"^package\s+([\w.]+)", text, re.MULTILINE)
        own = re.search(r"^package\s+([\w.]+)", source.text, re.MULTILINE)
        is_far = package and not (own and own[1] == package[1])
        return Wanted(module=package[1], name=name) if package and is_far and not scope.strip(".") else None
    if kind == "csharp":
        return Wanted(module=scope) if scope else None
    if kind == "php":
        space = re.search(r"^namespace\s+([\w\\]+);", text, re.MULTILINE)
        return Wanted(module=space[1], name=name) if space else None
    if kind in ("c", "cpp") and re.search(r"\.(?:h|hh|hpp|hxx)$", path):
        return Wanted(module=_header(path, source.path))
    return None


def _header(path: str, target: str) -> str:
    """As the file would include it: by its name where they lie together, else from the folder of headers."""
    if dirname(path) == dirname(target):
        return basename(path)
    return path.rpartition("include/")[2] if "include/" in path else path.removeprefix("src/")


async def _python_module(path: str, code: Code) -> str:
    above = scaffold_project.folders_above(path)
    files = {join(it, "__init__.py"): await code.text(join(it, "__init__.py")) for it in above}
    for it in scaffold_project.manifests(path, "python"):
        if basename(it) in ("pyproject.toml", "setup.py", "setup.cfg"):
            files[it] = await code.text(it)
    return scaffold_project.python_module(path, files, ())


async def _python_modules(name: str, source: Source, code: Code) -> list[_Found]:
    """A module of the project that is called so."""
    found = []
    for path in await code.files(f"{name}.py", limit=20):
        if basename(path) != f"{name}.py" or path == source.path:
            continue
        package, _, last = (await _python_module(path, code)).rpartition(".")
        one = Wanted(module=package, name=last) if package else Wanted(module=last, form="module")
        found.append(_Found(wanted=one, why=f"it is `{path}`", rank=(1, 0)))
    return found


async def _go_packages(name: str, source: Source, code: Code) -> list[_Found]:
    """A package of the module that is called so: the last folder of its path."""
    found = []
    for folder in scaffold_project.folders_above(source.path):
        manifest = await code.text(join(folder, "go.mod"))
        module = re.search(r"^module\s+(\S+)", manifest or "", re.MULTILINE)
        if not module:
            continue
        folders = {dirname(it) for it in await code.files(name, limit=MOST_FILES) if it.endswith(".go")}
        for it in sorted(folders):
            if (
                basename(it) == name
                and it != dirname(source.path)
                and (not folder or it.startswith(f"{folder}/"))
            ):
                path = f"{module[1]}/{it.removeprefix(folder).lstrip('/')}"
                found.append(
                    _Found(wanted=Wanted(module=path, form="module"), why=f"it is `{it}`", rank=(1, 0))
                )
        break
    return found


def _standard(name: str, language: str) -> list[_Found]:
    """What the language brings along."""
    found = []
    if language == "python" and name in imports_python.STANDARD:
        one = Wanted(module=name, form="module")
        found.append(_Found(wanted=one, why="of the standard library", rank=(2, 0)))
    for module in modules_of(name, kind_of(language)):
        is_whole = kind_of(language) in ("go", "c", "cpp")
        one = Wanted(module=module, form="module") if is_whole else Wanted(module=module, name=name)
        found.append(_Found(wanted=one, why="of the standard library", rank=(2, 1)))
    return found


async def _own(source: Source, code: Code) -> frozenset[str]:
    """The first parts of the names under which the project's own modules are imported."""
    if source.language != "python":
        return frozenset()
    return own_of(await code.files("*.py", limit=MOST_FILES))


def own_of(paths: Sequence[str]) -> frozenset[str]:
    """Those of these files: folders, and modules at the top, with or without a source folder above them."""
    found = set()
    for it in paths:
        parts = it.split("/")
        parts = parts[1:] if parts[0] in ("src", "lib") and 1 < len(parts) else parts
        found.add(parts[0].removesuffix(".py"))
    return frozenset(found)
