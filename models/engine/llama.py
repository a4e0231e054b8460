"""The only llama_cpp: load a GGUF, tokenize, evaluate tokens into sequences, read logits.

A ``Llama`` is one model with one context. All its sequences share one KV buffer (``kv_unified``), so copying
a prefix from one to another costs nothing. Not thread-safe: its worker thread owns it. Only ``abort`` and
``resume`` may be called from elsewhere.
"""

from __future__ import annotations

import ctypes
import logging
import os
import re
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.engine.vocabulary import SPELLINGS, FimTokens
from models.errors import ModelError

# At every node of its graph, some 500 times per token, llama.cpp's threads wait for each other. OpenMP lets
# them spin for milliseconds, and on a machine with a compiler running beside it one of them spins while the
# other waits for a core: a token took 1,100 ms instead of 120. So they spin for some 30 microseconds and then
# sleep. Read when the library is loaded.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
os.environ["GGML_NO_BACKTRACE"] = "1"  # A failed assertion is one line, not a debugger that is started.

import llama_cpp

logger = logging.getLogger(__name__)

N_BATCH = 512  # Tokens handed over per call; llama.cpp cuts them into micro-batches.
N_UBATCH = 128  # An abort keeps what finished micro-batches computed: small ones lose little (0.4 s at most).
N_OUTPUTS = 16  # Rows of logits per call. Room for all would cost 4 bytes x vocabulary x N_UBATCH (78 MB).

# Some vocabularies cut text with std::regex, which takes 330 bytes of stack per character of a match and so
# ends the process at 25,000 letters without a blank. Such a run is no code: it may as well be cut here.
# Short runs are matched too, and stepped over, so that no place is looked at twice.
_RUN = re.compile(r"(?P<long>\S{1000}|\s{1000})|\S+|\s+")

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


class Llama:
    """One loaded model.

    ``on_progress`` is told how much is loaded and says whether to go on.
    Raises ``ModelError`` with one sentence when the file cannot be loaded or the memory does not suffice.
    """

    def __init__(self, path: Path, limits: Limits, on_progress: Callable[[float], bool]) -> None:
        _start_backend()
        _ERROR_LINES.clear()
        self.path = path
        self.limits = limits
        self._context: Any = None
        self._batch: Any = None
        self._flag = ctypes.create_string_buffer(64)
        self._model: Any = _load(path, on_progress)
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
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
        self._pieces: dict[int, bytes] = {}
        self._ends: dict[int, bool] = {}

    # -- what the file says ------------------------------------------------------------------------------

    @cached_property
    def n_vocab(self) -> int:
        return int(llama_cpp.llama_vocab_n_tokens(self._vocab))

    @cached_property
    def trained_context(self) -> int:
        """Tokens of context the model was trained for."""
        return int(llama_cpp.llama_model_n_ctx_train(self._model))

    @cached_property
    def bos(self) -> int | None:
        """The token every prompt starts with, if this vocabulary wants one."""
        wanted = llama_cpp.llama_vocab_get_add_bos(self._vocab)
        return _token(llama_cpp.llama_vocab_bos(self._vocab)) if wanted else None

    @cached_property
    def fim(self) -> FimTokens:
        """The fill-in-the-middle tokens: by metadata, by llama.cpp's own list of spellings, by ours."""
        vocab = self._vocab
        found = {
            "prefix": _token(llama_cpp.llama_vocab_fim_pre(vocab)),
            "suffix": _token(llama_cpp.llama_vocab_fim_suf(vocab)),
            "middle": _token(llama_cpp.llama_vocab_fim_mid(vocab)),
            "repository": _token(llama_cpp.llama_vocab_fim_rep(vocab)),
            "separator": _token(llama_cpp.llama_vocab_fim_sep(vocab)),
        }
        for name, spellings in SPELLINGS.items():
            for spelling in spellings:
                if found[name] is None:
                    found[name] = self._spelled(spelling)
        suffix = found["suffix"]
        return FimTokens(**found, suffix_text="" if suffix is None else self.text_of(suffix))

    def _spelled(self, text: str) -> int | None:
        """The special token that is spelled so."""
        tokens = self._tokens(text, special=True)
        return tokens[0] if len(tokens) == 1 and self.text_of(tokens[0]) == text else None

    @cached_property
    def chat_template(self) -> str | None:
        """The Jinja template for conversations, as the file carries it."""
        template = llama_cpp.llama_model_chat_template(self._model, None)
        return template.decode("utf-8", "replace") if template else None

    @cached_property
    def end(self) -> int:
        """The token that stands between two texts."""
        return max(int(llama_cpp.llama_vocab_eos(self._vocab)), 0)

    def is_end(self, token: int) -> bool:
        """Whether there is nothing more to say after ``token``: end of text, of turn, of the middle."""
        known = self._ends.get(token)
        if known is None:
            known = llama_cpp.llama_vocab_is_eog(self._vocab, token) or self._is_silent(token)
            self._ends[token] = known
        return known

    def _is_silent(self, token: int) -> bool:
        """Whether ``token`` is one that people never see. Some files call their FIM tokens ordinary text."""
        if token in self.fim.ids:
            return True
        kind = llama_cpp.llama_vocab_get_attr(self._vocab, token)
        return bool(kind & (llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_UNUSED))

    def metadata(self, key: str) -> str | None:
        """One value of the file's metadata as text."""
        buffer = ctypes.create_string_buffer(512)
        size = llama_cpp.llama_model_meta_val_str(self._model, key.encode(), buffer, len(buffer))
        return None if size < 0 else buffer.value.decode("utf-8", "replace")

    def text_of(self, token: int) -> str:
        """How the vocabulary spells a token, special ones included; empty for no token."""
        text = llama_cpp.llama_vocab_get_text(self._vocab, token) if 0 <= token else None
        return text.decode("utf-8", "replace") if text else ""

    # -- text <-> tokens ---------------------------------------------------------------------------------

    def tokenize(self, text: str, *, special: bool = False, goes_on: bool = False) -> list[int]:
        """Tokens of ``text``, with nothing added. Only ``special`` reads ``<|…|>`` as special tokens.

        Pass ``special`` for text of our own making (a chat template), never for the user's, and ``goes_on``
        for text that stands behind other text: some vocabularies put a blank before what begins.
        """
        tokens: list[int] = []
        start = 0
        for cut in [*(it.end() for it in _RUN.finditer(text) if it["long"]), len(text)]:
            tokens += self._part(text[start:cut], special=special, goes_on=goes_on or 0 < start)
            start = cut
        return tokens

    def _part(self, text: str, *, special: bool, goes_on: bool) -> list[int]:
        if goes_on and self._lead and text:
            lead = len(self._lead)
            tokens = self._tokens("\n" + text, special=special)
            if tuple(tokens[:lead]) == self._lead:
                return tokens[lead:]
        return self._tokens(text, special=special)

    @cached_property
    def _lead(self) -> tuple[int, ...]:
        """The tokens of a line end where the vocabulary puts a blank before each text; otherwise none."""
        tokens = self._tokens("\n", special=False)
        return tuple(tokens) if b"".join(map(self.piece, tokens)) == b" \n" else ()

    def _tokens(self, text: str, *, special: bool) -> list[int]:
        data = text.encode("utf-8", "replace")  # Half of a surrogate pair, which JSON allows, has no bytes.
        room = len(data) + 8
        tokens = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(self._vocab, data, len(data), tokens, room, False, special)
        if count < 0:
            raise ModelError(f"The tokenizer of {self.path.name} failed on {len(data)} bytes of text.")
        return list(tokens[:count])

    def piece(self, token: int) -> bytes:
        """The bytes a token stands for; special tokens stand for none."""
        known = self._pieces.get(token)
        if known is None:
            known = self._pieces[token] = b"" if self._is_silent(token) else self._piece(token)
        return known

    def _piece(self, token: int) -> bytes:
        buffer = ctypes.create_string_buffer(256)
        size = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
        if size < 0:
            buffer = ctypes.create_string_buffer(-size)
            size = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
        return buffer.raw[: max(size, 0)]

    # -- sequences ---------------------------------------------------------------------------------------

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
        status = llama_cpp.llama_decode(self._context, batch)
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


def _token(value: int) -> int | None:
    return None if value < 0 else int(value)
