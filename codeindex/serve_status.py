"""How the index is, put together from what the writer tells, what it notes in the index, and its counts."""

from __future__ import annotations

import json
import threading
from typing import Any

from codeindex.protocol import State, Status, Told
from codeindex.serve_meaning import Meaning
from codeindex.serve_writer import Keeper
from codeindex.store import Reader, StoreError
from codeindex.types import Counts

KNOWN = 0.03  # Of the work: with less of it done, nobody can say how long the rest takes.
NOTHING = Counts(files=0, contents=0, chunks=0, symbols=0, lines=0, bytes=0, vectors=0)


class Statuses:
    """Any thread may ask, with its own reader."""

    def __init__(self, keeper: Keeper, meaning: Meaning) -> None:
        self._keeper = keeper
        self._meaning = meaning
        self._lock = threading.Lock()
        self._generation = 0
        self._counts = NOTHING
        self._note: Told | None = None

    def now(self, reader: Reader | None) -> Status:
        """The status; without a reader as it was when somebody last asked with one."""
        if reader is not None:
            self._look(reader)
        keeper = self._keeper
        with self._lock:
            counts, generation, note = self._counts, self._generation, self._note
        told = keeper.told or note
        state = _state(keeper, told, counts)
        is_building = state is State.BUILDING and told is not None and told.total
        done = told.read / told.total if told and is_building else _whole(state)
        return Status(
            state=state,
            files=counts.files,
            chunks=counts.chunks,
            symbols=counts.symbols,
            lines=counts.lines,
            vectors=counts.vectors,
            generation=generation,
            progress=round(done, 4),
            seconds_left=told.seconds_left if told and is_building and KNOWN <= done else None,
            embedder=self._meaning.model,
            writer=keeper.writer,
            problem=keeper.problem,
        )

    def _look(self, reader: Reader) -> None:
        """Take in the counts, if they may have changed, and what the writer has noted."""
        with reader.snapshot():
            generation = reader.generation()
            note = _noted(reader)
            with self._lock:
                same = generation == self._generation
            counts = self._counts if same else reader.counts()
        with self._lock:
            self._generation, self._counts, self._note = generation, counts, note


def _state(keeper: Keeper, told: Told | None, counts: Counts) -> State:
    if keeper.paused and keeper.writer != "elsewhere":
        return State.PAUSED
    if keeper.writer == "none" and keeper.problem:
        return State.FAILED
    if told is not None:
        return told.state
    return State.READY if counts.files else State.EMPTY


def _whole(state: State) -> float:
    return 0.0 if state in (State.EMPTY, State.BUILDING) else 1.0


def _noted(reader: Reader) -> Told | None:
    """What a writer that is not ours has noted in the index; None if nobody has."""
    note = reader.noted("progress")
    try:
        said: Any = json.loads(note) if note else None
        if not isinstance(said, dict):
            return None
        return Told(
            state=State(said["state"]),
            read=int(said.get("read", 0)),
            total=int(said.get("total", 0)),
            seconds_left=float(said["left"]) if said.get("left") else None,
        )
    except (ValueError, TypeError, KeyError):
        return None


def safely(statuses: Statuses, reader: Reader | None) -> Status:
    """The same, also while the index is damaged."""
    try:
        return statuses.now(reader)
    except StoreError:
        return statuses.now(None)
