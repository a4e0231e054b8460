"""Read the prompt files beside this module, each once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from chat.prompts import Template, read

FOLDER = Path(__file__).with_name("prompts")


@cache
def template(name: str) -> Template:
    """The prompt of this name."""
    return read((FOLDER / f"{name}.md").read_text(encoding="utf-8"))
