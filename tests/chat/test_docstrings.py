"""What is said of a definition without a model: the cases are the data in ``golden/skeletons``."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.docstrings import document, skeleton
from chat.edits import apply
from chat.edits_types import Edit, Refusal, Source
from chat.shape_python import module
from chat.target import Target, at
from codeindex.languages import language_of
from codeindex.syntax import faults
from tests.chat.code_in_memory import InMemory
from tests.chat.skeleton_code import rows

ROOT = Path(__file__).resolve().parent.parent.parent
CASES = tomllib.loads((Path(__file__).parent / "golden" / "skeletons" / "docstrings.toml").read_text())[
    "case"
]
VERSION = 3


def documented(path: str, text: str, line: int) -> tuple[Edit, ...] | Refusal:
    """The edits for what is defined at a line."""
    row = at(rows(path, text), line)
    assert row is not None
    language = language_of(path.rpartition("/")[2])
    return document(Source(path=path, text=text, version=VERSION, language=language), row)


def line_of(case: Mapping[str, Any]) -> int:
    """The line that a case is about."""
    return int(case["text"][: case["text"].index(case["at"])].count("\n")) + 1


@pytest.mark.parametrize("case", CASES, ids=lambda it: str(it["name"]))
def test_what_a_definition_gets(case: Mapping[str, Any]) -> None:
    """Exactly this text comes of it, no worse to parse than before; or exactly this is said."""
    found = documented(case["path"], case["text"], line_of(case))
    if isinstance(found, Refusal):
        assert found.reason == case["refused"]
        return
    text = apply(case["text"], found)
    assert text == case["result"]
    language = language_of(case["path"].rpartition("/")[2])
    assert faults(text, language) == faults(case["text"], language)
    assert all(it.version == VERSION and it.says and it.path == case["path"] for it in found)


@pytest.mark.parametrize("case", [it for it in CASES if "result" in it], ids=lambda it: str(it["name"]))
def test_what_is_there_stays(case: Mapping[str, Any]) -> None:
    """Every line of code and of documentation is still there, and a second time there is nothing to do."""
    has = iter(re.findall(r"\w+|[-+=<>!&|?{}()]", case["result"]))
    assert all(it in has for it in re.findall(r"\w+|[-+=<>!&|?{}()]", case["text"]))
    name = case["at"].split()[-1].rstrip("(")
    row = next(it for it in rows(case["path"], case["result"]) if it.name == name)
    again = documented(case["path"], case["result"], row.line)
    assert isinstance(again, Refusal), again


def test_the_cases_are_many() -> None:
    """At least a dozen, in all the languages that are promised."""
    assert 12 <= len(CASES)
    assert [name for name, times in Counter(it["name"] for it in CASES).items() if 1 < times] == []
    endings = {it["path"].rpartition(".")[2] for it in CASES}
    assert {"py", "js", "ts", "go", "rs", "java", "kt", "cs", "c", "cpp", "rb", "php"} <= endings


def test_the_line_ends_of_a_file_stay() -> None:
    """A text with the line ends of Windows has no others afterwards."""
    text = "def get_size(a):\r\n    return len(a)\r\n"
    found = documented("a.py", text, 1)
    assert not isinstance(found, Refusal)
    new = apply(text, found)
    assert new.count("\n") == new.count("\r\n") == 2 + 8


def without_docs(text: str) -> str:
    """A module's code without its docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)


@pytest.mark.parametrize("path", ["codeindex/graph_receivers.py", "chat/edits_units.py", "models/wire.py"])
def test_every_definition_of_a_real_module(path: str) -> None:
    """Documenting each definition changes nothing that is run, and leaves nothing to document."""
    text = (ROOT / path).read_text(encoding="utf-8")
    for row in rows(path, text):
        if row.kind not in ("function", "method", "class"):
            continue
        found = document(Source(path=path, text=text, version=None, language="python"), row)
        if isinstance(found, Refusal):
            assert "documented already" in found.reason
            continue
        new = apply(text, found)
        assert faults(new, "python") == 0
        assert without_docs(new) == without_docs(text)


NAMES = st.from_regex(r"[a-z]{2,8}(_[a-z]{2,6}){0,2}", fullmatch=True).filter(lambda it: it.isidentifier())


@given(
    names=st.lists(NAMES, min_size=1, max_size=5, unique=True),
    stars=st.booleans(),
    style=st.sampled_from(["google", "numpy", "rest", "plain"]),
    known=st.integers(0, 5),
)
def test_any_docstring_is_completed(names: list[str], stars: bool, style: str, known: int) -> None:
    """Whatever of the parameters is said already, afterwards each is said once and in order."""
    names = [it if _is_name(it) else f"{it}_" for it in names]
    said = names[:known]
    head = f"def compute_it({', '.join([*names, *(['*rest', '**more'] if stars else [])])}):\n"
    doc = {
        "google": ['    """Compute it.', "", "    Args:", *(f"      {it}: said." for it in said), '    """'],
        "numpy": ['    """Compute it.', "", "    Parameters", "    ----------",
                  *(f"    {it}\n        said." for it in said), '    """'],
        "rest": ['    """Compute it.', "", *(f"    :param {it}: said." for it in said), '    """'],
        "plain": [],
    }[style if said else "plain"]  # fmt: skip
    text = head + "\n".join([*doc, "    return 1", ""])
    found = documented("a.py", text, 1)
    assert not isinstance(found, Refusal)
    new = apply(text, found)
    tree = module(new)
    assert tree is not None
    node = tree.tree.body[0]
    assert isinstance(node, ast.FunctionDef)
    written = ast.get_docstring(node) or ""
    every = [*names, *(["*rest", "**more"] if stars else [])]
    places = []
    for it in every:
        escaped = re.escape(it.replace("*", "\\*")) + "|" + re.escape(it)
        hits = list(re.finditer(rf"(?m)^(?:\s*|:param )(?:{escaped})(?::|$)", written))
        assert len(hits) == 1, (it, written)
        places.append(hits[0].start())
    assert places == sorted(places)
    assert isinstance(documented("a.py", new, 1), Refusal)


def _is_name(word: str) -> bool:
    try:
        ast.parse(f"{word} = 1")
    except SyntaxError:
        return False
    return True


async def test_a_file_without_docstrings_looks_at_its_neighbors() -> None:
    """The style is that of the files beside it, where the file itself has none."""
    neighbor = 'def f(a):\n    """Return it.\n\n    :param a: it\n    """\n'
    code = InMemory({"pkg/a.py": "def get_it(key):\n    return key\n", "pkg/b.py": neighbor})
    found = await skeleton(Target(path="pkg/a.py", line=2), code)
    assert not isinstance(found, Refusal)
    assert ":param key: ..." in found[0].new_text


async def test_what_is_not_there_is_said() -> None:
    """A file that is not there, a line without a definition, a file that is broken: a sentence each."""
    code = InMemory({"a.py": "x = 1\n", "b.py": "def f(:\n    return 1\n"})
    for target, word in (
        (Target(path="c.py", line=1), "not there"),
        (Target(path="a.py", line=9), "no definition"),
        (Target(path="a.py", line=1, name="g"), "no `g`"),
        (Target(path="b.py", line=1, name="f"), "not valid Python|no `f`|cannot be read"),
    ):
        found = await skeleton(target, code)
        assert isinstance(found, Refusal)
        assert re.search(word, found.reason), found.reason
