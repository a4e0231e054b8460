"""The workspace's code as chat asks for it: folders, documents and files; and the service's real process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from chat.code import Code
from chat.types import Problem, Question
from codeindex.build import build
from codeindex.config import DEFAULTS
from lsp_server import index_process
from lsp_server.chat_code import TOO_MANY, WorkspaceCode, make_code
from lsp_server.documents import Documents
from lsp_server.index import NO_FOLDER, OFF
from lsp_server.settings import Settings
from lsp_server.wiring import Workbench
from tests.chat.extract_project import project_code

LOAD = 'def load(path):\n    """Read it."""\n    return path\n'
USE = "from load import load\n\n\ndef use():\n    return load('a')\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with two files, a secret, and links that lead out of it."""
    folder = tmp_path.resolve() / "one"
    (folder / "sub").mkdir(parents=True)
    (folder / "load.py").write_text(LOAD)
    (folder / "use.py").write_text(USE)
    (folder / ".env").write_text("KEY=1\n")
    (folder / ".gitignore").write_text("/private.py\n")
    (folder / "private.py").write_text("hidden = 1\n")
    outside = tmp_path.resolve() / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text("hidden = 2\n")
    (folder / "link.py").symlink_to(outside / "secret.py")
    (folder / "out").symlink_to(outside)
    (folder / "in").symlink_to(folder / "sub")
    (folder / "sub" / "own.py").write_text("own = 1\n")
    return folder


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """Another folder."""
    folder = tmp_path.resolve() / "two"
    folder.mkdir()
    text = "def page():\n    return page_of_two()\n\n\ndef page_of_two():\n    pass\n"
    (folder / "page.py").write_text(text)
    return folder


@pytest.fixture
def documents() -> Documents:
    """What is open: nothing yet."""
    return Documents()


@pytest.fixture
async def code(root: Path, documents: Documents, tmp_path: Path) -> AsyncIterator[WorkspaceCode]:
    """The folder's code."""
    async with project_code(root, tmp_path / "cache", documents) as found:
        yield found


def opened(documents: Documents, path: Path, text: str, version: int = 1) -> None:
    """A document of the editor."""
    uri = path.as_uri()
    documents.put(lsp.TextDocumentItem(uri=uri, language_id="python", version=version, text=text))


@pytest.mark.parametrize(
    "path",
    [
        ".env", "private.py", "link.py", "out/secret.py", "../outside/secret.py", "/etc/passwd",
        ".git/config", "gone.py", "", "\0", "sub", ".", "..", "sub/../../outside/secret.py",
    ],
)  # fmt: skip
async def test_what_must_not_be_read_is_not(
    code: WorkspaceCode, documents: Documents, root: Path, path: str
) -> None:
    """Secrets, what is ignored, what is outside, also through links; not the file, nor what is open of it."""
    assert await code.text(path) is None
    if path and "\0" not in path and path not in ("gone.py", "sub", ".", ".."):
        opened(documents, root / path, "hidden = 3\n")
        assert await code.text(path) is None
    assert await code.outline(path) == ()


async def test_what_is_open_counts(code: WorkspaceCode, documents: Documents, root: Path) -> None:
    """Its text and its version; with LF line ends; also if it is open through a link or is not saved yet."""
    assert (await code.text("load.py"), await code.version("load.py")) == (LOAD, None)
    opened(documents, root / "load.py", "a = 1\r\nb = 2\r", 7)
    assert (await code.text("load.py"), await code.version("load.py")) == ("a = 1\nb = 2\n", 7)
    opened(documents, root / "in" / "own.py", "own = 2\n", 3)
    assert (await code.text("sub/own.py"), await code.version("sub/own.py")) == ("own = 2\n", 3)
    opened(documents, root / "new.py", "new = 1\n")
    assert await code.text("new.py") == "new = 1\n"
    documents.drop((root / "load.py").as_uri())
    assert await code.text("load.py") == LOAD


async def test_every_question_has_its_answer(code: WorkspaceCode) -> None:
    """What chat asks, of one folder."""
    as_protocol: Code = code
    assert (await as_protocol.search("load", limit=1))[0].path == "load.py"
    assert (await code.search("load", paths=("use.py",)))[0].path == "use.py"
    assert [(it.path, it.row.name) for it in await code.symbols("loa")] == [("load.py", "load")]
    (definition,) = await code.definitions(("load",))
    assert (definition.path, definition.text) == ("load.py", LOAD.rstrip("\n"))
    (meant,) = await code.definitions(("load",), path="use.py")
    assert meant.path == "load.py"
    (call,) = await code.callers("load", path="load.py", line=1)
    assert (call.path, call.line, call.text, call.name, call.sure) == (
        "use.py",
        5,
        "    return load('a')",
        "use",
        "certain",
    )
    (called,) = await code.callees("use", path="use.py", line=4)
    assert called.target is not None
    assert (called.name, called.target.path) == ("load", "load.py")
    (importing,) = await code.callers("", path="load.py")
    assert (importing.path, importing.line, importing.name) == ("use.py", 1, "load.py")
    (imported,) = await code.callees("", path="use.py")
    assert (imported.name, imported.sure) == ("load.py", "certain")
    places = [(it.path, it.line, it.column) for it in await code.occurrences("load", path="use.py", line=5)]
    assert places == [("load.py", 1, 4), ("use.py", 1, 17), ("use.py", 5, 11)]
    assert [it.text for it in (await code.lines("load", words=("load",), paths=("use.py",))).lines] == [
        "from load import load",
        "    return load('a')",
    ]
    assert [it.name for it in await code.outline("use.py")] == ["use"]
    assert "load.py" in await code.overview(200)
    assert await code.files("sub/") == ("sub/own.py",)
    assert await code.faults("def f(:", "python")
    assert (await code.problems(), await code.diff(), await code.problem()) == ((), "", "")


@pytest.mark.parametrize("name", ["", "nobody", "..", "load(", "a" * 5_000, "\ud800", "::", "."])
async def test_names_that_are_none(code: WorkspaceCode, name: str) -> None:
    """Whatever is asked for, there is an answer."""
    await code.symbols(name)
    await code.definitions((name,))
    await code.callers(name)
    await code.callees(name, path="gone.py")
    await code.search(name)
    assert await code.occurrences(name, path="gone.py", line=1) == ()
    assert await code.occurrences(name, path="../load.py", line=1) == ()


@pytest.fixture
async def served(
    hearth_home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., tuple[Workbench, WorkspaceCode, Documents]]]:
    """Folders as the server has them: each with its service's process."""
    monkeypatch.setattr(index_process, "START_SECONDS", 0.0)
    started: list[Workbench] = []

    def serve(*folders: Path, **settings: bool) -> tuple[Workbench, WorkspaceCode, Documents]:
        bench, documents = Workbench(builds=False), Documents()
        started.append(bench)
        # By meaning, everything in a small project is near.
        bench.index.configure(Settings(index_embeddings="off", **settings))  # type: ignore[arg-type]
        bench.index.start([str(it) for it in folders], documents)
        problem = Problem(path="one/load.py", first_line=1, last_line=1, message="no")
        return (
            bench,
            make_code(bench, documents, lambda: [str(it) for it in folders], lambda: [problem]),
            documents,
        )

    yield serve
    for it in started:
        await it.close()


async def until_ready(bench: Workbench) -> None:
    """Wait for the processes."""
    async with asyncio.timeout(60):
        while bench.index.status.state != "ready":  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.02)


async def test_several_folders(
    served: Callable[..., tuple[Workbench, WorkspaceCode, Documents]], root: Path, second: Path
) -> None:
    """Each path begins with its folder's name, in what is asked and in what is answered."""
    bench, code, documents = served(root, second)
    assert "being indexed" in await code.problem() or bench.index.status.state == "ready"
    await until_ready(bench)
    assert {it.path for it in await code.search("page_of_two")} == {"two/page.py"}
    assert await code.search("page_of_two", paths=("one/*.py",)) == ()
    assert await code.files("two/") == ("two/page.py",)
    assert set(await code.files("*.py")) == {"one/load.py", "one/use.py", "one/sub/own.py", "two/page.py"}
    (call,) = await code.callers("page_of_two", path="two/page.py", line=5)
    assert (call.path, call.line) == ("two/page.py", 2)
    assert (await code.occurrences("load", path="one/use.py", line=5))[0].path == "one/load.py"
    assert (await code.lines("page_of_two")).lines[0].path == "two/page.py"
    assert "two/\n" in await code.overview(400)
    assert await code.text("two/page.py") is not None
    assert await code.text("page.py") is None
    assert await code.text("two/../one/.env") is None
    assert [it.path for it in await code.problems("one/load.py")] == ["one/load.py"]
    opened(documents, second / "page.py", "def unsaved_page():\n    pass\n")
    document = documents.get((second / "page.py").as_uri())
    assert document is not None
    bench.index.opened(document)
    assert [it.row.name for it in await code.symbols("unsaved")] == ["unsaved_page"]
    assert [it.name for it in await code.outline("two/page.py")] == ["unsaved_page"]


async def test_the_index_off_and_no_folder(
    served: Callable[..., tuple[Workbench, WorkspaceCode, Documents]], root: Path
) -> None:
    """Files can still be read, everything else is empty, and why is said."""
    _, code, _ = served(root, index_enabled=False)
    assert await code.problem() == OFF
    assert (await code.search("load"), await code.symbols("load"), await code.files()) == ((), (), ())
    assert (await code.callers("load"), await code.overview(100), await code.faults("x", "python")) == (
        (),
        "",
        None,
    )
    assert await code.text("load.py") == LOAD
    assert await code.text(".env") is None
    _, nowhere, _ = served()
    assert await nowhere.problem() == NO_FOLDER
    assert (await nowhere.text("load.py"), await nowhere.files(), await nowhere.diff()) == (None, (), "")


async def test_a_service_that_dies(
    served: Callable[..., tuple[Workbench, WorkspaceCode, Documents]],
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While it cannot be started the answers are empty, and why is said."""
    from chat.extract import answer
    from lsp_server import index

    monkeypatch.setattr(index, "command", lambda folder, cache, options: ["/bin/false"])
    monkeypatch.setattr(index_process, "PAUSES_SECONDS", (0.0,))
    _, code, _ = served(root)
    found = await answer(Question(text="How do I call `load`?"), code)
    assert not found.complete
    assert "its process ended" in found.markdown
    assert await code.text("load.py") == LOAD


async def test_who_renames_misses_nothing(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where not all places can be looked at there are none, and why is said, once."""
    from codeindex import occurrences

    build(root, tmp_path / "cache", DEFAULTS)
    monkeypatch.setattr(occurrences, "MOST_FILES", 1)
    async with project_code(root, tmp_path / "cache", is_built=True) as code:
        assert await code.occurrences("load", path="load.py", line=1) == ()
        assert await code.problem() == TOO_MANY
        assert await code.problem() == ""
