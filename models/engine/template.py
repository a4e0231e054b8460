"""Pure: a conversation to tokens, by the chat template that the model file carries.

The template is Jinja from a file we did not write, so it runs in Jinja's sandbox. What people wrote is kept
apart from what the template wrote: only the template's own text may become special tokens.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from models.errors import ModelError
from models.wire import ChatMessage, ToolSpec, tool_json

# Private-use characters around the number of a message stand for its text while the template is rendered.
_MARK = re.compile("\ue000(\\d+)\ue001")
# What a template may want to compare, such as the type of an argument, and no vocabulary reads as special.
_PLAIN = re.compile(r"[\w .,:;()/*'\"?!-]*")
_KNOWS_TOOLS = re.compile(r"\btools\b")


def chat_prompt(
    messages: Sequence[ChatMessage],
    template: str,
    special_text: Callable[[str], str],
    tokenize: Callable[[str, bool, bool], Sequence[int]],
    tools: Sequence[ToolSpec] = (),
) -> list[int]:
    """The prompt's tokens. ``special_text`` spells ``bos_token`` and ``eos_token``.

    ``tokenize(text, special, goes_on)`` reads special tokens only where ``special`` is true; ``goes_on``
    tells that the text stands behind other text.
    Raises ``ModelError`` when the template refuses the conversation, or is not a sound one.
    """
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals.update(
        raise_exception=_refuse, strftime_now=lambda form: datetime.now().strftime(form)
    )
    if tools and not _KNOWS_TOOLS.search(template):
        raise ModelError("This model calls no tools: its chat template does not know them.")
    apart = _Apart()
    environment.filters["tojson"] = apart.json
    marked = [_marked(it, apart) for it in messages]
    known = {"tools": [apart.values(tool_json(it)) for it in tools]} if tools else {}
    try:
        text = environment.from_string(template).render(
            messages=marked,
            add_generation_prompt=True,
            bos_token=special_text("bos"),
            eos_token=special_text("eos"),
            **known,
        )
        parts = _MARK.split(text)
        parts[1::2] = [apart.texts[int(it)] for it in parts[1::2]]
    except TemplateError as exc:
        reason = str(exc).rstrip(".")
        raise ModelError(f"The model's chat template does not accept this conversation: {reason}.") from exc
    except (ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError) as exc:
        raise ModelError("The model's chat template fails on this conversation; use another model.") from exc
    tokens: list[int] = []
    for index, part in enumerate(parts):
        if part:
            tokens += tokenize(part, index % 2 == 0, bool(tokens))
    return tokens


class _Apart:
    """Texts that people and models wrote, kept apart from the template's own by marks in their place."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def mark(self, text: str) -> str:
        """What stands for this text."""
        self.texts.append(text)
        return f"\ue000{len(self.texts) - 1}\ue001"

    def values(self, value: Any) -> Any:
        """The same value with marks for all texts in it that could be read as more than text."""
        if isinstance(value, str):
            return value if _PLAIN.fullmatch(value) else self.mark(value)
        if isinstance(value, Mapping):
            return {self.values(str(key)): self.values(it) for key, it in value.items()}
        return [self.values(it) for it in value] if isinstance(value, list | tuple) else value

    def json(self, value: Any, indent: int | None = None, **_: Any) -> str:
        """The filter ``tojson``: JSON as models have learned it, and not as web pages want it."""
        return self.mark(json.dumps(self._back(value), ensure_ascii=False, indent=indent))

    def _back(self, value: Any) -> Any:
        if isinstance(value, str):
            parts = _MARK.split(value)
            parts[1::2] = [self.texts[int(it)] for it in parts[1::2]]
            return "".join(parts)
        if isinstance(value, Mapping):
            return {self._back(key): self._back(it) for key, it in value.items()}
        return [self._back(it) for it in value] if isinstance(value, list | tuple) else value


def _marked(message: ChatMessage, apart: _Apart) -> dict[str, Any]:
    said: dict[str, Any] = {"role": message.role, "content": apart.mark(message.content)}
    if message.calls and not message.content.strip():
        said["content"] = ""
    if message.calls:
        said["tool_calls"] = [
            {
                "id": it.id,
                "type": "function",
                "function": {"name": apart.values(it.name), "arguments": apart.values(it.arguments)},
            }
            for it in message.calls
        ]
    if message.call_id:
        said["tool_call_id"] = apart.values(message.call_id)
    return said


def _refuse(message: str) -> Any:
    raise TemplateError(message)
