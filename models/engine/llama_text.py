"""llama.cpp's vocabulary: what a model file says about text, text to tokens and back."""

from __future__ import annotations

import ctypes
import os
import re
from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from models.engine.heal import Spelling
from models.engine.spelled import Guess
from models.engine.vocabulary import SPELLINGS, FimTokens
from models.errors import ModelError

# At every node of its graph, some 500 times per token, llama.cpp's threads wait for each other. OpenMP lets
# them spin for milliseconds, and on a machine with a compiler running beside it one of them spins while the
# other waits for a core: a token took 1,100 ms instead of 120. So they spin for some 30 microseconds and then
# sleep. Read when the library is loaded.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
os.environ["GGML_NO_BACKTRACE"] = "1"  # A failed assertion is one line, not a debugger that is started.

import llama_cpp

REMEMBERED = 8  # Texts whose tokens are kept: prefix and suffix stay as they are while somebody types.
WORTH_REMEMBERING = 100  # Characters. To tokenize 3,500 takes a millisecond.

LOOKED_AT = 500  # Tokens, spread over the vocabulary, of which llama.cpp is asked whether a guess is right.
LONGEST_PIECE = 256  # Bytes of a token's text, nearly always; longer ones are asked for again.

# Some vocabularies cut text with std::regex, which takes 330 bytes of stack per character of a match and so
# ends the process at 25,000 letters without a blank. Such a run is no code: it may as well be cut here.
# Short runs are matched too, and stepped over, so that no place is looked at twice.
_RUN = re.compile(r"(?P<long>\S{1000}|\s{1000})|\S+|\s+")


class Text:
    """What a loaded model says about text. Not thread-safe."""

    def __init__(
        self, path: Path, model: llama_cpp.llama_model_p, guess: Callable[[], Guess | None] = lambda: None
    ) -> None:
        self.path = path
        self._guess = guess
        self._model: Any = model
        self._vocab = llama_cpp.llama_model_get_vocab(model)
        self._pieces: dict[int, bytes] = {}
        self._ends: dict[int, bool] = {}
        self._known: OrderedDict[tuple[str, bool, bool], list[int]] = OrderedDict()
        self._buffer = ctypes.create_string_buffer(LONGEST_PIECE)

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
        asked = (text, special, goes_on)
        if asked in self._known:
            self._known.move_to_end(asked)
            return list(self._known[asked])
        tokens: list[int] = []
        start = 0
        for cut in [*(it.end() for it in _RUN.finditer(text) if it["long"]), len(text)]:
            tokens += self._part(text[start:cut], special=special, goes_on=goes_on or 0 < start)
            start = cut
        if WORTH_REMEMBERING <= len(text):
            self._known[asked] = list(tokens)
            if REMEMBERED < len(self._known):
                self._known.popitem(last=False)
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
        buffer = self._buffer
        size = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
        if size < 0:
            buffer = self._buffer = ctypes.create_string_buffer(-size)
            size = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
        return ctypes.string_at(buffer, max(size, 0))

    @cached_property
    def spelling(self) -> Spelling:
        """How all tokens are spelled, for healing: 10 MB for a vocabulary of 150,000, once.

        To ask for each takes half a second, to look whether a guess is right a tenth of one.
        """
        guess = self._guess()
        self._guess = lambda: None
        if guess is None or not self._is_right(guess):
            return Spelling([self.piece(it) for it in range(self.n_vocab)])
        pieces = list(guess.pieces)
        attribute, vocab = llama_cpp.llama_vocab_get_attr, self._vocab
        ordinary = llama_cpp.LLAMA_TOKEN_ATTR_NORMAL
        others = [it for it in range(len(pieces)) if attribute(vocab, it) != ordinary]
        for it in {*others, *guess.unknown, *self.fim.ids}:
            pieces[it] = self.piece(it)
        return Spelling(pieces, guess.order)

    def _is_right(self, guess: Guess) -> bool:
        count = len(guess.pieces)
        some = {*range(0, count, max(count // LOOKED_AT, 1))}.difference(guess.unknown)
        ordinary = (it for it in some if not self._is_silent(it))
        return count == self.n_vocab and all(self._piece(it) == guess.pieces[it] for it in ordinary)


def _token(value: int) -> int | None:
    return None if value < 0 else int(value)
