"""By which code texts are taken apart: when that changes, the index is made again by itself."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

FILES = (
    "parse*.py",
    "chunk.py",
    "identifiers.py",
    "embedding.py",
    "tags/*.scm",
    "store/rows.py",
    "store/packed.py",
)


@lru_cache(1)
def rules() -> str:
    """The same as long as the same text becomes the same rows."""
    folder = Path(__file__).parent
    digest = hashlib.blake2b(digest_size=16)
    for pattern in FILES:
        for path in sorted(folder.glob(pattern)):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
