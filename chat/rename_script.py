"""Pure: what a name in JavaScript stands for at a place: itself, half of a short form, a key, a property."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from chat.edits_lexical import Scan, scan

Meaning = Literal["plain", "shorthand", "shorthand key", "unsure", "other"]
_HANDS_OUT = re.compile(r"\b(?:import(?:\s+type)?(?:\s+\w+\s*,)?|export(?:\s+type)?)$|\bmodule\.exports\s*=$")
_scan = lru_cache(8)(scan)


def meaning(text: str, language: str, at: int, name: str, *, is_member: bool) -> Meaning:
    """What becomes of the name at an offset when the symbol is renamed.

    ``shorthand``: `{x}` becomes `{x: y}`; ``shorthand key``: `{y: x}`; ``other``: it is left alone.
    """
    if "\r" in text:
        at -= text.count("\r\n", 0, at)
        text = text.replace("\r\n", "\n")
    seen = _scan(text, language)
    before, after = seen.blank[:at].rstrip(), seen.blank[at + len(name) :].lstrip()
    if before.endswith(".") and not before.endswith("..."):
        return "plain" if is_member or re.search(r"(?:exports|this|import\.meta)\s*\.$", before) else "unsure"
    opens = _opens(seen, at)
    is_in_braces = opens is not None and seen.blank[opens] == "{"
    if not is_in_braces or opens is None:
        return "plain"
    head = seen.blank[:opens].rstrip()
    is_listed = before.endswith(("{", ",")) or before.endswith("...")
    behind = seen.blank[seen.pairs[opens] + 1 :][:40]
    if _HANDS_OUT.search(head) or re.match(r"\s*=\s*(?:require|await\s+import)\b", behind):
        return "plain"  # both sides of the name are renamed
    if not is_listed or before.endswith("...") or _is_block(head):
        return "plain"
    if after.startswith(":") and not after.startswith("::"):
        return "unsure" if is_member else "other"
    if after[:1] in (",", "}") or re.match(r"=(?![=>])", after):
        return "shorthand key" if is_member else "shorthand"
    return "plain"


def written(found: Meaning, name: str, new_name: str) -> str:
    """What stands there afterwards."""
    return {"shorthand": f"{name}: {new_name}", "shorthand key": f"{new_name}: {name}"}.get(found, new_name)


def _opens(seen: Scan, at: int) -> int | None:
    """The innermost bracket around an offset."""
    around = [opens for opens, closes in seen.pairs.items() if opens < at < closes]
    return max(around, default=None)


def _is_block(head: str) -> bool:
    """Whether a bracket opens a block of statements, a class, an interface, and not an object."""
    if head.endswith((")", "=>", ";", "}")) or not head:
        return True
    if re.search(r"\b(?:else|do|try|finally)$", head):
        return True
    line = head[max(head.rfind(";"), head.rfind("}"), head.rfind("\n")) + 1 :]
    return bool(re.search(r"\b(?:class|interface|enum|namespace|module)\s+[\w$]", line)) and "=" not in line
