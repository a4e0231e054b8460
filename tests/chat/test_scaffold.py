"""Tests that are made without a model: the cases are data, and what is made is really run."""

from __future__ import annotations

import ast
import asyncio
import os
import pwd
import re
import shutil
import subprocess
import sys
import tomllib
import types
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.edits import apply
from chat.edits_types import Refusal
from chat.scaffold import Scaffold, scaffold
from chat.target import Target
from codeindex.languages import language_of
from codeindex.syntax import faults
from tests.chat.code_in_memory import InMemory

CASES = tomllib.loads((Path(__file__).parent / "golden" / "skeletons" / "scaffolds.toml").read_text())["case"]


async def made(files: Mapping[str, str], path: str, at: str) -> Scaffold | Refusal:
    """The tests for what is defined on the line with these words."""
    text = files[path]
    line = text[: text.index(at)].count("\n") + 1
    return await scaffold(Target(path=path, line=line), InMemory(files, versions={path: 5}))


def text_of(found: Scaffold, files: Mapping[str, str]) -> str:
    """The file of tests with the tests in it."""
    return found.new.text if found.new else apply(files[found.path], found.edits)


@pytest.mark.parametrize("case", CASES, ids=lambda it: str(it["name"]))
async def test_what_a_definition_gets(case: Mapping[str, Any]) -> None:
    """Exactly this file, in this place, for this framework, and it parses; or exactly this is said."""
    found = await made(case["files"], case["path"], case["at"])
    if isinstance(found, Refusal):
        assert found.reason == case["refused"]
        return
    assert (found.framework, found.path) == (case["framework"], case["test_path"])
    text = text_of(found, case["files"])
    assert text == case["result"]
    assert faults(text, language_of(found.path.rpartition("/")[2])) == 0
    assert found.tests
    assert (found.new is None) == (found.path in case["files"])


def test_the_cases_are_many() -> None:
    """At least a dozen, of every framework that is promised."""
    assert 12 <= len(CASES)
    assert [name for name, times in Counter(it["name"] for it in CASES).items() if 1 < times] == []
    frameworks = {it["framework"] for it in CASES if "framework" in it}
    assert {"pytest", "unittest", "jest", "vitest", "node:test", "go", "cargo", "junit5"} <= frameworks


PYTHON = """
class Unknown(Exception):
    pass


def same(value):
    if value == "x":
        raise Unknown(value)
    return value


def nothing(*names):
    return None


async def later(value, times: int = 2):
    if times < 0:
        raise ValueError(times)
    return value


class Shop:
    def __init__(self, owner: str, size=3):
        self.owner = owner

    def same(self, value):
        return value

    @property
    def first(self):
        return self.owner

    @staticmethod
    def plain(value, *, key):
        yield value
"""


async def written(root: Path, files: Mapping[str, str], path: str, names: tuple[str, ...]) -> list[str]:
    """The files, with the tests of these definitions, on disk; the paths of the tests."""
    known = dict(files)
    paths = []
    for name in names:
        found = await made(known, path, name)
        assert isinstance(found, Scaffold), found
        known[found.path] = text_of(found, known)
        paths.append(found.path)
    for it, text in known.items():
        (root / it).parent.mkdir(parents=True, exist_ok=True)
        (root / it).write_text(text, encoding="utf-8")
    return list(dict.fromkeys(paths))


def ran(root: Path, *command: str) -> str:
    """What a command says, in a folder."""
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout + done.stderr


WHAT = ("def same", "def nothing", "async def later", "class Shop")


async def test_pytest_really_skips_and_then_fails(tmp_path: Path) -> None:
    """All that is made for pytest is collected and skipped; without the marks none of it passes."""
    files = {"src/shop/main.py": PYTHON, "src/shop/__init__.py": "", "conftest.py": "import pytest\n",
             "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["src"]\n'}  # fmt: skip
    (path,) = await written(tmp_path, files, "src/shop/main.py", WHAT)
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", path)
    said = ran(tmp_path, *command)
    count = (tmp_path / path).read_text().count("def test_")
    assert f"{count} skipped" in said, said
    assert "passed" not in said
    text = re.sub(r"@pytest\.mark\.skip\(.*\)\n", "", (tmp_path / path).read_text())
    (tmp_path / path).write_text(text)
    said = ran(tmp_path, *command)
    assert f"{count} failed" in said, said
    assert "passed" not in said
    assert "error" not in said.rpartition("\n")[2]


async def test_unittest_really_skips_and_then_fails(tmp_path: Path) -> None:
    """All that is made for unittest is found and skipped; without the marks none of it passes."""
    files = {"shop/main.py": PYTHON, "shop/__init__.py": "", "tests/__init__.py": ""}
    (path,) = await written(tmp_path, files, "shop/main.py", WHAT)
    command = (sys.executable, "-m", "unittest", "-v", path.removesuffix(".py").replace("/", "."))
    said = ran(tmp_path, *command)
    count = (tmp_path / path).read_text().count("def test_")
    assert f"OK (skipped={count})" in said, said
    text = re.sub(r" *@unittest\.skip\(.*\)\n", "", (tmp_path / path).read_text())
    (tmp_path / path).write_text(text)
    said = ran(tmp_path, *command)
    assert not re.search(r"\.\.\. ok\b", said), said
    bad = sum(int(it) for it in re.findall(r"(?:failures|errors)=(\d+)", said))
    assert bad == count, said


SCRIPT = """
export class Missing extends Error {}

export function same(value) {
  if (value === 3) throw new Missing("three");
  return value;
}

export const nothing = (value = 1) => {};

export async function later({ value }) {
  return value;
}

export class Shop {
  constructor(owner) {
    this.owner = owner;
  }

  same(value) {
    return value;
  }

  get first() {
    return this.owner;
  }
}
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
@pytest.mark.parametrize("kind", ["module", "commonjs"])
async def test_node_really_skips_and_then_fails(tmp_path: Path, kind: str) -> None:
    """All that is made for Node's own runner is skipped; without the marks none of it passes."""
    source = SCRIPT
    if kind == "commonjs":
        source = (
            SCRIPT.replace("export ", "") + "\nmodule.exports = { Missing, same, nothing, later, Shop };\n"
        )
    files = {"src/main.js": source, "package.json": f'{{"name": "shop", "type": "{kind}"}}\n'}
    names = ("function same", "const nothing", "function later", "class Shop")
    (path,) = await written(tmp_path, files, "src/main.js", names)
    said = ran(tmp_path, "node", "--test", "--test-reporter=tap", path)
    count = (tmp_path / path).read_text().count("test.skip(")
    assert 6 <= count
    assert (count_of("skipped", said), count_of("pass", said), count_of("fail", said)) == (count, 0, 0), said
    text = (tmp_path / path).read_text().replace("test.skip(", "test(")
    (tmp_path / path).write_text(text)
    said = ran(tmp_path, "node", "--test", "--test-reporter=tap", path)
    assert (count_of("pass", said), count_of("fail", said)) == (0, count), said


def count_of(what: str, said: str) -> int:
    """How many tests Node says did so."""
    found = re.search(rf"^# {what} (\d+)", said, re.MULTILINE)
    assert found, said
    return int(found[1])


RUST = """
pub struct Shop<T> {
    pub owner: T,
}

impl<T: Clone> Shop<T> {
    pub fn same(&self, value: T) -> T {
        value
    }

    pub fn add(&mut self, owner: T) {
        self.owner = owner;
    }
}

pub fn same<'a>(value: &'a str, times: impl Fn(i32) -> i32) -> &'a str {
    if times(1) < 0 {
        panic!("no");
    }
    value
}

pub fn read(value: &str) -> Result<usize, String> {
    if value.is_empty() {
        return Err("empty".to_string());
    }
    Ok(value.len())
}
"""


def rustc() -> str:
    """The compiler itself: what stands for it on the path looks for its home, which tests are not given."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    found = sorted(home.glob(".rustup/toolchains/stable-*/bin/rustc"))
    return str(found[0]) if found else ""


RUSTC = rustc()


@pytest.mark.skipif(not RUSTC, reason="needs Rust")
async def test_rust_really_ignores_and_then_fails(tmp_path: Path) -> None:
    """All that is made for Rust compiles and is ignored; run nevertheless, none of it passes."""
    files = {"src/lib.rs": RUST, "Cargo.toml": '[package]\nname = "shop"\n'}
    (path,) = await written(
        tmp_path, files, "src/lib.rs", ("fn same(&self", "fn add", "pub fn same<", "fn read")
    )
    assert path == "src/lib.rs"
    said = ran(tmp_path, RUSTC, "--edition", "2021", "--test", "src/lib.rs", "-o", "tests")
    assert (tmp_path / "tests").exists(), said
    count = (tmp_path / path).read_text().count("#[test]")
    assert f"0 passed; 0 failed; {count} ignored" in ran(tmp_path, "./tests")
    assert f"0 passed; {count} failed" in ran(tmp_path, "./tests", "--ignored")


NAME = st.from_regex(r"[a-z]{3,7}", fullmatch=True).map(lambda it: f"{it}_")
BODIES = st.sampled_from(["return {}", "pass", "return [{}]", "return None", "return not {}", "return ({},)"])


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(NAME, min_size=1, max_size=4, unique=True),
    defaults=st.integers(0, 4),
    keyword=st.booleans(),
    is_async=st.booleans(),
    body=BODIES,
)
def test_no_scaffold_passes(
    names: list[str], defaults: int, keyword: bool, is_async: bool, body: str
) -> None:
    """Whatever a function takes and gives: the test of it can be called, and fails until it is filled in."""
    shown = [f"{it}=1" if len(names) - defaults <= at else it for at, it in enumerate(names)]
    shown = ["*", *shown] if keyword else shown
    source = f"{'async ' * is_async}def subject({', '.join(shown)}):\n    {body.format(names[0])}\n"
    found = asyncio.run(
        made({"own_source.py": source, "pytest.ini": "[pytest]\n"}, "own_source.py", "subject")
    )
    assert isinstance(found, Scaffold)
    assert found.new is not None
    ast.parse(found.new.text)
    module = types.ModuleType("own_source")
    exec(compile(source, "own_source.py", "exec"), module.__dict__)  # the subject, as its file defines it
    space: dict[str, Any] = {}
    sys.modules["own_source"] = module
    try:
        exec(compile(re.sub(r"@pytest.*\n", "", found.new.text), "made.py", "exec"), space)
    finally:
        del sys.modules["own_source"]
    for name in found.tests:
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            space[name]()
