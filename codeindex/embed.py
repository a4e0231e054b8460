"""Run a model on texts: the one home of onnxruntime and tokenizers, both imported when a model is opened.

A model is a folder with a ``model.json`` (``codeindex/model_card.py``), a tokenizer and a graph or a table.
Whatever is wrong with it is one ``ModelError``, whose message is a sentence; search goes on by words.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codeindex.embed_card import BATCH_TEXTS, batch_of, read_card
from codeindex.embed_pieces import Bags, Pieces, bags_of, cut_of, without
from codeindex.embed_pool import Floats, Mask, max_sim, pooled, unit
from codeindex.embed_static import Table
from codeindex.model_card import TEXT, Card, CardFile, Pooling, Role, Shape, Side
from models.errors import ModelError

logger = logging.getLogger(__name__)

READ = 1 << 20
LONGEST_TOKEN = 32  # Characters. What is beyond so many for each token cannot be read anyway.
BATCH_TOKENS = 4_096  # Padding included: what a batch's memory grows with.
FEW_TEXTS = 4  # As a question is one: nothing is worth remembering.
PROBE = "def main"  # A model that says nothing sensible of this is of no use.
PAST = "past_key_values."
TYPES = {"tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(float)": np.float32,
         "tensor(float16)": np.float16, "tensor(bool)": np.bool_}  # fmt: skip

Ids = Sequence[int]


class Embedder:
    """One vector for a text. Not for several threads at once."""

    def __init__(self, card: Card, tokens: Tokens, vectors: Table | Graph) -> None:
        """Made by ``open_embedder``, which also tries it."""
        self.card = card
        self.model = card.identity
        """Under which name its vectors are stored."""
        self.dimensions = card.kept
        self.batch = batch_of(card)
        self._tokens = tokens
        self._vectors = vectors

    def documents(self, texts: Sequence[str]) -> Floats:
        """A row for each text, in their order."""
        return self._embed(self.card.document, texts)

    def query(self, text: str) -> Floats:
        """The vector of a question; some models want it put otherwise than what it finds."""
        found: Floats = self._embed(self.card.query, [text])[0]
        return found

    def rest(self) -> None:
        """Let go of what only many texts are read faster with."""
        self._tokens.forget()

    def _embed(self, template: str, texts: Sequence[str]) -> Floats:
        found = np.zeros((len(texts), self.card.kept), np.float32)
        if isinstance(self._vectors, Table):
            for start in range(0, len(texts), self.batch):
                some = self._vectors.means(self._tokens.bags(template, texts[start : start + self.batch]))
                found[start : start + self.batch] = some[:, : self.card.kept]
        else:
            ids = self._tokens.ids(template, texts)
            for places in batches([len(it) for it in ids], self.batch):
                some = self._vectors.pooled([ids[it] for it in places])
                if some.shape != (len(places), self.card.dimensions):
                    raise _other_size(self.card, some)
                found[places] = some[:, : self.card.kept]
        if not np.isfinite(found).all():
            raise ModelError(f"The model {self.card.name} gives numbers that are none.")
        return unit(found) if self.card.normalize else found


class Reranker:
    """How well texts answer a question, token by token: better than one vector each, and too slow for all."""

    def __init__(self, card: Card, tokens: Tokens, graph: Graph) -> None:
        """Made by ``open_reranker``, which also tries it."""
        assert card.late is not None, "a reranker's card says how it compares"
        self.card = card
        self._late = card.late
        self._tokens = tokens
        self._graph = graph
        self._skip = np.array([it for it in map(tokens.id_of, card.late.skip) if it is not None], np.int64)
        self._expansion = tokens.id_of(card.late.expansion_token) if card.late.query_tokens else None
        if card.late.query_tokens and self._expansion is None:
            raise ModelError(f"The model {card.name} has no token {card.late.expansion_token[:40]!r}.")

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """For each text, in their order, how near it is: 1 is the nearest."""
        asked = self._query(query)
        ids = self._tokens.ids(self.card.document, texts)
        found = [0.0] * len(texts)
        for places in batches([len(it) for it in ids], BATCH_TEXTS):
            some = [ids[it] for it in places]
            states, mask = self._graph.states(some)
            for at, row, keep, read in zip(places, states, mask > 0, some, strict=True):
                counts = ~np.isin(np.asarray(read), self._skip)
                found[at] = max_sim(asked, self._compared(row[keep][counts]))
        return found

    def _query(self, text: str) -> Floats:
        (ids,) = self._tokens.ids(self.card.query, [text])
        extra = max(self._late.query_tokens - len(ids), 0)
        filled = [*ids, *[self._expansion or 0] * extra]
        if not filled:
            return np.zeros((0, self.card.kept), np.float32)
        seen = np.ones((1, len(filled)), np.int64)
        if extra and not self._late.attend:
            seen[0, len(ids) :] = 0
        states, _ = self._graph.states([filled], seen)
        return self._compared(states[0])

    def _compared(self, rows: Floats) -> Floats:
        if rows.shape[-1] != self.card.dimensions:
            raise _other_size(self.card, rows)
        kept = rows[:, : self.card.kept]
        if not np.isfinite(kept).all():
            raise ModelError(f"The model {self.card.name} gives numbers that are none.")
        return unit(kept) if self.card.normalize else kept


class Tokens:
    """Texts -> ids, cut to what the model reads."""

    def __init__(self, card: Card, path: Path, threads: int) -> None:
        """Load the tokenizer; ``ModelError`` if it cannot be."""
        # Read by the tokenizer's own threads when they start; it has no other way to be told.
        os.environ.setdefault("RAYON_NUM_THREADS", str(threads))
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "true" if 1 < threads else "false")
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as exc:  # It raises nothing more special.
            raise ModelError(f"The tokenizer of the model {card.name} cannot be read.") from exc
        self.count = int(self._tokenizer.get_vocab_size(with_added_tokens=True))
        self.pad = int((self._tokenizer.padding or {}).get("pad_id", 0))
        self._tokenizer.no_padding()
        self._end = self.id_of(card.end_token) if card.end_token else None
        if card.end_token and self._end is None:
            raise ModelError(f"The model {card.name} has no token {card.end_token[:40]!r}.")
        self._limit = card.max_tokens - (self._end is not None)
        self._tokenizer.enable_truncation(self._limit)
        self._special = card.special_tokens
        self._most = card.max_tokens * LONGEST_TOKEN
        self._unknown = self._unknown_id() if card.drop_unknown else None
        self._pieces: Pieces | None = None
        self._is_tried = False

    def id_of(self, token: str) -> int | None:
        """None if there is no such token."""
        found: int | None = self._tokenizer.token_to_id(token)
        return found

    def ids(self, template: str, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text as the template puts it."""
        ids = self._read(self._put(template, texts))
        if self._unknown is not None:
            ids = [[it for it in text if it != self._unknown] for text in ids]
        if self._end is not None:
            ids = [[*it, self._end] if it[-1:] != [self._end] else it for it in ids]
        return ids

    def bags(self, template: str, texts: Sequence[str]) -> Bags:
        """The same, as one row of ids for all texts; for many of them in a fraction of the time."""
        if len(texts) < FEW_TEXTS or not self._has_pieces():
            return bags_of(self.ids(template, texts))
        assert self._pieces is not None, "they are there"
        bags = self._pieces.tokens(self._put(template, texts))
        return bags if self._unknown is None else without(bags, self._unknown)

    def forget(self) -> None:
        """Remember no pieces; the next texts are asked for anew."""
        if self._pieces is not None:
            self._pieces.forget()

    def _put(self, template: str, texts: Sequence[str]) -> list[str]:
        before, _, after = template.partition(TEXT)
        return [f"{before}{_speakable(it[: self._most])}{after}" for it in texts]

    def _read(self, texts: Sequence[str]) -> list[list[int]]:
        read = self._tokenizer.encode_batch_fast(texts, add_special_tokens=self._special)
        return [it.ids for it in read]

    def _has_pieces(self) -> bool:
        """Whether texts can be read by pieces; tried once, by who has many."""
        if not self._is_tried:
            self._is_tried = True
            is_bare = not self._special and self._end is None
            cut = cut_of(self._tokenizer) if is_bare else None
            pieces = Pieces(cut, self._read, self._limit) if cut is not None else None
            self._pieces = pieces if pieces is not None and pieces.agrees() else None
            logger.debug("pieces=%s", self._pieces is not None)
        return self._pieces is not None

    def _unknown_id(self) -> int | None:
        unknown = getattr(self._tokenizer.model, "unk_token", None)
        return self.id_of(unknown) if isinstance(unknown, str) else None


class Graph:
    """An ONNX graph in a session that keeps to its threads and does not spin while it waits."""

    def __init__(self, card: Card, path: Path, pad: int, threads: int) -> None:
        """Load the graph; ``ModelError`` if it cannot be, or is not what the card says."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_cpu_mem_arena = False  # It keeps the memory of the largest batch for ever.
        options.log_severity_level = (
            4  # It would write to standard error; what matters comes as an exception.
        )
        onnxruntime.disable_telemetry_events()
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
        except Exception as exc:  # Its exceptions have no common base.
            raise ModelError(f"The graph of the model {card.name} cannot be loaded.") from exc
        self._card = card
        self._pad = pad
        self._inputs = {it.name: it for it in self._session.get_inputs()}
        asked = {it for it in self._inputs if not it.startswith(PAST)}
        if asked != set(card.inputs):
            raise ModelError(
                f"The graph of the model {card.name} wants {', '.join(sorted(asked))}; "
                f"its card says {', '.join(sorted(card.inputs))}."
            )
        outputs = [it.name for it in self._session.get_outputs()]
        self._output = card.output or outputs[0]
        if self._output not in outputs:
            raise ModelError(f"The graph of the model {card.name} has no output {card.output[:40]!r}.")

    def pooled(self, ids: Sequence[Ids]) -> Floats:
        """One vector for each text."""
        if "offsets" in self._inputs:
            starts = np.cumsum([0, *[len(it) for it in ids]])[:-1]
            flat = np.array([it for text in ids for it in text], np.int64)
            found = self._run({"input_ids": flat, "offsets": starts}, len(ids))
            rank, mask = 2, None
        else:
            found, mask = self.states(ids)
            rank = 2 if self._card.pooling is Pooling.NONE else 3
        if found.ndim != rank:
            raise ModelError(f"The graph of the model {self._card.name} does not fit its card's pooling.")
        return found if mask is None or rank == 2 else pooled(found, mask, self._card.pooling)

    def states(self, ids: Sequence[Ids], seen: Mask | None = None) -> tuple[Floats, Mask]:
        """What the graph says of a padded batch, and where it is not padding.

        ``seen`` is what the tokens look at, if that is not simply each other.
        """
        width = max((len(it) for it in ids), default=0) or 1
        tokens = np.full((len(ids), width), self._pad, np.int64)
        mask = np.zeros((len(ids), width), np.int64)
        for row, it in enumerate(ids):
            place = slice(width - len(it), width) if self._card.padding is Side.LEFT else slice(len(it))
            tokens[row, place] = it
            mask[row, place] = 1
        feeds = {
            "input_ids": tokens,
            "attention_mask": mask if seen is None else seen,
            "token_type_ids": np.zeros_like(tokens),
            "position_ids": np.maximum(np.cumsum(mask, axis=1) - 1, 0),
        }
        return self._run({it: feeds[it] for it in self._card.inputs if it in feeds}, len(ids)), mask

    def _run(self, feeds: dict[str, NDArray[Any]], texts: int) -> Floats:
        for name, it in self._inputs.items():
            if name.startswith(PAST):  # A text generator's export: there is no past.
                shape = [texts, it.shape[1], 0, it.shape[3]]
                feeds[name] = np.zeros(shape, TYPES.get(it.type, np.float32))
            else:
                feeds[name] = feeds[name].astype(TYPES.get(it.type, np.int64), copy=False)
        try:
            (found,) = self._session.run([self._output], feeds)
        except Exception as exc:  # Its exceptions have no common base.
            raise ModelError(f"The model {self._card.name} failed on a text.") from exc
        return np.asarray(found, np.float32)


def open_embedder(folder: Path, *, threads: int = 1) -> Embedder:
    """The embedder in this folder, checked and tried; ``ModelError`` says why there is none."""
    card, tokens = _opened(folder, Role.EMBEDDER, threads)
    path = folder / card.model.path
    vectors: Table | Graph
    if card.kind is Shape.STATIC:
        vectors = Table(path, card.dimensions)
        if vectors.tokens < tokens.count:
            raise ModelError(
                f"The tokenizer of the model {card.name} knows {tokens.count} tokens, "
                f"its table {vectors.tokens}."
            )
    else:
        vectors = Graph(card, path, tokens.pad, threads)
    embedder = Embedder(card, tokens, vectors)
    embedder.query(PROBE)
    return embedder


def open_reranker(folder: Path, *, threads: int = 1) -> Reranker:
    """The reranker in this folder, checked and tried; ``ModelError`` says why there is none."""
    card, tokens = _opened(folder, Role.RERANKER, threads)
    reranker = Reranker(card, tokens, Graph(card, folder / card.model.path, tokens.pad, threads))
    reranker.scores(PROBE, [PROBE])
    return reranker


def _opened(folder: Path, role: Role, threads: int) -> tuple[Card, Tokens]:
    card = read_card(folder)
    if card.role is not role:
        raise ModelError(f"The model {card.name} is an {card.role}, not an {role}.".replace("an r", "a r"))
    for it in (card.model, card.tokenizer, *card.others):
        _verify(card, folder, it)
    return card, Tokens(card, folder / card.tokenizer.path, threads)


def _verify(card: Card, folder: Path, it: CardFile) -> None:
    digest = hashlib.sha256()
    try:
        path = folder / it.path
        if not path.is_file():
            raise ModelError(f"The file {it.path} of the model {card.name} is missing.")
        with path.open("rb") as file:
            while block := file.read(READ):
                digest.update(block)
    except OSError as exc:
        raise ModelError(
            f"The file {it.path} of the model {card.name} cannot be read: {exc.strerror}."
        ) from exc
    if digest.hexdigest() != it.sha256:
        raise ModelError(f"The file {it.path} of the model {card.name} is not the one its card describes.")


def _other_size(card: Card, found: Floats) -> ModelError:
    return ModelError(
        f"The model {card.name} gives {found.shape[-1]} dimensions, its card says {card.dimensions}."
    )


def _speakable(text: str) -> str:
    """Half a character pair, which the tokenizer cannot take, becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def batches(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Places of texts by their lengths, so that little of a batch is padding; empty ones are in none."""
    batch: list[int] = []
    filled = (place for place, it in enumerate(lengths) if it)
    for place in sorted(filled, key=lambda it: -lengths[it]):
        if batch and (len(batch) == most or BATCH_TOKENS < lengths[batch[0]] * (len(batch) + 1)):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch
