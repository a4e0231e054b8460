"""Pure: a model's answer -> edits against the very text that was asked about, or why not.

``read`` takes the answer apart, ``place`` finds where each part belongs, ``check`` sees that what could be
parsed still can. A part is placed only where it fits and where nothing else would do as well. All of an
answer is placed, or none of it: half of a change is a wrong one. No answer replaces a whole file.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Mapping, Sequence

from chat import edits_paths, edits_read
from chat.edits_code import place_code
from chat.edits_lines import edits as as_edits
from chat.edits_lines import split
from chat.edits_match import place_change
from chat.edits_types import (
    Change,
    Code,
    Edit,
    LineEdit,
    Lines,
    Proposed,
    Refusal,
    Source,
    Unclear,
)
from chat.edits_units import outline
from chat.types import Task

__all__ = ["Edit", "Proposed", "Refusal", "Source", "apply", "check", "place", "read", "still_fits"]

LONGEST_DOCUMENT = 2_000_000  # characters
MOST_LINES = 50_000

Faults = Callable[[str, str], "int | None"]
"""A text and its language -> how many faults its grammar finds; None if nobody can say."""


def read(
    answer: str, *, language: str, task: Task, finished: bool | None = None
) -> tuple[Proposed, ...] | Refusal:
    """What an answer proposes, in any of the forms that models write.

    ``finished`` says whether the model came to its end by itself; False: it was cut off; None: nobody knows.
    """
    try:
        return edits_read.proposals(answer, language=language, task=task, finished=finished)
    except Unclear as exc:
        return Refusal(reason=str(exc))


def place(proposed: Sequence[Proposed], documents: Mapping[str, Source]) -> tuple[Edit, ...] | Refusal:
    """The edits that are meant, sorted by document and place; a refusal if any part is not clear."""
    try:
        return _place(proposed, documents)
    except Unclear as exc:
        return Refusal(reason=str(exc))


def check(
    edits: Sequence[Edit], documents: Mapping[str, Source], faults: Faults
) -> tuple[Edit, ...] | Refusal:
    """The same edits, if each document has no more faults with them than before."""
    for path, source in documents.items():
        own = [it for it in edits if it.path == path]
        if not own:
            continue
        text = apply(source.text, own)
        before, after = faults(source.text, source.language), faults(text, source.language)
        is_worse = before is not None and (after is None or before < after)
        if is_worse or (source.language == "python" and _is_python(source.text) and not _is_python(text)):
            return Refusal(
                reason=f"With the answer's change `{path}` would no longer be valid {source.language}."
            )
    return tuple(edits)


def apply(text: str, edits: Sequence[Edit]) -> str:
    """The text of one document with its edits made; they are sorted and apart, as ``place`` gives them."""
    parts: list[str] = []
    at = 0
    for it in edits:
        if not at <= it.start <= it.end <= len(text):
            raise ValueError("edits are not sorted, or not of this text")
        parts += [text[at : it.start], it.new_text]
        at = it.end
    return "".join([*parts, text[at:]])


def still_fits(edits: Sequence[Edit], version: int | None) -> bool:
    """Whether edits of one document may be made in this version of it: only in the one they are for."""
    return all(it.version == version for it in edits)


def _place(proposed: Sequence[Proposed], documents: Mapping[str, Source]) -> tuple[Edit, ...]:
    if not documents:
        raise Unclear("There is no document to be changed.")
    lines = {path: split(it.text) for path, it in documents.items()}
    for path, it in documents.items():
        if LONGEST_DOCUMENT < len(it.text) or MOST_LINES < len(lines[path].texts):
            raise Unclear(f"`{path}` is too long to be changed from here.")
    parts = _major(proposed, next(iter(documents.values())).language)
    changes: dict[str, list[LineEdit]] = {}
    last = ""
    for number, part in enumerate(parts, 1):
        try:
            last, found = _part(part, documents, lines, last)
        except Unclear as exc:
            raise Unclear(f"Part {number} of {len(parts)}: {exc}" if 1 < len(parts) else str(exc)) from exc
        changes.setdefault(last, []).extend(found)
    placed: list[Edit] = []
    for path in sorted(changes):
        own = as_edits(documents[path], lines[path], changes[path])
        _keep_something(documents[path], lines[path], own)
        placed += own
    if not placed:
        raise Unclear("The answer changes nothing: its code is what the document has already.")
    return tuple(placed)


def _major(proposed: Sequence[Proposed], language: str) -> list[Proposed]:
    """Without what is no part of the change, unless there is nothing else, or it defines something else."""
    parts = [it for it in proposed if not (isinstance(it, Code) and it.minor)]
    if not parts:
        return list(proposed)
    texts = [it.text if isinstance(it, Code) else it.whole for it in parts]
    defined = {name for it in texts for name in _defined(it, language)}
    return [
        it
        for it in proposed
        if it in parts or (isinstance(it, Code) and _defined(it.text, language) - defined)
    ]


def _defined(text: str, language: str) -> set[str]:
    return {it.name for it in outline(text.split("\n"), language).units if it.kind != "value"}


def _part(
    part: Proposed, documents: Mapping[str, Source], lines: Mapping[str, Lines], last: str
) -> tuple[str, list[LineEdit]]:
    """The document that a part is for, and the changes of its lines."""
    named = edits_paths.find(part.path, documents) if part.path else ""
    if not named and len(documents) == 1:
        named = next(iter(documents))
    if named:
        return named, _placed(part, documents[named], lines[named])
    fitting: dict[str, list[LineEdit]] = {}
    reasons: list[str] = []
    for path, source in documents.items():
        if not source.text.strip():
            continue
        try:
            fitting[path] = _placed(part, source, lines[path])
        except Unclear as exc:
            reasons.append(str(exc))
    hint = edits_paths.find_hint(part.hint, documents)
    chosen = [it for it in (hint, *fitting) if it in fitting]
    if 1 < len(fitting) and hint not in fitting:
        names = ", ".join(f"`{it}`" for it in sorted(fitting))
        raise Unclear(f"The answer does not say which file it changes, and it fits into {names}.")
    if not chosen:
        raise Unclear(
            reasons[0] if len(reasons) == 1 else "The answer fits into none of the files asked about."
        )
    return chosen[0], fitting[chosen[0]]


def _placed(part: Proposed, source: Source, lines: Lines) -> list[LineEdit]:
    if isinstance(part, Code):
        return place_code(source, lines, part)
    try:
        return place_change(source, lines, part)
    except Unclear:
        found = []
        if part.whole and _defined(part.whole, source.language):
            found = place_code(source, lines, _as_code(part))
        if not found:
            raise
        return found


def _as_code(change: Change) -> Code:
    return Code(path=change.path, hint=change.hint, text=change.whole, complete=True)


def _keep_something(source: Source, lines: Lines, edits: Sequence[Edit]) -> None:
    """No answer writes a file anew, and none empties it."""
    filled = [at for at, it in enumerate(lines.texts) if it.strip()]
    if not filled or not edits:
        return
    spans = [(it.start, it.end) for it in edits]
    stays = any(all(not a <= lines.starts[at] < b for a, b in spans) for at in filled)
    if not apply(source.text, edits).strip():
        raise Unclear(f"The answer would remove everything in `{source.path}`.")
    if not stays and 1 < len(filled):
        raise Unclear(f"The answer would replace the whole of `{source.path}`.")


def _is_python(text: str) -> bool:
    """Whether Python itself can read it: a grammar forgives indentation, and a block without a body."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text.removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
