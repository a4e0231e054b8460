"""What chat adds around a model is measured: numbers that hang together, and tables of all of them."""

from __future__ import annotations

import json

import pytest

from benchmarks import chat_speed


def test_the_router_is_timed() -> None:
    """Each decision once, with what follows it; the parts of a distribution in their order."""
    decision, fallback = chat_speed.router(50)
    assert (decision.times, fallback.times) == (50, 50)
    assert 0 < decision.p50 <= decision.p95 <= decision.p99 <= decision.most


def test_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    """Every canned answer is either to be applied or to be refused, and each counts once."""
    assert chat_speed.main(["--rounds", "50", "--json"]) == 0
    edits = json.loads(capsys.readouterr().out)["edits"]
    assert edits["answers"] == edits["to_apply"] + edits["to_refuse"] == edits["ms"]["times"]
    assert edits["as_wanted"] == edits["applied"] + edits["refused"]
    assert edits["to_apply"] <= edits["parsed"] + edits["answers"] // 10
    assert edits["still_parse"] <= edits["parsed"]


def test_what_cannot_be_measured() -> None:
    """One round has no distribution."""
    with pytest.raises(SystemExit):
        chat_speed.main(["--rounds", "1"])
