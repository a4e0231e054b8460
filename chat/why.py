"""Why which model answered: the last decisions of all windows, without a word of anybody's text."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import filelock

from chat import sent_files
from chat.router import Decision

NAME = "decisions.jsonl"
MOST = 200
"""Decisions that are kept at least, if there were so many."""
LARGEST = 4 * MOST * 300
"""Bytes at which the oldest are dropped; a decision takes some 300."""
LOCK_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """One decision, in numbers and in our own words."""

    at: float
    task: str
    tier: str
    server: str
    rule: str
    reason: str
    tokens_in: int
    tokens_out: int
    cost: float | None = None
    currency: str = ""


FIELDS = fields(Noted)
KINDS: Mapping[str, tuple[type, ...]] = {
    "float": (int, float),
    "str": (str,),
    "int": (int,),
    "float | None": (int, float, type(None)),
}


def note(data: Path, decision: Decision) -> Noted:
    """Keep a decision. That this fails stops nothing: it is there to be asked, not to be relied on."""
    noted = Noted(
        at=time.time(),
        task=decision.request.task,
        tier=decision.tier,
        server=(decision.backend.name or decision.backend.model) if decision.backend else "",
        rule=decision.rule,
        reason=decision.reason,
        tokens_in=decision.estimate.tokens_in,
        tokens_out=decision.estimate.tokens_out,
        cost=decision.estimate.cost,
        currency=decision.estimate.currency,
    )
    path = data / NAME
    try:
        sent_files.private_folder(data)
        with filelock.FileLock(data / f"{NAME}.lock", timeout=LOCK_SECONDS, mode=0o600):
            sent_files.append_line(path, json.dumps(asdict(noted), ensure_ascii=False).encode())
            if LARGEST < path.stat().st_size:
                sent_files.replace_with(path, b"".join(path.read_bytes().splitlines(keepends=True)[-MOST:]))
    except (OSError, filelock.Timeout):
        pass
    return noted


def decisions(data: Path, *, limit: int = MOST) -> tuple[Noted, ...]:
    """The last decisions, the newest first. Lines that make no sense are passed over."""
    try:
        lines = (data / NAME).read_bytes().splitlines()
    except OSError:
        return ()
    found = (_read(it) for it in reversed(lines))
    return tuple(it for it in found if it is not None)[:limit]


def clear(data: Path) -> None:
    """Forget all decisions."""
    sent_files.remove(data / NAME)


def _read(line: bytes) -> Noted | None:
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(raw, Mapping):
        return None
    values = {it.name: raw.get(it.name) for it in FIELDS}
    is_good = all(isinstance(values[it.name], KINDS[str(it.type)]) for it in FIELDS)
    known: Any = values  # of the right types, as just checked
    return Noted(**known) if is_good else None
