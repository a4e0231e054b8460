"""A question -> hits: asks the index and the buffers, has the answers ranked, shows what is still there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from codeindex.config import DEFAULTS, WalkConfig
from codeindex.overlay import Overlay
from codeindex.query import read as read_query
from codeindex.rank import Rule, rank
from codeindex.search_candidates import Candidates, Dense
from codeindex.search_check import Check
from codeindex.search_rerank import Reranking
from codeindex.search_words import EVERYTHING
from codeindex.store.read import Reader
from codeindex.types import Filters, Hit


def search(
    reader: Reader,
    query: str,
    *,
    root: Path,
    limit: int = 10,
    where: Filters = EVERYTHING,
    overlay: Overlay | None = None,
    dense: Dense | None = None,
    rules: Sequence[Rule] | None = None,
    config: WalkConfig = DEFAULTS,
    reranking: Reranking | None = None,
) -> list[Hit]:
    """The best hits, each as it is on screen or on disk at this moment."""
    asked = read_query(query)
    most = max(limit, reranking.wants(asked)) if reranking is not None else limit
    with reader.snapshot():
        found = Candidates(reader, asked, where, overlay)
        listings = found.listings(dense)
        check = Check(reader, root, config)
        hits: list[Hit] = []
        for it in rank(asked, listings, found.pieces, rules):
            if most <= len(hits):
                break
            hit = check.hit(it, found.sources[it.piece.id])
            if hit is not None:
                hits.append(hit)
    return reranking.reranked(asked, hits)[:limit] if reranking is not None else hits
