"""Embedders: real graphs and tables through the real runtime, checked against numpy by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.shape_onnx import Encoder, graph, node, tokenizer, write_card
from codeindex.embed import batches, open_embedder, open_reranker
from models.errors import ModelError
from tests.codeindex.models import (
    CARD,
    IDS,
    ROWS,
    WIDTH,
    encoder_graph,
    ids_of,
    states,
    unit,
    words,
    write_encoder,
    write_table,
)

CLS, SEP, MASK, UNK = IDS["[CLS]"], IDS["[SEP]"], IDS["[MASK]"], IDS["[UNK]"]
TEXTS = ("open file", "sort list . read file open", "read", "list . list . list")


def close(found: NDArray[Any], expected: NDArray[Any]) -> bool:
    return found.shape == expected.shape and bool(np.allclose(found, expected, atol=1e-5))


def whole(text: str) -> NDArray[Any]:
    return states([CLS, *ids_of(text), SEP])


@pytest.mark.parametrize("padding", ["left", "right"])
@pytest.mark.parametrize("pooling", ["cls", "mean", "last"])
def test_pooling(pooling: str, padding: str, tmp_path: Path) -> None:
    """Texts of different lengths in one batch: padding on either side changes no vector."""
    pick = {"cls": lambda it: it[0], "mean": lambda it: it.mean(axis=0), "last": lambda it: it[-1]}[pooling]
    embedder = open_embedder(write_encoder(tmp_path, pooling=pooling, padding=padding))
    expected = np.stack([unit(pick(whole(it))) for it in TEXTS])
    assert close(embedder.documents(TEXTS), expected)


def test_without_normalization(tmp_path: Path) -> None:
    """A card may leave the lengths as they are."""
    embedder = open_embedder(write_encoder(tmp_path, normalize=False))
    assert close(embedder.query("open file"), whole("open file").mean(axis=0))


def test_prefixes(tmp_path: Path) -> None:
    """Questions and documents are put as the card says."""
    embedder = open_embedder(write_encoder(tmp_path, query="query : {text} .", document=". {text}"))
    assert close(embedder.query("open"), unit(whole("query : open .").mean(axis=0)))
    assert close(embedder.documents(["open"])[0], unit(whole(". open").mean(axis=0)))


def test_a_vector_may_be_cut(tmp_path: Path) -> None:
    """The first dimensions of a Matryoshka model, brought to length 1 again."""
    embedder = open_embedder(write_encoder(tmp_path, truncate=3))
    assert embedder.dimensions == 3
    assert close(embedder.query("open file"), unit(whole("open file").mean(axis=0)[:3]))


def test_token_types_and_positions(tmp_path: Path) -> None:
    """Both are given where the graph takes them, positions counted without the padding."""
    inputs = ("input_ids", "attention_mask", "token_type_ids", "position_ids")
    folder = write_encoder(tmp_path, encoder_graph(inputs), inputs=list(inputs), padding="left")
    expected = [unit(states([CLS, *ids_of(it), SEP], kinds=True, places=True).mean(axis=0)) for it in TEXTS]
    assert close(open_embedder(folder).documents(TEXTS), np.stack(expected))


def test_other_whole_numbers(tmp_path: Path) -> None:
    """A graph that takes 32 bits gets 32 bits."""
    embedder = open_embedder(write_encoder(tmp_path, encoder_graph(kind="int32")))
    assert close(embedder.query("open file"), unit(whole("open file").mean(axis=0)))


def test_a_text_is_cut_to_what_the_model_reads(tmp_path: Path) -> None:
    """Special tokens included; the rest of a text is not read, however long it is."""
    embedder = open_embedder(write_encoder(tmp_path, max_tokens=4))
    assert close(embedder.query("open file " * 10_000), unit(whole("open file").mean(axis=0)))


def test_an_end_token_is_added(tmp_path: Path) -> None:
    """A model that is read at its last token gets the one that it was trained with, within its limit."""
    embedder = open_embedder(
        write_encoder(tmp_path, pooling="last", end_token="[MASK]", max_tokens=4, special_tokens=False)
    )
    assert close(embedder.query("open file sort list"), unit(states([*ids_of("open file sort"), MASK])[-1]))


def test_no_text(tmp_path: Path) -> None:
    """Nothing has no direction, and breaks nothing."""
    for folder in (write_encoder(tmp_path / "a", special_tokens=False), write_table(tmp_path / "b")):
        embedder = open_embedder(folder)
        assert not embedder.query("").any()
        assert embedder.documents([]).shape == (0, WIDTH)
        assert embedder.documents(["", "open"])[1].any()


def test_half_a_character(tmp_path: Path) -> None:
    """A text from a file with broken encoding is embedded, too."""
    assert open_embedder(write_table(tmp_path)).documents(["open \udc80 file"]).any()


def test_a_graph_that_pools_by_itself(tmp_path: Path) -> None:
    """With rank 2 and pooling "none" the graph's vector is the text's."""
    nodes = [
        node("Gather", ["table", "input_ids"], ["rows"]),
        node("ReduceMax", ["rows"], ["top"], axes=(1,), keepdims=0),
    ]
    shape = {"top": ("float32", ("texts", WIDTH))}
    model = graph(nodes, {"table": ROWS}, {"input_ids": ("int64", ("texts", "tokens"))}, shape)
    folder = write_encoder(tmp_path, model, pooling="none", inputs=["input_ids"], output="top")
    expected = unit(ROWS[[CLS, *ids_of("open file"), SEP]].max(axis=0))
    assert close(open_embedder(folder).query("open file"), expected)


def test_a_generators_export_has_no_past(tmp_path: Path) -> None:
    """A graph that wants the keys and values of earlier tokens gets none."""
    past = "past_key_values.0.key"
    nodes = [
        node("Gather", ["table", "input_ids"], ["rows"]),
        node("ReduceSum", [past], ["old"], keepdims=0),
        node("Add", ["rows", "old"], ["states"]),
    ]
    inputs = {
        "input_ids": ("int64", ("texts", "tokens")),
        past: ("float32", ("texts", 2, "past", 4)),
    }
    model = graph(nodes, {"table": ROWS}, inputs, {"states": ("float32", ("texts", "tokens", WIDTH))})
    folder = write_encoder(tmp_path, model, pooling="last", inputs=["input_ids"])
    assert close(open_embedder(folder).query("open"), unit(ROWS[SEP]))


def test_a_table_as_a_graph(tmp_path: Path) -> None:
    """All tokens in a row and where each text begins: the shape in which static tables are exported."""
    nodes = [
        node("Gather", ["table", "input_ids"], ["rows"]),
        node("Shape", ["offsets"], ["texts"]),
        node("ReduceMean", ["rows"], ["mean"], axes=(0,), keepdims=1),
        node("Cast", ["offsets"], ["starts"], to=1),
        node("Unsqueeze", ["starts", "last"], ["column"]),
        node("Add", ["column", "mean"], ["found"]),
    ]
    inputs = {"input_ids": ("int64", ("tokens",)), "offsets": ("int64", ("texts",))}
    weights: dict[str, NDArray[Any]] = {"table": ROWS, "last": np.array([1], np.int64)}
    model = graph(nodes, weights, inputs, {"found": ("float32", ("texts", WIDTH))})
    said = {
        "inputs": ["input_ids", "offsets"],
        "pooling": "none",
        "normalize": False,
        "special_tokens": False,
    }
    found = open_embedder(write_encoder(tmp_path, model, **said)).documents(["open file sort", "list"])
    mean = ROWS[ids_of("open file sort list")].mean(axis=0)
    assert close(found, np.stack([mean, mean + 3]))


@pytest.mark.parametrize("int8", [False, True])
def test_a_transformer(int8: bool, tmp_path: Path) -> None:
    """Three layers of attention: a text's vector is the same alone and in a batch, as float and as int8."""
    texts = ["def open(path):\n    return path", "class Reader:\n    pass\n" * 9, "x = 1"]
    tokens = tokenizer(texts, 400)
    model = Encoder(layers=3, width=64, vocabulary=400, int8=int8).bytes()
    inputs = ["input_ids", "attention_mask", "position_ids"]
    write_card(
        tmp_path,
        {**CARD, "dimensions": 64, "max_tokens": 64, "inputs": inputs},
        model,
        tokens.to_str().encode(),
    )
    embedder = open_embedder(tmp_path)
    alone = np.stack([embedder.documents([it])[0] for it in texts])
    assert np.allclose((embedder.documents(texts) * alone).sum(axis=1), 1, atol=0.01 if int8 else 1e-5)
    assert float(alone[0] @ alone[1]) < 0.999


def test_int8_says_nearly_the_same_as_float(tmp_path: Path) -> None:
    """Quantized weights turn a vector by little."""
    tokens = tokenizer(["def open(path): return path"], 300)
    said = {**CARD, "dimensions": 64, "inputs": ["input_ids", "attention_mask", "position_ids"]}
    found = []
    for int8 in (False, True):
        folder = tmp_path / str(int8)
        folder.mkdir()
        model = Encoder(layers=2, width=64, vocabulary=300, int8=int8).bytes()
        write_card(folder, said, model, tokens.to_str().encode())
        found.append(open_embedder(folder).query("def open(path)"))
    assert 0.98 < float(found[0] @ found[1]) < 1


def test_a_static_table(tmp_path: Path) -> None:
    """The mean of the tokens' rows; unknown words do not count, and nothing is put around a text."""
    embedder = open_embedder(write_table(tmp_path))
    assert close(embedder.query("open nonsense file"), unit(ROWS[ids_of("open file")].mean(axis=0)))
    assert close(embedder.documents(TEXTS)[1], unit(ROWS[ids_of(TEXTS[1])].mean(axis=0)))


@pytest.mark.parametrize("kind", ["float32", "float16", "int8"])
def test_a_table_with_weights_and_shared_rows(kind: str, tmp_path: Path) -> None:
    """Tokens have weights of their own, and several may have one row; rows may be small numbers."""
    rows = (ROWS[:5] * 20).astype(kind)
    mapping = np.arange(len(ROWS), dtype=np.int64) % 5
    weights = np.linspace(0.1, 2, len(ROWS))
    embedder = open_embedder(
        write_table(tmp_path, {"embeddings": rows, "mapping": mapping, "weights": weights})
    )
    ids = ids_of("open open sort list")
    expected = (rows[mapping[ids]].astype(np.float64) * weights[ids, None]).mean(axis=0)
    assert close(embedder.query("open open sort list"), unit(expected))


def test_a_reranker(tmp_path: Path) -> None:
    """Each token of the question finds its nearest; punctuation of documents does not count."""
    late = {"skip": ["."]}
    folder = write_encoder(tmp_path, role="reranker", pooling="none", late=late, query="query : {text}")
    asked = states([CLS, *ids_of("query : open"), SEP])
    expected = []
    for text in TEXTS:
        ids = [CLS, *ids_of(text), SEP]
        read = states(ids)[[it != IDS["."] for it in ids]]
        cosines = np.array([[unit(one) @ unit(other) for other in read] for one in asked])
        expected.append(cosines.max(axis=1).mean())
    found = open_reranker(folder).scores("open", [*TEXTS, ""])
    assert np.allclose(found[:-1], expected, atol=1e-5)


@pytest.mark.parametrize("attend", [False, True])
def test_a_rerankers_question_is_filled_up(attend: bool, tmp_path: Path) -> None:
    """With the token that the card names, looked at by the others or not."""
    late = {"query_tokens": 6, "expansion_token": "[MASK]", "attend": attend}
    folder = write_encoder(tmp_path, role="reranker", pooling="none", late=late)
    ids = [CLS, IDS["open"], SEP, MASK, MASK, MASK]
    asked = states(ids, seen=None if attend else 3)
    read = whole("open file")
    cosines = np.array([[unit(one) @ unit(other) for other in read] for one in asked])
    assert np.allclose(
        open_reranker(folder).scores("open", ["open file"]), cosines.max(axis=1).mean(), atol=1e-5
    )


def test_batches_have_little_padding() -> None:
    """Long with long and short with short, every text once, none of the empty, never too much at once."""
    lengths = [5, 4000, 0, 6, 3000, 7, 8]
    found = list(batches(lengths, 3))
    assert found == [[1], [4], [6, 5, 3], [0]]


def test_nothing_heavy_before_a_model_is_opened() -> None:
    """Whoever has no embeddings pays for none."""
    code = "import codeindex.embed, codeindex.vectors, codeindex.embed_near, sys\n"
    code += "print(sorted({'faiss', 'onnxruntime', 'tokenizers'} & sys.modules.keys()))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def damage(folder: Path, name: str, data: bytes) -> None:
    (folder / name).write_bytes(data)


def broken(tmp_path: Path) -> dict[str, tuple[Path, str]]:
    made = {it: tmp_path / it for it in ("none", "hash", "missing", "json", "list", "role")}
    made["none"].mkdir()
    damage(write_encoder(made["hash"]), "model.onnx", b"other")
    (write_encoder(made["missing"]) / "tokenizer.json").unlink()
    damage(write_encoder(made["json"]), "model.json", b"{")
    damage(write_encoder(made["list"]), "model.json", b"[]")
    write_encoder(made["role"], role="reranker", pooling="none")
    graphs: dict[str, tuple[bytes, dict[str, Any]]] = {
        "graph": (b"no graph", {}),
        "inputs": (encoder_graph(), {"inputs": ["input_ids"]}),
        "output": (encoder_graph(), {"output": "other"}),
        "size": (encoder_graph(), {"dimensions": WIDTH + 1}),
        "rank": (encoder_graph(), {"pooling": "none"}),
        "end": (encoder_graph(), {"end_token": "[END]"}),
    }
    for name, (model, card) in graphs.items():
        made[name] = write_encoder(tmp_path / name, model, **card)
    tables: dict[str, dict[str, NDArray[Any]]] = {
        "no table": {"rows": ROWS},
        "wide": {"embeddings": ROWS[:, :4]},
        "short": {"embeddings": ROWS[:3]},
        "mapping": {"embeddings": ROWS, "mapping": np.full(len(ROWS), 99)},
        "weights": {"embeddings": ROWS, "weights": np.ones(3)},
    }
    for name, tensors in tables.items():
        made[name] = write_table(tmp_path / name, tensors)
    nans = ROWS.copy()
    nans[:] = np.nan
    made["nan"] = write_table(tmp_path / "nan", {"embeddings": nans, "weights": np.ones(len(ROWS))})
    made["tokens"] = tmp_path / "tokens"
    made["tokens"].mkdir()
    write_card(made["tokens"], CARD, encoder_graph(), b"{}")
    made["torn"] = tmp_path / "torn"
    made["torn"].mkdir()
    write_card(made["torn"], {**CARD, "kind": "static"}, b"\xff" * 20, words().to_str().encode())
    says = {
        "none": "There is no model.json in",
        "hash": "The file model.onnx of the model tiny is not the one its card describes.",
        "missing": "The file tokenizer.json of the model tiny is missing.",
        "json": "is not JSON.",
        "list": "is not a JSON object.",
        "role": "The model tiny is a reranker, not an embedder.",
        "graph": "The graph of the model tiny cannot be loaded.",
        "inputs": "wants attention_mask, input_ids; its card says input_ids.",
        "output": "has no output 'other'.",
        "size": "gives 8 dimensions, its card says 9.",
        "rank": "does not fit its card's pooling.",
        "end": "has no token '[END]'.",
        "no table": "has no tensor called embeddings",
        "wide": "has 4 dimensions, its card says 8.",
        "short": "knows 13 tokens, its table 3.",
        "mapping": "maps a token to a row that it does not have.",
        "weights": "does not have a weight for each token.",
        "nan": "gives numbers that are none.",
        "tokens": "The tokenizer of the model tiny cannot be read.",
        "torn": "is not a whole safetensors file.",
    }
    return {name: (made[name], says[name]) for name in says}


def test_what_is_wrong_is_one_sentence(tmp_path: Path) -> None:
    """A model that is damaged, missing or not what its card says is a sentence, never a traceback."""
    for name, (folder, says) in broken(tmp_path).items():
        with pytest.raises(ModelError) as caught:
            open_embedder(folder).query("open sort")
        assert says in str(caught.value), name
        assert str(caught.value).endswith("."), name
