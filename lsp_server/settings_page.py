"""Write `docs/settings.md` from the settings themselves: `python -m lsp_server.settings_page`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from lsp_server.settings import FIELDS

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"

INTRODUCTION = """\
# Settings

<!-- Made by `python -m lsp_server.settings_page`; edit `lsp_server/settings.py` instead. -->

Settings come from two places.

- **Your own file**, `settings.json` in Hearth's configuration folder (`hearth doctor` says where).
  It works in every editor.
- **Your editor**: in the section `hearth` of its settings, or as `initializationOptions`.

The editor wins over the file, and `hearth lsp --model …` over both.
No file in a repository is ever read.
What begins with `chat.` or `cloud.` counts in your own file alone, as it decides who gets to see your code.
An editor hands over a workspace's settings as if they were yours, and a workspace must not decide that.
A value that cannot be used is reported once, in one sentence, and its default is used.

```json
{
  "completion": { "confidence": "quiet" },
  "model": "/home/me/models/qwen2.5-coder-1.5b-q4_0.gguf"
}
```

Names can also be written in one piece (`"completion.confidence": "quiet"`).
Changes in the editor take effect at once; changes in the file when a server starts.
The engine is shared by all editors: what begins with `engine.` is for the next one that starts.
"""


def page() -> str:
    """The whole page."""
    return INTRODUCTION + "".join(
        f"\n## `{it.metadata['key']}`\n\n{_sentences(it.metadata['says'])}\n\n"
        f"- Default: `{_default(it)}`\n- Allowed: {it.metadata['allowed']}\n"
        + ("- Where: in your own file alone\n" if it.metadata["own"] else "")
        for it in sorted(FIELDS, key=lambda it: bool(it.metadata["own"]))
    )


def _default(it: dataclasses.Field[object]) -> str:
    is_object = str(it.metadata["allowed"]).startswith("an object")
    return "{}" if is_object and not it.default else json.dumps(it.default)


def _sentences(text: str) -> str:
    """One sentence to a line."""
    return text.replace(". ", ".\n")


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
