"""What holds for every prediction, whatever the project and the place."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from codeindex.memory.coded import coded
from codeindex.memory.occurrence import Source as RealSource
from codeindex.memory.snapshot import Layer, Snapshot
from completion.memory.evidence import DEEPER, UP, Memory, Source
from completion.memory.predict import predict, written
from completion.spot import Spot, spot_at
from tests.codeindex.memory.corpus import segment_of
from tests.completion.fixtures import CONFIG, CURSOR, spot_of
from tests.completion.memory.brute import Brute
from tests.completion.memory.fixtures import HERE

WORDS = ["self", ".", "height", "width", "(", ")", "é", "日本", "👩🏽‍🚀", '"', "return x"]
SIGNS = [" = ", " {", "}", ":", ";"]
BREAKS = ["\n", "\n    ", "\n        ", "\n\t", "\r\n", "\n\n"]
TEXTS = st.lists(st.sampled_from([*WORDS, *SIGNS, *BREAKS, "\ud800", "\x01", "\x00"]), max_size=30).map(
    "".join
)
PROJECTS = st.dictionaries(st.sampled_from(["src/a", "src/b", "lib/c", "d"]), TEXTS, max_size=3)
CURSORS = st.integers(0, 80)


def spot_in(text: str, offset: int) -> Spot:
    return spot_at(text, offset, path="file", language="python", config=CONFIG)


def brute(text: str, project: dict[str, str]) -> Brute:
    return Brute((Source.OPEN, {HERE: text}), (Source.PROJECT, project))


@given(TEXTS, PROJECTS, CURSORS, st.sampled_from([1, 2, 6]))
@example("\nselfself\n    self\nselfself\n", {}, 10, 1).via("two steps out where there is only one")
def test_every_prediction(text: str, project: dict[str, str], offset: int, max_lines: int) -> None:
    """Whole characters, no marks of our own, never blank, and chances that are chances."""
    memory, spot = brute(text, project), spot_in(text, offset)
    found = predict(memory, spot, path=HERE, max_lines=max_lines)
    for it in found:
        assert it.text.strip()
        assert not set(it.text) & {"\r", "\0", "\x01", "\x02"}
        assert it.text.encode().decode() == it.text
        assert 0 <= it.chance <= 1
        assert it.lines == it.text.count("\n") + 1 <= max_lines
    assert sum(it.chance for it in found) <= 1 + 1e-9
    assert len({it.text for it in found}) == len(found)
    assert all(it.lines == 1 for it in found[1:])


@given(TEXTS, PROJECTS, CURSORS)
def test_what_is_predicted_stands_there(text: str, project: dict[str, str], offset: int) -> None:
    """The memory names a line that says it, half-typed word included: nothing is made up."""
    memory: Memory = brute(text, project)
    spot = spot_in(text, offset)
    documents = {HERE: text, **project}
    word = re.search(r"[A-Za-z_0-9]*\Z", spot.line_before)
    for it in predict(memory, spot, path=HERE, max_lines=3):
        if it.occurrence is not None:
            path, line = memory.where(it.occurrence)
            there = coded(documents[path]).split(b"\n")[line - 1].decode()
            said = it.text.split("\n")[0]
            assert (word.group() + said if word and spot.line_before else said.lstrip()) in there


@given(TEXTS, PROJECTS, CURSORS)
def test_the_best_comes_first(text: str, project: dict[str, str], offset: int) -> None:
    """Lines come by their chances."""
    chances = [it.chance for it in predict(brute(text, project), spot_in(text, offset), path=HERE)]
    assert chances == sorted(chances, reverse=True)


@given(TEXTS, PROJECTS, CURSORS)
def test_the_same_question_has_the_same_answer(text: str, project: dict[str, str], offset: int) -> None:
    """A suggestion does not flicker because a set or a dictionary changed its order."""
    answers = [
        predict(brute(text, given), spot_in(text, offset), path=HERE, max_lines=3)
        for given in (project, project.copy())
    ]
    assert answers[0] == answers[1]


@given(TEXTS, PROJECTS, CURSORS)
def test_the_real_memory_predicts_the_same(text: str, project: dict[str, str], offset: int) -> None:
    """Sorting suffixes and looking at every place are the same to whoever asks."""
    layers = [
        Layer(segment=segment_of({HERE: text}), source=RealSource.BUFFER),
        Layer(segment=segment_of(project), source=RealSource.PROJECT),
    ]
    spot = spot_in(text, offset)
    assert told(Snapshot(layers), spot) == told(brute(text, project), spot)


def told(memory: Memory, spot: Spot) -> list[tuple[object, ...]]:
    """The predictions, and where the memory says that they stand."""
    return [
        (it.text, it.chance, it.lines, it.occurrence and memory.where(it.occurrence))
        for it in predict(memory, spot, path=HERE, max_lines=3)
    ]


@given(
    st.lists(st.integers(-3, 1), max_size=8),
    st.sampled_from(["  ", "   ", "    ", "\t", "        "]),
    st.integers(0, 3),
    st.booleans(),
)
def test_a_block_written_anywhere_is_the_same_block(
    steps: list[int], unit: str, depth: int, is_begun: bool
) -> None:
    """Written at any depth, in any blanks, and coded again, its lines have the same codes."""
    block = [b"begin(" if is_begun else b"begin"]
    level = 0
    for number, step in enumerate(steps):
        allowed = max(step, -level)  # A block does not leave itself.
        level += allowed
        block.append((DEEPER if allowed == 1 else UP * -allowed) + b"line%d" % number)
    above = [f"{unit * it}above{it}" for it in range(depth + 1)]
    before = "\n".join(above) + "\n" + unit * depth + ("begin(" if is_begun else "")
    spot = spot_of(f"{before}{CURSOR}\n")
    typed = b"begin(" if is_begun else b""
    text = written([block[0].removeprefix(typed), *block[1:]], spot)
    assert text is not None
    assert coded(before + text).split(b"\n")[depth + 1 :] == block


def test_blanks_that_are_missing_at_the_margin_are_written() -> None:
    """Not every editor indents a new line before somebody types there."""
    spot = spot_of(f"if a:\n    if b:\n{CURSOR}\n")
    assert written([DEEPER + b"x", UP + b"y", UP + b"z"], spot) == "        x\n    y\nz"


def test_half_a_character_is_not_written() -> None:
    """The memory compares bytes; what is shown are characters."""
    assert written([b"x", "é".encode()[1:]], spot_of(CURSOR)) is None


def test_half_a_pair_in_the_document() -> None:
    """Some editors send halves of characters; they are asked with and never shown."""
    text = "a = [\ud800, 1]\nb = ["
    spot = spot_in(text, len(text))
    assert [it.text for it in predict(brute(text, {}), spot, path=HERE)][:1] == ["?, 1]"]
