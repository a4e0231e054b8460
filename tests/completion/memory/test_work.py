"""Prediction looks at so many places and takes so many steps at most, however odd the project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from codeindex.memory.occurrence import Source
from codeindex.memory.snapshot import Layer, Snapshot
from completion.memory import analog, beam
from completion.memory.evidence import Occurrence
from completion.memory.predict import LIMIT, predict
from completion.spot import NEAR_LINES
from tests.codeindex.memory.corpus import segment_of
from tests.completion.fixtures import spot_of, text_and_cursor
from tests.completion.memory.fixtures import HERE

PARTS = 2
MAX_LINES = 12
NAMES = [f"name{it}" for it in range(100)]

ODD = {
    "10,000 identical lines": (
        "value = compute(one, two)\n" * 10_000,
        "value = compute(one, two)\nvalue = ‸\n",
    ),
    "10,000 identical lines, from their start": ("value = one\n" * 10_000, "value = one\n    ‸\n"),
    "a line of 400 pieces": (f"f({', '.join(NAMES * 2)})\n" * 20, "x\nf(name0, ‸\n"),
    "400 pieces typed": (f"f({', '.join(NAMES * 2)})\n" * 20, f"x\nf({', '.join(NAMES * 2)}, ‸\n"),
    "another piece every time": ("".join(f"f({it}, {it + 1}, {it * 2})\n" for it in range(2_000)), "f(‸\n"),
    "another pair every time": ("".join(f"f({a}, {b})\n" for a in "abcdefgh" for b in "stuvwxyz"), "f(‸\n"),
    "deeper with every line": ("".join(f"{' ' * it}a\n" for it in range(400)), "a\n a\n  a\n‸\n"),
    "one line for the whole file": ("a.b(c);" * 20_000, "a.b(c);a.‸"),
    "40 lines above that are all alike": (
        "",
        "".join(f"item{it} = Item({it})\n" for it in range(200)) + "x = ‸",
    ),
}


class Counted:
    """A real memory that counts how often it is asked and how much it tells."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.questions = 0
        self.occurrences = 0

    def context(self, before: str) -> bytes:
        return self.snapshot.context(before)

    def near(self, context: bytes, *, path: str, line: int, limit: int) -> Sequence[Occurrence]:
        found = self.snapshot.near(context, path=path, line=line, limit=limit)
        self.questions += 1
        self.occurrences += len(found)
        return found

    def where(self, occurrence: Any) -> tuple[str, int]:
        return self.snapshot.where(occurrence)


@pytest.mark.parametrize(("text", "document"), ODD.values(), ids=ODD)
def test_work_is_bounded(text: str, document: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generated file in the project must not make every keystroke slow."""
    steps = calls_of(monkeypatch, beam, "_next")
    compared = calls_of(monkeypatch, analog, "_rest")
    here, _ = text_and_cursor(document)
    memory = Counted(
        Snapshot(
            [
                Layer(segment=segment_of({HERE: here}), source=Source.BUFFER),
                Layer(segment=segment_of({"src/odd": text}), source=Source.PROJECT),
            ]
        )
    )
    found = predict(memory, spot_of(document), path=HERE, max_lines=MAX_LINES)
    assert memory.questions <= MAX_LINES
    assert memory.occurrences <= memory.questions * PARTS * 2 * LIMIT
    assert len(steps) <= memory.questions * beam.LONGEST * beam.WIDTH
    assert len(compared) <= NEAR_LINES
    assert len(found) <= beam.WIDTH + analog.MOST


def calls_of(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[None]:
    """One item for every call of a module's function from here on."""
    calls: list[None] = []
    real = getattr(module, name)

    def counted(*given: Any) -> Any:
        calls.append(None)
        return real(*given)

    monkeypatch.setattr(module, name, counted)
    return calls
