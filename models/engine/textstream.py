"""Pure: bytes of tokens to text that may be sent: whole characters only, nothing of a stop string."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class TextStream:
    """Collects the bytes of one answer.

    ``feed`` returns what is certain: a character cut in half waits for its rest, and what may be the start
    of a stop string is held back until it is clear. After ``stopped`` there is nothing more.
    """

    def __init__(self, stop: Sequence[str]) -> None:
        self.stopped = False
        self._stop = tuple(it for it in stop if it)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""

    def feed(self, data: bytes) -> str:
        """Text that follows what was returned before."""
        if self.stopped:
            return ""
        self._held += self._decoder.decode(data)
        found = [(at + len(it), at) for it in self._stop if 0 <= (at := self._held.find(it))]
        if found:
            self.stopped = True
            _, at = min(found)  # What is complete first counts: it alone does not depend on how bytes arrive.
            text, self._held = self._held[:at], ""
            return text
        keep = max((_overlap(self._held, it) for it in self._stop), default=0)
        cut = len(self._held) - keep
        text, self._held = self._held[:cut], self._held[cut:]
        return text

    def rest(self) -> str:
        """What was held back, once the answer is over. Half a character is dropped."""
        text, self._held = self._held, ""
        return "" if self.stopped else text


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of ``text`` could be the beginning of ``stop``."""
    for size in range(min(len(stop) - 1, len(text)), 0, -1):
        if text.endswith(stop[:size]):
            return size
    return 0
