"""Pure: find a special token that leaked into the text, as models say that they have nothing more to say."""

from __future__ import annotations

import re

SPECIAL_TOKEN = re.compile(
    r"<\s?[|｜][\w▁ :.-]{1,40}[|｜]\s?>"  # Qwen, DeepSeek, Llama 3, phi
    r"|</?(?:fim_prefix|fim_suffix|fim_middle|fim_pad|fim-prefix|fim-suffix|fim-middle|file_sep|file_separator"
    r"|repo_name|reponame|filename|endoftext|gh_stars|issue_start|jupyter_start|empty_output)>"
    r"|<(?:PRE|SUF|MID|EOT|EOS|BOS|UNK)>|\u2581<(?:PRE|SUF|MID|EOT)>"
    r"|\[(?:PREFIX|SUFFIX|MIDDLE)\]"
    r"|[\0\ufffd]|\r(?=[^\n])"  # No editor shows these; a model that writes them is lost.
)


def special_token_at(text: str) -> int | None:
    """Where the first special token starts."""
    found = SPECIAL_TOKEN.search(text)
    return found.start() if found else None
