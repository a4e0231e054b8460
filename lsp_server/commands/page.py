"""An answer as it comes: drawn in a terminal while it grows, plain Markdown in a pipe."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from lsp_server.commands.complete import CONTROL

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.segment import Segment

    from lsp_server.commands.markup import Marked

PERIOD_S = 0.1  # Between two drawings: each reads the open block anew, and a model wants the processor.
TALLEST = 16  # Lines that may still change. What is above them is printed for good, and can be scrolled to.
LEAST = 3


class Page(Protocol):
    """Where an answer goes."""

    def wait(self, says: str) -> None:
        """Say what is waited for, as long as nothing else is there to see."""
        ...

    def add(self, text: str) -> None:
        """Some more of the answer."""
        ...

    def end(self) -> None:
        """That was all of it; show what is not shown yet."""
        ...

    def note(self, line: str) -> None:
        """One line about the answer, that is not part of it."""
        ...


def page(root: Path | None) -> Page:
    """A page for whoever reads the standard output."""
    console = terminal()
    return Screen(console, root) if console else Pipe(sys.stdout)


def terminal() -> Console | None:
    """The terminal that the output goes to, if it is one that can be drawn on."""
    if not sys.stdout.isatty() or os.environ.get("TERM") in ("dumb", "unknown"):
        return None
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


def clean(text: str) -> str:
    """Without what a terminal would obey."""
    return CONTROL.sub("·", text.replace("\r\n", "\n"))


class Nowhere:
    """For who wants all of it at once, in the end."""

    def wait(self, says: str) -> None:
        """Nobody watches."""

    def add(self, text: str) -> None:
        """Nobody reads it now."""

    def end(self) -> None:
        """It was all."""

    def note(self, line: str) -> None:
        """It is said elsewhere."""


class Pipe:
    """For programs and files: the Markdown at once; what is about it goes to standard error."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._last = "\n"
        self._kept = ""
        """Half of a line's end, perhaps."""

    def wait(self, says: str) -> None:
        """Nobody watches."""

    def add(self, text: str) -> None:
        """Pass it on, without what would command a terminal at the pipe's end."""
        text = self._kept + text
        self._kept = "\r" if text.endswith("\r") else ""
        self._write(clean(text[: len(text) - len(self._kept)]))

    def end(self) -> None:
        """Whatever comes next begins a line."""
        self._write(clean(self._kept))
        self._kept = ""
        if self._last != "\n":
            self._write("\n")

    def _write(self, text: str) -> None:
        if text:
            self._out.write(text)
            self._out.flush()
            self._last = text[-1]

    def note(self, line: str) -> None:
        """Beside the answer."""
        sys.stderr.write(f"{clean(line)}\n")


class Screen:
    """For people: the last block is drawn again as it grows, what is above it stays."""

    def __init__(self, console: Console, root: Path | None) -> None:
        self._console = console
        self._root = root
        self._live: Live | None = None
        self._text = ""
        """From the last block's beginning on."""
        self._printed = 0
        """How many of its lines are there for good."""
        self._has_block = False
        """Whether something stands above it, to keep a line's distance from."""
        self._drawn = 0.0
        self._late: asyncio.TimerHandle | None = None

    def wait(self, says: str) -> None:
        """A line that moves, until the first word is there."""
        from rich.spinner import Spinner
        from rich.text import Text

        if not self._text and not self._has_block:
            self._show(Spinner("dots", Text(clean(says), "dim"), style="dim"))

    def add(self, text: str) -> None:
        """Draw it; a moment later if something has just been drawn."""
        self._text += text
        if self._drawn + PERIOD_S <= time.monotonic():
            self._draw()
        elif self._late is None:
            with suppress(RuntimeError):  # Without a loop nobody waits, and the end is near.
                self._late = asyncio.get_running_loop().call_later(PERIOD_S, self._draw)

    def end(self) -> None:
        """Print all of it for good. What comes after this is another answer."""
        self._draw(is_all=True)
        if self._live is not None:
            self._live.stop()
            self._live = None
        self._text, self._printed, self._has_block = "", 0, False

    def note(self, line: str) -> None:
        """Dim, below the answer, with a free line before it."""
        from rich.text import Text

        self._console.print(Text(f"\n{clean(line)}", "dim"))

    def _draw(self, *, is_all: bool = False) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
        self._drawn = time.monotonic()
        block = self._settle()
        if block is None:
            return
        lines = self._lines(block)
        tallest = max(LEAST, min(TALLEST, self._console.height - 4))
        keep = len(lines) if is_all else max(self._printed, len(lines) - tallest)
        self._print(lines, keep)
        if not is_all:
            self._show(_segments(lines[self._printed :]))

    def _settle(self) -> Marked | None:
        """Print the blocks that have come to their end; the one that may still grow."""
        block = self._marked(self._text)
        begins = block.begins
        lines = self._text.split("\n")
        for start, end in pairwise((0, *begins[1:])):
            drawn = self._lines(self._marked("\n".join(lines[start:end])))
            self._print(drawn, len(drawn))
            self._text, self._printed, self._has_block = "\n".join(lines[end:]), 0, True
        block = block if len(begins) < 2 else self._marked(self._text)
        return block if self._text.strip() else None

    def _marked(self, text: str) -> Marked:
        from lsp_server.commands.markup import Marked

        return Marked(clean(text), self._root)

    def _lines(self, block: Marked) -> list[list[Segment]]:
        """A block as lines of the terminal, with a free one before it if something stands above."""
        lines = self._console.render_lines(block, pad=False)
        filled = [place for place, it in enumerate(lines) if "".join(part.text for part in it).strip()]
        kept = lines[filled[0] : filled[-1] + 1] if filled else []
        return [[], *kept] if self._has_block and kept else kept

    def _print(self, lines: Sequence[list[Segment]], end: int) -> None:
        if self._printed < end:
            self._console.print(_segments(lines[self._printed : end]), end="")
            self._printed = end

    def _show(self, renderable: object) -> None:
        from rich.live import Live

        if self._live is None:
            self._live = Live(console=self._console, transient=True, refresh_per_second=10)
            self._live.start()
        self._live.update(renderable)  # type: ignore[arg-type]  # a spinner or lines, both can be drawn


def _segments(lines: Sequence[list[Segment]]) -> object:
    from rich.segment import SegmentLines

    return SegmentLines(lines, new_lines=True)
