"""The documentation of a definition, made from its signature and its body: what is missing, and no more.

What only its author can know is left as a gap. What is documented already stays as it is.
"""

from __future__ import annotations

from posixpath import dirname

from chat import docstrings_comments, docstrings_python, docstrings_styles, shapes
from chat.code import Code
from chat.docstrings_styles import Manner
from chat.edits_lines import edits, split
from chat.edits_types import Edit, LineEdit, Refusal, Source
from chat.shape_python import node_of
from chat.target import Target, see
from codeindex.types import SymbolRow

MOST_NEIGHBORS = 4  # Files that are looked at for the style, where the file itself shows none.


async def skeleton(target: Target, code: Code) -> tuple[Edit, ...] | Refusal:
    """The edits that document the definition at a place."""
    seen = await see(target, code)
    if isinstance(seen, Refusal):
        return seen
    fallback = None
    if seen.source.language == "python" and not docstrings_styles.texts(seen.source.text):
        fallback = await _neighbors(target.path, code)
    return document(seen.source, seen.row, fallback)


def document(source: Source, row: SymbolRow, fallback: Manner | None = None) -> tuple[Edit, ...] | Refusal:
    """The edits that document one definition; ``fallback`` is for a file that shows no style itself."""
    shape = shapes.shape(source.text, source.language, row)
    if shape is None:
        return Refusal(reason=f"`{row.name}` in `{source.path}` cannot be read as a definition.")
    lines = split(source.text)
    if source.language == "python":
        changes = _of_python(source, lines.texts, row, fallback)
    else:
        changes = docstrings_comments.document(lines.texts, shape, source.text)
    return changes if isinstance(changes, Refusal) else edits(source, lines, changes)


def _of_python(
    source: Source, lines: tuple[str, ...], row: SymbolRow, fallback: Manner | None
) -> list[LineEdit] | Refusal:
    found = shapes.python(source.text)
    shape = shapes.shape(source.text, "python", row)
    node = node_of(found, row.name, row.line) if found else None
    if node is None or shape is None:
        return Refusal(reason=f"`{source.path}` is not valid Python now, so nothing is changed in it.")
    docs = docstrings_styles.texts(source.text)
    manner = docstrings_styles.manner(docs, source.text, fallback) or Manner(style="google")
    return docstrings_python.document(lines, node, shape, manner)


async def _neighbors(path: str, code: Code) -> Manner | None:
    """The style of the files beside this one."""
    folder = dirname(path)
    docs: list[str] = []
    texts: list[str] = []
    for it in (await code.files(f"{folder}/*.py" if folder else "*.py", limit=50))[: MOST_NEIGHBORS * 3]:
        text = await code.text(it) if it != path else None
        if text and (found := docstrings_styles.texts(text)):
            docs += found
            texts.append(text)
        if MOST_NEIGHBORS <= len(texts):
            break
    return docstrings_styles.manner(docs, "\n".join(texts))
