"""A terminal in small: a command in a pseudo-terminal, typed to, and what a person sees of it then.

It knows what the product's output uses: line feeds, carriage returns, going up, erasing lines, colors and
links. What it does not know is an error, so that nothing strange passes for good.
"""

from __future__ import annotations

import os
import re
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

CODE = re.compile(
    r"\x1b\](?P<osc>[^\x07\x1b]*)(?:\x1b\\|\x07)|\x1b\[(?P<csi>[0-9;?]*)(?P<final>[A-Za-z])|(?P<plain>[^\x1b])",
    re.DOTALL,
)
IGNORED = frozenset("mhl")  # Colors, and whether the cursor is shown or what is pasted is marked.
PATIENCE_S = 60.0


class Terminal:
    """A command that runs in a terminal of its own. Only where there are pseudo-terminals."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self.process = process
        self.raw = b""
        """Every byte that was written to it."""
        self._descriptor = descriptor

    @property
    def screen(self) -> str:
        """What a person sees, scrolled back to the beginning."""
        return seen(self.raw.decode(errors="replace"))

    @property
    def links(self) -> list[str]:
        """Where one can click to."""
        return [it for it in re.findall(r"\x1b\]8;[^;]*;([^\x1b\x07]*)", self.raw.decode()) if it]

    def type(self, text: str) -> None:
        """As if by keys."""
        os.write(self._descriptor, text.encode())

    def interrupt(self) -> None:
        """Ctrl-C, as a terminal does it: it is the line discipline that sends the signal."""
        self.type("\x03")

    def until(self, text: str, *, times: int = 1) -> None:
        """Read until this is on the screen, so many times."""
        end = time.monotonic() + PATIENCE_S
        while self.screen.count(text) < times:
            if not self.read() or end < time.monotonic():
                raise AssertionError(f"{text!r} never came; there is:\n{self.screen}")

    def read(self) -> bool:
        """Some more of what it says; False at its end."""
        ready, _, _ = select.select([self._descriptor], [], [], PATIENCE_S)
        try:
            piece = os.read(self._descriptor, 65536) if ready else b""
        except OSError:  # Linux says so when nobody is at the other end any more.
            return False
        self.raw += piece
        return bool(piece)

    def wait(self) -> int:
        """Read to the end; the exit code."""
        while self.read():
            pass
        return self.process.wait(PATIENCE_S)


@contextmanager
def terminal(
    *command: str, cwd: Path, rows: int = 40, columns: int = 100, env: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """A command in a terminal of this size, and its end."""
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    drop = ("NO_COLOR", "COLUMNS", "LINES")
    environment = {name: it for name, it in os.environ.items() if name not in drop}

    def begin() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        # Who runs the tests in the background ignores Ctrl-C, and a process inherits that.
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    process = subprocess.Popen(
        command,
        cwd=cwd,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**environment, "TERM": "xterm-256color", **(env or {})},
        start_new_session=True,
        preexec_fn=begin,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(ours)


def seen(output: str) -> str:
    """The lines that are there after all of this was written, none of them lost to scrolling."""
    paper = _Paper()
    at = 0
    while at < len(output):
        match = CODE.match(output, at)
        if match is None:
            if output[at] == "\x1b":  # The rest of it has not come yet.
                break
            raise AssertionError(f"No code: {output[at : at + 20]!r}")
        at = match.end()
        if match["final"]:
            paper.obey(match["final"], match["csi"])
        elif match["plain"]:
            paper.write(match["plain"])
    return "\n".join("".join(it).rstrip() for it in paper.lines)


class _Paper:
    """Lines without an end."""

    def __init__(self) -> None:
        self.lines: list[list[str]] = [[]]
        self.row = self.column = 0

    def obey(self, final: str, said: str) -> None:
        count = int(said) if said.isdigit() else 1
        line = self.lines[self.row]
        if final == "A":
            self.row = max(0, self.row - count)
        elif final == "C":
            self.column += count
        elif final == "D":
            self.column = max(0, self.column - count)
        elif final == "K":
            self.lines[self.row] = [] if said == "2" else line[: self.column]
        elif final == "J":
            self.lines[self.row :] = [line[: self.column]]
        elif final not in IGNORED:
            raise AssertionError(f"Unknown code: {said}{final}")

    def write(self, character: str) -> None:
        if character == "\n":
            self.row += 1
            self.lines += [[]] if self.row == len(self.lines) else []
        elif character in "\r\b\x07":
            self.column = {"\r": 0, "\b": max(0, self.column - 1)}.get(character, self.column)
        else:
            line = self.lines[self.row]
            line.extend(" " * (self.column - len(line)))
            line[self.column : self.column + 1] = [character]
            self.column += 1


HEARTH = (sys.executable, "-P", "-m", "lsp_server.cli")
