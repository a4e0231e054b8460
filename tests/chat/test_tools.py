"""The tools: what they say of real code, what they say of nonsense, and that nothing they say is too long."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import tools
from chat.tools_values import SHORTEST, bounded, cut_lines
from chat.types import Place, Problem
from tests.chat.code_in_memory import InMemory

SHOP = {
    "shop/cart.py": (
        '"""The cart."""\n\n\ndef total(prices: list[int]) -> int:\n    """Sum of all prices."""\n'
        "    return add(prices)\n\n\ndef add(prices: list[int]) -> int:\n    return sum(prices)\n"
    ),
    "shop/till.py": "from shop.cart import total\n\n\ndef pay(prices):\n    return total(prices)\n",
    "long.txt": "".join(f"line {it}\n" for it in range(1, 5001)),
    ".env": "PASSWORD=hunter2hunter2\n",
}
CODE = InMemory(
    SHOP,
    diff="--- a/x\n+++ b/x\n",
    problems=[Problem(path="shop/till.py", first_line=5, last_line=5, message="no\ntype", source="mypy")],
)


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("search", {"query": "sum of prices", "limit": "1"}, "shop/cart.py:1-10  total\n"),
        ("symbols", {"query": "tot"}, "shop/cart.py:4  function  def total(prices: list[int]) -> int"),
        ("callers", {"name": "total"}, "shop/till.py:5  in pay  (by name only)  return total(prices)"),
        ("callers", {"name": "cart.total"}, "shop/till.py:5  in pay"),
        ("callers", {"name": "pay"}, "Nobody in this project calls pay."),
        ("callees", {"name": "total"}, "shop/cart.py:6  add -> shop/cart.py:9  (likely)  return add(prices)"),
        ("callees", {"name": "add", "path": "shop/cart.py", "line": 9}, "sum"),
        ("map", {}, "shop/cart.py:\n  def total("),
        ("read_lines", {"path": "shop/till.py", "last_line": 1}, "shop/till.py, lines 1-1 of 5:\nfrom shop"),
        (
            "read_lines",
            {"path": "shop/till.py", "first_line": 5.0},
            "lines 5-5 of 5:\n    return total(prices)",
        ),
        ("files", {"pattern": "shop"}, "shop/cart.py\nshop/till.py"),
        ("problems", {}, "shop/till.py:5  error: no type (mypy)"),
        ("problems", {"path": "shop/cart.py"}, "The editor knows of no problems there."),
        ("diff", {}, "--- a/x\n+++ b/x"),
        ("search", {"query": "zzzqqq"}, "Nothing was found."),
        ("symbols", {"query": "zzzqqq"}, "No definition has such a name."),
        ("files", {"pattern": "zzzqqq"}, "No file of this project fits."),
    ],
)
async def test_what_a_tool_says(name: str, given: dict[str, Any], says: str) -> None:
    """Paths, lines, and the code itself."""
    found = await tools.call(CODE, name, given)
    assert says in found.text
    assert not found.is_error


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("rm", {}, "There is no tool 'rm'; there are search, symbols,"),
        ("search", {}, "search needs the argument 'query': What to look for."),
        ("search", {"query": " "}, "The argument 'query' of search is empty."),
        ("search", {"query": 3}, "The argument 'query' of search is a text."),
        ("search", {"query": "a\0"}, "The argument 'query' of search is a text."),
        ("search", {"query": "x" * 5000}, "is longer than 4,000 characters."),
        ("search", {"query": "x", "limit": 0}, "is a whole number from 1 to 50."),
        ("search", {"query": "x", "limit": True}, "is a whole number from 1 to 50."),
        ("search", {"query": "x", "limit": "many"}, "is a whole number from 1 to 50."),
        ("search", {"query": "x", "paths": 1}, "is a list of at most 20 texts."),
        ("search", {"query": "x", "paths": ["a"] * 21}, "is a list of at most 20 texts."),
        ("search", {"query": "x", "command": "ls"}, "search has no argument 'command'; it takes query,"),
        ("diff", {"path": "x"}, "diff has no argument 'path'; it takes no arguments."),
        ("callers", {"name": "totl"}, "Nothing called totl is defined in this project."),
        ("read_lines", {"path": "till.py"}, "that may be read. There is: shop/till.py."),
        ("read_lines", {"path": ".env"}, ".env is no file of this project that may be read."),
        ("read_lines", {"path": "../../etc/passwd"}, "is no file of this project that may be read."),
        ("read_lines", {"path": "/etc/passwd"}, "is no file of this project that may be read."),
        ("read_lines", {"path": "shop/till.py", "first_line": 9}, "shop/till.py has only 5 lines."),
        ("read_lines", {"path": "shop/till.py", "first_line": 3, "last_line": 2}, "is before 'first_line'."),
    ],
)
async def test_what_makes_no_sense_is_one_sentence(name: str, given: dict[str, Any], says: str) -> None:
    """A model reads it and tries again."""
    found = await tools.call(CODE, name, given)
    assert found.is_error
    assert says in found.text


async def test_arguments_that_are_no_json() -> None:
    """They are not guessed at."""
    found = await tools.call(CODE, "search", {}, raw='{"query": ')
    assert (found.is_error, found.text) == (
        True,
        "The arguments of search were no JSON object; write them again.",
    )


@pytest.mark.parametrize("most", [0, 300, 5000])
async def test_a_result_has_its_bounds(most: int) -> None:
    """What has no room is counted, and where to go on is said."""
    found = await tools.call(CODE, "read_lines", {"path": "long.txt"}, most=most)
    assert len(found.text) <= max(most, SHORTEST) + 120
    end = found.places[0].last_line
    assert found.text.endswith(f"({5000 - end} more lines have no room here; go on from line {end + 1}.)")
    assert f"\nline {end}\n" in found.text
    listed = await tools.call(CODE, "search", {"query": "line", "limit": 50}, most=most)
    assert len(listed.text) <= max(most, SHORTEST) + 120


async def test_a_tool_that_fails_is_one_sentence() -> None:
    """A bug of ours ends no conversation."""

    class Broken(InMemory):
        async def diff(self) -> str:
            raise ZeroDivisionError

    found = await tools.call(Broken({}), "diff", {})
    assert (found.is_error, found.text) == (True, "diff met a problem; Hearth's log says which.")


async def test_why_an_answer_may_be_incomplete_is_with_it() -> None:
    """A model would else take it for all there is."""
    found = await tools.call(InMemory(SHOP, problem="Still being indexed."), "symbols", {"query": "pay"})
    assert found.text.endswith("\n\nNote: Still being indexed.")


async def test_places_are_those_of_the_result() -> None:
    """They become links."""
    found = await tools.call(CODE, "callers", {"name": "total"})
    assert found.places == (Place(path="shop/till.py", first_line=5, last_line=5),)


def test_every_tool_only_reads() -> None:
    """A tool that writes, sends or runs would be a row here, and there is none."""
    assert set(tools.TOOLS) == {
        "search", "symbols", "callers", "callees", "map", "read_lines", "files", "problems", "diff",
    }  # fmt: skip
    for it in tools.TOOLS.values():
        assert it.spec.schema["additionalProperties"] is False
        assert set(it.spec.schema["required"]) <= set(it.spec.schema["properties"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda it: st.lists(it, max_size=3) | st.dictionaries(st.text(max_size=5), it, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["query", "name", "path", "paths", "limit", "line", "first_line", "tokens", "x"])


@given(st.sampled_from([*tools.TOOLS, "rm", ""]), st.dictionaries(NAMES, JSON, max_size=3))
async def test_any_arguments_have_a_result(name: str, given: dict[str, Any]) -> None:
    """Whatever a model writes."""
    found = await tools.call(CODE, name, given, most=2000)
    assert found.text
    assert "met a problem" not in found.text
    assert len(found.text) < 2300


@given(st.lists(st.text(max_size=200), max_size=20), st.integers(0, 1000))
def test_bounds_hold(parts: list[str], most: int) -> None:
    """For any parts."""
    text = bounded(parts, most, lambda left: f"({left} more)")
    assert len(text) <= max(most, SHORTEST) + 20
    lines, left = cut_lines(parts or [""], most)
    assert len(lines) + left == len(parts or [""])
    assert len("\n".join(lines)) <= max(most, SHORTEST)
