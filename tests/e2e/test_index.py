"""The index through the real server: what is found, what is not, and what happens meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import psutil
import pytest
from lsprotocol import types as lsp

from lsp_server import protocol
from tests.e2e.editor import Editor, editor, until
from tests.e2e.scripted_engine import ScriptedEngine

pytestmark = pytest.mark.e2e

NO_MODEL = ("--model", "no-such-model.gguf")
ALONE = {"memory": {"enabled": False}}
SETTINGS = '''"""Settings of the shop."""

import json


def read_settings(path):
    """The shop's settings, from its file."""
    with open(path) as file:
        return json.load(file)
'''
CART = '''"""The cart."""

from shop.settings import read_settings


class ShoppingCart:
    """What a customer is about to buy: größer wird's nicht."""

    def add_row(self, row):
        """One more thing."""
        self.rows.append(row)

    def total_price(self):
        return sum(row.price for row in self.rows)
'''
DELETED = lsp.FileChangeType.Deleted


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small shop."""
    (tmp_path / "project" / "shop").mkdir(parents=True)
    (tmp_path / "project" / "shop" / "settings.py").write_text(SETTINGS)
    (tmp_path / "project" / "shop" / "cart.py").write_text(CART)
    (tmp_path / "project" / "README.md").write_text("# Shop\n\nSells things.\n")
    (tmp_path / "project" / ".env").write_text("SECRET_TOKEN=read_settings\n")
    return tmp_path / "project"


async def search(it: Editor, query: str, **more: Any) -> Any:
    """Ask; whatever happens, there is an answer."""
    return await it.client.protocol.send_request_async(protocol.SEARCH, {"query": query, **more})


def found(answer: Any) -> list[tuple[str, str]]:
    """The names of what was found, and their files'."""
    return [(hit.name, hit.uri.rpartition("/")[2]) for hit in answer.hits]


async def until_ready(it: Editor) -> None:
    """Wait until all has been indexed."""
    async with asyncio.timeout(60):
        while (await it.status()).index.state != "ready":  # noqa: ASYNC110  # another process reads
            await asyncio.sleep(0.05)


async def until_found(it: Editor, query: str, name: str, *, there: bool = True) -> Any:
    """Search until it is found, or until it is not any more."""
    async with asyncio.timeout(60):
        while True:
            answer = await search(it, query)
            if (name in [hit.name for hit in answer.hits]) is there:
                return answer
            await asyncio.sleep(0.05)


def services(it: Editor) -> list[psutil.Process]:
    """The processes that answer for the index of this server."""
    return children(it, "codeindex", "serve")


def children(it: Editor, *words: str) -> list[psutil.Process]:
    """The processes below the server that have these words in their command lines."""
    server = it.client._server
    assert server is not None
    return [child for child in psutil.Process(server.pid).children(recursive=True) if _runs(child, *words)]


def _runs(process: psutil.Process, *words: str) -> bool:
    try:
        return set(words) <= set(process.cmdline())
    except psutil.Error:  # It has just ended.
        return False


def change(it: Editor, uri: str, text: str, version: int) -> None:
    """Replace all of a document."""
    document = lsp.VersionedTextDocumentIdentifier(uri=uri, version=version)
    whole = lsp.TextDocumentContentChangeWholeDocument(text=text)
    it.client.text_document_did_change(lsp.DidChangeTextDocumentParams(document, [whole]))


async def test_a_function_is_found_and_listed(hearth_home: Path, project: Path) -> None:
    """By what it is about, by its name, and in the editor's list of symbols; a secret is not."""
    async with editor(hearth_home, "neovim", *NO_MODEL, root=project, options=ALONE) as it:
        await until_ready(it)
        answer = await search(it, "where are the settings read from the file", why=True)
        hit = answer.hits[0]
        assert (hit.name, hit.uri) == ("read_settings", (project / "shop" / "settings.py").as_uri())
        lines = SETTINGS.split("\n")[hit.range.start.line : hit.range.end.line + 1]
        assert hit.text == "\n".join(lines)
        assert hit.range.end.character == len(lines[-1].encode())
        assert hit.why
        assert (answer.state, answer.isComplete, answer.problem) == ("ready", True, "")
        assert {Path(at.uri).name for at in answer.hits} <= {"settings.py", "cart.py", "README.md"}
        only = await search(it, "read_settings", paths=["shop/cart.py"], kinds=["class"], limit=1)
        assert found(only) in ([], [("ShoppingCart", "cart.py")])
        listed = await it.client.workspace_symbol_async(lsp.WorkspaceSymbolParams(query="shopc"))
        assert listed is not None
        (cart,) = [at for at in listed if at.name == "ShoppingCart"]
        line = CART.split("\n").index("class ShoppingCart:")
        assert isinstance(cart.location, lsp.Location)
        assert (cart.kind, cart.location.range.start) == (lsp.SymbolKind.Class, lsp.Position(line, 6))
        listed = await it.client.workspace_symbol_async(lsp.WorkspaceSymbolParams(query="add_row")) or ()
        assert [(at.kind, at.container_name) for at in listed] == [(lsp.SymbolKind.Method, "ShoppingCart")]
        folders = (await it.client.protocol.send_request_async(protocol.INDEX, None)).folders
        assert [(at.uri, at.files, at.writer) for at in folders] == [(project.as_uri(), 3, "here")]
        assert it.client.messages == []


async def test_what_is_typed_counts_and_what_is_deleted_does_not(hearth_home: Path, project: Path) -> None:
    """A function that is not saved is found, what it has replaced is not; a deleted file is no hit."""
    uri = (project / "shop" / "settings.py").as_uri()
    async with editor(hearth_home, "vscode", *NO_MODEL, root=project, options=ALONE) as it:
        await until_ready(it)
        it.open(SETTINGS, uri=uri)
        change(it, uri, SETTINGS.replace("read_settings", "fetch_preferences"), 2)
        answer = await search(it, "fetch_preferences")
        assert ("fetch_preferences", "settings.py") in found(answer)
        (hit,) = [at for at in answer.hits if at.name == "fetch_preferences"]
        assert hit.unsaved
        assert ("read_settings", "settings.py") not in found(await search(it, "read_settings"))
        listed = await it.client.workspace_symbol_async(lsp.WorkspaceSymbolParams(query="fetch_pref"))
        assert [at.name for at in listed or ()] == ["fetch_preferences"]
        (project / "shop" / "cart.py").unlink()
        assert "cart.py" not in [file for _, file in found(await search(it, "ShoppingCart add_row"))]
        gone = lsp.FileEvent(uri=(project / "shop" / "cart.py").as_uri(), type=DELETED)
        it.client.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams(changes=[gone]))
        await until(lambda: it.statuses[-1].index.files == 2)
        it.client.text_document_did_close(lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri=uri)))
        await until_found(it, "read_settings", "read_settings")
        assert "fetch_preferences" not in [name for name, _ in found(await search(it, "fetch_preferences"))]


async def test_what_is_typed_into_a_file_behind_a_link_counts(
    hearth_home: Path, project: Path, tmp_path: Path
) -> None:
    """The editor has it open by another path than the index: what it shows replaces the file, once."""
    (tmp_path / "link").symlink_to(project)
    uri = (tmp_path / "link" / "shop" / "settings.py").as_uri()
    async with editor(hearth_home, "vscode", *NO_MODEL, root=project, options=ALONE) as it:
        await until_ready(it)
        it.open(SETTINGS, uri=uri)
        change(it, uri, SETTINGS.replace("read_settings", "fetch_preferences"), 2)
        answer = await search(it, "fetch_preferences")
        assert found(answer)[0] == ("fetch_preferences", "settings.py")
        assert (answer.hits[0].unsaved, answer.hits[0].uri) == (True, (project / "shop/settings.py").as_uri())
        assert ("read_settings", "settings.py") not in found(await search(it, "read_settings"))
        it.client.text_document_did_close(lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri=uri)))
        await until_found(it, "read_settings", "read_settings")


async def test_one_file_that_is_open_twice(hearth_home: Path, project: Path, tmp_path: Path) -> None:
    """By its path and behind a link: closing one leaves the other unsaved; the file counts after both."""
    (tmp_path / "link").symlink_to(project)
    near = (project / "shop" / "settings.py").as_uri()
    far = (tmp_path / "link" / "shop" / "settings.py").as_uri()
    async with editor(hearth_home, "neovim", *NO_MODEL, root=project, options=ALONE) as it:
        await until_ready(it)
        it.open(SETTINGS, uri=near)
        it.open(SETTINGS, uri=far)
        change(it, near, SETTINGS.replace("read_settings", "fetch_preferences"), 2)
        change(it, far, SETTINGS.replace("read_settings", "gather_wishes"), 2)
        await until_found(it, "gather_wishes", "gather_wishes")
        assert "fetch_preferences" not in [name for name, _ in found(await search(it, "fetch_preferences"))]
        close(it, far)
        answer = await until_found(it, "fetch_preferences", "fetch_preferences")
        assert answer.hits[0].unsaved
        assert ("read_settings", "settings.py") not in found(await search(it, "read_settings"))
        close(it, near)
        await until_found(it, "read_settings", "read_settings")
        await until_found(it, "fetch_preferences", "fetch_preferences", there=False)


def close(it: Editor, uri: str) -> None:
    """Close a document."""
    it.client.text_document_did_close(lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri=uri)))


async def test_a_killed_service_is_not_noticed(hearth_home: Path, project: Path) -> None:
    """The next search is answered, and soon all is found again, unsaved text included; nothing is said."""
    uri = (project / "shop" / "settings.py").as_uri()
    async with editor(hearth_home, "neovim", *NO_MODEL, root=project, options=ALONE) as it:
        await until_ready(it)
        it.open(SETTINGS.replace("read_settings", "fetch_preferences"), uri=uri)
        await until_found(it, "fetch_preferences", "fetch_preferences")
        killed = services(it)
        for process in killed:
            process.kill()
        answer = await search(it, "fetch_preferences")
        assert answer.problem == "" or answer.problem.endswith(".")
        await until_found(it, "fetch_preferences", "fetch_preferences")
        assert {at.pid for at in services(it)}.isdisjoint(at.pid for at in killed)
        assert it.client.messages == []


async def test_switched_off_it_starts_no_process(hearth_home: Path, project: Path) -> None:
    """And says so; switched on it does its work, and switched off again it ends."""
    off = {**ALONE, "index": {"enabled": False}}
    async with editor(hearth_home, "vscode", *NO_MODEL, root=project, options=off) as it:
        answer = await search(it, "read_settings")
        assert (answer.hits, answer.state, answer.isComplete) == ([], "off", False)
        assert "index.enabled" in answer.problem
        assert await it.client.workspace_symbol_async(lsp.WorkspaceSymbolParams(query="shop")) == []
        assert services(it) == []
        for enabled, state in ((True, "ready"), (False, "off")):
            it.client.set_configuration({"hearth": {"index": {"enabled": enabled}}})
            it.client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(settings=None))
            await until(lambda state=state: it.statuses and it.statuses[-1].index.state == state)
        await until(lambda: not services(it))


@pytest.fixture
def large(project: Path) -> Path:
    """A project that takes a moment to read."""
    for number in range(600):
        folder = project / f"part_{number % 50}"
        folder.mkdir(exist_ok=True)
        functions = "".join(
            f'def function_{number}_{it}(value):\n    """Part {it}."""\n    return value + {it}\n\n\n'
            for it in range(40)
        )
        (folder / f"module_{number}.py").write_text(functions)
    return project


async def test_typing_goes_on_while_a_folder_is_read(hearth_home: Path, large: Path) -> None:
    """Ghost text is answered, a bar says how far it is, and cancelling it pauses until somebody resumes."""
    async with (
        ScriptedEngine(hearth_home, *["a + b"] * 100),
        editor(hearth_home, "neovim", root=large, options=ALONE) as it,
    ):
        await until(lambda: it.statuses and it.statuses[-1].index.state == "building")
        writers = children(it, "codeindex", "write")
        for process in writers:
            process.suspend()  # However fast this machine is.
        uri = (large / "typed.py").as_uri()
        at = it.open("def add(a, b):\n    return ‸\n", uri=uri)
        for _ in range(10):
            assert await it.ask(at, uri=uri, explicit=True)
        await until(lambda: any(isinstance(said, lsp.WorkDoneProgressReport) for said in bar(it)))
        assert (await search(it, "function_1_1")).state == "building"
        token = next(token for token in it.client.progress_reports if "index" in str(token))
        it.client.window_work_done_progress_cancel(lsp.WorkDoneProgressCancelParams(token=token))
        await until(lambda: isinstance(bar(it)[-1], lsp.WorkDoneProgressEnd))
        for process in writers:
            process.resume()
        await until(lambda: it.statuses[-1].index.state == "paused")
        begin, *reports, end = bar(it)
        assert isinstance(begin, lsp.WorkDoneProgressBegin)
        assert (begin.title, begin.cancellable, end.message) == ("Hearth: indexing", True, "paused")
        shown = [report.percentage for report in reports]
        assert shown == sorted(shown)
        assert all("files" in report.message for report in reports)
        await it.command(protocol.RESUME_INDEX)
        await until(lambda: it.statuses[-1].index.state == "ready")
        assert it.statuses[-1].index.files == 603


def bar(it: Editor) -> list[Any]:
    """What the index's progress bar was told."""
    for token, reports in it.client.progress_reports.items():
        if "index" in str(token):
            return list(reports)
    return []


async def test_what_a_file_imports_stands_before_its_prompt(hearth_home: Path, project: Path) -> None:
    """A function of a file that nobody has opened is read by the model before the first key is pressed."""
    asking = "from shop.settings import read_settings\n\n\ndef main(path):\n    value = read_settings(‸\n"
    uri, other = (project / "main.py").as_uri(), (project / "README.md").as_uri()
    async with (
        ScriptedEngine(hearth_home) as engine,
        editor(hearth_home, "neovim", root=project, options=ALONE) as it,
    ):
        await until_ready(it)
        at = it.open(asking, uri=uri)
        it.open("# Shop\n\nSells things.\n", uri=other, language="markdown")
        shown: list[Any] = []
        async with asyncio.timeout(60):
            while not shown:  # As somebody goes back and forth between two documents.
                for place, position in ((other, lsp.Position(0, 0)), (uri, at)):
                    where = {"line": position.line, "character": position.character}
                    said = {"textDocument": {"uri": place}, "position": where}
                    it.client.protocol.notify(protocol.CURSOR, said)
                    await asyncio.sleep(0.2)
                asked = [body["hearth"].get("snippets", []) for body in engine.script.ahead]
                shown = [it for snippets in asked for it in snippets if it["path"] == "shop/settings.py"]
        assert shown[0]["text"].startswith("def read_settings(path):\n")
        assert not any("SECRET_TOKEN" in it["text"] for snippets in asked for it in snippets)


async def nobody() -> None:
    """Says goodbye to a server that is not there any more."""


async def test_a_killed_server_takes_the_index_along(hearth_home: Path, project: Path) -> None:
    """Nothing goes on reading for an editor that is gone."""
    async with editor(hearth_home, "neovim", *NO_MODEL, root=project, options=ALONE) as it:
        await until_ready(it)
        assert it.client._server is not None
        running = psutil.Process(it.client._server.pid).children(recursive=True)
        assert any(_runs(at, "codeindex", "serve") for at in running)
        it.client._server.kill()
        await until(lambda: not any(_is_alive(process) for process in running))
        await it.client._server.wait()
        it.client.shutdown_session = nobody


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
