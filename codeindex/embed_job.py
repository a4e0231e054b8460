"""A portion of texts' way to their vectors: read from the store, through the model, packed as they are kept.

Where it is done, here or in a worker, the same happens; numpy and the model are loaded there alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from codeindex.embed_card import Model
from codeindex.embed_memory import give_back
from codeindex.embedding import Headed, embedded_text
from codeindex.store import Reader, StoreError
from codeindex.store.errors import Damaged
from models.errors import ModelError

if TYPE_CHECKING:  # Only who embeds pays for what runs the model.
    from codeindex.embed import Embedder

logger = logging.getLogger(__name__)

Portion = Sequence[tuple[bytes, int]]
"""Hashes of what is to be embedded, each with a chunk that has it."""
Rows = Sequence[tuple[bytes, bytes]]
"""Hashes, and vectors as they are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Embed:
    """A portion to be embedded; without texts, only the model is loaded, and nothing answered."""

    model: Model
    some: Portion = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A portion that was embedded."""

    rows: Rows
    seconds: float
    """How long it took."""
    problem: str = ""
    """A sentence, where the model cannot do it."""
    damaged: bool = False
    """Whether the index is what cannot be read."""


class Text(Headed, Protocol):
    """Of a chunk, what is needed here."""

    @property
    def hash(self) -> bytes:
        """Of what is embedded of it."""

    @property
    def text(self) -> str:
        """Its own lines."""


class Reads(Protocol):
    """Of the store's reader, what is needed here."""

    def texts_of_chunks(self, chunks: Collection[int]) -> Iterable[Text]:
        """Those that are there."""


class Embeds(Protocol):
    """Of an embedder, what is needed here."""

    @property
    def model(self) -> str:
        """Under which name its vectors are stored."""

    @property
    def batch(self) -> int:
        """How many texts it takes at once, at most."""

    def documents(self, texts: Sequence[str]) -> Any:
        """A row of floats for each."""


def embedded(reader: Reads, embedder: Embeds, some: Portion) -> Embedded:
    """The vectors of a portion, without what is gone meanwhile. Raises ModelError, StoreError."""
    from codeindex.embed_pool import unit
    from codeindex.vectors import packed

    began = time.monotonic()
    texts = {it.hash: embedded_text(it, it.text) for it in reader.texts_of_chunks([it for _, it in some])}
    wanted = {it: texts[it] for it, _ in some if it in texts}
    rows = packed(unit(embedder.documents(list(wanted.values()))))
    return Embedded(rows=list(zip(wanted, rows, strict=True)), seconds=time.monotonic() - began)


class Embedding:
    """What a worker has of a model and of the index. One thread at a time."""

    def __init__(self, reader: Callable[[], Reader | None]) -> None:
        """Nothing is loaded before it is needed. ``reader`` gives the index as it is now."""
        self._reader = reader
        self._embedder: Embedder | None = None

    def prepare(self, model: Model) -> None:
        """Load the model, if it can be; that it cannot is said when it is asked."""
        give_back()  # What reading has left behind.
        with suppress(ModelError):
            self._opened(model)

    def __call__(self, job: Embed) -> Embedded:
        """Embed; whatever goes wrong is in the answer."""
        problem, damaged = "", False
        try:
            embedder, reader = self._opened(job.model), self._reader()
            if reader is not None:
                return embedded(reader, embedder, job.some)
        except ModelError as error:
            problem = str(error)
        except Damaged as error:
            problem, damaged = str(error), True
        except StoreError:  # It may pass; what was not embedded is missing still.
            logger.debug("texts not read")
        return Embedded(rows=(), seconds=0.0, problem=problem, damaged=damaged)

    def rest(self) -> None:
        """Keep no more than the next save needs."""
        if self._embedder is not None:
            self._embedder.rest()
        give_back()

    def _opened(self, model: Model) -> Embedder:
        from codeindex.embed import open_embedder

        if self._embedder is None:
            self._embedder = open_embedder(model.folder, threads=model.threads)
        return self._embedder
