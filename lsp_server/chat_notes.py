"""The notes of the open folders: for prompts, and for an editor that shows them."""

from __future__ import annotations

from collections.abc import Iterable

from chat import notes
from chat.notes import Note, NotNoted
from lsp_server import convert
from models import paths

ACTIONS = ("list", "add", "edit", "remove")


def folders_of(roots: Iterable[str]) -> tuple[str, ...]:
    """The folders of these URIs."""
    return tuple(convert.file_path(it) for it in roots if it.startswith("file:"))


def notes_of(folders: Iterable[str]) -> tuple[str, ...]:
    """All that is noted about these folders, as it goes into a prompt."""
    return notes.texts(paths.data_dir(), folders)


def listed(root: str) -> tuple[Note, ...]:
    """A folder's notes."""
    return notes.read(paths.data_dir(), root)


def change(root: str, action: str, number: int, text: str) -> str:
    """Do it; why it cannot be done, in one sentence, or nothing."""
    data = paths.data_dir()
    try:
        match action:
            case "list":
                pass
            case "add":
                notes.add(data, root, text)
            case "edit":
                notes.edit(data, root, number, text)
            case "remove":
                notes.remove(data, root, number)
            case _:
                return f"action is one of {', '.join(ACTIONS)}."
    except NotNoted as exc:
        return str(exc)
    return ""
