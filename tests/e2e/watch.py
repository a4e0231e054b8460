"""Runs first in every Python process of a watched tree: writes down where it connects, and whom it starts.

``watching.py`` puts this file as ``sitecustomize.py`` into a folder of its own. Standard library only. What
is started gets the same folder put into its environment, also where that was cleaned of Python's variables.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

LOG, PATH = "HEARTH_TEST_WATCH", "PYTHONPATH"
ASKED = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")
SENT = ("socket.connect", "socket.sendto", "socket.sendmsg")

_folder = os.environ.get(LOG, "")
_here = os.path.dirname(os.path.abspath(__file__))


def _note(kind: str, value: Any) -> None:
    """One line in one write, in a file of this process alone."""
    line = json.dumps({"pid": os.getpid(), "kind": kind, "value": value}, default=repr).encode()
    descriptor = os.open(f"{_folder}/{os.getpid()}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, line + b"\n")
    os.close(descriptor)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event in SENT:
        address = arguments[-1]
        if address is not None:
            _note("address", list(address) if isinstance(address, tuple) else str(address))
    elif event in ASKED:
        _note("name", str(arguments[0]))
    elif event == "subprocess.Popen" and arguments[3] is not None:
        arguments[3].update({LOG: _folder, PATH: _here})


if _folder:
    sys.addaudithook(_hear)
    _note("process", sys.orig_argv)
