"""Tests for a definition, made without a model: the framework, the place, the imports, a test for each way.

Until somebody fills them in they are skipped, and whoever lets them run before that sees them fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from posixpath import dirname, join

from chat import scaffold_compiled, scaffold_project, scaffold_python, scaffold_script, shapes
from chat.code import Code
from chat.edits_types import NewFile, Refusal, Source
from chat.scaffold_cases import cases
from chat.scaffold_text import as_edits
from chat.scaffold_types import Plan, Scaffold, Subject
from chat.shape import Shape
from chat.shape_text import CALLABLE, HOLDERS
from chat.target import Seen, Target, see
from codeindex.types import Kind, SymbolRow

MOST_SAMPLES = 6  # Other tests that are read to see how this project writes them.
MOST_METHODS = 8  # Of a class that is tested as a whole.
MOST_TESTS = 5000  # Paths of tests that are looked at.

__all__ = ["Scaffold", "scaffold", "write"]


async def scaffold(target: Target, code: Code) -> Scaffold | Refusal:
    """Tests for the definition at a place."""
    seen = await see(target, code)
    if isinstance(seen, Refusal):
        return seen
    source = seen.source
    if not scaffold_project.kind_of(source.language):
        return Refusal(
            reason=f"Tests of {source.language or 'this language'} can only be written by a model."
        )
    if scaffold_project.is_test(source.path, source.language):
        return Refusal(reason=f"`{source.path}` is a file of tests itself.")
    files = await _manifests(source, code)
    tests = await _tests(source, code)
    own = scaffold_project.existing(source.path, source.language, tests)
    samples = await _samples(source.path, own, tests, code)
    manifest = "\n".join(it for path, it in files.items() if it and not path.endswith("__init__.py"))
    framework = scaffold_project.framework(
        source.language, (await code.text(own) or "") if own else "", samples, manifest
    )
    path = own or scaffold_project.place(source.path, source.language, tests, files)
    path = source.path if framework == "cargo" else path
    plan = Plan(
        framework=framework,
        path=path,
        text=await code.text(path),
        version=await code.version(path),
        sample="\n".join(samples),
        manifest=_nearest(source.path, files) if framework in ("jest", "vitest", "node:test") else manifest,
    )
    return write(seen, plan, files)


def write(seen: Seen, plan: Plan, files: Mapping[str, str | None]) -> Scaffold | Refusal:
    """The tests of one definition; ``files`` has the manifests and the `__init__.py` around it."""
    source = seen.source
    subjects = _subjects(seen)
    if isinstance(subjects, Refusal):
        return subjects
    written = _written(subjects, seen, plan, files)
    if isinstance(written, Refusal):
        return written
    lines, names = written
    if not names:
        return Refusal(reason=f"`{plan.path}` has tests of `{seen.row.name}` already.")
    says = f"Adds tests of `{seen.row.name}`"
    if plan.text is None:
        text = "\n".join(lines).strip("\n") + "\n"
        new = NewFile(path=plan.path, text=text, says=says)
        return Scaffold(framework=plan.framework, path=plan.path, tests=names, new=new)
    if lines[-1:] == [""] and plan.text.endswith("\n"):
        lines = lines[:-1]
    there = Source(path=plan.path, text=plan.text, version=plan.version, language=source.language)
    return Scaffold(framework=plan.framework, path=plan.path, tests=names, edits=as_edits(there, lines, says))


def _written(
    subjects: list[Subject], seen: Seen, plan: Plan, files: Mapping[str, str | None]
) -> tuple[list[str], tuple[str, ...]] | Refusal:
    source = seen.source
    if plan.framework in ("pytest", "unittest"):
        imported = _imported(plan)
        module = scaffold_project.python_module(source.path, files, imported)
        own = frozenset({module.partition(".")[0]})
        return scaffold_python.write(subjects, module, plan, own)
    if plan.framework == "go":
        return scaffold_compiled.write_go(subjects, source.text, plan)
    if plan.framework == "cargo":
        return scaffold_compiled.write_rust(subjects, source.text, plan)
    if plan.framework in ("junit4", "junit5"):
        name = scaffold_project.stem_of(plan.path)
        return scaffold_compiled.write_java(subjects, source.text, plan, name)
    return scaffold_script.write(subjects, source.path, source.text, plan)


def _imported(plan: Plan) -> list[str]:
    """The modules that the project's tests import."""
    found = []
    for line in f"{plan.text or ''}\n{plan.sample}".split("\n"):
        words = line.split()
        if len(words) > 1 and words[0] in ("from", "import") and not words[1].startswith("."):
            found.append(words[1].rstrip(","))
            if words[0] == "from" and 3 < len(words):
                found += [f"{words[1]}.{it.strip(',()')}" for it in words[3:]]
    return found


def _subjects(seen: Seen) -> list[Subject] | Refusal:
    """What is tested: the function, or the public methods of the class."""
    text, language, row = seen.source.text, seen.source.language, seen.row
    shape = shapes.shape(text, language, row)
    if shape is None:
        return Refusal(reason=f"`{row.name}` cannot be read as a definition, so there is nothing to test.")
    if row.kind in HOLDERS:
        owner = _owner(row, seen)
        rows = [it for it in seen.rows if _is_member(it, row) and it.kind in CALLABLE]
        found = [(it, shapes.shape(text, language, it)) for it in rows]
        public = [it for _, it in found if it is not None and _is_public(it) and not it.is_constructor]
        if not public:
            return Refusal(reason=f"`{row.name}` has no public method that could be tested.")
        return [Subject(shape=it, owner=owner, cases=cases(it)) for it in public[:MOST_METHODS]]
    holder = seen.holder
    if row.kind is Kind.METHOD and holder is not None:
        return [Subject(shape=shape, owner=_owner(holder, seen), cases=cases(shape))]
    is_free = language in ("go", "rust") or not row.scope
    if not is_free or (language == "rust" and row.scope and row.kind is Kind.METHOD):
        if language == "rust":
            owner = Shape(name=row.scope.rpartition(".")[2], what="class", language="rust", scope=(),
                          lead=0, first=0, header=0, last=0, indent="")  # fmt: skip
            return [Subject(shape=shape, owner=owner, cases=cases(shape))]
        inside = row.scope.rpartition(".")[2]
        return Refusal(reason=f"`{row.name}` is defined within `{inside}`, so that a test cannot call it.")
    return [Subject(shape=shape, owner=None, cases=cases(shape))]


def _is_member(it: SymbolRow, holder: SymbolRow) -> bool:
    own = f"{holder.scope}.{holder.name}" if holder.scope else holder.name
    return it.scope == own


def _is_public(it: Shape) -> bool:
    if it.language in ("java", "rust"):
        return it.is_exported or "private" not in it.decorators
    return not it.name.startswith(("_", "#"))


def _owner(row: SymbolRow, seen: Seen) -> Shape | None:
    """A class with the parameters of what makes one."""
    text, language = seen.source.text, seen.source.language
    owner = shapes.shape(text, language, row)
    if owner is None or language in ("python", "go", "rust"):
        return None if language == "go" else owner
    for it in seen.rows:
        if _is_member(it, row) and it.kind in CALLABLE:
            made = shapes.shape(text, language, it)
            if made is not None and made.is_constructor:
                return replace(owner, parameters=made.parameters)
    return owner


async def _manifests(source: Source, code: Code) -> dict[str, str | None]:
    """The manifests around a file, and its packages."""
    paths = list(scaffold_project.manifests(source.path, source.language))
    if source.language == "python":
        paths += [join(it, "__init__.py") for it in scaffold_project.folders_above(source.path)]
    return {it: await code.text(it) for it in paths}


def _nearest(path: str, files: Mapping[str, str | None]) -> str:
    return next((files[join(it, "package.json")] or "" for it in scaffold_project.folders_above(path)
                 if files.get(join(it, "package.json"))), "")  # fmt: skip


async def _tests(source: Source, code: Code) -> list[str]:
    """The project's files of tests, by their names."""
    found: dict[str, None] = {}
    for part in ("test", "Test", "spec"):
        found.update(dict.fromkeys(await code.files(part, limit=MOST_TESTS)))
    return [it for it in found if scaffold_project.is_test(it, source.language)]


async def _samples(path: str, own: str, tests: list[str], code: Code) -> list[str]:
    """Some other tests, the nearest first."""
    others = [it for it in tests if it != own]
    others.sort(key=lambda it: (-len(set(dirname(it).split("/")) & set(dirname(path).split("/"))), it))
    texts = [await code.text(it) for it in others[:MOST_SAMPLES]]
    return [it for it in texts if it]
