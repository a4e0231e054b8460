"""Pure: how many tokens a text may take, for models whose tokenizer is not at hand."""

from __future__ import annotations

import re

# How tokenizers cut: words and pairs of signs with the blank before them, digits, the rest by its kind.
_PARTS = re.compile(
    r"(?P<word> ?[A-Z]*[a-z]+| ?[A-Z]+)|(?P<digit>[0-9])|(?P<signs> ?[!-/:-@\[-`{-~]{1,2})"
    r"|(?P<lines>[^\S\n]*\n+)|(?P<blanks>[^\S\n]+)|(?P<other>.)",
    re.DOTALL,
)
LETTERS = 6  # Of a word in one token: common words are longer, names and abbreviations shorter.
OTHER = 2  # For a letter of another script: measured, half to two. Beyond the 16-bit plane each byte counts.


def tokens(text: str) -> int:
    """At most so many tokens, for prose and code as people write them: rather too many than too few."""
    count = 0
    for part in _PARTS.finditer(text):
        match part.lastgroup:
            case "word":
                count += 1 + (len(part.group().lstrip()) - 1) // LETTERS
            case "other":
                size = len(part.group().encode("utf-8", "replace"))
                count += size if 3 < size else min(size, OTHER)
            case _:
                count += 1
    return count
