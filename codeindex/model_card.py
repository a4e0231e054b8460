"""Pure: a model's ``model.json`` -> frozen values: how its texts are put, read, pooled and compared.

```json
{"format": 1, "name": "minilm-code", "license": "Apache-2.0", "role": "embedder", "kind": "encoder",
 "files": {"model": {"path": "model.onnx", "sha256": "…"},
           "tokenizer": {"path": "tokenizer.json", "sha256": "…"}},
 "dimensions": 384, "pooling": "mean", "normalize": true, "max_tokens": 256,
 "query": "search_query: {text}", "document": "search_document: {text}"}
```
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from models.errors import ModelError

CARD = "model.json"
FORMAT = 1
TEXT = "{text}"
NAME = re.compile(r"[A-Za-z0-9][\w.+-]{0,79}")
SHA256 = re.compile(r"[0-9a-f]{64}")
PACKING = "4"  # Bits for each number that is stored (codeindex/vectors.py): in other ones it is another name.
MOST_TOKENS = 32_768
MOST_DIMENSIONS = 8_192
INPUTS = ("input_ids", "attention_mask")
ONLY_OTHERS_VECTORS = frozenset({"license", "query"})
"""Keys that change no document's vector: another value there embeds nothing again."""

E = TypeVar("E", bound=StrEnum)


class Role(StrEnum):
    """What a model is asked for."""

    EMBEDDER = "embedder"
    """One vector for a text; near ones are similar."""
    RERANKER = "reranker"
    """A vector for each token (late interaction), to put the best hits in order."""


class Shape(StrEnum):
    """How a model comes from tokens to vectors."""

    STATIC = "static"
    """A table with a row per token."""
    ENCODER = "encoder"
    """An ONNX graph."""


class Pooling(StrEnum):
    """How the vectors of tokens become one."""

    CLS = "cls"
    """The first token's."""
    MEAN = "mean"
    LAST = "last"
    """The last token's that is not padding."""
    NONE = "none"
    """The graph has done it, or (for a reranker) nobody does."""


class Side(StrEnum):
    """Where the padding goes."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFile:
    """A file of the model, beside its card."""

    path: str
    """Relative to the card's folder, with slashes; never outside of it."""
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """What a late-interaction model does beyond a vector per token."""

    query_tokens: int
    """A query is filled up to so many tokens; 0 leaves it as long as it is."""
    expansion_token: str
    """With which."""
    attend: bool
    """Whether the other tokens look at those."""
    skip: tuple[str, ...]
    """Tokens of documents that do not count: punctuation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """All that must be known of a model to use it."""

    name: str
    license: str
    role: Role
    kind: Shape
    model: CardFile
    """The ONNX graph, or the table as safetensors."""
    tokenizer: CardFile
    others: tuple[CardFile, ...]
    """What the graph reads by itself: its external data."""
    dimensions: int
    """What the model gives."""
    kept: int
    """How many of them are used, the first ones (Matryoshka); all of them, mostly."""
    pooling: Pooling
    normalize: bool
    query: str
    """A template with one ``{text}``: a prefix, or a whole instruction."""
    document: str
    max_tokens: int
    padding: Side
    special_tokens: bool
    """Whether the tokenizer adds its own: [CLS], [SEP]."""
    end_token: str
    """One that must come last and that the tokenizer does not add; mostly empty."""
    drop_unknown: bool
    """Whether tokens that are in no vocabulary are left out, as static tables do."""
    inputs: tuple[str, ...]
    """Of the graph: ``input_ids``, ``attention_mask``, ``token_type_ids``, ``position_ids``; or, of a table
    as a graph, ``input_ids`` in one row and ``offsets``."""
    output: str
    """Of the graph; empty takes its first."""
    late: Late | None
    identity: str
    """The name under which vectors are stored: another model, or the same one used otherwise, has another."""


def parse_card(raw: object) -> Card:
    """The card in this JSON; ``ModelError`` says in one sentence what is wrong with it."""
    if not isinstance(raw, Mapping):
        raise ModelError(f"The model's {CARD} is not a JSON object.")
    if raw.get("format") != FORMAT:
        raise ModelError(
            f"The model's {CARD} has the format {raw.get('format')!r}; this version reads {FORMAT}."
        )
    name = _text(raw, "name")
    if not NAME.fullmatch(name):
        raise ModelError(f'"name" in {CARD} must be letters, digits and . + - _, at most 80.')
    role = _choice(raw, "role", Role, Role.EMBEDDER)
    kind = _choice(raw, "kind", Shape)
    dimensions = _whole(raw, "dimensions", 1, MOST_DIMENSIONS)
    files = _files(raw)
    card = Card(
        name=name,
        license=_text(raw, "license"),
        role=role,
        kind=kind,
        model=files["model"],
        tokenizer=files["tokenizer"],
        others=tuple(it for key, it in sorted(files.items()) if key not in ("model", "tokenizer")),
        dimensions=dimensions,
        kept=_whole(raw, "truncate", 1, dimensions, dimensions),
        pooling=_choice(raw, "pooling", Pooling, Pooling.MEAN if kind is Shape.STATIC else None),
        normalize=_switch(raw, "normalize", True),
        query=_template(raw, "query"),
        document=_template(raw, "document"),
        max_tokens=_whole(raw, "max_tokens", 4, MOST_TOKENS),
        padding=_choice(raw, "padding", Side, Side.RIGHT),
        special_tokens=_switch(raw, "special_tokens", kind is Shape.ENCODER),
        end_token=_text(raw, "end_token", ""),
        drop_unknown=_switch(raw, "drop_unknown", kind is Shape.STATIC),
        inputs=_texts(raw, "inputs", INPUTS),
        output=_text(raw, "output", ""),
        late=_late(raw) if role is Role.RERANKER else None,
        identity=f"{name}-{_digest(raw)}-{PACKING}",
    )
    _fits_together(card)
    return card


def _fits_together(card: Card) -> None:
    if card.kind is Shape.STATIC and (card.role is not Role.EMBEDDER or card.pooling is not Pooling.MEAN):
        raise ModelError(f'A static table in {CARD} can only be an embedder with "mean" as its pooling.')
    if card.role is Role.RERANKER and card.pooling is not Pooling.NONE:
        raise ModelError(f'A reranker in {CARD} needs "none" as its pooling: it compares token by token.')
    known = {*INPUTS, "token_type_ids", "position_ids", "offsets"}
    if strange := [it for it in card.inputs if it not in known]:
        raise ModelError(f'"inputs" in {CARD} names {strange[0]!r}; known are {", ".join(sorted(known))}.')
    if "input_ids" not in card.inputs:
        raise ModelError(f'"inputs" in {CARD} lacks "input_ids".')


def _files(raw: Mapping[str, Any]) -> dict[str, CardFile]:
    listed = raw.get("files")
    if not isinstance(listed, Mapping):
        raise ModelError(f'"files" in {CARD} must say where the model and its tokenizer are.')
    found = {}
    for key, it in listed.items():
        path, digest = (it.get("path"), it.get("sha256")) if isinstance(it, Mapping) else (None, None)
        if not isinstance(path, str) or not _stays_inside(path):
            raise ModelError(f'The file {key!r} in {CARD} needs a "path" inside of the model\'s folder.')
        if not isinstance(digest, str) or not SHA256.fullmatch(digest):
            raise ModelError(f'The file {key!r} in {CARD} needs its "sha256": 64 small hexadecimal digits.')
        found[str(key)] = CardFile(path=path, sha256=digest)
    for key in ("model", "tokenizer"):
        if key not in found:
            raise ModelError(f'"files" in {CARD} lacks the {key!r}.')
    return found


def _stays_inside(path: str) -> bool:
    parts = path.split("/")
    return not any(it in ("", ".", "..") or "\\" in it or ":" in it or "\0" in it for it in parts)


def _late(raw: Mapping[str, Any]) -> Late:
    late = raw.get("late", {})
    if not isinstance(late, Mapping):
        raise ModelError(f'"late" in {CARD} is not a JSON object.')
    tokens = _whole(late, "query_tokens", 0, MOST_TOKENS, 0)
    token = _text(late, "expansion_token", "")
    if tokens and not token:
        raise ModelError(f'"late" in {CARD} fills queries up, but names no "expansion_token".')
    return Late(
        query_tokens=tokens,
        expansion_token=token,
        attend=_switch(late, "attend", False),
        skip=_texts(late, "skip", ()),
    )


def _digest(raw: Mapping[str, Any]) -> str:
    said = {key: it for key, it in raw.items() if key not in ONLY_OTHERS_VECTORS}
    return hashlib.blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=6).hexdigest()


def _template(raw: Mapping[str, Any], key: str) -> str:
    template = _text(raw, key, TEXT)
    if template.count(TEXT) != 1:
        raise ModelError(f'"{key}" in {CARD} must have {TEXT} in it, once.')
    return template


def _text(raw: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = raw.get(key, default)
    if not isinstance(value, str) or (not value and default is None):
        raise ModelError(f'"{key}" in {CARD} must be a text.')
    return value


def _texts(raw: Mapping[str, Any], key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    value = raw.get(key, default)
    if not isinstance(value, list | tuple) or not all(isinstance(it, str) for it in value):
        raise ModelError(f'"{key}" in {CARD} must be a list of texts.')
    return tuple(value)


def _switch(raw: Mapping[str, Any], key: str, default: bool) -> bool:
    value = raw.get(key, default)
    if not isinstance(value, bool):
        raise ModelError(f'"{key}" in {CARD} must be true or false.')
    return value


def _whole(raw: Mapping[str, Any], key: str, least: int, most: int, default: int | None = None) -> int:
    value = raw.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ModelError(f'"{key}" in {CARD} must be a whole number from {least} to {most}.')
    return value


def _choice(raw: Mapping[str, Any], key: str, among: type[E], default: E | None = None) -> E:
    value = raw.get(key, default)
    if not isinstance(value, str) or value not in [str(it) for it in among]:
        raise ModelError(f'"{key}" in {CARD} must be one of {", ".join(among)}.')
    return among(value)
