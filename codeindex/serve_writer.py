"""See to it that somebody writes the index: a process of ours as soon as nobody else's does.

The lease says whether somebody does; it is looked at every two seconds, so that after another writer's death
ours is at work within five. What is to be known of changes is handed on to our process.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from codeindex.lease import holder
from codeindex.protocol import Options, State, Told, line_of, options_json, told_in
from codeindex.protocol_asks import Notice, notice_json
from codeindex.store import store_folder
from models.process import IMPORT_ROOT, environment

logger = logging.getLogger(__name__)

LOOK_S = 2.0
FAILURES, FAILURES_S = 5, 60.0
"""After so many deaths within so long it is left alone for as long."""
AGAIN = "The process that writes the index ends again and again; it is tried again in a minute."
BUSY, CANNOT = 3, 4
END_S = 1.0


class Keeper:
    """The writer, wherever it is. Any thread may call."""

    def __init__(
        self,
        root: Path,
        cache: Path,
        options: Options,
        hear: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        """``hear`` is called when something has changed, ``say`` with a sentence; from threads of ours."""
        self.writer = "none"
        """``here``, ``elsewhere`` or ``none``."""
        self.told: Told | None = None
        """What our process last said; None if it is not ours."""
        self.problem = ""
        self.paused = False
        self._folder = store_folder(root, cache)
        self._command = [
            *(sys.executable, "-P", "-m", "codeindex", "write", "--root", str(root), "--cache", str(cache)),
            *("--options", json.dumps(options_json(options))),
        ]
        self._hear = hear
        self._say = say
        self._open: tuple[str, ...] = ()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._ended = False
        self._woken = threading.Event()
        self._rest_until = 0.0
        self._deaths: list[float] = []
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """Of our process."""
        process = self._process
        return process.pid if process is not None else None

    def send(self, notice: Notice) -> None:
        """Hand something on; if another's process writes, that one watches the files itself."""
        if notice.method in ("pause", "resume"):
            self.paused = notice.method == "pause"
        elif notice.method == "open":
            self._open = notice.paths
        self._write(notice_json(notice))
        self._hear()

    def close(self) -> None:
        """End our process, and wait for that a moment."""
        self._ended = True
        self._woken.set()
        process = self._process
        if process is not None and process.stdin is not None:
            with suppress(OSError), self._lock:
                process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(END_S)
                return
            process.kill()

    def _run(self) -> None:
        while not self._ended:
            wait = LOOK_S
            if time.monotonic() < self._rest_until:
                self._found("none")
            elif self._is_held():
                self._rest_until, self.problem = 0.0, ""
                self._found("elsewhere")
            else:
                wait = self._write_here()
            self._woken.wait(wait)

    def _is_held(self) -> bool:
        try:
            return holder(self._folder) is not None
        except OSError:  # Our process will say what is wrong with the folder.
            return False

    def _found(self, writer: str) -> None:
        if self.writer != writer:
            self.writer = writer
            self._hear()

    def _write_here(self) -> float:
        """Run the process until it ends; how long to wait then."""
        try:
            process = subprocess.Popen(
                self._command,
                cwd=IMPORT_ROOT,
                env=environment(),
                stdin=subprocess.PIPE,  # It ends when this closes, however we end.
                stdout=subprocess.PIPE,
            )
        except OSError as error:
            return self._died(f"The process that writes the index does not start: {error.strerror}.")
        self._process = process
        if self._ended:
            process.kill()
        self._write(notice_json(Notice(method="open", paths=self._open)))
        if self.paused:
            self._write(notice_json(Notice(method="pause")))
        assert process.stdout is not None
        for line in process.stdout:
            self._take(line)
        code = process.wait()
        process.stdout.close()
        with suppress(OSError), self._lock:
            if process.stdin is not None:
                process.stdin.close()
        self._process, self.told = None, None
        self._found("none")
        if self._ended or code == BUSY:
            return 0.0 if self._ended else LOOK_S
        if code == CANNOT:
            self._rest_until = time.monotonic() + FAILURES_S
            return LOOK_S
        logger.warning("writer ended code=%d", code)
        return self._died(AGAIN)

    def _died(self, says: str) -> float:
        now = time.monotonic()
        self._deaths = [*(it for it in self._deaths if now - it < FAILURES_S), now]
        if len(self._deaths) < FAILURES:
            return 0.1 * len(self._deaths)
        self._deaths = []
        self._rest_until = now + FAILURES_S
        self._complain(says)
        return LOOK_S

    def _take(self, line: bytes) -> None:
        try:
            said: Mapping[str, Any] = json.loads(line)
            if said["event"] == "problem":
                self._complain(str(said["says"]))
            else:
                self.told = told_in(said)
                if self.told.state is not State.FAILED:
                    self.problem = ""
                self._found("here")
        except (ValueError, TypeError, KeyError):
            logger.warning("writer said nonsense bytes=%d", len(line))
        self._hear()

    def _complain(self, says: str) -> None:
        self.problem = says
        self._say(says)

    def _write(self, said: Mapping[str, Any]) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        with self._lock, suppress(OSError, ValueError):  # It has just ended.
            process.stdin.write(line_of(said).encode())
            process.stdin.flush()
