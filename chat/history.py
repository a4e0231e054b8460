"""The user's conversations: one SQLite file in Hearth's data folder, for all windows and the command line.

Each call opens the file and closes it again, so that any thread may call, no window holds it, and a file that
was deleted or damaged meanwhile is noticed. A damaged one is put aside and a new one begun; what cannot be
done raises ``NoHistory`` with one sentence, and the conversation goes on without being kept.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import filelock

from chat import sent_files
from chat.conversation import Conversation, Turn, as_json, as_markdown, turn_json, turn_value

T = TypeVar("T")

NAME = "history.sqlite3"
PATIENCE_S = 5.0  # For another window that writes: it takes milliseconds.
DAMAGED = frozenset({11, 26})  # SQLITE_CORRUPT, SQLITE_NOTADB
READ_ONLY = frozenset({8, 14})  # SQLITE_READONLY, SQLITE_CANTOPEN
EXCERPT_WORDS = 16
MOST = 1000  # Conversations in one list.
WORD = re.compile(r"\w+")

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE conversations (id TEXT PRIMARY KEY, root TEXT NOT NULL, title TEXT NOT NULL,"
        " begun REAL NOT NULL, touched REAL NOT NULL, rest TEXT NOT NULL) STRICT",
        "CREATE INDEX conversations_touched ON conversations (touched)",
        "CREATE TABLE turns (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
        " conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,"
        " asked TEXT NOT NULL, shown TEXT NOT NULL, rest TEXT NOT NULL) STRICT",
        "CREATE INDEX turns_conversation ON turns (conversation, number)",
        "CREATE VIRTUAL TABLE words USING fts5 (asked, shown, content = 'turns', content_rowid = 'number',"
        " tokenize = 'unicode61 remove_diacritics 2')",
        "CREATE TRIGGER turns_added AFTER INSERT ON turns BEGIN"
        " INSERT INTO words (rowid, asked, shown) VALUES (new.number, new.asked, new.shown); END",
        "CREATE TRIGGER turns_removed AFTER DELETE ON turns BEGIN"
        " INSERT INTO words (words, rowid, asked, shown)"
        " VALUES ('delete', old.number, old.asked, old.shown); END",
        "CREATE TRIGGER turns_changed AFTER UPDATE ON turns BEGIN"
        " INSERT INTO words (words, rowid, asked, shown)"
        " VALUES ('delete', old.number, old.asked, old.shown);"
        " INSERT INTO words (rowid, asked, shown) VALUES (new.number, new.asked, new.shown); END",
    ),
)
"""Append only: the number of those that were applied is the file's ``user_version``."""


class NoHistory(Exception):
    """The history cannot be read or written now; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A conversation in a list."""

    id: str
    title: str
    root: str
    begun: float
    touched: float
    turns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A turn that a search has found."""

    conversation: Listed
    turn: str
    """Its id."""
    excerpt: str
    """The words around what was looked for."""


class History:
    """The conversations in one file. Any thread and any process may have one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.problem = ""
        """What happened to the file, as one sentence for the user, once it has."""

    def keep(self, conversation: Conversation, turns: Sequence[Turn] = ()) -> None:
        """Keep a conversation's name, and these of its turns; its others stay as they are."""
        now = time.time()
        rest = {it: getattr(conversation, it) for it in ("system", "summary", "condensed")}
        head = (conversation.id, conversation.root, conversation.title, now, now, _json(rest))

        def write(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT INTO conversations VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
                " SET touched = excluded.touched, rest = excluded.rest,"
                " title = iif(title = '', excluded.title, title)",
                head,
            )
            for it in turns:
                db.execute(
                    "INSERT INTO turns (id, conversation, asked, shown, rest) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT (id) DO UPDATE SET shown = excluded.shown, rest = excluded.rest",
                    (it.id, conversation.id, _text(it.asked), _text(it.shown), _json(turn_json(it))),
                )

        self._do(write)

    def drop(self, conversation: str, turns: Sequence[str]) -> None:
        """Forget these turns of a conversation, as when a question is asked anew."""
        marks = ", ".join("?" * len(turns))
        self._do(
            lambda db: db.execute(
                f"DELETE FROM turns WHERE conversation = ? AND id IN ({marks})",  # marks alone
                (conversation, *turns),
            )
        )

    def list(self, *, root: str = "", limit: int = 50) -> tuple[Listed, ...]:
        """The conversations, the latest first; of one workspace folder, or of all."""
        rows = self._read(
            "SELECT id, title, root, begun, touched, (SELECT count(*) FROM turns WHERE conversation = it.id)"
            " FROM conversations AS it WHERE ? IN ('', root) ORDER BY touched DESC, rowid DESC LIMIT ?",
            (root, max(0, min(limit, MOST))),
        )
        return tuple(_listed(it) for it in rows)

    def get(self, identity: str) -> Conversation | None:
        """A conversation with all of its turns; the beginning of its id is enough if no other has it."""
        pattern = re.sub(r"([\\%_])", r"\\\1", identity) + "%"
        rows = self._read(
            "SELECT id, title, root, rest FROM conversations WHERE id = ? OR id LIKE ? ESCAPE '\\'"
            " ORDER BY id = ? DESC LIMIT 2",
            (identity, pattern, identity),
        )
        if not identity or not rows or (1 < len(rows) and rows[0][0] != identity):
            return None
        (found, title, root, _), raw = rows[0], _object(rows[0][3])
        turns = self._read("SELECT rest FROM turns WHERE conversation = ? ORDER BY number", (found,))
        condensed, summary, system = raw.get("condensed"), raw.get("summary"), raw.get("system")
        return Conversation(
            id=found,
            title=title,
            root=root,
            turns=tuple(turn_value(_object(it)) for (it,) in turns),
            system=system if isinstance(system, str) else "",
            summary=summary if isinstance(summary, str) else "",
            condensed=min(condensed, len(turns)) if type(condensed) is int and 0 < condensed else 0,
        )

    def search(self, query: str, *, limit: int = 50) -> tuple[Found, ...]:
        """The turns with all of these words, the best first; the last word may be a beginning."""
        words = WORD.findall(query)
        if not words:
            return ()
        wanted = " ".join(f'"{it}"' for it in words) + "*"
        rows = self._read(
            "SELECT c.id, c.title, c.root, c.begun, c.touched,"
            " (SELECT count(*) FROM turns WHERE conversation = c.id), t.id,"
            f" snippet(words, -1, '', '', '…', {EXCERPT_WORDS})"
            " FROM words JOIN turns AS t ON t.number = words.rowid"
            " JOIN conversations AS c ON c.id = t.conversation"
            " WHERE words MATCH ? ORDER BY rank LIMIT ?",
            (wanted, max(0, min(limit, MOST))),
        )
        return tuple(
            Found(conversation=_listed(it[:6]), turn=it[6], excerpt=" ".join(it[7].split())) for it in rows
        )

    def rename(self, identity: str, title: str) -> bool:
        """Give a conversation a name; whether it is there."""
        name = " ".join(title.split())
        return self._change("UPDATE conversations SET title = ? WHERE id = ?", (_text(name), identity))

    def export(self, identity: str, form: Literal["markdown", "json"] = "markdown") -> str | None:
        """All of a conversation as a text; ``None`` if it is not there."""
        found = self.get(identity)
        if found is None:
            return None
        if form == "json":
            return json.dumps(as_json(found), ensure_ascii=False, indent=2) + "\n"
        return as_markdown(found, lambda at: time.strftime("%Y-%m-%d %H:%M", time.localtime(at)))

    def delete(self, identity: str) -> bool:
        """Forget a conversation, also on the disk; whether it was there."""
        is_gone = self._change("DELETE FROM conversations WHERE id = ?", (identity,))
        if is_gone:
            self._clean()
        return is_gone

    def delete_all(self) -> int:
        """Forget all of them, also on the disk; how many there were."""
        if not self._path.exists():
            return 0
        count = self._do(lambda db: db.execute("DELETE FROM conversations").rowcount)
        self._clean("VACUUM")
        return count

    def _clean(self, *more: str) -> None:
        """Leave nothing on the disk of what was deleted; what another window still reads goes later."""
        optimize = "INSERT INTO words (words) VALUES ('optimize')"  # Until then it only says what is gone.
        for statement in (optimize, *more, "PRAGMA wal_checkpoint(TRUNCATE)"):
            with suppress(NoHistory):
                self._do(partial(_run, statement), isolated=False)

    def _change(self, statement: str, values: tuple[Any, ...]) -> bool:
        return self._path.exists() and 0 < self._do(lambda db: db.execute(statement, values).rowcount)

    def _read(self, statement: str, values: tuple[Any, ...]) -> Sequence[Any]:
        def read(db: sqlite3.Connection) -> Sequence[Any]:
            return db.execute(statement, values).fetchall() if _version(db) else ()

        return self._do(read, writes=False) if self._path.exists() else ()

    def _do(
        self, work: Callable[[sqlite3.Connection], T], *, writes: bool = True, isolated: bool = True
    ) -> T:
        """Do something with the file, in one transaction; once more with a new file if it is damaged."""
        try:
            try:
                return self._once(work, writes=writes, isolated=isolated)
            except sqlite3.DatabaseError as exc:
                if not _is_damage(exc):
                    raise
                self._put_aside()
                return self._once(work, writes=True, isolated=isolated)
        except (sqlite3.Error, OSError, filelock.Timeout) as exc:
            does = "written" if writes else "read"
            raise NoHistory(f"The history in {self._path} cannot be {does} ({exc}).") from exc

    def _once(self, work: Callable[[sqlite3.Connection], T], *, writes: bool, isolated: bool) -> T:
        with self._opened(writes=writes) as db:
            if not (writes and isolated):
                return work(db)
            db.execute("BEGIN IMMEDIATE")
            try:
                result = work(db)
            except BaseException:
                db.rollback()
                raise
            db.commit()
            return result

    @contextmanager
    def _opened(self, *, writes: bool) -> Iterator[sqlite3.Connection]:
        if writes and not self._path.exists():
            sent_files.private_folder(self._path.parent)
            sent_files.make_private(self._path)
        db = self._connected(writes=writes)
        try:
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA secure_delete = ON")
            if writes:
                db.execute("PRAGMA journal_mode = WAL")
                self._migrate(db)
            yield db
        finally:
            db.close()

    def _connected(self, *, writes: bool) -> sqlite3.Connection:
        """A connection; one that can only read where the disk allows no more."""
        uri = self._path.absolute().as_uri()
        db = sqlite3.connect(f"{uri}?mode=rw", uri=True, timeout=PATIENCE_S, isolation_level=None)
        try:
            _version(db)
        except sqlite3.OperationalError as exc:
            db.close()
            if writes or exc.sqlite_errorcode & 0xFF not in READ_ONLY:
                raise
            return sqlite3.connect(f"{uri}?mode=ro&immutable=1", uri=True, isolation_level=None)
        except BaseException:
            db.close()
            raise
        return db

    def _migrate(self, db: sqlite3.Connection) -> None:
        if len(MIGRATIONS) < _version(db):
            raise sqlite3.NotSupportedError("a newer Hearth has written it")
        if _version(db) == len(MIGRATIONS):
            return
        db.execute("BEGIN IMMEDIATE")  # Of several windows, one migrates.
        for statement in (it for migration in MIGRATIONS[_version(db) :] for it in migration):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        db.commit()

    def _put_aside(self) -> None:
        """Move a damaged file out of the way, if it still is one: another window may have been faster."""
        with filelock.FileLock(f"{self._path}.lock", timeout=PATIENCE_S, mode=0o600):
            with suppress(sqlite3.Error), self._opened(writes=False) as db:
                if db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",):
                    return
            aside = self._path.with_name(f"{self._path.stem}-damaged-{time.time_ns()}{self._path.suffix}")
            for end in ("", "-wal", "-shm"):
                sent_files.move(Path(f"{self._path}{end}"), Path(f"{aside}{end}"))
            self.problem = f"The history was damaged; it is kept as {aside}, and a new one has begun."


def located(data: Path) -> Path:
    """Where the history is, within Hearth's data folder."""
    return data / NAME


def _run(statement: str, db: sqlite3.Connection) -> None:
    db.execute(statement).fetchall()


def _is_damage(exc: sqlite3.DatabaseError) -> bool:
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF in DAMAGED


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _listed(row: Sequence[Any]) -> Listed:
    identity, title, root, begun, touched, turns = row
    return Listed(id=identity, title=title, root=root, begun=begun, touched=touched, turns=turns)


def _text(value: str) -> str:
    """What SQLite can keep: half of a surrogate pair, which an editor can send, has no UTF-8 form."""
    return value.encode("utf-8", "replace").decode()


def _json(value: Any) -> str:
    return json.dumps(value)


def _object(text: str) -> dict[str, Any]:
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return raw if isinstance(raw, dict) else {}
