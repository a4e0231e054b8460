"""What happens to an index that is damaged, old, or too new; and whether damage is seen."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from codeindex.store import disk, open_reader, open_writer
from codeindex.store.disk import ASIDE, NAME
from codeindex.store.errors import Newer, StoreError
from codeindex.store.read import why_not
from codeindex.store.schema import MIGRATIONS, migrate, version
from tests.codeindex.store.made import indexed


def make(folder: Path) -> Path:
    """An index with some files; the path of its database."""
    with open_writer(folder, rules="r") as writer:
        for number in range(40):
            text = "".join(f"def f{number}_{it}(x):\n    call_{it}(x)\n\n" for it in range(40))
            writer.replace([indexed(f"f{number}.py", text)])
    return folder / NAME


@pytest.mark.parametrize("how", ["random", "zero", "text", "short", "other"])
def test_what_is_no_index_is_moved_aside(how: str, tmp_path: Path) -> None:
    """Readers find none, the writer begins anew and says so in one sentence; the old one is kept."""
    path = make(tmp_path)
    data = path.read_bytes()
    if how == "other":
        path.unlink()
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE somebody_elses (x)")
        connection.close()
    else:
        path.write_bytes(
            {
                "random": random.Random(1).randbytes(9_000),
                "zero": bytes(len(data)),
                "text": b"hello\n" * 99,
            }.get(how, data[:50])
        )
    assert open_reader(tmp_path) is None
    assert why_not(tmp_path)
    with open_writer(tmp_path, rules="r") as writer:
        assert writer.notice == "The index was damaged; it was moved aside and is being built again."
        assert writer.known() == {}
        writer.replace([indexed("a.py", "a = 1\n")])
        assert writer.verify() == []
    assert path.with_name(NAME + ASIDE).exists()


def test_an_empty_file_is_an_index_that_begins(tmp_path: Path) -> None:
    """A length of zero is what a crash leaves before the first commit."""
    path = make(tmp_path)
    path.write_bytes(b"")
    assert open_reader(tmp_path) is None
    with open_writer(tmp_path, rules="r") as writer:
        assert writer.known() == {}
        assert writer.verify() == []


@pytest.mark.parametrize("seed", range(12))
def test_damage_within_is_never_a_wrong_answer_unseen(seed: int, tmp_path: Path) -> None:
    """Where bytes were changed or the end is missing, all answers are as before, or it is said."""
    path = make(tmp_path)
    chance = random.Random(seed)
    data = bytearray(path.read_bytes())
    if seed % 3 == 0:
        del data[chance.randrange(4_096, len(data)) :]
    else:
        place = chance.randrange(4_096, len(data) - 600)
        data[place : place + 600] = chance.randbytes(600)
    path.write_bytes(data)
    try:
        with open_writer(tmp_path, rules="r") as writer:
            problems = [writer.notice] if writer.notice else writer.verify()
            assert all(it.endswith(".") for it in problems)
        reader = open_reader(tmp_path)
        assert reader is not None
        texts = [reader.text(it.content) for it in reader.files()]
        chunks = [it for file in reader.files() for it in reader.chunks_of(file.path)]
        assert problems or (len(texts) == 40 and len(chunks) == 40 * 40)
    except StoreError:
        return  # It is said, too.


def test_a_newer_versions_index_is_left_alone(tmp_path: Path) -> None:
    """Neither read nor changed by so much as a byte, and it is said why."""
    path = make(tmp_path)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    before = path.read_bytes()
    assert open_reader(tmp_path) is None
    assert "newer version" in why_not(tmp_path)
    with pytest.raises(Newer, match=r"newer version of Hearth; it is left as it is\."):
        open_writer(tmp_path, rules="r")
    assert path.read_bytes() == before


def test_an_older_versions_index_is_brought_up_to_date(tmp_path: Path) -> None:
    """Each step runs once, in order; what was in the index stays, and readers wait for it."""
    make(tmp_path)

    def second(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE file ADD COLUMN note TEXT NOT NULL DEFAULT 'old'")

    def third(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE file SET note = note || 'er'")

    steps = (*MIGRATIONS, second, third)
    with open_writer(tmp_path, rules="r", migrations=steps) as writer:
        assert len(writer.known()) == 40
        assert writer.verify() == []
    connection = sqlite3.connect(tmp_path / NAME)
    assert version(connection) == len(steps)
    assert connection.execute("SELECT DISTINCT note FROM file").fetchall() == [("older",)]
    connection.close()
    assert "newer" in why_not(tmp_path)  # To a program that knows only the first steps.


def test_an_older_index_is_read_and_embedded_again(tmp_path: Path) -> None:
    """Its tables go, with what was in them, vectors too; ids go on where they were."""
    disk.private_folder(tmp_path)
    connection = sqlite3.connect(tmp_path / NAME)
    migrate(connection, MIGRATIONS[:1])
    connection.execute("CREATE TABLE file (id INTEGER PRIMARY KEY, path UNIQUE NOT NULL, content INTEGER)")
    connection.execute("CREATE TABLE chunk (id INTEGER PRIMARY KEY, signature TEXT)")
    connection.execute("CREATE TABLE used (name INTEGER, content INTEGER, PRIMARY KEY (name, content))")
    connection.execute("CREATE VIRTUAL TABLE chunk_fts USING fts5(name, doc, body, content='')")
    connection.execute("INSERT INTO file VALUES (1, 'a.py', 1)")
    connection.execute("INSERT INTO model (name, done) VALUES ('m', 99)")
    connection.execute("INSERT INTO vector VALUES (1, x'00', x'01')")
    connection.execute("UPDATE meta SET value = 50 WHERE key = 'next_chunk'")
    connection.commit()
    connection.close()
    assert "older version" in why_not(tmp_path)
    with open_writer(tmp_path, rules="r") as writer:
        assert (writer.known(), writer.verify(), writer.notice) == ({}, [], "")
        writer.replace([indexed("a.py", "a = 1\n")])
        reader = open_reader(tmp_path)
        assert reader is not None
        assert [it.id for it in reader.chunks_of("a.py")] == [50]
        assert len(reader.missing_vectors("m", 9)) == 1
        assert dict(reader.vectors_of_hashes("m", [b"\x00"])) == {}
        assert reader.counts().vectors == 0


def test_whose_rules_nobody_says_is_not_opened(tmp_path: Path) -> None:
    """Rules that are left out would be other ones, and empty the index."""
    make(tmp_path)
    with pytest.raises(TypeError, match="rules"):
        open_writer(tmp_path)  # type: ignore[call-arg]
    with open_writer(tmp_path, rules="r") as writer:
        assert (len(writer.known()), writer.notice) == (40, "")


def test_empty_pages_are_given_back(tmp_path: Path) -> None:
    """What was merged after a build and what was emptied takes no room for long, and nothing is lost."""
    make(tmp_path)
    with open_writer(tmp_path, rules="r") as writer:
        before = disk.size_on_disk(tmp_path)
        assert writer.collect() == 0
        assert writer.verify() == []
        assert len(writer.known()) == 40
        merged = writer.meta("merged")
        writer.collect()
        assert writer.meta("merged") == merged == 41
        writer.checkpoint()
        assert disk.size_on_disk(tmp_path) < before
        writer.empty()
        writer.checkpoint()
        assert disk.size_on_disk(tmp_path) < before / 2


@pytest.mark.parametrize("steps", [2, 3, 4])
def test_each_older_version_is_read_again(steps: int, tmp_path: Path) -> None:
    """Whatever it was made by, what it becomes is the newest shape, empty, sound, and ready to be filled."""
    disk.private_folder(tmp_path)
    connection = sqlite3.connect(tmp_path / NAME, isolation_level=None)
    migrate(connection, MIGRATIONS[:steps])
    connection.close()
    with open_writer(tmp_path, rules="r", migrations=MIGRATIONS[:steps]) as writer:
        writer.replace([indexed("a.py", "def parse_request(x):\n    open_file(x)\n")])
    assert "older version" in why_not(tmp_path)
    with open_writer(tmp_path, rules="r") as writer:
        assert (writer.known(), writer.verify(), writer.notice) == ({}, [], "")
        writer.replace([indexed("a.py", "def parse_request(x):\n    open_file(x)\n")])
        assert writer.verify() == []
        shape = tables(tmp_path)
    reader = open_reader(tmp_path)
    assert reader is not None
    with reader:
        assert reader.names_near("parse_reqeust", 1) == ["parse_request"]
        assert reader.names_containing("e_req", 5) == ["parse_request"]
        assert reader.names_containing("eqreq", 5) == []
    with open_writer(tmp_path / "new", rules="r"):
        assert tables(tmp_path / "new") == shape


def tables(folder: Path) -> list[tuple[str, str]]:
    """What there is in a database, and how it was made."""
    connection = sqlite3.connect(folder / NAME)
    try:
        return connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    finally:
        connection.close()


def test_a_step_that_fails_changes_nothing(tmp_path: Path) -> None:
    """The index stays of the version that it was, whole."""
    make(tmp_path)

    def broken(connection: sqlite3.Connection) -> None:
        connection.execute("DROP TABLE chunk")
        connection.execute("SELECT * FROM chunk")

    connection = sqlite3.connect(tmp_path / NAME, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, (*MIGRATIONS, broken))
    assert version(connection) == len(MIGRATIONS)
    connection.close()
    with open_writer(tmp_path, rules="r") as writer:
        assert (len(writer.known()), writer.verify()) == (40, [])


def test_other_rules_begin_anew_but_keep_the_vectors(tmp_path: Path) -> None:
    """What was taken apart in another way is made again; what was embedded is the same text still."""
    make(tmp_path)
    with open_writer(tmp_path, rules="r") as writer:
        reader = open_reader(tmp_path)
        assert reader is not None
        writer.put_vectors("m", [(it, b"v") for it, _ in reader.missing_vectors("m", 5)])
        generation = reader.generation()
    with open_writer(tmp_path, rules="s") as writer:
        assert "another version" in writer.notice
        assert writer.known() == {}
        assert writer.verify() == []
        assert (reader.counts().vectors, reader.generation()) == (5, generation + 1)
    with open_writer(tmp_path, rules="s") as writer:
        assert writer.notice == ""


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM chunk WHERE id = 7",
        "DELETE FROM body WHERE content = 3",
        "DELETE FROM content WHERE id = 3",
        "UPDATE body SET text = x'00' WHERE content = 3",
        "UPDATE body SET text = (SELECT text FROM body WHERE content = 4) WHERE content = 3",
        "UPDATE file SET content = NULL WHERE id = 3",
        "DELETE FROM file WHERE id = 3",
        "DELETE FROM name WHERE id = 3",
        "DELETE FROM symbol WHERE id = 3",
        "DELETE FROM vector WHERE id = 3",
        "DELETE FROM vector_of WHERE vector = 3",
        "DELETE FROM chunk_fts_docsize WHERE id = 3",
        "DELETE FROM chunk_fts_data WHERE id > 10",
        "UPDATE chunk SET last_line = first_line WHERE id = 3",
        "INSERT INTO name_fts (rowid, text) VALUES (999, 'other')",
        "UPDATE name SET text = 'another' WHERE id = 3",
        "INSERT INTO used_fts (rowid, names) VALUES (1, '999999')",
        "INSERT INTO used_fts (used_fts) VALUES ('delete-all')",
        "UPDATE body SET heads = (SELECT heads FROM body WHERE content = 4) WHERE content = 3",
    ],
)
def test_verify_sees(harm: str, tmp_path: Path) -> None:
    """Whatever is missing or does not agree is said, in sentences."""
    path = make(tmp_path)
    with open_writer(tmp_path, rules="r") as writer:
        writer.put_vectors("m", [(bytes([it]), b"v") for it in range(5)])
        assert writer.verify() == []
    connection = sqlite3.connect(path)
    connection.execute(harm)
    connection.commit()
    connection.close()
    with open_writer(tmp_path, rules="r") as writer:
        problems = writer.verify()
    assert problems
    assert all(it.endswith(".") for it in problems)
