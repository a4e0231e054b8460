"""What a question finds in a real index, and that nothing is shown that is not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codeindex import search_words
from codeindex.query import ceiling
from codeindex.search_check import moved_to
from codeindex.search_words import by_words
from codeindex.store.read import Reader
from codeindex.types import Filters, Kind
from tests.codeindex.searched import Workspace, workspace

FRAME = 'Traceback:\n  File "/home/you/src/pool.py", line 5, in acquire_connection\nKeyError: 1'
BODY = "".join(f"    step_{it} = prepare(request, {it})\n" for it in range(12))
SESSION = f'''class Session:
    """Keeps connections open."""

    def request(self, url):
{BODY}        return send(url)


def close_session(session):
{BODY}    session.close()
'''
FILES = {
    "src/session.py": SESSION,
    "src/pool.py": f"from session import *\n\n\ndef acquire_connection(pool):\n{BODY}    return Session()\n",
    "src/router.ts": "export function matchRoute(path: string) {\n  return table.get(path);\n}\n",
    "tests/test_session.py": f"from session import Session\n\n\ndef test_it():\n{BODY}    assert Session()\n",
    "docs/sessions.md": "# Sessions\n\nA session keeps connections open.\n",
}


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace that no test changes."""
    made = workspace(tmp_path_factory.mktemp("still"), FILES)
    yield made
    made.reader.close()


@pytest.fixture
def changing(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace for one test to change."""
    made = workspace(tmp_path, FILES)
    yield made
    made.reader.close()


@pytest.mark.parametrize(
    ("question", "path"),
    {
        "Session": "src/session.py",
        "close_session": "src/session.py",
        "closeSession": "src/session.py",
        "Session.request": "src/session.py",
        "acquire_conection": "src/pool.py",  # with a typing error
        "how are connections acquired from the pool": "src/pool.py",
        "src/router.ts": "src/router.ts",
        "router.ts:2": "src/router.ts",
        "where routes are matched": "src/router.ts",
        FRAME: "src/pool.py",
        "tests of the session": "tests/test_session.py",
    }.items(),
)
def test_the_first_hit_is_what_was_asked_for(question: str, path: str, still: Workspace) -> None:
    """Each kind of question finds its file first."""
    assert still.paths(question)[0] == path


def test_a_hit_says_what_it_is_and_why(still: Workspace) -> None:
    """The editor shows the one, `--why` the other."""
    hit = still.hits("Session")[0]
    assert (hit.name, hit.kind, hit.language, hit.unsaved) == ("Session", Kind.CLASS, "python", False)
    assert {"lexical", "symbols", "definition"} <= {it.name for it in hit.why}
    assert hit.why[-1].score == hit.score


@pytest.mark.parametrize(
    ("where", "paths"),
    [
        (Filters(paths=("tests/",)), {"tests/test_session.py"}),
        (Filters(paths=("*.ts",)), set()),
        (Filters(languages=("markdown",)), {"docs/sessions.md"}),
        (Filters(kinds=(Kind.CLASS,)), {"src/session.py"}),
        (Filters(changed_since_ns=1 << 62), set()),
    ],
)
def test_filters_let_nothing_else_pass(where: Filters, paths: set[str], still: Workspace) -> None:
    """By every way of searching."""
    assert set(still.paths("Session", where=where)) <= paths
    assert set(still.paths("keep connections open", where=where)) <= paths


def test_a_limit_is_kept(still: Workspace) -> None:
    """And nothing is found twice."""
    assert len(still.hits("session", limit=2)) == 2
    places = [(it.path, it.first_line) for it in still.hits("session", limit=50)]
    assert len(places) == len(set(places))


@pytest.mark.parametrize(
    "question", ["", " ", '"', "NEAR(", "a* OR", "name : x", "\0", "zzzzqqqq", "*", "é中"]
)
def test_no_question_breaks_anything(question: str, still: Workspace) -> None:
    """An answer of nothing is an answer."""
    still.hits(question)


def test_lines_that_moved_are_found_where_they_are_now(changing: Workspace) -> None:
    """Somebody wrote a comment on top, and the index does not know yet."""
    before = changing.hits("close_session")[0]
    changing.write({"src/session.py": "# one\n# two\n" + FILES["src/session.py"]})
    after = changing.hits("close_session")[0]
    assert (after.first_line, after.text) == (before.first_line + 2, before.text)


def test_a_symbol_that_was_changed_is_shown_as_it_is_now(changing: Workspace) -> None:
    """Its lines are gone; it is found by its name."""
    changing.write({"src/pool.py": FILES["src/pool.py"].replace("return Session()", "return Session(pool)")})
    hit = next(it for it in changing.hits("acquire_connection") if it.path == "src/pool.py")
    assert "return Session(pool)" in hit.text


def test_what_is_gone_is_not_shown(changing: Workspace) -> None:
    """Not from a file that was emptied of it, and not from one that was deleted."""
    changing.write({"src/session.py": "x = 1\n"})
    (changing.root / "src/pool.py").unlink()
    assert not {"src/session.py", "src/pool.py"} & set(changing.paths("Session"))
    assert "src/pool.py" not in changing.paths("src/pool.py")


def test_a_renamed_file_is_not_shown_under_its_old_name(changing: Workspace) -> None:
    """The index hears of it later."""
    (changing.root / "src/pool.py").rename(changing.root / "src/basin.py")
    assert "src/pool.py" not in changing.paths("acquire_connection")


def test_a_file_that_became_a_secret_or_a_link_is_not_shown(changing: Workspace) -> None:
    """What would not be indexed now is not shown either."""
    data = "MIIEpAIBAAKCAQEAx7Gqb3JkZXIgdW4gY2Fmw6k\n" * 3
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{data}-----END RSA PRIVATE KEY-----\n"
    changing.write({"src/session.py": FILES["src/session.py"] + f'KEY = """{key}"""\n'})
    (changing.root / "src/pool.py").unlink()
    (changing.root / "src/pool.py").symlink_to(changing.root / "src/session.py")
    assert not {"src/session.py", "src/pool.py"} & set(changing.paths("Session"))


def test_a_file_that_is_ignored_since_is_not_shown_once_it_changed(changing: Workspace) -> None:
    """A text that was never judged is judged before it is shown."""
    changing.write({".gitignore": "pool.py\n", "src/pool.py": "# new\n" + FILES["src/pool.py"]})
    assert "src/pool.py" not in changing.paths("acquire_connection")


def test_one_text_in_two_files_is_shown_once_and_from_the_one_that_is_left(tmp_path: Path) -> None:
    """A copy is no second answer; where one is deleted, the other is it."""
    made = workspace(tmp_path, {"a/x.py": FILES["src/pool.py"], "b/x.py": FILES["src/pool.py"]})
    assert made.paths("acquire_connection") == ["a/x.py"]
    (made.root / "a/x.py").unlink()
    assert made.paths("acquire_connection") == ["b/x.py"]
    made.reader.close()


class Nearness:
    """A stand-in for an embedder: knows one chunk."""

    def __init__(self, chunk: int) -> None:
        self._chunk = chunk

    def near(self, query: str, limit: int) -> list[tuple[int, float]]:
        """That chunk, and one that is not there any more."""
        return [(self._chunk, 0.9), (999_999, 0.8)][:limit]


def test_what_only_means_the_same_is_found_by_its_vector(still: Workspace) -> None:
    """Without a common word; a vector of a chunk that is gone is passed over."""
    chunk = still.reader.chunks_of("src/router.ts")[0]
    hits = still.hits("qqqq wwww", dense=Nearness(chunk.id))
    assert [it.path for it in hits] == ["src/router.ts"]
    assert hits[0].why[0].name == "dense"
    assert not still.hits("qqqq wwww", dense=Nearness(chunk.id), where=Filters(languages=("go",)))
    assert not still.hits("qqqq wwww", dense=Nearness(chunk.id), where=Filters(paths=("*.go",)))


@pytest.mark.parametrize(
    "question", ["how is the string of a session closed and requested", "string", "Session"]
)
def test_a_large_index_is_asked_for_less(
    question: str, still: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only for the telling words, and for definitions of a name that stands everywhere."""
    everything = still.paths(question)
    monkeypatch.setattr("codeindex.search_words.LARGE", 0)
    monkeypatch.setattr("codeindex.search_words.SCORED", 3)
    found = still.paths(question)
    assert set(found) <= set(everything)
    assert found[:1] == everything[:1] or question == "string"


@pytest.mark.parametrize("scored", [1, 3, 5, 100])
def test_what_has_a_rare_word_is_scored_with_all_its_words(
    scored: int, still: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few are scored: the first is the same, and no score is another one."""
    terms = ("acquire", "connection", "session", "close", "pool")
    everything = dict(by_words(still.reader, terms, 100))
    monkeypatch.setattr("codeindex.search_words.LARGE", 0)
    monkeypatch.setattr("codeindex.search_words.SCORED", scored)
    found = by_words(still.reader, terms, 100)
    assert len({key for key, _ in found}) == len(found) <= len(everything)
    assert found[0][0] == next(iter(everything))
    rarest = [key for key, _ in by_words(still.reader, ("acquire",), 100)]
    scores = {key: score for key, score in found if key in rarest}
    assert scores == pytest.approx({key: everything[key] for key in rarest})


def test_a_part_that_is_not_looked_at_has_nothing_of_the_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same chunks with the same scores as if all parts were looked at; and some are not."""
    texts = ("alpha_beta(gamma)", "alpha()", "beta(gamma)", "gamma()", *[f"other_{it}()" for it in range(9)])
    files = {f"f{it}.py": f"def {texts[it % len(texts)]}:\n    return {it}\n" for it in range(80)}
    made = workspace(tmp_path, files)
    monkeypatch.setattr("codeindex.search_words.LARGE", 0)
    monkeypatch.setattr("codeindex.search_words.SCORED", 8)
    looked_at: list[str] = []
    unwatched = search_words.best

    def best(reader: Reader, match: str, limit: int, where: Filters) -> list[tuple[int, float]]:
        looked_at.append(match)
        return unwatched(reader, match, limit, where)

    monkeypatch.setattr("codeindex.search_words.best", best)
    for limit in (1, 3, 6, 100):
        monkeypatch.setattr("codeindex.search_words.ceiling", ceiling)
        found, few = by_words(made.reader, ("alpha", "beta", "gamma"), limit), len(looked_at)
        monkeypatch.setattr("codeindex.search_words.ceiling", lambda *_: float("inf"))
        assert by_words(made.reader, ("alpha", "beta", "gamma"), limit) == found
        assert few < len(looked_at) - few or limit == 100
        looked_at.clear()
    made.reader.close()


LINES = st.sampled_from(["", "a", "b", "    return", "x = 1"])


@given(st.lists(LINES, min_size=1, max_size=5), st.lists(LINES, max_size=12), st.integers(1, 12))
def test_lines_are_found_exactly_or_not_at_all(wanted: list[str], lines: list[str], near: int) -> None:
    """Where it says they are, they are; and if it says nothing, they are nowhere."""
    found = moved_to(wanted, lines, near)
    places = [it + 1 for it in range(len(lines)) if lines[it : it + len(wanted)] == wanted]
    assert found in places if places else found == 0


EDITS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(["", "new = 1", "def other():\n    pass"])), max_size=4
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS, question=st.sampled_from(["Session", "close_session", "how are connections acquired"]))
def test_there_is_never_a_ghost(edits: list[tuple[int, str]], question: str, changing: Workspace) -> None:
    """Whatever was done to a file behind the index's back (`hits` compares each with the disk)."""
    lines = FILES["src/session.py"].split("\n")
    for place, text in edits:
        lines[place : place + 1] = [text] if text else []
    changing.write({"src/session.py": "\n".join(lines)})
    changing.hits(question, limit=20)
    os.utime(changing.root / "src/session.py", (1, 1))
    changing.hits(question, limit=20)
