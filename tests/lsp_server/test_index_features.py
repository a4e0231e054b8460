"""`hearth/search`, `hearth/index`, `workspace/symbol`: whatever is asked, the answer makes sense."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lsprotocol import types as lsp

from lsp_server import index as module
from lsp_server.features import index, search, workspace_symbol
from lsp_server.settings import Settings
from tests.lsp_server.test_inline_completion import Window

SYMBOL = {
    "id": 1,
    "path": "a.py",
    "language": "python",
    "name": "größe",
    "kind": "variable",
    "scope": "",
    "first_line": 1,
    "last_line": 1,
    "line": 1,
    "column": 8,
    "signature": "x='😀é'; größe = 1",
    "doc": "",
}
SERVICE = """
import json, sys
print(json.dumps({"event": "status", "state": "ready", "files": 1, "generation": 4}), flush=True)
for line in sys.stdin:
    it = json.loads(line)
    if it["method"] == "symbols": said = {"result": {"symbols": json.loads(sys.argv[1])}}
    elif it.get("params", {}).get("kinds"): said = {"error": "There is no kind 'dance'."}
    else: said = {"result": {"hits": [], "asked": it["params"]}}
    if "id" in it: print(json.dumps({"id": it["id"], **said}), flush=True)
"""


@pytest.fixture
async def it(tmp_path: Path, hearth_home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Window]:
    """A window on a folder with one file, whose index is a script."""
    (tmp_path / "a.py").write_text("x='😀é'; größe = 1\n")
    given = [sys.executable, "-c", SERVICE, json.dumps([SYMBOL])]
    monkeypatch.setattr(module, "command", lambda folder, cache, options: given)
    window = Window(hearth_home, monkeypatch)
    window.ls.settled.set()
    window.ls.workbench.index.start([tmp_path.as_posix()], window.ls.documents)
    yield window
    await window.ls.workbench.close()


@pytest.mark.parametrize("params", [None, SimpleNamespace(), SimpleNamespace(query=5), ["query"]])
async def test_a_search_for_nothing_says_so(it: Window, params: Any) -> None:
    """What makes no sense is answered, too."""
    answer = await search.handle(it.ls, params)
    assert (answer["hits"], answer["isComplete"]) == ([], False)
    assert answer["problem"] == "There is nothing to search for: query must be text."


async def test_what_the_index_refuses_is_the_problem(it: Window) -> None:
    """In its own words."""
    answer = await search.handle(it.ls, SimpleNamespace(query="load", kinds=["dance"], limit=10**9))
    assert (answer["problem"], answer["hits"]) == ("There is no kind 'dance'.", [])


async def test_a_search_with_odd_limits_is_a_search(it: Window) -> None:
    """A limit or a filter of the wrong type is as if it were not there."""
    for limit in (None, 0, -1, True, "many", 10**9):
        asked = SimpleNamespace(query="load", limit=limit, paths="a.py", textDocument=SimpleNamespace(uri=7))
        answer = await search.handle(it.ls, asked)
        assert (answer["problem"], answer["isComplete"]) == ("", True)


async def test_symbols_stand_at_their_names(it: Window, tmp_path: Path) -> None:
    """Columns count in UTF-16, by the file's line or by what is on screen."""
    (found,) = await workspace_symbol.handle(it.ls, lsp.WorkspaceSymbolParams(query="gr"))
    assert isinstance(found.location, lsp.Location)
    assert found.location.uri == (tmp_path / "a.py").as_uri()
    assert found.location.range == lsp.Range(lsp.Position(0, 9), lsp.Position(0, 14))
    assert found.kind is lsp.SymbolKind.Variable


async def test_symbols_can_be_left_to_others(it: Window) -> None:
    """Where another server lists them, ours stays out of the way."""
    it.ls.workbench.index.configure(Settings(index_workspace_symbols=False))
    assert await workspace_symbol.handle(it.ls, lsp.WorkspaceSymbolParams(query="gr")) == []


async def test_each_folder_says_how_it_is(it: Window, tmp_path: Path) -> None:
    """By its URI."""
    await search.handle(it.ls, SimpleNamespace(query="load"))
    (folder,) = (await index.handle(it.ls, None))["folders"]
    assert (folder["uri"], folder["state"], folder["files"]) == (tmp_path.as_uri(), "ready", 1)
    assert folder["generation"] == 4


async def test_the_commands_reach_the_index(it: Window) -> None:
    """Pausing stays until somebody resumes."""
    await index.pause(it.ls)
    assert it.ls.workbench.index._is_paused
    await index.rescan(it.ls, "nonsense")
    await index.resume(it.ls)
    assert not it.ls.workbench.index._is_paused
