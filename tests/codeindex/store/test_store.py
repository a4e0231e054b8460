"""What the store keeps, finds and forgets."""

from __future__ import annotations

import random
import sqlite3
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codeindex.embedding import embedded_hash, embedded_text, own_lines
from codeindex.store import Indexed, Reader, Writer, open_reader, open_writer
from codeindex.store.asked import matching
from codeindex.store.collect import Collecting
from codeindex.store.contents import filling
from codeindex.store.near import nearest
from codeindex.store.rows import content_of
from codeindex.types import Filters, Kind
from tests.codeindex.store.made import indexed, parsed

A = "import os\n\ndef parse_request(x):\n    open_file(x)\n\ndef other():\n    parse_request(1)\n"
B = "def second():\n    callMe(other)\n"
WEIGHTS = (4.0, 2.0, 1.0)
EVERYTHING = Filters()
AT_ONCE = Collecting(grace_s=0.0, least_s=0.0, share=0.0)


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    """An index with two files."""
    made = open_writer(tmp_path / "index", rules="r")
    made.replace([indexed("a.py", A, mtime_ns=5), indexed("sub/b.py", B, mtime_ns=9)])
    return made


@pytest.fixture
def reader(writer: Writer) -> Reader:
    """Who asks it."""
    found = open_reader(writer.folder)
    assert found is not None
    return found


def found(reader: Reader, match: str, where: Filters = EVERYTHING) -> list[str]:
    """Where the chunks are that match."""
    ids = [it for it, _ in reader.lexical(match, WEIGHTS, 10, where)]
    rows = reader.chunks(ids)
    return [f"{path}:{rows[it].first_line}" for it in ids for path in rows[it].paths]


def test_what_is_written_is_found(reader: Reader) -> None:
    """Every question has its answer, with the paths of the files."""
    assert found(reader, "request") == ["a.py:3", "a.py:6"]
    assert found(reader, "name:other") == ["a.py:6"]
    assert found(reader, "doc:about AND callme") == ["sub/b.py:1"]
    assert [path for path, _ in reader.paths("sub", 5)] == ["sub/b.py"]
    assert [(it.path, it.language, it.lines, it.mtime_ns) for it in reader.files()] == [
        ("a.py", "python", 8, 5),
        ("sub/b.py", "python", 3, 9),
    ]
    assert [it.path for it in reader.files(["sub/b.py", "no.py"])] == ["sub/b.py"]
    assert [it.module for it in reader.imports("a.py")] == ["os"]
    assert [it.path for it in reader.imports()] == ["a.py"]
    counts = reader.counts()
    assert (counts.files, counts.contents, counts.chunks, counts.symbols) == (2, 2, 4, 3)
    assert (counts.lines, counts.bytes, counts.vectors) == (11, len(A) + len(B), 0)


def test_a_chunk_is_what_was_parsed(reader: Reader) -> None:
    """All that is known of it comes back, its text and the hash of what is embedded."""
    rows, said = reader.chunks_of("a.py"), parsed(A).chunks
    assert len(rows) == len(said)
    for row, it in zip(rows, said, strict=True):
        assert (row.first_line, row.last_line, row.kind) == (it.first_line, it.last_line, it.kind)
        assert (row.name, row.scope, row.signature, row.doc) == (it.name, it.scope, it.signature, it.doc)
        text = own_lines(reader.text(row.content), row.first_line, row.last_line)
        assert row.hash == embedded_hash(embedded_text(it, text))
    assert reader.text(rows[0].content) == A
    assert reader.chunks_of("no.py") == ()


def test_symbols_and_references(reader: Reader) -> None:
    """Names are found as written, in other cases, by their beginning, and misspelled; uses by their names."""
    exact = reader.symbols(["parse_request"], where=EVERYTHING, limit=5)
    assert [(it.name, it.kind, it.line, it.paths) for it in exact] == [
        ("parse_request", Kind.FUNCTION, 3, ("a.py",))
    ]
    assert reader.symbols(["PARSE_REQUEST"], where=EVERYTHING, limit=5) == exact
    assert reader.symbols_like("Parse", 5) == exact
    assert reader.names_near("parse_reqeust", 1) == ["parse_request"]
    assert [it.name for it in reader.outline("a.py")] == ["parse_request", "other"]
    (use,) = reader.references("parse_request", 5)
    assert (use.line, use.is_call, use.paths) == (7, True, ("a.py",))
    (other,) = reader.symbols(["other"], where=EVERYTHING, limit=5)
    assert use.symbol == other.id
    assert reader.references_from([other.id]) == [use]
    assert reader.references("PARSE_REQUEST", 5) == []


def test_how_often_words_stand(writer: Writer, reader: Reader) -> None:
    """Counted by chunks and stems, also after a change; what makes no word stands nowhere."""
    assert reader.frequencies(["request", "requests", "nowhere", '"', ""]) == {
        **{"request": 2, "requests": 2, "nowhere": 0},
        **{'"': 0, "": 0},
    }
    writer.replace([indexed("c.py", "request = 1\n")])
    assert reader.frequencies(["request"]) == {"request": 3}


def test_what_is_used_most(writer: Writer, reader: Reader) -> None:
    """By how many texts use it; only what is defined at the top, and of the kinds that are asked for."""
    assert reader.most_used([Kind.FUNCTION], 9) == []  # All of them are in a scope.
    plain = parsed("def one():\n    pass\n\ndef two():\n    pass\n")
    top = replace(plain, symbols=tuple(replace(it, scope="") for it in plain.symbols))
    made = indexed("top.py", "")
    content = content_of("def one():\n    pass\n\ndef two():\n    pass\n", top)
    writer.replace([replace(made, hash=content.hash, content=content), indexed("u.py", "two(1)\n")])
    assert reader.most_used([Kind.FUNCTION], 9) == ["two", "one"]
    assert reader.most_used([Kind.CLASS], 9) == []


def test_filters(reader: Reader) -> None:
    """Paths as in a `.gitignore`, languages, kinds, and the time of the file; all of them together."""
    match = "request OR second OR os"
    assert found(reader, match, Filters(paths=("sub/",))) == ["sub/b.py:1"]
    assert found(reader, match, Filters(paths=("*.py", "!b.*"))) == found(
        reader, match, Filters(paths=("a.*",))
    )
    assert found(reader, match, Filters(languages=("go",))) == []
    assert found(reader, match, Filters(changed_since_ns=9)) == ["sub/b.py:1"]
    assert "a.py:1" not in found(reader, match, Filters(kinds=(Kind.FUNCTION,)))
    assert found(reader, match, Filters(kinds=(Kind.CLASS,))) == []
    assert reader.symbols(["second"], where=Filters(paths=("a.py",)), limit=3) == []


def test_a_match_without_sense_finds_nothing(reader: Reader) -> None:
    """What FTS5 does not understand is no error."""
    assert [found(reader, it) for it in ("AND", '"', "nope:x", "")] == [[], [], [], []]
    assert reader.paths("(", 3) == []


def test_patterns_mean_what_they_mean_to_git() -> None:
    """A folder's pattern means what is below it, and the last one that speaks of a path counts."""
    paths = ["a.py", "src/a.py", "src/gen/b.py", "docs/x.md"]
    assert matching(("src/",), paths) == ["src/a.py", "src/gen/b.py"]
    assert matching(("src", "!src/gen"), paths) == ["src/a.py"]
    assert matching(("/a.py",), paths) == ["a.py"]
    assert matching(("**/*.md", "b.*"), paths) == ["src/gen/b.py", "docs/x.md"]


def test_likest_names_first() -> None:
    """By what they have in common; what has little in common is not like it."""
    names = ["parse_query", "sparse", "parse_request", "unrelated"]
    assert nearest("parse_reqest", names)[0] == "parse_request"
    assert "unrelated" not in nearest("parse_reqest", names)


def test_files_that_are_the_same_are_one_content(writer: Writer, reader: Reader) -> None:
    """A copy adds a path, a rename moves it, and neither adds a chunk."""
    before = reader.counts()
    assert writer.replace([indexed("copy.py", A, known=True)]) == ()
    assert found(reader, "request") == ["a.py:3", "copy.py:3", "a.py:6", "copy.py:6"]
    writer.replace([indexed("moved.py", A, known=True)], ["a.py", "copy.py"])
    assert found(reader, "request") == ["moved.py:3", "moved.py:6"]
    after = reader.counts()
    assert (after.files, after.chunks, after.contents) == (before.files, before.chunks, before.contents)
    assert writer.verify() == []


def test_what_is_not_known_is_not_taken_in(writer: Writer, reader: Reader) -> None:
    """A hash alone makes no content: the path comes back, and the rest of the batch is written."""
    missing = writer.replace([indexed("new.py", "x = 1\n", known=True), indexed("c.py", "y = 2\n")])
    assert missing == ("new.py",)
    assert [it.path for it in reader.files()] == ["a.py", "c.py", "sub/b.py"]


def test_what_no_file_has_is_not_found_and_later_gone(writer: Writer, reader: Reader) -> None:
    """It waits unseen, comes back without being parsed, and is taken away exactly when its time is over."""
    writer.replace([], ["a.py"])
    assert found(reader, "request OR second") == ["sub/b.py:1"]
    assert reader.symbols(["parse_request"], where=EVERYTHING, limit=3) == []
    assert reader.symbols_like("parse", 3) == []
    assert reader.references("parse_request", 3) == []
    assert reader.names_near("parse_request", 3) == []
    assert writer.collect() == 0
    assert writer.replace([indexed("back.py", A, known=True)]) == ()
    assert found(reader, "request") == ["back.py:3", "back.py:6"]
    writer.replace([], ["back.py"])
    assert writer.collect(AT_ONCE) == 1
    assert writer.verify() == []
    assert writer.replace([indexed("a.py", A, known=True)]) == ("a.py",)
    writer.replace([indexed("a.py", A)])
    assert found(reader, "request") == ["a.py:3", "a.py:6"]


def test_the_oldest_go_first_when_there_is_too_much(writer: Writer) -> None:
    """Beyond its share, what has waited longest is taken away, and the rest stays."""
    for number in range(20):
        writer.replace([indexed("a.py", f"def number_{number}():\n    pass\n")])
    kept = Collecting(grace_s=1e9, least_s=0.0, share=1.0)
    gone = writer.collect(kept)
    assert 0 < gone < 20
    assert writer.collect(kept) == 0
    assert writer.replace([indexed("b.py", "def number_18():\n    pass\n", known=True)]) == ()
    assert writer.replace([indexed("b.py", "def number_0():\n    pass\n", known=True)]) == ("b.py",)
    assert writer.verify() == []


def test_vectors_follow_the_text(writer: Writer, reader: Reader) -> None:
    """A rename embeds nothing again; what is gone leaves no vector behind."""
    missing = reader.missing_vectors("m", 100)
    assert len(missing) == 4
    writer.put_vectors("m", [(digest, b"v" + digest[:1]) for digest, _ in missing[:3]])
    assert [it for it, _ in reader.missing_vectors("m", 100)] == [missing[3][0]]
    writer.put_vectors("m", [(missing[3][0], b"vv")])
    assert reader.missing_vectors("m", 100) == []
    assert len(reader.missing_vectors("n", 100)) == 4
    writer.replace([indexed("moved.py", A, known=True)], ["a.py"])
    assert reader.missing_vectors("m", 100) == []
    assert dict(reader.vectors("m")) == {number: b"v" + it[:1] for it, number in missing[:3]} | {
        missing[3][1]: b"vv"
    }
    writer.replace([indexed("moved.py", A + "\nz = 1\n")])
    (new,) = reader.missing_vectors("m", 100)
    assert reader.chunks([new[1]])[new[1]].first_line == 9
    assert [it for it, _ in reader.vectors_of_chunks("m", [new[1] - 1, new[1]])] == [new[1] - 1]
    assert dict(reader.vectors_of_hashes("m", [missing[0][0], b"no"])) == {
        missing[0][0]: b"v" + missing[0][0][:1]
    }
    of_chunks = [(reader.chunks([it])[it].hash, data) for it, data in reader.vectors("m")]
    assert dict(of_chunks) == dict(reader.vectors_of_hashes("m", [it for it, _ in of_chunks]))
    writer.replace([], ["moved.py"])
    writer.collect(AT_ONCE)
    assert reader.counts().vectors == len(list(reader.vectors("m"))) == 1


def test_a_snapshot_stays(writer: Writer, reader: Reader) -> None:
    """Within it nothing changes, whatever is written; after it, everything has."""
    before = reader.generation()
    with reader.snapshot():
        assert found(reader, "second") == ["sub/b.py:1"]
        writer.replace([indexed("c.py", "second = 2\n")], ["sub/b.py"])
        assert found(reader, "second") == ["sub/b.py:1"]
        assert reader.generation() == before
    assert found(reader, "second") == ["c.py:1"]
    assert reader.generation() == before + 1


def test_a_batch_that_fails_leaves_nothing(writer: Writer, reader: Reader) -> None:
    """All of it or nothing, and the next batch is not disturbed."""
    broken = indexed("c.py", "def third():\n    pass\n")
    size: Any = []
    wrong = Indexed(path="d.py", size=size, mtime_ns=1, ctime_ns=1, inode=1, hash=broken.hash)
    with pytest.raises(sqlite3.ProgrammingError):
        writer.replace([broken, wrong])
    assert [it.path for it in reader.files()] == ["a.py", "sub/b.py"]
    assert writer.verify() == []
    writer.replace([broken])
    assert found(reader, "third") == ["c.py:1"]


def test_names_that_are_no_text(writer: Writer, reader: Reader) -> None:
    """A path of any bytes comes back as it was, and can be removed."""
    odd = "bad\udcff/x.py"
    writer.replace([indexed(odd, "def odd():\n    pass\n")])
    assert found(reader, "odd") == [f"{odd}:1"]
    assert odd in writer.known()
    writer.replace([], [odd])
    assert found(reader, "odd") == []
    assert writer.verify() == []


def test_nobody_else_can_read_it(writer: Writer) -> None:
    """The folder and every file in it belong to the user alone."""
    assert stat.S_IMODE(writer.folder.stat().st_mode) == 0o700
    files = list(writer.folder.iterdir())
    assert 1 < len(files)
    assert {stat.S_IMODE(it.stat().st_mode) for it in files} == {0o600}


@pytest.mark.parametrize("seed", range(5))
def test_rows_fill_pages(seed: int) -> None:
    """Each comes once, and they need fewer pages than in the order in which they came."""
    chance = random.Random(seed)
    sizes = [chance.randrange(50, 2_000) for _ in range(300)]

    def pages(order: list[int]) -> int:
        count, room = 1, 2_040
        for it in order:
            if room < sizes[it]:
                count, room = count + 1, 2_040
            room -= sizes[it]
        return count

    order = filling(sizes)
    assert sorted(order) == list(range(300))
    assert pages(order) < 0.9 * pages(list(range(300)))
    assert filling([]) == []


def test_texts_in_bulk_are_those_of_the_chunks(reader: Reader) -> None:
    """The same lines and heads, under the hash that they were given; without those that are not there."""
    rows = {
        it: reader.chunks([it])[it]
        for first, count in reader.chunk_ranges()
        for it in range(first, first + count)
    }
    found = list(reader.texts_of_chunks([*rows, 99_999]))
    assert len(found) == len(rows) == 4
    for it, row in zip(found, rows.values(), strict=True):
        own = own_lines(reader.text(row.content), row.first_line, row.last_line)
        assert (it.hash, it.scope, it.signature, it.doc, it.text) == (
            row.hash,
            row.scope,
            row.signature,
            row.doc,
            own,
        )
        assert embedded_hash(embedded_text(it, it.text)) == it.hash


def test_what_is_embedded_of_the_latest_files(reader: Reader, writer: Writer) -> None:
    """The files by their time, the hashes of each in the order of its lines."""
    writer.replace([indexed("c.py", A, mtime_ns=7)])
    assert reader.latest(2) == ["sub/b.py", "c.py"]
    assert reader.latest(9) == ["sub/b.py", "c.py", "a.py"]
    assert reader.hashes_of("a.py") == [it.hash for it in reader.chunks_of("a.py")]
    assert reader.hashes_of("nowhere.py") == []


def test_a_lean_reader_says_the_same(reader: Reader, writer: Writer) -> None:
    """Only that it holds less: no page is mapped."""
    lean = open_reader(writer.folder, lean=True)
    assert lean is not None
    with lean:
        assert lean.rows("PRAGMA mmap_size") == [(0,)]
        assert found(lean, "request") == found(reader, "request")


def test_at_rest_indexes_are_dense(tmp_path: Path) -> None:
    """However the files came: collecting has put them in order, and to do it once more brings nothing."""
    names = [f"folder{it % 7}/some/longer/path/file{it}.py" for it in range(1_500)]
    random.Random(1).shuffle(names)
    with open_writer(tmp_path / "index", rules="r") as writer:
        for start in range(0, len(names), 100):
            some = names[start : start + 100]
            writer.replace([indexed(it, f"def f_{len(it) % 5}():\n    pass\n") for it in some])
        writer.collect()
        dense = pages(writer)
        writer._connection.execute("REINDEX file")
        assert dense <= pages(writer) + 1
        assert writer.verify() == []


def pages(writer: Writer) -> int:
    """How many are in use."""
    asked = [
        writer._connection.execute(f"PRAGMA {it}").fetchone()[0] for it in ("page_count", "freelist_count")
    ]
    return int(asked[0]) - int(asked[1])
