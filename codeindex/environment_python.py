"""A Python project's packages and standard library, from the files of its environment; nothing is imported.

The environment is the one that is asked for, or the project's own (`.venv`, `venv`, `env`), `$VIRTUAL_ENV`,
Poetry's for this folder, or `$CONDA_PREFIX`; without one there is the running interpreter's standard library.
"""

from __future__ import annotations

import base64
import configparser
import hashlib
import itertools
import os
import re
import sysconfig
from collections.abc import Iterator, Mapping
from email.parser import HeaderParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from codeindex.config import DEFAULTS
from codeindex.dependency import (
    Dependency,
    folders_in,
    home_of,
    is_folder,
    manifest_json,
    manifest_text,
    manifest_toml,
    strings,
    table,
)
from codeindex.walk import read_text, walk

OWN = (".venv", "venv", "env", ".env", "virtualenv")
MOST_FILES, MOST_BYTES = 500, 4_000_000  # Of the project, to see what it imports: a quarter of a second.
NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([A-Za-z_]\w*)[\w.]*[ \t]+import\b|import[ \t]+([A-Za-z_][\w., \t]*))", re.M
)
SOURCES = (".py", ".pyi", ".pyx", ".pxd")


def python_dependencies(root: Path, python: Path | None, env: Mapping[str, str]) -> Iterator[Dependency]:
    """Packages and standard library; several roots per package where it has several."""
    prefix = environment_of(root, python, env)
    yield _standard_library(prefix)
    if prefix is None:
        return
    named = names_in_manifests(root) | {_normal(it) for it in imports_of(root)}
    seen: set[Path] = set()
    for site in site_packages(prefix):
        for info in folders_in(site):
            if not info.name.endswith((".dist-info", ".egg-info")):
                continue
            name, version = _name_and_version(info)
            for found in _roots(info, site):
                inside = root.resolve()
                own = found.is_relative_to(inside) and not found.is_relative_to(site.resolve())
                if found in seen or own or inside.is_relative_to(found):
                    continue
                seen.add(found)
                direct = bool({_normal(name), _normal(found.stem)} & named)
                yield Dependency(
                    kind="package", language="python", name=name, version=version, root=found, direct=direct
                )


def environment_of(root: Path, python: Path | None, env: Mapping[str, str]) -> Path | None:
    """The folder of the project's environment; None if there is none."""
    if python is not None:  # not resolved: an environment's interpreter is a link to another's
        at = Path(os.path.abspath(python))
        candidates = [at.parent.parent, at.parent, at]
        return next((it for it in candidates if site_packages(it)), None)
    candidates = [root / it for it in OWN]
    candidates += [Path(env[it]) for it in ("VIRTUAL_ENV",) if env.get(it)]
    candidates += _of_poetry(root, env)
    candidates += [Path(env[it]) for it in ("CONDA_PREFIX",) if env.get(it)]
    marked = (it for it in candidates if (it / "pyvenv.cfg").is_file() or is_folder(it / "conda-meta"))
    return next((it for it in marked if site_packages(it)), None)


def site_packages(prefix: Path) -> list[Path]:
    """The folders of an environment where packages are."""
    places = [prefix / "Lib" / "site-packages"]
    for lib in ("lib", "lib64"):
        for folder in folders_in(prefix / lib):
            if folder.name.startswith(("python3", "pypy3")):
                places += [folder / "site-packages", folder / "dist-packages"]
    found = {it.resolve(): it for it in reversed(places) if is_folder(it)}
    return [it for it in places if it in found.values()]


def names_in_manifests(root: Path) -> set[str]:
    """The packages that `pyproject.toml`, `requirements*.txt`, `setup.cfg` and `Pipfile` name, normalized."""
    project = manifest_toml(root / "pyproject.toml")
    lines = strings(table(project, "project").get("dependencies"))
    lines += strings(table(project, "build-system").get("requires"))
    for groups in (table(project, "project", "optional-dependencies"), table(project, "dependency-groups")):
        lines += [line for group in groups.values() for line in strings(group)]
    poetry = table(project, "tool", "poetry")
    tables = [table(poetry, "dependencies"), table(poetry, "dev-dependencies")]
    tables += [table(it, "dependencies") for it in table(poetry, "group").values()]
    pipfile = manifest_toml(root / "Pipfile")
    tables += [table(pipfile, "packages"), table(pipfile, "dev-packages")]
    lines += [name for it in tables for name in it]
    folders = (root, root / "requirements")
    for path in (it for folder in folders if is_folder(folder) for it in sorted(folder.glob("*.txt"))):
        if path.name.startswith("requirements") or path.parent != root:
            lines += manifest_text(path).splitlines()
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(manifest_text(root / "setup.cfg"))
        lines += parser.get("options", "install_requires", fallback="").splitlines()
    except configparser.Error:
        pass
    return {_normal(match[1]) for it in lines if (match := NAME.match(it))}


def imports_of(root: Path) -> set[str]:
    """The top-level names that the project's first files import."""
    found: set[str] = set()
    left = MOST_BYTES
    python = (it for it in walk(root, DEFAULTS) if it.language == "python")
    for file in itertools.islice(python, MOST_FILES):
        left -= file.size
        if left < 0:
            break
        for source, plain in IMPORT.findall(read_text(file, DEFAULTS) or ""):
            found |= {re.split(r"[.\s]", it.strip(), maxsplit=1)[0] for it in (source or plain).split(",")}
    return found - {""}


def _standard_library(prefix: Path | None) -> Dependency:
    settings = _settings(prefix / "pyvenv.cfg") if prefix else {}
    version = settings.get("version") or settings.get("version_info") or ""
    bases = [Path(settings["home"]).parent, Path(settings["home"])] if settings.get("home") else []
    bases += [prefix] if prefix and not bases else []
    short = ".".join(version.split(".")[:2])
    for base in bases:
        inside = [it for it in folders_in(base / "lib") if re.fullmatch(r"(?:python|pypy)3\.\d+t?", it.name)]
        exact = [it for it in inside if it.name.endswith(short)] if short else inside
        for lib in (*exact, base / "Lib"):
            if (lib / "os.py").is_file():
                short = short or lib.name.removeprefix("python")
                return _library(lib, version or short)
    return _library(Path(sysconfig.get_path("stdlib")), sysconfig.get_python_version())


def _library(root: Path, version: str) -> Dependency:
    return Dependency(
        kind="stdlib", language="python", name="python", version=version, root=root.resolve(), direct=True
    )


def _settings(path: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in manifest_text(path).splitlines())
    return {key.strip().lower(): value.strip() for key, equals, value in pairs if equals}


def _of_poetry(root: Path, env: Mapping[str, str]) -> list[Path]:
    """Where Poetry keeps the environments of this folder: their names carry a hash of its path."""
    project = manifest_toml(root / "pyproject.toml")
    name = table(project, "tool", "poetry").get("name") or table(project, "project").get("name")
    if not isinstance(name, str):
        return []
    name = re.sub(r'[ $`!*@"\\\r\n\t]', "_", name.lower())[:42]
    digest = hashlib.sha256(os.fsencode(os.path.realpath(root))).digest()
    start = f"{name}-{base64.urlsafe_b64encode(digest).decode()[:8]}-py"
    home = home_of(env)
    caches = [Path(env["POETRY_CACHE_DIR"])] if env.get("POETRY_CACHE_DIR") else []
    caches += [
        Path(env.get("XDG_CACHE_HOME") or home / ".cache") / "pypoetry",
        home / "Library/Caches/pypoetry",
    ]
    places = [Path(env["POETRY_VIRTUALENVS_PATH"])] if env.get("POETRY_VIRTUALENVS_PATH") else []
    places += [it / "virtualenvs" for it in caches]
    return [it for place in places for it in reversed(folders_in(place)) if it.name.startswith(start)]


def _name_and_version(info: Path) -> tuple[str, str]:
    """A distribution's name and version, from its metadata, else from its folder's name."""
    text = manifest_text(info / "METADATA") or manifest_text(info / "PKG-INFO")
    headers = HeaderParser().parsestr(text.partition("\n\n")[0] + "\n\n", headersonly=True)
    name, _, version = info.name.rpartition(".")[0].partition("-")
    return str(headers.get("Name") or name), str(headers.get("Version") or version.partition("-py")[0])


def _roots(info: Path, site: Path) -> list[Path]:
    """The folders and files of a distribution's own source, resolved and sorted."""
    direct = manifest_json(info / "direct_url.json")
    url = urlsplit(str(direct.get("url", "")))
    if table(direct, "dir_info").get("editable") is True and url.scheme == "file":
        folder = Path(unquote(url.path))
        return [folder.resolve()] if is_folder(folder) else []
    recorded = [line.partition(",")[0].strip('"') for line in manifest_text(info / "RECORD").splitlines()]
    sources = [it for it in recorded if it.endswith(SOURCES) and not it.startswith(("..", "/"))]
    known = set(sources)
    roots = {_root(it, known) for it in sources}
    if not recorded:
        tops = manifest_text(info / "top_level.txt").split() or [info.name.partition("-")[0].lower()]
        roots = {end for it in tops for end in (it, f"{it}.py")}
    found = {(site / it).resolve() for it in roots if it and (is_folder(site / it) or (site / it).is_file())}
    return sorted(it for it in found if it.is_relative_to(site.resolve()))


def _root(source: str, known: set[str]) -> str:
    """The outermost package of a source file: folders without an `__init__` are shared with others."""
    parts = source.split("/")
    for depth in range(1, len(parts)):
        folder = "/".join(parts[:depth])
        if f"{folder}/__init__.py" in known or f"{folder}/__init__.pyi" in known:
            return folder
    return "/".join(parts[:-1]) if 2 < len(parts) else source


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
