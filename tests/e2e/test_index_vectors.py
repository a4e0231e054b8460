"""The index's vectors through the real processes: found by meaning after a save, whole after a kill."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import numpy as np
import pytest

from benchmarks.index_client import Client
from benchmarks.shape_onnx import sources, tokenizer, wordpiece
from benchmarks.shape_onnx import write as write_model
from codeindex.embed_card import read_card
from codeindex.embed_stored import StoredVectors
from codeindex.store import Reader, open_reader, store_folder
from codeindex.vectors import Vectors

pytestmark = pytest.mark.e2e

WIDTH = 192
FILES, FUNCTIONS = 80, 12
HELD = (
    "SELECT chunk.id FROM content JOIN chunk ON chunk.content = content.id"
    " JOIN vector_of ON vector_of.hash = chunk.hash WHERE content.unused_since IS NULL"
)


def fill(root: Path, chance: random.Random) -> None:
    """Files whose every function is a chunk of its own, for the most part."""
    for number in range(FILES):
        body = (
            f"    total += {chance.random()} * value  # {chance.random()}\n" * 12 for _ in range(FUNCTIONS)
        )
        text = "\n\n".join(f"def f{it}_{number}(value):\n    total = 0\n{one}" for it, one in enumerate(body))
        (root / f"m{number}.py").write_text(text, encoding="utf-8")


def change(root: Path, chance: random.Random) -> None:
    """Some files go, some get another name, some another text."""
    for path in chance.sample(sorted(root.glob("*.py")), 9):
        match chance.randrange(3):
            case 0:
                path.unlink()
            case 1:
                path.rename(path.with_name(f"r{chance.randrange(10**9)}.py"))
            case _:
                path.write_text(f"{path.read_text()}\n\ndef g{chance.randrange(10**9)}():\n    pass\n")


def ids_held(reader: Reader) -> set[int]:
    """The chunks that files have and that have a vector, asked of SQLite itself."""
    return {it for (it,) in reader.rows(HELD)}


def ids_found(vectors: Vectors) -> set[int]:
    """The chunks that faiss finds, whatever the question."""
    found = vectors.search(np.ones(vectors.dimensions, np.float32), len(vectors))
    assert len(found) == len(vectors)
    return {it for it, _ in found}


def test_a_writer_is_killed_while_it_embeds(tmp_path: Path) -> None:
    """After each kill, and when all is done, the vectors that are searched are SQLite's, and none is lost."""
    root, cache, chance = tmp_path / "project", tmp_path / "cache", random.Random(3)
    root.mkdir()
    fill(root, chance)
    write_model(tmp_path / "model", "encoder", tokenizer(sources(4), 800), layers=4, width=WIDTH)
    vectors = Vectors(read_card(tmp_path / "model").identity, WIDTH)
    with Client(root, cache, {"embedder": str(tmp_path / "model"), "jobs": 1}) as service:
        service.until_ready()
        kept = within = 0
        for _ in range(3):
            before = kept
            service.until(lambda least=before: service.ask("status")["vectors"] > least)  # type: ignore[misc]
            pid = service.writer()
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            service.until(lambda gone=pid: service.writer() not in (gone, None))  # type: ignore[misc]
            reader = open_reader(store_folder(root, cache))
            assert reader is not None
            with reader:
                reader.rows("BEGIN")  # One moment of it, while the next writer goes on.
                vectors.refresh(StoredVectors(reader))
                assert vectors.check(StoredVectors(reader)) == []
                assert ids_found(vectors) == ids_held(reader) != set()
                within += bool(reader.missing_vectors(vectors.model, 1))
            kept = len(vectors)
            change(root, chance)
        assert within, "it was to be killed while it embeds"
        reader = open_reader(store_folder(root, cache))
        assert reader is not None
        with reader:
            service.until_ready()
            service.until(lambda: not reader.missing_vectors(vectors.model, 1))
            stored = StoredVectors(reader)
            vectors.refresh(stored)
            assert vectors.check(stored) == []
            everything = {it.id for file in reader.files() for it in reader.chunks_of(file.path)}
            assert ids_found(vectors) == ids_held(reader) == everything
        service.until(lambda: is_dense(service, "total += value"))


def is_dense(service: Client, query: str, name: str = "") -> bool:
    """Whether a hit (with this name) was found by its meaning, too."""
    return any(
        name in hit["text"] and any(it["name"] == "dense" for it in hit["why"])
        for hit in service.hits(query, why=True, limit=3)
    )


def test_what_is_saved_is_found_by_meaning(tmp_path: Path) -> None:
    """Also after the writer has rested, and after a file was saved several times in a row."""
    root, cache, chance = tmp_path / "project", tmp_path / "cache", random.Random(4)
    root.mkdir()
    fill(root, chance)
    write_model(tmp_path / "model", "static", wordpiece(sources(4), 800), width=WIDTH)
    with Client(root, cache, {"embedder": str(tmp_path / "model")}) as service:
        service.until_ready()
        service.until(lambda: is_dense(service, "total += value"))
        for number in range(12):
            name = f"walrus_{number}"
            (root / "m1.py").write_text(f"def {name}():\n    pass\n", encoding="utf-8")
            service.tell("saved", paths=["m1.py"])
            if number % 3 == 0:
                text = f"def {name}():\n    pass\n"
                service.until(lambda it=name, asked=text: is_dense(service, asked, it))  # type: ignore[misc]
