"""Which line wins where two are equally likely by the votes, and how sure we are of it."""

from __future__ import annotations

import pytest

from completion.memory.beam import Candidate
from completion.memory.question import Question, question_at
from completion.memory.rank import CONFIDENCE_NAMES, NAMES, Ranked, confidence_row, ranked, rows_of
from tests.completion.fixtures import spot_of
from tests.completion.memory.fixtures import HERE, memory_of


def question(document: str, language: str = "python") -> Question:
    return question_at(memory_of(document), spot_of(document, language), path=HERE)


def said(text: str, chance: float = -1.0) -> Candidate:
    """A line that nothing but its text tells from another one."""
    return Candidate(text.encode(), chance, chance / 2, 4, ())


def order(found: list[Ranked]) -> list[str]:
    return [it.candidate.text.decode() for it in found]


@pytest.mark.parametrize(
    ("document", "good", "bad"),
    [
        ("value = call(‸\n", "a)", "a))"),
        ("value = table[‸\n", "a]", "a)]"),
        ("if (ready) {‸\n", " go(a); }", " go(a)); }"),
        ("value = ‸\n", "call(a)", "call(a"),
        ("value = ‸\nother = b\n", "a", "b))"),
        ("other = found\n‸\nreturn found\n", "return other", "return found"),
        ("close(first)\n‸\nother = 1\n", "close(other)", "close(first)"),
        ("first, second = pair\nvalue = ‸\n", "first", "unknown"),
    ],
)
def test_what_reads_wrong_ranks_behind(document: str, good: str, bad: str) -> None:
    """Brackets that close nothing, the line that stands there already, names that nobody knows."""
    for candidates in ([said(good), said(bad)], [said(bad), said(good)]):
        assert order(ranked(question(document), candidates, 8)) == [good, bad]


def test_what_is_likelier_ranks_before() -> None:
    """Where nothing else differs, the votes decide."""
    found = ranked(question("value = ‸\n"), [said("aaa", -6.0), said("bbb", -0.1)], 8)
    assert order(found) == ["bbb", "aaa"]
    assert found[1].confidence < found[0].confidence


def test_confidence_and_shares_are_probabilities() -> None:
    """Whatever the features say."""
    candidates = [said("a", -1e6), said("b" * 500, 0.0), said("", -3.0), said(")))", -700.0)]
    found = ranked(question("value = ‸\n"), candidates, 0)
    assert sum(it.share for it in found) == pytest.approx(1)
    assert all(0 <= it.confidence <= 1 and 0 <= it.share <= 1 for it in found)
    assert [it.score for it in found] == sorted((it.score for it in found), reverse=True)


def test_no_candidates() -> None:
    """Nothing is found in most places."""
    assert ranked(question("value = ‸\n"), [], 0) == []


def test_every_feature_has_its_name() -> None:
    """What is learned is written down by name; a row that is longer or shorter would shift them all."""
    (row,) = rows_of(question("value = ‸\n"), [said("a")], 1)
    assert len(row) == len(NAMES)
    assert len(confidence_row(row, 1.0, 0.0)) == len(CONFIDENCE_NAMES)
    told = dict(zip(NAMES, row, strict=True))
    assert (told["analog"], told["most_likely"], told["in_document"], told["one"]) == (1.0, 1.0, 0.0, 1.0)
