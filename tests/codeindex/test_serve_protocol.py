"""What is said between the index's processes: JSON and values, both ways, and what makes no sense."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeindex.config import DEFAULTS
from codeindex.protocol import (
    Options,
    State,
    Status,
    Told,
    hit_in,
    hit_json,
    line_of,
    options_in,
    options_json,
    status_in,
    status_json,
    symbol_in,
    symbol_json,
    told_in,
    told_json,
)
from codeindex.protocol_asks import ASKS, Bad, Cancel, Notice, Request, Search, message_in
from codeindex.types import Filters, Hit, Kind, Signal, SymbolRow

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("query", "limit", "paths", "kinds", "name", "names", "path", "line", "text", "tokens", "focus", "id")


def said(**message: object) -> object:
    """What a message becomes."""
    return message_in(json.dumps(message))


def test_a_search_with_everything() -> None:
    """Every filter arrives."""
    params = {
        "query": "q",
        "limit": 3,
        "paths": ["src/"],
        "languages": ["go"],
        "kinds": ["class"],
        "changed_since_ns": 5,
        "why": True,
    }
    where = Filters(paths=("src/",), languages=("go",), kinds=(Kind.CLASS,), changed_since_ns=5)
    expected = Request(id=7, ask=Search(query="q", where=where, limit=3, why=True))
    assert said(id=7, method="search", params=params) == expected


def test_notifications() -> None:
    """Each becomes its value."""
    assert said(method="pause") == Notice(method="pause")
    assert said(method="saved", params={"paths": ["a"]}) == Notice(method="saved", paths=("a",))
    buffer = said(method="buffer", params={"path": "a", "text": "x\ud800"})
    assert buffer == Notice(method="buffer", paths=("a",), text="x?")
    assert said(method="buffer", params={"path": "a", "text": None}) == Notice(method="buffer", paths=("a",))
    assert said(method="cancel", params={"id": "z"}) == Cancel(id="z")


@given(st.sampled_from([*ASKS, "buffer", "saved", "cancel", "pause", "x"]), st.data())
def test_whatever_comes_is_understood_or_bad(method: str, data: st.DataObject) -> None:
    """No params raise, and what is bad says so in a sentence."""
    params = data.draw(st.dictionaries(st.sampled_from(KEYS), ANYTHING) | ANYTHING)
    number = data.draw(ANYTHING)
    found = message_in(json.dumps({"id": number, "method": method, "params": params}))
    if isinstance(found, Bad):
        assert found.says.endswith(".")


@given(st.binary() | st.text())
def test_any_line_is_understood_or_bad(line: bytes | str) -> None:
    """Nothing raises."""
    assert isinstance(message_in(line), Bad | Notice | Request | Cancel)


def test_values_come_back() -> None:
    """A hit, a symbol, a status, what a writer tells, options: the same after the wire."""
    signal = Signal(name="n", value=1.0, score=2.0, reason="r")
    hit = Hit(
        path="odd\udcff.py", first_line=1, last_line=2, text="x\ny", score=1.5, language="python",
        kind=Kind.CLASS, name="X", scope="", signature="", doc="", unsaved=True, why=(signal,),
    )  # fmt: skip
    assert hit_in(json.loads(line_of(hit_json(hit, why=True)))) == hit
    row = SymbolRow(
        id=1, content=0, paths=("a",), language="go", name="n", kind=Kind.TYPE, scope="s", first_line=1,
        last_line=2, line=1, column=0, signature="", doc="",
    )  # fmt: skip
    assert symbol_in(json.loads(line_of(symbol_json(row, "a")))) == row
    status = Status(state=State.BUILDING, files=3, progress=0.5, seconds_left=2.0, writer="here")
    assert status_in(json.loads(line_of(status_json(status)))) == status
    told = Told(state=State.READY, generation=4, read=1, total=2)
    assert told_in(json.loads(line_of(told_json(told)))) == told
    options = Options(jobs=2, watch=False, embedder="m")
    assert options_in(json.loads(line_of(options_json(options)))) == (options, [])


@pytest.mark.parametrize(
    "wrong", [{"jobs": "2"}, {"jobs": True}, {"no": 1}, {"config": 3}, {"config": {"no": 1}}, {"watch": 1}]
)
def test_wrong_options_are_left_as_they_are(wrong: dict[str, object]) -> None:
    """And said, each in a sentence."""
    options, problems = options_in({"threads": 3, **wrong})
    assert options == Options(threads=3, config=DEFAULTS)
    assert len(problems) == 1
