"""Dependencies are found in the files of small made-up environments, and in the one that runs this test."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from codeindex.config import DEFAULTS
from codeindex.environment import Dependency, dependencies, files
from codeindex.environment_go import escaped, required_modules
from tests.codeindex.git import make

ROOT = Path(__file__).resolve().parents[2]
CODE = "x = 1\n"
PLENTY = 10_000_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty project."""
    return make(tmp_path / "root", {"main.py": CODE}) / "."


def names(found: tuple[Dependency, ...], language: str = "python") -> list[str]:
    """What was found for a language, in order; standard libraries in angle brackets."""
    ours = (it for it in found if it.language == language)
    return [f"<{it.name} {it.version}>" if it.kind == "stdlib" else f"{it.name} {it.version}" for it in ours]


def sources(found: tuple[Dependency, ...], name: str, max_bytes: int = PLENTY) -> list[str]:
    """The source files of a package, by their paths in its roots, with the root's name in front."""
    return [
        f"{it.root.name}: {file.relative}"
        for it in found
        if it.name == name
        for file in files(it, DEFAULTS, max_bytes=max_bytes)
    ]


def environment(folder: Path, packages: Mapping[str, dict[str, str]], home: str = "/nowhere/bin") -> Path:
    """A virtual environment with packages: `name-version` and the files of each."""
    make(folder, {"pyvenv.cfg": f"home = {home}\nversion = 3.12.4\n", "bin/python": ""})
    site = folder / "lib" / "python3.12" / "site-packages"
    for package, content in packages.items():
        name, _, version = package.rpartition("-")
        info = f"{name.replace('-', '_')}-{version}.dist-info"
        record = "".join(f"{it},sha256=x,1\n" for it in content) + f"{info}/METADATA,,\n../../../bin/x.py,,\n"
        make(
            site,
            {
                **content,
                f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: no",
            },
        )
        make(site, {f"{info}/RECORD": record})
    return site


def test_python_packages_in_order(root: Path, tmp_path: Path) -> None:
    """What the project names or imports comes first, then the standard library, then the rest."""
    make(
        root,
        {
            "pyproject.toml": "[project]\ndependencies = [\"Named_One>=1; python_version > '3'\"]\n"
            '[dependency-groups]\ndev = ["grouped", {include-group = "x"}]\n'
            "[tool.poetry.dependencies]\npoet = '^1'\n",
            "requirements-dev.txt": "# none\n-r other.txt\nlisted[extra]==1.0 # why\n\n",
            "setup.cfg": "[options]\ninstall_requires =\n    configured\n",
            "src/a.py": "from imported.sub import x\nimport os, renamed as r\nfrom . import own\n",
        },
    )
    base = make(
        tmp_path / "base", {"bin/python3.12": "", "lib/python3.12/os.py": CODE, "lib/python3.9/os.py": ""}
    )
    module = {"{}/__init__.py": CODE}
    packages = {
        f"{name}-1.0": {it.format(folder): text for it, text in module.items()}
        for name, folder in {
            "zzz": "zzz",
            "named-one": "named_one",
            "grouped": "grouped",
            "poet": "poet",
            "listed": "listed",
            "configured": "configured",
            "imported": "imported",
            "Other-Name": "renamed",
        }.items()
    }
    environment(root / ".venv", packages, str(base / "bin"))
    found = dependencies(root, env={})
    first = ["configured", "grouped", "imported", "listed", "named-one", "Other-Name", "poet"]
    assert names(found) == [*(f"{it} 1.0" for it in first), "<python 3.12.4>", "zzz 1.0"]
    assert [it.direct for it in found] == [True] * 8 + [False]
    assert next(it.root for it in found if it.kind == "stdlib") == base.resolve() / "lib/python3.12"


def test_the_files_of_python_packages(root: Path) -> None:
    """Packages, single modules and shared folders have roots of their own; tests stay out."""
    site = environment(
        root / "venv",
        {
            "pack-1.0": {
                "pack/__init__.py": CODE,
                "pack/sub/a.pyi": CODE,
                "pack/tests/test_a.py": CODE,
                "pack/testing.py": CODE,
                "pack/data.json": "{}",
                "pack/fast.so": "",
                "pack/big.py": "x" * (DEFAULTS.max_bytes + 1),
            },
            "single-2.0": {"single.py": CODE},
            "shared-3.0": {"common/mine/__init__.py": CODE, "common/mine/b.py": CODE},
        },
    )
    make(
        site,
        {"common/theirs/__init__.py": CODE, "_distutils_hack/a.py": CODE, "gone-1.0.dist-info/RECORD": ""},
    )
    found = dependencies(root, env={})
    assert sources(found, "pack") == ["pack: __init__.py", "pack: sub/a.pyi", "pack: testing.py"]
    assert sources(found, "single") == ["single.py: single.py"]
    assert sources(found, "shared") == ["mine: __init__.py", "mine: b.py"]
    assert sources(found, "pack", max_bytes=len(CODE)) == ["pack: __init__.py"]
    assert sources(found, "pack", max_bytes=0) == []
    assert sources(found, "gone") == []


def test_what_is_installed_for_editing(root: Path, tmp_path: Path) -> None:
    """The project itself is no dependency of its own; another one, installed from its folder, is."""
    site = environment(root / ".venv", {})
    other = make(tmp_path / "other", {"other/__init__.py": CODE, ".venv/pyvenv.cfg": "", ".venv/b.py": CODE})
    for name, folder in (("mine", root.resolve()), ("other", other), ("gone", tmp_path / "nothing")):
        url = json.dumps({"url": folder.as_uri(), "dir_info": {"editable": True}})
        info = f"{name}-1.0.dist-info"
        make(site, {f"{info}/direct_url.json": url, f"{info}/RECORD": f"__editable__.{name}.pth,,\n"})
        make(site, {f"__editable__.{name}.pth": str(folder)})
    found = dependencies(root, env={})
    assert names(found)[1:] == ["other 1.0"]
    assert sources(found, "other") == ["other: other/__init__.py"]


def test_an_old_kind_of_installation(root: Path) -> None:
    """Without a record, `top_level.txt` says what a package consists of."""
    site = environment(root / "env", {})
    make(site, {"Old-1.5-py3.12.egg-info/top_level.txt": "old\nolder\n../../x\n", "old/__init__.py": CODE})
    make(site, {"older.py": CODE, "Old-1.5-py3.12.egg-info/PKG-INFO": "Name: Old\nVersion: 1.5\n"})
    assert sources(dependencies(root, env={}), "Old") == ["old: __init__.py", "older.py: older.py"]


def test_which_environment(root: Path, tmp_path: Path) -> None:
    """One that is asked for goes first, then the project's own, then those that the shell and Poetry name."""
    for place in ("asked", "active", "conda", "cache/pypoetry/virtualenvs"):
        digest = base64.urlsafe_b64encode(hashlib.sha256(os.fsencode(root.resolve())).digest()).decode()[:8]
        folder = tmp_path / place / (f"my-app-{digest}-py3.12" if "poetry" in place else "")
        environment(folder, {f"{place.split('/')[-1]}-1.0": {f"{place.split('/')[-1]}.py": CODE}})
    make(root, {"pyproject.toml": '[tool.poetry]\nname = "my-app"\n'})
    (tmp_path / "conda" / "pyvenv.cfg").unlink()
    make(tmp_path / "conda", {"conda-meta/history": ""})
    env = {"CONDA_PREFIX": str(tmp_path / "conda")}
    steps: tuple[tuple[dict[str, str], str], ...] = (
        ({}, "conda 1.0"),
        ({"XDG_CACHE_HOME": str(tmp_path / "cache")}, "virtualenvs 1.0"),
        ({"VIRTUAL_ENV": str(tmp_path / "active")}, "active 1.0"),
    )
    for more, expected in steps:
        env |= more
        assert names(dependencies(root, env=env))[-1] == expected
    environment(root / ".venv", {"own-1.0": {"own.py": CODE}})
    assert names(dependencies(root, env=env))[-1] == "own 1.0"
    asked = tmp_path / "asked" / "bin" / "python"
    assert names(dependencies(root, python=asked, env=env))[-1] == "asked 1.0"
    assert len(names(dependencies(root, python=tmp_path / "no" / "python", env=env))) == 1


def test_no_environment_at_all(tmp_path: Path) -> None:
    """There is still the standard library that runs this, without what is installed beside it."""
    found = dependencies(tmp_path, env={})
    assert [(it.kind, it.language) for it in found] == [("stdlib", "python")]
    listed = sources(found, "python", max_bytes=20_000_000)
    assert {"json/__init__.py", "os.py"} <= {it.partition(": ")[2] for it in listed}
    assert [it for it in listed if "site-packages" in it or ": test/" in it or "/tests/" in it] == []


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="there is no environment to look into")
def test_this_very_environment() -> None:
    """In the environment that runs this test, what we declare is found, and what is imported."""
    found = dependencies(ROOT, python=Path(sys.executable), env={})
    direct = {it.name.lower() for it in found if it.direct and it.kind == "package"}
    assert {"httpx", "numpy", "pathspec", "jinja2"} <= direct
    assert "hearth-assistant" not in {it.name for it in found}
    assert "pathspec: gitignore.py" in sources(found, "pathspec")
    numpy = next(it for it in found if it.name == "numpy")
    some = list(files(numpy, DEFAULTS, max_bytes=1_000_000))
    assert some
    assert sum(it.size for it in some) <= 1_000_000
    assert {it.language for it in some} == {"python"}


def test_javascript(root: Path, tmp_path: Path) -> None:
    """Direct packages first, scoped ones and types with them; links of a workspace lead to no dependency."""
    make(
        root,
        {
            "package.json": '{"dependencies": {"used": "1", "@s/scoped": "1"}, '
            '"devDependencies": {"typed": "1"}}',
            "node_modules/used/package.json": '{"version": "1.2.3"}',
            "node_modules/used/index.js": "module.exports = 1;\n",
            "node_modules/used/index.d.ts": "export default 1;\n",
            "node_modules/used/index.test.js": "test();\n",
            "node_modules/used/lib.min.js": "a()",
            "node_modules/used/__tests__/a.js": "a();\n",
            "node_modules/used/node_modules/inner/a.js": "a();\n",
            "node_modules/used/README.md": "# Used\n",
            "node_modules/@s/scoped/package.json": '{"version": 2}',
            "node_modules/@types/typed/package.json": "broken",
            "node_modules/another/a.js": "a();\n",
            "node_modules/.bin/x": "",
            "node_modules/.pnpm/linked@1/node_modules/linked/a.ts": "let a;\n",
            "packages/mine/index.js": "a();\n",
        },
    )
    (root / "node_modules/linked").symlink_to(root / "node_modules/.pnpm/linked@1/node_modules/linked")
    (root / "node_modules/mine").symlink_to(root / "packages/mine")
    (root / "node_modules/lost").symlink_to(tmp_path / "nothing")
    found = dependencies(root, env={})
    expected = ["@s/scoped ", "@types/typed ", "used 1.2.3", "another ", "linked "]
    assert names(found, "javascript") == expected
    assert sources(found, "used") == ["used: index.d.ts", "used: index.js"]
    assert sources(found, "linked") == ["linked: a.ts"]


def test_go(root: Path, tmp_path: Path) -> None:
    """Modules that `go.mod` requires, at their versions, with capitals as the cache spells them."""
    make(
        root,
        {
            "go.mod": "module me\n\ngo 1.22\n\nrequire (\n\tgithub.com/Azure/sdk v1.2.0\n"
            "\tgolang.org/x/text v0.3.0 // indirect\n"
            "\texample.org/old v1.0.0\n\texample.org/local v1.0.0\n)\n"
            "require example.org/absent v9.0.0\n"
            "replace example.org/old => example.org/new v2.0.0\nreplace example.org/local => ../local\n"
        },
    )
    cache = tmp_path / "go" / "pkg" / "mod"
    make(
        cache,
        {"github.com/!azure/sdk@v1.2.0/a.go": "package a\n", "github.com/!azure/sdk@v1.2.0/a_test.go": "x"},
    )
    make(
        cache, {"golang.org/x/text@v0.3.0/b.go": "package b\n", "example.org/new@v2.0.0/c.go": "package c\n"}
    )
    go = make(tmp_path / "goroot", {"VERSION": "go1.22.1\ntime x\n", "src/fmt/print.go": "package fmt\n"})
    make(go, {"src/fmt/testdata/x.go": "package x\n"})
    env = {"GOPATH": f"{tmp_path}/go:/other", "GOROOT": str(go)}
    found = dependencies(root, env=env)
    expected = [
        "example.org/new v2.0.0",
        "github.com/Azure/sdk v1.2.0",
        "<go 1.22.1>",
        "golang.org/x/text v0.3.0",
    ]
    assert names(found, "go") == expected
    assert sources(found, "github.com/Azure/sdk") == ["sdk@v1.2.0: a.go"]
    assert sources(found, "go") == ["src: fmt/print.go"]
    assert names(dependencies(root, env={"GOMODCACHE": str(cache), "GOROOT": str(go)}), "go") == expected
    assert escaped("github.com/BurntSushi/toml") == "github.com/!burnt!sushi/toml"
    assert required_modules("require (\n)\n) x\nrequire a\nreplace => b v1\n\0") == []


def test_rust(root: Path, tmp_path: Path) -> None:
    """Locked crates that are unpacked, named ones first; the standard library of the chosen toolchain."""
    registry = 'source = "registry+https://example.org/index"\n'
    make(
        root,
        {
            "Cargo.toml": '[dependencies]\nserde = "1"\nmine = { path = "x" }\n'
            'new = { package = "real", version = "1" }\n'
            '[workspace]\nmembers = ["crates/*", "../out", 3]\n',
            "crates/a/Cargo.toml": "[target.'cfg(unix)'.dev-dependencies]\nrand = '1'\n",
            "rust-toolchain.toml": '[toolchain]\nchannel = "1.80"\n',
            "Cargo.lock": "".join(
                f'[[package]]\nname = "{it}"\nversion = "1.0.0"\n{registry}'
                for it in ("itoa", "serde", "real", "rand", "absent")
            )
            + '[[package]]\nname = "mine"\nversion = "0.1.0"\n[[package]]\nname = 3\n',
        },
    )
    cargo = tmp_path / "cargo" / "registry" / "src" / "index-1"
    for it in ("itoa", "serde", "real", "rand", "mine"):
        make(cargo / f"{it}-1.0.0", {"src/lib.rs": "fn a() {}\n", "tests/a.rs": "fn b() {}\n"})
    for it in ("stable-x86", "1.80-x86"):
        make(
            tmp_path / "rustup/toolchains" / it / "lib/rustlib/src/rust/library",
            {"core/src/lib.rs": "fn c() {}\n"},
        )
    env = {"CARGO_HOME": str(tmp_path / "cargo"), "RUSTUP_HOME": str(tmp_path / "rustup")}
    found = dependencies(root, env=env)
    assert names(found, "rust") == ["rand 1.0.0", "real 1.0.0", "serde 1.0.0", "<rust 1.80>", "itoa 1.0.0"]
    assert sources(found, "serde") == ["serde-1.0.0: src/lib.rs"]
    assert sources(found, "rust") == ["library: core/src/lib.rs"]


@pytest.mark.parametrize("content", [b"\xff\xfe\0", b"[[[[", b"{" * 100_000, b"[]", b"a = 1\n", b'{"a": 3}'])
def test_manifests_that_make_no_sense(content: bytes, root: Path, tmp_path: Path) -> None:
    """Broken manifests name nothing: what is installed is found all the same."""
    files = (
        "pyproject.toml",
        "requirements.txt",
        "setup.cfg",
        "Pipfile",
        "package.json",
        "go.mod",
        "Cargo.toml",
    )
    make(root, dict.fromkeys((*files, "Cargo.lock", "rust-toolchain", "rust-toolchain.toml"), content))
    site = environment(root / ".venv", {"good-1.0": {"good.py": CODE}})
    make(
        site,
        dict.fromkeys((f"bad-1.dist-info/{it}" for it in ("METADATA", "RECORD", "direct_url.json")), content),
    )
    make(root, {"node_modules/a/package.json": content})
    found = dependencies(root, env={"GOROOT": str(tmp_path), "RUSTUP_HOME": str(root), "PATH": "\0:/nowhere"})
    assert "good 1.0" in names(found)
    assert names(found, "javascript") == ["a "]


def test_manifests_that_are_no_files(root: Path) -> None:
    """A folder or a pipe with a manifest's name is not waited for."""
    for name in ("pyproject.toml", "package.json", "requirements.txt"):
        os.mkfifo(root / name)
    make(root, {"Cargo.toml/": "", "go.mod/": "", ".venv/pyvenv.cfg/": ""})
    assert [it.kind for it in dependencies(root, env={})] == ["stdlib"]


def test_nothing_of_the_project_is_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is started, and nothing of a project or its packages is imported."""
    trap = "raise SystemExit('it was run')\n"
    site = environment(root / ".venv", {"trap-1.0": {"trap/__init__.py": trap, "sitecustomize.py": trap}})
    make(root, {"setup.py": trap, "conftest.py": trap, ".venv/bin/python": "#!/bin/sh\nexit 1\n"})
    before = set(sys.modules)

    def refuse(*_: object, **__: object) -> Iterator[None]:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(os, "system", refuse)
    found = dependencies(root, python=root / ".venv/bin/python", env=dict(os.environ))
    assert sources(found, "trap") == ["sitecustomize.py: sitecustomize.py", "trap: __init__.py"]
    assert {it for it in set(sys.modules) - before if not it.startswith(("codeindex", "encodings"))} == set()
    assert str(site) not in sys.path
