"""How much the memory may hold, resolved by the caller; ``DEFAULTS`` is sensible."""

from __future__ import annotations

from dataclasses import dataclass

from codeindex import config
from codeindex.config import WalkConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryConfig:
    """What is kept on disk, beside which files belong at all."""

    walk: WalkConfig
    project_bytes: int
    """Of the project's files, newest first."""
    dependency_bytes: int
    """Of what it builds on, beside standard libraries: what it names itself first."""


DEFAULTS = MemoryConfig(walk=config.DEFAULTS, project_bytes=200_000_000, dependency_bytes=100_000_000)
"""On disk five times as much. A question costs the same in 1 MB as in 100."""
