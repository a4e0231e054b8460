"""What is embedded of a chunk, in which order, how little of it, and never twice: on the real store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.shape_onnx import wordpiece
from codeindex.embed import Embedder, open_embedder
from codeindex.embed_idle import copy_vectors, embed_some
from codeindex.embed_pool import unit
from codeindex.embedding import embedded_hash, embedded_text, in_order, own_lines
from codeindex.store.disk import size_on_disk
from codeindex.store.read import Reader, open_reader
from codeindex.store.rows import Indexed, content_hash, content_of
from codeindex.store.write import Writer, open_writer
from codeindex.types import Chunk, Parsed
from codeindex.vectors import packed
from models.errors import ModelError
from tests.codeindex.models import write_table

LONG = 1_000.0  # Seconds: longer than any test.


class Counting:
    """A real embedder, and what it was given."""

    def __init__(self, embedder: Embedder, batch: int = 8) -> None:
        self.model = embedder.model
        self.batch = batch
        self.texts: list[str] = []
        self.broken_after = 1_000_000
        self._embedder = embedder

    def documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.texts += texts
        if self.broken_after < len(self.texts):
            raise ModelError("The model fails.")
        return self._embedder.documents(texts)


class Shelf:
    """A store on disk with files of one-line chunks."""

    def __init__(self, folder: Path) -> None:
        self.writer: Writer = open_writer(folder, rules="r")
        found = open_reader(folder)
        assert found is not None
        self.reader: Reader = found
        self._time = 0

    def put(self, path: str, *lines: str, gone: Sequence[str] = ()) -> None:
        """As if the file were saved now."""
        self._time += 1
        text = "\n".join(lines)
        file = Indexed(
            path=path,
            size=len(text),
            mtime_ns=self._time,
            ctime_ns=self._time,
            inode=1,
            hash=content_hash("python", text),
            content=content_of(text, parsed(lines)),
        )
        assert not self.writer.replace([file], gone)


def parsed(lines: Sequence[str]) -> Parsed:
    chunks = tuple(piece(it, signature="", doc="", scope="") for it in range(1, len(lines) + 1))
    return Parsed(
        language="python",
        lines=len(lines),
        symbols=(),
        references=(),
        imports=(),
        chunks=chunks,
        degraded=False,
    )


def piece(line: int, *, signature: str, doc: str, scope: str) -> Chunk:
    return Chunk(
        first_line=line,
        last_line=line,
        kind=None,
        name="",
        scope=scope,
        signature=signature,
        doc=doc,
        defines=(),
    )


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "store")


@pytest.fixture
def embedder(tmp_path: Path) -> Counting:
    return Counting(open_embedder(write_table(tmp_path / "model")))


def fill(shelf: Shelf, embedder: Counting, **how: Sequence[str]) -> int:
    return embed_some(
        shelf.reader,
        shelf.writer,
        embedder,
        budget_seconds=LONG,
        pause=lambda: False,
        first=how.get("first", ()),
    )


def test_the_header_comes_before_the_lines() -> None:
    """Scope, signature and doc; the path is nowhere."""
    chunk = piece(3, scope="Shop.Cart", signature="def total(self) -> int", doc="What it costs.")
    assert embedded_text(chunk, "    return 1\n") == (
        "Shop.Cart\ndef total(self) -> int\nWhat it costs.\n    return 1"
    )


def test_what_the_lines_say_is_not_said_twice() -> None:
    """A head that is in the lines, however it is broken into lines there, does not come before them."""
    chunk = piece(1, scope="", signature="def total(self, tax: int) -> int", doc="What it costs.")
    text = 'def total(self,\n          tax: int) -> int:\n    """What it costs."""'
    assert embedded_text(chunk, text) == text


def test_the_hash_is_of_the_text() -> None:
    """8 bytes of blake2b; half a character pair breaks nothing."""
    assert embedded_hash("é") == hashlib.blake2b("é".encode(), digest_size=8).digest()
    assert embedded_hash("\udc80") != embedded_hash("\udc81")


def test_own_lines() -> None:
    """Both ends belong; other characters that look like line ends do not count."""
    assert own_lines("a\nb\x0cb\u2028b\nc\n", 2, 3) == "b\x0cb\u2028b\nc"


def test_the_order() -> None:
    """Those that are wanted first, in that order; the others as they were."""
    missing = [(b"a", 1), (b"b", 2), (b"c", 3), (b"d", 4)]
    assert in_order(missing, [b"d", b"x", b"b", b"d"]) == [(b"d", 4), (b"b", 2), (b"a", 1), (b"c", 3)]


def test_all_chunks_get_their_vectors(shelf: Shelf, embedder: Counting) -> None:
    """Those that the embedder gives, packed; the second time there is nothing to do."""
    shelf.put("a.py", "open file", "sort list")
    assert fill(shelf, embedder) == 2
    stored = dict(shelf.reader.vectors(embedder.model))
    for row in shelf.reader.chunks_of("a.py"):
        line = ["open file", "sort list"][row.first_line - 1]
        (expected,) = embedder.documents([line])
        assert stored[row.id] == packed(unit(expected[None]))[0]
    embedder.texts.clear()
    assert fill(shelf, embedder) == 0
    assert embedder.texts == []


def test_nothing_is_embedded_twice(shelf: Shelf, embedder: Counting) -> None:
    """A rename, another branch and back, a copied file, an undone change: all cost nothing."""
    shelf.put("a.py", "open file", "sort list")
    shelf.put("b.py", "read file")
    fill(shelf, embedder)
    embedder.texts.clear()
    shelf.put("c.py", "open file", "sort list", gone=["a.py"])
    shelf.put("copy/b.py", "read file")
    assert fill(shelf, embedder) == 0
    shelf.put("c.py", "open file", "sort . list")
    assert fill(shelf, embedder) == 1
    assert embedder.texts == ["sort . list"]
    shelf.put("c.py", "open file", "sort list")
    shelf.put("c.py", "open file", "sort . list")
    shelf.put("a.py", "sort list", "open file", "read file", gone=["b.py", "c.py"])
    assert fill(shelf, embedder) == 0
    assert embedder.texts == ["sort . list"]


def test_open_files_come_first(shelf: Shelf, embedder: Counting) -> None:
    """Then those that changed lately, the latest before the others."""
    for name, line in (("a.py", "open"), ("b.py", "read"), ("c.py", "sort"), ("d.py", "list"), ("e.py", ".")):
        shelf.put(name, line)
    fill(shelf, embedder, first=["b.py", "gone.py", "a.py"])
    assert embedder.texts == ["read", "open", ".", "list", "sort"]


def test_it_stops_when_asked_and_goes_on_later(shelf: Shelf, embedder: Counting) -> None:
    """After the batch at hand, whose vectors are kept."""
    shelf.put("a.py", *[f"list {'. ' * it}" for it in range(20)])
    answers = iter([False, False, True])
    done = embed_some(shelf.reader, shelf.writer, embedder, budget_seconds=LONG, pause=lambda: next(answers))
    assert 0 < done < 20
    assert shelf.reader.counts().vectors == done == len(embedder.texts)
    assert fill(shelf, embedder) == 20 - done
    assert len(set(embedder.texts)) == len(embedder.texts) == 20


def test_no_time_no_work(shelf: Shelf, embedder: Counting) -> None:
    """Without a budget, or while somebody wants the processor, the embedder is not asked."""
    shelf.put("a.py", "open file")
    how = ((0.0, lambda: False), (LONG, lambda: True))
    for budget, pause in how:
        done = embed_some(shelf.reader, shelf.writer, embedder, budget_seconds=budget, pause=pause)
        assert done == 0
    assert embedder.texts == []


def test_what_was_done_before_a_failure_is_kept(shelf: Shelf, embedder: Counting) -> None:
    """A model that fails says so, once, and takes nothing away."""
    shelf.put("a.py", *[f"list {'. ' * it}" for it in range(20)])
    embedder.broken_after = 5
    with pytest.raises(ModelError):
        fill(shelf, embedder)
    assert shelf.reader.counts().vectors == 4


def test_another_worktrees_vectors_are_copied(shelf: Shelf, embedder: Counting, tmp_path: Path) -> None:
    """What it has of the same texts is not computed again; what it has of others stays there."""
    other = Shelf(tmp_path / "other")
    other.put("a.py", "open file", "sort list", "read")
    fill(other, embedder)
    embedder.texts.clear()
    shelf.put("b.py", "sort list", "list", "open file")
    done = embed_some(
        shelf.reader,
        shelf.writer,
        embedder,
        budget_seconds=LONG,
        pause=lambda: False,
        siblings=[Shelf(tmp_path / "empty").reader, other.reader],
    )
    assert done == 3
    assert embedder.texts == ["list"]
    theirs = dict(by_hash(other.reader, embedder.model))
    ours = dict(by_hash(shelf.reader, embedder.model))
    both = theirs.keys() & ours.keys()
    assert len(both) == 2
    assert all(theirs[it] == ours[it] for it in both)


def test_many_vectors_of_another_worktree(shelf: Shelf, embedder: Counting, tmp_path: Path) -> None:
    """More than are asked for or kept together."""
    other = Shelf(tmp_path / "other")
    other.put("a.py", *[f"open {it}" for it in range(1_300)])
    fill(other, embedder)
    shelf.put("b.py", *[f"open {it}" for it in range(1_299, -1, -1)])
    assert copy_vectors(shelf.reader, shelf.writer, embedder.model, [other.reader]) == 1_300
    assert shelf.reader.missing_vectors(embedder.model, 1) == []


def test_models_do_not_mix(shelf: Shelf, embedder: Counting, tmp_path: Path) -> None:
    """Another model's vectors are of no use: all is embedded again, and both are kept apart."""
    shelf.put("a.py", "open file")
    fill(shelf, embedder)
    other = Counting(open_embedder(write_table(tmp_path / "cut", truncate=4)))
    assert fill(shelf, other) == 1
    assert [len(it) for _, it in shelf.reader.vectors(embedder.model)] == [4]
    assert [len(it) for _, it in shelf.reader.vectors(other.model)] == [2]


def by_hash(reader: Reader, model: str) -> Iterator[tuple[bytes, bytes]]:
    for chunk, data in list(reader.vectors(model)):
        yield reader.chunks([chunk])[chunk].hash, data


def test_after_a_rest_it_goes_on(shelf: Shelf, tmp_path: Path) -> None:
    """What was let go of comes back when there is something to do: the same vectors."""
    embedder = open_embedder(
        write_table(tmp_path / "model", tokens=wordpiece(["open file sort list read"], 60))
    )
    texts = ["open file", "sort list", "read file", "open list", "read"]
    before = embedder.documents(texts)
    for number, text in enumerate(texts):
        shelf.put(f"{number}.py", text)
        embedder.rest()
        shelf.writer.rest()
        assert embed_some(shelf.reader, shelf.writer, embedder, budget_seconds=LONG, pause=lambda: False) == 1
    embedder.rest()
    assert np.array_equal(embedder.documents(texts), before)
    assert shelf.reader.counts().vectors == len(texts)
    assert shelf.writer.verify() == []


def test_vectors_take_little_more_than_their_bytes(shelf: Shelf, tmp_path: Path) -> None:
    """On disk, however they come: in a tree of their hashes each would take a page."""
    chance = np.random.default_rng(1)
    shelf.writer.checkpoint()
    before = size_on_disk(tmp_path / "store")
    rows = [(chance.bytes(8), chance.bytes(128)) for _ in range(2_000)]
    for start in range(0, len(rows), 100):
        shelf.writer.put_vectors("m", rows[start : start + 100])
    shelf.writer.put_vectors("m", rows[:50])
    shelf.writer.checkpoint()
    assert shelf.reader.counts().vectors == 2_000
    assert size_on_disk(tmp_path / "store") - before < 1.5 * 2_000 * (128 + 8)
