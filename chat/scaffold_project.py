"""Pure: which framework a project tests with, and where the tests of a file are or go."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from posixpath import basename, dirname, join, normpath, relpath

from chat.edits_lexical import family
from chat.scaffold_types import Framework

_SCRIPT_ENDS = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts")
_IS_TEST = {
    "python": re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test)\.py$"),
    "javascript": re.compile(r"\.(?:test|spec)\.[cm]?[jt]sx?$|(?:^|/)__tests__/[^/]+\.[cm]?[jt]sx?$"),
    "go": re.compile(r"_test\.go$"),
    "java": re.compile(r"(?:^|/)(?:Test[A-Z]\w*|\w+Tests?)\.java$"),
}
MANIFESTS = {
    "python": ("pyproject.toml", "setup.cfg", "tox.ini", "pytest.ini", "setup.py", "requirements.txt",
               "requirements-dev.txt", "dev-requirements.txt", "requirements/dev.txt", "conftest.py",
               "noxfile.py"),
    "javascript": ("package.json",),
    "java": ("pom.xml", "build.gradle", "build.gradle.kts"),
    "go": ("go.mod",),
    "rust": ("Cargo.toml",),
}  # fmt: skip
_ROOTS = (
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "package.json",
    "pom.xml",
    "build.gradle",
    "Cargo.toml",
    "go.mod",
)


def kind_of(language: str) -> str:
    """Under which name a language's tests are known here; empty if they are not."""
    kind = family(language)
    if language in ("go", "rust", "java", "python"):
        return language
    return kind if kind == "javascript" and language not in ("php", "dart", "json", "jsonc") else ""


def is_test(path: str, language: str) -> bool:
    """Whether a file is one of tests, by its name."""
    pattern = _IS_TEST.get(kind_of(language))
    return bool(pattern and pattern.search(path))


def manifests(path: str, language: str) -> tuple[str, ...]:
    """Where the manifests of a file's project may be, nearest first."""
    names = MANIFESTS.get(kind_of(language), ())
    return tuple(join(folder, name) for folder in folders_above(path) for name in names)


def folders_above(path: str) -> list[str]:
    """The folders that a file is in, innermost first; the root is empty text."""
    found, folder = [], dirname(path)
    while folder:
        found.append(folder)
        folder = dirname(folder)
    return [*found, ""]


def stem_of(path: str) -> str:
    """`src/cart.test.ts` is cart."""
    return basename(path).split(".")[0]


def existing(path: str, language: str, tests: Sequence[str]) -> str:
    """The file with the tests of this one; empty if there is none."""
    kind, stem = kind_of(language), stem_of(path)
    names = {
        "python": {f"test_{stem}.py", f"{stem}_test.py"},
        "go": {f"{stem}_test.go"},
        "java": {f"{stem}Test.java", f"{stem}Tests.java", f"Test{stem}.java"},
    }.get(kind, set())
    found = [it for it in tests if basename(it) in names]
    if kind == "javascript":
        found = [it for it in tests if stem_of(it) == stem and is_test(it, language)]
    if kind == "go":
        found = [it for it in found if dirname(it) == dirname(path)]
    ranked = sorted(found, key=lambda it: (-_shared(path, it), it.count("/"), it))
    if not ranked:
        return ""
    best = ranked[0]
    is_only = len(ranked) == 1 or _shared(path, ranked[1]) < _shared(path, best)
    return best if is_only or dirname(best) == dirname(path) else ""


def _shared(path: str, test: str) -> int:
    """How many folders two paths have in common by their names, without those that every test is in."""
    return len(set(dirname(path).split("/")) & set(dirname(test).split("/")) - {"", "src"})


def place(path: str, language: str, tests: Sequence[str], files: Mapping[str, str | None]) -> str:
    """Where a new file of tests goes, in the manner of the others."""
    kind, stem = kind_of(language), stem_of(path)
    if kind == "go":
        return join(dirname(path), f"{stem}_test.go")
    if kind == "java":
        folder = dirname(path)
        there = folder.replace("src/main/java", "src/test/java", 1)
        return join(there, f"{stem}Test.java")
    if kind == "python":
        return _of_python(path, stem, tests, files)
    return _of_script(path, stem, tests)


def _of_python(path: str, stem: str, tests: Sequence[str], files: Mapping[str, str | None]) -> str:
    after = sum(it.endswith("_test.py") for it in tests)
    bare = stem.strip("_") or "module"
    name = f"{bare}_test.py" if len(tests) < 2 * after else f"test_{bare}.py"
    folder = dirname(path)
    if any(dirname(it) == folder for it in tests):
        return join(folder, name)
    root = root_of(path, files)
    inside = relpath(folder or ".", root or ".")
    parts = [it for it in inside.split("/") if it not in (".", "src", "lib")]
    for above in folders_above(path):
        for home in ("tests", "test"):
            top = join(above, home)
            known = {dirname(it) for it in tests if dirname(it) == top or dirname(it).startswith(f"{top}/")}
            if not known:
                continue
            for first in range(len(parts) + 1):
                if (there := join(top, *parts[first:])) in known:
                    return join(there, name)
            return join(top, name)
    return join(root, "tests", name)


def root_of(path: str, files: Mapping[str, str | None]) -> str:
    """The folder of the nearest manifest."""
    for folder in folders_above(path):
        if any(files.get(join(folder, it)) is not None for it in _ROOTS):
            return folder
    return ""


def _of_script(path: str, stem: str, tests: Sequence[str]) -> str:
    end = basename(path)[len(stem) :]
    end = next((it for it in _SCRIPT_ENDS if end.endswith(it)), ".js")
    words = Counter(found[1] for it in tests if (found := re.search(r"\.(test|spec)\.", basename(it))))
    word = words.most_common(1)[0][0] if words else "test"
    folder = dirname(path)
    name = f"{stem}.{word}{end}"
    for above in folders_above(path):
        near = [it for it in tests if not above or it.startswith(f"{above}/")]
        if not near:
            continue
        homes = Counter(_home(it) for it in near)
        home = homes.most_common(1)[0][0]
        if home == "__tests__":
            return join(folder, "__tests__", name)
        if home in ("test", "tests"):
            tops = sorted({it.split(f"{home}/")[0] + home for it in near if _home(it) == home}, key=len)
            inside = relpath(folder or ".", dirname(tops[0]) or ".").removeprefix("src").strip("/.")
            there = join(tops[0], inside)
            known = {dirname(it) for it in near}
            return normpath(join(there if there in known else tops[0], name))
        return join(folder, name)
    return join(folder, name)


def _home(test: str) -> str:
    parts = dirname(test).split("/")
    return next((it for it in ("__tests__", "tests", "test") if it in parts), "beside")


def framework(language: str, own: str, samples: Sequence[str], manifest: str) -> Framework:
    """By the file's own tests, then the project's other ones, then its manifests."""
    kind = kind_of(language)
    if kind == "go":
        return "go"
    if kind == "rust":
        return "cargo"
    said = [_by_text(it, kind) for it in (own, *samples) if it]
    votes = Counter(it for it in said[1 if own else 0 :] if it)
    first = said[0] if own and said else None
    shown = first or (votes.most_common(1)[0][0] if votes else None)
    return shown or _by_manifest(manifest, kind)


def _by_text(text: str, kind: str) -> Framework | None:
    if kind == "python":
        if re.search(r"\bunittest\.(?:\w*TestCase)\b|from unittest import .*TestCase", text):
            return "unittest"
        return "pytest" if re.search(r"\bpytest\b|^(?:async )?def test_", text, re.MULTILINE) else None
    if kind == "java":
        if "org.junit.jupiter" in text:
            return "junit5"
        return "junit4" if "org.junit." in text else None
    if "node:test" in text:
        return "node:test"
    if re.search(r"[\"']vitest[\"']", text):
        return "vitest"
    is_jest = "@jest/globals" in text or re.search(r"\bjest\.\w+\(|\bexpect\(", text)
    return "jest" if is_jest and "chai" not in text else None


def _by_manifest(manifest: str, kind: str) -> Framework:
    if kind == "python":
        return "pytest" if re.search(r"\bpytest\b", manifest) else "unittest"
    if kind == "java":
        old = "junit-jupiter" not in manifest and re.search(
            r"junit:junit|<artifactId>junit</artifactId>", manifest
        )
        return "junit4" if old else "junit5"
    if re.search(r"\bvitest\b", manifest):
        return "vitest"
    if re.search(r"node\s+--test|node --import \S+ --test", manifest):
        return "node:test"
    return "jest" if re.search(r"\bjest\b|\breact-scripts\b", manifest) else "node:test"


def python_module(path: str, files: Mapping[str, str | None], imported: Sequence[str]) -> str:
    """Under which name a file of Python is imported: as the project's tests do, else by its packages.

    ``files`` has the `__init__.py` above it and the manifests; ``imported`` are modules that tests import.
    """
    parts = path.removesuffix(".py").split("/")
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    candidates = [".".join(parts[at:]) for at in range(len(parts))]
    for it in candidates:
        if it in imported:
            return it
    tops = {it.partition(".")[0] for it in imported}
    at = len(parts) - 1
    while 0 < at and files.get("/".join([*parts[:at], "__init__.py"])) is not None:
        at -= 1
    if at < len(parts) - 1:
        return ".".join(parts[at:])
    by_top = [it for it in candidates if it.partition(".")[0] in tops]
    if by_top:
        return by_top[0]
    root = root_of(path, files)
    inside = [it for it in relpath(path.removesuffix(".py"), root or ".").split("/") if it != "."]
    return ".".join(inside[1:] if inside[:1] in (["src"], ["lib"]) and 1 < len(inside) else inside)
