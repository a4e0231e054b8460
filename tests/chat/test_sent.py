"""What was sent is kept before it goes, byte for byte, for the user alone, in bounds, whatever happens."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat import sent, sent_files

URL = "https://api.example.com/v1/chat/completions"
ROOT = Path(__file__).resolve().parent.parent.parent


def keep(where: Path, body: bytes, **rest: int) -> sent.Entry:
    """A request as chat makes them."""
    return sent.record(
        where, body, url=URL, server="big", task="ask", reason="You asked.", removed=["jwt"], **rest
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(body=st.binary(max_size=2000))
def test_it_is_kept_byte_for_byte(tmp_path: Path, body: bytes) -> None:
    """Also what is no text, is empty, or looks like a head."""
    entry = keep(tmp_path / "sent", body)
    assert sent.body(tmp_path / "sent", entry.name) == body
    assert sent.entries(tmp_path / "sent")[0] == entry


def test_it_is_for_the_user_alone(tmp_path: Path) -> None:
    """A folder 0700 with files 0600, whatever the umask and whoever made the folder."""
    where = sent.folder(tmp_path)
    where.mkdir(mode=0o777)
    old = os.umask(0)
    try:
        entry = keep(where, b"{}")
    finally:
        os.umask(old)
    assert stat.S_IMODE(where.stat().st_mode) == 0o700
    assert stat.S_IMODE((where / entry.name).stat().st_mode) == 0o600


def test_the_newest_comes_first_and_says_where_and_why(tmp_path: Path) -> None:
    """What the user reads in the list."""
    for number in range(3):
        keep(tmp_path, b"%d" % number)
    found = sent.entries(tmp_path)
    assert [sent.body(tmp_path, it.name) for it in found] == [b"2", b"1", b"0"]
    head = found[0].head
    assert (head.url, head.server, head.task, head.reason) == (URL, "big", "ask", "You asked.")
    assert (head.removed, head.bytes) == (("jwt",), 1)


def test_an_address_holds_no_secret(tmp_path: Path) -> None:
    """Some services take their key in the address."""
    key = "Xq7" + "vR2mL9" * 5
    sent.record(tmp_path, b"", url=f"https://api.example.com/v1?key={key}", server="big")
    assert key not in sent.entries(tmp_path)[0].head.url
    assert key.encode() not in b"".join(it.read_bytes() for it in tmp_path.iterdir())


def test_the_oldest_go_when_there_is_too_much(tmp_path: Path) -> None:
    """The bound holds for all of them together, heads included, and the newest is always there."""
    for number in range(20):
        keep(tmp_path, b"%02d" % number + 1000 * b"x", largest=5000)
        assert sum(it.stat().st_size for it in tmp_path.iterdir()) <= 5000
    kept = [sent.body(tmp_path, it.name) or b"" for it in sent.entries(tmp_path)]
    assert [it[:2] for it in kept] == [b"19", b"18", b"17", b"16"]


def test_what_cannot_be_kept_whole_is_refused(tmp_path: Path) -> None:
    """Larger than the bound: nothing is kept, nothing may be sent, and what was there stays."""
    keep(tmp_path, b"before")
    with pytest.raises(sent.NotKept, match="larger than what is kept"):
        keep(tmp_path, 1000 * b"x", largest=1000)
    assert len(sent.entries(tmp_path)) == 1


@pytest.mark.parametrize("trouble", ["a file in the way", "a folder nobody can write to"])
def test_a_failure_to_write_stops_the_sending(tmp_path: Path, trouble: str) -> None:
    """One sentence for the user, and the cause for the log."""
    where = tmp_path / "sent"
    if trouble == "a file in the way":
        where.write_text("")
    else:
        where = Path("/proc/1/sent") if sys.platform == "linux" else Path("/dev/null/sent")
    with pytest.raises(sent.NotKept, match="is not sent, as it cannot be kept to be seen") as caught:
        keep(where, b"{}")
    assert isinstance(caught.value.__cause__, OSError)


def test_a_write_that_breaks_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No half a request is ever listed, nor left lying about."""

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(sent.NotKept, match="No space left on device"):
        keep(tmp_path, b"{}")
    assert list(tmp_path.iterdir()) == []


def test_clear_forgets_all_of_it(tmp_path: Path) -> None:
    """And says how much that was; there may be nothing, not even the folder."""
    keep(tmp_path, b"1")
    keep(tmp_path, b"2")
    assert sent.clear(tmp_path) == 2
    assert list(tmp_path.iterdir()) == []
    assert (sent.clear(tmp_path / "none"), sent.entries(tmp_path / "none")) == (0, ())


def test_foreign_and_damaged_files_are_passed_over(tmp_path: Path) -> None:
    """What does not read as a request is neither shown nor removed."""
    good = keep(tmp_path, b"{}")
    for name, content in {
        "a.sent.txt": b"",
        "b.sent.txt": b"[1]\n",
        "c.sent.txt": b"\xff\n{}",
        "note.md": b"mine",
    }.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "d.sent.txt").write_text(json.dumps({"at": "now", "bytes": 1, "removed": []}) + "\n")
    assert sent.entries(tmp_path) == (good,)
    sent.clear(tmp_path)
    assert [it.name for it in tmp_path.iterdir()] == ["note.md"]


@pytest.mark.parametrize("name", ["../settings.json", "/etc/passwd", "x", "", "..", "a/b.sent.txt"])
def test_only_what_was_sent_can_be_read(tmp_path: Path, name: str) -> None:
    """A name that comes from a panel cannot reach another file."""
    (tmp_path / "settings.json").write_text("{}")
    (tmp_path / "sent").mkdir()
    assert sent.body(tmp_path / "sent", name) is None


def test_parts_of_the_dead_are_removed(tmp_path: Path) -> None:
    """What a killed process began goes after an hour, what another one writes right now stays."""
    old, new = tmp_path / f"1{sent_files.PART}", tmp_path / f"2{sent_files.PART}"
    old.write_bytes(b"x")
    new.write_bytes(b"x")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    entry = keep(tmp_path, b"{}")
    assert sorted(it.name for it in tmp_path.iterdir()) == sorted([new.name, entry.name])


WRITER = """
import sys
from pathlib import Path
from chat import sent
for number in range(int(sys.argv[2])):
    body = f"{sys.argv[3]}-{number}".encode() * 50
    sent.record(Path(sys.argv[1]), body, url="https://example.com", server="s", largest=int(sys.argv[4]))
"""


def write_from(where: Path, who: str, count: int, largest: int) -> subprocess.Popen[bytes]:
    """Another window that sends."""
    command = [sys.executable, "-c", WRITER, str(where), str(count), who, str(largest)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)


def test_several_windows_keep_at_once(tmp_path: Path) -> None:
    """Nothing is lost, nothing mixed."""
    windows = [write_from(tmp_path, who, 20, 10**7) for who in "abc"]
    assert [(it.communicate()[1], it.returncode) for it in windows] == [(b"", 0)] * 3
    found = [sent.body(tmp_path, it.name) for it in sent.entries(tmp_path)]
    assert sorted(it or b"" for it in found) == sorted(
        f"{who}-{n}".encode() * 50 for who in "abc" for n in range(20)
    )


def test_several_windows_make_room_and_one_clears(tmp_path: Path) -> None:
    """Who removes what another one just looked at harms nobody."""
    windows = [write_from(tmp_path, who, 20, 3000) for who in "ab"]
    while any(it.poll() is None for it in windows):
        sent.clear(tmp_path)
    assert [it.communicate()[1] for it in windows] == [b"", b""]


def test_a_killed_writer_leaves_whole_entries(tmp_path: Path) -> None:
    """At whatever moment: every listed request is whole."""
    for _ in range(3):
        window = write_from(tmp_path, "k", 100_000, 10**7)
        known = len(sent.entries(tmp_path))
        while len(sent.entries(tmp_path)) < known + 3 and window.poll() is None:
            time.sleep(0.01)
        window.kill()
        window.communicate()
    for it in sent.entries(tmp_path):
        assert len(sent.body(tmp_path, it.name) or b"") == it.head.bytes
