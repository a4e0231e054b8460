"""Measure the code index: cold and warm, fresh, small, quick, and what it survives; beside bm25s and semble.

    python -m benchmarks.index [--source FOLDER] [--embedder FOLDER] [--json]
    python -m benchmarks.index --kills 200
    python -m benchmarks.index --servers 4 --minutes 10

Measured are, each beside its target where it has one:
  cold               lines a second from nothing, with words alone and with vectors; memory meanwhile
  disk               bytes for each byte of source, without and with vectors, at once and after a rest
  start              of ten thousand files of which none has changed
  save, edit         until it is found: told by the editor, seen on disk, not saved yet, and by its meaning
  query              at a hundred thousand chunks, by words, and by words and meaning
  callers, callees   there, of the names that are used most
  while it indexes   what is asked meanwhile
  memory             of service, writer and its helper at rest, without and with vectors
  take-over          after the death of a writer
  peer               bm25s and semble, where they are installed
or, instead: what is left after so many kills; what services that share a folder answer.

Everything runs in real processes, as an editor starts them: the writer at low priority, the service at the
usual one. The source is the running Python's standard library, copied; for a hundred thousand chunks there
is more of the environment's packages beside it. The embedder is the one in the box; `--embedder random` is a
table of 30,000 word pieces by 256 with random numbers.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks import index_faults, index_graph, index_measures
from benchmarks.index_client import ROOT, Client
from benchmarks.index_measures import Found
from benchmarks.shape_onnx import sources, wordpiece, write
from codeindex.embed_card import read_card

BUNDLED = ROOT / "models" / "starter" / "embedder"
RANDOM = "random"
TARGETS: Mapping[str, str] = {
    "cold: lines/s": ">= 60,000",
    "cold with vectors: lines/s": ">= 50,000",
    "disk: bytes per byte of source, at once": "<= 1.5",
    "disk: bytes per byte of source, after a rest": "<= 1.5",
    "disk with vectors: bytes per byte of source, at once": "<= 1.5",
    "disk with vectors: bytes per byte of source, after a rest": "<= 1.5",
    f"start without a change, {index_measures.MANY_FILES:,} files: s": "<= 1",
    "save -> searchable: p95 ms": "<= 150",
    "save by another program -> searchable: p95 ms": "<= 150",
    "unsaved edit -> searchable: p95 ms": "<= 250",
    "save -> searchable by meaning: p95 ms": "<= 500",
    "query, words and meaning: p50 ms": "<= 15",
    "query, words and meaning: p95 ms": "<= 40",
    "callers of the most used names: p95 ms": "<= 300",
    "callees of the most used names: p95 ms": "<= 300",
    "while it indexes: request: p95 ms": "<= 50",
    "with vectors: memory: service, MB resident": "<= 300, all",
    "with vectors: memory: writer, MB resident": "<= 300, all",
    "with vectors: memory: helper, MB resident": "<= 300, all",
    "take-over after a writer's death: s": "<= 5",
}
"""What each should be, on two cores."""


def main(arguments: list[str]) -> int:
    """The exit code: 1 if a fault was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--embedder", default=str(BUNDLED), help="a model's folder, or: random")
    parser.add_argument("--source", type=Path, default=index_measures.standard_library())
    parser.add_argument("--lines", type=int, default=400_000, help="of the source, at most")
    parser.add_argument("--chunks", type=int, default=100_000, help="in the index when it is asked")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--kills", type=int, default=0, help="end the writer so often instead")
    parser.add_argument("--servers", type=int, default=0, help="let so many services share a folder instead")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="hearth-index-") as name:
        folder = Path(name)
        if given.kills:
            found = index_faults.kills(folder, given.source, given.kills, given.seed)
        elif given.servers:
            found = index_faults.soak(folder, given.source, given.servers, given.minutes * 60, given.seed)
        else:
            found = measured(
                folder, given.source, given.lines, given.chunks, given.embedder, tell=not given.json
            )
    if given.json:
        print(json.dumps(found, indent=1))
    elif given.kills or given.servers:
        table(found)
    return 1 if found.get("faults") else 0


def measured(folder: Path, source: Path, lines: int, chunks: int, embedder: str, *, tell: bool) -> Found:
    """All parts, one after the other."""
    root, cache = folder / "project", folder / "cache"
    found: Found = {}

    def take(more: Found) -> None:
        found.update(more)
        if tell:
            table(more)

    index_measures.copy_source(source, root, lines)
    take(index_measures.cold(root, cache))
    model = model_of(folder, embedder)
    card = read_card(model)
    take({"embedder": f"{card.name}, {card.kept} numbers"})
    take(index_measures.cold_vectors(root, folder / "other cache", model))
    take(index_measures.no_change(folder / "many", cache, root))
    with Client(root, cache) as client:
        client.until_ready(120)
        client.until(lambda: client.ask("status")["writer"] == "here")
        take(index_measures.freshness(client))
        packages = Path(json.__file__).parents[1] / "site-packages"
        others = [Path(it) for it in sys.path if it.endswith("site-packages")] or [packages]
        take(index_measures.grow(client, others, chunks))
        take(index_measures.queries(client, "words"))
        take(index_graph.graph(client))
        take(index_measures.memory(client))
        take(index_measures.take_over(client))
    began = time.monotonic()
    with Client(root, cache, {"embedder": str(model)}) as client:
        take(index_measures.vectors(client, began))
        take(index_measures.queries(client, "words and meaning"))
        take(index_measures.saved_vectors(client))
        take({f"with vectors: {key}": it for key, it in index_measures.memory(client).items()})
    take(index_measures.bm25s_peer(root))
    take(index_measures.semble_peer(root))
    return found


def model_of(folder: Path, embedder: str) -> Path:
    """The folder of the model that is asked for, made if it is a random one."""
    if embedder != RANDOM:
        return Path(embedder)
    write(folder / "model", "static", wordpiece(sources(1_000)))
    return folder / "model"


def table(found: Found) -> None:
    """A line for each number, with its target."""
    for name, value in found.items():
        shown = value if isinstance(value, str) else f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
        print(f"{name:58} {shown:>14}   {TARGETS.get(name, '')}".rstrip(), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
