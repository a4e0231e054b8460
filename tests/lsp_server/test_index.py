"""The index below the protocol: real documents and files, and a small real process that takes notes."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp

from codeindex.types import Hit, Kind
from lsp_server import index as module
from lsp_server import index_buffers, index_process
from lsp_server.documents import Document, Documents
from lsp_server.index import BUNDLED_EMBEDDER, Index, options_of
from lsp_server.index_answers import hits_in, symbols_in
from lsp_server.index_buffers import unsaved
from lsp_server.settings import Settings

HIT = Hit(
    path="a.py",
    first_line=1,
    last_line=2,
    text="def load():\n    pass",
    score=1.0,
    language="python",
    kind=Kind.FUNCTION,
    name="load",
    scope="",
    signature="def load()",
    doc="",
    unsaved=False,
)
SERVICE = """
import json, os, pathlib, sys
def say(**it): print(json.dumps(it), flush=True)
root, hits = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])
with open(root.parent / (root.name + ".journal"), "a") as journal:
    say(event="status", state="building", files=2, progress=0.5, seconds_left=3.0)
    for line in sys.stdin:
        print(line, end="", file=journal, flush=True)
        it = json.loads(line)
        if it["method"] == "die": os.kill(os.getpid(), 9)
        elif it["method"] == "pause": say(event="status", state="paused", files=2)
        elif it["method"] == "resume": say(event="status", state="ready", files=3, generation=1)
        elif "id" in it:
            found = [dict(hit, score=float(len(root.name))) for hit in hits]
            say(id=it["id"], result={"hits": found})
"""
CLOCK = 0.02


class Window:
    """One editor's window on some folders."""

    def __init__(self, cache: Path, *folders: Path) -> None:
        self.folders = folders
        self.documents = Documents()
        self.index = Index(cache)
        self.problems: list[str] = []
        self.index.on_problem = self.problems.append

    def start(self, **settings: Any) -> None:
        """As after `initialized`."""
        self.index.configure(Settings(**settings))
        self.index.start([it.as_posix() for it in self.folders], self.documents)

    def open(self, path: Path | str, text: str) -> Document:
        """Open a document."""
        uri = path.as_uri() if isinstance(path, Path) else path
        item = lsp.TextDocumentItem(uri=uri, language_id="python", version=1, text=text)
        document = self.documents.put(item)
        self.index.opened(document)
        return document

    def edit(self, document: Document, text: str) -> None:
        """Replace all of it."""
        change = lsp.TextDocumentContentChangeWholeDocument(text=text)
        document.apply([change], (document.version or 0) + 1, "utf-16")
        self.index.changed(document)

    async def search(self, within: str = "") -> list[tuple[str, str]]:
        """The folders' names and the paths of what is found."""
        found = await self.index.search({"query": "load", "limit": 20}, within)
        return [(Path(folder).name, hit.path) for folder, hit in found.hits]

    def told(self, folder: Path, *methods: str) -> list[Any]:
        """What the folder's process was told, of these methods."""
        path = folder.parent / f"{folder.name}.journal"
        said = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [it["params"] for it in said if it["method"] in methods]

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait for what another process is about to do."""
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110  # another process
                await asyncio.sleep(CLOCK)


@pytest.fixture
async def window(
    tmp_path: Path, hearth_home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., Window]]:
    """A window on folders of these names, each with a file; its index is a script."""
    started: list[Window] = []
    hits = json.dumps([asdict(HIT)])
    monkeypatch.setattr(
        module, "command", lambda folder, cache, options: [sys.executable, "-c", SERVICE, folder, hits]
    )
    monkeypatch.setattr(index_process, "PAUSES_SECONDS", (0.0,))

    def open_on(*names: str) -> Window:
        for it in names:
            (tmp_path / it).mkdir(parents=True, exist_ok=True)
            (tmp_path / it / "a.py").write_text("saved = 1\n")
        started.append(Window(hearth_home, *(tmp_path / it for it in names)))
        return started[-1]

    yield open_on
    for it in started:
        await it.index.close()


async def test_only_what_differs_from_its_file_is_a_buffer(window: Callable[..., Window]) -> None:
    """A file that is merely open is read from disk; line ends and a mark at its start are no difference."""
    it = window("project")
    (folder,) = it.folders
    (folder / "b.py").write_bytes(b"\xef\xbb\xbfx = 1\r\ny = 2\r\n")
    it.start()
    it.open(folder / "a.py", "saved = 1\n")
    it.open(folder / "b.py", "x = 1\ny = 2\n")
    it.open(folder / "new.py", "brand_new = 1\n")
    it.open("untitled:Untitled-1", "elsewhere = 1\n")
    it.open(folder.parent / "outside.py", "outside = 1\n")
    await it.search()
    assert it.told(folder, "buffer") == [{"path": "new.py", "text": "brand_new = 1\n"}]
    await it.until(lambda: {"paths": ["a.py", "b.py", "new.py"]} in it.told(folder, "open"))


async def test_typing_is_told_seldom(window: Callable[..., Window], monkeypatch: pytest.MonkeyPatch) -> None:
    """Not while one key follows the other, and then the last text; who types on is heard after a while."""
    monkeypatch.setattr(index_buffers, "QUIET_SECONDS", 0.3)
    it = window("project")
    (folder,) = it.folders
    it.start()
    document = it.open(folder / "a.py", "saved = 1\n")
    await it.search()
    monkeypatch.setattr(index_buffers, "LATEST_SECONDS", 3600.0)
    for number in range(50):
        it.edit(document, f"typed = {number}\n")
        await asyncio.sleep(0)
    await it.until(lambda: it.told(folder, "buffer"))
    assert it.told(folder, "buffer") == [{"path": "a.py", "text": "typed = 49\n"}]
    monkeypatch.setattr(index_buffers, "QUIET_SECONDS", 3600.0)
    monkeypatch.setattr(index_buffers, "LATEST_SECONDS", 0.05)
    it.edit(document, "typed = 50\n")
    it.edit(document, "typed = 51\n")
    await it.until(lambda: len(it.told(folder, "buffer")) == 2)
    assert it.told(folder, "buffer")[-1]["text"] == "typed = 51\n"


async def test_a_search_sees_the_key_before_it(window: Callable[..., Window]) -> None:
    """Who searches does not wait for the pause: what is on screen is told first."""
    it = window("project")
    (folder,) = it.folders
    it.start()
    document = it.open(folder / "a.py", "saved = 1\n")
    it.edit(document, "typed = 1\n")
    await it.search()
    methods = [
        json.loads(line)["method"]
        for line in (folder.parent / "project.journal").read_text().split("\n")
        if line
    ]
    assert methods.index("buffer") < methods.index("search")


async def test_saved_and_closed_documents_are_files(window: Callable[..., Window]) -> None:
    """What was told of them is taken back before the file is named; typed back is the same as saved."""
    it = window("project")
    (folder,) = it.folders
    it.start()
    document = it.open(folder / "a.py", "typed = 1\n")
    await it.search()
    (folder / "a.py").write_text("typed = 1\n")
    it.index.saved(document)
    await it.search()
    it.edit(document, "typed = 2\n")
    await it.search()
    it.edit(document, "typed = 1\n")
    await it.search()
    it.edit(document, "typed = 3\n")
    await it.search()
    it.documents.drop(document.uri)
    it.index.closed(document)
    await it.search()
    texts = [said["text"] for said in it.told(folder, "buffer")]
    assert texts == ["typed = 1\n", None, "typed = 2\n", None, "typed = 3\n", None]
    assert it.told(folder, "saved") == [{"paths": ["a.py"]}]
    await it.until(lambda: it.told(folder, "open")[-1] == {"paths": []})


async def test_a_save_overtakes_what_is_being_looked_at(
    window: Callable[..., Window], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text that was saved while it was compared with its file is no buffer afterwards."""
    it = window("project")
    (folder,) = it.folders
    it.start()
    await it.search()
    document = it.open(folder / "a.py", "typed = 1\n")

    def slow(path: str, lines: Any, most: int) -> str | None:
        text = unsaved(path, lines, most)
        if text is not None:
            (folder / "a.py").write_text(text)
            loop.call_soon_threadsafe(it.index.saved, document)
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result()
        return text

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(index_buffers, "unsaved", slow)
    await it.search()
    await it.search()
    assert it.told(folder, "buffer") == []


async def test_a_new_process_is_told_what_the_old_one_knew(window: Callable[..., Window]) -> None:
    """Killed: what is open and what is not saved is known again before the next question."""
    it = window("project")
    (folder,) = it.folders
    it.start()
    it.open(folder / "a.py", "typed = 1\n")
    assert await it.search() == [("project", "a.py")]
    service = it.index._services[folder.as_posix()]
    dying = service.pid
    service.tell("die")
    await it.until(lambda: service.pid not in (dying, None))
    assert await it.search() == [("project", "a.py")]
    assert it.told(folder, "buffer") == [{"path": "a.py", "text": "typed = 1\n"}] * 2
    assert it.told(folder, "open")[-1] == {"paths": ["a.py"]}


async def test_changed_files_are_told_to_their_folders(window: Callable[..., Window]) -> None:
    """All that have them: a folder within a folder is in both."""
    it = window("project", "project/inner", "other")
    outer, inner, other = it.folders
    it.start()
    await it.search()
    it.index.files_changed([(inner / "a.py").as_uri(), (outer / "b.py").as_uri(), "file:///elsewhere/c.py"])
    await it.search()
    assert it.told(outer, "changed") == [{"paths": ["inner/a.py", "b.py"]}]
    assert it.told(inner, "changed") == [{"paths": ["a.py"]}]
    assert it.told(other, "changed") == []


async def test_what_is_open_through_a_link_is_told_by_its_path_in_the_index(
    window: Callable[..., Window], tmp_path: Path
) -> None:
    """A link to the folder, to one above a file, and to a file: the index knows none of them."""
    it = window("project")
    (folder,) = it.folders
    (folder / "inner").mkdir()
    (tmp_path / "outer").symlink_to(folder)
    (folder / "way").symlink_to(folder / "inner")
    (folder / "other.py").symlink_to(folder / "inner" / "c.py")
    (folder / "inner" / "c.py").write_text("")
    it.start()
    opened = [
        it.open(tmp_path / "outer" / "a.py", "typed = 1\n"),
        it.open(folder / "way" / "b.py", "typed = 2\n"),
        it.open(folder / "other.py", "typed = 3\n"),
    ]
    await it.search(within=opened[0].uri)
    it.index.saved(opened[1])
    it.index.closed(opened[2])
    await it.search()
    told = {(one["path"], one["text"]) for one in it.told(folder, "buffer")}
    inner = {("inner/b.py", "typed = 2\n"), ("inner/c.py", "typed = 3\n")}
    assert told == {("a.py", "typed = 1\n"), *inner, ("inner/b.py", None), ("inner/c.py", None)}
    assert it.told(folder, "saved") == [{"paths": ["inner/b.py"]}]


async def test_several_folders_are_searched_together(window: Callable[..., Window]) -> None:
    """The best of all first; a document's own folder alone, where that is asked for."""
    it = window("aa", "bbbb")
    it.start()
    assert await it.search() == [("bbbb", "a.py"), ("aa", "a.py")]
    assert await it.search((it.folders[0] / "x.py").as_uri()) == [("aa", "a.py")]


async def test_switched_off_nothing_runs(window: Callable[..., Window]) -> None:
    """And a search says why there is nothing; switched off later, what runs ends."""
    it = window("project")
    it.start(index_enabled=False)
    assert (it.index.status.state, await it.search()) == ("off", [])
    assert (await it.index.search({"query": "load", "limit": 1})).problem == module.OFF
    assert it.index.configure(Settings())
    assert await it.search() == [("project", "a.py")]
    service = it.index._services[it.folders[0].as_posix()]
    assert it.index.configure(Settings(index_enabled=False))
    await service.close()
    assert (service.pid, it.index.status.state) == (None, "off")


async def test_no_folder_is_said(window: Callable[..., Window]) -> None:
    """A single file was opened, or a folder that is not there: nothing runs, and why is one sentence."""
    it = window()
    it.start()
    it.index.start(["/no/such/folder"], it.documents)
    assert (await it.index.search({"query": "load", "limit": 1})).problem == module.NO_FOLDER
    assert it.index.status.state == "empty"


async def test_the_first_build_is_told_from_later_ones(window: Callable[..., Window]) -> None:
    """A folder that was ready once is only brought up to date."""
    it = window("project")
    (folder,) = it.folders
    it.start()
    await it.search()
    await it.until(lambda: it.index.status.state == "building")
    assert it.index.is_first_build
    assert (it.index.status.progress, it.index.status.seconds_left) == (0.5, 3.0)
    it.index.pause()
    await it.until(lambda: it.index.status.state == "paused")
    it.index.resume()
    await it.until(lambda: it.index.status.state == "ready")
    assert not it.index.is_first_build
    it.index._services[folder.as_posix()].tell("die")
    await it.until(lambda: it.index.status.state == "building")
    assert not it.index.is_first_build


async def test_a_pause_outlives_the_process(window: Callable[..., Window]) -> None:
    """What the user has paused stays paused, whoever dies."""
    it = window("project")
    (folder,) = it.folders
    it.start()
    await it.search()
    it.index.pause()
    it.index._services[folder.as_posix()].tell("die")
    await it.until(lambda: len(it.told(folder, "pause")) == 2)


def test_the_settings_are_the_processes_options(tmp_path: Path) -> None:
    """Kilobytes become bytes, a home folder is found, and `off` means words alone."""
    assert options_of(Settings(index_enabled=False)) is None
    assert options_of(Settings()) == {
        "config": {"max_bytes": 1_000_000},
        "embedder": str(BUNDLED_EMBEDDER),
        "reranker": "",
    }
    given = options_of(
        Settings(
            index_embeddings="~/model",
            index_reranker="~/second",
            index_max_file_kilobytes=20,
            index_include=("generated/",),
        )
    )
    assert given == {
        "config": {"max_bytes": 20_000, "include": ["generated/"]},
        "embedder": os.path.expanduser("~/model"),
        "reranker": os.path.expanduser("~/second"),
    }


def test_the_options_are_understood() -> None:
    """The service takes what it is given: no option is a word of ours alone."""
    from codeindex.protocol import options_in

    settings = Settings(index_include=("generated/",), index_max_file_kilobytes=20)
    given = json.loads(json.dumps(options_of(settings)))
    options, problems = options_in(given)
    assert (list(problems), options.config.max_bytes) == ([], 20_000)
    assert options.config.include == ("generated/",)


@pytest.mark.parametrize(
    ("saved", "text", "expected"),
    [
        (b"x = 1\n", "x = 1\n", None),
        (b"x = 1\r\n", "x = 1\n", None),
        (b"x = 1\n", "x = 1\r\n", None),
        (b"x = 1\n", "x = 2\r\n", "x = 2\n"),
        (b"\xff\xfe\x00", "x = 1\n", "x = 1\n"),
        (None, "x = 1\n", "x = 1\n"),
        (b"", "x" * 101, None),
    ],
)
def test_what_is_not_saved(tmp_path: Path, saved: bytes | None, text: str, expected: str | None) -> None:
    """A text that differs from its file in more than line ends, unless it is too large to belong."""
    path = tmp_path / "x.py"
    if saved is not None:
        path.write_bytes(saved)
    assert unsaved(path.as_posix(), text.splitlines(keepends=True), 100) == expected


def test_nothing_heavy_is_loaded_by_the_server() -> None:
    """Grammars, vectors and databases are for the index's own processes."""
    code = (
        "import sys, lsp_server.stdio;"
        "heavy = {'tree_sitter', 'faiss', 'onnxruntime', 'sqlite3', 'numpy', 'tokenizers', 'watchfiles'};"
        "found = heavy & set(sys.modules) | {it for it in sys.modules if it.startswith('codeindex.store')};"
        "print(sorted(found))"
    )
    said = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_answers_that_make_no_sense_are_left_out() -> None:
    """One bad hit does not take the others along."""
    good = asdict(replace(HIT, why=()))
    assert [it.name for it in hits_in({"hits": [{}, None, good, {**good, "kind": "no kind"}]})] == ["load"]
    assert list(symbols_in({"symbols": "none"})) == []
