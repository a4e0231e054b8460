"""Documents from the editor: after any edits the same as when just opened, and little work for each."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeindex.memory import buffers as module
from codeindex.memory.blocks import blocks, cut
from codeindex.memory.buffers import Buffers, Learn
from codeindex.memory.coded import CONTEXT_BYTES, coded, coded_context
from codeindex.memory.occurrence import Source
from codeindex.memory.segment import build_segment
from codeindex.memory.snapshot import Layer, Snapshot
from tests.codeindex.memory.corpus import PATHS, TEXTS, every_place, segment_of

STATES = st.tuples(
    st.sampled_from(PATHS), TEXTS, st.sampled_from(Learn), st.sampled_from(["put", "put", "put", "drop"])
)


def long_text(lines: int, seed: int = 1) -> str:
    rng = random.Random(seed)
    return "".join(
        f"{'    ' * rng.randrange(4)}name_{rng.randrange(99)} = call({rng.random():.4f})\n"
        for _ in range(lines)
    )


def documents(layers: tuple[Layer, ...]) -> dict[str, bytes]:
    """Every living document and its text; each is there once."""
    found: dict[str, bytes] = {}
    for layer in layers:
        for number, it in enumerate(layer.segment.documents):
            if number not in layer.dead:
                assert it.path not in found
                found[it.path] = layer.segment.coded(number)
    return found


def places(layer: Layer) -> list[int]:
    return sorted(int(it) + run.base for run in layer.segment.runs for it in run.ends)


def assert_sorted(layer: Layer) -> None:
    """Every run is sorted by what stands before, as far as is ever compared; every place is there once."""
    text = layer.segment.text
    for run in layer.segment.runs:
        before = [text[it + run.base - CONTEXT_BYTES : it + run.base][::-1] for it in run.ends.tolist()]
        cleared = [it.partition(b"\0")[0] for it in before]
        assert cleared == sorted(cleared)
    of = layer.segment.documents
    assert places(layer) == [at for it in of for at in range(it.start, it.stop + 1)]


@settings(max_examples=60, deadline=None)
@given(st.lists(STATES, max_size=25), st.sampled_from([0, 2, 100]))
def test_any_edits_end_where_a_fresh_start_does(steps: list[tuple[str, str, Learn, str]], few: int) -> None:
    """What is known depends on the documents as they are, not on how they became so."""
    buffers, expected = Buffers(), dict[str, tuple[str, Learn]]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FEW", few)
        for path, text, learn, what in steps:
            if what == "put":
                buffers.put(path, text, learn=learn)
                expected[path] = (text, learn)
            else:
                buffers.drop(path)
                expected.pop(path, None)
            layers = buffers.segments()
            learned = {
                path: coded(text) for path, (text, learn) in expected.items() if learn is not Learn.NOWHERE
            }
            assert documents(layers) == learned
            assert buffers.paths == set(expected)
            for layer in layers:
                assert_sorted(layer)
                of = {it.path for n, it in enumerate(layer.segment.documents) if n not in layer.dead}
                assert {expected[it][1] is Learn.ITSELF for it in of} == {layer.private}


@pytest.mark.parametrize("seed", range(6))
def test_a_long_document_after_edits(seed: int) -> None:
    """Blocks that are kept are the blocks that would be made."""
    rng = random.Random(seed)
    text = long_text(2_500, seed)
    buffers = Buffers()
    for _ in range(5):
        buffers.put("a.py", text)
        (layer,) = buffers.segments()
        assert layer.segment.coded(0) == coded(text)
        assert 1 < len(layer.segment.runs) < 30
        assert_sorted(layer)
        at = rng.randrange(len(text))
        inserted = rng.choice(["", "x", "\n", "    y\n", long_text(300, 5)])
        text = text[:at] + inserted + text[at + rng.choice([0, 1, 30, 3_000]) :]


def test_a_long_document_answers_as_a_short_one() -> None:
    """Blocks are not seen in the answers: the best of all blocks, and no more of them."""
    text = long_text(2_000)
    buffers = Buffers()
    buffers.put("a.py", text)
    (layer,) = buffers.segments()
    assert 1 < len(layer.segment.runs)
    for line in (1, 1_999):
        before = "\n".join(text.split("\n")[:line]) + "\n    name_7"
        found = Snapshot([layer]).near(coded_context(before), path="a.py", line=line + 1, limit=8)
        whole = Layer(segment=segment_of({"a.py": text}), source=Source.BUFFER)
        expected = every_place(whole, coded_context(before), path="a.py", line=line + 1)
        assert [it.matched for it in found][:8] == [it.matched for it in expected][:8]
        assert len(found) <= 16


def test_a_keystroke_sorts_one_block() -> None:
    """Typing in a document of 400 KB does the work for one block of it, sometimes two, never all."""
    text = long_text(14_000)
    assert 400_000 < len(text)
    known = dict(blocks(text, {}))
    sorted_again = []
    for at in range(1_000, len(text), 37_003):
        edited = text[:at] + "x" + text[at:]
        made = blocks(edited, known)
        sorted_again.append(sum(key not in known for key, _ in made))
    assert 8 <= len(known) <= 28
    assert 1 <= min(sorted_again)
    assert sum(sorted_again) / len(sorted_again) < 1.5


@pytest.mark.parametrize(
    "text", ["", "a", "\n", "a" * 200_000, "a" * 100_000 + "\n" + "b" * 100_000, "\n" * 90_000]
)
def test_odd_texts_are_cut_without_loss(text: str) -> None:
    """Whatever the lines are like, the pieces are the text."""
    assert b"".join(cut(text.encode())) == text.encode()
    assert b"".join(it.text for _, it in blocks(text, {})) == coded(text)


def test_who_learns_from_whom() -> None:
    """A secret teaches nobody, not even itself, and is not kept; an ignored file teaches itself alone."""
    buffers = Buffers()
    buffers.put("secret.py", "token = 'abc'\n", learn=Learn.NOWHERE)
    buffers.put("ignored.py", "ignored = 1\n", learn=Learn.ITSELF)
    snapshot = Snapshot(buffers.segments(), hidden=buffers.paths)
    assert snapshot.near(b"token", path="secret.py", line=9) == []
    assert snapshot.near(b"ignored", path="other.py", line=9) == []
    (best, *_) = snapshot.near(b"ignored", path="ignored.py", line=9)
    assert (best.after, best.source, best.distance) == (b" = 1\n", Source.ABOVE, 8)
    assert "abc" not in repr(vars(buffers))


def test_who_was_edited_last() -> None:
    """The documents edited last are told from those that are only open, sorted together or not."""
    buffers = Buffers()
    for number in range(12):
        buffers.put(f"f{number}.py", f"value = {number}\n", edited=number % 2 == 0)
    buffers.put("here.py", "value = ?\n", edited=True)
    for _ in range(2):
        snapshot = Snapshot(buffers.segments())
        near = snapshot.near(b"value = ", path="here.py", line=9, limit=32)
        found = [it for it in near if it.matched == len(b"value = ")]
        assert {it.after for it in found if it.source == Source.ABOVE} == {b"?\n"}
        assert {it.after for it in found if it.source == Source.EDITED} == {b"6\n", b"8\n", b"10\n"}
        assert len([it for it in found if it.source == Source.BUFFER]) == 9
        buffers.put("here.py", "value = ?\n", edited=True)


def test_the_screen_counts_not_the_disk() -> None:
    """An open document hides its own version on disk, and closing it brings that back."""
    disk = Layer(segment=segment_of({"a.py": "value = old\n"}), source=Source.PROJECT)
    buffers = Buffers()
    buffers.put("a.py", "value = new\n")
    open_now = Snapshot([*buffers.segments(), disk], hidden=buffers.paths)
    assert {it.after for it in open_now.near(b"value = ", path="b.py", line=1)[:1]} == {b"new\n"}
    assert not any(b"old" in it.after for it in open_now.near(b"value = ", path="b.py", line=1))
    buffers.drop("a.py")
    closed = Snapshot([*buffers.segments(), disk], hidden=buffers.paths)
    assert closed.near(b"value = ", path="b.py", line=1)[0].after == b"old\n"


def test_a_saved_file_stays_until_the_disk_knows_it() -> None:
    """Between saving and the next generation nothing is forgotten, and after it nothing is kept twice."""
    buffers = Buffers()
    buffers.put("a.py", "value = 1\n", open=False, version=(10, 500))
    buffers.on_disk({"a.py": (10, 400)})
    assert buffers.paths == {"a.py"}
    buffers.on_disk({"a.py": (10, 500)})
    assert buffers.paths == frozenset()
    assert buffers.segments() == ()


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much is saved or opened, the newest of it is kept, and only that."""
    monkeypatch.setattr(module, "SAVED_CHARACTERS", 25)
    monkeypatch.setattr(module, "OPEN_CHARACTERS", 15)
    buffers = Buffers()
    for number in range(5):
        buffers.put(f"saved{number}.py", "0123456789", open=False)
        buffers.put(f"open{number}.py", "0123456789")
    assert buffers.paths == {"saved3.py", "saved4.py", "open4.py"}


def test_a_huge_document_is_looked_at_around_the_cursor() -> None:
    """Two million characters and more: the lines around the cursor, with their own numbers."""
    text = "".join(f"line_{number} = {number}\n" for number in range(1, 120_001))
    buffers = Buffers()
    buffers.put("big.py", text, line=60_000)
    (layer,) = buffers.segments()
    assert layer.segment.size < 450_000
    snapshot = Snapshot([layer])
    (best, *_) = snapshot.near(b"\nline_59990 =", path="big.py", line=60_000)
    assert snapshot.where(best) == ("big.py", 59_990)
    assert (best.distance, best.source, best.after[:6]) == (10, Source.ABOVE, b" 59990")
    buffers.put("big.py", text, line=10**9)
    assert buffers.segments()[0].segment.coded(0).endswith(b"line_120000 = 120000\n")


def test_an_empty_segment_is_no_layer() -> None:
    """Nothing open, nothing to ask."""
    assert Buffers().segments() == ()
    assert build_segment([]).size == 0
