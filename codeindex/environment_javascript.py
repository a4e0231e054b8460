"""The packages in a project's `node_modules`: those that its `package.json` names, then the others on top."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from codeindex.dependency import Dependency, folders_in, manifest_json, table

SECTIONS = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")


def javascript_dependencies(root: Path) -> Iterator[Dependency]:
    """Packages by name. A link (pnpm's, a workspace's) is followed, but not to the project's own source."""
    manifest = manifest_json(root / "package.json")
    named = {name for section in SECTIONS for name in table(manifest, section)}
    modules = root / "node_modules"
    inside = root.resolve()
    for folder in _packages(modules):
        name = folder.relative_to(modules).as_posix()
        found = folder.resolve()
        own = found.is_relative_to(inside) and "node_modules" not in found.relative_to(inside).parts
        if own or inside.is_relative_to(found):
            continue
        version = manifest_json(folder / "package.json").get("version")
        yield Dependency(
            kind="package",
            language="javascript",
            name=name,
            version=version if isinstance(version, str) else "",
            root=found,
            direct=name in named or _typed(name) in named,
        )


def _packages(modules: Path) -> Iterator[Path]:
    for folder in folders_in(modules):
        if folder.name.startswith("@"):
            yield from folders_in(folder)
        elif not folder.name.startswith("."):
            yield folder


def _typed(name: str) -> str:
    """The package that `@types/…` describes."""
    scope, slash, plain = name.removeprefix("@types/").partition("__")
    if not name.startswith("@types/"):
        return ""
    return f"@{scope}/{plain}" if slash else scope
