"""Places follow edits: whatever is done to a document, a region names the lines that it named."""

from __future__ import annotations

from itertools import count, pairwise

from hypothesis import given
from hypothesis import strategies as st

from completion.regions import (
    NEAR_LINES,
    REGION_LINES,
    TYPED_LINES,
    Drift,
    LineEdit,
    Region,
    drifted,
    edit_between,
    follow,
)

edits = st.tuples(st.integers(0, 200), st.integers(0, 12), st.integers(0, 12) | st.just(TYPED_LINES))
scripts = st.lists(edits, max_size=12)
sizes = st.integers(1, 150)


def edit_of(document: list[int], wanted: tuple[int, int, int]) -> LineEdit:
    """The edit, moved into the document."""
    line = wanted[0] % len(document)
    return LineEdit(line=line, removed=min(wanted[1], len(document) - line - 1), inserted=wanted[2])


def edited(document: list[int], edit: LineEdit, fresh: count[int]) -> list[int]:
    """The document afterwards: every touched line is another one."""
    new = [next(fresh) for _ in range(edit.inserted + 1)]
    return document[: edit.line] + new + document[edit.old_end :]


@given(size=sizes, script=scripts)
def test_a_region_names_the_same_lines_until_they_are_edited(
    size: int, script: list[tuple[int, int, int]]
) -> None:
    """Edits elsewhere move a region and change nothing in it; an edit of its own is in it."""
    fresh = count(size)
    document, regions = list(range(size)), tuple[Region, ...]()
    for when, wanted in enumerate(script, 1):
        edit = edit_of(document, wanted)
        said = {it.when: document[it.first : it.last] for it in regions}
        document = edited(document, edit, fresh)
        regions = follow(regions, edit, when)
        now = {it.when: document[it.first : it.last] for it in regions}
        mine = now.pop(when, None)
        assert all(said[it] == lines for it, lines in now.items())
        assert (mine is not None) == (edit.inserted < TYPED_LINES)
        assert mine is None or document[edit.new_end - 1] in mine
        assert all(0 <= it.first < it.last <= len(document) for it in regions)
        assert all(it.last - it.first <= REGION_LINES for it in regions)
        assert all(one.last <= other.first for one, other in pairwise(regions))


@given(size=sizes, script=scripts, ranges=st.lists(st.tuples(st.integers(0, 150), st.integers(1, 40))))
def test_a_drift_moves_what_no_edit_has_touched(
    size: int, script: list[tuple[int, int, int]], ranges: list[tuple[int, int]]
) -> None:
    """Many edits taken together as one: where a drift says that old lines are, there they are."""
    fresh = count(size)
    before = document = list(range(size))
    drift: Drift | None = None
    for wanted in script:
        edit = edit_of(document, wanted)
        document = edited(document, edit, fresh)
        drift = drifted(drift, edit)
    for first, length in ranges:
        last = min(first + length, size)
        if drift is None or size <= first:
            continue
        place = drift.moved(first, last)
        if place is not None:
            assert document[place[0] : place[1]] == before[first:last]
        else:
            assert first < drift.old_last
            assert drift.first < last


@given(old=st.lists(st.sampled_from("ab"), min_size=1), new=st.lists(st.sampled_from("ab"), min_size=1))
def test_what_changed_between_two_versions_is_one_edit(old: list[str], new: list[str]) -> None:
    """All outside of the edit is the same in both; the same twice is no edit."""
    edit = edit_between(old, new)
    if edit is None:
        assert old == new
        return
    assert old[: edit.line] == new[: edit.line]
    assert old[edit.old_end :] == new[edit.new_end :]
    assert edit.old_end <= len(old)
    assert edit.new_end <= len(new)
    assert old != new


def test_typing_goes_on_in_one_region() -> None:
    """Line after line is one place, also where somebody steps over a line or two."""
    regions: tuple[Region, ...] = ()
    for when, line in enumerate([10, 11, 12, 12 + NEAR_LINES, 9], 1):
        regions = follow(regions, LineEdit(line=line, removed=0, inserted=1), when)
    assert regions == (Region(first=9, last=18, when=5),)


def test_places_far_apart_stay_apart() -> None:
    """Two functions are two places, in the order of their lines, each with its own time."""
    regions = follow((), LineEdit(line=100, removed=0, inserted=0), 1)
    regions = follow(regions, LineEdit(line=5, removed=0, inserted=2), 2)
    assert regions == (Region(first=5, last=8, when=2), Region(first=102, last=103, when=1))


def test_what_nobody_typed_is_no_place() -> None:
    """A formatter or another branch replaces everything: what was edited there is gone, the rest moves."""
    regions = follow((), LineEdit(line=3, removed=0, inserted=0), 1)
    regions = follow(regions, LineEdit(line=200, removed=0, inserted=0), 2)
    regions = follow(regions, LineEdit(line=0, removed=50, inserted=TYPED_LINES), 3)
    assert regions == (Region(first=230, last=231, when=2),)
