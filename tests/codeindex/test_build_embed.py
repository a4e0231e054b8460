"""Texts are embedded by the processes that read files: the same vectors, and nothing lost when one dies."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from codeindex.build import Options, Site, open_site
from codeindex.build_embed import embed
from codeindex.build_pool import Pool
from codeindex.config import DEFAULTS
from codeindex.embed import open_embedder
from codeindex.embed_card import BATCH_TEXTS, STATIC_TEXTS, Model, batch_of, model_of, read_card
from codeindex.embed_idle import embed_by
from codeindex.embed_job import Embed, Embedding, Portion, embedded
from codeindex.store import Reader, open_reader, store_folder
from codeindex.store.errors import Damaged
from codeindex.walk import walk
from models.errors import ModelError
from tests.codeindex.git import make
from tests.codeindex.models import write_encoder, write_table

LONG = 1_000.0  # Seconds: longer than any test.
FILES: dict[str, str | bytes] = {
    f"d{it % 3}/f{it}.py": f"def open_{it}(path):\n    # read file {it}\n    return sort(list({it}))\n"
    for it in range(40)
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A table."""
    return write_table(tmp_path / "model")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A project that is indexed, its workers still there."""
    root = make(tmp_path / "project", FILES)
    with open_site(root, tmp_path / "cache", DEFAULTS, Options(jobs=2)) as found:
        assert found is not None
        found.build()
        yield found


def reader_of(site: Site) -> Reader:
    """Who asks it."""
    found = open_reader(site.folder)
    assert found is not None
    return found


def missing(reader: Reader, model: Path) -> list[tuple[bytes, int]]:
    """What has no vector."""
    return reader.missing_vectors(read_card(model).identity, 1_000)


def by(model: Path, processes: int = 2) -> Model:
    """How it is run."""
    return Model(folder=model, threads=1, processes=processes)


def in_threes(some: Portion) -> Iterator[Portion]:
    """In small portions."""
    return (some[it : it + 3] for it in range(0, len(some), 3))


def test_workers_embed_as_we_would(site: Site, model: Path) -> None:
    """Every text gets the vector that it gets here, however the work is parted."""
    with reader_of(site) as reader:
        wanted = missing(reader, model)
        assert len(wanted) == len(FILES)
        expected = dict(embedded(reader, open_embedder(model), wanted).rows)
        found = [row for it in site.embed(by(model), in_threes(wanted)) for row in it.rows]
        assert len(found) == len(wanted)
        assert dict(found) == expected


def test_a_whole_index_is_embedded(site: Site, model: Path) -> None:
    """Asked and stored in one go; what was done is not asked for again."""
    card = read_card(model)
    with reader_of(site) as reader:
        for expected in (len(FILES), 0):
            done = embed_by(
                lambda portions: site.embed(by(model), portions),
                reader,
                site.writer,
                card.identity,
                batch_of(card),
                budget_seconds=LONG,
                pause=lambda: False,
            )
            assert done == expected
        assert missing(reader, model) == []
        assert site.writer.verify() == []


def test_what_is_asked_next_is_answered(site: Site, model: Path, tmp_path: Path) -> None:
    """Files and texts in turns: nothing that was said of the ones is taken for the others."""
    root = tmp_path / "project"
    with reader_of(site) as reader:
        wanted = missing(reader, model)
        for number in range(6):
            make(root, {"changed.py": f"def again_{number}():\n    pass\n"})
            assert site.update(["changed.py"]).read == 1
            (answer,) = site.embed(by(model), iter([wanted[:2]]))
            assert [it for it, _ in answer.rows] == [it for it, _ in wanted[:2]]
        site.rest()
        (answer,) = site.embed(by(model), iter([wanted[2:4]]))
        assert len(answer.rows) == 2


def test_a_little_is_for_one(site: Site, model: Path) -> None:
    """Of a save's few texts nobody is started for, and no second worker loads the model."""
    site.rest()
    pool = site._pool
    before = list(pool.workers)
    assert len(before) == 1
    with reader_of(site) as reader:
        list(site.embed(by(model), iter([missing(reader, model)[:3]])))
    assert pool.workers == before


@pytest.mark.parametrize("processes", [1, 2])
def test_a_worker_that_dies_is_replaced(site: Site, model: Path, processes: int) -> None:
    """What it had is done by another one."""
    pool = site._pool
    with reader_of(site) as reader:
        wanted = missing(reader, model)

        def portions() -> Iterator[Portion]:
            for number, it in enumerate(in_threes(wanted)):
                if number == 4:
                    pool.workers[0]._process.kill()
                yield it

        found = {row[0] for it in embed(pool, by(model, processes), portions()) for row in it.rows}
        assert found == {it for it, _ in wanted}


def test_a_model_that_ends_its_process_is_given_up(site: Site, model: Path) -> None:
    """After the second time it is said; the next files are read all the same."""
    pool = site._pool

    def portions() -> Iterator[Portion]:
        while True:
            pool.workers[0]._process.kill()
            pool.workers[0]._process.wait()
            yield [(b"12345678", 1)]

    with pytest.raises(ModelError, match="ends the process that runs it"):
        list(embed(pool, by(model, 1), portions()))
    assert pool.workers == []
    with open_reader(site.folder) or pytest.fail("no index") as reader:
        assert [it.path for it in pool.run(walk(site.root, DEFAULTS))]
        assert reader.counts().files == len(FILES)


def test_what_is_wrong_with_a_model_is_said(site: Site, model: Path) -> None:
    """In its sentence, by whoever asks for vectors."""
    (model / "tokenizer.json").write_text("{}")
    with reader_of(site) as reader, pytest.raises(ModelError, match="not the one its card describes"):
        list(site.embed(by(model), in_threes(missing(reader, model))))


def test_a_damaged_index_is_noticed(site: Site, model: Path) -> None:
    """The one who has a worker read it hears of it."""
    with reader_of(site) as reader:
        wanted = missing(reader, model)
    site.writer._connection.execute("UPDATE body SET heads = x'01000000ff000000ff'")
    with pytest.raises(Damaged):
        list(site.embed(by(model), in_threes(wanted)))


def test_texts_that_are_gone_are_left_out(site: Site, model: Path) -> None:
    """Taken away between the look and the portion."""
    with reader_of(site) as reader:
        wanted = missing(reader, model)
        (answer,) = site.embed(by(model), iter([[(b"gone", 999_999), *wanted[:1]]]))
    assert [it for it, _ in answer.rows] == [wanted[0][0]]


def test_without_an_index_nothing_is_embedded(model: Path, tmp_path: Path) -> None:
    """There is nothing to read, and that is no fault of the model's."""
    answer = Embedding(lambda: open_reader(store_folder(tmp_path, tmp_path)))(
        Embed(model=by(model), some=[(b"12345678", 1)])
    )
    assert (answer.rows, answer.problem, answer.damaged) == ((), "", False)


def test_a_model_is_loaded_when_the_files_are_read(tmp_path: Path, model: Path) -> None:
    """By as many workers as may have it, and asked they answer; one that cannot be loaded breaks nothing."""
    root = make(tmp_path / "project", FILES)
    for number, folder in enumerate((model, tmp_path / "nowhere")):
        with open_site(root, tmp_path / f"cache{number}", DEFAULTS, Options(jobs=2)) as site:
            assert site is not None
            site.prepare(by(folder, 1))
            assert site.build().read == len(FILES)
            assert [it.prepared for it in site._pool.workers] == [True, False]
            assert site.update(["d0"]).files == 14


def test_who_runs_which_model(tmp_path: Path) -> None:
    """A table by some processes with a thread each, a graph by one with all threads."""
    table, graph = write_table(tmp_path / "table"), write_encoder(tmp_path / "graph")
    some = model_of(table, read_card(table), 16)
    assert (some.threads, some.processes) == (1, 4)
    assert model_of(table, read_card(table), 1).processes == 1
    one = model_of(graph, read_card(graph), 16)
    assert (one.threads, one.processes) == (16, 1)
    assert (batch_of(read_card(table)), batch_of(read_card(graph))) == (STATIC_TEXTS, BATCH_TEXTS)


def test_the_writer_loads_no_model() -> None:
    """What runs one is in the workers alone: the process that writes stays small."""
    heavy = "{'numpy', 'faiss', 'onnxruntime', 'tokenizers', 'tree_sitter'}"
    code = f"import sys; import codeindex.write; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_pool_without_work_for_a_model(tmp_path: Path, model: Path) -> None:
    """Nobody is started for nothing."""
    from codeindex.build_job import Setup

    with Pool(Setup(folder=tmp_path, config=DEFAULTS, parser="codeindex.parse:parse"), jobs=2) as pool:
        assert list(embed(pool, by(model), iter(()))) == []
        assert pool.workers == []
