"""Every family of fill-in-the-middle models that llama.cpp knows, by a tiny file with its own vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import gguf
import pytest

from benchmarks.shape_model import Vocabulary, byte_vocabulary, write
from models.engine.heal import held_back
from models.engine.llama import Limits, Llama
from models.engine.vocabulary import FimText, fim_prompt
from tests.models.conftest import TINY

Kind = gguf.TokenType
CODE = FimText(
    prefix="def f(",
    suffix=")\n",
    middle="x, <|fim_middle|>",
    path="a.py",
    repository="r",
    snippets=(("b.py", "b = 1"),),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """How a family spells its special tokens (the end first), cuts text, and what a prompt must look like."""

    special: tuple[str, ...]
    prompt: str
    pre: str = "qwen2"
    sentencepiece: bool = False
    space_prefix: bool = False
    bos: bool = False


FAMILIES = {
    "Qwen2.5-Coder": Family(
        special=(
            *("<|endoftext|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"),
            *("<|fim_pad|>", "<|repo_name|>", "<|file_sep|>"),
        ),
        prompt="<|repo_name|>r\n<|file_sep|>b.py\nb = 1\n<|file_sep|>a.py\n"
        "<|fim_prefix|>def f(<|fim_suffix|>)\n<|fim_middle|>x, ‹<|fim_middle|>›",
    ),
    "StarCoder2": Family(
        pre="starcoder",
        special=(
            *("<|endoftext|>", "<fim_prefix>", "<fim_middle>", "<fim_suffix>"),
            *("<fim_pad>", "<repo_name>", "<file_sep>"),
        ),
        prompt="<repo_name>r\n<file_sep>b.py\nb = 1\n<file_sep>a.py\n"
        "<fim_prefix>def f(<fim_suffix>)\n<fim_middle>x, ‹<|fim_middle|>›",
    ),
    "Granite": Family(
        pre="starcoder",
        special=("<|endoftext|>", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<fim_pad>", "<reponame>"),
        prompt="<fim_prefix>def f(<fim_suffix>)\n<fim_middle>x, ‹<|fim_middle|>›",
    ),
    "DeepSeek-Coder": Family(
        pre="deepseek-coder",
        bos=True,
        special=("<｜end▁of▁sentence｜>", "<｜fim▁hole｜>", "<｜fim▁begin｜>", "<｜fim▁end｜>"),
        prompt="<｜end▁of▁sentence｜><｜fim▁begin｜>def f(<｜fim▁hole｜>)\n<｜fim▁end｜>x, ‹<|fim_middle|>›",
    ),
    "CodeLlama": Family(
        sentencepiece=True,
        space_prefix=True,
        bos=True,
        special=("</s>", "▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>"),
        prompt="</s>▁<PRE> def f(▁<SUF>)\n▁<MID>x, ‹<|fim_middle|>›",
    ),
    "Codestral": Family(
        sentencepiece=True,
        space_prefix=True,
        bos=True,
        special=("</s>", "[INST]", "[PREFIX]", "[MIDDLE]", "[SUFFIX]"),
        prompt="</s>[SUFFIX])\n[PREFIX] def f(x, ‹<|fim_middle|>›",
    ),
    "CodeGemma": Family(
        sentencepiece=True,
        bos=True,
        special=("<eos>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|file_separator|>"),
        prompt="<eos><|fim_prefix|>def f(<|fim_suffix|>)\n<|fim_middle|>x, ‹<|fim_middle|>›",
    ),
}


def vocabulary(family: Family, kind: int = Kind.CONTROL) -> Vocabulary:
    if family.sentencepiece:
        made = sentencepiece(family)
    else:
        made = replace(byte_vocabulary(600, family.special), pre=family.pre, bos=family.bos)
    types = list(made.types)
    for token in list(made.special.values())[1:]:
        types[token] = int(kind)
    return replace(made, types=types)


def sentencepiece(family: Family) -> Vocabulary:
    """Bytes, letters, some pairs, then the special tokens."""
    letters = ["▁", *map(chr, range(33, 127))]
    pairs = ["▁d", "de", "▁x", "▁f"]
    tokens = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), *letters, *pairs, *family.special]
    first = len(tokens) - len(family.special)
    types = [Kind.UNKNOWN, *[Kind.BYTE] * 256, *[Kind.NORMAL] * (len(letters) + len(pairs))]
    types += [Kind.CONTROL] * len(family.special)
    return Vocabulary(
        tokens=tokens,
        types=list(map(int, types)),
        scores=[-float(at) for at in range(len(tokens))],
        special={text: first + at for at, text in enumerate(family.special)},
        model="llama",
        pre="default",
        bos=family.bos,
        space_prefix=family.space_prefix,
    )


@contextmanager
def loaded(path: Path, made: Vocabulary) -> Iterator[Llama]:
    write(path, ftype="F32", shape=replace(TINY, n_vocab=len(made.tokens), n_layer=1), vocabulary=made)
    llama = Llama(path, Limits(context_tokens=256, sequences=1, threads=1), lambda _: True)
    yield llama
    llama.close()


def shown(llama: Llama, tokens: list[int]) -> str:
    """Tokens as text, special ones as they are spelled; text that only looks special stands in ‹›."""
    special = llama.fim.ids | {llama.bos}
    pieces = [llama.text_of(it).encode() if it in special else llama.piece(it) for it in tokens]
    text = b"".join(pieces).decode()
    plain = "".join(llama.piece(it).decode() for it in tokens if it not in special)
    assert plain.count("<|fim_middle|>") == 1
    at = text.rindex("<|fim_middle|>")
    return f"{text[:at]}‹{text[at : at + 14]}›{text[at + 14 :]}"


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("kind", [Kind.CONTROL, Kind.USER_DEFINED], ids=["control", "user defined"])
def test_a_family_gets_its_own_prompt(tmp_path: Path, name: str, kind: int) -> None:
    """Its tokens are found by their spelling; text keeps its blanks; user code cannot pose as special."""
    with loaded(tmp_path / "model.gguf", vocabulary(FAMILIES[name], kind)) as llama:
        assert llama.fim.usable
        tokens = fim_prompt(CODE, llama.fim, llama.bos, llama.tokenize, 1000).tokens
        assert shown(llama, tokens) == FAMILIES[name].prompt


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("kind", [Kind.CONTROL, Kind.USER_DEFINED], ids=["control", "user defined"])
def test_special_tokens_end_an_answer_and_are_no_text(tmp_path: Path, name: str, kind: int) -> None:
    """Some files call them ordinary text; people must not see them all the same."""
    with loaded(tmp_path / "model.gguf", vocabulary(FAMILIES[name], kind)) as llama:
        for token in llama.fim.ids | {llama.end}:
            assert (llama.piece(token), llama.is_end(token)) == (b"", True)


@pytest.mark.parametrize("name", FAMILIES)
def test_text_comes_back_as_it_went_in(tmp_path: Path, name: str) -> None:
    """Whatever it is, and wherever long runs are cut."""
    texts = ("def f(x):\n\n    return\r\n", "é漢😀e\u0301", "\0\t", "a" * 2500, " " * 2500 + "x", "\n" * 1001)
    with loaded(tmp_path / "model.gguf", vocabulary(FAMILIES[name])) as llama:
        blank = " " if FAMILIES[name].space_prefix else ""
        for text in texts:
            for goes_on in (False, True):
                back = b"".join(map(llama.piece, llama.tokenize(text, goes_on=goes_on))).decode()
                assert back == ("" if goes_on else blank) + text
        assert llama.tokenize("") == llama.tokenize("", goes_on=True) == []


@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_remembered_is_what_would_be_made(tmp_path: Path, name: str) -> None:
    """Each way to read a text has its own tokens; who changes what he got changes it for nobody else."""
    text = "<|im_start|> def f(x):\n" * 20
    ways = [(special, goes_on) for special in (False, True) for goes_on in (False, True)]
    with loaded(tmp_path / "model.gguf", vocabulary(FAMILIES[name])) as llama:

        def tokens_of(text: str) -> list[list[int]]:
            return [llama.tokenize(text, special=special, goes_on=goes_on) for special, goes_on in ways]

        made = tokens_of(text)
        for it in tokens_of(text):
            it.append(0)
        assert tokens_of(text) == made
        for number in range(100):
            tokens_of(f"{number}{text}")
        assert tokens_of(text) == made


@pytest.mark.parametrize("pre", ["deepseek-coder", "tekken", "default"])
@pytest.mark.parametrize("letter", ["a", "0", "!", " ", "漢"])
def test_a_run_without_end_does_not_end_the_process(tmp_path: Path, pre: str, letter: str) -> None:
    """std::regex recurses per character: without the cut this test's process is gone."""
    made = replace(byte_vocabulary(600), pre=pre)
    with loaded(tmp_path / "model.gguf", made) as llama:
        tokens = llama.tokenize(letter * 60_000)
        assert b"".join(map(llama.piece, tokens)).decode() == letter * 60_000


def test_ids_in_the_metadata_win_over_spellings(tmp_path: Path) -> None:
    """A file knows best what its tokens are."""
    made = byte_vocabulary(600, ("<end>", "<one>", "<two>", "<three>"))
    path = tmp_path / "model.gguf"
    real: Callable[..., None] = gguf.GGUFWriter.add_chat_template

    def add(writer: gguf.GGUFWriter, template: str) -> None:
        real(writer, template)
        for name, text in (("prefix", "<one>"), ("suffix", "<two>"), ("middle", "<three>")):
            writer.add_uint32(f"tokenizer.ggml.{name}_token_id", made.special[text])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gguf.GGUFWriter, "add_chat_template", add)
        with loaded(path, made) as llama:
            ids = (llama.fim.prefix, llama.fim.suffix, llama.fim.middle)
            assert ids == (made.special["<one>"], made.special["<two>"], made.special["<three>"])


@pytest.mark.parametrize("name", FAMILIES)
def test_what_stays_and_what_is_held_back_make_up_the_text(tmp_path: Path, name: str) -> None:
    """Also where the vocabulary puts a blank before each text, and where an indentation is cut anew."""
    texts = ("x = retu", "if x:\n        ", "\t\t", "a  ", "é漢", "x\n", "x\r\n    ", " ")
    with loaded(tmp_path / "model.gguf", vocabulary(FAMILIES[name])) as llama:
        cut_up = partial(llama.tokenize, goes_on=True)
        for text in texts:
            stay, held = held_back(cut_up(text), llama.spelling, cut_up)
            assert b"".join(map(llama.piece, stay)) + held == text.encode()
            assert not held.endswith((b"\n", b"\r"))
