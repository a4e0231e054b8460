"""What the index is told of open documents, where one file is open as several."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from lsp_server import convert
from lsp_server.documents import Document
from lsp_server.index_buffers import Buffers

FOLDER = "/project"


class Screen:
    """The same file, open by several of its paths; and what is told of it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "real" / "a.py"
        self.file.parent.mkdir()
        self.file.write_text("saved = 1\n")
        self.texts: list[str | None] = []
        self.buffers = Buffers(self.places, self.tell)
        for it in ("one", "two", "three"):
            (folder / it).symlink_to(self.file.parent)
        self.folder = folder

    def places(self, uri: str) -> Iterator[tuple[str, str]]:
        """By the real path, as the index does it."""
        yield FOLDER, Path(convert.file_path(uri)).resolve().relative_to(self.folder).as_posix()

    async def tell(self, folder: str, path: str, text: str | None) -> None:
        """Take a note."""
        assert (folder, path) == (FOLDER, "real/a.py")
        self.texts.append(text)

    def open(self, name: str, text: str = "saved = 1\n") -> Document:
        """Open it by one of its paths."""
        document = Document((self.folder / name / "a.py").as_uri(), "python", 1, text)
        self.buffers.changed(document)
        return document

    def edit(self, document: Document, text: str) -> None:
        """Replace all of it."""
        whole = lsp.TextDocumentContentChangeWholeDocument(text=text)
        document.apply([whole], (document.version or 0) + 1, "utf-16")
        self.buffers.changed(document)

    def close(self, document: Document) -> None:
        """As the index does: what is a file again is told at once."""
        self.texts += [None for _ in self.buffers.closed(document.uri)]

    def save(self, document: Document) -> None:
        """Write the file, as the editor does."""
        self.file.write_text(document.text)
        self.texts += [None for _ in self.buffers.saved(document.uri)]
        self.buffers.changed(document)

    async def told(self) -> list[str | None]:
        """What has been told since the last time."""
        await self.buffers.flush()
        texts, self.texts = self.texts, []
        return texts


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    """A file with three paths."""
    it = Screen(tmp_path.resolve())
    yield it
    it.buffers.close()


async def test_closing_one_leaves_the_other(screen: Screen) -> None:
    """The file counts only when nothing unsaved is open any more."""
    one, two = screen.open("one", "typed = 1\n"), screen.open("two")
    assert await screen.told() == ["typed = 1\n"]
    screen.close(two)
    assert await screen.told() == []
    two = screen.open("two", "typed = 2\n")
    assert await screen.told() == ["typed = 2\n"]
    screen.close(two)
    assert await screen.told() == ["typed = 1\n"]
    screen.close(one)
    assert await screen.told() == [None]


async def test_who_wrote_last_counts(screen: Screen) -> None:
    """Whichever was opened first; also within one moment."""
    one, two = screen.open("one"), screen.open("two")
    screen.edit(one, "typed = 1\n")
    screen.edit(two, "typed = 2\n")
    screen.edit(one, "typed = 3\n")
    assert await screen.told() == ["typed = 3\n"]
    screen.edit(two, "typed = 4\n")
    assert await screen.told() == ["typed = 4\n"]
    screen.edit(two, "saved = 1\n")
    assert await screen.told() == ["typed = 3\n"]


async def test_saving_one_of_them(screen: Screen) -> None:
    """What was saved is the file; the other is unsaved as long as it says something else."""
    one, two = screen.open("one", "typed = 1\n"), screen.open("two", "typed = 2\n")
    assert await screen.told() == ["typed = 2\n"]
    screen.save(two)
    assert await screen.told() == ["typed = 1\n"]
    screen.edit(one, "typed = 2\n")
    assert await screen.told() == [None]
    screen.close(one)
    screen.close(two)
    assert await screen.told() == []


async def test_one_that_is_alone_is_a_file_at_once(screen: Screen) -> None:
    """Saved or closed, that is said before the next question; closed twice is closed."""
    one = screen.open("one", "typed = 1\n")
    assert await screen.told() == ["typed = 1\n"]
    screen.save(one)
    assert screen.texts == [None]
    assert await screen.told() == [None]
    screen.close(one)
    screen.close(one)
    assert await screen.told() == []


async def test_a_new_process_is_told_what_counts(screen: Screen) -> None:
    """Of what is open as several documents, one text; also of what was opened before anybody listened."""
    one, two = screen.open("one", "typed = 1\n"), screen.open("two", "typed = 2\n")
    early = Document((screen.folder / "three" / "a.py").as_uri(), "python", 1, "typed = 0\n")
    assert await screen.told() == ["typed = 2\n"]
    screen.buffers.forget(FOLDER, [early, two, one])
    assert await screen.told() == ["typed = 2\n"]
    for it in (two, one):
        screen.close(it)
    assert await screen.told() == ["typed = 0\n"]
