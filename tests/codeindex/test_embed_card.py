"""``model.json``: what may be left out, what each defect is called, and when vectors are another model's."""

from __future__ import annotations

from typing import Any

import pytest

from codeindex.model_card import Late, Pooling, Role, Shape, Side, parse_card
from models.errors import ModelError

SHA = "0" * 64
FILES = {
    "model": {"path": "onnx/model.onnx", "sha256": SHA},
    "tokenizer": {"path": "tokenizer.json", "sha256": "f" * 64},
}
LEAST: dict[str, Any] = {
    "format": 1,
    "name": "minilm-code",
    "license": "Apache-2.0",
    "kind": "encoder",
    "files": FILES,
    "dimensions": 384,
    "pooling": "mean",
    "max_tokens": 256,
}
STATIC = {**{key: it for key, it in LEAST.items() if key != "pooling"}, "kind": "static"}
RERANKER = {**LEAST, "role": "reranker", "pooling": "none"}


def test_the_least_that_a_card_says() -> None:
    """The rest is as most encoders are: an embedder, normalized, padded on the right, without prefixes."""
    card = parse_card(LEAST)
    assert (card.role, card.kind, card.pooling, card.padding) == (
        Role.EMBEDDER,
        Shape.ENCODER,
        Pooling.MEAN,
        Side.RIGHT,
    )
    assert (card.normalize, card.special_tokens, card.drop_unknown) == (True, True, False)
    assert (card.query, card.document, card.output, card.end_token) == ("{text}", "{text}", "", "")
    assert (card.dimensions, card.kept, card.late, card.others) == (384, 384, None, ())
    assert card.inputs == ("input_ids", "attention_mask")
    assert card.model.path == "onnx/model.onnx"


def test_a_static_table() -> None:
    """A table takes the mean, adds nothing to a text and leaves unknown words out."""
    card = parse_card(STATIC)
    assert (card.pooling, card.special_tokens, card.drop_unknown) == (Pooling.MEAN, False, True)


def test_models_that_people_have() -> None:
    """A decoder with an instruction, a Matryoshka model with external data, a late-interaction reranker."""
    qwen = parse_card(
        {
            **LEAST,
            "pooling": "last",
            "padding": "left",
            "end_token": "<|endoftext|>",
            "query": "Instruct: Find the code.\nQuery:{text}",
            "inputs": ["input_ids", "attention_mask", "position_ids"],
        }
    )
    assert (qwen.pooling, qwen.padding, qwen.end_token) == (Pooling.LAST, Side.LEFT, "<|endoftext|>")
    data = {"path": "onnx/model.onnx_data", "sha256": SHA}
    jina = parse_card({**LEAST, "dimensions": 896, "truncate": 256, "files": {**FILES, "data": data}})
    assert (jina.kept, [it.path for it in jina.others]) == (256, ["onnx/model.onnx_data"])
    late = {"query_tokens": 32, "expansion_token": "[MASK]", "skip": [".", ","]}
    card = parse_card({**RERANKER, "late": late})
    assert card.late == Late(query_tokens=32, expansion_token="[MASK]", attend=False, skip=(".", ","))
    assert parse_card(RERANKER).late is not None


DEFECTS: dict[str, tuple[object, str]] = {
    "a list": ([], "The model's model.json is not a JSON object."),
    "the future": (
        {**LEAST, "format": 2},
        "The model's model.json has the format 2; this version reads 1.",
    ),
    "no name": ({**LEAST, "name": ""}, '"name" in model.json must be a text.'),
    "a path as name": (
        {**LEAST, "name": "../x"},
        '"name" in model.json must be letters, digits and . + - _, at most 80.',
    ),
    "no license": (
        {key: it for key, it in LEAST.items() if key != "license"},
        '"license" in model.json must be a text.',
    ),
    "a kind": ({**LEAST, "kind": "magic"}, '"kind" in model.json must be one of static, encoder.'),
    "a role": ({**LEAST, "role": 3}, '"role" in model.json must be one of embedder, reranker.'),
    "no pooling": (
        {**LEAST, "pooling": None},
        '"pooling" in model.json must be one of cls, mean, last, none.',
    ),
    "no dimensions": (
        {**LEAST, "dimensions": True},
        '"dimensions" in model.json must be a whole number from 1 to 8192.',
    ),
    "more than there are": (
        {**LEAST, "truncate": 385},
        '"truncate" in model.json must be a whole number from 1 to 384.',
    ),
    "no limit": (
        {**LEAST, "max_tokens": "512"},
        '"max_tokens" in model.json must be a whole number from 4 to 32768.',
    ),
    "a template": ({**LEAST, "query": "query: "}, '"query" in model.json must have {text} in it, once.'),
    "a switch": ({**LEAST, "normalize": "yes"}, '"normalize" in model.json must be true or false.'),
    "inputs": ({**LEAST, "inputs": "input_ids"}, '"inputs" in model.json must be a list of texts.'),
    "strange inputs": (
        {**LEAST, "inputs": ["input_ids", "pixels"]},
        "\"inputs\" in model.json names 'pixels'; known are attention_mask, input_ids, offsets, "
        "position_ids, token_type_ids.",
    ),
    "no inputs": ({**LEAST, "inputs": []}, '"inputs" in model.json lacks "input_ids".'),
    "no files": (
        {**LEAST, "files": None},
        '"files" in model.json must say where the model and its tokenizer are.',
    ),
    "no tokenizer": (
        {**LEAST, "files": {"model": FILES["model"]}},
        "\"files\" in model.json lacks the 'tokenizer'.",
    ),
    "no hash": (
        {**LEAST, "files": {"model": {"path": "a", "sha256": "0"}}},
        "The file 'model' in model.json needs its \"sha256\": 64 small hexadecimal digits.",
    ),
    "a table that ranks": (
        {**STATIC, "role": "reranker", "pooling": "none"},
        'A static table in model.json can only be an embedder with "mean" as its pooling.',
    ),
    "a reranker that pools": (
        {**LEAST, "role": "reranker"},
        'A reranker in model.json needs "none" as its pooling: it compares token by token.',
    ),
    "late": ({**RERANKER, "late": 1}, '"late" in model.json is not a JSON object.'),
    "no token": (
        {**RERANKER, "late": {"query_tokens": 8}},
        '"late" in model.json fills queries up, but names no "expansion_token".',
    ),
}


@pytest.mark.parametrize(("raw", "says"), DEFECTS.values(), ids=DEFECTS)
def test_a_defect_is_a_sentence(raw: object, says: str) -> None:
    """Each is called by its name."""
    with pytest.raises(ModelError) as caught:
        parse_card(raw)
    assert str(caught.value) == says


@pytest.mark.parametrize("path", ["/etc/passwd", "../model.onnx", "a/../../b", "C:model", "a\\b", "", "a//b"])
def test_files_stay_in_the_models_folder(path: str) -> None:
    """A card cannot have us read anything else."""
    files = {**FILES, "model": {"path": path, "sha256": SHA}}
    with pytest.raises(ModelError, match="inside of the model's folder"):
        parse_card({**LEAST, "files": files})


def test_the_identity_is_of_what_makes_vectors() -> None:
    """Other weights, pooling or prefixes of documents make other vectors; how questions are put does not."""
    first = parse_card(LEAST).identity
    assert first.startswith("minilm-code-")
    for same in ({"license": "MIT"}, {"query": "search: {text}"}):
        assert parse_card({**LEAST, **same}).identity == first
    other = {**FILES, "model": {"path": "onnx/model.onnx", "sha256": "1" * 64}}
    for change in ({"files": other}, {"pooling": "cls"}, {"document": "code: {text}"}, {"truncate": 64}):
        assert parse_card({**LEAST, **change}).identity != first
