"""llama.cpp's model and memory: load a GGUF, evaluate tokens into sequences, read logits.

A ``Llama`` is one model with one context. All its sequences share one KV buffer (``kv_unified``), so copying
a prefix from one to another costs nothing. Not thread-safe: its worker thread owns it. Only ``abort`` and
``resume`` may be called from elsewhere.
"""

from __future__ import annotations

import ctypes
import logging
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

from models.engine.llama_text import Text
from models.engine.spelled import Guess
from models.errors import ModelError

logger = logging.getLogger(__name__)

N_BATCH = 512  # Tokens handed over per call; llama.cpp cuts them into micro-batches.
# An abort keeps what finished micro-batches computed, and takes effect at the next node of the graph: small
# ones lose little and end soon, also on one thread; prompts are read as fast as with 128 (measured).
N_UBATCH = 64
N_OUTPUTS = 16  # Rows of logits per call. Room for all would cost 4 bytes x vocabulary x N_UBATCH (39 MB).

_ERROR_LINES: deque[str] = deque(maxlen=20)  # What llama.cpp last complained about; it has no error values.
_GGML_LEVEL_ERROR = 4
_GGML_LEVEL_CONTINUE = 5


class Status(IntEnum):
    """What ``llama_decode`` returns; anything below zero is fatal for the call."""

    OK = 0
    FULL = 1
    ABORTED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a loaded model may take."""

    context_tokens: int
    """Cells of the KV buffer, shared by all sequences."""
    sequences: int
    threads: int


class Llama(Text):
    """One loaded model.

    ``on_progress`` is told how much is loaded and says whether to go on.
    Raises ``ModelError`` with one sentence when the file cannot be loaded or the memory does not suffice.
    """

    def __init__(
        self,
        path: Path,
        limits: Limits,
        on_progress: Callable[[float], bool],
        guess: Callable[[], Guess | None] = lambda: None,
    ) -> None:
        """``guess`` waits for how the tokens may be spelled, which somebody finds out meanwhile."""
        _start_backend()
        _ERROR_LINES.clear()
        self.limits = limits
        self._context: Any = None
        self._batch: Any = None
        self._flag = ctypes.create_string_buffer(64)
        super().__init__(path, _load(path, on_progress), guess)
        try:
            self._context = self._new_context(limits)
        except BaseException:
            self.close()
            raise
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(N_BATCH, 0, 1)
        self._batch_tokens = np.ctypeslib.as_array(self._batch.token, (N_BATCH,))
        self._batch_positions = np.ctypeslib.as_array(self._batch.pos, (N_BATCH,))
        self._batch_outputs = np.ctypeslib.as_array(self._batch.logits, (N_BATCH,))
        np.ctypeslib.as_array(self._batch.n_seq_id, (N_BATCH,))[:] = 1

    # -- sequences ---------------------------------------------------------------------------------------

    def use_threads(self, threads: int) -> None:
        """Evaluate with so many threads from now on."""
        if threads != self.limits.threads:
            llama_cpp.llama_set_n_threads(self._context, threads, threads)
            self.limits = replace(self.limits, threads=threads)

    def evaluate(self, sequence: int, position: int, tokens: Sequence[int], *, outputs: int) -> Status:
        """Evaluate ``tokens`` at ``position`` of ``sequence``; the last ``outputs`` of them get logits.

        At most ``N_BATCH`` tokens. ``FULL`` leaves the KV as it was; ``ABORTED`` keeps the finished
        micro-batches: ask ``length``. Raises ``ModelError`` when llama.cpp fails.
        """
        count = len(tokens)
        batch = self._batch
        batch.n_tokens = count
        self._batch_tokens[:count] = tokens
        self._batch_positions[:count] = np.arange(position, position + count)
        self._batch_outputs[:count] = 0
        self._batch_outputs[count - outputs : count] = 1
        ids = batch.seq_id
        for index in range(count):
            ids[index][0] = sequence
        return self._decode(count)

    def evaluate_together(self, rows: Sequence[tuple[int, int, int]]) -> Status:
        """Evaluate one token each of some sequences, given as ``(sequence, position, token)``.

        Each gets its logits, in this order. What is not ``OK`` may have left some of them in the KV.
        """
        batch = self._batch
        batch.n_tokens = len(rows)
        for index, (sequence, position, token) in enumerate(rows):
            self._batch_tokens[index] = token
            self._batch_positions[index] = position
            batch.seq_id[index][0] = sequence
        self._batch_outputs[: len(rows)] = 1
        return self._decode(len(rows))

    def _decode(self, count: int) -> Status:
        status = llama_cpp.llama_decode(self._context, self._batch)
        if status < 0 or Status.ABORTED < status:
            raise ModelError(f"llama.cpp could not evaluate {count} tokens (status {status}).")
        return Status(status)

    def logits(self, index: int) -> npt.NDArray[np.float32]:
        """Scores over the vocabulary at row ``index`` of the last call, shape ``(n_vocab,)``.

        A view into llama.cpp's memory, valid until the next ``evaluate``; -1 is the last row.
        """
        pointer = llama_cpp.llama_get_logits_ith(self._context, index)
        if not pointer:
            raise ModelError("llama.cpp has no logits for this position.")
        return np.ctypeslib.as_array(pointer, (self.n_vocab,))

    def length(self, sequence: int) -> int:
        """How many positions of ``sequence`` are in the KV."""
        return int(llama_cpp.llama_memory_seq_pos_max(self._memory, sequence)) + 1

    def trim(self, sequence: int, length: int) -> bool:
        """Forget what follows ``length`` positions. False where the architecture cannot (it forgets all)."""
        if llama_cpp.llama_memory_seq_rm(self._memory, sequence, length, -1):
            return True
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        return False

    def share(self, source: int, target: int, length: int) -> bool:
        """Let the empty ``target`` hold the first ``length`` positions of ``source`` too.

        False, and nothing shared, where the architecture keeps one state instead of positions.
        """
        if not self.has_positions:
            return False
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, 0, length)
        return True

    @cached_property
    def has_positions(self) -> bool:
        """Whether what was evaluated last can be forgotten again; architectures with one state cannot."""
        model = self._model
        return not (llama_cpp.llama_model_is_recurrent(model) or llama_cpp.llama_model_is_hybrid(model))

    # -- from any thread ---------------------------------------------------------------------------------

    def abort(self) -> None:
        """Make the running ``evaluate`` return soon with ``ABORTED``, and each later one until ``resume``."""
        self._flag[0] = b"\x01"

    def resume(self) -> None:
        """Let ``evaluate`` work again."""
        self._flag[0] = b"\x00"

    def close(self) -> None:
        """Free the memory. Nothing else may be called afterwards."""
        if self._batch is not None:
            llama_cpp.llama_batch_free(self._batch)
        if self._context is not None:
            llama_cpp.llama_free(self._context)
        if self._model is not None:
            llama_cpp.llama_model_free(self._model)
        self._batch = self._context = self._model = None

    def _new_context(self, limits: Limits) -> llama_cpp.llama_context_p:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = limits.context_tokens
        params.n_batch = N_BATCH
        params.n_ubatch = N_UBATCH
        params.n_outputs_max = N_OUTPUTS
        params.n_seq_max = limits.sequences
        params.n_threads = limits.threads
        params.n_threads_batch = limits.threads
        params.kv_unified = True
        params.no_perf = True
        params.abort_callback = _ABORT
        params.abort_callback_data = ctypes.addressof(self._flag)
        context = llama_cpp.llama_init_from_model(self._model, params)
        if not context:
            raise ModelError(
                f"Not enough memory for {self.path.name} with {limits.context_tokens} tokens of context"
                f" ({_last_error()})."
            )
        return context


def _abort_callback() -> llama_cpp.ggml_abort_callback:
    """llama.cpp asks it at every node of the graph whether to stop: some hundred times per token.

    A Python function would take the interpreter's lock each time (measured: 3-8 % of a decode step). C's own
    ``strlen`` over our flag byte answers the same question: 0 while the byte is zero, else 1.
    """
    library = ctypes.CDLL("msvcrt") if sys.platform == "win32" else ctypes.CDLL(None)
    return ctypes.cast(library.strlen, llama_cpp.ggml_abort_callback)


_ABORT = _abort_callback()


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]  # llama_cpp has no types
def _log(level: int, text: bytes, _data: object) -> None:
    line = text.decode("utf-8", "replace").rstrip()
    if level == _GGML_LEVEL_ERROR and line:
        _ERROR_LINES.append(line)
    if level != _GGML_LEVEL_CONTINUE and line:
        logger.debug("llama.cpp level=%d %s", level, line)


_started = False


def _start_backend() -> None:
    global _started
    if not _started:
        llama_cpp.llama_log_set(_log, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        _started = True


def _load(path: Path, on_progress: Callable[[float], bool]) -> llama_cpp.llama_model_p:
    @llama_cpp.llama_progress_callback  # type: ignore[untyped-decorator]  # llama_cpp has no types
    def progress(fraction: float, _data: object) -> bool:
        return on_progress(float(fraction))

    params = llama_cpp.llama_model_default_params()
    params.progress_callback = progress
    params.load_mode = llama_cpp.LLAMA_LOAD_MODE_MMAP
    model = llama_cpp.llama_model_load_from_file(bytes(path), params)
    if not model:
        raise ModelError(f"{path.name} cannot be loaded: {_last_error()}.")
    return model


def _last_error() -> str:
    """llama.cpp's own words for what went wrong, without its function name prefix."""
    for line in _ERROR_LINES:
        head, colon, tail = line.partition(": ")
        if colon and " " not in head and tail:
            return tail.rstrip(".")
    return "llama.cpp gave no reason"
