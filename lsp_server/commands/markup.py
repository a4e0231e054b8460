"""Markdown for a terminal: code in colors, paths to click on, nothing lost and nothing that commands it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote

from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement
from rich.syntax import Syntax

THEME = "ansi_dark"  # Its colors are the terminal's own, on the terminal's own background.
LINES = re.compile(r"L?(\d+)(?:-L?\d+)?")
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
OPEN = ("http:", "https:", "mailto:")


class Code(CodeBlock):
    """A block of code as it would be copied: no frame, no spaces around it."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Its lines in colors; a long one goes on below."""
        syntax = Syntax("", self.lexer_name, theme=self.theme)
        text = syntax.highlight(str(self.text).rstrip("\n"))
        text.rstrip()
        text.overflow, text.no_wrap, text.tab_size = "fold", False, 4
        yield text


class Title(Heading):
    """A heading that begins where the text below it does."""

    LEVEL_ALIGN: ClassVar[dict[str, JustifyMethod]] = {}


class Marked(Markdown):
    """A piece of an answer. Its links to files lead to where they are on this machine."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "fence": Code,
        "code_block": Code,
        "heading_open": Title,
    }

    def __init__(self, text: str, root: Path | None) -> None:
        super().__init__(text, code_theme=THEME)
        for token in self.parsed:
            if (
                token.type == "html_block"
            ):  # A model means what it writes, not what a browser would make of it.
                token.type, token.tag = "code_block", "code"
            for it in token.children or ():
                if it.type == "html_inline":
                    it.type = "text"
                elif it.type == "link_open":
                    it.attrs["href"] = target(str(it.attrs.get("href", "")), root)

    @property
    def begins(self) -> list[int]:
        """The lines on which its blocks begin."""
        return [it.map[0] for it in self.parsed if it.map and it.level == 0 and it.nesting != -1]


def target(link: str, root: Path | None) -> str:
    """Where a link leads from a terminal, with the line in the way most terminals hand on; empty: nowhere."""
    if SCHEME.match(link):
        return link if link.lower().startswith(OPEN) else ""
    path, _, lines = unquote(link).partition("#")
    if root is None or not path:
        return ""
    try:
        file = (root / path).resolve()
        if not file.is_relative_to(root.resolve()) or not file.exists():
            return ""
    except (OSError, ValueError):
        return ""
    line = LINES.fullmatch(lines)
    return file.as_uri() + (f"#{line[1]}" if line else "")
