"""What is said about many keystrokes: percentiles, sources, tables, the picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.keystrokes.engine import difference, read_counters
from benchmarks.keystrokes.measured import (
    Followed,
    Played,
    Sample,
    Source,
    evaluated_for,
    source_of,
    spread,
    summary,
)
from benchmarks.keystrokes.plot import svg
from benchmarks.keystrokes.report import Report, as_json, markdown, ratio

LATENCIES = st.lists(st.floats(0.01, 1e5), max_size=50)
SVG = "{http://www.w3.org/2000/svg}"


def sample(
    ms: float, source: Source = "anchor", *, new: int | None = 1, produced: int | None = 8, shown: bool = True
) -> Sample:
    return Sample(ms=ms, source=source, shown=shown, new=new, prompt=900, produced=produced, first_ms=ms / 4)


def report() -> Report:
    """A small run."""
    ours = Played(
        samples=[sample(100), sample(110), sample(3, "cache", new=None), sample(50, produced=4)],
        first=[sample(900, "cold", new=900)],
        cpu_s=0.5,
        memory_mb={"server": 80.0, "engine": 600.0},
        evaluated=1000,
    )
    return Report(
        about={"model": "m.gguf", "trace": "5 keys"},
        tokens=8,
        hearth="Hearth",
        bare="9 bare steps",
        closed={"Hearth": ours, "9 bare steps": Played(samples=[sample(80, "peer") for _ in range(4)])},
        not_run={"a server": "it is not here"},
        real=Played(samples=[sample(90), sample(70)], cpu_s=0.2, evaluated=4),
        at_once={"Hearth": [sample(400, "cold", new=300)]},
        dwelt={"Hearth": [sample(120)]},
        dwell_s=0.5,
        follow=Followed(typed=[sample(2, "cache")], accepted=[sample(4, "cache")], silent=1),
        cold_s=(2.5,),
    )


def test_percentiles_are_of_the_nearest_rank() -> None:
    """A percentile is one of the values: the smallest that so many percent do not exceed."""
    known = spread(range(1, 101))
    assert known is not None
    assert (known.p50, known.p90, known.p95, known.p99, known.most) == (50, 90, 95, 99, 100)
    one = spread([7.0])
    assert one is not None
    assert (one.p50, one.p99) == (7.0, 7.0)
    assert spread([]) is None


@given(LATENCIES.filter(bool))
def test_percentiles_are_in_order(values: list[float]) -> None:
    """They grow, and none lies outside of the values."""
    known = spread(values)
    assert known is not None
    assert min(values) <= known.p50 <= known.p90 <= known.p95 <= known.p99 <= known.most == max(values)


def test_the_source_is_what_the_server_logged() -> None:
    """No line: nobody was asked. A prompt that was in memory but for a few tokens is the anchor's."""
    assert source_of(None, 3) == "none"
    assert source_of({"source": "model", "cached": "1"}, None) == "cache"
    assert source_of({"source": "memory", "cached": "0"}, None) == "memory"
    assert source_of({"source": "model", "cached": "0"}, 2) == "anchor"
    assert source_of({"source": "model", "cached": "0"}, 700) == "cold"
    assert source_of({"source": "model", "cached": "0"}, None) == "untold"


def test_counters_are_read_and_subtracted() -> None:
    """Lines with labels add up; comments are no values; what was not there counts from zero."""
    before = read_counters("# HELP x y\nhearth_requests_total 2\n")
    after = read_counters('hearth_requests_total{for="a"} 3\nhearth_requests_total{for="b"} 4\n')
    assert difference(before, after, "requests") == 5
    assert difference({}, after, "requests") == 7


def test_tokens_of_two_answers_at_once_are_not_one_answers() -> None:
    """What was read ahead and ended in the same moment must not look like the keystroke's own reading."""
    before = {"prompt_tokens": 100.0, "cached_tokens": 90.0, "requests": 3.0}
    alone = {"prompt_tokens": 350.0, "cached_tokens": 338.0, "requests": 4.0}
    assert evaluated_for({}, before, alone) == (250, 2)
    with_much = {"prompt_tokens": 1350.0, "cached_tokens": 338.0, "requests": 5.0}
    assert evaluated_for({}, before, with_much) == (None, None)
    with_little = {"prompt_tokens": 600.0, "cached_tokens": 585.0, "requests": 5.0}
    assert evaluated_for({}, before, with_little) == (None, 5)
    assert evaluated_for({}, before, before) == (None, None)
    assert evaluated_for({"prompt": "250", "new": "1"}, before, with_much) == (250, 1)


def test_only_what_a_model_answered_counts_as_asked() -> None:
    """What came from the cache would flatter the model's time."""
    known = summary(report().closed["Hearth"].samples, 8)
    assert (known.keys, known.asked) == (4, 3)
    assert known.full_ms is not None
    assert (known.full_ms.count, known.full_ms.p50) == (2, 100)
    assert known.cache_ms is not None
    assert known.cache_ms.p50 == 3
    assert known.sources == {"anchor": 3, "cache": 1}


def test_the_tables_say_what_was_measured() -> None:
    """Every part of a run is in the report: also what was not run, and the ratio that is the target."""
    text = markdown(report())
    assert ratio(report()) == 1.25
    for part in (
        "| 1.25 |",
        "not run: it is not here",
        "Real time",
        "After a jump",
        "typing the sug",
        "2.50 s",
    ):
        assert part in text
    rows = [it for it in text.splitlines() if it.startswith("|")]
    assert all(it.endswith("|") for it in rows)


def test_each_table_has_equal_rows() -> None:
    """A row with a cell too many is no table any more."""
    for block in markdown(report()).split("\n\n"):
        rows = [it for it in block.splitlines() if it.startswith("|")]
        assert len({it.count("|") for it in rows}) <= 1


def test_json_has_every_keystroke() -> None:
    """Programs get the samples, not only what we thought of them."""
    data = as_json(report())
    assert len(data["closed_loop"]["Hearth"]["samples"]) == 4
    assert data["closed_loop"]["Hearth"]["summary"]["full_ms"]["p50"] == 100
    assert data["jumps"]["after_0.5_s"]["Hearth"][0]["ms"] == 120


@given(st.dictionaries(st.text(alphabet="<&\"' abc", max_size=8), LATENCIES, max_size=4))
def test_the_picture_is_well_formed(rows: dict[str, list[float]]) -> None:
    """Whatever the ways are called, the picture is XML with a dot for every keystroke, all of them inside."""
    picture = ET.fromstring(svg("A & B", rows))
    width, height = (float(picture.attrib[it]) for it in ("width", "height"))
    dots = list(picture.iter(f"{SVG}circle"))
    assert len(dots) == sum(map(len, rows.values()))
    assert all(0 <= float(it.attrib["cx"]) <= width for it in dots)
    assert all(0 <= float(it.attrib["cy"]) <= height for it in dots)
    names = [it.text or "" for it in picture.iter(f"{SVG}text")]
    assert all(it in names for it in rows)
