"""One file's way into the index: read while it may be changing, judged, taken apart, made into rows."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from codeindex.config import WalkConfig
from codeindex.files import Signature, signature
from codeindex.skip import Reason
from codeindex.store.rows import Indexed, content_hash, content_of
from codeindex.types import Parsed
from codeindex.walk import Belonging, FoundFile, read

logger = logging.getLogger(__name__)

TRIES = 3
RACY_NS = 2_000_000_000
"""A file that changed less than this before it was read may change again without a new time: some file
systems count in steps of two seconds. Such a file is read once more."""
SELDOM = (50_000, 50, 50)
"""How many objects come before garbage in circles is looked for: rows are many, and none of them is any."""
READY, REST = "ready", "rest"
"""What a worker says first, and what it is told when there is nothing to do for a while."""

Parse = Callable[[str, str], Parsed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a worker is told first."""

    folder: Path
    """Of the index."""
    config: WalkConfig
    parser: str
    """Module and function, with a colon between: text and language in, ``Parsed`` out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A file to be read."""

    found: FoundFile
    plain: bool = False
    """Without its syntax: that has failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A file that was read."""

    path: str
    indexed: Indexed | None
    """None if it is gone."""
    lines: int = 0
    """Of text that was taken apart; what was known already does not count."""


def read_job(job: Job, config: WalkConfig, parse: Parse, known: Callable[[bytes], bool]) -> Done:
    """Read a file that may change meanwhile, and take it apart unless its content is known."""
    found = job.found
    state, judged, stable = _read(found, config)
    if state is None:
        return Done(path=found.relative, indexed=None)
    indexed = Indexed(
        path=found.relative,
        size=state.size,
        mtime_ns=state.mtime_ns,
        ctime_ns=state.ctime_ns,
        inode=state.inode,
        sure=stable,
        reason=judged.reason.value if judged.reason else "",
    )
    if judged.text is None:
        return Done(path=found.relative, indexed=indexed)
    digest = content_hash(judged.language, judged.text)
    if known(digest):
        return Done(path=found.relative, indexed=replace(indexed, hash=digest))
    try:
        parsed = _parsed(judged.text, judged.language, parse, plain=job.plain)
    except Exception as error:  # Whatever a parser raises is about this file alone.
        logger.warning("cannot be taken apart path=%s error=%s", found.relative, type(error).__name__)
        return Done(path=found.relative, indexed=replace(indexed, reason=Reason.BROKEN.value))
    content = content_of(judged.text, parsed)
    return Done(
        path=found.relative, indexed=replace(indexed, hash=digest, content=content), lines=content.lines
    )


def _parsed(text: str, language: str, parse: Parse, *, plain: bool) -> Parsed:
    """With its syntax if that can be had."""
    if not plain:
        try:
            return replace(parse(text, language), language=language)
        except Exception as error:
            logger.warning("parser failed language=%s error=%s", language, type(error).__name__)
    return replace(parse(text, ""), language=language, degraded=True)


def _read(found: FoundFile, config: WalkConfig) -> tuple[Signature | None, Belonging, bool]:
    """The signature that goes with what was read, and whether it proves that this is what is there."""
    for _ in range(TRIES):
        began = time.time_ns()
        before = _signature(found.path)
        judged = read(found, config)
        after = _signature(found.path)
        if before == after:
            break
    changed = max(after.mtime_ns, after.ctime_ns) if after else 0
    return after, judged, before == after and changed < began - RACY_NS


def _signature(path: Path) -> Signature | None:
    try:
        return signature(path)
    except OSError:
        return None
