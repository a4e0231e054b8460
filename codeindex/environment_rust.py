"""A Rust project's crates, from `Cargo.lock` and cargo's registry sources, and the standard library's source.

Crates from git are left out: their checkouts are named by hashes that no file of the project has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from codeindex.dependency import (
    Dependency,
    folders_in,
    home_of,
    is_folder,
    manifest_text,
    manifest_toml,
    table,
)

SECTIONS = ("dependencies", "dev-dependencies", "build-dependencies")
LIBRARY = Path("lib/rustlib/src/rust/library")


def rust_dependencies(root: Path, env: Mapping[str, str]) -> Iterator[Dependency]:
    """The standard library, if its source is installed, then the crates that are locked and unpacked."""
    manifest = manifest_toml(root / "Cargo.toml")
    if not manifest:
        return
    home = home_of(env)
    yield from _standard_library(root, Path(env.get("RUSTUP_HOME") or home / ".rustup"))
    registries = folders_in(Path(env.get("CARGO_HOME") or home / ".cargo") / "registry" / "src")
    named = _named(manifest)
    for member in table(manifest, "workspace").get("members") or ():
        if isinstance(member, str) and member and ".." not in member and not member.startswith("/"):
            for folder in sorted(root.glob(member)):
                named |= _named(manifest_toml(folder / "Cargo.toml"))
    packages = manifest_toml(root / "Cargo.lock").get("package")
    for it in packages if isinstance(packages, list) else ():
        package = it if isinstance(it, dict) else {}
        name, version, source = (package.get(key) for key in ("name", "version", "source"))
        if not (
            isinstance(name, str)
            and isinstance(version, str)
            and str(source).startswith(("registry+", "sparse+"))
        ):
            continue
        unpacked = [at / f"{name}-{version}" for at in registries]
        for folder in [it for it in unpacked if is_folder(it)][:1]:
            yield Dependency(
                kind="package",
                language="rust",
                name=name,
                version=version,
                root=folder.resolve(),
                direct=name in named,
            )


def _named(manifest: dict[str, Any]) -> set[str]:
    """The crates that a manifest names, by their real names."""
    places = [manifest, table(manifest, "workspace"), *table(manifest, "target").values()]
    found = set()
    for section in (table(place, it) for place in places for it in SECTIONS):
        for key, value in section.items():
            renamed = value.get("package") if isinstance(value, dict) else None
            found.add(renamed if isinstance(renamed, str) else key)
    return found


def _standard_library(root: Path, rustup: Path) -> Iterator[Dependency]:
    wanted = table(manifest_toml(root / "rust-toolchain.toml"), "toolchain").get("channel")
    wanted = wanted or manifest_text(root / "rust-toolchain").strip()
    default = manifest_toml(rustup / "settings.toml").get("default_toolchain")
    installed = folders_in(rustup / "toolchains")
    order = [
        it
        for start in (wanted, default)
        if isinstance(start, str) and start
        for it in installed
        if it.name.startswith(start)
    ]
    for toolchain in (*order, *installed, Path("/usr"), Path("/usr/local")):
        if is_folder(toolchain / LIBRARY / "core"):
            version = toolchain.name.partition("-")[0] if toolchain in installed else ""
            yield Dependency(
                kind="stdlib",
                language="rust",
                name="rust",
                version=version,
                root=(toolchain / LIBRARY).resolve(),
                direct=True,
            )
            return
