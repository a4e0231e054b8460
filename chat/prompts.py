"""Pure: a command's prompt file, filled in: system, one example of the form that is wanted, the question.

A file has four parts, ``# System``, ``# Example``, ``# Answer`` and ``# Question``. In the question
``{{name}}`` stands for a value; a paragraph whose value is empty is left out. What is filled in is never
looked at again, so that no code can pose as a part of the prompt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.wire import ChatMessage

PARTS = ("System", "Example", "Answer", "Question")
HEADING = re.compile(rf"^# ({'|'.join(PARTS)})$", re.MULTILINE)
HOLE = re.compile(r"\{\{([a-z_]+)\}\}")
LONGEST_QUOTE = 6_000  # characters of a refused answer: enough to see what was wrong with it


class BadPrompt(ValueError):
    """A prompt file is not one; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A prompt file."""

    system: str
    example: str
    answer: str
    question: str

    @property
    def holes(self) -> frozenset[str]:
        """The names of the values that it takes."""
        return frozenset(HOLE.findall(self.question))


def read(text: str) -> Template:
    """A prompt file's text as a template."""
    pieces = HEADING.split(text)
    if pieces[0].strip() or tuple(pieces[1::2]) != PARTS:
        raise BadPrompt(f"it must have the parts {', '.join(PARTS)}, in this order")
    system, example, answer, question = (it.strip() for it in pieces[2::2])
    if not all((system, example, answer, question)):
        raise BadPrompt("one of its parts is empty")
    return Template(system=system, example=example, answer=answer, question=question)


def fill(template: Template, values: Mapping[str, str]) -> tuple[ChatMessage, ...]:
    """The conversation to be sent: the example stands in it as a turn that has been."""
    question = ChatMessage(role="user", content=filled(template.question, values))
    example = (
        ChatMessage(role="user", content=template.example),
        ChatMessage(role="assistant", content=template.answer),
    )
    return (
        ChatMessage(role="system", content=template.system),
        *(example if template.example else ()),
        question,
    )


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with its values; paragraphs that have nothing to say are left out."""
    kept = []
    for paragraph in re.split(r"\n{2,}", text):
        names = HOLE.findall(paragraph)
        if all(values.get(it, "").strip() for it in names):
            kept.append(HOLE.sub(lambda found: values[found[1]], paragraph))
    return "\n\n".join(kept)


def again(messages: Sequence[ChatMessage], answer: str, reason: str) -> tuple[ChatMessage, ...]:
    """The same conversation, after an answer that could not be used, and why."""
    said = answer if len(answer) <= LONGEST_QUOTE else answer[:LONGEST_QUOTE] + "\n…"
    return (
        *messages,
        ChatMessage(role="assistant", content=said or "…"),
        ChatMessage(role="user", content=f"That cannot be used: {reason} Answer again, in the same form."),
    )


def fenced(text: str, language: str) -> str:
    """Code between fences that nothing in it can close."""
    longest = max((len(it) for it in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def numbered(text: str, first: int) -> str:
    """Lines with their numbers in front."""
    lines = text.rstrip("\n").split("\n")
    width = len(str(first + len(lines) - 1))
    return "\n".join(f"{number:>{width}}| {line}" for number, line in enumerate(lines, first))
