"""A Go project's modules, from `go.mod` and the module cache, and the standard library in GOROOT."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from codeindex.dependency import Dependency, folders_in, home_of, is_folder, manifest_text

LINE = re.compile(
    r"(?:(require|replace)\s+)?(\S+)(?:\s+(v\S+))?(?:\s+=>\s+(\S+)(?:\s+(v\S+))?)?\s*(?://\s*(.*))?"
)
USUAL = (
    "/usr/local/go",
    "/usr/lib/go",
    "/usr/lib/golang",
    "/opt/homebrew/opt/go/libexec",
    "/usr/local/opt/go/libexec",
)


def go_dependencies(root: Path, env: Mapping[str, str]) -> Iterator[Dependency]:
    """The standard library, then the modules that `go.mod` requires and the cache holds.

    A module replaced by a folder is left out: it is the user's own source.
    """
    text = manifest_text(root / "go.mod")
    if not text:
        return
    for go in _installations(env):
        if is_folder(go / "src" / "fmt"):
            version = manifest_text(go / "VERSION").partition("\n")[0].removeprefix("go").strip()
            source = (go / "src").resolve()
            yield Dependency(
                kind="stdlib", language="go", name="go", version=version, root=source, direct=True
            )
            break
    cache = _cache(env)
    for module, version, direct in required_modules(text):
        folder = cache / f"{escaped(module)}@{escaped(version)}"
        if is_folder(folder):
            yield Dependency(
                kind="package",
                language="go",
                name=module,
                version=version,
                root=folder.resolve(),
                direct=direct,
            )


def required_modules(text: str) -> list[tuple[str, str, bool]]:
    """Path, version and directness of the modules that a `go.mod` requires, after its replacements."""
    required: dict[str, tuple[str, bool]] = {}
    replaced: dict[str, tuple[str, str]] = {}
    block = ""
    for raw in text.splitlines():
        line = raw.strip()
        if opened := re.fullmatch(r"(\w+)\s*\(", line):
            block = opened[1]
            continue
        if line == ")":
            block = ""
            continue
        match = LINE.fullmatch(line)
        if match is None:
            continue
        kind = match[1] or block
        if kind == "require" and match[3]:
            required[match[2].strip('"')] = (match[3], "indirect" not in (match[6] or ""))
        elif kind == "replace" and match[4]:
            replaced[match[2].strip('"')] = (match[4].strip('"'), match[5] or "")
    found = []
    for module, (version, direct) in required.items():
        path, other = replaced.get(module, (module, version))
        if other:
            found.append((path, other, direct))
    return found


def escaped(text: str) -> str:
    """A module's path or version as the cache spells it: `!x` for `X`, for file systems that ignore case."""
    return re.sub(r"[A-Z]", lambda it: "!" + it[0].lower(), text)


def _installations(env: Mapping[str, str]) -> Iterator[Path]:
    if env.get("GOROOT"):
        yield Path(env["GOROOT"])
    for folder in env.get("PATH", "").split(":"):
        if folder and (Path(folder) / "go").is_file():
            yield (Path(folder) / "go").resolve().parent.parent
    yield from map(Path, USUAL)
    versions = [it for it in folders_in(Path("/usr/lib")) if it.name.startswith("go-")]
    versions += [it for it in folders_in(home_of(env) / "sdk") if it.name.startswith("go")]
    yield from sorted(
        versions, key=lambda it: [int(number) for number in re.findall(r"\d+", it.name)], reverse=True
    )


def _cache(env: Mapping[str, str]) -> Path:
    if env.get("GOMODCACHE"):
        return Path(env["GOMODCACHE"])
    first = env.get("GOPATH", "").partition(":")[0]
    return (Path(first) if first else home_of(env) / "go") / "pkg" / "mod"
