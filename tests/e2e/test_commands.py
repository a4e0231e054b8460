"""Commands through the real server: offered, done, looked at, stopped, refused when something moved on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lsprotocol import types as lsp

from lsp_server import protocol
from lsp_server.documents import Document
from tests.chat.desks import said
from tests.e2e.editor import Editor, editor, until
from tests.e2e.test_index import until_ready
from tests.models.loopback.server import STREAM, Answer, Server, chunk, event, serving, stream
from tests.models.loopback.shapes import DONE, delta

pytestmark = pytest.mark.e2e

OPTIONS = {"memory": {"enabled": False}, "completion": {"enabled": False}}
BASKET = '''"""The basket: größer 😀."""

import json


def has_odd(values):
    found = False  # 😀
    for value in values:
        if value % 2 == 1:
            found = True
    return found
'''
MAIN = "from shop.basket import has_odd\n\nprint(has_odd([1]))\n"
SIMPLE = "def has_odd(values):\n    return any(value % 2 == 1 for value in values)"
ANSWER = f"Sure!\n\n```python\n{SIMPLE}\n```\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small shop."""
    root = tmp_path / "project"
    (root / "shop").mkdir(parents=True)
    (root / "shop" / "__init__.py").write_text("")
    (root / "shop" / "basket.py").write_text(BASKET)
    (root / "main.py").write_text(MAIN)
    (root / "pyproject.toml").write_text('[project]\nname = "shop"\n[tool.pytest.ini_options]\n')
    return root


class Desk:
    """An editor that makes the edits that it is asked to make, as its kind does."""

    def __init__(self, it: Editor, root: Path) -> None:
        self.editor = it
        self.root = root
        self.uri = (root / "shop" / "basket.py").as_uri()
        self.asked: list[lsp.ApplyWorkspaceEditParams] = []
        self.answer: Callable[[], lsp.ApplyWorkspaceEditResult] = lambda: lsp.ApplyWorkspaceEditResult(True)
        converter = it.client.protocol._converter

        def action(said: Any, _: Any) -> Any:
            """The library takes every action that has a command for a bare command."""
            if "kind" in said:
                return converter.structure(said, lsp.CodeAction)
            return lsp.Command(said["title"], said["command"], arguments=said.get("arguments"))

        converter.register_structure_hook(lsp.Command, action)
        it.client.feature(lsp.WORKSPACE_APPLY_EDIT)(lambda params: self._apply(params))

    def _apply(self, params: lsp.ApplyWorkspaceEditParams) -> lsp.ApplyWorkspaceEditResult:
        self.asked.append(params)
        return self.answer()

    @property
    def messages(self) -> list[str]:
        """What the user was told."""
        return [it.message for it in self.editor.client.messages]

    def open(self, uri: str = "", text: str = BASKET, language: str = "python") -> None:
        """Open a document, the basket if nothing is said."""
        self.editor.open(text, uri=uri or self.uri, language=language)

    async def actions(
        self, line: int, *, last: int | None = None, **context: Any
    ) -> dict[str, lsp.CodeAction]:
        """What is offered for these lines, from 0, by the commands' names."""
        end = lsp.Position(line if last is None else last, 0)
        params = lsp.CodeActionParams(
            text_document=lsp.TextDocumentIdentifier(uri=self.uri),
            range=lsp.Range(lsp.Position(line, 0), end),
            context=lsp.CodeActionContext(diagnostics=[]),
        )
        found = await self.editor.client.text_document_code_action_async(params)
        actions = [it for it in found or () if isinstance(it, lsp.CodeAction)]
        return {str(it.kind).rpartition(".hearth.")[2]: it for it in actions}

    async def run(self, action: lsp.CodeAction) -> Any:
        """What an editor does when an action was chosen."""
        assert action.command is not None, action.disabled
        assert action.command.arguments is not None
        return await self.editor.command(action.command.command, *action.command.arguments)

    async def ask(self, command: str, line: int = 5, **more: Any) -> Any:
        """Run a command and wait for its result."""
        where = {"line": line, "character": 4}
        said = {
            "command": command,
            "textDocument": {"uri": self.uri},
            "range": {"start": where, "end": where},
        }
        found = await self.editor.command(protocol.RUN, said | more)
        return SimpleNamespace(**{"refusal": "", "applied": None} | found)

    def made(self, uri: str = "", text: str = BASKET) -> str:
        """The document with the last edit made."""
        edit = self.asked[-1].edit
        document = Document(uri or self.uri, "python", 1, text)
        edits: list[Any] = []
        for change in edit.document_changes or ():
            if isinstance(change, lsp.TextDocumentEdit) and change.text_document.uri == document.uri:
                edits += change.edits
        edits += (edit.changes or {}).get(document.uri, ())
        for it in sorted(edits, key=lambda it: (it.range.start.line, it.range.start.character), reverse=True):
            part = lsp.TextDocumentContentChangePartial(range=it.range, text=it.new_text)
            document.apply([part], 2, self.editor.encoding)
        return document.text


@asynccontextmanager
async def desk(
    home: Path, root: Path, server: Server | None = None, client: str = "neovim"
) -> AsyncIterator[Desk]:
    """An editor with the project open; with a server, that one has the chat model."""
    if server is not None:
        (home / "config").mkdir(exist_ok=True)
        own = {"chat": {"provider": "llama-server", "model": "scripted", "url": server.url}}
        (home / "config" / "settings.json").write_text(json.dumps(own))
    async with editor(home, client, "--model", "none.gguf", options=OPTIONS, root=root) as it:
        yield Desk(it, root)


def shown(document: lsp.ShowDocumentParams) -> str:
    """The text of a document that the editor was told to show."""
    return Path(document.uri.removeprefix("file://")).read_text(encoding="utf-8")


class Held:
    """An answer that says its words, and its end when it is let go."""

    def __init__(self, *words: str) -> None:
        self._words = words
        self.begun = asyncio.Event()
        self.let_go = asyncio.Event()

    async def __call__(self, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + b"".join(chunk(event(delta(it))) for it in self._words))
        await writer.drain()
        self.begun.set()
        await self.let_go.wait()
        writer.write(chunk(event(delta(finish="stop"))) + chunk(DONE) + b"0\r\n\r\n")
        await writer.drain()


@pytest.mark.parametrize("client", ["neovim", "vscode", "lsp-mode", "plain"])
async def test_a_models_change(hearth_home: Path, project: Path, client: str) -> None:
    """Chosen from the menu, made in the editor: the same text in every editor's own units."""
    async with serving(said(ANSWER)) as server, desk(hearth_home, project, server, client) as it:
        it.open()
        await until_ready(it.editor)
        actions = await it.actions(6)
        assert await it.run(actions["simplify"]) is None
        await until(lambda: it.asked)
        assert it.made() == BASKET[: BASKET.index("def has_odd")] + SIMPLE + "\n"
        [params] = it.asked
        assert params.label == "Simplify (by llama-server on this machine)"
        if client == "neovim":
            [change] = params.edit.document_changes or ()
            assert isinstance(change, lsp.TextDocumentEdit)
            assert change.text_document.version == 1
            notes = params.edit.change_annotations or {}
            assert [(note.label, note.needs_confirmation) for note in notes.values()] == [
                ("Simplify: basket.py", True)
            ]
        else:
            assert params.edit.document_changes is None
    assert len(server.requests) == 1


async def test_without_a_model(hearth_home: Path, project: Path) -> None:
    """What the code itself gives is offered and works; the rest says what it lacks."""
    async with desk(hearth_home, project) as it:
        it.open()
        await until_ready(it.editor)
        actions = await it.actions(6)
        assert {name for name, action in actions.items() if action.disabled} == {"simplify", "types"}
        assert await it.run(actions["document"]) is None
        await until(lambda: it.asked)
        assert '    """' in it.made()
        assert it.asked[0].label == "Write documentation (from your code, without a model)"
        await it.run(actions["explain"])
        await until(lambda: it.editor.client.shown_documents)
        text = shown(it.editor.client.shown_documents[0])
        assert "has_odd" in text
        assert "From your code, without a model" in text
        answer = await it.ask("simplify")
        assert answer.refusal.startswith("This needs a chat model")
        answer = await it.ask("no such command")
        assert answer.refusal == "There is no command `no such command`."


async def test_tests_are_a_new_file(hearth_home: Path, project: Path) -> None:
    """The editor makes it, with its text in the same edit; one that is there already is not written over."""
    async with desk(hearth_home, project) as it:
        it.open()
        await until_ready(it.editor)
        answer = await it.ask("tests")
        create, filled = it.asked[0].edit.document_changes or ()
        assert isinstance(create, lsp.CreateFile)
        assert create.uri == (project / answer.files[0]).as_uri()
        assert isinstance(filled, lsp.TextDocumentEdit)
        assert "has_odd" in filled.edits[0].new_text  # type: ignore[union-attr]
        assert not (project / answer.files[0]).exists()


async def test_a_new_name_in_every_file(hearth_home: Path, project: Path) -> None:
    """The definition, the import and the call, in files that are open and in files that are not."""
    async with desk(hearth_home, project) as it:
        it.open()
        await until_ready(it.editor)
        answer = await it.ask("rename", instruction="any_odd")
        assert answer.applied is True, answer
        assert it.made() == BASKET.replace("has_odd", "any_odd")
        assert it.made((project / "main.py").as_uri(), MAIN) == MAIN.replace("has_odd", "any_odd")
        assert len(it.asked) == 1


async def test_a_document_that_changes_meanwhile(hearth_home: Path, project: Path) -> None:
    """While the model writes, somebody types: nothing is changed, and a sentence says so."""
    held = Held(ANSWER)
    async with serving(held) as server, desk(hearth_home, project, server) as it:
        it.open()
        await until_ready(it.editor)
        running = asyncio.create_task(it.ask("simplify"))
        await asyncio.wait_for(held.begun.wait(), 60)
        it.editor.insert(lsp.Position(0, 0), "# new\n", 2, it.uri)
        held.let_go.set()
        answer = await running
        assert answer.refusal == "`shop/basket.py` has changed meanwhile, so nothing was changed: ask again."
        assert it.asked == []


async def test_an_action_for_an_older_version(hearth_home: Path, project: Path) -> None:
    """The menu was open while somebody typed: the action that is chosen then is no longer about this."""
    async with serving() as server, desk(hearth_home, project, server) as it:
        it.open()
        actions = await it.actions(6)
        it.editor.insert(lsp.Position(0, 0), "# new\n", 2, it.uri)
        await it.run(actions["simplify"])
        await until(lambda: it.messages)
        assert it.messages == ["The document has changed meanwhile: ask again."]
        assert server.requests == []


async def test_stopped_by_its_bar(hearth_home: Path, project: Path) -> None:
    """Cancelling the bar closes the stream, and nothing is changed."""
    held = Held("```python\n", "def has_odd(values):\n")
    async with serving(held) as server, desk(hearth_home, project, server) as it:
        it.open()
        await until_ready(it.editor)
        running = asyncio.create_task(it.ask("simplify"))
        client = it.editor.client

        def bar() -> Any:
            return next((name for name in client.progress_reports if "hearth-run" in str(name)), None)

        await until(lambda: bar() and client.progress_reports[bar()])
        first = client.progress_reports[bar()][0]
        assert (first.title, first.cancellable) == ("Hearth: Simplify", True)
        client.window_work_done_progress_cancel(lsp.WorkDoneProgressCancelParams(token=bar()))
        answer = await running
        assert answer.refusal == "It was stopped."
        held.let_go.set()
        await until(lambda: server.open == 0)
        await until(lambda: isinstance(client.progress_reports[bar()][-1], lsp.WorkDoneProgressEnd))
        assert it.asked == []


async def test_an_editor_that_says_no(hearth_home: Path, project: Path) -> None:
    """Its reason is in the sentence."""
    async with serving(said(ANSWER)) as server, desk(hearth_home, project, server) as it:
        it.answer = lambda: lsp.ApplyWorkspaceEditResult(applied=False, failure_reason="read only.")
        it.open()
        await until_ready(it.editor)
        answer = await it.ask("simplify")
        assert answer.refusal == "The editor did not make the change: read only."
        assert answer.applied is False


async def test_a_model_that_dies(hearth_home: Path, project: Path) -> None:
    """In the middle of the word: a sentence, no edit, and the next command works."""
    broken = stream(event(delta("```python\ndef has_odd(")), ends=False)
    async with serving(broken, closes=True) as server, desk(hearth_home, project, server) as it:
        it.open()
        await until_ready(it.editor)
        answer = await it.ask("simplify")
        assert answer.refusal
        assert it.asked == []
        answer = await it.ask("document", choice="extractive")
        assert answer.applied is True


async def test_a_document_in_no_folder(hearth_home: Path, project: Path) -> None:
    """A file alone, and a document without a name, can be worked on as well."""
    async with (
        serving(said(ANSWER), said("Odd numbers.")) as server,
        desk(hearth_home, project, server) as it,
    ):
        it.uri = "untitled:Untitled-1"
        it.open()
        answer = await it.ask("simplify")
        assert answer.applied is True, answer
        assert it.made() == BASKET[: BASKET.index("def has_odd")] + SIMPLE + "\n"
        answer = await it.ask("explain")
        assert answer.markdown.startswith("Odd numbers."), answer


async def test_line_ends_stay(hearth_home: Path, project: Path) -> None:
    """A document of CRLF lines gets CRLF lines."""
    text = BASKET.replace("\n", "\r\n")
    (project / "shop" / "basket.py").write_bytes(text.encode())
    async with serving(said(ANSWER)) as server, desk(hearth_home, project, server) as it:
        it.open(text=text)
        await until_ready(it.editor)
        answer = await it.ask("simplify")
        assert answer.applied is True, answer
        expected = BASKET[: BASKET.index("def has_odd")] + SIMPLE + "\n"
        assert it.made(text=text) == expected.replace("\n", "\r\n")


async def test_a_recipe(hearth_home: Path, project: Path) -> None:
    """A command of the user's own is offered and runs; one of the project's files is none."""
    recipe = """
title = "Use any"
about = "symbol"
[[steps]]
do = "retrieve"
query = "has_odd"
[[steps]]
do = "prompt"
text = "{{context}}\\n\\nUse any() here: {{code}}"
[[steps]]
do = "check"
contains = "any\\\\("
[[steps]]
do = "apply"
"""
    folder = hearth_home / "config" / "recipes"
    folder.mkdir(parents=True)
    (folder / "use-any.toml").write_text(recipe)
    (folder / "broken.toml").write_text("title = 3")
    (project / "recipes").mkdir()
    (project / "recipes" / "evil.toml").write_text(recipe.replace("Use any", "Evil"))
    answers: tuple[Answer, ...] = (said("```python\nx = 1\n```"), said(ANSWER))
    async with serving(*answers) as server, desk(hearth_home, project, server) as it:
        it.open()
        await until_ready(it.editor)
        actions = await it.actions(6)
        assert actions["use-any"].title == "Hearth: Use any"
        assert "evil" not in actions
        answer = await it.ask("use-any")
        assert answer.applied is True, answer
        assert it.made() == BASKET[: BASKET.index("def has_odd")] + SIMPLE + "\n"
        assert any("`recipes/broken.toml`" in message for message in it.messages)
    second = json.loads(server.requests[1].body)["messages"]
    assert "lacks what must be in it (`any\\(`)" in second[-1]["content"]
