"""Pure: how a definition is imported: as other files of the project do it, else as its path says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from chat.code import Call
from codeindex.types import SymbolRow

FROM = re.compile(r"^\s*from\s+(?P<module>[\w.]+)\s+import\b")
WHOLE = re.compile(r"^\s*import\s+(?P<module>[\w.]+)")
SCRIPTS = frozenset({"javascript", "javascriptreact", "typescript", "typescriptreact", "vue", "svelte"})
ABOVE = frozenset({"src", "lib", "python"})
"""Folders that are no part of a module's name."""


def import_of(path: str, row: SymbolRow, importers: Iterable[Call]) -> str:
    """The line that brings a name into a file; empty where there is none to be had."""
    outer = row.scope.partition(".")[0] or row.name
    lines = [it.text.strip() for it in importers]
    if row.language == "python":
        return _python(path, outer, lines)
    named = [it for it in lines if re.search(rf"(?<!\w){re.escape(outer)}(?!\w)", it)]
    usual = named or ([] if row.language in SCRIPTS else lines)
    return Counter(it for it in usual if len(it) < 160).most_common(1)[0][0] if usual else ""


def module_of(path: str) -> str:
    """A Python file's module, as its path says."""
    parts = path.removesuffix(".py").removesuffix(".pyi").split("/")
    while 1 < len(parts) and parts[0] in ABOVE:
        parts = parts[1:]
    if 1 < len(parts) and parts[-1] == "__init__":
        parts = parts[:-1]
    return ".".join(parts)


def _python(path: str, name: str, lines: Iterable[str]) -> str:
    """The module that others import it from; relative ones say nothing to those elsewhere."""
    stem = module_of(path).rpartition(".")[2]
    modules: Counter[str] = Counter()
    for it in lines:
        found = FROM.match(it) or WHOLE.match(it)
        if found is None or found["module"].startswith("."):
            continue
        module = found["module"]
        is_package = module.rpartition(".")[2] != stem
        # `from package import module`: the module is one of the package's names.
        modules[
            f"{module}.{stem}" if is_package and re.search(rf"\b{re.escape(stem)}\b", it) else module
        ] += 1
    fitting = [it for it, _ in modules.most_common() if it.rpartition(".")[2] == stem]
    module = (fitting or [module_of(path)])[0]
    if not all(it.isidentifier() for it in module.split(".")) or (name.startswith("_") and not fitting):
        return ""
    return f"from {module} import {name}"
