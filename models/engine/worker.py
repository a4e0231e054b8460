"""The one thread that owns the models: loads them, gives each request its turns, frees them again.

Requests take turns at the grain of one decode step or one piece of prefill. The most urgent one always
goes first; when it arrives while a less urgent one is being evaluated, that evaluation is aborted (its
finished part stays in the KV). Equally urgent ones share the turns, except ghost text: there it is first
come, first served.

What goes wrong with one request ends that request; what goes wrong beside them ends all of them, frees the
models and lets the next request begin anew. The thread itself goes on.
"""

from __future__ import annotations

import functools
import logging
import math
import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from models.engine.generate import generate
from models.engine.job import RANK, Job, Unavailable
from models.engine.loaded import Clock, Loaded, stamp_of
from models.engine.loading import SEQUENCES, limits_of, load
from models.engine.machine import check_memory, default_memory, model_bytes
from models.engine.machine import default_threads as default_threads  # Measurements ask the worker for it.
from models.engine.metrics import Metrics
from models.errors import ModelError
from models.gguf_header import read_header
from models.spec import ModelSpec
from models.version import VERSION
from models.wire import Health

logger = logging.getLogger(__name__)

MAX_LOADED = 2  # Models in memory at once: one for ghost text, one for chat.
ENDING = "The engine is shutting down."
MIND_SECONDS = 20.0  # Between two looks at the battery: a plug is pulled rarely, and it takes effect soon.
TYPING_SECONDS = 2.0  # After a key: reading ahead leaves a processor to the editor, which is at work too.


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """What the command line said."""

    model: ModelSpec
    idle_unload: float
    """Seconds without a request after which the models leave the memory; 0 keeps them."""
    context_tokens: int | None
    threads: int | None
    memory: int | None = None
    """Bytes that all models together may take; ``None``: a share of what the machine has."""


@dataclass(slots=True, kw_only=True)
class _Turn:
    """A job that has started, and where it stands."""

    job: Job
    loaded: Loaded
    clock: Clock
    steps: Generator[None, None, None]


@dataclass(slots=True)
class _Queue:
    """What other threads hand to the worker, under its lock."""

    waiting: list[Job] = field(default_factory=list)
    stopping: bool = False


class Worker:
    """Owns the models. What has no underscore may be called from any thread."""

    def __init__(self, config: EngineConfig, on_health: Callable[[Health], None]) -> None:
        self._config = config
        self._on_health = on_health
        self._queue = _Queue()
        self._condition = threading.Condition()
        self._models: OrderedDict[Path, Loaded] = OrderedDict()
        self._turns: list[_Turn] = []
        self._running: _Turn | None = None
        self._typed_at = -math.inf
        self._health = Health(
            version=VERSION, pid=os.getpid(), executable=sys.executable, state="idle", model=config.model.name
        )
        self.metrics = Metrics()
        self._thread = threading.Thread(target=self._run, name="llama", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queue ``job``; if it is more urgent than what runs now, that stops as soon as it can."""
        with self._condition:
            if self._queue.stopping:
                job.on_error(Unavailable(ENDING))
                return
            self._queue.waiting.append(job)
            running = self._running
            if running is not None and job.rank < running.job.rank and self._has_room(job):
                running.loaded.llama.abort()
            self._condition.notify()

    def cancel(self, job: Job) -> None:
        """The answer is no longer wanted: stop within one decode step, also inside a prefill."""
        job.cancelled = True
        with self._condition:
            running = self._running
            if running is not None and running.job is job:
                running.loaded.llama.abort()
            self._condition.notify()

    def typed(self) -> None:
        """Somebody types who needs no answer: what is read ahead goes on with a processor less."""
        with self._condition:
            running, began = self._running, not self._is_typing
            self._typed_at = time.monotonic()
            if running is not None and began and self._threads(running) < running.loaded.threads:
                running.loaded.llama.abort()

    def end(self) -> None:
        """Finish nothing: tell everybody who waits, free the memory, end the thread soon."""
        with self._condition:
            self._queue.stopping = True
            if self._running is not None:
                self._running.loaded.llama.abort()
            self._condition.notify()

    def stop(self) -> None:
        """The same, and wait for it."""
        self.end()
        self._thread.join()

    @property
    def health(self) -> Health:
        return self._health

    # -- the worker's thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        while self._wait():
            try:
                self._go_on()
            except Exception as exc:
                logger.exception("worker bug")
                self._drop_all(exc)
        with self._condition:
            waiting = list(self._queue.waiting)
        self._drop_all(Unavailable(ENDING))
        for job in waiting:
            job.on_error(Unavailable(ENDING))

    def _wait(self) -> bool:
        """Wait until there is something to do; false when it is time to end."""
        with self._condition:
            if not (self._queue.stopping or self._queue.waiting or self._turns):
                self._condition.wait(self._until_unload())
            return not self._queue.stopping

    def _go_on(self) -> None:
        turn = self._next_turn()
        if turn is not None:
            self._step(turn)
        elif not self._turns:
            self._unload_idle()

    def _drop_all(self, reason: Exception) -> None:
        """End what has started and free the models."""
        turns, self._turns = self._turns, []
        models, self._models = self._models, OrderedDict()
        for turn in turns:
            turn.steps.close()
            turn.job.on_error(reason)
        for loaded in models.values():
            loaded.llama.close()
        self._tell(state="idle", progress=0.0, context_tokens=0, problem="")

    def _until_unload(self) -> float | None:
        if not (self._config.idle_unload and self._models):
            return None
        oldest = min(it.last_used for it in self._models.values())
        return max(oldest + self._config.idle_unload - time.monotonic(), 0.05)

    def _unload_idle(self) -> None:
        now = time.monotonic()
        for path, loaded in list(self._models.items()):
            if 0 < self._config.idle_unload <= now - loaded.last_used:
                self._unload(path)

    def _unload(self, path: Path) -> None:
        loaded = self._models.pop(path)
        loaded.llama.close()
        logger.info("unload model=%s", loaded.spec.name)
        if not self._models:
            self._tell(state="idle", progress=0.0, context_tokens=0, problem="")

    def _next_turn(self) -> _Turn | None:
        """The most urgent job that can go on, started if it is new; cancelled ones are dropped on the way."""
        for turn in [it for it in self._turns if it.job.cancelled]:
            self._end(turn)
            self.metrics.cancelled += 1
        started = min(self._turns, key=lambda it: it.job.rank, default=None)
        job = self._take(started)
        return started if job is None else self._begin(job) or started

    def _take(self, started: _Turn | None) -> Job | None:
        """The waiting job that should begin now, before ``started`` goes on."""
        with self._condition:
            waiting = self._queue.waiting
            self.metrics.cancelled += sum(it.cancelled for it in waiting)
            waiting[:] = [it for it in waiting if not it.cancelled]
            job = min((it for it in waiting if self._has_room(it)), key=lambda it: it.rank, default=None)
            if job is None:
                return None
            if started is not None and (started.job.rank < job.rank or started.job.rank == RANK["typing"]):
                return None
            waiting.remove(job)
            return job

    def _has_room(self, job: Job) -> bool:
        """Whether one more job may hold a sequence: always one is kept for those that are more urgent."""
        models = list(self._models.values())  # In one go: another thread may load one meanwhile.
        taken = max(len(self._turns), sum(len(it.busy) for it in models))
        return taken < SEQUENCES - min(job.rank, 2)

    def _begin(self, job: Job) -> _Turn | None:
        try:
            loaded = self._loaded(job)
        except ModelError as exc:
            job.on_error(exc)
            return None
        except Exception as exc:
            logger.exception("load bug model=%s", job.spec.name)
            job.on_error(exc)
            return None
        self._mind_threads(loaded)
        clock = Clock()
        turn = _Turn(job=job, loaded=loaded, clock=clock, steps=generate(job, loaded, clock))
        self._turns.append(turn)
        return turn

    def _step(self, turn: _Turn) -> None:
        with self._condition:
            turn.loaded.llama.resume()
            self._running = turn
            waiting = self._queue.waiting
            if (
                self._queue.stopping
                or turn.job.cancelled
                or any(it.rank < turn.job.rank and self._has_room(it) for it in waiting)
            ):
                self._running = None
                return
        try:
            if turn.job.rank == RANK["typing"]:
                self._typed_at = time.monotonic()
            turn.loaded.llama.use_threads(self._threads(turn))
            next(turn.steps)
        except StopIteration:
            self._end(turn)
            self._finished(turn.clock)
        except ModelError as exc:
            self._end(turn)
            turn.job.on_error(exc)
        except Exception as exc:
            logger.exception("generate bug model=%s", turn.job.spec.name)
            self._end(turn)
            turn.job.on_error(exc)
        else:
            if turn.job.rank != RANK["typing"]:  # To the end of the row: equally urgent ones share the turns.
                self._turns.remove(turn)
                self._turns.append(turn)
        finally:
            with self._condition:
                self._running = None

    def _threads(self, turn: _Turn) -> int:
        """All that are allowed; one is left to the editor by what nobody waits for, while somebody types."""
        allowed = turn.loaded.threads
        is_ahead = RANK["chat"] < turn.job.rank
        return max(allowed - 1, 1) if is_ahead and self._is_typing else allowed

    @property
    def _is_typing(self) -> bool:
        return time.monotonic() - self._typed_at < TYPING_SECONDS

    def _end(self, turn: _Turn) -> None:
        turn.steps.close()
        self._turns.remove(turn)
        self.metrics.add_drafts(turn.clock)

    def _finished(self, clock: Clock) -> None:
        self.metrics.add(clock)
        decoded = clock.produced - clock.at_once
        if 0 < decoded and 0.0 < clock.decode_ms:
            self._tell(tokens_per_second=round(decoded * 1000 / clock.decode_ms, 1))

    # -- models ------------------------------------------------------------------------------------------

    def _loaded(self, job: Job) -> Loaded:
        """The job's model, loaded if need be. Raises ``ModelError``."""
        known = self._models.get(job.spec.path)
        if known is not None and self._is_outdated(known):
            self._unload(job.spec.path)
            known = None
        if known is not None:
            self._models.move_to_end(job.spec.path)
            if self._health.state != "ready":  # Another one failed meanwhile.
                self._tell(state="ready", model=known.spec.name, problem="", context_tokens=known.context)
            return known
        started = time.perf_counter()
        self._tell(state="loading", model=job.spec.name, progress=0.0, problem="")
        try:
            loaded = self._load(job.spec)
        except Exception as exc:
            known_reason = isinstance(exc, ModelError)
            self._tell(state="failed", problem=str(exc) if known_reason else "The model could not be loaded.")
            raise
        job.load_ms = (time.perf_counter() - started) * 1000
        logger.info("load model=%s ms=%d", job.spec.name, job.load_ms)
        self._models[job.spec.path] = loaded
        self._tell(
            state="ready",
            progress=1.0,
            context_tokens=loaded.context,
            loads=self._health.loads + 1,
            threads=loaded.threads,
        )
        return loaded

    def _mind_threads(self, loaded: Loaded) -> None:
        """Use as many threads as suit the machine now: somebody may have pulled the plug."""
        now = time.monotonic()
        if self._config.threads is None and MIND_SECONDS <= now - loaded.minded:
            loaded.minded = now
            loaded.threads = default_threads()
        if self._health.threads != loaded.threads:
            self._tell(threads=loaded.threads)

    def _is_outdated(self, known: Loaded) -> bool:
        """Whether the file was replaced since, and nobody uses what was loaded from it."""
        used = any(it.loaded is known for it in self._turns)
        return not used and known.stamp != stamp_of(known.spec.path, known.stamp)

    def _load(self, spec: ModelSpec) -> Loaded:
        stamp = stamp_of(spec.path, None)
        header = read_header(spec.path)  # What it says is checked before anything is unloaded for it.
        limits = limits_of(spec, header, self._config.context_tokens, self._config.threads)
        needed = model_bytes(header, limits)
        self._make_memory(spec, needed)
        # Should llama.cpp take the process down, this line is what is left to explain it.
        logger.info("loading model=%s file=%s", spec.name, spec.path.name)
        try:
            return load(spec, header, limits, needed, stamp, self._on_progress)
        except ModelError as exc:
            if self._queue.stopping:
                raise Unavailable(ENDING) from exc
            raise

    def _on_progress(self, fraction: float) -> bool:
        if self._health.progress + 0.01 <= fraction:
            self._tell(progress=round(fraction, 2))
        return not self._queue.stopping

    def _make_memory(self, spec: ModelSpec, needed: int) -> None:
        """Unload what was not used for longest, until there is room. Raises ``ModelError``."""
        allowed = self._config.memory or default_memory()
        check = functools.partial(check_memory, spec.path.name, needed)
        if allowed < needed:
            check(allowed)
        busy = {it.loaded.spec.path for it in self._turns}
        for path in [it for it in self._models if it not in busy]:
            fits = needed + self._taken() <= allowed and needed <= psutil.virtual_memory().available
            if fits and len(self._models) < MAX_LOADED:
                break
            self._unload(path)
        if allowed < needed + self._taken():
            raise Unavailable("The memory for models is taken by one that is answering; try again.")
        check(allowed)

    def _taken(self) -> int:
        return sum(it.size for it in self._models.values())

    def _tell(self, **changes: object) -> None:
        self._health = replace(self._health, **changes)  # type: ignore[arg-type]  # fields of Health, by name
        self._on_health(self._health)
