"""The project memory over the wire: the user's own code, when no model can be had; no secrets, no ghosts."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import psutil
import pytest
from lsprotocol import types as lsp

from lsp_server import protocol
from tests.e2e.editor import Editor, editor, texts, until

pytestmark = pytest.mark.e2e

REST = 'encoding="utf-8") as settings_file:'
CODE = f"import json\n\n\ndef load(settings_path):\n    with open(settings_path, {REST}\n        pass\n"
ASKING = "import json\n\n\ndef load(settings_path):\n    with open(settings_path, ‸"
NO_MODEL = ("--model", "no-such-model.gguf")
ALONE = {"memory": {"dependencies": False}}  # Standard libraries take a busy machine half a minute.
DELETED = lsp.FileChangeType.Deleted


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A workspace with one file."""
    (tmp_path / "project" / "src").mkdir(parents=True)
    (tmp_path / "project" / "src" / "b.py").write_text(CODE)
    return tmp_path / "project"


async def until_ready(it: Editor) -> None:
    """Wait until the server says that it has read the project."""
    while (await it.status()).memory.state != "ready":  # noqa: ASYNC110  # another process reads
        await asyncio.sleep(0.05)


async def suggestions(it: Editor, path: Path) -> list[Any]:
    """What is suggested in a new document."""
    uri = path.as_uri()
    found = await it.ask(it.open(ASKING, uri=uri), uri=uri, explicit=True)
    it.client.text_document_did_close(lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri=uri)))
    return list(found)


async def until_suggested(it: Editor, path: Path, *expected: str) -> list[Any]:
    """Ask until exactly this is suggested: a busy machine may need a moment for the first answer."""
    found = await suggestions(it, path)
    tries = 0
    while texts(found) != list(expected):
        await asyncio.sleep(0.05)
        tries += 1  # In another document each time: what was shown in one is shown there again.
        found = await suggestions(it, path.with_stem(f"{path.stem}_{tries}"))
    return found


def builders(it: Editor) -> list[psutil.Process]:
    """The processes that read for this server now."""
    server = it.client._server
    assert server is not None
    return [child for child in psutil.Process(server.pid).children() if _is_builder(child)]


def _is_builder(process: psutil.Process) -> bool:
    try:
        return "codeindex.memory" in process.cmdline()
    except psutil.Error:  # It has just ended.
        return False


async def test_the_projects_own_line_without_an_engine(hearth_home: Path, project: Path) -> None:
    """The project's own line is suggested, with where it stands, and what keeps the model away is said."""
    async with editor(hearth_home, "neovim", *NO_MODEL, root=project, options=ALONE) as it:
        await until_ready(it)
        (item,) = await until_suggested(it, project / "a.py", REST)
        (said,) = item.command.arguments
        assert (said["source"], said["path"], said["line"]) == ("memory", "src/b.py", 5)
        await it.command(item.command.command, said)
        status = await it.status()
        assert (status.bySource.memory.shown, status.bySource.memory.accepted) == (1, 1)
        assert (status.shown, status.bySource.model.shown) == (1, 0)
        assert "no-such-model" in status.problem
        assert status.memory.files > 0
        answer = await it.command(protocol.SUGGESTION_SOURCE)
        assert answer["sentence"] == "From your code: src/b.py line 5."
        await until(lambda: it.client.messages)
        assert [message.message for message in it.client.messages] == [answer["sentence"]]


async def test_open_deleted_and_secret_files(hearth_home: Path, project: Path) -> None:
    """What is typed and not saved is suggested; what was deleted is not, and no secret ever is."""
    (project / ".env").write_text(CODE)
    async with editor(hearth_home, "vscode", *NO_MODEL, root=project, options=ALONE) as it:
        await until_ready(it)
        await until_suggested(it, project / "a.py", REST)
        (project / "src" / "b.py").unlink()
        gone = lsp.FileEvent(uri=(project / "src" / "b.py").as_uri(), type=DELETED)
        it.client.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams(changes=[gone]))
        it.open(CODE, uri=(project / ".env").as_uri())
        assert REST not in texts(await suggestions(it, project / "other.py"))
        it.open(CODE, uri=(project / "new.py").as_uri())
        await until_suggested(it, project / "third.py", REST)


async def test_the_setting_switches_it_off_and_on(hearth_home: Path, project: Path) -> None:
    """At once, in a running server."""
    async with editor(hearth_home, "vscode", *NO_MODEL, root=project, options=ALONE) as it:
        await until_ready(it)
        await until_suggested(it, project / "a.py", REST)
        it.client.set_configuration({"hearth": {"memory": {"enabled": False}}})
        it.client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(settings=None))
        await until(lambda: it.statuses[-1].memory.state == "off")
        assert REST not in texts(await suggestions(it, project / "b.py"))
        await until(lambda: not builders(it))
        it.client.set_configuration({"hearth": {"memory": {"enabled": True}}})
        it.client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(settings=None))
        await until_ready(it)
        await until_suggested(it, project / "c.py", REST)


async def test_two_servers_on_one_workspace(hearth_home: Path, project: Path) -> None:
    """Whoever of them reads, both know; and what one of them saves, the other knows a moment later."""
    async with (
        editor(hearth_home, "neovim", *NO_MODEL, root=project, options=ALONE) as one,
        editor(hearth_home, "neovim", *NO_MODEL, root=project, options=ALONE) as other,
    ):
        for it in (one, other):
            await until_ready(it)
            await until_suggested(it, project / "a.py", REST)
        changed = CODE.replace("utf-8", "ascii")
        uri = (project / "src" / "b.py").as_uri()
        one.open(changed, uri=uri)
        (project / "src" / "b.py").write_text(changed)
        saved = lsp.DidSaveTextDocumentParams(lsp.TextDocumentIdentifier(uri=uri))
        one.client.text_document_did_save(saved)
        await until_suggested(other, project / "c.py", REST.replace("utf-8", "ascii"))


async def test_a_killed_builder_is_started_again(hearth_home: Path, project: Path) -> None:
    """Killed in the middle: nothing is said to the user, and the project is read all the same."""
    async with editor(hearth_home, "neovim", *NO_MODEL, root=project, options=ALONE) as it:
        await until(lambda: builders(it))
        for process in builders(it):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        await until_ready(it)
        await until_suggested(it, project / "a.py", REST)
        assert it.client.messages == []


async def nobody() -> None:
    """Says goodbye to a server that is not there any more."""


async def test_a_killed_server_takes_its_builder_along(hearth_home: Path, project: Path) -> None:
    """Nothing goes on reading for an editor that is gone."""
    async with editor(hearth_home, "neovim", *NO_MODEL, root=project, options=ALONE) as it:
        await until(lambda: builders(it))
        running = builders(it)
        assert it.client._server is not None
        it.client._server.kill()
        await until(lambda: not any(process.is_running() for process in running))
        await it.client._server.wait()
        it.client.shutdown_session = nobody
