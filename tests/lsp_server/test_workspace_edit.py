"""What an editor is told to change is exactly the edit, in its own units, or it is told nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from chat.edits import apply
from chat.edits_types import Edit, NewFile, Refusal, Source
from lsp_server.convert import Encoding
from lsp_server.documents import Document
from lsp_server.workspace_edit import Abilities, Now, abilities, still_there, workspace_edit

ALL = Abilities(applies=True, versions=True, creates=True, previews=True)
TEXT = "def a():\n    return 'é😀'\n\n\ndef b():\n    return 2\n"
SOURCE = Source(path="src/a.py", text=TEXT, version=7, language="python")
OTHER = Source(path="b.py", text="import a\n", version=None, language="python")


def uri_of(path: str) -> str:
    return f"file:///project/{path}"


def edit(old: str, new: str, source: Source = SOURCE, says: str = "Change a") -> Edit:
    start = source.text.index(old)
    end = start + len(old)
    return Edit(path=source.path, version=source.version, start=start, end=end, new_text=new, says=says)


def made(
    *edits: Edit,
    files: tuple[NewFile, ...] = (),
    able: Abilities = ALL,
    encoding: Encoding = "utf-16",
    sources: tuple[Source, ...] = (SOURCE, OTHER),
) -> lsp.WorkspaceEdit:
    found = workspace_edit(
        edits, files, {it.path: it for it in sources}, uri_of=uri_of, encoding=encoding, able=able
    )
    assert isinstance(found, lsp.WorkspaceEdit), found
    return found


def applied(text: str, edits: list[lsp.TextEdit | lsp.AnnotatedTextEdit], encoding: Encoding) -> str:
    """The document as an editor of this encoding would have it, the last edit first."""
    document = Document("file:///a", "python", 1, text)
    for it in reversed(edits):
        document.apply([lsp.TextDocumentContentChangePartial(range=it.range, text=it.new_text)], 2, encoding)
    return document.text


@given(
    lines=st.lists(st.text("aé😀 \t\u2028\x0c", max_size=4), min_size=1, max_size=6),
    ends=st.lists(st.sampled_from(["\n", "\r\n", "\r"]), min_size=6, max_size=6),
    last=st.booleans(),
    data=st.data(),
    encoding=st.sampled_from(["utf-8", "utf-16", "utf-32"]),
)
def test_the_editor_makes_the_very_edit(
    lines: list[str], ends: list[str], last: bool, data: st.DataObject, encoding: Encoding
) -> None:
    """Whatever the line ends, the characters and the editor's units, what comes out is what was meant."""
    parts = [text + end for text, end in zip(lines, ends, strict=False)]
    text = "".join(parts[:-1]) + (parts[-1] if last else lines[-1])
    places = [0]
    for it in parts:
        places.append(min(len(text), places[-1] + len(it)))
    places = [it for it in places if text[max(0, it - 1) : it + 1] != "\r\n"]
    if 0 < len(text) and text[-1] == "\r":
        places.pop()  # What is put behind it may join it.
    start, end = sorted(data.draw(st.tuples(st.sampled_from(places), st.sampled_from(places))))
    new = data.draw(st.sampled_from(["", "x = 1\n", "é\n😀\n"]))
    source = replace(SOURCE, text=text)
    meant = Edit(path=SOURCE.path, version=7, start=start, end=end, new_text=new, says="")
    [change] = made(meant, sources=(source,), encoding=encoding).document_changes or ()
    assert isinstance(change, lsp.TextDocumentEdit)
    plain = [it for it in change.edits if not isinstance(it, lsp.SnippetTextEdit)]
    assert applied(text, plain, encoding) == apply(text, [meant])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_a_part_of_a_line(encoding: Encoding) -> None:
    """Behind characters that take one unit, two or four: a new name is such an edit."""
    text = "a = 'é😀', b  # b\n"
    source = replace(SOURCE, text=text)
    [change] = made(edit("b  #", "c  #", source), sources=(source,), encoding=encoding).document_changes or ()
    assert isinstance(change, lsp.TextDocumentEdit)
    plain = [it for it in change.edits if not isinstance(it, lsp.SnippetTextEdit)]
    assert applied(text, plain, encoding) == "a = 'é😀', c  # b\n"


def test_line_ends_are_the_documents_own() -> None:
    """Sources may have other ones: what is put in ends as the document's lines do."""
    found = workspace_edit(
        [edit("    return 2\n", "    x = 1\n    return 3\n")],
        (),
        {SOURCE.path: SOURCE},
        uri_of=uri_of,
        encoding="utf-16",
        able=ALL,
        end_of=lambda path: "\r\n",
    )
    assert isinstance(found, lsp.WorkspaceEdit)
    [change] = found.document_changes or ()
    assert isinstance(change, lsp.TextDocumentEdit)
    document = Document("file:///a", "python", 1, TEXT.replace("\n", "\r\n"))
    [it] = [it for it in change.edits if not isinstance(it, lsp.SnippetTextEdit)]
    document.apply([lsp.TextDocumentContentChangePartial(range=it.range, text=it.new_text)], 2, "utf-16")
    assert document.text == TEXT.replace("    return 2", "    x = 1\n    return 3").replace("\n", "\r\n")


def test_several_files_are_one_edit() -> None:
    """One edit with the versions asked about: the editor undoes it in one step."""
    files = (NewFile(path="tests/test_a.py", text="def test_a():\n    ...\n"),)
    both = made(
        edit("    return 2\n", "    return 3\n"), edit("import a\n", "import b\n", OTHER), files=files
    )
    first, second, create, filled = both.document_changes or ()
    assert isinstance(first, lsp.TextDocumentEdit)
    assert isinstance(second, lsp.TextDocumentEdit)
    assert (first.text_document.uri, first.text_document.version) == (uri_of("src/a.py"), 7)
    assert (second.text_document.uri, second.text_document.version) == (uri_of("b.py"), None)
    assert isinstance(create, lsp.CreateFile)
    assert create.options == lsp.CreateFileOptions(overwrite=False, ignore_if_exists=False)
    assert isinstance(filled, lsp.TextDocumentEdit)
    assert filled.edits[0].new_text == files[0].text  # type: ignore[union-attr]


def test_everything_can_be_looked_at_first() -> None:
    """Where an editor can ask, it is to ask about each edit, under what it does and where."""
    both = made(edit("    return 2\n", "    return 3\n"), edit("import a\n", "import b\n", OTHER, "Change b"))
    notes = both.change_annotations or {}
    assert [(it.label, it.description, it.needs_confirmation) for it in notes.values()] == [
        ("Change a", "src/a.py", True),
        ("Change b", "b.py", True),
    ]
    used = [
        it.annotation_id
        for change in both.document_changes or ()
        if isinstance(change, lsp.TextDocumentEdit)
        for it in change.edits
        if isinstance(it, lsp.AnnotatedTextEdit)
    ]
    assert used == list(notes)
    plain = made(edit("    return 2\n", "    return 3\n"), able=replace(ALL, previews=False))
    assert plain.change_annotations is None


def test_an_editor_without_versions() -> None:
    """It gets plain changes, as the version was compared a moment ago."""
    plain = made(edit("    return 2\n", ""), able=Abilities(applies=True))
    assert plain.document_changes is None
    assert plain.changes is not None
    where = lsp.Range(lsp.Position(5, 0), lsp.Position(6, 0))
    assert plain.changes[uri_of("src/a.py")] == [lsp.TextEdit(range=where, new_text="")]


@pytest.mark.parametrize(
    ("able", "files", "says"),
    [
        (Abilities(), (), "does not let a server change text"),
        (replace(ALL, creates=False), (NewFile(path="t.py", text=""),), "`t.py` was not made"),
    ],
)
def test_what_the_editor_cannot_do(able: Abilities, files: tuple[NewFile, ...], says: str) -> None:
    """Nothing of it is done, and a sentence says why."""
    found = workspace_edit(
        [edit("    return 2\n", "")],
        files,
        {SOURCE.path: SOURCE},
        uri_of=uri_of,
        encoding="utf-8",
        able=able,
    )
    assert isinstance(found, Refusal)
    assert says in found.reason


@pytest.mark.parametrize(
    ("now", "says"),
    [
        ({"src/a.py": Now(text=TEXT, version=8)}, "has changed meanwhile"),
        ({"src/a.py": Now(text=TEXT, version=None)}, "has changed meanwhile"),
        ({"src/a.py": Now(text=None, version=None)}, "is no longer there"),
        ({}, "is no longer there"),
        ({"src/a.py": Now(text=TEXT, version=7), "t.py": Now(text="", version=None)}, "is there already"),
    ],
)
def test_what_has_moved_on_is_left_alone(now: dict[str, Now], says: str) -> None:
    """Only the very version that was asked about is changed, and no file is written over."""
    found = still_there(
        [edit("    return 2\n", "")], [NewFile(path="t.py", text="")], {SOURCE.path: SOURCE}, now
    )
    assert found is not None
    assert says in found.reason


def test_a_file_that_is_not_open_must_read_the_same() -> None:
    """It has no version: its text is compared."""
    it, known = edit("import a\n", "import b\n", OTHER), {"b.py": OTHER}
    assert still_there([it], [], known, {"b.py": Now(text=OTHER.text, version=None)}) is None
    assert still_there([it], [], known, {"b.py": Now(text="import c\n", version=None)}) is not None


def test_what_an_editor_says_of_itself() -> None:
    """Neovim names file operations and not `documentChanges`, which they imply."""
    edits = lsp.WorkspaceEditClientCapabilities(resource_operations=[lsp.ResourceOperationKind.Create])
    client = lsp.ClientCapabilities(
        workspace=lsp.WorkspaceClientCapabilities(apply_edit=True, workspace_edit=edits)
    )
    assert abilities(client) == Abilities(applies=True, versions=True, creates=True)
    assert abilities(lsp.ClientCapabilities()) == Abilities()
