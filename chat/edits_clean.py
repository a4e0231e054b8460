"""Pure: an answer without what is not meant for anyone: thoughts, template marks, numbers of lines."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from itertools import pairwise

from chat.edits_lexical import scan
from chat.edits_types import Unclear

_THOUGHT = "think|thinking|thought|reasoning|scratchpad|reflection"
_THOUGHTS = re.compile(rf"\s*<({_THOUGHT})>.*?</\1>", re.DOTALL | re.IGNORECASE)
_THOUGHT_OPENS = re.compile(rf"\s*<({_THOUGHT})>", re.IGNORECASE)
_THOUGHT_ENDS = re.compile(rf"^.*</(?:{_THOUGHT})>", re.IGNORECASE)
_MARKS = (
    r"<\|(?:im_end|im_start|endoftext|end_of_text|eot_id|eom_id|end|assistant|user|system|fim_\w+|file_sep|repo_name)"
    r"\|>|<｜[^｜\n]{1,40}｜>|\[/?INST\]|<(?:end|start)_of_turn>|</?s>|<eos>|<EOT>"
)
_MARK_AT_END = re.compile(rf"(?:{_MARKS})\Z")
LONGEST_MARK = 48
MOST_THOUGHTS = 8
_MARKS_AT_START = re.compile(rf"\A\s*(?:(?:{_MARKS})(?:\s*assistant\s*\n)?\s*)+")
_MARK_ENDS_LINE = re.compile(r"(?:<\|(?:im_end|endoftext|end_of_text|eot_id)\|>|<end_of_turn>)[ \t]*$")
_ROLE = re.compile(r"\A\s*(?:assistant|Assistant|ASSISTANT)\s*:?[ \t]*\n")
FENCE = re.compile(r"^(?P<indent>\s*)(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)$")

_NUMBER = re.compile(r"^\s*(\d{1,6})(?:(?::|\||│|→|\t| \|)[ ]?|\.[ ]|[ ]{1,2})")
_BARE_NUMBER = re.compile(r"^\s*(\d{1,6})[:|│.]?\s*$")
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|nbsp|#39|#x27|#34|#x3[cCeE]|#6[02]);")

_MARKUP = "html xml markdown vue svelte php javascriptreact typescriptreact restructuredtext jinja astro"
MARKUP = frozenset(_MARKUP.split())


def clean(answer: str) -> str:
    """The answer's own text, with line feeds at the ends of its lines."""
    text = answer.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return _without_template(_without_thoughts(text)).strip("\n")


def _without_thoughts(text: str) -> str:
    for _ in range(MOST_THOUGHTS):
        if found := _THOUGHTS.match(text):
            text = text[found.end() :]
    if _THOUGHT_OPENS.match(text):
        raise Unclear("The answer is a thought that came to no end.")
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if FENCE.match(line):
            break
        if found := _THOUGHT_ENDS.match(line):  # Some templates write the opening mark themselves.
            return "\n".join([line[found.end() :], *lines[at + 1 :]])
    return text


def _without_template(text: str) -> str:
    """Up to the mark that ends a turn; what follows is a talk that the model made up."""
    text = _ROLE.sub("", _MARKS_AT_START.sub("", text))
    end = len(text.rstrip())
    while found := _MARK_AT_END.search(text, max(0, end - LONGEST_MARK), end):
        end = len(text[: found.start()].rstrip())
    text = text[:end]
    lines = text.split("\n")
    fences = [at for at, line in enumerate(lines) if FENCE.match(line)]
    open_ = 0
    for at, line in enumerate(lines):
        open_ += bool(FENCE.match(line.split("<|")[0].rstrip()))
        found = _MARK_ENDS_LINE.search(line)
        if found and (open_ % 2 == 0 or not fences or fences[-1] < at):
            return "\n".join([*lines[:at], line[: found.start()]])
    return text


def without_numbers(lines: Sequence[str]) -> list[str]:
    """Lines without the numbers in front of them, if each has one and they count up."""
    filled = [it for it in lines if it.strip()]
    numbers = [_NUMBER.match(it) or _BARE_NUMBER.match(it) for it in filled]
    found = [int(it[1]) for it in numbers if it]
    if not filled or len(found) < len(filled) or not all(_follow(found)):
        return list(lines)
    return [_unnumbered(it) for it in lines]


def _follow(numbers: list[int]) -> list[bool]:
    return [one < other <= one + 3 for one, other in pairwise(numbers)]


def _unnumbered(line: str) -> str:
    found = _NUMBER.match(line)
    return line[found.end() :] if found and not _BARE_NUMBER.match(line) else ""


def is_escaped(text: str, language: str) -> bool:
    """Whether code was written for a page: entities stand where code has none, and for all that needs one."""
    entities = [it.start() for it in _ENTITY.finditer(text)]
    if not entities or language in MARKUP or "<" in text or ">" in text:
        return False
    if text.count("&") != len(entities):
        return False
    blank = scan(text, language).blank
    return "&quot;" in text or any(blank[it] == "&" for it in entities)


def has_entities(text: str) -> bool:
    """Whether a text has entities of its own."""
    return bool(_ENTITY.search(text))


def unescaped(text: str) -> str:
    """Code as it was before it was written for a page."""
    return html.unescape(text)
