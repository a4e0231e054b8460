"""The order of candidates: by what lists say, then by rules that each say why."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codeindex.query import read
from codeindex.rank import RULES, WEIGHTS, Definition, Listing, Piece, rank
from codeindex.types import Kind

LISTS = tuple(next(iter(WEIGHTS.values())))


def piece(number: int, path: str, name: str = "", *defines: Definition, line: int = 1) -> Piece:
    """A candidate."""
    return Piece(id=number, path=path, first_line=line, last_line=line + 9, name=name, defines=defines)


def paths(question: str, *pieces: Piece, rules: tuple[str, ...] = ()) -> list[str]:
    """The candidates' paths in order, given in the order of their list; only with some of the rules."""
    listing = Listing(name="lexical", entries=tuple((it.id, 1.0) for it in pieces))
    chosen = [it for it in RULES if it.name in rules]
    return [it.piece.path for it in rank(read(question), [listing], {it.id: it for it in pieces}, chosen)]


def test_without_rules_the_list_stays_as_it_is() -> None:
    """Fusing one list changes nothing."""
    assert paths("x", piece(1, "c.py"), piece(2, "a.py"), piece(3, "b.py")) == ["c.py", "a.py", "b.py"]


def test_what_is_on_two_lists_comes_before_what_is_on_one() -> None:
    """That is what fusing is for."""
    pieces = {n: piece(n, f"{n}.py") for n in (1, 2, 3)}
    listings = [
        Listing(name="lexical", entries=((1, 9.0), (2, 8.0))),
        Listing(name="dense", entries=((3, 0.9), (2, 0.8))),
    ]
    assert next(rank(read("how does it parse"), listings, pieces, ())).piece.id == 2


def test_a_definition_comes_before_its_uses() -> None:
    """Whoever asks for a name wants to see what it is."""
    use = piece(1, "use.py", "main")
    definition = piece(2, "session.py", "Session", Definition(name="Session", scope="", kind=Kind.CLASS))
    assert paths("Session", use, definition, rules=("definition",)) == ["session.py", "use.py"]


def test_of_two_definitions_the_one_in_the_scope_asked_for_is_first() -> None:
    """`Foo.bar` is not `Baz.bar`."""
    other = piece(1, "baz.py", "bar", Definition(name="bar", scope="Baz", kind=Kind.METHOD))
    asked = piece(2, "foo.py", "bar", Definition(name="bar", scope="Foo", kind=Kind.METHOD))
    assert paths("Foo.bar", other, asked, rules=("definition",)) == ["foo.py", "baz.py"]


def test_of_two_definitions_the_one_written_as_asked_is_first() -> None:
    """`Serialize` is the trait, `serialize` its method."""
    method = piece(1, "b.rs", "serialize", Definition(name="serialize", scope="", kind=Kind.METHOD))
    trait = piece(2, "a.rs", "Serialize", Definition(name="Serialize", scope="", kind=Kind.INTERFACE))
    assert paths("Serialize", method, trait, rules=("definition",)) == ["a.rs", "b.rs"]
    assert paths("serialize", trait, method, rules=("definition",)) == ["b.rs", "a.rs"]


def test_in_prose_a_name_is_not_what_is_asked_for() -> None:
    """It is what the question is about: its users answer as often as its definition."""
    user = piece(1, "use.py", "main")
    definition = piece(2, "b.py", "open_pool", Definition(name="open_pool", scope="", kind=Kind.FUNCTION))
    assert paths("how open_pool is retried", user, definition, rules=("definition",)) == ["use.py", "b.py"]


def test_a_file_that_is_called_like_the_question_comes_first() -> None:
    """`recovery.go` is about recovering."""
    assert paths("recovering from panics", piece(1, "a.go"), piece(2, "recovery.go"), rules=("stem",)) == [
        "recovery.go",
        "a.go",
    ]


def test_several_good_pieces_of_a_file_raise_its_best_one() -> None:
    """A file that has the topic in many places is about it."""
    pieces = (piece(1, "a.py"), piece(2, "b.py"), piece(3, "b.py", line=20), piece(4, "b.py", line=40))
    assert paths("how to parse", *pieces, rules=("coherence",))[0] == "b.py"


def test_tests_come_last_unless_they_are_asked_for() -> None:
    """Nobody who asks how parsing works wants its tests, but who asks for the tests does."""
    pieces = (piece(1, "tests/test_parse.py"), piece(2, "parse.py"))
    assert paths("how parsing works", *pieces, rules=("tests",)) == ["parse.py", "tests/test_parse.py"]
    assert paths("tests of parsing", *pieces, rules=("tests",)) == ["tests/test_parse.py", "parse.py"]


def test_a_file_does_not_fill_the_page() -> None:
    """The second piece of a file comes behind another file that is nearly as good."""
    pieces = (piece(1, "a.py"), piece(2, "a.py", line=20), piece(3, "b.py"))
    assert paths("how to parse", *pieces, rules=("repeated",)) == ["a.py", "b.py", "a.py"]


def test_every_signal_is_kept_and_leads_to_the_score() -> None:
    """What `--why` shows is what was counted."""
    found = piece(1, "tests/session.py", "Session", Definition(name="Session", scope="", kind=Kind.CLASS))
    listing = Listing(name="lexical", entries=((1, 3.5),))
    (ranked,) = rank(read("Session"), [listing], {1: found})
    names = [it.name for it in ranked.why]
    assert names[0] == "lexical"
    assert {"definition", "stem", "tests"} <= set(names)
    assert [it.name for it in RULES if it.name in names] == names[1:]
    assert ranked.why[-1].score == ranked.score
    assert all(it.reason for it in ranked.why)


def test_rules_have_names_of_their_own_and_reasons() -> None:
    """Each is shown to people."""
    assert len({it.name for it in RULES}) == len(RULES)
    assert all(it.reason and 0 < it.number for it in RULES)


ENTRIES = st.lists(st.tuples(st.integers(1, 12), st.floats(-5, 50)), max_size=15, unique_by=lambda it: it[0])
WORDS = st.sampled_from(
    ["parse", "Session", "tests", "router.ts", "how", "Foo.bar", "", "\0", '"', "ValueError: x"]
)


@given(
    st.lists(st.tuples(st.sampled_from(LISTS), ENTRIES), max_size=6),
    st.lists(WORDS, max_size=5).map(" ".join),
)
def test_whatever_is_found_is_in_the_order_once(
    listed: list[tuple[str, list[tuple[int, float]]]], text: str
) -> None:
    """Nothing is lost, nothing comes twice, scores do not rise, and the same input gives the same order."""
    pieces = {
        n: piece(n, f"{'tests/' if n % 3 else ''}f{n % 4}.py", f"parse{n}", line=n * 10) for n in range(1, 13)
    }
    listings = [Listing(name=name, entries=tuple(it)) for name, it in listed]
    found = list(rank(read(text), listings, pieces))
    assert sorted(it.piece.id for it in found) == sorted({key for it in listings for key, _ in it.entries})
    assert [it.score for it in found] == sorted((it.score for it in found), reverse=True)
    assert found == list(rank(read(text), listings, pieces))
