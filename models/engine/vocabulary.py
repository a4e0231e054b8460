"""Pure: from texts to the tokens of a fill-in-the-middle prompt, for every model family's own order.

Special tokens are put in by id and the user's text is tokenized as plain text, so source code that happens
to contain ``<|fim_middle|>`` stays what it is. Prefix, suffix and middle are tokenized apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


class Tokenize(Protocol):
    """Plain text to tokens; ``goes_on`` says that it stands behind other text."""

    def __call__(self, text: str, *, goes_on: bool = False) -> Sequence[int]: ...


# Mistral's code models want the suffix first and have no token before the middle.
SUFFIX_FIRST = frozenset({"[SUFFIX]"})

# What llama.cpp does not look for by itself: Codestral's tokens, StarCoder2's repository tokens.
SPELLINGS = {
    "prefix": ("[PREFIX]",),
    "suffix": ("[SUFFIX]",),
    "middle": (),
    "repository": ("<repo_name>",),
    "separator": ("<file_sep>",),
}

CHARS_PER_TOKEN = 8  # More than code has on average; what is further away than this is not worth tokenizing.
CUT_STEP = 8  # A prompt too long is cut in steps of 1/8 of the room, so that typing on does not move the cut.
MIDDLE_STEP = 64  # Tokens. For the same reason the middle, which grows with each key, takes room in steps.


@dataclass(frozen=True, slots=True, kw_only=True)
class FimTokens:
    """A vocabulary's fill-in-the-middle tokens; ``None`` where it has none."""

    prefix: int | None
    suffix: int | None
    middle: int | None
    repository: int | None
    separator: int | None
    suffix_text: str = ""
    """How the suffix token is spelled: it tells the families with an order of their own."""

    @property
    def ids(self) -> frozenset[int]:
        every = (self.prefix, self.suffix, self.middle, self.repository, self.separator)
        return frozenset(it for it in every if it is not None)

    @property
    def usable(self) -> bool:
        """Whether the model can fill in the middle at all."""
        return (
            self.prefix is not None
            and self.suffix is not None
            and (self.middle is not None or self.suffix_first)
        )

    @property
    def suffix_first(self) -> bool:
        """Whether the suffix stands before the prefix."""
        return self.suffix_text in SUFFIX_FIRST


@dataclass(frozen=True, slots=True, kw_only=True)
class FimText:
    """What a prompt is made of, as plain text."""

    prefix: str
    suffix: str
    middle: str = ""
    path: str = ""
    repository: str = ""
    snippets: tuple[tuple[str, str], ...] = ()
    """Other files as ``(path, text)``, in the order they are shown to the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What to evaluate, and the bytes before the cursor that are left out of it to be written anew."""

    tokens: list[int]
    held: bytes = b""


Hold = Callable[[Sequence[int]], tuple[list[int], bytes]]
"""Of a text's tokens: those that stay, and the bytes of what is held back at its end."""


def hold_nothing(tokens: Sequence[int]) -> tuple[list[int], bytes]:
    """The text as it is."""
    return list(tokens), b""


def plain_prompt(text: Sequence[int], bos: int | None, hold: Hold = hold_nothing) -> Prompt:
    """A text to go on with."""
    stay, held = hold(text)
    return Prompt(tokens=[*([] if bos is None else [bos]), *stay], held=held)


def fim_prompt(
    text: FimText,
    fim: FimTokens,
    bos: int | None,
    tokenize: Tokenize,
    room: int,
    hold: Hold = hold_nothing,
) -> Prompt:
    """The prompt's tokens, at most ``room`` of them.

    What does not fit is cut: context from other files first, then the far ends of prefix and suffix.
    ``fim`` must be ``usable``. What ``hold`` holds back is the end of the middle or, where there is none, of
    the prefix. The model then begins the middle with it.
    """
    head = [] if bos is None else [bos]
    marks = len(head) + 3
    middle = list(tokenize(text.middle, goes_on=True))
    middle = middle[max(len(middle) - max(room - marks, 0), 0) :]
    left = max(room - marks - -(-len(middle) // MIDDLE_STEP) * MIDDLE_STEP, 0)
    before, after = _near(text.prefix, text.suffix, left * CHARS_PER_TOKEN)
    prefix, suffix = _fit(list(tokenize(before)), list(tokenize(after, goes_on=True)), left)
    context = _context(text, fim, tokenize, left - len(prefix) - len(suffix))
    if middle:
        middle, held = hold(middle)
    else:
        prefix, held = hold(prefix)
    assert fim.prefix is not None
    assert fim.suffix is not None
    if fim.suffix_first:
        tokens = [*head, *context, fim.suffix, *suffix, fim.prefix, *prefix, *middle]
    else:
        assert fim.middle is not None
        tokens = [*head, *context, fim.prefix, *prefix, fim.suffix, *suffix, fim.middle, *middle]
    return Prompt(tokens=tokens, held=held)


def _near(prefix: str, suffix: str, limit: int) -> tuple[str, str]:
    """The end of the prefix and the start of the suffix, of at most ``limit`` characters each."""
    step = max(limit // CUT_STEP, 1)
    excess = len(prefix) - limit
    cut = -(-excess // step) * step if 0 < excess else 0
    return prefix[cut:], suffix[:limit]


def _fit(prefix: list[int], suffix: list[int], room: int) -> tuple[list[int], list[int]]:
    """Cut the prefix's start and the suffix's end until both fit; the prefix is worth three times as much."""
    if len(prefix) + len(suffix) <= room:
        return prefix, suffix
    step = max(room // CUT_STEP, 1)
    kept_suffix = min(len(suffix), max(room // 4, room - len(prefix)))
    kept_suffix -= kept_suffix % step if kept_suffix < len(suffix) else 0
    excess = len(prefix) + kept_suffix - room
    cut = min(-(-excess // step) * step, len(prefix)) if 0 < excess else 0
    return prefix[cut:], suffix[:kept_suffix]


def _context(text: FimText, fim: FimTokens, tokenize: Tokenize, room: int) -> list[int]:
    """Repo-level context: name, other files, this file's path. As much as fits, from the end.

    The files nearest to the prefix are the most useful ones, so the first ones go when room is short.
    """
    if fim.separator is None or not (text.snippets or text.repository):
        return []
    own = [fim.separator, *tokenize(f"{text.path}\n")] if text.path else [fim.separator]
    left = room - len(own)
    files: list[list[int]] = []
    for path, body in reversed(text.snippets):
        piece = [fim.separator, *tokenize(f"{path}\n{body}\n")]
        if left < len(piece):
            break
        left -= len(piece)
        files.insert(0, piece)
    name = _repository(text, fim, tokenize)
    if left < len(name):
        name = []
    if left < 0:
        return []
    return [*name, *(token for piece in files for token in piece), *own]


def _repository(text: FimText, fim: FimTokens, tokenize: Tokenize) -> list[int]:
    if fim.repository is None or not text.repository:
        return []
    return [fim.repository, *tokenize(f"{text.repository}\n")]
