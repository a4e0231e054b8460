"""What chat asks of the index's service: a real desk, a real index, buffers and files that change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codeindex.build import build
from codeindex.config import DEFAULTS
from codeindex.protocol import Options, State, Status
from codeindex.protocol_asks import ASKS, Bad, Notice, message_in
from codeindex.serve_desk import Desk, Place
from codeindex.serve_meaning import Meaning
from codeindex.store import store_folder

FILES = {
    "app/__init__.py": "",
    "app/load.py": 'import os\n\n\ndef load(path):\n    """Read it."""\n    return os.environ["X"]\n',
    "app/use.py": "from app.load import load\n\n\ndef use():\n    return load('a')\n",
    "tests/test_use.py": "from app import load\nfrom app.use import use\n\n\ndef test_use():\n    use()\n",
    "web/page.js": 'import { show } from "./show.js";\nshow();\n',
    "web/show.js": "export function show() {}\n",
    "notes.md": "# load\n\nos.environ stands here, too.\n",
    ".env": "KEY=os.environ\n",
}


class Told:
    """A desk, and the folder that it is about."""

    def __init__(self, root: Path, desk: Desk) -> None:
        self.root = root
        self.desk = desk

    def ask(self, method: str, **params: Any) -> Any:
        """As it is asked over the pipe, without the pipe."""
        return self.desk.answer(ASKS[method](params))

    def lines(self, pattern: str, *words: str, **more: Any) -> list[str]:
        """Lines that are found, as path:line around."""
        found = self.ask("lines", pattern=pattern, words=list(words), **more)["lines"]
        return [f"{it['path']}:{it['line']} {it['around']}".strip() for it in found]

    def put(self, path: str, text: str | None) -> None:
        """A buffer."""
        self.desk.tell(Notice(method="buffer", paths=(path,), text=text))


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    """A desk over an index of the files."""
    root, cache = tmp_path.resolve() / "project", tmp_path / "cache"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    build(root, cache, DEFAULTS)
    options = Options()
    folder = store_folder(root, cache)
    meaning = Meaning(folder, options, lambda problem: None)
    desk = Desk(
        Place(
            root=root,
            folder=folder,
            options=options,
            meaning=meaning,
            status=lambda _: Status(state=State.READY),
        )
    )
    yield Told(root, desk)
    desk.close()


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("app", ["app/__init__.py", "app/load.py", "app/use.py"]),
        ("app/", ["app/__init__.py", "app/load.py", "app/use.py"]),
        ("./app/load.py", ["app/load.py"]),
        ("*.js", ["web/page.js", "web/show.js"]),
        ("app/*.py", ["app/__init__.py", "app/load.py", "app/use.py"]),
        ("USE", ["app/use.py", "tests/test_use.py"]),
        ("nothing", []),
        (".env", []),
        ("..", []),
    ],
)
def test_files(told: Told, pattern: str, expected: list[str]) -> None:
    """By a folder, a path, a pattern, a part; what does not belong is not among them."""
    assert told.ask("files", pattern=pattern) == {"files": expected, "more": 0}


def test_some_files_of_many(told: Told) -> None:
    """What is beyond the limit is counted; a file on screen alone is there."""
    told.put("app/new.py", "x = 1\n")
    assert told.ask("files", limit=2) == {"files": ["app/__init__.py", "app/load.py"], "more": 6}
    assert told.ask("files", pattern="new")["files"] == ["app/new.py"]


def test_imports(told: Told) -> None:
    """In both directions, with the lines as they are; a module of somebody else's has no file."""
    there = told.ask("imports", path="app/load.py")
    assert [(it["module"], it["target"], it["text"]) for it in there["uses"]] == [("os", "", "import os")]
    assert [(it["path"], it["line"]) for it in there["used"]] == [("app/use.py", 1), ("tests/test_use.py", 1)]
    assert [it["path"] for it in told.ask("imports", path="web/show.js")["used"]] == ["web/page.js"]
    assert told.ask("imports", path="gone.py") == {"uses": [], "used": [], "more": 0}
    assert told.ask("imports", path="../elsewhere.py")["used"] == []


def test_lines(told: Told) -> None:
    """In code alone, tests last; with words and without; in some files alone."""
    assert told.lines(r"os\.environ", "environ") == ["app/load.py:6 load"]
    assert told.lines(r"os\.environ") == ["app/load.py:6 load"]
    assert told.lines(r"\buse\(", "use(") == ["app/use.py:4 use", "tests/test_use.py:6 test_use"]
    assert told.lines(r"\buse\(", "use(", paths=["tests/"]) == ["tests/test_use.py:6 test_use"]
    assert told.lines("nothing like it", "nothing") == []
    many = told.ask("lines", pattern="load", limit=1)
    assert (len(many["lines"]), 0 < many["more"]) == (1, True)


def test_lines_of_now(told: Told) -> None:
    """What is on screen counts, then what is on disk; what is gone from both is not found."""
    told.put("app/use.py", "# os.environ is new here\n")
    (told.root / "app/load.py").write_text("\n\nos.environ\n", "utf-8")
    (told.root / "web/page.js").unlink()
    assert told.lines(r"os\.environ", "environ") == ["app/load.py:3", "app/use.py:1"]
    assert told.lines("show", "show") == ["web/show.js:1 show"]


def test_line_ends_of_another_kind(told: Told) -> None:
    """A file that is saved with other line ends says the same, at the same lines."""
    path = told.root / "app/use.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    (call,) = told.ask("callers", name="load")["edges"]
    assert (call["line"], call["text"]) == (5, "    return load('a')")
    assert "app/use.py:5 use" in told.lines(r"load\('a", "load")


def test_calls_say_what_stands_there(told: Told) -> None:
    """With their lines as they are now: moved with them, and left out where they are gone."""
    (call,) = told.ask("callers", name="load", path="app/load.py", line=4)["edges"]
    assert (call["path"], call["line"], call["text"]) == ("app/use.py", 5, "    return load('a')")
    told.put("app/use.py", "# One more line.\n" + FILES["app/use.py"])
    (call,) = told.ask("callers", name="load")["edges"]
    assert call["line"] == 6
    told.put("app/use.py", "pass\n")
    assert told.ask("callers", name="load")["edges"] == []


def test_occurrences_over_the_pipe(told: Told) -> None:
    """As values of JSON, of the texts on screen."""
    told.put("app/use.py", "\n" + FILES["app/use.py"])
    found = told.ask("occurrences", name="load", path="app/load.py", line=4)
    places = [(it["path"], it["line"], it["column"], it["confidence"]) for it in found["occurrences"]]
    assert places == [
        ("app/load.py", 4, 4, "certain"),
        ("app/use.py", 2, 21, "certain"),
        ("app/use.py", 6, 11, "certain"),
    ]
    assert found["unread"] == 0


def test_faults(told: Told) -> None:
    """Counted by the language's grammar; none for a language without one."""
    assert told.ask("faults", text="def f():\n    pass\n", language="python") == {"faults": 0}
    assert told.ask("faults", text="def f(:\n", language="python")["faults"] > 0
    assert told.ask("faults", text="x", language="nonsense") == {"faults": None}


@pytest.mark.parametrize("method", ["files", "imports", "lines", "occurrences"])
def test_without_an_index(tmp_path: Path, method: str) -> None:
    """Each answer is empty, and none is missing."""
    options = Options()
    meaning = Meaning(tmp_path, options, lambda problem: None)
    place = Place(
        root=tmp_path, folder=tmp_path / "none", options=options, meaning=meaning, status=lambda _: Status()
    )
    params = {"path": "a.py", "pattern": "x", "name": "x"}
    answer = Desk(place).answer(ASKS[method](params))
    assert not any(answer.values())


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("files", {"pattern": 3}),
        ("imports", {}),
        ("lines", {"pattern": "("}),
        ("lines", {"pattern": "x", "words": "x"}),
        ("occurrences", {"name": "x"}),
        ("occurrences", {"name": "x", "path": "a", "line": "1"}),
        ("faults", {"text": None, "language": "python"}),
    ],
)
def test_what_makes_no_sense(method: str, params: dict[str, Any]) -> None:
    """It is said in a sentence."""
    found = message_in(json.dumps({"id": 1, "method": method, "params": params}))
    assert isinstance(found, Bad)
    assert found.says.endswith(".")


def test_a_rest_costs_no_answer(told: Told) -> None:
    """What was remembered goes when nobody asks, and the same questions have the same answers."""
    asked: list[tuple[str, dict[str, Any]]] = [
        ("callers", {"name": "load"}),
        ("callees", {"name": "use"}),
        ("map", {"tokens": 500}),
    ]
    before = [told.ask(method, **params) for method, params in asked]
    assert before[0]["edges"]
    told.desk.rest()
    assert [told.ask(method, **params) for method, params in asked] == before
