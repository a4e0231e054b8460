"""Pure: what manifests say about the names under which a project's own files are imported."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from posixpath import basename, dirname, join, normpath
from typing import Any

from codeindex.graph_modules import Package

MANIFESTS = frozenset(
    {"Cargo.toml", "composer.json", "go.mod", "jsconfig.json", "package.json", "tsconfig.json"}
)
GO_MODULE = re.compile(r"^\s*module\s+(?:\(\s*)?\"?([^\s\"()]+)", re.MULTILINE)
NO_JSON = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.DOTALL)


def is_manifest(path: str) -> bool:
    """Whether a file is one that ``packages`` reads."""
    return basename(path) in MANIFESTS


def packages(path: str, text: str) -> list[Package]:
    """What one manifest says; nothing if it makes no sense."""
    folder, name = dirname(path), basename(path)
    if name == "go.mod":
        found = GO_MODULE.search(text)
        return [Package(system="go", name=found[1], folder=folder, within=folder)] if found else []
    try:
        said = tomllib.loads(text) if name == "Cargo.toml" else json.loads(NO_JSON.sub(_kept, text))
    except (ValueError, RecursionError):
        return []
    if not isinstance(said, dict):
        return []
    if name == "Cargo.toml":
        crate = _at(said, "package").get("name")
        return [Package(system="rust", name=crate, folder=folder)] if isinstance(crate, str) else []
    if name == "package.json":
        return list(_node(folder, said))
    if name == "composer.json":
        return list(_php(folder, said))
    return list(_aliases(folder, said))


def _kept(found: re.Match[str]) -> str:
    return found[1] or ""


def _node(folder: str, said: Mapping[str, Any]) -> Iterator[Package]:
    name, entry = said.get("name"), said.get("source") or said.get("module") or said.get("main")
    if isinstance(name, str) and name:
        stem = re.sub(r"\.[cm]?js$", "", entry) if isinstance(entry, str) else ""
        yield Package(system="node", name=name, folder=folder, entry=stem)


def _php(folder: str, said: Mapping[str, Any]) -> Iterator[Package]:
    for key in ("autoload", "autoload-dev"):
        for prefix, places in _at(_at(said, key), "psr-4").items():
            for place in places if isinstance(places, list) else [places]:
                if isinstance(place, str):
                    yield Package(system="php", name=prefix, folder=_below(folder, place))


def _aliases(folder: str, said: Mapping[str, Any]) -> Iterator[Package]:
    options = _at(said, "compilerOptions")
    base = options.get("baseUrl")
    top = _below(folder, base) if isinstance(base, str) else folder
    for pattern, places in _at(options, "paths").items():
        for place in places if isinstance(places, list) else ():
            if isinstance(place, str):
                yield Package(system="alias", name=pattern, folder=_below(top, place), within=folder)
    if isinstance(base, str):
        yield Package(system="alias", name="*", folder=_below(top, "*"), within=folder)


def _at(said: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = said.get(key)
    return found if isinstance(found, dict) else {}


def _below(folder: str, place: str) -> str:
    path = normpath(join(folder, place))
    return "" if path == "." else path
