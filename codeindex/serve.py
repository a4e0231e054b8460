"""The service of a workspace's index: it answers what comes in on standard input, each request once.

Threads, each with its own way to the index: this one reads; four answer, so that what takes long holds up
nothing quick; one tells how things are; one sees to it that somebody writes. Buffers go to all that answer.
"""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from codeindex.embed_memory import give_back
from codeindex.protocol import Options, line_of, status_json
from codeindex.protocol_asks import (
    Ask,
    Bad,
    Calls,
    Cancel,
    Definitions,
    Faults,
    Grep,
    Id,
    Imports,
    Notice,
    Overview,
    Places,
    Request,
    Similar,
    message_in,
)
from codeindex.serve_desk import Desk, Place
from codeindex.serve_meaning import Meaning
from codeindex.serve_status import Statuses, safely
from codeindex.serve_writer import Keeper
from codeindex.store import Reader, StoreError, open_reader, store_folder
from codeindex.store.errors import Damaged

logger = logging.getLogger(__name__)

TELL_S = 0.5
"""Status events are at least so far apart."""
LOOK_S = 1.0
"""How often to look what another window's writer has done."""
SLOW_S = 0.5
REST_S = 5.0
"""After so long without a question, what was remembered for the next one goes."""
CHECK_S = 30.0
CANCELLED = "Cancelled."
BROKEN = "The index could not answer that; its log says why."
QUICK, GRAPH, MAP, ALIKE = "quick", "graph", "map", "alike"


class Voice:
    """Standard output, a JSON object a line; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def say(self, line: Mapping[str, Any]) -> None:
        """Write a line at once. Nobody there any more: standard input will end, too."""
        text = line_of(line)
        with self._lock:
            try:
                sys.stdout.write(text)
                sys.stdout.flush()
            except (OSError, ValueError):
                logger.debug("nobody listens")

    def problem(self, says: str) -> None:
        """One sentence for the user."""
        self.say({"event": "problem", "says": says})


class Ticket:
    """A request that waits for its one answer."""

    def __init__(self, number: Id, ask: Ask, came: float) -> None:
        self.id = number
        self.ask = ask
        self.came = came
        self.is_over = False


class Service:
    """What is asked and not answered yet. ``take`` is for one thread."""

    def __init__(self, root: Path, cache: Path, options: Options, voice: Voice) -> None:
        root = Path(os.path.realpath(root))
        folder = store_folder(root, cache)
        self._voice = voice
        self._folder = folder
        self._lock = threading.Lock()
        self._waiting: dict[Id, Ticket] = {}
        self._ended = threading.Event()
        self._news = threading.Event()
        self._checked = -CHECK_S
        self._meaning = Meaning(folder, options, voice.problem)
        self._keeper = Keeper(root, cache, options, self._heard, voice.problem)
        self._statuses = Statuses(self._keeper, self._meaning)
        place = Place(
            root=root,
            folder=folder,
            options=options,
            meaning=self._meaning,
            status=lambda reader: safely(self._statuses, reader),
        )
        self._lanes: dict[str, queue.SimpleQueue[Ticket | Notice]] = {}
        for name in (QUICK, GRAPH, MAP, ALIKE):
            lane = self._lanes[name] = queue.SimpleQueue()
            threading.Thread(target=self._work, args=(Desk(place), lane), name=name, daemon=True).start()
        threading.Thread(target=self._tell, name="tell", daemon=True).start()

    def take(self, line: bytes) -> None:
        """Take in a line."""
        said = message_in(line)
        match said:
            case Request():
                self._accept(said)
            case Cancel():
                with self._lock:
                    ticket = self._waiting.get(said.id)
                if ticket is not None:
                    self._answer(ticket, {"error": CANCELLED})
            case Notice(method="buffer"):
                for lane in self._lanes.values():
                    lane.put(said)
            case Notice():
                self._keeper.send(said)
            case Bad(id=None):
                self._voice.problem(f"The index was told something that it does not understand: {said.says}")
            case Bad():
                self._voice.say({"id": said.id, "error": said.says})

    def close(self) -> None:
        """End the writer; what was asked is not answered any more."""
        self._ended.set()
        self._news.set()
        self._meaning.close()
        self._keeper.close()

    def _accept(self, request: Request) -> None:
        ticket = Ticket(request.id, request.ask, time.monotonic())
        with self._lock:
            is_new = request.id not in self._waiting
            if is_new:
                self._waiting[request.id] = ticket
        if not is_new:
            self._voice.say({"id": request.id, "error": "Another request with this id waits for its answer."})
            return
        match request.ask:
            case Calls() | Definitions() | Imports():
                self._lanes[GRAPH].put(ticket)
            case Overview():
                self._lanes[MAP].put(ticket)
            case Similar() | Faults() | Grep() | Places():
                self._lanes[ALIKE].put(ticket)
            case _:
                self._lanes[QUICK].put(ticket)

    def _answer(self, ticket: Ticket, said: Mapping[str, Any]) -> None:
        """Answer, unless that has been done."""
        with self._lock:
            if ticket.is_over:
                return
            ticket.is_over = True
            self._waiting.pop(ticket.id, None)
        self._voice.say({"id": ticket.id, **said})

    def _work(self, desk: Desk, lane: queue.SimpleQueue[Ticket | Notice]) -> None:
        while True:
            item = self._next(desk, lane)
            try:
                if isinstance(item, Notice):
                    desk.tell(item)
                elif not item.is_over:
                    self._answer(item, self._answered(desk, item))
            except Exception:
                logger.exception("bug")
                if isinstance(item, Ticket):
                    self._answer(item, {"error": BROKEN})

    def _next(self, desk: Desk, lane: queue.SimpleQueue[Ticket | Notice]) -> Ticket | Notice:
        """What comes next; after a while without anything, memory is given back."""
        try:
            return lane.get(timeout=REST_S)
        except queue.Empty:
            with suppress(StoreError):  # Whoever asks next finds out.
                desk.rest()
            give_back()
            return lane.get()

    def _answered(self, desk: Desk, ticket: Ticket) -> Mapping[str, Any]:
        began = time.monotonic()
        try:
            return {"result": desk.answer(ticket.ask)}
        except StoreError as problem:
            logger.warning("no answer cause=%s", type(problem).__name__)
            desk.close()
            if isinstance(problem, Damaged):
                self._have_it_checked()
            return {"error": str(problem)}
        finally:
            now = time.monotonic()
            if ticket.came + SLOW_S < now:
                waited, took = began - ticket.came, now - began
                logger.info("slow ask=%s waited=%.2f took=%.2f", type(ticket.ask).__name__, waited, took)

    def _have_it_checked(self) -> None:
        """The writer looks whether it is damaged, and makes it anew if so; not with every question."""
        now = time.monotonic()
        with self._lock:
            is_time = self._checked + CHECK_S <= now
            if is_time:
                self._checked = now
        if is_time:
            self._keeper.send(Notice(method="check"))

    def _heard(self) -> None:
        """The writer has said something."""
        self._news.set()
        self._meaning.look()

    def _tell(self) -> None:
        """Say how things are whenever that has changed."""
        last = None
        reader: Reader | None = None
        while not self._ended.is_set():
            self._news.wait(LOOK_S)
            self._news.clear()
            if reader is None or not reader.is_current():
                if reader is not None:
                    reader.close()
                reader = open_reader(self._folder)
            status = safely(self._statuses, reader)
            if status != last:
                if last is None or replace(status, seconds_left=None) != replace(last, seconds_left=None):
                    self._voice.say({"event": "status", **status_json(status)})
                last = status
                self._ended.wait(TELL_S)


def main(root: Path, cache: Path, options: Options) -> int:
    """Serve until standard input ends; the exit code."""
    voice = Voice()
    service = Service(root, cache, options, voice)
    try:
        for line in sys.stdin.buffer:
            if line.strip():
                service.take(line)
    finally:
        service.close()
    return 0
