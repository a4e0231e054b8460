"""Measure the code index: cold and warm, fresh, small, quick, and what it survives; beside bm25s and semble.

    python -m benchmarks.index [--source FOLDER] [--json]
    python -m benchmarks.index --kills 200
    python -m benchmarks.index --servers 4 --minutes 10

Everything runs in real processes, as an editor starts them: the writer at low priority, the service at the
usual one. The source is the running Python's standard library, copied; for a hundred thousand chunks there
is more of the environment's packages beside it. The embedder is a table of 30,000 word pieces by 256, as
distilled ones are; its numbers are random, which costs what real ones cost.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import index_faults, index_measures
from benchmarks.index_client import Client
from benchmarks.index_measures import Found
from benchmarks.shape_onnx import sources, wordpiece, write


def main(arguments: list[str]) -> int:
    """The exit code: 1 if a fault was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
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
            found = measured(folder, given.source, given.lines, given.chunks, tell=not given.json)
    if given.json:
        print(json.dumps(found, indent=1))
    elif given.kills or given.servers:
        table(found)
    return 1 if found.get("faults") else 0


def measured(folder: Path, source: Path, lines: int, chunks: int, *, tell: bool) -> Found:
    """All parts, one after the other."""
    root, cache = folder / "project", folder / "cache"
    found: Found = {}

    def take(more: Found) -> None:
        found.update(more)
        if tell:
            table(more)

    index_measures.copy_source(source, root, lines)
    take(index_measures.cold(root, cache))
    write(folder / "model", "static", wordpiece(sources(1_000)))
    take(index_measures.cold_vectors(root, folder / "other cache", folder / "model"))
    take(index_measures.no_change(folder / "many", cache, root))
    with Client(root, cache) as client:
        client.until_ready(120)
        client.until(lambda: client.ask("status")["writer"] == "here")
        take(index_measures.freshness(client))
        packages = Path(json.__file__).parents[1] / "site-packages"
        others = [Path(it) for it in sys.path if it.endswith("site-packages")] or [packages]
        take(index_measures.grow(client, others, chunks))
        take(index_measures.queries(client, "words"))
        take(index_measures.memory(client))
        take(index_measures.take_over(client))
    began = time.monotonic()
    with Client(root, cache, {"embedder": str(folder / "model")}) as client:
        take(index_measures.vectors(client, began))
        take(index_measures.queries(client, "words and meaning"))
        take(index_measures.saved_vectors(client))
        take({f"with vectors: {key}": it for key, it in index_measures.memory(client).items()})
    take(index_measures.bm25s_peer(root))
    take(index_measures.semble_peer(root))
    return found


def table(found: Found) -> None:
    """A line for each number."""
    for name, value in found.items():
        shown = value if isinstance(value, str) else f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
        print(f"{name:58} {shown:>14}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
