"""Pure: how important the nodes of a graph are: where somebody ends up who follows its edges for long."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

DAMPING = 0.85  # The chance to follow an edge, and not to begin anew somewhere.
ROUNDS = 60
CLOSE = 1e-7  # As much may move in a round for it to be the last one.

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


def pagerank(sources: Places, targets: Places, weights: Numbers, begin: Numbers) -> Numbers:
    """The rank of each node; all of them are one. ``begin`` says how often one begins where.

    Where the edges that leave a node weigh less than one together, one begins anew with the rest: else two
    nodes that know only each other would keep whoever comes to them.
    """
    count = len(begin)
    if not count:
        return begin
    start: Numbers = begin / begin.sum()
    out = np.bincount(sources, weights=weights, minlength=count)
    share = weights / np.maximum(out, 1.0)[sources]
    leaves = 1.0 - np.minimum(out, 1.0)
    rank: Numbers = start.copy()
    for _ in range(ROUNDS):
        moved = np.bincount(targets, weights=rank[sources] * share, minlength=count)
        after: Numbers = DAMPING * (moved + (rank * leaves).sum() * start) + (1 - DAMPING) * start
        change = np.abs(after - rank).sum()
        rank = after
        if change < CLOSE:
            break
    return rank
