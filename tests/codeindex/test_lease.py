"""One writer at a time, and the next one at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from codeindex.lease import LOCK, NOTE, Holder, holder, take

REPOSITORY = Path(__file__).resolve().parents[2]
HOLDS = "import sys, time; from pathlib import Path; from codeindex.lease import take\n" + (
    "lease = take(Path(sys.argv[1])); assert lease is not None; print('held', flush=True); time.sleep(600)"
)


def test_only_one_has_it(tmp_path: Path) -> None:
    """Also within a process; who has it can be asked without disturbing anybody."""
    assert holder(tmp_path) is None
    lease = take(tmp_path)
    assert lease is not None
    assert take(tmp_path) is None
    found = holder(tmp_path)
    assert found is not None
    assert found.pid == os.getpid()
    assert time.time() - 600 < found.since <= time.time()
    lease.release()
    lease.release()
    assert holder(tmp_path) is None
    with take(tmp_path) or pytest.fail("it is free"):
        assert holder(tmp_path) is not None


def test_who_asks_does_not_take_it(tmp_path: Path) -> None:
    """However often somebody looks, whoever wants to write gets it."""
    for _ in range(50):
        assert holder(tmp_path) is None
        lease = take(tmp_path)
        assert lease is not None
        lease.release()


def test_a_note_that_makes_no_sense_is_no_holder(tmp_path: Path) -> None:
    """The lock decides, not what the note says: without a lock nobody holds it."""
    lease = take(tmp_path)
    assert lease is not None
    for text in ("", "[]", '{"pid": "x"}', "\0"):
        (tmp_path / NOTE).write_text(text)
        assert holder(tmp_path) == Holder(pid=0, since=0.0)
    lease.release()
    (tmp_path / NOTE).write_text('{"pid": 1, "since": 2}')
    assert holder(tmp_path) is None


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    """Lock and note belong to the user alone."""
    lease = take(tmp_path / "index")
    assert lease is not None
    with lease:
        assert {(tmp_path / "index" / it).stat().st_mode & 0o777 for it in (LOCK, NOTE)} == {0o600}


@pytest.mark.e2e
def test_it_goes_with_the_process(tmp_path: Path) -> None:
    """Killed as it is, the holder leaves it to the next one at once."""
    command = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        found = holder(tmp_path)
        assert found is not None
        assert found.pid == process.pid
        assert take(tmp_path) is None
        process.kill()
        process.wait()
        lease = take(tmp_path)
        assert lease is not None
        lease.release()
