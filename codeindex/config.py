"""Which files are looked at, resolved by the caller; ``DEFAULTS`` says what is sensible."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkConfig:
    """Which files are looked at. Nothing here can bring a secret in."""

    max_bytes: int
    """The largest file that is read, in bytes: what is larger is data, or nobody wrote it by hand."""
    mean_line: int
    """Lines longer than this on average, in characters and with few blanks, were written by a minifier."""
    longest_line: int
    """So was a file with one line longer than this, in characters and with few blanks."""
    max_depth: int
    """How many folders deep the walk goes: deeper is an accident or a trap."""
    generated: bool
    """Whether files that say they are generated belong, lock files and snapshots among them."""
    minified: bool
    """Whether minified files belong."""
    submodules: bool
    """Whether the files of git's submodules belong: they are other projects, kept at one version."""
    include: tuple[str, ...]
    """Patterns as in a `.gitignore` that bring in what is left out; from the user's own settings alone."""


DEFAULTS = WalkConfig(
    max_bytes=1_000_000,
    mean_line=200,
    longest_line=5_000,
    max_depth=64,
    generated=False,
    minified=False,
    submodules=False,
    include=(),
)
"""The one place for these numbers. A million bytes is about 30,000 lines: nobody wrote that by hand."""
