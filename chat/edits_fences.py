"""Pure: where an answer has code and where it talks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chat.edits_clean import FENCE

MOST_BLOCKS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Code between fences, with the sentences above it."""

    info: str
    lines: tuple[str, ...]
    closed: bool
    above: tuple[str, ...]
    """The last lines before it, nearest last."""


def split(lines: Sequence[str], language: str) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    """The blocks of an answer, and the lines that are in none."""
    blocks: list[Block] = []
    prose: list[str] = []
    above: list[str] = []
    at = 0
    while at < len(lines) and len(blocks) <= MOST_BLOCKS:
        found = FENCE.match(lines[at])
        if not found:
            prose.append(lines[at])
            if lines[at].strip():
                above.append(lines[at])
            at += 1
            continue
        end, closed, content = _content(lines, at, found, language)
        blocks.append(
            Block(
                info=found["info"].strip(),
                lines=tuple(_unindented(content, found["indent"])),
                closed=closed,
                above=tuple(above[-2:]),
            )
        )
        above = []
        at = end
    return tuple(blocks), tuple(prose)


def _content(
    lines: Sequence[str], start: int, opened: re.Match[str], language: str
) -> tuple[int, bool, list[str]]:
    """Where reading goes on, whether the block was closed, and its lines."""
    fence, indent = opened["fence"], len(opened["indent"])
    is_page = language == "markdown" and opened["info"].strip().lower() in ("markdown", "md")
    if is_page:
        ends = [it for it in range(start + 1, len(lines)) if _closes(lines[it], fence, indent)]
        end = ends[-1] if ends else len(lines)
        return end + 1, bool(ends), list(lines[start + 1 : end])
    for at in range(start + 1, len(lines)):
        line = lines[at]
        if _closes(line, fence, indent):
            return at + 1, True, list(lines[start + 1 : at])
        other = FENCE.match(line)
        if language != "markdown" and other and _opens(other, fence, indent):
            return at, False, list(lines[start + 1 : at])  # It forgot to close, and opened the next.
    return _unclosed(lines, start, fence)


def _opens(found: re.Match[str], fence: str, indent: int) -> bool:
    """Whether a fence within a block is the beginning of the next block."""
    is_like = found["fence"].startswith(fence) and len(found["indent"]) <= indent + 3
    return is_like and bool(found["info"].strip())


def _unclosed(lines: Sequence[str], start: int, fence: str) -> tuple[int, bool, list[str]]:
    """To a shorter fence than the one it was opened with, to one behind the code, or to the end."""
    rest = list(lines[start + 1 :])
    for at in reversed(range(len(rest))):
        line = rest[at].rstrip()
        if line.strip() == fence[:3]:
            return start + at + 2, True, rest[:at]
        if line.endswith(fence) and line.count(fence[0]) == len(fence):
            return start + at + 2, True, [*rest[:at], line[: -len(fence)]]
    return len(lines), False, rest


def _closes(line: str, fence: str, indent: int) -> bool:
    text = line.strip()
    return (
        len(fence) <= len(text)
        and text == text[0] * len(text)
        and text[0] == fence[0]
        and len(line) - len(line.lstrip()) <= indent + 3
    )


def _unindented(lines: list[str], indent: str) -> list[str]:
    """A block in a list stands as deep as the list."""
    if indent and all(it.startswith(indent) or not it.strip() for it in lines):
        return [it[len(indent) :] for it in lines]
    return lines
