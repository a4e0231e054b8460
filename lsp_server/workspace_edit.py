"""Pure: edits and new files -> a `WorkspaceEdit`: for this very version, to be looked at before it is made.

Every edit carries an annotation, by which an editor can show it and ask first. Where one document is no
longer what was asked about, or the editor cannot do a part of it, there is no edit at all, but a sentence.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from lsprotocol import types as lsp

from chat.edits_types import Edit, NewFile, Refusal, Source
from lsp_server import convert
from lsp_server.convert import Encoding
from lsp_server.documents import split_lines

START = lsp.Position(line=0, character=0)
LONGEST_LABEL = 80  # characters: menus and dialogs have one line for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What an editor can do with a `WorkspaceEdit`."""

    applies: bool = False
    """Whether it takes edits from a server at all."""
    versions: bool = False
    """Whether it compares versions itself."""
    creates: bool = False
    """Whether it makes new files."""
    previews: bool = False
    """Whether it can ask before an edit is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What a document is when the edit is about to be sent; ``None`` where it is not there."""

    text: str | None
    version: int | None


def abilities(client: lsp.ClientCapabilities) -> Abilities:
    """What the client says of itself. Who makes files takes versions too, says the protocol."""
    workspace = client.workspace
    edit = workspace.workspace_edit if workspace else None
    operations = (edit.resource_operations if edit else None) or ()
    return Abilities(
        applies=bool(workspace and workspace.apply_edit),
        versions=bool(edit and (edit.document_changes or edit.resource_operations)),
        creates=lsp.ResourceOperationKind.Create in operations,
        previews=bool(edit and edit.change_annotation_support),
    )


def still_there(
    edits: Sequence[Edit], files: Iterable[NewFile], sources: Mapping[str, Source], now: Mapping[str, Now]
) -> Refusal | None:
    """Why this is not to be sent, if a document has moved on, or a new file is there already.

    Texts are compared as well: a file that is not open has no version.
    """
    for path in sorted({it.path for it in edits}):
        found, asked = now.get(path), sources.get(path)
        if asked is None or found is None or found.text is None:
            return Refusal(reason=f"`{path}` is no longer there, so nothing was changed.")
        versions = {found.version, *(it.version for it in edits if it.path == path)}
        if versions != {asked.version} or found.text != asked.text:
            return Refusal(reason=moved(path))
    for file in files:
        if (found := now.get(file.path)) is not None and found.text is not None:
            return Refusal(reason=f"`{file.path}` is there already, so nothing was changed.")
    return None


def moved(path: str) -> str:
    """What is said of a document that was edited meanwhile."""
    return f"`{path}` has changed meanwhile, so nothing was changed: ask again."


def workspace_edit(
    edits: Sequence[Edit],
    files: Sequence[NewFile],
    sources: Mapping[str, Source],
    *,
    uri_of: Callable[[str], str],
    encoding: Encoding,
    able: Abilities,
    end_of: Callable[[str], str] = lambda path: "\n",
) -> lsp.WorkspaceEdit | Refusal:
    """The edit as this editor takes it; all of it, or a sentence.

    Sources may have other line ends than the documents: ``end_of`` gives a document's own.
    """
    if not able.applies:
        return Refusal(reason="This editor does not let a server change text, so nothing was changed.")
    if files and not able.creates:
        names = ", ".join(f"`{it.path}`" for it in files)
        return Refusal(reason=f"This editor does not make files for a server, so {names} was not made.")
    if missing := {it.path for it in edits} - sources.keys():
        return Refusal(reason=f"`{min(missing)}` was not read, so nothing was changed.")
    notes = _Notes(able)
    by_uri = {
        uri_of(path): (path, _text_edits(own, sources[path], encoding, notes, end_of(path)))
        for path, own in _by_path(edits).items()
    }
    if not able.versions:
        return lsp.WorkspaceEdit(
            changes={
                uri: [it for it in made if isinstance(it, lsp.TextEdit)] for uri, (_, made) in by_uri.items()
            }
        )
    changes: list[lsp.TextDocumentEdit | lsp.CreateFile] = [
        lsp.TextDocumentEdit(text_document=_identified(uri, sources[path].version), edits=made)
        for uri, (path, made) in by_uri.items()
    ]
    for file in files:
        changes += _created(file, uri_of(file.path), notes)
    return lsp.WorkspaceEdit(document_changes=changes, change_annotations=notes.all)


class _Notes:
    """The annotations of one edit: one for each thing that it does."""

    def __init__(self, able: Abilities) -> None:
        self._able = able
        self._ids: dict[tuple[str, str], str] = {}

    @property
    def all(self) -> dict[str, lsp.ChangeAnnotation] | None:
        if not self._ids:
            return None
        return {
            name: lsp.ChangeAnnotation(label=label, needs_confirmation=True, description=where)
            for (label, where), name in self._ids.items()
        }

    def on(self, label: str, path: str) -> str | None:
        """The annotation that says this; ``None`` where the editor has no use for one."""
        if not self._able.previews or not self._able.versions:
            return None
        key = (label[:LONGEST_LABEL] or "Change", path)
        return self._ids.setdefault(key, f"hearth-{len(self._ids) + 1}")


def _by_path(edits: Sequence[Edit]) -> dict[str, list[Edit]]:
    found: dict[str, list[Edit]] = {}
    for it in edits:
        found.setdefault(it.path, []).append(it)
    return found


def _identified(uri: str, version: int | None) -> lsp.OptionalVersionedTextDocumentIdentifier:
    return lsp.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version)


def _text_edits(
    edits: Sequence[Edit], source: Source, encoding: Encoding, notes: _Notes, end: str
) -> list[lsp.TextEdit | lsp.AnnotatedTextEdit]:
    lines = split_lines(source.text)
    starts = list(accumulate((len(it) for it in lines), initial=0))
    made: list[lsp.TextEdit | lsp.AnnotatedTextEdit] = []
    for it in edits:
        where = lsp.Range(
            start=_position(lines, starts, it.start, encoding), end=_position(lines, starts, it.end, encoding)
        )
        text = it.new_text.replace("\r\n", "\n").replace("\n", end) if end != "\n" else it.new_text
        made.append(_text_edit(where, text, notes.on(it.says, it.path)))
    return made


def _position(lines: list[str], starts: list[int], offset: int, encoding: Encoding) -> lsp.Position:
    """Where a code point of the text is. Between the two halves of a line break is before it."""
    line = min(bisect_right(starts, offset) - 1, len(lines) - 1)
    index = min(offset - starts[line], convert.content_length(lines[line]))
    return lsp.Position(line=line, character=convert.units_in(lines[line][:index], encoding))


def _text_edit(where: lsp.Range, text: str, note: str | None) -> lsp.TextEdit | lsp.AnnotatedTextEdit:
    if note is None:
        return lsp.TextEdit(range=where, new_text=text)
    return lsp.AnnotatedTextEdit(annotation_id=note, range=where, new_text=text)


def _created(file: NewFile, uri: str, notes: _Notes) -> list[lsp.TextDocumentEdit | lsp.CreateFile]:
    note = notes.on(f"New file {file.path}", file.path)
    create = lsp.CreateFile(
        uri=uri,
        options=lsp.CreateFileOptions(overwrite=False, ignore_if_exists=False),
        annotation_id=note,
    )
    where = lsp.Range(start=START, end=START)
    return [
        create,
        lsp.TextDocumentEdit(
            text_document=_identified(uri, None), edits=[_text_edit(where, file.text, note)]
        ),
    ]
