"""Measure embedding: chunks a second for a static table and encoders, and searching vectors in memory.

    python -m benchmarks.embedding [--layers 3] [--width 256] [--vectors 100000] [--json]

Models have random weights, which cost what real ones cost; the table has 30,000 word pieces, encoders have
16,000 byte pairs. Chunks are cut from this environment's sources,
200 tokens long in the middle. Rates and searches are by *processor* time with one thread, so that a busy
machine tells much the same; filling and patching, from a real store, are by both.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np
import psutil

from benchmarks.shape_onnx import KINDS, sources, tokenizer, wordpiece, write
from codeindex.build_rules import rules
from codeindex.embed import open_embedder
from codeindex.embed_near import ByMeaning
from codeindex.embed_pool import Floats, unit
from codeindex.embed_stored import StoredVectors
from codeindex.embedding import embedded_hash
from codeindex.store.read import open_reader
from codeindex.store.rows import Indexed, content_hash, content_of
from codeindex.store.write import open_writer
from codeindex.types import Chunk, Parsed
from codeindex.vectors import Vectors, packed

CHUNK = 780  # Characters: about 200 tokens.
TEXTS = {"static": 4_000, "encoder": 300, "int8": 300}
SEARCHES = 300
LIMIT = 100
CHANGED = 1_000
MB = 1_000_000


class Shelf:
    """A real store of files whose every line is a chunk."""

    def __init__(self, folder: Path, model: str, vectors: Floats) -> None:
        """Make it, with a vector for each line."""
        self._writer = open_writer(folder, rules=rules())
        self._model = model
        self._files = 0
        self.put(vectors)
        reader = open_reader(folder)
        assert reader is not None, "it was just made"
        self.reader = reader

    def put(self, vectors: Floats, gone: Sequence[str] = ()) -> None:
        """As many new chunks; without some files."""
        changed, hashes = list[Indexed](), list[bytes]()
        for start in range(0, len(vectors), CHANGED):
            lines = [f"{self._files} {it}" for it in range(len(vectors[start : start + CHANGED]))]
            changed.append(_file(f"{self._files}.py", "\n".join(lines), len(lines)))
            hashes += [embedded_hash(it) for it in lines]
            self._files += 1
        self._writer.replace(changed, gone)
        self._writer.put_vectors(self._model, zip(hashes, packed(vectors), strict=True))


def _file(path: str, text: str, lines: int) -> Indexed:
    nothing: dict[str, Any] = {"kind": None, "name": "", "scope": "", "signature": "", "doc": ""}
    chunks = (Chunk(first_line=it, last_line=it, defines=(), **nothing) for it in range(1, lines + 1))
    parsed = Parsed(
        language="text",
        lines=lines,
        symbols=(),
        references=(),
        imports=(),
        chunks=tuple(chunks),
        degraded=False,
    )
    return Indexed(
        path=path,
        size=len(text),
        mtime_ns=1,
        ctime_ns=1,
        inode=1,
        hash=content_hash("text", text),
        content=content_of(text, parsed),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--vectors", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), options.layers, options.width, options.vectors)
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:44} {value:12,.1f}")


def measured(folder: Path, layers: int, width: int, count: int) -> dict[str, float]:
    """All numbers by their names, which end with their units."""
    texts = sources(400)
    chunks = [it[place : place + CHUNK] for it in texts for place in range(0, len(it), CHUNK)]
    words, parts = tokenizer(texts[:150]), wordpiece(texts)
    found: dict[str, float] = {}
    for kind in KINDS:
        name = "static table" if kind == "static" else f"{kind} {layers}x{width}"
        write(folder / kind, kind, parts if kind == "static" else words, layers=layers, width=width)
        before = resident()
        started = time.process_time()
        embedder = open_embedder(folder / kind)
        found[f"{name}: open, ms"] = (time.process_time() - started) * 1e3
        found |= spread(f"{name}: question", [processor(embedder.query, it[:60]) for it in chunks[:100]])
        found[f"{name}: memory, MB"] = (resident() - before) / MB
        some = chunks[: TEXTS[kind]]
        found[f"{name}: chunks/s"] = len(some) / processor(embedder.documents, some)
    for name, it in (("byte pairs", words), ("word pieces", parts)):
        started = time.process_time()
        read = it.encode_batch_fast(chunks[:4_000], add_special_tokens=False)
        found[f"tokenizer alone, {name}: chunks/s"] = 4_000 / (time.process_time() - started)
        found[f"{name} per chunk"] = float(median(len(it.ids) for it in read))
    return found | searched(folder, count, width)


def searched(folder: Path, count: int, width: int) -> dict[str, float]:
    """Filling, searching and patching the vectors in memory."""
    chance = np.random.default_rng(0)
    embedder = open_embedder(folder / "static")
    shelf = Shelf(folder / "store", embedder.model, unit(drawn(chance, count, width)))
    source = StoredVectors(shelf.reader)
    before = resident()
    vectors = Vectors(embedder.model, width)
    found = both(f"fill from the store, {count}x{width}", lambda: vectors.refresh(source))
    found["vectors in memory, MB"] = (resident() - before) / MB
    asked = unit(drawn(chance, SEARCHES, width))
    found |= spread("search", [processor(vectors.search, it, LIMIT) for it in asked])
    some = np.arange(1, count, 10)
    found |= spread("search in a tenth", [processor(vectors.search, it, LIMIT, some) for it in asked])
    meaning = ByMeaning(embedder, vectors)
    questions = [f"where is file {it} read" for it in range(SEARCHES)]
    found |= spread("question and search", [processor(meaning.near, it, LIMIT) for it in questions])
    shelf.put(unit(drawn(chance, CHANGED, width)), ["0.py"])
    found |= both(f"patch, {CHANGED} gone and {CHANGED} new", lambda: vectors.refresh(source))
    assert vectors.check(source) == []
    return found


def drawn(chance: np.random.Generator, count: int, width: int) -> Floats:
    """Directions at random."""
    return chance.standard_normal((count, width), np.float32)


def spread(name: str, seconds: list[float]) -> dict[str, float]:
    """The middle, and what one in twenty exceeds."""
    return {f"{name}, p50 ms": median(seconds) * 1e3, f"{name}, p95 ms": quantiles(seconds, n=20)[-1] * 1e3}


def processor(work: Callable[..., Any], *values: Any) -> float:
    """Seconds of this process's processor time."""
    started = time.process_time()
    work(*values)
    return time.process_time() - started


def both(name: str, work: Callable[[], Any]) -> dict[str, float]:
    """By the clock and by the processor."""
    clock = time.perf_counter()
    used = processor(work)
    return {f"{name}, ms": (time.perf_counter() - clock) * 1e3, f"{name}, processor ms": used * 1e3}


def resident() -> int:
    """Bytes of this process that are in memory and nobody else's."""
    used = psutil.Process().memory_info()
    return int(used.rss - (used.shared if sys.platform == "linux" else 0))


if __name__ == "__main__":
    main()
