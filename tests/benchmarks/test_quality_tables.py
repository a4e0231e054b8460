"""Judgements become rows: shares, intervals, thresholds, reliability, and text that is the same again."""

from __future__ import annotations

import csv
import io
import math

import numpy as np
import pytest

from benchmarks.quality import report, tables
from benchmarks.quality.judge import Judgement, Syntax
from benchmarks.quality.places import PlaceKind


def judgement(
    *,
    exact: bool = False,
    shown: bool = True,
    chance: float = 0.5,
    source: str = "model",
    breaks: bool = False,
) -> Judgement:
    """One, of a suggestion that was judged by its syntax if it was shown."""
    return Judgement(
        shown=shown, exact=exact, similarity=float(exact), first_token=exact, repeats=False,
        syntax=Syntax(judged=shown, breaks=breaks, worse=breaks), chance=chance, source=source,
    )  # fmt: skip


def judged(kind: PlaceKind = "at_border", **ways: Judgement) -> tables.Judged:
    """A place of Python."""
    return tables.Judged(language="python", kind=kind, ways=ways)


FOUND = [
    judged(memory=judgement(exact=True), model=judgement(), both=judgement(exact=True, source="memory")),
    judged(
        memory=judgement(shown=False), model=judgement(shown=False, chance=0.0), both=judgement(chance=0.1)
    ),
    judged(memory=judgement(), model=judgement(exact=True), both=judgement(exact=True, chance=0.9)),
    judged("whole_line", memory=judgement(), model=judgement(), both=judgement(breaks=True)),
]


def test_shares_are_of_what_they_say() -> None:
    """Exact is of all places, precision and broken syntax of the shown ones; extra kinds stand apart."""
    rows = list(tables.quality_rows(FOUND, ("memory", "model", "both")))
    by = {(it["kind"], it["way"]): it for it in rows}
    model = by["random", "model"]
    assert (model["n"], model["exact"], model["coverage"], model["precision"]) == (3, 0.333, 0.667, 0.5)
    assert by["whole_line", "both"]["breaks_syntax"] == 1.0
    assert by["random", "both"]["breaks_syntax"] == 0.0
    assert by["random", "both - memory"]["exact"] == 0.333
    assert "precision" not in by["random", "both - memory"]
    assert {it["kind"] for it in rows} == {"random", "at_border", "whole_line"}


def test_thresholds_and_settings() -> None:
    """From a chance on fewer are shown; at a setting it is what the product showed there."""
    found = [judged(both=it.ways["both"], balanced=judgement(shown=False)) for it in FOUND[:3]]
    rows = list(tables.threshold_rows(found, ("both",), {"balanced": 0.15}))
    by = {it["threshold"]: it for it in rows if not it["setting"]}
    assert (by[0.0]["coverage"], by[0.0]["precision"]) == (1.0, 0.667)
    assert (by[0.15]["coverage"], by[0.15]["precision"]) == (0.667, 1.0)
    assert (rows[-1]["setting"], rows[-1]["threshold"]) == ("balanced", 0.15)
    assert (rows[-1]["coverage"], rows[-1]["precision"]) == (0.0, "")


def test_reliability_is_by_source() -> None:
    """Both are judged by who spoke and together, the others as they are; only random places count."""
    rows = [it for it in tables.reliability_rows(FOUND, ("model", "both")) if it["chance"] == "all"]
    told = {(it["way"], it["source"]): (it["n"], it["error"]) for it in rows}
    assert told["both", "memory"] == (1, 0.5)
    assert told["both", "model"] == (2, 0.1)
    assert told["both", "any"][0] == 3
    assert told["model", "any"] == (2, 0.0)


def test_intervals_hold_the_share_and_are_the_same_again() -> None:
    """Without spread there is no doubt; nothing to measure is no number; the seed is fixed."""
    weights = tables.resamples(40)
    assert (weights.sum(axis=1) == 40).all()
    assert (weights == tables.resamples(40)).all()
    part = np.array([0.0, 1.0] * 20)
    found = tables.ratio(part, np.ones(40), weights)
    assert found.low < found.value == 0.5 < found.high
    assert tables.ratio(part, part, weights) == tables.Interval(value=1.0, low=1.0, high=1.0)
    assert math.isnan(tables.ratio(part, np.zeros(40), weights).value)


def test_two_models_are_compared_place_by_place() -> None:
    """A model is as good as itself, everywhere and without doubt."""
    rows = list(tables.against_rows(FOUND, FOUND, ("model",)))
    assert [(it["exact"], it["exact_low"], it["exact_high"]) for it in rows] == [(0.0, 0.0, 0.0)] * len(rows)
    assert rows


def test_prompts_are_compared_at_the_same_places() -> None:
    """Each way, and the second less the first, by kind."""
    rows = list(
        tables.prompt_rows(
            ["a", "a", "b"], {"x": [0, 0, 1], "y": [1, 1, 1]}, {"x": [0, 0, 1], "y": [1, 1, 1]}
        )
    )
    told = {(it["kind"], it["way"]): it["exact"] for it in rows}
    assert told["all", "y - x"] == pytest.approx(0.667)
    assert (told["a", "y - x"], told["b", "y - x"]) == (1.0, 0.0)


def test_the_file_is_the_same_again_and_can_be_read() -> None:
    """What it depends on stands above the columns; an unknown share is an empty cell."""
    rows = list(tables.quality_rows(FOUND, ("model",)))
    text = report.csv_text(rows, {"model": "a.gguf", "seed": "1"})
    assert text == report.csv_text(
        list(tables.quality_rows(FOUND, ("model",))), {"model": "a.gguf", "seed": "1"}
    )
    assert text.startswith("# model: a.gguf\n# seed: 1\nlanguage,kind,way,n,exact,")
    read = list(csv.DictReader(io.StringIO(text.split("\n", 2)[2])))
    assert [it["kind"] for it in read] == ["random", "at_border", "whole_line"]
    assert "\r" not in text


def test_markdown_says_what_the_rows_say() -> None:
    """Shares in percent with their intervals, differences with a sign, empty where nothing is known."""
    rows = list(tables.quality_rows(FOUND, ("memory", "both")))
    lines = list(report.quality(rows))
    assert any(it.startswith("| random | both - memory | 3 | +33.3% (") for it in lines)
    noise = [it for it in lines if it.startswith("| whole_line | both | 1 | ")][1]
    assert noise.startswith(
        "| whole_line | both | 1 | 0.0% (0.0% to 0.0%) | 100.0% (100.0% to 100.0%) | 0.0% "
    )
    assert list(report.markdown([{"a": 1, "b": ""}], ("a",), ("b",)))[-1] == "| 1 |  |"
