"""The texts on screen, as one thread of the service sees them: kept until the index has what was saved."""

from __future__ import annotations

import os
import time
from pathlib import Path

from codeindex.config import WalkConfig
from codeindex.files import read_bytes, text_of
from codeindex.overlay import Overlay
from codeindex.store import Reader
from codeindex.walk import belongs

SETTLED_S = 30.0
"""A saved text is kept for the index at most so long: if it is not there by then, it will not come."""


class Buffers:
    """Unsaved texts, and saved ones that are not in the index yet."""

    def __init__(self, root: Path, config: WalkConfig) -> None:
        self.overlay = Overlay()
        self._root = Path(os.path.realpath(root))
        self._config = config
        self._saved: dict[str, float] = {}

    def put(self, path: str, text: str | None) -> None:
        """Take a text; None says that the file counts again."""
        relative = relative_to(self._root, path)
        if relative is None:
            return
        if text is None:
            if self.overlay.text(relative) is not None and self._is_on_disk(relative):
                self._saved[relative] = time.monotonic()
            else:
                self._drop(relative)
            return
        found = belongs(self._root, self._root / relative, self._config, text=text)
        if found.text is None:
            self._drop(relative)
        else:
            self._saved.pop(relative, None)
            self.overlay.put(relative, found.text, found.language)

    def settle(self, reader: Reader | None) -> None:
        """Let go of saved texts that the index has, and of those that a file does not have any more."""
        for path, since in list(self._saved.items()):
            late = since + SETTLED_S < time.monotonic()
            if late or not self._is_on_disk(path) or (reader is not None and self._is_known(reader, path)):
                self._drop(path)

    def _drop(self, path: str) -> None:
        self._saved.pop(path, None)
        self.overlay.drop(path)

    def _is_on_disk(self, path: str) -> bool:
        try:
            return text_of(read_bytes(self._root / path, self._config.max_bytes)) == self.overlay.text(path)
        except OSError:
            return False

    def _is_known(self, reader: Reader, path: str) -> bool:
        return any(reader.text(it.content) == self.overlay.text(path) for it in reader.files([path]))


def relative_to(root: Path, path: str) -> str | None:
    """A path from the root with slashes, however it was given; None if it is not below the root."""
    if not path or "\0" in path:
        return None
    folder, name = os.path.split(os.path.normpath(os.path.join(root, path)))
    relative = os.path.relpath(os.path.join(os.path.realpath(folder), name), root)
    if relative in (os.curdir, os.pardir) or relative.startswith(os.pardir + os.sep):
        return None
    return relative.replace(os.sep, "/")
