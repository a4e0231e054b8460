"""Between the editor's positions and ours; the only file that knows UTF-16.

An editor counts columns in code units of an encoding it chose (UTF-8, UTF-16 or UTF-32); Hearth counts code
points. Every function here is total: a column behind the end of its line means the end, and one inside a
character means before it, as LSP wants. The work is done by codecs, so that a line of a megabyte costs
milliseconds. Standard library only: the first answer to an editor needs it.
"""

from __future__ import annotations

import re
from typing import Any, Literal

Encoding = Literal["utf-8", "utf-16", "utf-32"]

ENCODINGS: tuple[Encoding, ...] = ("utf-8", "utf-16", "utf-32")
DEFAULT: Encoding = "utf-16"
_UTF8_CONTINUATION = bytes(range(0x80, 0xC0))
_URI_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+:")


def content_length(line: str) -> int:
    """The line's length without its line break."""
    if line.endswith("\r\n"):
        return len(line) - 2
    return len(line) - line.endswith(("\n", "\r"))


def index_in_line(line: str, units: int, encoding: Encoding) -> int:
    """The code point at which a column of ``units`` stands."""
    end = content_length(line)
    if units <= 0:
        return 0
    if encoding == "utf-32" or line.isascii():
        return min(units, end)
    content = line[:end]
    if encoding == "utf-8":
        return _index_utf8(content, units)
    return _index_utf16(content, units)


def units_in(text: str, encoding: Encoding) -> int:
    """How many of the client's code units ``text`` is long."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def columns(line: str, start: int, end: int, encoding: Encoding) -> tuple[int, int]:
    """The client's columns of the code points ``start`` and ``end`` of a line."""
    first = units_in(line[:start], encoding)
    return first, first + units_in(line[start:end], encoding)


def agreed_encoding(client: Any) -> Encoding:
    """The first encoding in the client's list that is known; a client without a list means UTF-16."""
    general = client.get("general") if isinstance(client, dict) else None
    offered = general.get("positionEncodings") if isinstance(general, dict) else None
    return (
        next((named(it) for it in offered if it in ENCODINGS), DEFAULT)
        if isinstance(offered, list)
        else DEFAULT
    )


def named(name: Any) -> Encoding:
    """The encoding of this name."""
    return next((it for it in ENCODINGS if it == name), DEFAULT)


def path_of(uri: str, roots: tuple[str, ...] = ()) -> str:
    """What to call a document: its path inside the workspace if it is a file there, else whatever names it.

    A URI that is no file (``untitled:``, ``git:``, a notebook cell) is used as it is: it names the document
    and nothing is ever read from it.
    """
    if not uri.startswith("file:"):
        return uri
    path = file_path(uri)
    for root in sorted(roots, key=len, reverse=True):
        inside = file_path(root).rstrip("/") + "/"
        if path.startswith(inside):
            return path[len(inside) :]
    return path


def file_path(uri: str) -> str:
    """The path in a ``file:`` URI, with forward slashes."""
    from urllib.parse import unquote, urlsplit

    try:
        parts = urlsplit(uri)
    except ValueError:  # such as an unclosed bracket in the host
        return uri
    path = unquote(parts.path)
    if re.match(r"^/[A-Za-z]:", path):
        path = path[1].upper() + path[2:]
    return f"//{parts.netloc}{path}" if parts.netloc and parts.netloc != "localhost" else path


def is_uri(text: str) -> bool:
    """Whether this is a URI rather than a path; a drive letter is no scheme."""
    return _URI_SCHEME.match(text) is not None


def _index_utf8(content: str, units: int) -> int:
    data = content.encode("utf-8", "surrogatepass")
    if len(data) <= units:
        return len(content)
    characters = len(data[:units].translate(None, _UTF8_CONTINUATION))
    inside_a_character = 0x80 <= data[units] < 0xC0
    return characters - inside_a_character


def _index_utf16(content: str, units: int) -> int:
    data = content.encode("utf-16-le", "surrogatepass")
    if len(data) <= 2 * units:
        return len(content)
    head = data[: 2 * units].decode("utf-16-le", "surrogatepass")
    inside_a_pair = bool(head) and head[-1] != content[len(head) - 1]
    return len(head) - inside_a_pair
