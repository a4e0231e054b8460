"""Pure: judgements -> rows of numbers with 95 % intervals, by bootstrap over places with a fixed seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.heldout.measures import BINS, bins, calibration_error
from benchmarks.quality.judge import Judgement
from benchmarks.quality.places import KINDS, RANDOM, PlaceKind

RESAMPLES = 1000
THRESHOLDS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
Row = dict[str, str | int | float]
Array = npt.NDArray[np.float64]
Part = Callable[[Judgement], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One place and what was said there, by way."""

    language: str
    kind: PlaceKind
    ways: Mapping[str, Judgement]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A share: the sum of one number over all places by the sum of another."""

    name: str
    part: Part
    of: Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value and the ends of its 95 % interval; all are not a number where there is nothing to measure."""

    value: float
    low: float
    high: float


def _all(_: Judgement) -> float:
    return 1.0


def _shown(it: Judgement) -> float:
    return float(it.shown)


def _judged(it: Judgement) -> float:
    return float(it.syntax.judged)


MEASURES = (
    Measure(name="exact", part=lambda it: it.exact, of=_all),
    Measure(name="similarity", part=lambda it: it.similarity, of=_all),
    Measure(name="first_token", part=lambda it: it.first_token, of=_all),
    Measure(name="coverage", part=_shown, of=_all),
    Measure(name="precision", part=lambda it: it.exact, of=_shown),
    Measure(name="repeats", part=lambda it: it.repeats, of=_shown),
    Measure(name="syntax_judged", part=_judged, of=_shown),
    Measure(name="breaks_syntax", part=lambda it: it.syntax.breaks, of=_judged),
    Measure(name="left_open", part=lambda it: it.syntax.left_open, of=_judged),
    Measure(name="worse_than_nothing", part=lambda it: it.syntax.worse, of=_judged),
)
"""The last three are of the shown suggestions in files whose real text has no faults."""
OVER_ALL = MEASURES[:4]
"""Those whose differences are taken place by place."""


def quality_rows(found: Sequence[Judged], ways: Sequence[str]) -> Iterator[Row]:
    """All measures by language, kind of place and way; then what both have more than each alone."""
    for language, kind, part in groups(found):
        weights = resamples(len(part))
        key: Row = {"language": language, "kind": kind}
        for way in ways:
            told = [it.ways[way] for it in part]
            yield {**key, "way": way, "n": len(part)} | _cells(told, MEASURES, weights)
        for other in ("memory", "model"):
            if other in ways and "both" in ways:
                yield {**key, "way": f"both - {other}", "n": len(part)} | _difference(
                    [it.ways["both"] for it in part], [it.ways[other] for it in part], weights
                )


def against_rows(new: Sequence[Judged], old: Sequence[Judged], ways: Sequence[str]) -> Iterator[Row]:
    """What one model has more than another at the same places."""
    for (language, kind, mine), (_, _, others) in zip(groups(new), groups(old), strict=True):
        weights = resamples(len(mine))
        for way in ways:
            apart = _difference([it.ways[way] for it in mine], [it.ways[way] for it in others], weights)
            yield {"language": language, "kind": kind, "way": way, "n": len(mine), **apart}


def threshold_rows(
    found: Sequence[Judged], open_ways: Sequence[str], levels: Mapping[str, float]
) -> Iterator[Row]:
    """Precision and coverage at random places, by the least chance that is shown; then at the settings.

    Those are what the product really shows there; their thresholds are told beside the names.
    """
    for language, kind, part in groups(found):
        if kind != "random":
            continue
        weights = resamples(len(part))
        for way in open_ways:
            told = [it.ways[way] for it in part]
            for threshold in THRESHOLDS:
                yield _at(told, threshold, weights, {"language": language, "way": way, "setting": ""})
        for level, threshold in levels.items():
            key: Row = {"language": language, "way": "both", "setting": level}
            yield {
                **_at([it.ways[level] for it in part], 0.0, weights, key),
                "threshold": round(threshold, 4),
            }


def reliability_rows(found: Sequence[Judged], open_ways: Sequence[str]) -> Iterator[Row]:
    """How well the chance tells what is right at random places, by way and source; a bin a row, then all."""
    for language, kind, part in groups(found):
        if kind != "random":
            continue
        for way in open_ways:
            told = [it.ways[way] for it in part if it.ways[way].shown]
            sources = sorted({it.source for it in told})
            for source in [*sources, "any"] if way == "both" else ["any"]:
                rows = [(it.chance, it.exact) for it in told if source in (it.source, "any")]
                yield from _reliability({"language": language, "way": way, "source": source}, rows)


def prompt_rows(
    kinds: Sequence[str], exact: Mapping[str, Sequence[float]], similar: Mapping[str, Sequence[float]]
) -> Iterator[Row]:
    """The same places asked by two prompts, by kind: each, and the second less the first."""
    first, second = exact
    for kind in ("all", *dict.fromkeys(kinds)):
        chosen = np.array([kind in ("all", it) for it in kinds])
        weights = resamples(int(chosen.sum()))
        for way, of in ((first, None), (second, None), (f"{second} - {first}", first)):
            row: Row = {"kind": kind, "way": way, "n": int(chosen.sum())}
            for name, values in (("exact", exact), ("similarity", similar)):
                mine = np.array(values[second if of else way], float)[chosen]
                if of:
                    mine = mine - np.array(values[of], float)[chosen]
                row |= _told(name, ratio(mine, np.ones_like(mine), weights))
            yield row


def groups(found: Sequence[Judged]) -> Iterator[tuple[str, str, list[Judged]]]:
    """By language: the random places together, then every kind."""
    for language in dict.fromkeys(it.language for it in found):
        mine = [it for it in found if it.language == language]
        for name, kinds in (("random", RANDOM), *((it, (it,)) for it in KINDS)):
            part = [it for it in mine if it.kind in kinds]
            if part:
                yield language, name, part


def resamples(count: int) -> Array:
    """How often each of so many places is drawn in each of the resamples; the same every time."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, count, size=(RESAMPLES, count))
    return np.stack([np.bincount(it, minlength=count) for it in drawn]).astype(np.float64)


def ratio(part: Array, of: Array, weights: Array) -> Interval:
    """The share and its interval; resamples that have nothing to measure do not count."""
    total = float(of.sum())
    if not total:
        return Interval(value=float("nan"), low=float("nan"), high=float("nan"))
    above, below = weights @ part, weights @ of
    shares = np.sort(above[0 < below] / below[0 < below])
    edge = len(shares) // 40
    return Interval(value=float(part.sum()) / total, low=float(shares[edge]), high=float(shares[-edge - 1]))


def _cells(told: Sequence[Judgement], measures: Sequence[Measure], weights: Array) -> Row:
    row: Row = {}
    for it in measures:
        part, of = (np.array([float(take(one)) for one in told]) for take in (it.part, it.of))
        row |= _told(it.name, ratio(part, of, weights))
    return row


def _difference(mine: Sequence[Judgement], others: Sequence[Judgement], weights: Array) -> Row:
    row: Row = {}
    for it in OVER_ALL:
        apart = np.array([float(it.part(a)) - float(it.part(b)) for a, b in zip(mine, others, strict=True)])
        row |= _told(it.name, ratio(apart, np.ones_like(apart), weights))
    return row


def _at(told: Sequence[Judgement], threshold: float, weights: Array, key: Row) -> Row:
    shown = np.array([float(it.shown and threshold <= it.chance) for it in told])
    right = np.array([float(it.exact) for it in told]) * shown
    row: Row = {**key, "threshold": threshold, "n": len(told)}
    row |= _told("coverage", ratio(shown, np.ones_like(shown), weights))
    return row | _told("precision", ratio(right, shown, weights))


def _reliability(key: Row, rows: Sequence[tuple[float, bool]]) -> Iterator[Row]:
    def row(chance: str, count: int, said: float, right: float, error: float) -> Row:
        numbers = {"said": round(said, 3), "right": round(right, 3), "error": round(error, 3)}
        return {**key, "chance": chance, "n": count, **numbers}

    for it in bins(rows):
        yield row(f"{it.low:.2f} to {it.high:.2f}", it.count, it.said, it.right, abs(it.said - it.right))
    if rows:
        said, right = (sum(float(it[at]) for it in rows) / len(rows) for at in (0, 1))
        yield row("all", len(rows), said, right, calibration_error(rows, BINS))


def _told(name: str, it: Interval) -> Row:
    return {name: _round(it.value), f"{name}_low": _round(it.low), f"{name}_high": _round(it.high)}


def _round(value: float) -> float | str:
    """Three digits, so that a rerun differs where something is different; empty where nothing is known."""
    return "" if value != value else round(value, 3) + 0.0


def columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """All columns that a row has, in the order in which they come first."""
    return list(dict.fromkeys(name for it in rows for name in it))
