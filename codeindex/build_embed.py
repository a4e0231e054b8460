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
    while _has_room(pool, model):
        job = again.popleft() if again else next(jobs, None)
        if job is None:
            break
        _next(pool, model).ask(job)
    return any(it.asked for it in pool.workers)


def _has_room(pool: Pool, model: Model) -> bool:
    some = pool.workers[: model.processes]
    return len(some) < min(pool.jobs, model.processes) or any(len(it.asked) < ASKED for it in some)


def _next(pool: Pool, model: Model) -> Worker:
    """Who is to have the next portion: nobody is started while somebody is idle."""
    if all(it.asked for it in pool.workers[: model.processes]):
        pool.start(min(len(pool.workers) + 1, model.processes))
    return min(pool.workers[: model.processes], key=lambda it: len(it.asked))


def _sound(found: Embedded) -> Embedded:
    if found.damaged:
        raise Damaged(found.problem)
    if found.problem:
        raise ModelError(found.problem)
    return found
