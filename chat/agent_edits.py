"""What an agent's answer proposes -> edits of the files that were looked at, or why not; none is made."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from chat import edits
from chat.agent_words import EDITS
from chat.code import Code
from chat.edits_types import Change, Edit, Proposed, Refusal, Source
from chat.types import Question
from codeindex.languages import language_of

MOST_FILES = 20
Found = tuple[tuple[Edit, ...], Mapping[str, Source]]


async def proposed(
    answer: str, question: Question, paths: Iterable[str], code: Code, *, finished: bool | None
) -> Found | Refusal:
    """The edits of an answer with what they are edits of; none if it proposes none."""
    parts = await asyncio.to_thread(_parts, answer, question, finished)
    if isinstance(parts, Refusal):
        return parts if question.task in EDITS else ((), {})
    named = [it.path for it in parts if it.path]
    sources = await _sources([question.path, *named, *paths], question, code)
    if not parts or not sources:
        return (), {}
    placed = await asyncio.to_thread(edits.place, parts, sources)
    if isinstance(placed, Refusal):
        return placed
    used = {path: sources[path] for path in dict.fromkeys(it.path for it in placed)}
    checked = await _checked(placed, used, code)
    return checked if isinstance(checked, Refusal) else (checked, used)


def _parts(answer: str, question: Question, finished: bool | None) -> Sequence[Proposed] | Refusal:
    language = question.language or (question.selection.language if question.selection else "")
    found = edits.read(answer, language=language, task=question.task, finished=finished)
    if isinstance(found, Refusal) or question.task in EDITS:
        return found
    # Code in an answer to a question is an example; only what says that it is a change is one.
    return tuple(it for it in found if isinstance(it, Change))


async def _sources(paths: Iterable[str], question: Question, code: Code) -> dict[str, Source]:
    """The files as they are now, with their versions; only such as may be read."""
    found: dict[str, Source] = {}
    chosen = question.selection
    for path in dict.fromkeys(it for it in ([chosen.path] if chosen else []) + list(paths) if it):
        if MOST_FILES <= len(found):
            break
        version, text = await code.version(path), await code.text(path)
        if text is None or version != await code.version(path):
            continue
        found[path] = Source(
            path=path,
            text=text,
            version=version,
            language=language_of(path.rpartition("/")[2]) or "",
            focus=(chosen.first_line, chosen.last_line) if chosen and chosen.path == path else None,
        )
    return found


async def _checked(
    placed: Sequence[Edit], sources: Mapping[str, Source], code: Code
) -> tuple[Edit, ...] | Refusal:
    """The same edits, if every file has no more faults with them than before."""
    known: dict[tuple[str, str], int | None] = {}
    for path, it in sources.items():
        after = edits.apply(it.text, [edit for edit in placed if edit.path == path])
        for text in (it.text, after):
            known[text, it.language] = await code.faults(text, it.language)
    return await asyncio.to_thread(
        edits.check, placed, sources, lambda text, language: known.get((text, language))
    )
