"""The map of a repository, and the importance it is drawn by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeindex import graph
from codeindex.graph_importance import importance
from codeindex.graph_rank import pagerank
from codeindex.outline import dependency_text, estimate, outline
from codeindex.store import Reader
from tests.codeindex.graph_project import index

PROJECT = """
=== core/model.py
class Model:
    def load(self):
        return _part(self)

    def save(self):
        return 1

    def close(self):
        return 2

def _part(it):
    def inner():
        return 1
    return inner()

def total(items):
    return len(items)
=== core/view.py
from core.model import Model, total

def view(model):
    return total([Model()])
=== app.py
from core.view import view
from core.model import Model

def main():
    model = Model()
    model.load()
    view(model)

def help_text():
    return ""
=== tools/lonely.py
def lonely():
    return 1
=== tools/user.py
from tools.lonely import lonely

def use():
    return lonely()
"""


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return index(tmp_path, PROJECT)


def test_what_is_used_is_important(reader: Reader) -> None:
    """A file that everybody builds on is before those that build on it."""
    known = importance(reader)
    assert sorted(known.files, key=known.files.__getitem__)[-1] == "core/model.py"
    assert sum(known.files.values()) == pytest.approx(1.0)
    names = {it.name: known.symbols[it.id] for file in reader.files() for it in reader.outline(file.path)}
    assert names["close"] < names["load"] < names["Model"]


def test_a_focus_draws_its_neighbors(reader: Reader) -> None:
    """Seen from a file, what it uses and what uses it come before what is important elsewhere."""
    known = importance(reader, focus=["tools/user.py"])
    order = sorted(known.files, key=lambda it: -known.files[it])
    assert order[:2] == ["tools/user.py", "tools/lonely.py"]
    back = importance(reader, focus=["tools/lonely.py"])
    assert set(sorted(back.files, key=lambda it: -back.files[it])[:2]) == {"tools/user.py", "tools/lonely.py"}
    assert importance(reader, focus=["no/such.py"]) == importance(reader)


def test_the_page(reader: Reader) -> None:
    """The most important first, heads only, what is left out marked, nothing from within functions."""
    assert outline(reader, 45).text == (
        "core/model.py\n  class Model\n    ...\n  ...\n  def total(items)\n"
        "tools/lonely.py\n  def lonely()\n"
        "core/view.py\n  def view(model)\n"
        "tools/user.py\n  def use()\n"
        "app.py\n  def main()\n  ...\n"
    )
    whole = outline(reader, 10_000).text
    assert "..." not in whole
    assert "inner" not in whole


@pytest.mark.parametrize("tokens", [0, 1, 5, 10, 20, 40, 80, 10_000])
def test_never_over_the_budget(reader: Reader, tokens: int) -> None:
    """Whatever the budget and whoever counts, and the same page each time."""
    page = outline(reader, tokens)
    assert page.tokens == estimate(page.text) <= tokens
    assert page == outline(reader, tokens)
    words = outline(reader, tokens, count=lambda text: len(text.split()))
    assert len(words.text.split()) <= tokens
    assert set(page.files) == {it for it in page.text.splitlines() if not it.startswith(" ")}


def test_the_page_from_a_focus(reader: Reader) -> None:
    """What is in focus stands on top; a folder is all that is in it."""
    assert outline(reader, 30, focus=["tools"]).text.startswith("tools/")
    assert outline(reader, 30, focus=["app.py"]).text.startswith("app.py\n")


def test_an_empty_index(tmp_path: Path) -> None:
    """Nothing is nothing, and no failure."""
    with index(tmp_path, "") as reader:
        assert outline(reader, 100).text == ""
        assert importance(reader).files == {}


def test_methods_without_their_class(tmp_path: Path) -> None:
    """In Rust what is implemented stands under its type; where that is elsewhere, it says whose it is."""
    project = "=== a.rs\npub struct P;\nimpl P { pub fn new() {} }\n=== b.rs\nimpl P { pub fn old() {} }\n"
    with index(tmp_path, project) as reader:
        text = outline(reader, 1_000).text
    assert "  pub struct P\n    pub fn new()\n" in text
    assert "  P: pub fn old()\n" in text


def test_dependencies_as_text(reader: Reader) -> None:
    """A line for each that builds on something; circles are named."""
    found = graph.dependencies(reader)
    assert dependency_text(found) == (
        "app.py -> core/model.py, core/view.py\n"
        "core/view.py -> core/model.py\n"
        "tools/user.py -> tools/lonely.py\n"
    )
    assert found.cycles == ()


def test_circles_are_named(tmp_path: Path) -> None:
    """Two files that import each other, and what both take from elsewhere."""
    with index(tmp_path, "=== a.py\nimport b\nimport os\n=== b.py\nfrom a import x\n") as reader:
        found = graph.dependencies(reader)
    assert dependency_text(found, others=True) == (
        "a.py -> b.py\nb.py -> a.py\na.py -> (os)\ncircle: a.py <-> b.py\n"
    )


@given(
    st.integers(1, 12),
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.floats(0.01, 5.0)), max_size=40),
)
def test_ranks_are_shares(count: int, edges: list[tuple[int, int, float]]) -> None:
    """Whatever the graph: no rank is below zero, and all of them together are one."""
    sources = np.array([one % count for one, _, _ in edges], dtype=np.int64)
    targets = np.array([other % count for _, other, _ in edges], dtype=np.int64)
    weights = np.array([weight for _, _, weight in edges], dtype=np.float64)
    rank = pagerank(sources, targets, weights, np.ones(count))
    assert (0 < rank).all()
    assert rank.sum() == pytest.approx(1.0)
