"""What a command says, as a Markdown file in the cache: for editors without a panel of their own."""

from __future__ import annotations

import os
import re
from pathlib import Path

FOLDER = "answers"
MOST = 20  # files; the oldest go


def write(cache: Path, title: str, markdown: str) -> Path:
    """The file; only the user can read it, as it may hold their code."""
    folder = cache / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    old = sorted(folder.glob("*.md"), key=lambda it: it.stat().st_mtime_ns)
    for it in old[: max(0, len(old) - MOST + 1)]:
        it.unlink(missing_ok=True)
    name = re.sub(r"[^\w.-]+", "-", title).strip("-.")[:60] or "answer"
    path = folder / f"{name}.md"
    new = folder / f".{name}.new"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(markdown.rstrip("\n") + "\n")
    os.replace(new, path)
    return path
