"""Conversations are kept for all windows at once, found again, and gone when they are deleted."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat import history
from chat.conversation import (
    Conversation,
    Turn,
    as_markdown,
    back_to,
    title_of,
    turn_json,
    turn_value,
)
from chat.history import History, NoHistory
from chat.redact import Secret
from chat.types import Place

ROOT = Path(__file__).resolve().parent.parent.parent
NOBODY = 65534
PLACE = Place(path="a.py", first_line=3, last_line=9)


def turn(number: int, asked: str = "Why?", shown: str = "Because.", **rest: object) -> Turn:
    """A whole one."""
    values = {
        "id": f"t{number}", "at": 1000.0 + number, "asked": asked, "said": shown, "shown": shown,
        "prompt": f"[1] a.py\n{asked}", "numbers": {1: PLACE}, "tier": "local", "server": "small",
        "is_whole": True,
    } | rest  # fmt: skip
    return Turn(**values)  # type: ignore[arg-type]  # the fields of a turn


def talk(identity: str = "c1", *turns: Turn, **rest: Any) -> Conversation:
    """A conversation of these turns."""
    return Conversation(id=identity, title=rest.pop("title", "Why things are"), turns=turns, **rest)


@pytest.fixture
def kept(tmp_path: Path) -> History:
    """An empty history."""
    return History(tmp_path / "data" / history.NAME)


def test_what_was_kept_is_there(kept: History) -> None:
    """Word for word and byte for byte, with the places; the secrets alone are not kept."""
    whole = talk("c1", turn(1), turn(2, prompt="  two\n\n"), root="/p", system="Be brief.", summary="Of old.")
    secret = Secret(kind="jwt", placeholder="[secret: jwt]", value="abc")
    kept.keep(replace(whole, condensed=1, secrets=(secret,)), whole.turns)
    assert kept.get("c1") == replace(whole, condensed=1)
    assert b"abc" not in kept._path.read_bytes()


def test_it_is_for_the_user_alone(kept: History) -> None:
    """Also what SQLite makes beside it."""
    old = os.umask(0)
    try:
        kept.keep(talk("c1", turn(1)), [turn(1)])
        with kept._opened(writes=True):
            files = list(kept._path.parent.iterdir())
            assert {stat.S_IMODE(it.stat().st_mode) for it in files} == {0o600}
    finally:
        os.umask(old)
    assert stat.S_IMODE(kept._path.parent.stat().st_mode) == 0o700


def test_an_answer_grows(kept: History) -> None:
    """The same turn kept again is that turn, and what it says now is found."""
    first = turn(1, shown="", is_whole=False)
    kept.keep(talk("c1"), [first])
    kept.keep(talk("c1"), [replace(first, shown="Quicksort.", is_whole=True)])
    found = kept.get("c1")
    assert found
    assert [(it.shown, it.is_whole) for it in found.turns] == [("Quicksort.", True)]
    assert [it.turn for it in kept.search("quicksort")] == ["t1"]


def test_the_list_has_the_latest_first(kept: History) -> None:
    """Of all folders, or of one."""
    for name, root in (("a", "/one"), ("b", "/two"), ("c", "/one")):
        kept.keep(talk(name, root=root), [turn(1, id=f"t{name}")])
    kept.keep(talk("a", root="/one"), [turn(2)])
    assert [(it.id, it.turns) for it in kept.list()] == [("a", 2), ("c", 1), ("b", 1)]
    assert [it.id for it in kept.list(root="/one", limit=1)] == ["a"]
    assert [it.id for it in kept.list(root="/nowhere")] == []


def test_words_are_found(kept: History) -> None:
    """All of them, in question and answer, the last one also by its beginning; signs mean nothing."""
    kept.keep(talk("a"), [turn(1, "Where is parse_config called?", "In [main](src/main.py#L3).")])
    kept.keep(talk("b"), [turn(2, "Naïve question", "None.")])
    for query, found in (
        ("parse_config", ["t1"]), ("config MAIN", ["t1"]), ("conf", ["t1"]), ("naive", ["t2"]),
        ("parse nothing", []), ("", []), ('" OR *', []), ("nea(r", []), ("NOT", []),
    ):  # fmt: skip
        assert [it.turn for it in kept.search(query)] == found, query
    assert "parse_config" in kept.search("config")[0].excerpt


def test_a_name_stays(kept: History) -> None:
    """What the user called it is not overwritten by what comes after; empty gives it back."""
    kept.keep(talk("a", title="First words"), [turn(1)])
    assert kept.rename("a", " My  talk ")
    kept.keep(talk("a", title="First words"), [turn(2)])
    assert [it.title for it in kept.list()] == ["My talk"]
    assert not kept.rename("b", "x")


def test_the_beginning_of_an_id_is_enough(kept: History) -> None:
    """If it is that of one conversation alone."""
    for it in ("abc1", "abd2", "abd"):
        kept.keep(talk(it), [])
    found = {it: kept.get(it) for it in ("abc", "ab", "abd", "", "%", "_bc1", "x")}
    assert {key: it.id for key, it in found.items() if it} == {"abc": "abc1", "abd": "abd"}


def test_export(kept: History) -> None:
    """For people and for programs; of nothing, nothing."""
    kept.keep(
        talk("a"), [turn(1, "Why?\nTell me."), turn(2, shown="Half", is_whole=False, problem="It broke.")]
    )
    markdown = kept.export("a") or ""
    assert "# Why things are\n\n> Why?\n> Tell me.\n\nBecause.\n\n*small (local), " in markdown
    assert "Not whole. It broke.*" in markdown
    turns = json.loads(kept.export("a", "json") or "")["turns"]
    assert [turn_value(it) for it in turns] == list((kept.get("a") or talk()).turns)
    assert kept.export("b") is None


def test_what_is_deleted_is_gone(kept: History) -> None:
    """From the lists, and from the disk, the index of words included."""
    kept.keep(talk("a"), [turn(1, "About zanzibar", "The quagmire.")])
    kept.keep(talk("b"), [turn(2, "About something else")])
    assert kept.delete("a")
    assert not kept.delete("a")
    assert [it.id for it in kept.list()] == ["b"]
    assert kept.search("zanzibar") == ()
    on_disk = b"".join(it.read_bytes() for it in kept._path.parent.iterdir())
    assert not [it for it in (b"zanzibar", b"quagmire") if it in on_disk]
    assert kept.delete_all() == 1
    assert b"something" not in b"".join(it.read_bytes() for it in kept._path.parent.iterdir())


def test_a_question_asked_anew(kept: History) -> None:
    """The turns behind it go; another conversation's stay."""
    kept.keep(talk("a"), [turn(1), turn(2), turn(3)])
    kept.keep(talk("b"), [turn(4)])
    kept.drop("a", ["t2", "t3", "t4"])
    kept.drop("a", [])
    assert [it.id for it in (kept.get("a") or talk()).turns] == ["t1"]
    assert [it.id for it in (kept.get("b") or talk()).turns] == ["t4"]


def test_there_is_nothing_yet(kept: History) -> None:
    """Looking makes no file."""
    assert kept.list() == ()
    assert kept.search("x") == ()
    assert kept.get("a") is None
    assert not kept.delete("a")
    assert kept.delete_all() == 0
    assert not kept._path.parent.exists()


@pytest.mark.parametrize("content", [b"no database at all, " * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_one_is_put_aside(kept: History, content: bytes) -> None:
    """It is kept under another name, a sentence says so, and a new one begins."""
    kept._path.parent.mkdir(parents=True)
    kept._path.write_bytes(content)
    assert kept.list() == ()
    kept.keep(talk("a"), [turn(1)])
    assert [it.id for it in kept.list()] == ["a"]
    (aside,) = kept._path.parent.glob("*damaged*")
    assert aside.read_bytes() == content
    assert str(aside) in kept.problem


def test_pages_that_were_overwritten(kept: History) -> None:
    """Damage in the middle shows when it is read, and ends in the same way."""
    kept.keep(talk("a"), [turn(it, "word " * 2000) for it in range(20)])
    with kept._path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (kept._path.stat().st_size - 4096))
    kept.list()
    kept.keep(talk("b"), [turn(1)])
    assert [it.id for it in kept.list()] == ["b"]
    assert kept.problem


def test_another_window_was_faster(kept: History) -> None:
    """The new file that one window has begun is not put aside by the other."""
    kept._path.parent.mkdir(parents=True)
    kept._path.write_bytes(b"garbage " * 100)
    kept.keep(talk("a"), [turn(1)])
    History(kept._path)._put_aside()
    assert [it.id for it in kept.list()] == ["a"]


def test_a_newer_hearth_has_written_it(kept: History) -> None:
    """Then it is left as it is."""
    kept.keep(talk("a"), [turn(1)])
    with sqlite3.connect(kept._path) as db:
        db.execute("PRAGMA user_version = 999")
    db.close()
    with pytest.raises(NoHistory, match=r"a newer Hearth"):
        kept.keep(talk("b"), [])
    assert not list(kept._path.parent.glob("*damaged*"))


def test_there_is_no_place_for_it(tmp_path: Path) -> None:
    """One sentence, no more."""
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(NoHistory, match=r"cannot be written"):
        History(tmp_path / "data" / history.NAME).keep(talk("a"), [])
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(NoHistory, match=r"cannot be read"):
        History(folder).list()


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder, and from then on a user who may only look at it."""
    if os.geteuid() != 0:
        pytest.skip("only who may do all can become somebody who may not")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        os.seteuid(0)


def test_who_may_only_read(unprivileged: Path) -> None:
    """What is there can be read; what is said now is not kept, and a sentence says so."""
    kept = History(unprivileged / "data" / history.NAME)
    kept.keep(talk("a"), [turn(1)])
    for it in (kept._path.parent, kept._path):
        it.chmod(0o755)
    os.seteuid(NOBODY)
    assert [it.id for it in kept.list()] == ["a"]
    assert [it.turn for it in kept.search("because")] == ["t1"]
    with pytest.raises(NoHistory, match=r"cannot be written"):
        kept.keep(talk("b"), [turn(2)])


WRITER = """
import sys
from pathlib import Path
from chat.conversation import Conversation, Turn
from chat.history import History
kept, name = History(Path(sys.argv[1])), sys.argv[2]
for number in range(int(sys.argv[3])):
    it = Turn(id=f"{name}{number}", at=number, asked=f"{name} {number}", shown="word " * 50, is_whole=True)
    kept.keep(Conversation(id="shared"), [it])
    print(number, flush=True)
"""


def writer(kept: History, name: str, count: int) -> subprocess.Popen[bytes]:
    """Another window."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(kept._path), name, str(count)], cwd=ROOT, stdout=subprocess.PIPE
    )


def test_two_windows_on_one_conversation(kept: History) -> None:
    """Both begin it at once, and nothing of either is lost."""
    windows = [writer(kept, name, 25) for name in "ab"]
    for it in windows:
        it.communicate()
        assert it.returncode == 0
    ids = [it.id for it in (kept.get("shared") or talk()).turns]
    assert sorted(ids) == sorted(f"{name}{number}" for name in "ab" for number in range(25))
    assert [it for it in ids if it[0] == "a"] == [f"a{number}" for number in range(25)]


def test_killed_while_it_writes(kept: History) -> None:
    """What was kept before is there, and the file is sound."""
    window = writer(kept, "a", 10_000)
    assert window.stdout
    for _ in range(30):
        last = int(window.stdout.readline())
    window.kill()
    window.communicate()
    ids = [it.id for it in (kept.get("shared") or talk()).turns]
    assert ids[: last + 1] == [f"a{number}" for number in range(last + 1)]
    kept.keep(Conversation(id="shared"), [turn(1)])
    assert kept.search("because")
    assert not kept.problem


TEXT = st.text(alphabet=st.characters(), max_size=50)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(asked=TEXT, shown=TEXT, lines=st.tuples(st.integers(1, 99), st.integers(100, 999)))
def test_any_text_is_kept(kept: History, asked: str, shown: str, lines: tuple[int, int]) -> None:
    """Also what has no UTF-8 form, and the places to the line."""
    place = Place(path="ä/b c.py", first_line=lines[0], last_line=lines[1])
    said = turn(1, asked, shown, prompt=asked, numbers={7: place}, parts=frozenset({7}))
    kept.keep(talk("x"), [said])
    found = kept.get("x")
    assert found
    assert found.turns == (said,)
    kept.search(asked)


@pytest.mark.parametrize(
    "raw",
    [{}, {"at": "x", "task": 1, "numbers": [], "parts": {}, "tier": None}, {"numbers": {"a": 1, "2": [1]}}],
)
def test_what_makes_no_sense(raw: dict[str, object]) -> None:
    """Is as if nothing had been said."""
    assert turn_value(raw) == Turn(id="", at=0.0, asked="")
    assert turn_value(json.loads(json.dumps(turn_json(turn(1))))) == turn(1)


def test_what_the_model_has_before_it() -> None:
    """The places of the turns that are still sent."""
    other = Place(path="b.py", first_line=1, last_line=2)
    it = talk("a", turn(1), turn(2, numbers={2: other}))
    assert it.given == {1: PLACE, 2: other}
    assert replace(it, condensed=1, summary="Of old.").given == {2: other}


def test_back_to_a_turn() -> None:
    """All behind it goes; a summary of what goes goes too."""
    it = replace(talk("a", turn(1), turn(2), turn(3)), condensed=2, summary="Of old.")
    assert back_to(it, 2) == replace(it, turns=it.turns[:2])
    assert back_to(it, 1) == replace(it, turns=it.turns[:1], condensed=0, summary="")
    assert back_to(it, 9) == it
    assert back_to(it, -1).turns == ()


def test_titles() -> None:
    """The first words, cut at a word."""
    assert title_of("  Why\nis it? ") == "Why is it?"
    assert title_of("word " * 30) == " ".join(["word"] * 11) + "…"
    assert len(title_of("x" * 100)) == 60
    assert as_markdown(talk("a", title=""), str).startswith("# Conversation\n")
