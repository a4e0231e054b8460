"""Lines as a person types them at a prompt, with what Tab completes; or as they come through a pipe."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chat.code import Code

PROMPT, MORE = "› ", "… "
QUOTES = '"""'
MOST_FILES = 5_000
MOST_OFFERED = 40
LEAST_NAME = 2  # Characters of a name, before the index is asked for it.


class Typist:
    """Whoever types: reads one question at a time."""

    def __init__(self, runner: asyncio.Runner, code: Code, words: Sequence[str]) -> None:
        """``words`` are what can follow a slash, beside the commands that chat has."""
        self.is_person = sys.stdin.isatty() and sys.stdout.isatty()
        self._runner = runner
        self._code = code
        self._words = words
        self._files: tuple[str, ...] | None = None
        self._offered: list[str] = []
        self._is_plain = not _shows(PROMPT)
        if self.is_person:
            self._listen()

    def read(self) -> str | None:
        """The next question; None at the end. Ctrl-C takes back what was typed."""
        try:
            return self._question()
        except KeyboardInterrupt:
            if not self.is_person:
                raise
            sys.stdout.write("\n")
            return ""
        except EOFError:
            if self.is_person:
                sys.stdout.write("\n")
            return None

    def _question(self) -> str:
        line = self._line(PROMPT)
        if line.lstrip().startswith(QUOTES):
            lines = [line.lstrip().removeprefix(QUOTES)]
            while QUOTES not in lines[-1]:
                lines.append(self._line(MORE))
            return "\n".join([*lines[:-1], lines[-1].partition(QUOTES)[0]]).strip()
        while line.endswith("\\"):
            line = f"{line[:-1]}\n{self._line(MORE)}"
        return line

    def _line(self, prompt: str) -> str:
        if self.is_person:
            return input(prompt if not self._is_plain else "> ")
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.removesuffix("\n")

    def _listen(self) -> None:
        """Have the line edited, with its history, and Tab complete it, where that is there."""
        readline = _readline()
        if readline is None:
            return
        readline.set_completer_delims(" \t\n")
        readline.set_completer(self._complete)
        is_other = "libedit" in (readline.__doc__ or "")
        readline.parse_and_bind("bind ^I rl_complete" if is_other else "tab: complete")

    def _complete(self, word: str, state: int) -> str | None:
        """What readline asks: the first, the second … of what may be meant."""
        if state == 0:
            try:
                self._offered = self.offers(word)
            except Exception:  # The library below prints what goes wrong here into the line that is typed.
                self._offered = []
        return self._offered[state] if state < len(self._offered) else None

    def offers(self, word: str) -> list[str]:
        """What a word may become: a command, a file, a name."""
        from chat.commands import rows
        from chat.mentions import suggest

        if word.startswith("/"):
            known = (*(it.name for it in rows()), *self._words)
            return [f"/{it} " for it in known if it.startswith(word[1:])]
        if not word.startswith("@"):
            return []
        if self._files is None:
            self._files = self._runner.run(self._code.files(limit=MOST_FILES))
        typed = word.removeprefix("@").removeprefix("symbol:")
        names: list[str] = []
        if LEAST_NAME <= len(typed) and "/" not in typed:
            found = self._runner.run(self._code.symbols(typed, limit=MOST_OFFERED))
            names = list(dict.fromkeys(it.row.name for it in found))
        return list(suggest(word, self._files, names, limit=MOST_OFFERED))


def _readline() -> ModuleType | None:
    try:
        import readline
    except ImportError:  # As on Windows.
        return None
    return readline


def _shows(text: str) -> bool:
    """Whether the terminal has these characters."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
