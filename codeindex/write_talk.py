"""How the writer hears and speaks: lines from standard input into a queue, lines to standard output."""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from codeindex.protocol import line_of
from codeindex.protocol_asks import Notice, message_in
from codeindex.watch import Changes

END_S = 0.5
"""So long after the end of standard input the process ends, whatever it is at: nothing is lost by that."""


class Inbox:
    """What is to be done, as it comes in; from any thread."""

    def __init__(self) -> None:
        self.ended = False
        """Whether standard input is closed."""
        self._items: queue.SimpleQueue[Notice | Changes | None] = queue.SimpleQueue()

    def put(self, item: Notice | Changes | None) -> None:
        """None only wakes whoever waits."""
        self._items.put(item)

    def is_empty(self) -> bool:
        """Whether nothing has come since."""
        return self._items.empty()

    def take(self, seconds: float) -> Notice | Changes | None:
        """The next one; None if nothing comes for so long."""
        try:
            return self._items.get(timeout=seconds) if 0 < seconds else self._items.get_nowait()
        except queue.Empty:
            return None


def listen(inbox: Inbox) -> None:
    """Read standard input in a thread until it ends, and then end the process, within a moment."""
    threading.Thread(target=_listen, args=(inbox,), name="listen", daemon=True).start()


def _listen(inbox: Inbox) -> None:
    for line in sys.stdin.buffer:
        said = message_in(line)
        if isinstance(said, Notice):
            inbox.put(said)
    inbox.ended = True
    inbox.put(None)
    time.sleep(END_S)
    os._exit(0)


class Voice:
    """Standard output, a JSON object a line; from any thread. When nobody listens any more, it is silent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: set[str] = set()

    def say(self, line: Mapping[str, Any]) -> None:
        """Write a line at once."""
        with self._lock:
            try:
                sys.stdout.write(line_of(line))
                sys.stdout.flush()
            except OSError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def problem(self, says: str) -> None:
        """Tell what is wrong, each sentence once."""
        with self._lock:
            if says in self._said:
                return
            self._said.add(says)
        self.say({"event": "problem", "says": says})
