"""Pure: take secrets out of a text before it leaves the machine, and put them back into what returns.

A secret is replaced by what it is, as in ``[secret: aws key]``, so that a model can still read the code
around it. The same secret has the same placeholder throughout a conversation: hand the ``found`` of one
text on to the next one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from chat import redact_entropy, redact_lines, redact_names, redact_shapes, redact_tokens
from chat.redact_values import PLACEHOLDER, Hit, is_random

SOURCES: tuple[Callable[[str], Iterator[Hit]], ...] = (
    redact_shapes.find,
    redact_tokens.find,
    redact_names.find,
    redact_lines.find,
    redact_entropy.find,
)
ROUNDS = 20  # What is taken out can show what stands behind it; mostly the second round finds nothing.
LEAST_EVERYWHERE = 8  # Characters: what is shorter is replaced only where something shows that it is secret.
LONGEST_PLACEHOLDER = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """One secret of a conversation. Its value shows nowhere by accident."""

    kind: str
    placeholder: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """A text that may leave, and all secrets that the conversation knows now."""

    text: str
    found: tuple[Secret, ...] = ()
    hits: int = 0
    """How many places of this text were replaced."""


def redact(text: str, found: Sequence[Secret] = ()) -> Redacted:
    """Replace every secret; those ``found`` before in this conversation wherever they stand."""
    known = list(found)
    total = 0
    for _ in range(ROUNDS):
        text, count = _replace_known(text, known)
        hits = _settle(text, find(text))
        total += count + len(hits)
        if not hits:
            break
        text = _replace(text, hits, known)
    return Redacted(text=text, found=tuple(known), hits=total)


def find(text: str) -> list[Hit]:
    """Every place that holds a secret; they may overlap."""
    return [hit for source in SOURCES for hit in source(text)]


def restore(text: str, found: Sequence[Secret]) -> str:
    """Put the secrets back: an edit must contain the user's own value."""
    values = {it.placeholder: it.value for it in found}
    return PLACEHOLDER.sub(lambda it: values.get(it[0], it[0]), text)


class Restoring:
    """The same for a text that comes in pieces: nothing is shown of a placeholder before its end."""

    def __init__(self, found: Sequence[Secret]) -> None:
        self._found = tuple(found)
        self._kept = ""

    def feed(self, piece: str) -> str:
        """What can be shown now."""
        text = self._kept + piece
        at = text.rfind("[")
        opened = 0 <= at and "]" not in text[at:] and _may_begin(text[at:])
        shown, self._kept = (text[:at], text[at:]) if opened else (text, "")
        return restore(shown, self._found)

    def end(self) -> str:
        """What was kept back."""
        text, self._kept = self._kept, ""
        return restore(text, self._found)


def kinds(found: Sequence[Secret]) -> tuple[str, ...]:
    """What was taken out, without the values: for logs and for the user."""
    return tuple(it.kind for it in found)


def _may_begin(text: str) -> bool:
    """Whether this may become a placeholder."""
    start = "[secret: "
    if len(text) <= len(start):
        return start.startswith(text)
    return len(text) < LONGEST_PLACEHOLDER and bool(re.fullmatch(r"\[secret: [a-z][a-z0-9 ]*", text))


def _replace_known(text: str, known: Sequence[Secret]) -> tuple[str, int]:
    """A secret that was seen once is secret everywhere: longest first, as one may stand within another."""
    wide = [
        it for it in known if LEAST_EVERYWHERE <= len(it.value) and it.value in text and _is_telling(it.value)
    ]
    if not wide:
        return text, 0
    by_value = {it.value: it.placeholder for it in wide}
    pattern = re.compile("|".join(re.escape(it) for it in sorted(by_value, key=len, reverse=True)))
    return pattern.subn(lambda it: by_value[it[0]], text)


def _is_telling(value: str) -> bool:
    """Whether this value can stand for nothing else: a password that is a word is also a word."""
    return is_random(value, least=8) or bool(
        re.search(r"\d", value) and re.search(r"[^\w.]|[A-Za-z]\d[A-Za-z]", value)
    )


def _settle(text: str, hits: Sequence[Hit]) -> list[Hit]:
    """One hit for those that overlap, without the placeholders in them, in the order of the text."""
    merged: list[Hit] = []
    for it in sorted(hits, key=lambda it: (it.start, -it.end)):
        if merged and it.start < merged[-1].end:
            last = merged[-1]
            merged[-1] = Hit(start=last.start, end=max(last.end, it.end), kind=last.kind)
        else:
            merged.append(it)
    taken = [it.span() for it in PLACEHOLDER.finditer(text)]
    return [part for it in merged for part in _outside(it, taken)]


def _outside(hit: Hit, taken: Sequence[tuple[int, int]]) -> Iterator[Hit]:
    """The parts of a hit that are no placeholders."""
    at = hit.start
    for start, end in taken:
        if end <= at:
            continue
        if hit.end <= start:
            break
        if at < start:
            yield Hit(start=at, end=start, kind=hit.kind)
        at = end
    if at < hit.end:
        yield Hit(start=at, end=hit.end, kind=hit.kind)


def _replace(text: str, hits: Sequence[Hit], known: list[Secret]) -> str:
    by_value = {it.value: it.placeholder for it in known}
    parts, at = [], 0
    for it in hits:
        value = text[it.start : it.end]
        if value not in by_value:
            secret = Secret(kind=it.kind, placeholder=_placeholder(it.kind, text, known), value=value)
            known.append(secret)
            by_value[value] = secret.placeholder
        parts += [text[at : it.start], by_value[value]]
        at = it.end
    return "".join([*parts, text[at:]])


def _placeholder(kind: str, text: str, known: Sequence[Secret]) -> str:
    """The kind's, with a number if there are several, and never what stands in the text already."""
    taken = {it.placeholder for it in known}
    number = 1
    while True:
        placeholder = f"[secret: {kind}{f' {number}' if 1 < number else ''}]"
        if placeholder not in taken and placeholder not in text:
            return placeholder
        number += 1
