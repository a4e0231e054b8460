"""Every place of a name: a project in an index, and what is certain of each place."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeindex.graph_view import view
from codeindex.occurrences import occurrences
from tests.codeindex.graph_project import files_in, index

PROJECT = """
=== app/load.py
def load(path, load_again=False):
    \"\"\"load is not a place here\"\"\"
    # nor is load here
    return "load"


class Base:
    count: int = 0

    def run(self):
        return load(self.count)


class Sub(Base):
    def run(self) -> Base:
        return super().run()
=== app/use.py
from app.load import Base, Sub, load
from app.load import load as other


def one(load_it):
    load(load_it, load_again=load is None)
    return Sub().run(), Base(count=load(1))


def two(load):
    return load(2)


def three(it: Base):
    it.count = 3
    return it.run()
=== app/elsewhere.py
def load():
    return load()


def count():
    return 1
=== web/page.ts
import { show } from "./show";
const show_all = () => show("show"); // show
export class Page { show() { return this.show(); } }
=== web/show.ts
export function show(text: string) { return text; }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the index is."""
    return tmp_path_factory.mktemp("index")


def found(folder: Path, name: str, path: str, line: int) -> list[str]:
    """Each place as path:line:column, with how sure it is."""
    with index(folder / name, PROJECT) as reader:
        there = occurrences(view(reader), files_in(PROJECT).get, (), name, path, line)
    return [
        f"{it.path}:{it.line}:{it.column} {it.confidence}{' defined' if it.is_definition else ''}"
        for it in there.found
    ]


def test_a_function_with_its_imports(folder: Path) -> None:
    """Definition, imports and calls; no text, no comment, no other name, no function of the same name."""
    assert found(folder, "load", "app/load.py", 1) == [
        "app/load.py:1:4 certain defined",
        "app/load.py:11:15 certain",
        "app/use.py:1:32 certain",
        "app/use.py:2:21 certain",
        "app/use.py:6:4 certain",
        "app/use.py:6:29 certain",
        "app/use.py:7:35 certain",
    ]


def test_from_where_it_is_used(folder: Path) -> None:
    """The same, asked at a call or at an import."""
    there = found(folder, "load", "app/load.py", 1)
    assert found(folder, "load", "app/use.py", 6) == there
    assert found(folder, "load", "app/use.py", 1) == there


def test_a_parameter_is_its_functions_own(folder: Path) -> None:
    """It is no use of the function that has its name."""
    assert found(folder, "load", "app/use.py", 10) == ["app/use.py:10:8 certain", "app/use.py:11:11 certain"]


def test_the_other_one_of_the_name(folder: Path) -> None:
    """Only its own file means it."""
    assert found(folder, "load", "app/elsewhere.py", 1) == [
        "app/elsewhere.py:1:4 certain defined",
        "app/elsewhere.py:2:11 certain",
    ]


def test_a_method_with_those_below_it(folder: Path) -> None:
    """What overrides it has to be renamed with it; that is likely, not certain."""
    places = found(folder, "run", "app/load.py", 10)
    assert "app/load.py:10:8 certain defined" in places
    assert "app/load.py:15:8 likely defined" in places
    assert "app/load.py:16:23 likely" in places
    assert all(not it.endswith("certain") for it in places if it.startswith("app/use.py"))


def test_a_field_and_what_names_it(folder: Path) -> None:
    """A keyword of a call may name the field; a function of the same name is something else."""
    places = found(folder, "count", "app/load.py", 8)
    assert places[:2] == ["app/load.py:8:4 certain defined", "app/load.py:11:25 certain"]
    assert "app/use.py:7:29 by name only" in places
    assert not any("elsewhere" in it for it in places)


def test_a_class_in_annotations(folder: Path) -> None:
    """What stands behind an arrow or a colon is no member of what stands before it."""
    assert found(folder, "Base", "app/load.py", 7) == [
        "app/load.py:7:6 certain defined",
        "app/load.py:14:10 certain",
        "app/load.py:15:21 certain",
        "app/use.py:1:21 certain",
        "app/use.py:7:24 certain",
        "app/use.py:14:14 certain",
    ]


def test_typescript(folder: Path) -> None:
    """Neither the text, the comment, nor the method of the same name."""
    assert found(folder, "show", "web/show.ts", 1) == [
        "web/page.ts:1:9 certain",
        "web/page.ts:2:23 certain",
        "web/show.ts:1:16 certain defined",
    ]


def test_what_is_on_screen_counts(folder: Path) -> None:
    """A text that is newer than the index has its places where they are now; one that is gone has none."""
    now = "# new\n# lines\nfrom app.load import load\nload(1)\n"
    with index(folder / "newer", PROJECT) as reader:
        texts: dict[str, str | None] = dict(files_in(PROJECT))
        texts |= {"app/use.py": now, "app/new.py": now, "web/page.ts": None}
        there = occurrences(view(reader), texts.get, ["app/use.py", "app/new.py"], "load", "app/load.py", 1)
    places = [(it.path, it.line, it.column) for it in there.found if it.path != "app/load.py"]
    each = [
        (path, line, column) for path in ("app/new.py", "app/use.py") for line, column in ((3, 21), (4, 0))
    ]
    assert places == each


@pytest.mark.parametrize(
    ("name", "path", "line"),
    [
        ("nobody", "app/load.py", 1),
        ("load", "gone.py", 1),
        ("load", "app/load.py", 999),
        ("", "app/load.py", 1),
    ],
)
def test_what_is_not_there_has_no_places(folder: Path, name: str, path: str, line: int) -> None:
    """No name, no file, no such line."""
    with index(folder / f"none{line}{name}{path.replace('/', '')}", PROJECT) as reader:
        assert occurrences(view(reader), files_in(PROJECT).get, (), name, path, line).found == ()
