"""Every way of answering a question that is compared: peers, the parts of ours, and ours."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.retrieval.annotated import Corpus
from benchmarks.retrieval.measure import Found
from benchmarks.retrieval.peers import DEPTH, Ask, Text, raw_bm25, semble, split_bm25
from codeindex.build import build
from codeindex.config import DEFAULTS
from codeindex.query import expression, read
from codeindex.rank import RULES, Rule
from codeindex.search import search
from codeindex.search_words import WEIGHTS
from codeindex.store import Reader, open_reader, store_folder
from codeindex.types import Filters

SYSTEMS = ("raw", "split", "semble", "lexical", "fused", "ours")
TITLES = {
    "raw": "raw BM25 (bm25s)",
    "split": "BM25, identifiers split",
    "semble": "semble: BM25 and its rules",
    "lexical": "ours: three columns, porter",
    "fused": "ours: all lists, no rules",
    "ours": "ours: lists and rules",
}


def systems(corpus: Corpus, cache: Path, wanted: Sequence[str]) -> Iterator[tuple[str, Ask]]:
    """Those that are wanted, over the same files."""
    with _indexed(corpus, cache) as reader:
        chunks = list(_chunks(reader)) if {"raw", "split"} & set(wanted) else []
        for name in wanted:
            ask = _system(name, corpus, reader, chunks)
            if ask is None:
                print(f"left out: {name}: it is not installed here", file=sys.stderr)
            else:
                yield TITLES[name], ask


def _indexed(corpus: Corpus, cache: Path) -> Reader:
    """The index of a corpus, up to date."""
    build(corpus.root, cache, DEFAULTS)
    reader = open_reader(store_folder(corpus.root, cache))
    if reader is None:
        raise SystemExit(f"{corpus.name}: cannot be indexed.")
    return reader


def _system(name: str, corpus: Corpus, reader: Reader, chunks: Sequence[Text]) -> Ask | None:
    if name == "raw":
        return raw_bm25(chunks)
    if name == "split":
        return split_bm25(chunks)
    if name == "semble":
        return semble(corpus.root)
    if name == "lexical":
        return lambda question: _lexical(reader, question)
    rules = RULES if name == "ours" else ()
    return lambda question: _ours(reader, corpus.root, question, rules)


def _ours(reader: Reader, root: Path, question: str, rules: Sequence[Rule]) -> list[Found]:
    return [
        Found(path=it.path, first_line=it.first_line, last_line=it.last_line, characters=len(it.text))
        for it in search(reader, question, root=root, limit=DEPTH, rules=rules)
    ]


def _lexical(reader: Reader, question: str) -> list[Found]:
    found = reader.lexical(expression(read(question).terms), WEIGHTS, DEPTH, Filters())
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


def _chunks(reader: Reader) -> Iterator[Text]:
    for file in reader.files():
        lines = reader.text(file.content).split("\n")
        for row in reader.chunks_of(file.path):
            text = "\n".join(lines[row.first_line - 1 : row.last_line])
            found = Found(
                path=file.path, first_line=row.first_line, last_line=row.last_line, characters=len(text)
            )
            yield Text(found=found, text=text)
