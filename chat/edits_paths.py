"""Pure: the paths that an answer names, and which of the documents asked about they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from chat.edits_types import Source, Unclear
from codeindex.languages import BY_EXTENSION, BY_NAME

_PATH = r"(?:[A-Za-z]:[\\/]|[~.]{0,2}[\\/])?(?:[\w@.+\-\[\]()]+[\\/])*[\w@.+\-\[\]]+"
_WORDS = (
    r"(?:(?:updated?|new|modified|changed|edited|full|complete|the|in|for|file|filename|file name|path"
    r"|file path|filepath)\s*)*"
)
_PLAIN = re.compile(
    rf"^\s*(?:\#{{1,6}}\s*|[-*]\s+|\d+[.)]\s+|>\s*)?(?:\*\*|__)?{_WORDS}:?\s*(?:\*\*|__)?\s*[`\"']?"
    rf"(?P<path>{_PATH})[`\"']?\s*(?:\*\*|__)?\s*:?\s*(?:\*\*|__)?\s*(?:\((?:updated|new|modified|changed)\))?:?\s*$",
    re.IGNORECASE,
)
_COMMENT = re.compile(
    r"^\s*(?:\#|//|--|/\*+|<!--|;)+\s*(?:(?:file|filename|path|filepath)\s*:\s*)?"
    rf"(?P<path>{_PATH})\s*(?:\*/|-->)?\s*$",
    re.IGNORECASE,
)
_QUOTED = re.compile(rf"`(?P<path>{_PATH})`|\*\*(?P<bold>{_PATH})\*\*")
LONGEST_LINE = 300


def named(line: str) -> str:
    """The path that is all a line says: a heading, a name in bold, `File: …`; empty for other lines."""
    found = _PLAIN.match(line) if len(line) <= LONGEST_LINE else None
    return found["path"] if found and looks_like_path(found["path"]) else ""


def commented(line: str) -> str:
    """The path that is all a comment says."""
    found = _COMMENT.match(line) if len(line) <= LONGEST_LINE else None
    return found["path"] if found and looks_like_path(found["path"]) else ""


def mentioned(line: str) -> str:
    """The only path in a sentence."""
    if LONGEST_LINE < len(line):
        return ""
    found = {it["path"] or it["bold"] for it in _QUOTED.finditer(line)}
    paths = [it for it in found if looks_like_path(it)]
    return paths[0] if len(paths) == 1 else ""


def looks_like_path(text: str) -> bool:
    """Whether its ending is one that files have."""
    name = re.split(r"[\\/]", text)[-1]
    stem, dot, ending = name.rpartition(".")
    return name.lower() in BY_NAME or bool(dot and stem.strip(".") and ending.lower() in BY_EXTENSION)


def find(path: str, documents: Mapping[str, Source]) -> str:
    """The document that is meant by a path, which may begin somewhere else or be only the last part."""
    cleaned = path.strip().strip("`\"'*").replace("\\", "/")
    if cleaned in documents:
        return cleaned
    if cleaned.startswith(("/", "~")) or re.match(r"[A-Za-z]:/", cleaned):
        raise Unclear(f"The answer names `{path}`, which is no path within the project.")
    parts = [it for it in cleaned.split("/") if it not in ("", ".")]
    if ".." in parts:
        raise Unclear(f"The answer names `{path}`, which leaves the project.")
    short = "/".join(parts)
    found = [it for it in documents if _is_end(short, it) or _is_end(it, short)]
    if short in documents:
        return short
    if not found:
        raise Unclear(f"The answer changes `{path}`, which was not asked about.")
    if 1 < len(found):
        raise Unclear(f"The answer names `{path}`, which may be several files.")
    return found[0]


def find_hint(path: str, documents: Mapping[str, Source]) -> str:
    """As ``find``, for a path that may be named for another reason: empty if it is none of the documents."""
    try:
        return find(path, documents) if path else ""
    except Unclear:
        return ""


def _is_end(short: str, path: str) -> bool:
    one, other = PurePosixPath(short).parts, PurePosixPath(path).parts
    return len(one) <= len(other) and other[len(other) - len(one) :] == one
