"""Context below the protocol: real documents, real edits, a real folder; what other prompts are shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from lsp_server import context as module
from lsp_server.context import DOCUMENTS, REGIONS, Context, judged
from lsp_server.documents import Document
from lsp_server.features import sync
from lsp_server.project import Project
from lsp_server.repository import repository_name
from lsp_server.server import Assistant
from lsp_server.wiring import Workbench
from models.wire import Snippet

KEY = "-----BEGIN PRIVATE " + "KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n"
ROWS = "def invoice_rows(cart):\n    for row in cart.rows:\n        yield row.price\n"
ASKING = "from rows import invoice_rows\n\n\ndef total(cart):\n    return sum(invoice_rows("
BUDGET = 500


class Desk:
    """An editor's open documents, and what their prompts are shown."""

    def __init__(self, *roots: Path) -> None:
        self.now = 0.0
        self.context = Context(lambda: self.now)
        self.context.within([it.as_uri() for it in roots])
        self.documents: dict[str, Document] = {}

    def open(self, path: Path | str, text: str) -> Document:
        """Show a document."""
        uri = path.as_uri() if isinstance(path, Path) else path
        document = self.documents[uri] = Document(uri, "python", 1, text)
        self.context.opened(document)
        return document

    def edit(self, document: Document, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        """Replace a range."""
        where = lsp.Range(lsp.Position(*start), lsp.Position(*end))
        self.apply(document, lsp.TextDocumentContentChangePartial(range=where, text=text))

    def replace(self, document: Document, text: str) -> None:
        """Replace all of it."""
        self.apply(document, lsp.TextDocumentContentChangeWholeDocument(text=text))

    def apply(self, document: Document, change: lsp.TextDocumentContentChangeEvent) -> None:
        """Whatever change."""
        document.apply([change], (document.version or 0) + 1, "utf-16")
        self.context.edited(document, document.last_change)

    def close(self, document: Document) -> None:
        """Close it."""
        self.context.closed(document.uri)

    def ask(self, path: Path | str, before: str = ASKING, after: str = ")\n", budget: int = BUDGET) -> Any:
        """What is shown to a document, which is opened if it is not, when all has been prepared."""
        uri = path.as_uri() if isinstance(path, Path) else path
        if uri not in self.documents:
            self.open(uri, before + after)
        self.context.wait()
        return self.context.snippets(uri, "asking.py", before, after, budget)


def texts(snippets: Sequence[Snippet]) -> list[str]:
    return [it.text for it in snippets]


def test_an_open_document_says_what_it_defines(tmp_path: Path) -> None:
    """A function that is called at the cursor is shown by its path in the folder."""
    desk = Desk(tmp_path)
    desk.open(tmp_path / "shop" / "rows.py", f"import os\nimport sys\nimport re\n\n\n{ROWS}")
    assert desk.ask(tmp_path / "asking.py") == (Snippet(path="shop/rows.py", text=ROWS.rstrip()),)


def test_an_edit_elsewhere_is_shown(tmp_path: Path) -> None:
    """The place that was edited last, as it is now, though it shares no name with the cursor's."""
    desk = Desk(tmp_path)
    other = desk.open(tmp_path / "other.py", "first_thing = 1\n\n" * 40)
    assert desk.ask(tmp_path / "asking.py") == ()
    desk.edit(other, (20, 0), (20, 0), "brand_new_thing = 2\n")
    assert texts(desk.ask(tmp_path / "asking.py")) == ["brand_new_thing = 2\nfirst_thing = 1"]


def test_lines_follow_the_edits_above_them(tmp_path: Path) -> None:
    """Lines that come or go above an edited place move it and do not change what it says."""
    desk = Desk(tmp_path)
    other = desk.open(tmp_path / "other.py", "\n" * 60 + "very_special_name = 2\n" + "\n" * 60)
    desk.edit(other, (60, 20), (60, 21), "3")
    desk.edit(other, (0, 0), (10, 0), "")
    desk.replace(other, "# a head\n# of two lines\n" + other.text)
    shown = desk.ask(tmp_path / "asking.py", "very_special_name", "")
    assert "very_special_name = 3" in texts(shown)
    edited = desk.context._followed[other.uri].regions[-1]
    assert other.lines[edited.first : edited.last] == ["very_special_name = 3\n"]


def test_a_closed_document_says_nothing(tmp_path: Path) -> None:
    """What was on screen is forgotten with it; opened again, it says what it says then."""
    desk = Desk(tmp_path)
    other = desk.open(tmp_path / "rows.py", ROWS)
    desk.edit(other, (0, 0), (0, 0), "# unsaved\n")
    assert "# unsaved" in texts(desk.ask(tmp_path / "asking.py"))[0]
    desk.close(other)
    assert desk.ask(tmp_path / "asking.py") == ()
    desk.open(tmp_path / "rows.py", ROWS)
    assert texts(desk.ask(tmp_path / "asking.py")) == [ROWS.rstrip()]


def test_a_document_shows_itself_what_is_far_away(tmp_path: Path) -> None:
    """In a long file the definition above the window helps; also while the file is being written."""
    desk = Desk(tmp_path)
    filler = "".join(f"constant_{at} = {at}\n\n" for at in range(300))
    long = desk.open(tmp_path / "long.py", f"{ROWS}\n\n{filler}{ASKING})\n")
    window = filler[-2000:] + ASKING
    assert desk.ask(tmp_path / "long.py", window, ")\n")[-1].text == ROWS.rstrip()
    desk.edit(long, (400, 0), (400, 0), "typed = 1\n")
    assert desk.ask(tmp_path / "long.py", window, ")\n")[-1].text == ROWS.rstrip()
    desk.edit(long, (1, 0), (1, 0), "    typed = 1\n")
    assert ROWS.rstrip() not in texts(desk.ask(tmp_path / "long.py", window, ")\n"))


def test_secrets_and_strangers_say_nothing_to_others(tmp_path: Path) -> None:
    """Neither what is ignored, nor a secret by name or text, nor what lies outside of the folder."""
    project = tmp_path / "project"
    project.mkdir()
    (project / ".hearthignore").write_text("private/\n")
    desk = Desk(project)
    for path, text in (
        (project / "private" / "rows.py", ROWS),
        (project / ".env", ROWS),
        (project / "key.py", f'{ROWS}\n\nKEY = """\n{KEY}"""\n'),
        (tmp_path / "elsewhere.py", ROWS),
        ("untitled:Untitled-1", ROWS),
    ):
        document = desk.open(path, text)
        desk.edit(document, (1, 0), (1, 0), "    unsaved = 1\n")
        assert desk.ask(project / "asking.py") == ()
    desk.open(project / "rows.py", ROWS)
    assert [it.path for it in desk.ask(project / "asking.py")] == ["rows.py"]


def test_a_document_that_becomes_a_secret_is_silent_at_once(tmp_path: Path) -> None:
    """From the key on that holds a private key, before anybody had the time to look at it."""
    desk = Desk(tmp_path)
    other = desk.open(tmp_path / "rows.py", ROWS)
    assert desk.ask(tmp_path / "asking.py") != ()
    desk.edit(other, (3, 0), (3, 0), KEY)
    assert desk.context.snippets((tmp_path / "asking.py").as_uri(), "asking.py", ASKING, "", BUDGET) == ()
    assert desk.ask(tmp_path / "asking.py") == ()
    desk.edit(other, (3, 0), (5, 0), "")
    assert desk.ask(tmp_path / "asking.py") != ()


def test_new_ignore_rules_count_at_once(tmp_path: Path) -> None:
    """What they leave out is silent before it is judged again."""
    desk = Desk(tmp_path)
    desk.open(tmp_path / "rows.py", ROWS)
    assert desk.ask(tmp_path / "asking.py") != ()
    (tmp_path / ".hearthignore").write_text("rows.py\n")
    desk.context.judge_again()
    assert desk.ask(tmp_path / "asking.py") == ()


def test_folders_keep_to_themselves(tmp_path: Path) -> None:
    """Two projects in one window do not tell anything; a guest is told what the first one knows."""
    one, two = tmp_path / "one", tmp_path / "two"
    desk = Desk(one, two)
    desk.open(one / "rows.py", ROWS)
    assert desk.ask(two / "asking.py") == ()
    assert desk.ask(one / "asking.py") != ()
    assert desk.ask("untitled:Untitled-1") != ()
    desk.context.within([tmp_path.as_uri()])
    assert [it.path for it in desk.ask(two / "asking.py")] == ["one/rows.py"]


@pytest.mark.parametrize("has_root", [True, False])
def test_the_memory_and_the_context_judge_alike(tmp_path: Path, has_root: bool) -> None:
    """Whatever the memory learns for others may be shown to others, and nothing else."""
    folder = tmp_path / "project"
    (folder / "node_modules").mkdir(parents=True)
    (folder / ".gitignore").write_text("ignored.py\n")
    (folder / "link.py").symlink_to(folder / "rows.py")
    names = {"NOWHERE": "nowhere", "ITSELF": "itself", "EVERYWHERE": "everywhere"}
    paths = [
        "rows.py",
        "ignored.py",
        ".env",
        ".ssh/rows.py",
        "node_modules/a.js",
        "link.py",
        "a.min.js",
        "script",
        "data.bin",
    ]
    uris = [(folder / it).as_uri() for it in paths] + [(tmp_path / "a.py").as_uri(), "untitled:a", "file:///"]
    for uri in uris:
        for text in (ROWS, KEY, "", "#!/usr/bin/env python\n", "a\0b", "x" * 6000, "# @generated\nx = 1\n"):
            project = Project(str(folder) if has_root else None, tmp_path / "cache", dependencies=False)
            learned = project._learn(uri, project._name(uri), text)
            assert judged(uri, str(folder) if has_root else "", text) == names[learned.name], (uri, text[:9])


def test_pieces_are_added_seldom_and_stay(tmp_path: Path) -> None:
    """While one goes on at one place, the prompt's start stays; later, or elsewhere, it may change."""
    desk = Desk(tmp_path)
    desk.open(tmp_path / "rows.py", ROWS)
    first = desk.ask(tmp_path / "asking.py")
    other = desk.open(tmp_path / "other.py", "\n")
    desk.edit(other, (0, 0), (0, 0), "quite_another = 1\n")
    assert desk.ask(tmp_path / "asking.py") == first
    desk.now += module.CHANGE_SECONDS
    second = desk.ask(tmp_path / "asking.py")
    assert second[:-1] == first
    desk.edit(desk.open(tmp_path / "third.py", "\n"), (0, 0), (0, 0), "third_thing = 1\n")
    assert desk.ask(tmp_path / "asking.py") == second
    assert len(desk.ask(tmp_path / "asking.py", f"# another place\n{ASKING}")) == 3


def test_a_smaller_budget_gets_the_first_pieces_and_changes_nothing(tmp_path: Path) -> None:
    """A short prompt after a jump does not move what the long one was shown."""
    desk = Desk(tmp_path)
    desk.open(tmp_path / "rows.py", ROWS)
    desk.open(tmp_path / "more.py", "def refund(cart):\n    return -sum(invoice_rows(cart))\n")
    both = desk.ask(tmp_path / "asking.py")
    assert len(both) == 2
    assert desk.ask(tmp_path / "asking.py", budget=45) == both[:1]
    assert desk.ask(tmp_path / "asking.py") == both


def test_memory_is_bounded(tmp_path: Path) -> None:
    """The last edited places of all documents, the pieces of the documents used last, and no more."""
    desk = Desk(tmp_path)
    for at in range(DOCUMENTS + 5):
        document = desk.open(tmp_path / f"{at}.py", ROWS + "\n" * 100)
        for line in (20, 50, 80):
            desk.edit(document, (line, 0), (line, 0), f"name_{at}_{line} = 1\n")
    desk.ask(tmp_path / "asking.py")
    followed = desk.context._followed.values()
    assert sum(len(it.regions) for it in followed) == REGIONS
    assert sum(it.prepared is not None for it in followed) <= DOCUMENTS
    desk.context.wait()
    assert sum(it.prepared is not None for it in followed) <= DOCUMENTS


pieces = st.text(st.sampled_from("ab\n\r\x0c\u2028😀_"), max_size=12)
points = st.tuples(st.integers(0, 30), st.integers(0, 5))
steps = st.one_of(st.tuples(points, points, pieces), pieces)


@given(text=st.lists(pieces, max_size=20).map("\n".join), script=st.lists(steps, max_size=10))
def test_every_piece_is_the_text_on_screen(text: str, script: list[Any]) -> None:
    """After any edits, of a range or of everything, a piece is lines of the document, the last edit's too."""
    desk = Desk()
    document = desk.open("file:///project/other.py", text)
    for step in script:
        if isinstance(step, str):
            desk.replace(document, step)
        else:
            desk.edit(document, *step)
        followed = desk.context._followed[document.uri]
        assert followed.count == len(document.lines)
        assert all(0 <= it.first < it.last <= len(document.lines) for it in followed.regions)
        change = document.last_change
        if change is not None:
            assert any(it.first <= change.line < it.last for it in followed.regions)
        screen = [it.rstrip() for it in document.lines]
        for own in (True, False):
            for found in followed.pieces(own=own):
                head, *body = found.text.split("\n")
                places = [at for at, it in enumerate(screen) if it == (body or [head])[0]]
                assert head in screen
                assert any(screen[at : at + len(body)] == body for at in places)
        if len(document.lines) % 2:
            desk.context.wait()


async def test_the_handlers_tell_of_every_change(tmp_path: Path, hearth_home: Path) -> None:
    """Opened, changed at two places at once, closed: each through the handler that the editor reaches."""
    ls = Assistant(Workbench(str(tmp_path / "m.gguf")))
    params: dict[str, Any] = {"processId": None, "rootUri": tmp_path.as_uri(), "capabilities": {}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    ls.protocol.answered = 1
    ls.protocol.handle_message(ls.protocol.structure_message(message))
    context = Context()
    vars(ls.workbench)["context"] = context
    uri = (tmp_path / "other.py").as_uri()
    item = lsp.TextDocumentItem(uri=uri, language_id="python", version=1, text="\n" * 100)
    sync.opened(ls, lsp.DidOpenTextDocumentParams(text_document=item))
    changes = [
        lsp.TextDocumentContentChangePartial(range=lsp.Range(it, it), text="brand_new = 1\n")
        for it in (lsp.Position(80, 0), lsp.Position(10, 0))
    ]
    document = lsp.VersionedTextDocumentIdentifier(uri=uri, version=2)
    sync.changed(ls, lsp.DidChangeTextDocumentParams(document, changes))
    context.wait()
    shown = context.snippets((tmp_path / "asking.py").as_uri(), "asking.py", "brand_new", "", BUDGET)
    assert [(it.first, it.last) for it in context._followed[uri].regions] == [(10, 12), (81, 83)]
    assert texts(shown) == ["brand_new = 1"]
    assert ls.documents.get(uri).version == 2  # type: ignore[union-attr]
    (tmp_path / ".gitignore").write_text("other.py\n")
    event = lsp.FileEvent((tmp_path / ".gitignore").as_uri(), lsp.FileChangeType.Created)
    sync.files_changed(ls, lsp.DidChangeWatchedFilesParams([event]))
    context.wait()
    assert context.snippets((tmp_path / "asking.py").as_uri(), "asking.py", "brand_new", "", BUDGET) == ()
    sync.closed(ls, lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri)))
    assert context._followed == {}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ('[remote "origin"]\n\turl = https://user:pass@example.org/team/shop-api.git\n', "shop-api"),
        ('[remote "upstream"]\n\turl = git@example.org:team/shop.git\n', "shop"),
        ('[remote "a"]\nurl = /x/a.git\n[branch "b"]\nurl = no\n[remote "origin"]\nurl=ssh://h:22/b/\n', "b"),
        ("[core]\n\tbare = false\n", "checkout"),
        ("\0\0[remote", "checkout"),
        (None, "src"),
    ],
)
def test_a_repository_is_called_by_its_remote(tmp_path: Path, config: str | None, expected: str) -> None:
    """The last part of the remote's address, never a name or password in it; else the folder's name."""
    folder = tmp_path / "checkout" / "src"
    folder.mkdir(parents=True)
    if config is not None:
        git = tmp_path / "checkout" / ".git"
        (git / "objects").mkdir(parents=True)
        (git / "HEAD").write_text("ref: refs/heads/main\n")
        (git / "config").write_text(config)
    assert repository_name(str(folder)) == expected
    desk = Desk(folder)
    assert desk.context.repository((folder / "a.py").as_uri()) == expected
    (tmp_path / "checkout" / ".git" / "config").unlink(missing_ok=True)
    assert desk.context.repository((folder / "b.py").as_uri()) == expected
    assert Desk().context.repository((folder / "a.py").as_uri()) == ""
