"""Context from the open documents: what was edited lately, and what is about the same names.

The event loop is told of every change and does work in proportion to it. Cutting a document into pieces, and
judging whether it may be shown at all, is done in a thread; a document that has not been judged as it is now
says nothing to others. Which documents those are, the rules of the project memory decide.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from completion.context import Place, Recent, blocks, choose, grown, piece
from completion.regions import Drift, LineEdit, Region, drifted, edit_between, follow
from lsp_server import convert
from lsp_server.documents import Change, Document, split_lines
from lsp_server.repository import repository_name
from models.wire import Snippet

logger = logging.getLogger(__name__)

REGIONS = 20
"""So many edited places are kept, of all documents together: half an hour's work."""
DOCUMENTS = 16
"""So many documents are cut into pieces: those that were used last."""
LARGEST_LINES = 20_000
"""A larger document is not cut into pieces, and has only its edited places."""
OFFERED = 64
"""So many pieces of files that are not open are kept for a document; a prompt has room for some ten."""
STALE_LINES = 100
"""After so many changed lines a document that is being written is cut into pieces again."""
CHANGE_SECONDS = 20.0
"""While one goes on writing at one place, pieces are added this seldom: the model reads its prompt anew."""
START_CHARACTERS = 200
"""By so much of its beginning a window is recognized."""
RULES = frozenset({".gitignore", ".hearthignore"})
"""Files that say what belongs to a project."""
HEAD_CHARACTERS = 128
"""Of a document without an extension: its first line says which program runs it."""

Shown = Literal["everywhere", "itself", "nowhere"]
"""Whose prompts a document's pieces may stand in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A piece and its lines, as they were counted when the document was cut."""

    first: int
    last: int
    recent: Recent


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What is known of one version of a document."""

    shown: Shown
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a document's prompts were given last."""

    pieces: tuple[Snippet, ...]
    budget: int
    start: str
    """How the window begins: where that changes, the prompt is read anew anyway."""
    at: float
    """When new pieces were last added."""


class Followed:
    """One open document, followed through its changes."""

    def __init__(self, document: Document, home: str, path: str) -> None:
        self.document = document
        self.home = home
        self.path = path
        self.lines = document.lines
        """The list that was there last: a document that is replaced as a whole has another one."""
        self.count = len(document.lines)
        self.regions: tuple[Region, ...] = ()
        self.used = 0
        self.prepared: Prepared | None = None
        self.drift: Drift | None = None
        """What has changed since it was prepared,"""
        self.pending: Future[Prepared] | None = None
        self.pending_drift: Drift | None = None
        """and since the text was handed over that is being prepared."""
        self.sent: Sent | None = None
        self.offered: tuple[Recent, ...] = ()
        """Pieces of files that are not open, in the order in which they came."""

    def follow(self, change: Change | None, when: int) -> bool:
        """Take in a change that the document has been through; whether there was one."""
        document = self.document
        if document.lines is not self.lines or change is None:
            edit = edit_between(self.lines, document.lines)
        else:
            came = len(split_lines(change.inserted, last=True)) - 1
            went = max(came - (len(document.lines) - self.count), 0)
            line = min(change.line, max(self.count - 1 - went, 0))  # A "\n" may have joined a "\r" above it.
            edit = LineEdit(line=line, removed=went, inserted=came)
        self.lines, self.count = document.lines, len(document.lines)
        if edit is None:
            return False
        self.regions = follow(self.regions, edit, when)
        self.drift = drifted(self.drift, edit)
        self.pending_drift = drifted(self.pending_drift, edit) if self.pending else None
        return True

    def collect(self) -> None:
        """Use what the thread has finished."""
        if self.pending is None or not self.pending.done():
            return
        try:
            self.prepared, self.drift = self.pending.result(), self.pending_drift
        except Exception:  # It says nothing to anybody until it is changed again.
            logger.exception("context bug")
            self.prepared, self.drift = Prepared(shown="nowhere", blocks=()), self.pending_drift
        self.pending = self.pending_drift = None

    @property
    def is_known(self) -> bool:
        """Whether it was judged as it is now."""
        return self.prepared is not None and self.drift is None

    def pieces(self, *, own: bool) -> Iterator[Recent]:
        """What it has to show: to its own prompt while it is being written too."""
        prepared = self.prepared
        if prepared is None or prepared.shown == "nowhere":
            return
        if not own and (self.drift is not None or prepared.shown != "everywhere"):
            return
        lines = self.document.lines
        for region in self.regions:
            first, last = grown(lines, region.first, region.last)
            found = piece(self.path, lines, first, last, region.when)
            if found is not None:
                yield found
        for block in prepared.blocks:
            if self.drift is None or self.drift.moved(block.first, block.last):
                yield block.recent


class Context:
    """What one connection's documents have to say to each other's prompts."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._roots: tuple[str, ...] = ()
        self._folders: tuple[str, ...] = ()
        self._followed: dict[str, Followed] = {}
        self._names: dict[str, str] = {}
        """What repositories are called, by folder."""
        self._unknown: set[str] = set()
        """Documents that have changed since they were judged, by URI."""
        self._tick = 0
        self._worker: ThreadPoolExecutor | None = None

    def within(self, roots: Sequence[str]) -> None:
        """These are the workspace's folders, as URIs; what was judged in others is judged again."""
        if tuple(roots) == self._roots:
            return
        self._roots = tuple(roots)
        self._folders = tuple(convert.file_path(it) for it in roots if it.startswith("file:"))
        for it in self._followed.values():
            it.home, it.path = self._home(it.document.uri), convert.path_of(it.document.uri, self._roots)
        self.judge_again()

    def judge_again(self) -> None:
        """What belongs to the project may be different now: until that is known, nothing is shown."""
        for uri, it in self._followed.items():
            it.prepared = it.pending = it.pending_drift = None
            self._unknown.add(uri)
        self._prepare_others("")

    def opened(self, document: Document) -> None:
        """It is on screen now, with a text that nobody has edited yet."""
        uri = document.uri
        self._followed[uri] = Followed(document, self._home(uri), convert.path_of(uri, self._roots))
        self._use(self._followed[uri])
        self._unknown.add(uri)
        self._prepare(self._followed[uri])

    def edited(self, document: Document, change: Change | None) -> None:
        """It has been through one change; ``None`` where all of it was replaced."""
        it = self._followed.get(document.uri)
        if it is None or it.document is not document:
            self.opened(document)
            return
        self._use(it)
        if it.follow(change, self._tick):
            self._unknown.add(document.uri)
            self._forget_oldest()
        if self._unknown - {document.uri}:
            self._prepare_others(document.uri)

    def closed(self, uri: str) -> None:
        """What was on screen is forgotten, saved or not."""
        self._followed.pop(uri, None)
        self._unknown.discard(uri)

    def path(self, uri: str) -> str:
        """What prompts call a document."""
        return convert.path_of(uri, self._roots)

    def offered(self, uri: str) -> tuple[Recent, ...]:
        """What was offered to a document and is still there."""
        it = self._followed.get(uri)
        return it.offered if it is not None else ()

    def offer(
        self, uri: str, pieces: Iterable[Recent], gone: Collection[tuple[str, str]] = frozenset()
    ) -> None:
        """Pieces of files that are not open, for the next prompts of a document; ``gone`` are there no more.

        What was offered before stays where it was; what was never shown gives way when there are too many.
        """
        it = self._followed.get(uri)
        if it is None:
            return
        known = {(at.path, at.text): at for at in it.offered if (at.path, at.text) not in gone}
        for at in pieces:
            known.setdefault((at.path, at.text), at)
        sent = {(at.path, at.text) for at in it.sent.pieces} if it.sent else set()
        spare = [key for key in known if key not in sent][: max(len(known) - OFFERED, 0)]
        it.offered = tuple(at for key, at in known.items() if key not in spare)

    def withdraw(self, uris: Collection[str] | None = None) -> None:
        """Offer nothing of these files any more, or of any."""
        paths = None if uris is None else {self.path(it) for it in uris}
        for it in self._followed.values():
            it.offered = tuple(at for at in it.offered if paths is not None and at.path not in paths)

    def snippets(
        self, document_uri: str, path: str, before: str, after: str, budget_tokens: int
    ) -> tuple[Snippet, ...]:
        """The pieces to show before a window of a document, in the order they were shown before.

        A smaller budget than the last time gets the first of them, and changes nothing.
        """
        own = self._followed.get(document_uri)
        if own is not None:
            self._use(own)
        self._prepare_others(document_uri)
        if own is not None and _is_stale(own):
            self._prepare(own)
        sent = own.sent if own else None
        start, now = before[:START_CHARACTERS], self._clock()
        smaller = sent is not None and budget_tokens < sent.budget
        is_free = sent is None or not sent.pieces or sent.start != start or CHANGE_SECONDS <= now - sent.at
        chosen = choose(
            self._pieces(document_uri),
            Place(path=path, before=before, after=after),
            budget_tokens,
            sent.pieces if sent else (),
            may_change=is_free and not smaller,
        )
        if own is not None and not smaller:
            changed = sent is None or chosen != sent.pieces
            at = now if changed or sent is None else sent.at
            own.sent = Sent(pieces=chosen, budget=budget_tokens, start=start, at=at)
        return chosen

    def repository(self, document_uri: str) -> str:
        """What the repository that a document is in is called; empty if it is in none."""
        folder = self._home(document_uri)
        if folder not in self._names:
            self._names[folder] = repository_name(folder)
        return self._names[folder]

    def wait(self) -> None:
        """Until every document is known as it is now. For commands and tests, which have the time."""
        while True:
            self._prepare_others("")
            pending = [(it, it.pending) for it in self._followed.values() if it.pending is not None]
            if not pending:
                return
            for it, future in pending:
                future.exception()
                it.collect()

    def _pieces(self, uri: str) -> list[Recent]:
        home = self._home(uri)
        found: list[Recent] = []
        for it in self._recent():
            it.collect()
            if it.home == home:
                found += it.pieces(own=it.document.uri == uri)
        on_screen = {it.path for it in self._followed.values()}
        return found + [it for it in self.offered(uri) if it.path not in on_screen]

    def _recent(self) -> list[Followed]:
        """The documents that were used last; the others' pieces are let go."""
        order = sorted(self._followed.values(), key=lambda it: -it.used)
        for it in order[DOCUMENTS:]:
            it.prepared = None
            self._unknown.add(it.document.uri)
        return order[:DOCUMENTS]

    def _use(self, it: Followed) -> None:
        self._tick += 1
        it.used = self._tick

    def _forget_oldest(self) -> None:
        """Keep the edited places that are left when the oldest ones have gone."""
        every = [region.when for it in self._followed.values() for region in it.regions]
        if REGIONS < len(every):
            oldest = sorted(every)[-REGIONS]
            for it in self._followed.values():
                it.regions = tuple(region for region in it.regions if oldest <= region.when)

    def _prepare_others(self, uri: str) -> None:
        """Look at the documents that somebody has edited and then left."""
        for it in self._recent() if self._unknown - {uri} else ():
            if it.document.uri in self._unknown and it.document.uri != uri:
                self._prepare(it)

    def _prepare(self, it: Followed) -> None:
        """Have a document judged and cut into pieces as it is now, unless that is being done."""
        it.collect()
        if it.pending is not None:
            return
        if it.is_known:
            self._unknown.discard(it.document.uri)
            return
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, thread_name_prefix="context")
        lines = list(it.document.lines)  # A document that is edited meanwhile changes its own.
        it.pending_drift = None
        it.pending = self._worker.submit(prepare, it.document.uri, it.home, it.path, lines)

    def _home(self, uri: str) -> str:
        """The innermost folder that a document is in; one that is in none is the first one's guest."""
        path = convert.file_path(uri) if uri.startswith("file:") else ""
        inside = [it for it in self._folders if path.startswith(it.rstrip("/") + "/")]
        return max(inside, key=len, default=self._folders[0] if self._folders else "")


def prepare(uri: str, root: str, path: str, lines: Sequence[str]) -> Prepared:
    """In the thread: judge a document, and cut it into pieces."""
    shown = judged(uri, root, "".join(lines))
    if shown == "nowhere" or LARGEST_LINES < len(lines):
        return Prepared(shown=shown, blocks=())
    found = []
    for first, last in blocks(lines):
        recent = piece(path, lines, first, last)
        if recent is not None:
            found.append(Block(first=first, last=last, recent=recent))
    return Prepared(shown=shown, blocks=tuple(found))


def judged(uri: str, root: str, text: str) -> Shown:
    """Whose prompts a document may stand in, by the rules that decide who learns from it.

    ``root``: the folder that it belongs to; empty if none is open.
    """
    from codeindex.config import DEFAULTS  # Late: it takes a while, and nobody waits for it in the thread.
    from codeindex.secret import secret_content, secret_name
    from codeindex.skip import Reason, reason_of_text
    from codeindex.walk import belongs

    is_file = uri.startswith("file:")
    path = convert.file_path(uri) if is_file else uri
    top = os.path.realpath(root) if root else ""
    if secret_name(_name(top, path) if is_file else uri) or "\0" in text or secret_content(text):
        return "nowhere"
    if not is_file:  # It has not been saved anywhere yet.
        return "itself" if root else "everywhere"
    place = belongs(Path(top or os.path.dirname(path)), Path(path), DEFAULTS, text=text[:HEAD_CHARACTERS])
    if place.reason is Reason.SECRET:
        return "nowhere"
    reason = place.reason or reason_of_text(place.language, text, DEFAULTS)
    return "itself" if reason or DEFAULTS.max_bytes < len(text) else "everywhere"


def _name(top: str, path: str) -> str:
    """A file's path from its folder on, or all of it without the slash at its start."""
    folder, name = os.path.split(path)
    full = os.path.join(os.path.realpath(folder), name)
    inside = top.rstrip(os.sep) + os.sep if top else os.sep
    return full.removeprefix(inside).removeprefix(os.sep).replace(os.sep, "/")


def _is_stale(it: Followed) -> bool:
    drift = it.drift
    if it.prepared is None:
        return True
    return drift is not None and STALE_LINES < max(drift.old_last, drift.new_last) - drift.first
