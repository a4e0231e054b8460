"""Code of other files in the prompt: what is asked for and offered, and that a prompt keeps its beginning."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp

from codeindex.types import Hit, Kind
from completion.context import Recent, recent
from completion.pace import FASTEST, Pace
from completion.spot import Spot
from completion.trigger import Trigger
from lsp_server import index_context, wiring
from lsp_server.context import OFFERED, Context
from lsp_server.documents import Document
from lsp_server.features import sync
from lsp_server.index_context import import_lines, missing, names_wanted, pieces_of
from models.wire import Snippet
from tests.lsp_server.test_inline_completion import Window

HIT = Hit(
    path="rows.py",
    first_line=1,
    last_line=9,
    text="# What\n# is due.\ndef invoice_rows(cart):\n    for row in cart.rows:\n        yield row.price\n",
    score=1.0,
    language="python",
    kind=Kind.FUNCTION,
    name="invoice_rows",
    scope="",
    signature="def invoice_rows(cart)",
    doc="",
    unsaved=False,
)
HEAD = "def invoice_rows(cart):\n    for row in cart.rows:\n        yield row.price"
ASKING = "from rows import invoice_rows\n\n\ndef total(cart):\n    return sum(invoice_rows("
BUDGET = 500


def test_imported_names_that_are_used_come_first() -> None:
    """Then what else is used here, then what else is imported; words of the grammar are no names."""
    lines = [
        "from a import (\n",
        "    used_name,\n",
        "    unused_name,\n",
        ")\n",
        "\n",
        "local = used_name(1)\n",
    ]
    assert names_wanted(["from b import other\n"] + ["\n"] * 100 + ["other(value)\n"], 101) == (
        "other",
        "value",
    )
    first, *rest = names_wanted(lines + ["\n"] * 60 + ["used_name(here)\n"], 66)
    assert first == "used_name"
    assert rest == ["here", "unused_name"]


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "from .a import b",
        "use std::io;",
        "using System;",
        "#include <stdio.h>",
        "const a = require('b')",
        "export * from './x'",
    ],
)
def test_imports_of_many_languages(line: str) -> None:
    """What takes something from another file is seen without a grammar; other lines are not."""
    assert list(import_lines([line, "value = important"])) == [line]


def test_a_definitions_head_is_below_its_comment() -> None:
    """The comment takes room from what it is about."""
    (head,) = pieces_of(HIT, "rows.py", heads=True)
    assert (head.path, head.text) == ("rows.py", HEAD)
    nameless = replace(HIT, name="not there", text="x = 1\ny = 2")
    assert [it.text for it in pieces_of(nameless, "rows.py", heads=True)] == ["x = 1\ny = 2"]


def test_what_is_not_there_any_more_is_found_out(tmp_path: Path) -> None:
    """By its lines, wherever they are now; a file that is gone says nothing."""
    (tmp_path / "a.py").write_text("# moved\n\nfirst_thing = compute()\nsecond_thing = compute()\n")
    files = {it: (tmp_path / it).as_posix() for it in ("a.py", "gone.py")}
    there = recent("a.py", "first_thing = compute()\nsecond_thing = compute()")
    other, gone = recent("a.py", "third_thing = compute()"), recent("gone.py", "first_thing = compute()")
    assert missing([there, other, gone], files) == {(other.path, other.text), (gone.path, gone.text)}


class Desk:
    """A document that is asked for, and others that were offered something."""

    def __init__(self, root: Path) -> None:
        self.now = 0.0
        self.context = Context(lambda: self.now)
        self.context.within([root.as_uri()])
        self.uri = (root / "asking.py").as_uri()
        self.root = root
        self.context.opened(Document(self.uri, "python", 1, ASKING + ")\n"))

    def shown(self, before: str = ASKING, budget: int = BUDGET) -> tuple[Snippet, ...]:
        """The pieces of the next prompt."""
        self.context.wait()
        return self.context.snippets(self.uri, "asking.py", before, ")\n", budget)


def definition(name: str, path: str = "other.py") -> Recent:
    return recent(path, f"def {name}(cart):\n    {name}_value = cart.{name}\n    return {name}_value")


def test_what_the_index_offers_is_shown(tmp_path: Path) -> None:
    """A function that is called at the cursor, from a file that nobody has opened."""
    desk = Desk(tmp_path)
    assert desk.shown() == ()
    desk.context.offer(desk.uri, [recent("rows.py", HEAD), definition("something_else")])
    assert desk.shown() == (Snippet(path="rows.py", text=HEAD),)


def test_new_pieces_come_behind_those_shown_before(tmp_path: Path) -> None:
    """What the engine has read stays at the front, whatever arrives later and in whatever order."""
    desk = Desk(tmp_path)
    desk.context.offer(desk.uri, [recent("rows.py", HEAD)])
    first = desk.shown()
    desk.context.offer(desk.uri, [definition("total"), definition("invoice_rows", "better.py")])
    assert desk.shown() == first
    desk.now += 60
    later = desk.shown(f"{ASKING}total(cart.total")
    assert later[: len(first)] == first
    assert len(first) < len(later)


def test_an_open_file_speaks_for_itself(tmp_path: Path) -> None:
    """What is on screen counts, and not what the index had said of its file."""
    desk = Desk(tmp_path)
    desk.context.offer(desk.uri, [recent("rows.py", HEAD)])
    changed = HEAD.replace("price", "amount")
    desk.context.opened(Document((tmp_path / "rows.py").as_uri(), "python", 1, changed + "\n"))
    assert desk.shown() == (Snippet(path="rows.py", text=changed),)


def test_changed_files_and_old_pieces_are_withdrawn(tmp_path: Path) -> None:
    """A file that has changed is not quoted any more, and of too many those that were never shown."""
    desk = Desk(tmp_path)
    kept = recent("rows.py", HEAD)
    desk.context.offer(desk.uri, [kept])
    desk.shown()
    desk.context.offer(desk.uri, [definition(f"name_{it}") for it in range(2 * OFFERED)])
    offered = desk.context.offered(desk.uri)
    assert (len(offered), offered[0]) == (OFFERED, kept)
    desk.context.offer(desk.uri, [], gone={(offered[1].path, offered[1].text)})
    assert len(desk.context.offered(desk.uri)) == OFFERED - 1
    desk.context.withdraw([(tmp_path / "rows.py").as_uri()])
    assert desk.shown() == ()
    desk.context.withdraw()
    assert desk.context.offered(desk.uri) == ()


SERVICE = """
import json, sys
hits = json.loads(sys.argv[1])
print(json.dumps({"event": "status", "state": "ready", "files": 2, "generation": 1}), flush=True)
with open(sys.argv[2], "a") as journal:
    for line in sys.stdin:
        print(line, end="", file=journal, flush=True)
        it = json.loads(line)
        if "id" in it:
            found = hits if it["method"] == "definitions" else []
            print(json.dumps({"id": it["id"], "result": {"hits": found}}), flush=True)
"""


@pytest.fixture
def opened(
    tmp_path: Path, hearth_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], tuple[Window, str]]:
    """A window on a folder whose index is a script that knows one definition, with a document in it."""
    import sys

    from lsp_server import index as module
    from lsp_server import index_process

    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "rows.py").write_text(HIT.text)
    given = [sys.executable, "-c", SERVICE, json.dumps([asdict(HIT)]), (tmp_path / "journal").as_posix()]
    monkeypatch.setattr(module, "command", lambda folder, cache, options: given)
    monkeypatch.setattr(index_process, "START_SECONDS", 0.0)
    monkeypatch.setattr(index_context, "REST_SECONDS", 0.0)

    def open_one(text: str) -> tuple[Window, str]:
        it = Window(hearth_home, monkeypatch)
        it.ls.workspace.add_folder(lsp.WorkspaceFolder((tmp_path / "project").as_uri(), "project"))
        uri = (tmp_path / "project" / "asking.py").as_uri()
        item = lsp.TextDocumentItem(uri=uri, language_id="python", version=1, text=text)
        sync.opened(it.ls, lsp.DidOpenTextDocumentParams(text_document=item))
        it.ls.settled.set()
        it.ls.workbench.index.start([(tmp_path / "project").as_posix()], it.ls.documents)
        return it, uri

    return open_one


async def until(condition: Callable[[], Any]) -> None:
    """Wait for another process."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.01)


async def test_opening_a_document_fetches_what_it_imports(
    opened: Callable[[str], tuple[Window, str]], tmp_path: Path
) -> None:
    """In the background, also before there is an index; the same question is not asked twice."""
    it, uri = opened(f"{ASKING})\n")
    bench = it.ls.workbench
    await until(lambda: bench.context.offered(uri))
    assert [(at.path, at.text) for at in bench.context.offered(uri)] == [("rows.py", HEAD)]
    document = it.ls.documents.get(uri)
    assert document is not None
    bench.around.look(document, 0)
    await bench.around.settled()
    said = [json.loads(line) for line in (tmp_path / "journal").read_text().splitlines()]
    asked = [at["params"] for at in said if at["method"] == "definitions"]
    assert [(at["path"], at["names"][0]) for at in asked] == [("asking.py", "invoice_rows")]
    await bench.close()


async def test_a_request_does_not_wait_and_the_next_one_keeps_its_beginning(
    opened: Callable[[str], tuple[Window, str]],
) -> None:
    """What arrives between two keys is for the next prompt; the one that is being typed at stays as it is."""
    it, uri = opened(f"{ASKING})\n")
    bench = it.ls.workbench
    bench.sessions._pace = Pace(reads=FASTEST)  # An engine that has everything read at once.
    document = it.ls.documents.get(uri)
    assert document is not None

    def request(text: str) -> Any:
        asked = wiring.answering(bench, explicit=False)
        spot, trigger = _spot(it, document, text)
        return wiring.session_of(bench, asked, spot, uri).request(spot, trigger)

    before = request(ASKING)
    assert before.snippets == ()
    await until(lambda: bench.context.offered(uri))
    typing = request(f"{ASKING}c")
    assert (typing.snippets, typing.prompt, typing.suffix) == ((), before.prompt, before.suffix)
    bench.sessions.forget(uri)
    anew = request(f"{ASKING}c")
    assert [at.text for at in anew.snippets] == [HEAD]
    bench.context.offer(uri, [definition("total"), definition("invoice_rows", "better.py")])
    bench.sessions.forget(uri)
    again = request(f"{ASKING}ca")
    assert len(again.snippets) == 3
    assert again.snippets[:1] == anew.snippets
    await bench.close()


def _spot(it: Window, document: Document, text: str) -> tuple[Spot, Trigger]:
    document.lines = Document(document.uri, "python", 2, text + ")\n").lines
    line = text.count("\n")
    return wiring.look(
        document.window(line, len(text) - text.rfind("\n") - 1),
        it.ls.workbench.settings,
        path="asking.py",
        language="python",
        explicit=True,
        previous=None,
    )
