"""`hearth sent` and `hearth why`: what left the machine and why, for people and for programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chat import sent, why
from chat.router import Places, Policy, Request, Server, decide
from lsp_server.commands import run
from lsp_server.commands.sent import messages
from models import paths
from models.spec import BackendSpec, Prices

URL = "https://api.example.com/v1/messages"
BODY = json.dumps({"messages": [{"role": "user", "content": "Why\n\x1b[2J?"}]}).encode() + b"\xff\x1b[2J\n"
CLOUD = Places(
    servers=(
        Server(
            spec=BackendSpec(model="m", name="Far", url=URL, prices=Prices(input=3, output=15)), is_own=True
        ),
    )
)
Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(
    hearth_home: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Typed:
    """Type a command: its exit code, what it said, what it complained about."""

    def type_it(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["hearth", *arguments])
        code = run([])
        sys.stdout.flush()
        sys.stderr.flush()
        said = capfdbinary.readouterr()
        return code, said.out.decode(errors="surrogateescape"), said.err.decode()

    return type_it


def keep(body: bytes = BODY, reason: str = "You asked for the cloud.") -> None:
    """A request as chat makes them."""
    where, removed = sent.folder(paths.data_dir()), ["jwt", "jwt", "aws key"]
    sent.record(where, body, url=URL, server="Far", task="ask", reason=reason, removed=removed)


def test_nothing_was_sent(typed: Typed) -> None:
    """One sentence that says so, and no failure."""
    assert typed("sent") == (0, "", "hearth: Nothing was sent to another machine, or it was cleared.\n")
    assert typed("sent", "--json")[:2] == (0, "[]\n")
    assert typed("sent", "--clear") == (0, "There was nothing to delete.\n", "")


def test_the_list_says_when_where_and_why(typed: Typed) -> None:
    """The newest is number 1; what was taken out is named once, by its kind."""
    keep(b"first")
    keep(b"second one", reason="Your settings choose the cloud for a question.")
    code, out, err = typed("sent")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith("1  20")
    assert lines[0].endswith(f"  Far  {URL}  ask, 10 bytes")
    assert lines[1:3] == [
        "   Your settings choose the cloud for a question.",
        "   Taken out before: jwt, aws key.",
    ]
    assert lines[3].startswith("2  20")
    assert err == "hearth: 2 requests of 15 bytes; hearth sent NUMBER shows one, --clear deletes all.\n"
    assert "2 requests of 15 bytes, of which 1 are shown" in typed("sent", "-n", "1")[2]


def test_a_request_is_shown_byte_for_byte(typed: Typed) -> None:
    """In a pipe it is what was sent, also where that is no text; for programs, with what is known of it."""
    keep(b"other")
    keep()
    code, out, err = typed("sent", "1")
    assert (code, out.encode(errors="surrogateescape"), err) == (0, BODY, "")
    said = json.loads(typed("sent", "1", "--json")[1])
    assert said["body"].encode(errors="surrogateescape") == BODY
    assert Path(said["file"]).read_bytes().endswith(BODY)
    assert typed("sent", "2")[1] == "other"


def test_a_terminal_is_not_commanded(hearth_home: Path) -> None:
    """What was sent may hold codes that a terminal obeys; there they are shown as dots."""
    pty = pytest.importorskip("pty")
    keep()
    ours, theirs = pty.openpty()
    command = [sys.executable, "-P", "-m", "lsp_server.cli", "sent", "1"]
    done = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, env=dict(os.environ), check=False)
    os.close(theirs)
    shown = os.read(ours, 10_000)
    os.close(ours)
    assert (done.returncode, b"\x1b" in shown) == (0, False)
    assert b"\\xff\xc2\xb7[2J" in shown
    assert done.stderr.decode().startswith(f"hearth: {len(BODY):,} bytes to {URL} at 20")


def test_its_messages_as_a_person_reads_them(typed: Typed) -> None:
    """One after the other, with the lines they have."""
    keep(b'{"system": "Be brief.", "messages": [{"role": "user", "content": "One\\ntwo\\u001b[2J"}]}')
    assert typed("sent", "1", "--text")[1] == "system:\nBe brief.\n\nuser:\nOne\ntwo·[2J\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"x": 1}]}]}', None),
        (b'{"messages": [{"content": null}, 3]}', "?:\nnull"),
        (b'{"messages": 3}', '{"messages": 3}'),
        (b"[1]", "[1]"),
        (b"\xff{", "\\xff{"),
        (b"[" * 100_000, "[" * 100_000),
    ],
)
def test_messages_of_every_shape(body: bytes, expected: str | None) -> None:
    """What is no chat is shown as it is, and what is no text of a message as JSON."""
    assert messages(body) == (expected or 'user:\na\n{"x": 1}')


def test_it_can_be_cleared(typed: Typed) -> None:
    """All of it is gone, also on disk."""
    keep()
    keep()
    assert typed("sent", "--clear") == (0, "Deleted 2 requests.\n", "")
    assert list(sent.folder(paths.data_dir()).iterdir()) == []
    assert typed("sent", "1") == (1, "", "hearth: There is no request 1; 0 requests are kept.\n")


@pytest.mark.parametrize(
    "arguments",
    [("sent", "0"), ("sent", "x"), ("sent", "--text"), ("sent", "1", "--clear"), ("why", "-n", "0")],
)
def test_what_makes_no_sense(typed: Typed, arguments: tuple[str, ...]) -> None:
    """Wrong usage is exit code 2, and nothing is deleted."""
    keep()
    assert typed(*arguments)[0] == 2
    assert len(sent.entries(sent.folder(paths.data_dir()))) == 1


def test_why(typed: Typed) -> None:
    """The newest first: when, who, why, how much; then forgotten."""
    data = paths.data_dir()
    assert typed("why")[2] == "hearth: Nothing has been asked yet; hearth ask is how to begin.\n"
    allowed = Policy(cloud_allowed=True)
    why.note(data, decide(Request(task="ask", tokens_in=1234, choice="cloud"), CLOUD, allowed))
    why.note(data, decide(Request(task="explain", tokens_in=10), CLOUD, Policy()))
    code, out, _ = typed("why")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].endswith("  extractive  explain")
    assert lines[1].startswith("  You prefer this machine, but ")
    assert lines[2].endswith("  cloud  Far")
    assert lines[3:] == [
        "  You asked for the cloud: Far answers at api.example.com.",
        "  ask: 1,234 tokens to read, 1,024 to write at most, 0.0191 USD at most",
    ]
    (newest,) = json.loads(typed("why", "--json", "-n", "1")[1])
    assert (newest["task"], newest["tier"], newest["server"]) == ("explain", "extractive", "")
    assert typed("why", "--clear")[1] == "Forgotten which models answered.\n"
    assert why.decisions(data) == ()


def test_a_damaged_log_of_decisions(typed: Typed) -> None:
    """Lines that are none are passed over, and a moment that is none is a question mark."""
    data = paths.data_dir()
    noted = {
        **{"at": 1e300, "task": "ask", "tier": "local\x1b[2J", "server": "m", "rule": "r", "reason": "R."},
        **{"tokens_in": 1, "tokens_out": 1, "cost": None, "currency": ""},
    }
    (data / why.NAME).write_bytes(b"\xff\n{}\n" + json.dumps(noted).encode() + b"\n")
    code, out, err = typed("why")
    assert (code, err) == (0, "")
    assert out.startswith("?  local·[2J  m\n  R.\n")
