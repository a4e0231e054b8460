"""Pure: a conversation to tokens, by the chat template that the model file carries.

The template is Jinja from a file we did not write, so it runs in Jinja's sandbox. What people wrote is kept
apart from what the template wrote: only the template's own text may become special tokens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from models.errors import ModelError
from models.wire import ChatMessage

# Private-use characters around the number of a message stand for its text while the template is rendered.
_MARK = re.compile("\ue000(\\d+)\ue001")


def chat_prompt(
    messages: Sequence[ChatMessage],
    template: str,
    special_text: Callable[[str], str],
    tokenize: Callable[[str, bool, bool], Sequence[int]],
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
    marked = [{"role": it.role, "content": f"\ue000{index}\ue001"} for index, it in enumerate(messages)]
    try:
        text = environment.from_string(template).render(
            messages=marked,
            add_generation_prompt=True,
            bos_token=special_text("bos"),
            eos_token=special_text("eos"),
        )
        parts = _MARK.split(text)
        parts[1::2] = [messages[int(it)].content for it in parts[1::2]]
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


def _refuse(message: str) -> Any:
    raise TemplateError(message)
