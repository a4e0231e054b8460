"""The decision log: bounded, shared by all windows, without anybody's text, and never in anybody's way."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chat import why
from chat.router import Decision, Places, Policy, Request, Server, decide, next_after
from models.spec import BackendSpec

SERVER = Server(spec=BackendSpec(name="small", model="m", url="http://127.0.0.1:1"))


def decision(tokens: int = 10) -> Decision:
    """Any decision."""
    return decide(Request(task="ask", tokens_in=tokens), Places(servers=(SERVER,)), Policy())


def test_decisions_are_read_back_newest_first(tmp_path: Path) -> None:
    """With who, why and how much; a fallback is a decision too."""
    first = decision()
    second = next_after(first, "overloaded")
    assert second is not None
    noted = [why.note(tmp_path, first), why.note(tmp_path, second)]
    assert list(why.decisions(tmp_path)) == noted[::-1]
    assert [(it.tier, it.server, it.rule) for it in noted] == [
        ("local", "small", "preference"),
        ("extractive", "", "after overloaded"),
    ]
    assert why.decisions(tmp_path, limit=1) == (noted[1],)


def test_it_stays_small(tmp_path: Path) -> None:
    """However long it is used: the newest are kept, the file is bounded and the user's alone."""
    line = why.LARGEST // 900 * b'{"at": 1}\n'
    (tmp_path / why.NAME).write_bytes(100 * line)
    for number in range(2 * why.MOST):
        why.note(tmp_path, decision(number))
        assert (tmp_path / why.NAME).stat().st_size <= why.LARGEST
    found = why.decisions(tmp_path)
    assert [it.tokens_in for it in found] == list(range(2 * why.MOST - 1, why.MOST - 1, -1))
    assert stat.S_IMODE((tmp_path / why.NAME).stat().st_mode) == 0o600


def test_torn_and_foreign_lines_are_passed_over(tmp_path: Path) -> None:
    """Half a line from a process that died is ended by the next one, and shown to nobody."""
    why.note(tmp_path, decision(1))
    path = tmp_path / why.NAME
    path.write_bytes(path.read_bytes() + b'[1]\n{"at": "x"}\n\xff\n{"at": 5, "task')
    why.note(tmp_path, decision(2))
    assert [it.tokens_in for it in why.decisions(tmp_path)] == [2, 1]


def test_it_stops_nothing(tmp_path: Path) -> None:
    """Where it cannot be written, the decision holds all the same; what is not there is not shown."""
    (tmp_path / "file").write_text("")
    assert why.note(tmp_path / "file", decision()).tier == "local"
    assert why.decisions(tmp_path / "file") == ()
    why.clear(tmp_path / "none")


def test_windows_do_not_mix_their_lines(tmp_path: Path) -> None:
    """Several at once, each line whole."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: why.note(tmp_path, decision(n)), range(100)))
    assert sorted(it.tokens_in for it in why.decisions(tmp_path)) == list(range(100))


def test_clear_forgets(tmp_path: Path) -> None:
    """The user's to forget."""
    why.note(tmp_path, decision())
    why.clear(tmp_path)
    assert why.decisions(tmp_path) == ()
