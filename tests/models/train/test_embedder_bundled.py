"""The embedder in the box loads, is what its card says, finds other words for a thing, is taken by itself."""

from __future__ import annotations

import re

import pytest

from codeindex.embed import Embedder, open_embedder
from codeindex.embed_pieces import cut_of
from lsp_server.index import BUNDLED_EMBEDDER, options_of
from lsp_server.settings import Settings
from models.train.embedder_recipe import load_embedder_recipe

MOST_BYTES = 10_000_000
CODES = (
    "def prune(folder):\n    for path in folder.iterdir():\n        path.unlink()",
    "def total(basket):\n    return sum(item.price * item.count for item in basket)",
    "async def dial(host, port):\n    return await asyncio.open_connection(host, port)",
    "def ordered(rows):\n    return sorted(rows, key=lambda row: row.age)",
)
QUESTIONS = (
    "delete all files",
    "how much must be paid",
    "make a network socket",
    "arrange from young to old",
)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return open_embedder(BUNDLED_EMBEDDER)


def test_it_is_what_its_card_says(embedder: Embedder) -> None:
    """Sizes on the card are those of the files, and of the recipe that made them."""
    card = (BUNDLED_EMBEDDER / "MODEL_CARD.md").read_text(encoding="utf-8")
    size = sum(
        (BUNDLED_EMBEDDER / it.path).stat().st_size for it in (embedder.card.model, embedder.card.tokenizer)
    )
    recipe = load_embedder_recipe()
    assert f"{size:,} bytes" in card
    assert size < MOST_BYTES
    assert (embedder.dimensions, embedder.card.max_tokens) == (recipe.dimensions, recipe.tokens)
    assert re.search(rf"{recipe.vocabulary:,} tokens .* {recipe.dimensions} numbers", card)


def test_it_finds_what_uses_other_words(embedder: Embedder) -> None:
    """For most of these questions, no word of which is in its answer; words alone would find none."""
    words = [set(re.findall("[a-z]+", it)) for it in QUESTIONS]
    assert not any(own & set(re.findall("[a-z]+", code)) for own, code in zip(words, CODES, strict=True))
    documents = embedder.documents(CODES)
    nearest = [int((documents @ embedder.query(it)).argmax()) for it in QUESTIONS]
    assert sum(place == it for place, it in enumerate(nearest)) >= 3


def test_it_is_read_by_pieces() -> None:
    """Its tokenizer is of a kind that need not be asked for whole texts."""
    from tokenizers import Tokenizer

    assert cut_of(Tokenizer.from_file(str(BUNDLED_EMBEDDER / "tokenizer.json"))) is not None


def test_it_is_taken_by_itself() -> None:
    """Nobody has to choose it; ``off`` is without it."""
    usual, off = options_of(Settings()), options_of(Settings(index_embeddings="off"))
    assert usual is not None
    assert off is not None
    assert usual["embedder"] == str(BUNDLED_EMBEDDER)
    assert off["embedder"] == ""
