"""The project memory below the protocol: real documents, real snapshots, a real thread; no builder."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from codeindex.memory.config import DEFAULTS
from codeindex.memory.sync import sync
from completion.suggestion import Suggestion
from lsp_server import memory as module
from lsp_server import wiring
from lsp_server.documents import Document, Documents
from lsp_server.memory import ProjectMemory
from lsp_server.settings import Settings

MARK = "‸"
LINE = 'with open(settings_path, encoding="utf-8") as settings_file:'
CODE = f"import json\n\n\ndef load(settings_path):\n    {LINE}\n        return json.load(settings_file)\n"
ASKING = "import json\n\n\ndef load(settings_path):\n    with open(settings_path, ‸"
REST = LINE.removeprefix("with open(settings_path, ")
KEY = "-----BEGIN PRIVATE " + "KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n"

Start = Callable[..., Awaitable["Window"]]


class Window:
    """One editor's window: its documents, its folders, what it remembers."""

    def __init__(self, cache: Path, *folders: Path) -> None:
        self.folders = folders
        self.documents = Documents()
        self.memory = ProjectMemory(cache, builds=False)

    def open(self, path: Path | str, marked: str) -> Document:
        """Open a document, as it is on screen."""
        uri = path.as_uri() if isinstance(path, Path) else path
        text = marked.replace(MARK, "")
        item = lsp.TextDocumentItem(uri=uri, language_id="python", version=1, text=text)
        document = self.documents.put(item)
        self.memory.opened(document)
        return document

    def edit(self, document: Document, text: str) -> None:
        """Replace all of it."""
        change = lsp.TextDocumentContentChangeWholeDocument(text=text)
        document.apply([change], (document.version or 0) + 1, "utf-16")
        self.memory.changed(document)

    def close(self, document: Document) -> None:
        """Close it."""
        self.documents.drop(document.uri)
        self.memory.closed(document)

    async def ask(self, path: Path | str, marked: str = ASKING) -> Suggestion:
        """What is remembered for a place in a document, which is opened for it."""
        document = self.open(path, marked)
        before = marked.partition(MARK)[0]
        line = before.count("\n")
        spot, trigger = wiring.look(
            document.window(line, len(before) - before.rfind("\n") - 1),
            Settings(),
            path="asked.py",
            language="python",
            explicit=True,
            previous=None,
        )
        return (await self.memory.recall(document.uri, spot, trigger)).suggestion

    async def looks(self) -> None:
        """Wait for what happens in the background."""
        await self.memory.read_now(0)

    async def knows(self, folder: Path) -> bool:
        """Whether the line is suggested in a new file of this folder."""
        found = await self.ask(folder / "asked.py")
        self.close(self.documents.get((folder / "asked.py").as_uri()))  # type: ignore[arg-type]  # it is open
        return found.text == REST


@pytest.fixture
async def start(tmp_path: Path, hearth_home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    """Open a window on folders; what is remembered on disk is shared by all of them."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(module, "ASKED_PATIENCE_SECONDS", 60.0)
    windows: list[Window] = []

    async def started(*folders: Path) -> Window:
        for it in folders:
            it.mkdir(parents=True, exist_ok=True)
        windows.append(Window(tmp_path / "cache", *folders))
        windows[-1].memory.start([it.as_posix() for it in folders], windows[-1].documents)
        await windows[-1].memory.read_now(0)
        return windows[-1]

    yield started
    for it in windows:
        await it.memory.close()


def build(folder: Path, cache: Path) -> None:
    """What a builder does, in this process."""
    sync(folder, cache, DEFAULTS, {"HOME": str(cache)}, lambda progress: None)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder for code."""
    (tmp_path / "project" / "src").mkdir(parents=True)
    return tmp_path / "project"


async def test_a_line_that_is_not_saved_yet(start: Start, project: Path) -> None:
    """What is on screen in one document is suggested in another, with where it stands."""
    it = await start(project)
    other = it.open(project / "src" / "b.py", CODE.replace("\n", "\r\n"))
    found = await it.ask(project / "a.py")
    assert (found.text, found.source) == (REST, "memory")
    assert found.origin is not None
    assert (found.origin.path, found.origin.line) == ("src/b.py", 5)
    it.edit(other, "x = 1\n")
    assert not await it.knows(project)


async def test_closing_without_saving_forgets(start: Start, project: Path) -> None:
    """The file is what counts again, and it never had the line."""
    it = await start(project)
    it.close(it.open(project / "b.py", CODE))
    assert not await it.knows(project)


async def test_what_was_saved_stays(start: Start, project: Path, tmp_path: Path) -> None:
    """A saved document counts after it was closed: first from memory, then from disk, as it is there."""
    it = await start(project)
    document = it.open(project / "b.py", CODE)
    (project / "b.py").write_text(CODE)
    it.memory.saved(document)
    it.close(document)
    assert await it.knows(project)
    build(project, tmp_path / "cache")
    assert await it.knows(project)
    (project / "b.py").write_text("x = 1\n")
    build(project, tmp_path / "cache")
    await it.looks()
    assert not await it.knows(project)


async def test_files_on_disk_and_their_end(start: Start, project: Path, tmp_path: Path) -> None:
    """What any builder has read is known; a deleted file, or folder, is forgotten before it is read again."""
    (project / "src" / "b.py").write_text(CODE)
    build(project, tmp_path / "cache")
    it = await start(project)
    assert it.memory.status.state == "ready"
    assert await it.knows(project)
    for gone in (project / "src" / "b.py", project / "src"):
        it.memory.files_changed([], [gone.as_uri()])
        assert not await it.knows(project)
        it.memory.files_changed([(project / "src" / "b.py").as_uri()])
        assert await it.knows(project)


async def test_an_open_document_hides_its_file(start: Start, project: Path, tmp_path: Path) -> None:
    """What was deleted on screen is not suggested from disk."""
    (project / "b.py").write_text(CODE)
    build(project, tmp_path / "cache")
    it = await start(project)
    it.open(project / "b.py", "x = 1\n")
    assert not await it.knows(project)


@pytest.mark.parametrize(
    ("name", "text"),
    [(".env", CODE), ("b.py", CODE + KEY), (".ssh/b.py", CODE), ("left_out.py", CODE), ("b.py", "\0" + CODE)],
)
async def test_what_is_never_evidence(start: Start, project: Path, name: str, text: str) -> None:
    """Secrets by name, folder or content, what is left out, and what is no text: also while it is open."""
    (project / ".hearthignore").write_text("left_out.py\n")
    it = await start(project)
    it.open(project / name, text)
    assert not await it.knows(project)


async def test_a_secret_tells_not_even_itself(start: Start, project: Path) -> None:
    """A document that is left out continues itself; one with a secret in it does not even that."""
    (project / ".hearthignore").write_text("left_out.py\n")
    it = await start(project)
    again = CODE + ASKING.removeprefix("import json\n")
    assert (await it.ask(project / "left_out.py", again)).text == REST
    assert (await it.ask(project / "b.py", KEY + again)).text != REST
    assert (await it.ask(project / ".env", again)).text != REST


async def test_other_rules_from_now_on(start: Start, project: Path) -> None:
    """A rule that is saved holds at once, for what is open too."""
    it = await start(project)
    it.open(project / "b.py", CODE)
    assert await it.knows(project)
    rules = project / ".hearthignore"
    rules.write_text("b.py\n")
    it.memory.saved(it.open(rules, "b.py\n"))
    await it.looks()
    assert not await it.knows(project)


async def test_guests_listen_and_say_nothing(start: Start, project: Path, tmp_path: Path) -> None:
    """A document outside of the folders is told what they know, and tells them nothing."""
    it = await start(project)
    it.open(tmp_path / "elsewhere.py", CODE)
    it.open("untitled:Untitled-1", CODE)
    assert not await it.knows(project)
    it.open(project / "b.py", CODE)
    assert (await it.ask(tmp_path / "guest.py")).text == REST
    assert (await it.ask("untitled:Untitled-2")).text == REST


async def test_without_a_folder(start: Start, tmp_path: Path) -> None:
    """A single file: the open documents are all there is, saved or not."""
    it = await start()
    it.open("untitled:Untitled-1", CODE)
    assert (await it.ask(tmp_path / "single.py")).text == REST
    await it.looks()
    assert it.memory.status.state == "ready"


async def test_two_folders(start: Start, tmp_path: Path) -> None:
    """Each has its own memory, though their files have the same names; a folder in a folder has, too."""
    outer, inner = tmp_path / "outer", tmp_path / "outer" / "inner"
    it = await start(outer, inner)
    it.open(inner / "a.py", CODE)
    assert await it.knows(inner)
    assert not await it.knows(outer)


async def test_another_window_has_built(start: Start, project: Path, tmp_path: Path) -> None:
    """A generation that somebody else's builder committed is used with the next question but one."""
    it = await start(project)
    assert not await it.knows(project)
    (project / "b.py").write_text(CODE)
    build(project, tmp_path / "cache")
    await it.ask(project / "asked.py")
    await it.looks()
    assert await it.knows(project)


async def test_switched_off_and_on(start: Start, project: Path) -> None:
    """Off: nothing is known and nothing is marked, at once. On: what is open is known again."""
    it = await start(project)
    it.open(project / "b.py", CODE)
    assert await it.knows(project)
    it.memory.configure(Settings(memory_enabled=False))
    assert it.memory.status.state == "off"
    assert not await it.knows(project)
    it.memory.configure(Settings())
    await it.looks()
    assert await it.knows(project)


async def test_a_request_does_not_wait_for_a_busy_memory(
    start: Start, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I7: while the thread reads, or hangs, requests go on without it; afterwards they are answered again."""
    it = await start(project)
    it.open(project / "b.py", CODE)
    monkeypatch.setattr(module, "ASKED_PATIENCE_SECONDS", 0.01)
    free = threading.Event()
    hanging = it.memory._in_thread(free.wait)
    try:
        assert not await it.knows(project)
    finally:
        free.set()
    await hanging
    monkeypatch.setattr(module, "ASKED_PATIENCE_SECONDS", 60.0)
    assert await it.knows(project)


async def test_a_bug_costs_the_memory_alone(
    start: Start, project: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever goes wrong in there is logged without the user's code, and nothing is suggested."""
    it = await start(project)
    library = it.memory._library
    monkeypatch.setattr(library, "recall", lambda *question: 1 / 0)
    assert not await it.knows(project)
    assert "memory bug" in caplog.text
    assert "settings_path" not in caplog.text


async def test_a_folder_that_nobody_has_read(start: Start, project: Path, tmp_path: Path) -> None:
    """A command reads what it can in its time, and keeps nothing of it on disk."""
    (project / "src" / "b.py").write_text(CODE)
    it = await start(project)
    assert await it.memory.read_now(30.0) == 1
    assert await it.knows(project)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


async def test_folders_reached_by_a_link(start: Start, project: Path, tmp_path: Path) -> None:
    """A document has one name, by whatever way it was opened: its file on disk does not count beside it."""
    (project / "b.py").write_text(CODE)
    build(project, tmp_path / "cache")
    os.symlink(project, tmp_path / "link")
    it = await start(tmp_path / "link")
    it.open(tmp_path / "link" / "b.py", "x = 1\n")
    assert not await it.knows(tmp_path / "link")
    assert not await it.knows(project)


def test_it_costs_no_start() -> None:
    """What the memory needs is imported after the editor has been answered, in the memory's own thread."""
    code = "import sys, lsp_server.stdio; sys.exit(bool({'numpy', 'lsp_server.project'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-P", "-c", code], check=False).returncode == 0
