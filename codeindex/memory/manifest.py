"""One generation of a workspace's memory as a small file: which segments, and what of them counts no more.

The manifest is replaced in one step, so whoever reads it sees a whole generation, the old one or the new.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from codeindex.memory import disk
from codeindex.memory.errors import Damaged, Newer
from codeindex.memory.occurrence import Source

NAME = "manifest.json"
FORMAT = 2
DIGEST = 16  # Bytes.

Version = tuple[int, int]
"""A file's size in bytes and its time in nanoseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A segment on disk."""

    file: str
    source: Source
    bytes: int
    """Of coded text that counts."""
    dead: tuple[int, ...] = ()
    """Numbers of the documents that do not count any more."""

    @property
    def shared(self) -> bool:
        """Whether other workspaces use it, too."""
        return self.source is not Source.PROJECT


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a generation is made of."""

    generation: int = 0
    root: str = ""
    rules: str = ""
    """A fingerprint of the rules by which files belong: with others, everything is looked at again."""
    segments: tuple[Stored, ...] = ()
    passed: Mapping[str, Version] = field(default_factory=dict)
    """Files that were read and do not belong by their text: they are not read again until they change."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Bytes of source of each dependency, by its fingerprint."""
    checked_s: float = 0.0
    """When all bytes of the segments were last looked at, in seconds since 1970."""


def read_manifest(folder: Path) -> Manifest:
    """The newest generation; an empty one if there is none. Raises ``Damaged`` or ``Newer``."""
    try:
        body, _, digest = (folder / NAME).read_bytes().partition(b"\n")
    except FileNotFoundError:
        return Manifest()
    except OSError as error:
        raise Damaged("The memory's manifest cannot be read.") from error
    try:
        found = json.loads(body)
        if FORMAT < int(found["format"]):
            raise Newer("The memory was written by a newer version of Hearth, and is left alone.")
        if int(found.pop("format")) != FORMAT or _digest(body) != digest.strip():
            raise Damaged("The memory's manifest is damaged.")
        segments = [
            {**it, "source": Source(it["source"]), "dead": tuple(it["dead"])} for it in found["segments"]
        ]
        found["segments"] = tuple(Stored(**it) for it in segments)
        found["passed"] = {path: (size, time) for path, (size, time) in found["passed"].items()}
        return Manifest(**found)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Damaged("The memory's manifest is damaged.") from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Make this the newest generation."""
    body = json.dumps({"format": FORMAT, **asdict(manifest)}, separators=(",", ":")).encode()
    disk.write_whole(folder / NAME, (body, b"\n", _digest(body), b"\n"))


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=DIGEST).hexdigest().encode()
