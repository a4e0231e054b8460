"""Pure: an answer in Markdown while it is written: links that resolve, code that stays code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from chat.types import Place

LONGEST_LINE = 140  # Characters of a line that is quoted within a sentence.
LONGEST_CODE_LINE = 300
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
ODD_IN_A_LINK = re.compile(r"[\s()<>\[\]\\%#?\"'`*_{}|]")
ROLE = re.compile(r":\w+(?::\w+)?:`~?([^`<]+?)(?:\s*<[^>`]*>)?`")
"""A reference, as Sphinx writes it."""
FENCES = {
    "typescriptreact": "tsx",
    "javascriptreact": "jsx",
    "shellscript": "sh",
    "csharp": "cs",
    "viml": "vim",
}


class Page:
    """What is written so far."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._places: dict[Place, None] = {}

    @property
    def markdown(self) -> str:
        """All of it, its parts a blank line apart."""
        return "\n\n".join(self._parts)

    @property
    def places(self) -> tuple[Place, ...]:
        """What is linked, in order."""
        return tuple(self._places)

    def link(self, path: str, first: int, last: int = 0, label: str = "") -> str:
        """A link to lines of a file; ``last`` if it is more than one."""
        place = Place(path=path, first_line=first, last_line=max(first, last))
        self._places[place] = None
        lines = f"{first}-{last}" if first < last else f"{first}"
        return f"[{label or escaped(f'{path}:{lines}')}]({target(place.link)})"

    def add(self, text: str) -> None:
        """A paragraph; nothing if it is empty."""
        if text.strip():
            self._parts.append(text)

    def items(self, lines: Iterable[str]) -> None:
        """A list."""
        self.add("\n".join(f"- {it}" for it in lines))

    def code(self, text: str, language: str = "") -> None:
        """A block of code."""
        if text.strip():
            self.add(block(text, language))


def block(text: str, language: str = "") -> str:
    """Code in a fence that nothing in it closes."""
    lines = [_short(CONTROL.sub("�", it), LONGEST_CODE_LINE) for it in text.strip("\n").split("\n")]
    longest = max((len(it) for it in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return "\n".join([f"{fence}{FENCES.get(language, language)}", *lines, fence])


def code(text: str, most: int = LONGEST_LINE) -> str:
    """Code within a sentence, on one line."""
    plain = _short(CONTROL.sub("�", " ".join(text.split())), most)
    longest = max((len(it) for it in re.findall(r"`+", plain)), default=0)
    if not longest:
        return f"`{plain}`" if plain else ""
    marks = "`" * (longest + 1)
    return f"{marks} {plain} {marks}"


def prose(text: str) -> str:
    """What somebody wrote in a comment, as plain Markdown: nothing in it is a link, an image or a tag."""
    plain = ROLE.sub(r"`\1`", CONTROL.sub("", text)).replace("``", "`")
    parts = re.split(r"(`[^`\n]+`)", plain)
    return "".join(it if number % 2 else _plain(it) for number, it in enumerate(parts))


def escaped(text: str) -> str:
    """A path as the text of a link."""
    return re.sub(r"([\\`*\[\]<>])", r"\\\1", CONTROL.sub("�", text))


def target(link: str) -> str:
    """Where a link leads: what Markdown would read otherwise is written as URLs write it."""
    path, _, lines = link.rpartition("#")
    return f"{ODD_IN_A_LINK.sub(_percent, path)}#{lines}"


def count(number: int, one: str, many: str = "") -> str:
    """``1 file``, ``2 files``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def sentence(doc: str) -> str:
    """The first sentence of a documentation."""
    text = " ".join(doc.split())
    for found in re.finditer(r"[.!?](?=\s)|。", text):
        before, after = text[: found.end()], text[found.end() :].lstrip()
        is_short = re.search(r"(?:^|\W)(?:e\.g|i\.e|etc|vs|cf|\w)\.$", before) is not None
        if not is_short and (30 < len(before) or after[:1].isupper()):
            return _short(before, 160)
    return _short(text, 160)


def dedented(lines: Sequence[str]) -> str:
    """Lines without the indentation that all of them have."""
    inset = min((len(it) - len(it.lstrip()) for it in lines if it.strip()), default=0)
    return "\n".join(it[inset:].rstrip() for it in lines).strip("\n")


def _plain(text: str) -> str:
    return re.sub(r"([\[\]<])", r"\\\1", text)


def _percent(match: re.Match[str]) -> str:
    if match[0] in "_'*":
        return match[0]
    return "".join(f"%{it:02X}" for it in match[0].encode("utf-8", "surrogatepass"))


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
