"""The vectors in memory are the store's, whatever happens to it, and the nearest are found."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codeindex import embed_near
from codeindex.embed import open_embedder
from codeindex.embed_near import QUESTIONS, ByMeaning, by_meaning
from codeindex.embed_pool import Floats, unit
from codeindex.embed_stored import StoredVectors
from codeindex.store.read import open_reader
from codeindex.vectors import LEVELS, Change, Vectors, ids_in, packed, turned, unpacked
from tests.codeindex.models import write_table
from tests.codeindex.test_embedding import Counting, Shelf, fill

WIDTH = 16


class Rows:
    """A store of vectors alone."""

    def __init__(self, model: str = "m") -> None:
        self.model = model
        self.rows: dict[int, bytes] = {}
        self.commits = 0

    def generation(self) -> int:
        return self.commits

    def ranges(self) -> NDArray[np.int64]:
        return np.array([(it, 1) for it in (*self.rows, 9_999)], np.int64)  # One that has no vector yet.

    def vectors(self, model: str, chunks: Collection[int] | None = None) -> Iterator[tuple[int, bytes]]:
        of_model = self.rows if model == self.model else {}
        return iter([it for it in of_model.items() if chunks is None or it[0] in chunks])

    def commit(self, put: dict[int, Floats] | None = None, gone: tuple[int, ...] = ()) -> None:
        self.commits += 1
        for it in gone:
            del self.rows[it]
        self.rows |= {it: packed(vector[None])[0] for it, vector in (put or {}).items()}


def drawn(count: int, seed: int = 0) -> Floats:
    return unit(np.random.default_rng(seed).standard_normal((count, WIDTH), np.float32))


def nearest(rows: Rows, asked: Floats, limit: int) -> list[int]:
    """By comparing all, in numpy."""
    data = np.frombuffer(b"".join(rows.rows.values()), np.uint8).reshape(len(rows.rows), -1)
    compared = unpacked(data, WIDTH).view(np.float16).astype(np.float32) @ turned(asked)
    cosines = dict(zip(rows.rows, compared.tolist(), strict=True))
    return sorted(cosines, key=lambda it: -cosines[it])[:limit]


def filled(count: int) -> tuple[Rows, Vectors, Floats]:
    rows, vectors = Rows(), Vectors("m", WIDTH)
    all_of_them = drawn(count)
    rows.commit({it * 3 + 7: all_of_them[it] for it in range(count)})
    assert vectors.refresh(rows) == Change(added=count, removed=0, unfit=0)
    return rows, vectors, all_of_them


def test_the_nearest_are_found() -> None:
    """The same as by comparing all, the nearest first, with their cosines."""
    rows, vectors, all_of_them = filled(5_000)
    for asked in drawn(20, seed=1):
        found = vectors.search(asked, 10)
        assert [it for it, _ in found] == nearest(rows, asked, 10)
    (chunk, cosine), *_ = vectors.search(all_of_them[5], 3)
    assert chunk == 22
    assert cosine == pytest.approx(1, abs=0.03)


def test_only_among_the_allowed() -> None:
    """A filter is kept to, also where it lets little pass or nothing."""
    _, vectors, all_of_them = filled(100)
    allowed = [7, 13, 16, 5_000]
    assert {it for it, _ in vectors.search(all_of_them[50], 10, allowed)} == {7, 13, 16}
    assert vectors.search(all_of_them[50], 10, []) == []
    assert [it for it, _ in vectors.search(all_of_them[50], 1, np.array([157, 7]))] == [157]


def test_no_more_than_there_are() -> None:
    """Of few, all; of none, none."""
    _, vectors, all_of_them = filled(3)
    assert len(vectors.search(all_of_them[0], 10)) == 3
    assert Vectors("m", WIDTH).search(all_of_them[0], 10) == []


def test_a_refresh_is_a_patch() -> None:
    """Only what has changed is touched; without a new generation nothing is even looked at."""
    rows, vectors, all_of_them = filled(100)
    assert vectors.refresh(rows) == Change(added=0, removed=0, unfit=0)
    rows.commit({1: all_of_them[0]}, gone=(7, 10))
    assert vectors.refresh(rows) == Change(added=1, removed=2, unfit=0)
    assert vectors.check(rows) == []
    assert vectors.search(all_of_them[0], 1)[0][0] == 1


def test_another_store_may_use_an_id_again() -> None:
    """Where the store was made anew, the same id with another vector is another chunk."""
    before, vectors, _ = filled(10)
    fresh = drawn(1, seed=9)[0]
    rows = Rows()
    rows.rows = dict(before.rows)
    rows.commit({7: fresh})
    assert rows.generation() == before.generation()
    assert vectors.refresh(rows) == Change(added=1, removed=1, unfit=0)
    assert vectors.search(fresh, 1)[0][0] == 7
    assert vectors.check(rows) == []


def test_rows_of_another_length_are_left_out() -> None:
    """A damaged row is not searched, and is counted."""
    rows, vectors, _ = filled(10)
    rows.commit()
    rows.rows[5] = b"short"
    assert vectors.refresh(rows) == Change(added=0, removed=0, unfit=1)
    rows.rows[7] = b"short"
    assert vectors.refresh(other_store(rows)) == Change(added=0, removed=1, unfit=2)
    assert len(vectors) == 9


def other_store(rows: Rows) -> Rows:
    """With the same rows."""
    found = Rows()
    found.rows, found.commits = dict(rows.rows), rows.commits
    return found


def test_all_gone() -> None:
    """An empty store empties the memory, which can be filled again."""
    rows, vectors, all_of_them = filled(10)
    kept, rows.rows = rows.rows, {}
    rows.commit()
    assert vectors.refresh(rows).removed == 10
    assert vectors.search(all_of_them[0], 5) == []
    rows.rows = kept
    rows.commit()
    assert vectors.refresh(rows).added == 10
    assert vectors.check(rows) == []


def test_check_tells_what_differs() -> None:
    """Each way to differ is a sentence with the chunks that do."""
    rows, vectors, _ = filled(10)
    extra, other = drawn(2, seed=4)
    rows.commit({1: extra, 10: other}, gone=(7,))
    assert vectors.check(rows) == [
        "1 chunks are in the store and not in memory: [1].",
        "1 chunks are in memory and not in the store: [7].",
        "1 chunks have another vector in memory than in the store: [10].",
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.integers(0, 40), st.integers(-1, 5), max_size=12), max_size=8))
def test_any_history_ends_like_the_store(history: list[dict[int, int]]) -> None:
    """Whatever was added, replaced and removed: ids and vectors are the store's, and so is what is found."""
    pool = drawn(6, seed=2)
    rows, vectors = Rows(), Vectors("m", WIDTH)
    for step in history:
        gone = tuple(it for it, what in step.items() if what < 0 and it in rows.rows)
        put = {it: pool[what] for it, what in step.items() if 0 <= what}
        if put.keys() & rows.rows.keys():  # Only a store that was made anew uses an id again.
            rows = other_store(rows)
        rows.commit(put, gone)
        vectors.refresh(rows)
        assert vectors.check(rows) == []
        assert len(vectors) == len(rows.rows)
        assert {it for it, _ in vectors.search(pool[0], 100)} == rows.rows.keys()


@given(
    st.integers(1, 400),
    st.integers(0, 50),
    st.integers(0, 2**32 - 1),
    st.floats(1e-3, 1e3),
    st.integers(1, 5),
)
def test_packing_keeps_the_direction(width: int, count: int, seed: int, length: float, power: int) -> None:
    """Half a byte for each number; what comes back points nearly the same way, at length 1.

    Also where few numbers are as large as all others together, as they are in what models give.
    """
    drawn_ones = np.random.default_rng(seed).standard_normal((count, width), np.float32)
    vectors = unit(np.sign(drawn_ones) * np.abs(drawn_ones) ** power) * length
    back = as_compared(packed(vectors), width)
    assert back == pytest.approx(unit(back), abs=2e-3)
    cosines = np.einsum("ij,ij->i", back, turned(unit(vectors)))
    assert (cosines > (0.98 if width % 128 == 0 else 0.6)).all()


def as_compared(rows: list[bytes], width: int) -> Floats:
    """Unpacked, in numbers."""
    assert {len(it) for it in rows} <= {(width + 1) // 2}
    data = np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), (width + 1) // 2)
    codes = unpacked(data, width)
    return codes.view(np.float16).astype(np.float32).reshape(len(rows), width)


@given(st.integers(1, 600), st.integers(0, 2**32 - 1))
def test_turning_changes_no_angle(width: int, seed: int) -> None:
    """Every cosine is what it was, so that turned vectors can be compared with turned questions."""
    vectors = np.random.default_rng(seed).standard_normal((5, width), np.float32)
    there = turned(vectors)
    assert there @ there.T == pytest.approx(vectors @ vectors.T, rel=1e-3, abs=1e-2)
    assert turned(vectors[2]) == pytest.approx(there[2], abs=1e-4)


@pytest.mark.parametrize("width", [2, 8, 64, 256])
def test_what_points_along_an_axis_is_kept_whole(width: int) -> None:
    """Turning spreads a single number over all: none of them is too large for its steps."""
    axes = np.eye(width, dtype=np.float32)
    assert np.abs(turned(axes)).max() == pytest.approx(width**-0.5)
    assert np.einsum("ij,ij->i", as_compared(packed(axes), width), turned(axes)) == pytest.approx(1, abs=1e-2)


def test_a_packed_number_is_the_nearest_step() -> None:
    """Of numbers as they come, each is taken for the level that is nearest to it."""
    vectors = drawn(200, seed=3)
    found = turned(vectors)
    levels = found / np.sqrt(np.square(found).mean(axis=1, keepdims=True))
    wanted = unit(LEVELS[np.abs(levels[:, :, None] - LEVELS).argmin(axis=2)])
    assert as_compared(packed(vectors), WIDTH) == pytest.approx(wanted, abs=1e-3)


def test_a_vector_of_zeros_stays_one() -> None:
    """It is the one of a text without a token that the model knows; beside it others are what they are."""
    rows = packed(np.array([[0, 0, 0, 0, 0], [-1, -1, -1, -1, -1]], np.float32))
    assert not any(rows[0])
    assert any(rows[1])
    zeros, other = as_compared(rows, 5)
    assert not zeros.any()
    assert np.linalg.norm(other) == pytest.approx(1, abs=1e-3)


def test_by_meaning(tmp_path: Path) -> None:
    """From a model's folder and a real store to the chunks that mean what is asked."""
    shelf = Shelf(tmp_path / "store")
    lines = ("open file", "sort list", "read")
    shelf.put("a.py", *lines)
    folder = write_table(tmp_path / "model")
    fill(shelf, Counting(open_embedder(folder)))
    reader = open_reader(tmp_path / "store")
    assert reader is not None
    meaning = by_meaning(folder, reader)
    ids = [it.id for it in reader.chunks_of("a.py")]
    for line, chunk in zip(lines, ids, strict=True):
        (found, cosine), *_ = meaning.near(line, 2)
        assert found == chunk
        assert cosine == pytest.approx(1, abs=0.03)
    assert [it for it, _ in meaning.near("sort list", 2, allowed=ids[:1])] == ids[:1]
    assert meaning.near("  ", 2) == []
    shelf.put("a.py", "sort list", "list")
    fill(shelf, Counting(open_embedder(folder)))
    stored = StoredVectors(reader)
    meaning.vectors.refresh(stored)
    shelf.put("a.py", "list", "sort list", "open")
    fill(shelf, Counting(open_embedder(folder)))
    assert meaning.vectors.refresh(stored) == Change(added=3, removed=2, unfit=0)
    assert meaning.vectors.check(stored) == []
    assert set(ids_in(stored.ranges()).tolist()) == {it.id for it in reader.chunks_of("a.py")}
    assert len(meaning.near("open file", 5)) == 3


def test_a_look_rests_as_long_as_it_is_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for again at once after a long look, it does not look, but later; a quick one needs no rest."""
    shelf = Shelf(tmp_path / "store")
    meaning = by_meaning(write_table(tmp_path / "model"), shelf.reader)
    monkeypatch.setattr(embed_near, "QUICK_S", 60.0)
    assert [meaning.refresh(shelf.reader) for _ in range(100)].count(True) == 100
    monkeypatch.setattr(embed_near, "QUICK_S", 0.0)
    assert [meaning.refresh(shelf.reader) for _ in range(100)].count(True) < 100
    meaning._rest_until = 0
    assert meaning.refresh(shelf.reader)


def test_a_question_is_embedded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest questions are remembered, and no more of them than there is room for."""
    embedder = open_embedder(write_table(tmp_path))
    asked: list[str] = []
    real = embedder.query

    def counted(text: str) -> NDArray[np.float32]:
        asked.append(text)
        return real(text)

    monkeypatch.setattr(embedder, "query", counted)
    vectors = Vectors(embedder.model, embedder.dimensions)
    rows = Rows(embedder.model)
    rows.commit({1: embedder.documents(["open"])[0]})
    vectors.refresh(rows)
    meaning = ByMeaning(embedder, vectors)
    assert [it for _ in range(3) for it, _ in meaning.near("open", 1)] == [1, 1, 1]
    assert asked == ["open"]
    for it in range(QUESTIONS):
        meaning.near(f"read {it}", 1)
    meaning.near("open", 1)
    assert asked.count("open") == 2
