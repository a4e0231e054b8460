"""How long it takes to say who calls what, of the names that are used most."""

from __future__ import annotations

import time

from benchmarks.index_client import Client
from benchmarks.index_measures import Found, milliseconds
from codeindex.store import open_reader, store_folder

NAMES = 100


def graph(client: Client) -> Found:
    """Both of the names that most texts use: these take longest."""
    reader = open_reader(store_folder(client.root, client.cache))
    assert reader is not None
    with reader:
        names = [
            name
            for (name,) in reader.rows(
                "SELECT text FROM (SELECT DISTINCT name AS number FROM symbol) JOIN name ON name.id = number"
                " ORDER BY (SELECT count(*) FROM used_fts WHERE used_fts MATCH CAST(number AS TEXT)) DESC"
                " LIMIT ?",
                NAMES,
            )
        ]
    found: Found = {}
    client.ask("callers", name=names[0], limit=1)  # The first one looks at all files.
    for method in ("callers", "callees"):
        times, partly = [], 0
        for name in names:
            began = time.monotonic()
            partly += bool(client.ask(method, name=name, limit=100)["partly"])
            times.append(time.monotonic() - began)
        found |= milliseconds(f"{method} of the most used names", times)
        found[f"{method} of the most used names: of part of the code, of {NAMES}"] = partly
    return found
