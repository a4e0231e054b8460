"""Pure: search/replace in its spellings: between marks, between tags, as JSON."""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from chat import edits_paths
from chat.edits_clean import FENCE
from chat.edits_lines import MOST_PAIRS
from chat.edits_types import Change, Code, Marked, Proposed, Unclear

_START = re.compile(r"^\s*<{5,9}(?:\s*$|[ \t]*[A-Za-z].{0,200}$)")
_MIDDLE = re.compile(r"^\s*={5,9}\s*$")
_END = re.compile(r"^\s*>{5,9}(?:\s*$|[ \t]*[A-Za-z].{0,200}$)")
_OLD_TAGS = "search|old|original|find|before|old_code|old_str|old_string"
_NEW_TAGS = "replace|new|updated|replacement|after|new_code|new_str|new_string"
_TAG = re.compile(
    rf"<(?P<old>{_OLD_TAGS})>[ \t]*\n?(?P<from>.*?)\n?[ \t]*</(?P=old)>\s*"
    rf"<(?P<new>{_NEW_TAGS})>[ \t]*\n?(?P<to>.*?)\n?[ \t]*</(?P=new)>",
    re.DOTALL | re.IGNORECASE,
)
_TAG_START = re.compile(rf"<(?:{_OLD_TAGS})>", re.IGNORECASE)
_TAG_PATH = re.compile(
    r"<(?:file|path|edit)\b[^>]*?(?:path|name)=[\"']([^\"']+)|<(?:path|file)>([^<\n]+)<", re.I
)
HOLE = "\0"  # Stands where something was read already, so that the rest keeps its place.
MOST_CHANGES = 200

_OLD_KEYS = (
    "old",
    "search",
    "find",
    "old_text",
    "old_string",
    "old_str",
    "old_code",
    "original",
    "before",
    "from",
)
_NEW_KEYS = (
    "new",
    "replace",
    "replacement",
    "new_text",
    "new_string",
    "new_str",
    "new_code",
    "updated",
    "after",
    "to",
)
_PATH_KEYS = ("path", "file", "file_path", "filepath", "filename", "file_name", "name")
_CODE_KEYS = ("code", "content", "text", "updated_code", "new_content", "function", "answer", "result")


def change(old: Sequence[str], new: Sequence[str], path: str = "", hint: str = "", whole: str = "") -> Change:
    """A search/replace block as lines that stay, go and come."""
    old, new = _trimmed(old, new)
    marked: list[Marked] = []
    if _pairs(old, new) <= MOST_PAIRS:
        steps = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    else:
        steps = [("replace", 0, len(old), 0, len(new))]
    for kind, a, b, c, d in steps:
        if kind == "equal":
            marked += [Marked(mark=" ", text=it) for it in old[a:b]]
        else:
            marked += [Marked(mark="-", text=it) for it in old[a:b]]
            marked += [Marked(mark="+", text=it) for it in new[c:d]]
    return Change(path=path, hint=hint, lines=tuple(marked), whole=whole)


def _pairs(old: Sequence[str], new: Sequence[str]) -> int:
    counts = Counter(old)
    return sum(counts[it] for it in new)


def between_marks(lines: Sequence[str]) -> tuple[list[Proposed], list[str]]:
    """The blocks between `<<<<<<<`, `=======` and `>>>>>>>`, and the other lines."""
    found: list[Proposed] = []
    rest: list[str] = []
    at = 0
    while at < len(lines):
        if not _START.match(lines[at]):
            rest.append(lines[at])
            at += 1
            continue
        if MOST_CHANGES <= len(found):
            raise Unclear("The answer has too many blocks to be read as edits.")
        path, hint = _path_above(rest, bool(found))
        end, old, new = _sides(lines, at)
        found.append(change(_unfenced(old), _unfenced(new), path, hint))
        rest.append(HOLE)
        at = end
    return found, rest


def _sides(lines: Sequence[str], start: int) -> tuple[int, list[str], list[str]]:
    """Where reading goes on, the old lines and the new ones."""
    last = next((at for at in range(start + 1, len(lines)) if _is_mark(lines[at])), len(lines))
    body = lines[start + 1 : last]
    middles = [at for at, it in enumerate(body) if _MIDDLE.match(it)]
    if not middles:
        raise Unclear("A search/replace block has no line of equal signs between its two parts.")
    if 1 < len(middles):
        raise Unclear("A search/replace block has two lines of equal signs, so its parts are not clear.")
    old, new = list(body[: middles[0]]), list(body[middles[0] + 1 :])
    if last < len(lines):
        return last + bool(_END.match(lines[last])), old, new
    fences = [at for at, it in enumerate(body) if FENCE.match(it)]
    if not fences or fences[0] < middles[0]:
        raise Unclear("A search/replace block has no end, so the answer may have been cut off.")
    # It forgot the last mark, not the fence.
    return start + 1 + fences[0], old, new[: fences[0] - middles[0] - 1]


def _is_mark(line: str) -> bool:
    return bool(_END.match(line) or _START.match(line))


def _unfenced(lines: list[str]) -> list[str]:
    """A side of a block without fences of its own."""
    filled = [at for at, it in enumerate(lines) if it.strip()]
    if 2 <= len(filled) and FENCE.match(lines[filled[0]]) and FENCE.match(lines[filled[-1]]):
        return lines[filled[0] + 1 : filled[-1]]
    return lines


def _path_above(lines: Sequence[str], goes_on: bool) -> tuple[str, str]:
    """The path named directly above a block; one that follows another block may leave it out."""
    for line in reversed(lines[-6:]):
        if line == HOLE:
            return "", ""
        fence = FENCE.match(line)
        if fence:
            if path := info_path(fence["info"]):
                return path, ""
        elif line.strip():
            path = edits_paths.named(line) or edits_paths.commented(line)
            return path, "" if path else edits_paths.mentioned(line)
    return "", ""


def info_path(info: str) -> str:
    """The path behind a fence: `python src/a.py`, `python:src/a.py`, `title="src/a.py"`, `src/a.py`."""
    for it in re.split(r"[\s,{}]+", info)[:8]:
        text = re.sub(r"^(?:\w+=)?[\"']?|[\"']$", "", it)
        for part in (text.partition(":")[2], text):
            if part and ("/" in part or "." in part) and edits_paths.looks_like_path(part):
                return part
    return ""


def between_tags(text: str) -> tuple[list[Proposed], str]:
    """`<search>…</search><replace>…</replace>`, and the text without them."""
    count = len(_TAG_START.findall(text))
    if MOST_CHANGES < count:
        raise Unclear("The answer has too many blocks to be read as edits.")
    if not count:
        return [], text
    found: list[Proposed] = []
    rest, at = [], 0
    for it in _TAG.finditer(text):
        before = text[at : it.start()]
        paths = [one or other for one, other in _TAG_PATH.findall(before)]
        path, hint = _path_above(
            [x for x in before.split("\n") if not x.lstrip().startswith("<")], bool(found)
        )
        old, new = _rows(it["from"]), _rows(it["to"])
        found.append(change(_unfenced(old), _unfenced(new), paths[-1].strip() if paths else path, hint))
        rest += [before, HOLE]
        at = it.end()
    return found, "".join([*rest, text[at:]])


def from_json(text: str) -> list[Proposed] | None:
    """Edits written as JSON; None if it is none, or says nothing of edits."""
    stripped = text.strip()
    if not stripped.startswith(("{", "[")):
        return None
    try:
        value = json.loads(stripped, strict=False)
    except (ValueError, RecursionError):
        return None
    found = list(_in_json(value, 0))
    return found or None


def _in_json(value: Any, depth: int, path: str = "") -> Iterator[Proposed]:
    if isinstance(value, list) and depth < 5:
        for it in value[:MOST_CHANGES]:
            yield from _in_json(it, depth + 1, path)
    if not isinstance(value, dict) or 5 <= depth:
        return
    path = _of(value, _PATH_KEYS) or path
    old, new, code = _of(value, _OLD_KEYS), _of(value, _NEW_KEYS), _of(value, _CODE_KEYS)
    if old is not None and new is not None:
        yield change(_rows(old.replace("\r", "")), _rows(new.replace("\r", "")), path)
    elif code is not None:
        yield Code(path=path, hint="", text=code.replace("\r", ""), complete=True)
    else:
        for it in value.values():
            yield from _in_json(it, depth + 1, path)


def _rows(text: str) -> list[str]:
    """The lines of a part; of an empty one none."""
    return text.split("\n") if text else []


def _of(value: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((value[it] for it in keys if isinstance(value.get(it), str)), None)


def _trimmed(old: Sequence[str], new: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Without the blank lines that both begin or end with; an old part that is all blank is empty."""
    old = old if any(map(str.strip, old)) else ()
    while old and new and old[0] == new[0] and not old[0].strip():
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1] and not old[-1].strip():
        old, new = old[:-1], new[:-1]
    return old, new
