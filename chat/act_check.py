"""See that a change leaves every file no worse to parse than it was."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from chat import edits
from chat.act_edits import Made, texts_after
from chat.code import Code
from chat.edits_types import Refusal, Source
from codeindex.languages import language_of


async def checked(
    made: Made, sources: Mapping[str, Source], files: Mapping[str, str], code: Code
) -> Made | Refusal:
    """The same change; or why it is not made. ``files`` are new ones as they would be without an answer."""
    if missing := {it.path for it in made.edits} - sources.keys():
        return Refusal(reason=f"`{min(missing)}` was not read, so nothing is changed in it.")
    known: dict[tuple[str, str], int | None] = {}
    after = await asyncio.to_thread(texts_after, made.edits, sources)
    for path, text in after.items():
        source = sources[path]
        for it in (source.text, text):
            known[it, source.language] = await code.faults(it, source.language)

    def faults(text: str, language: str) -> int | None:
        return known.get((text, language))

    found = await asyncio.to_thread(edits.check, made.edits, sources, faults)
    if isinstance(found, Refusal):
        return found
    for file in made.files:
        language = language_of(file.path.rpartition("/")[2])
        least = await code.faults(files.get(file.path, ""), language) or 0
        if least < (await code.faults(file.text, language) or 0):
            return Refusal(reason=f"`{file.path}` would not be valid {language}.")
    return made
