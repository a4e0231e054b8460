"""Segments on disk: what was written is read, and a damaged file is found out and never a crash."""

from __future__ import annotations

import random
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codeindex.memory import disk
from codeindex.memory.errors import Damaged
from codeindex.memory.occurrence import Source
from codeindex.memory.segment import Segment
from codeindex.memory.segment_file import open_segment, write_segment
from codeindex.memory.snapshot import Layer, Snapshot
from tests.codeindex.memory.corpus import PATHS, TEXTS, segment_of

WORDS = ("def", "return", "value", "self", "call(one,", "two)", "=", "+", "x", "y", "import", "from", "é")


def some_texts(count: int = 20) -> dict[str, str]:
    rng = random.Random(1)
    return {
        f"f{it}.py": "\n".join(" ".join(rng.choices(WORDS, k=6)) for _ in range(60)) for it in range(count)
    }


def answers(segment: Segment) -> list[tuple[object, ...]]:
    snapshot = Snapshot([Layer(segment=segment, source=Source.PROJECT)])
    contexts = (b"", b"self call(", b"\nimport ", b"x", b"return value self")
    return [tuple(it) for one in contexts for it in snapshot.near(one, path="a.py", line=1)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(texts=st.dictionaries(st.sampled_from(PATHS), TEXTS))
def test_what_was_written_is_read(tmp_path: Path, texts: dict[str, str]) -> None:
    """The same documents, the same answers."""
    segment = segment_of(texts)
    write_segment(segment, tmp_path / "a")
    found = open_segment(tmp_path / "a", thoroughly=True)
    assert list(found.documents) == list(segment.documents)
    assert [found.coded(it) for it in range(len(texts))] == [segment.coded(it) for it in range(len(texts))]
    assert answers(found) == answers(segment)
    write_segment(found, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_file_is_private_and_small(tmp_path: Path) -> None:
    """The user's code is for the user alone, and costs at most six times its size."""
    folder = disk.private_folder(tmp_path / "memory")
    segment = segment_of(some_texts())
    write_segment(segment, folder / "a")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "a").stat().st_mode) == 0o600
    assert (folder / "a").stat().st_size <= 6 * segment.size


DAMAGES = {
    "empty": lambda data: b"",
    "cut in the head": lambda data: data[:40],
    "cut in the text": lambda data: data[:1_000],
    "cut at the end": lambda data: data[:-1],
    "longer": lambda data: data + b"x",
    "zeros": lambda data: bytes(len(data)),
    "another kind": lambda data: b"GGUF" + data[4:],
    "another format": lambda data: data[:8] + b"\x09\0\0\0" + data[12:],
    "sizes": lambda data: data[:16] + b"\xff" * 8 + data[24:],
    "the table": lambda data: data[:-30] + b"7" + data[-29:],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_is_found_at_once(damage: object, tmp_path: Path) -> None:
    """Whatever is wrong with the file, opening it says so, in one way."""
    write_segment(segment_of(some_texts()), tmp_path / "a")
    assert callable(damage)
    (tmp_path / "a").write_bytes(damage((tmp_path / "a").read_bytes()))
    with pytest.raises(Damaged):
        open_segment(tmp_path / "a")


def test_what_is_not_there(tmp_path: Path) -> None:
    """A missing file is a damaged one."""
    with pytest.raises(Damaged):
        open_segment(tmp_path / "a")


def test_flipped_bytes_do_no_harm(tmp_path: Path) -> None:
    """A thorough look finds every flipped byte; who has not looked yet gets wrong answers, but answers."""
    write_segment(segment_of(some_texts()), tmp_path / "a")
    data = (tmp_path / "a").read_bytes()
    rng = random.Random(3)
    for _ in range(40):
        spoilt = bytearray(data)
        for _ in range(rng.choice([1, 2_000])):
            spoilt[rng.randrange(80, len(data))] ^= rng.randrange(1, 256)
        (tmp_path / "b").write_bytes(spoilt)
        with pytest.raises(Damaged):
            open_segment(tmp_path / "b", thoroughly=True)
        try:
            segment = open_segment(tmp_path / "b")
        except Damaged:
            continue
        answers(segment)


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """All or nothing: what was there is there, and nothing half done lies about."""
    (tmp_path / "a").write_bytes(b"old")

    def pieces() -> list[bytes]:
        raise OSError("The disk is full.")

    with pytest.raises(OSError, match="full"):
        disk.write_whole(tmp_path / "a", (it for _ in "a" for it in pieces()))
    assert [it.name for it in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"
