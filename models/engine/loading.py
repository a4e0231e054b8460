"""From a model file to a model in memory: how much of it, and what is done beside what llama.cpp does."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from models.engine.job import RANK
from models.engine.llama import Limits, Llama
from models.engine.loaded import Loaded, Stamp
from models.engine.machine import default_threads
from models.engine.spelled import Guess, byte_level
from models.gguf_header import Header
from models.spec import ModelSpec

DEFAULT_CONTEXT = 8192  # Tokens of KV shared by all sequences: 100 MB for Qwen2.5-Coder-0.5B.
SEQUENCES = 8  # Empty ones cost nothing (measured): room for anchors, look-ahead and three answers at once.
PROMPTS = 4  # As many of the longest ones as the memory holds at most.


def limits_of(spec: ModelSpec, header: Header, context_tokens: int | None, threads: int | None) -> Limits:
    """How much a model may take: what was said of it, or in general, or what suits it and the machine."""
    trained = header.number("context_length") or DEFAULT_CONTEXT
    wanted = spec.context_tokens or context_tokens or DEFAULT_CONTEXT
    return Limits(
        context_tokens=max(min(wanted, PROMPTS * trained), 256),
        sequences=SEQUENCES,
        threads=threads or default_threads(),
    )


def load(
    spec: ModelSpec,
    header: Header,
    limits: Limits,
    size: int,
    stamp: Stamp | None,
    on_progress: Callable[[float], bool],
) -> Loaded:
    """The model in memory; raises ``ModelError``. llama.cpp reads with one processor, so another spells."""
    guess = _meanwhile(partial(byte_level, header.words))
    return Loaded(
        spec=spec,
        llama=Llama(spec.path, limits, on_progress, guess),
        stamp=stamp,
        threads=limits.threads,
        size=size,
        held=[[] for _ in range(limits.sequences)],
        used=[0] * limits.sequences,
        touched=[0.0] * limits.sequences,
        rank=[RANK["background"]] * limits.sequences,
    )


def _meanwhile(work: Callable[[], Guess | None]) -> Callable[[], Guess | None]:
    """Begin something in a thread of its own; the function that is returned waits for it."""
    executor = ThreadPoolExecutor(1, "meanwhile")
    begun = executor.submit(work)
    executor.shutdown(wait=False)
    return begun.result
