"""Have the processes that read files embed texts, too: they are there, and have nothing else to do then.

The process that writes loads no model; it takes what they give, and puts it into the store.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Generator, Iterator

from codeindex.build_pool import Pool, Worker
from codeindex.embed_card import Model
from codeindex.embed_job import Embed, Embedded, Portion
from codeindex.store.errors import Damaged
from models.errors import ModelError

logger = logging.getLogger(__name__)

ASKED = 2
"""Portions that a worker has at most: one at hand, and one for when that is done."""
LIMIT_S = 120.0
"""The longest that one may take, with the loading of a large model."""


def embed(pool: Pool, model: Model, portions: Iterator[Portion]) -> Generator[Embedded, None, None]:
    """What comes of each portion, as it is ready. Raises ModelError, Damaged, NoWorker.

    ``portions`` are asked for as late as can be: whoever wants it to stop gives no more of them. A worker
    that dies at it is given another chance, and no second one. To leave early ends the workers.
    """
    jobs = (Embed(model=model, some=it) for it in portions)
    again: deque[Embed] = deque()
    deaths = 0
    whole = False
    try:
        while _hand_out(pool, model, jobs, again):
            for worker, found in pool.listen([it for it in pool.workers if it.asked], LIMIT_S):
                if found is not None:
                    worker.asked.popleft()
                    yield _sound(found)
                    continue
                deaths += 1
                logger.warning("worker ended embedding portions=%d", len(worker.asked))
                pool.remove(worker)
                if 1 < deaths:
                    raise ModelError(f"The model in {model.folder} ends the process that runs it.")
                again += worker.asked
        whole = True
    finally:
        if not whole:
            pool.close()


def _hand_out(pool: Pool, model: Model, jobs: Iterator[Embed], again: deque[Embed]) -> bool:
    """Give everybody something to do; whether anybody has."""
    while (worker := _free(pool, model)) is not None:
        job = again.popleft() if again else next(jobs, None)
        if job is None:
            break
        worker.ask(job)
    return any(it.asked for it in pool.workers)


def _free(pool: Pool, model: Model) -> Worker | None:
    """Who is to have the next portion; None if all have enough. Nobody is started while somebody is idle."""
    some = pool.workers[: model.processes]
    least = min(some, key=lambda it: len(it.asked), default=None)
    if least is not None and not least.asked:
        return least
    before = len(pool.workers)
    pool.start(min(before + 1, model.processes))
    if before < len(pool.workers):
        return pool.workers[-1]
    return least if least is not None and len(least.asked) < ASKED else None


def _sound(found: Embedded) -> Embedded:
    if found.damaged:
        raise Damaged(found.problem)
    if found.problem:
        raise ModelError(found.problem)
    return found
