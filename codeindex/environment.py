"""What a project builds on and where the source of it lies, from files alone: no program of it is ever run.

Java's packages are jars of compiled classes, and C's headers are wherever a build finds them: for both there
is nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from codeindex.config import WalkConfig
from codeindex.dependency import Dependency
from codeindex.environment_go import go_dependencies
from codeindex.environment_javascript import javascript_dependencies
from codeindex.environment_python import python_dependencies
from codeindex.environment_rust import rust_dependencies
from codeindex.walk import FoundFile, one_file, walk_package

__all__ = ["Dependency", "dependencies", "files"]

LANGUAGES: Mapping[str, frozenset[str]] = {
    "python": frozenset({"python"}),
    "javascript": frozenset(
        {"javascript", "javascriptreact", "typescript", "typescriptreact", "vue", "svelte"}
    ),
    "go": frozenset({"go"}),
    "rust": frozenset({"rust"}),
}
TESTS = frozenset({"tests", "test", "__tests__", "__mocks__", "testdata", "spec", "specs", "idle_test"})
APART = frozenset({"site-packages", "dist-packages", "node_modules", "turtledemo", "lib2to3", "_bundled"})
"""Folders of a standard library or a package that are something else's source, or demonstrate."""
TEST_FILE = re.compile(r"(?:test_.*|.*_test|conftest)\.py|.*_test\.go|.*\.(?:test|spec)\.[cm]?[jt]sx?")


def dependencies(root: Path, *, python: Path | None = None, env: Mapping[str, str]) -> tuple[Dependency, ...]:
    """What the project in this folder can use: what it names itself, standard libraries, then the rest.

    ``python`` is its interpreter, if somebody chose one. Manifests that make no sense name nothing.
    """
    found = [
        *python_dependencies(root, python, env),
        *javascript_dependencies(root),
        *go_dependencies(root, env),
        *rust_dependencies(root, env),
    ]
    return tuple(sorted(found, key=_order))


def files(dependency: Dependency, config: WalkConfig, *, max_bytes: int) -> Iterator[FoundFile]:
    """Its source files, without its tests, in order, as many as fit into this many bytes together."""
    if dependency.root.is_dir():
        found = walk_package(dependency.root, config, leave_out=TESTS | APART)
    else:
        found = one_file(dependency.root, config)
    left = max_bytes
    for it in found:
        name = it.relative.rpartition("/")[2]
        belongs = it.language in LANGUAGES[dependency.language] and not TEST_FILE.fullmatch(name)
        if belongs and it.size <= left:
            left -= it.size
            yield it


def _order(it: Dependency) -> tuple[int, str, str, str]:
    first = 1 if it.kind == "stdlib" else 0 if it.direct else 2
    return first, it.language, it.name.lower(), str(it.root)
