"""Every way of answering a question that is compared: peers, the parts of ours, and ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.retrieval.annotated import Corpus
from benchmarks.retrieval.measure import Found
from benchmarks.retrieval.peers import DEPTH, Ask, Text, raw_bm25, semble, split_bm25
from codeindex.build import build
from codeindex.build_rules import rules
from codeindex.config import DEFAULTS
from codeindex.embed import open_embedder
from codeindex.embed_idle import embed_some
from codeindex.embed_near import ByMeaning
from codeindex.query import expression, read
from codeindex.rank import RULES, Rule
from codeindex.search import search
from codeindex.search_words import WEIGHTS
from codeindex.store import Reader, open_reader, open_writer, store_folder
from codeindex.types import Filters
from codeindex.vectors import Vectors

SYSTEMS = ("raw", "split", "semble", "lexical", "fused", "ours")
OF_MODEL = ("dense", "hybrid-fused", "hybrid")
"""Those that need a model's folder."""
EMBEDDING_S = 3_600.0  # At most, for one corpus.
TITLES = {
    "raw": "raw BM25 (bm25s)",
    "split": "BM25, identifiers split",
    "semble": "semble: BM25 and its rules",
    "lexical": "ours: three columns, porter",
    "fused": "ours: all lists, no rules",
    "ours": "ours: lists and rules",
    "dense": "meaning alone",
    "hybrid-fused": "ours and meaning, no rules",
    "hybrid": "ours and meaning, with rules",
}


def systems(
    corpus: Corpus, cache: Path, wanted: Sequence[str], model: Path | None = None
) -> Iterator[tuple[str, Ask]]:
    """Those that are wanted, over the same files; ``model`` is the folder of an embedder."""
    with indexed(corpus, cache) as reader:
        chunks = list(chunks_of(reader)) if {"raw", "split"} & set(wanted) else []
        near = embedded(corpus, cache, model, reader) if model and set(OF_MODEL) & set(wanted) else None
        for name in wanted:
            ask = _system(name, corpus, reader, chunks, near)
            if ask is None:
                why = "it needs --model" if name in OF_MODEL else "it is not installed here"
                print(f"left out: {name}: {why}", file=sys.stderr)
            else:
                yield TITLES[name], ask


def indexed(corpus: Corpus, cache: Path) -> Reader:
    """The index of a corpus, up to date."""
    build(corpus.root, cache, DEFAULTS)
    reader = open_reader(store_folder(corpus.root, cache))
    if reader is None:
        raise SystemExit(f"{corpus.name}: cannot be indexed.")
    return reader


def embedded(corpus: Corpus, cache: Path, model: Path, reader: Reader) -> ByMeaning:
    """The model, and a vector of it for each chunk: what is in the index already is not embedded again."""
    embedder = open_embedder(model, threads=os.cpu_count() or 1)
    with open_writer(store_folder(corpus.root, cache), rules=rules()) as writer:
        embed_some(reader, writer, embedder, budget_seconds=EMBEDDING_S, pause=lambda: False)
    if reader.missing_vectors(embedder.model, 1):
        raise SystemExit(f"{corpus.name}: not all of it could be embedded.")
    near = ByMeaning(embedder, Vectors(embedder.model, embedder.dimensions))
    near.refresh(reader)
    return near


def _system(
    name: str, corpus: Corpus, reader: Reader, chunks: Sequence[Text], near: ByMeaning | None
) -> Ask | None:
    if name == "raw":
        return raw_bm25(chunks)
    if name == "split":
        return split_bm25(chunks)
    if name == "semble":
        return semble(corpus.root)
    if name == "lexical":
        return lambda question: _lexical(reader, question)
    if name in OF_MODEL and near is None:
        return None
    if name == "dense" and near is not None:
        return lambda question: _shown(reader, near.near(question, DEPTH))
    moved_by = RULES if name in ("ours", "hybrid") else ()
    dense = near if name in OF_MODEL else None
    return lambda question: _ours(reader, corpus.root, question, moved_by, dense)


def _ours(
    reader: Reader, root: Path, question: str, moved_by: Sequence[Rule], dense: ByMeaning | None
) -> list[Found]:
    return [
        Found(path=it.path, first_line=it.first_line, last_line=it.last_line, characters=len(it.text))
        for it in search(reader, question, root=root, limit=DEPTH, rules=moved_by, dense=dense)
    ]


def _lexical(reader: Reader, question: str) -> list[Found]:
    return _shown(reader, reader.lexical(expression(read(question).terms), WEIGHTS, DEPTH, Filters()))


def _shown(reader: Reader, found: Sequence[tuple[int, float]]) -> list[Found]:
    rows = reader.chunks([it for it, _ in found])
    texts = {it.content: reader.text(it.content).split("\n") for it in rows.values()}
    return [
        Found(
            path=row.paths[0],
            first_line=row.first_line,
            last_line=row.last_line,
            characters=sum(len(it) + 1 for it in texts[row.content][row.first_line - 1 : row.last_line]),
        )
        for key, _ in found
        if (row := rows.get(key)) is not None
    ]


def chunks_of(reader: Reader) -> Iterator[Text]:
    """Every chunk of every file, with its text."""
    for file in reader.files():
        lines = reader.text(file.content).split("\n")
        for row in reader.chunks_of(file.path):
            text = "\n".join(lines[row.first_line - 1 : row.last_line])
            found = Found(
                path=file.path, first_line=row.first_line, last_line=row.last_line, characters=len(text)
            )
            yield Text(found=found, text=text)
