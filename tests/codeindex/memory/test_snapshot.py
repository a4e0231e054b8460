"""The question asked of the memory: the same answers as looking at every place, and what must stay out."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from codeindex.memory.coded import CONTEXT_BYTES, coded, coded_context
from codeindex.memory.nearest import insertion
from codeindex.memory.occurrence import Occurrence, Source
from codeindex.memory.segment import Written, build_segment
from codeindex.memory.snapshot import Layer, Snapshot, Stats
from tests.codeindex.memory.corpus import PATHS, TEXTS, Place, every_place, segment_of

LAYERS = st.builds(
    lambda texts, source, dead, private, first_line: Layer(
        segment=segment_of(texts, first_line),
        source=source,
        dead=frozenset(dead) & frozenset(range(len(texts))),
        private=private,
    ),
    st.dictionaries(st.sampled_from(PATHS), TEXTS, min_size=1),
    st.sampled_from([Source.BUFFER, Source.PROJECT, Source.DEPENDENCY, Source.STANDARD]),
    st.sets(st.integers(0, 4)),
    st.booleans(),
    st.sampled_from([1, 7]),
)


@settings(deadline=None)
@given(
    st.lists(LAYERS, max_size=3),
    TEXTS,
    st.sampled_from(PATHS),
    st.integers(1, 12),
    st.sets(st.sampled_from(PATHS)),
    st.sampled_from([1, 3, 32]),
)
def test_near_is_what_looking_at_every_place_finds(
    layers: list[Layer], before: str, path: str, line: int, hidden: set[str], limit: int
) -> None:
    """The longest agreements there are, exactly as long as said, and nothing that must stay out."""
    snapshot = Snapshot(layers, hidden=frozenset(hidden))
    context = coded_context(before)
    found = snapshot.near(context, path=path, line=line, limit=limit)
    assert [it.matched for it in found] == sorted((it.matched for it in found), reverse=True)
    for number, layer in enumerate(snapshot.layers):
        expected = every_place(layer, context, path=path, line=line, hidden=sorted(hidden))
        of_layer = [it for it in found if it.origin[0] == number]
        assert len({it.origin for it in of_layer}) == len(of_layer) <= 2 * limit
        assert not Counter(place(snapshot, it) for it in of_layer) - Counter(expected)
        best = [it.matched for it in of_layer][:limit]
        assert best == [it.matched for it in expected][:limit]


def place(snapshot: Snapshot, it: Occurrence) -> Place:
    path, line = snapshot.where(it)
    assert path == it.path
    return Place(it.matched, it.source, it.distance, it.after, it.path, line)


def test_what_follows_is_told() -> None:
    """The point of it all."""
    project = segment_of({"a.py": "def f(x):\n    return x + 1\n", "b.py": "y = 1\n"})
    snapshot = Snapshot([Layer(segment=project, source=Source.PROJECT)])
    (best, *_) = snapshot.near(snapshot.context("    def f(x):\n        ret"), path="new.py", line=2)
    assert (best.matched, best.after) == (14, b"urn x + 1\n")
    assert snapshot.where(best) == ("a.py", 2)


def test_a_document_that_is_not_open() -> None:
    """Asked about a file as it is on disk, its own lines and its neighbors are told apart all the same."""
    project = segment_of({"m/a.py": "one = 1\n\none = 2\n", "m/b.py": "one = 3\n", "n/c.py": "one = 4\n"})
    snapshot = Snapshot([Layer(segment=project, source=Source.PROJECT)])
    found = snapshot.near(b"one = ", path="m/a.py", line=2)
    best = {it.after[:1]: (it.source, it.distance) for it in found if it.matched == 6}
    assert best == {
        b"1": (Source.ABOVE, 1),
        b"2": (Source.BELOW, 1),
        b"3": (Source.FOLDER, -1),
        b"4": (Source.PROJECT, -1),
    }


def test_one_text_a_hundred_thousand_times() -> None:
    """Where everything agrees, the answer is still short, and none of it wrong."""
    block = "value = compute(one, two, three, four)\n"
    many = build_segment([Written(path="a.py", text=coded(block * 100_000))])
    snapshot = Snapshot([Layer(segment=many, source=Source.PROJECT)])
    found = snapshot.near(snapshot.context(block * 3 + "value = "), path="b.py", line=4)
    assert {(it.matched, it.after[:12]) for it in found[:32]} == {(CONTEXT_BYTES, b"compute(one,")}
    assert len(found) <= 64


def test_many_dead_places_in_front_of_a_living_one() -> None:
    """A file that was replaced does not keep what is left of it elsewhere from being found."""
    same = coded("wanted = here\n" * 300)
    segment = build_segment(
        [Written(path="old.py", text=same), Written(path="new.py", text=coded("wanted = 1"))]
    )
    layer = Layer(segment=segment, source=Source.PROJECT, dead=frozenset({0}))
    (best, *_) = Snapshot([layer]).near(b"wanted = ", path="x.py", line=1)
    assert (best.path, best.after) == ("new.py", b"1")


def test_a_context_from_outside() -> None:
    """Whatever bytes are asked with, nothing agrees across the border of two documents."""
    segment = segment_of({"a.py": "one", "b.py": "two"})
    snapshot = Snapshot([Layer(segment=segment, source=Source.PROJECT)])
    (best, *_) = snapshot.near(b"one\0t", path="c.py", line=1)
    assert (best.matched, best.after) == (1, b"wo")


def test_nothing_is_known() -> None:
    """An empty memory answers, too."""
    assert Snapshot([]).near(b"a", path="a.py", line=1) == []
    assert Snapshot([]).stats() == Stats(layers=0, documents=0, bytes=0)
    empty = Layer(segment=build_segment([]), source=Source.PROJECT)
    assert Snapshot([empty]).near(b"a", path="a.py", line=1) == []
    blank = Layer(segment=segment_of({"a.py": ""}), source=Source.PROJECT)
    assert Snapshot([blank]).near(b"a", path="b.py", line=1) == []


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(PATHS), TEXTS), TEXTS)
def test_insertion_is_where_the_context_would_stand(texts: dict[str, str], before: str) -> None:
    """All places before the point read backwards as less, all after it do not."""
    segment = segment_of(texts)
    key = coded_context(before)[::-1]
    point = insertion(segment.text, segment.runs[0], key)
    backwards = [
        bytes(segment.text[it - CONTEXT_BYTES : it])[::-1][: len(key)] for it in segment.runs[0].ends
    ]
    assert all(it < key for it in backwards[:point])
    assert all(key <= it for it in backwards[point:])


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(PATHS), TEXTS, min_size=1))
def test_every_place_is_there_once(texts: dict[str, str]) -> None:
    """From before the first byte of the first document to after the last of the last."""
    segment = segment_of(texts)
    assert sorted(segment.runs[0].ends) == list(range(CONTEXT_BYTES, len(segment.text) + 1))
    assert [segment.coded(it) for it in range(len(texts))] == [coded(it) for it in texts.values()]
    assert segment.runs[0].ends.dtype == np.int32
