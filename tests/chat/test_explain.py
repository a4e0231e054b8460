"""The facts of a definition: what is said is in the code, on the line that is named."""

from __future__ import annotations

import re

import pytest
from inline_snapshot import snapshot

from chat.edits_types import Refusal
from chat.explain import Facts, facts, markdown
from chat.explain_effects import effects
from chat.shape import Branch
from chat.target import Target
from tests.chat.code_in_memory import InMemory

FILES = {
    "shop/load.py": '''"""Loads."""

import json
import os


def load(path: str, *names: str, limit=10, **more) -> list[str]:
    """Load the items of a file.

    More of it.
    """
    # open() in a comment is no effect, nor is "subprocess.run()" in a text
    if not path:
        raise ValueError("subprocess.run()")
    with open(path) as file:
        found = json.load(file)
    for it in found:
        if it is None:
            return []
        check(it)
    os.environ["LOADED"] = "1"
    return found


def check(item):
    global LAST
    LAST = item


class Store:
    """Keeps items."""

    def put(self, item):
        """Put it in."""
        check(item)
''',
    "shop/main.py": "from shop.load import load\n\n\ndef main():\n    return load('a')\n",
}


def line_of(words: str) -> int:
    """The line of the file that has them."""
    text = FILES["shop/load.py"]
    return text[: text.index(words)].count("\n") + 1


async def test_a_function() -> None:
    """Signature, parameters, returns, raises, ways, effects, calls and callers, each with its place."""
    found = await facts(Target(path="shop/load.py", line=line_of("def load")), InMemory(FILES))
    assert not isinstance(found, Refusal)
    assert markdown(found) == snapshot("""\
**`load`** (function, [shop/load.py:7](shop/load.py#L7-L22))

```python
def load(path: str, *names: str, limit=10, **more) -> list[str]
```

Load the items of a file.

Parameters:
- `path`: `str`
- `names`: `str`, any number of them
- `limit`, `10` if it is left out
- `more`, any others by their names

Returns `list[str]`. Raises `ValueError` ([shop/load.py:14](shop/load.py#L14)).

Leaves early:
- [line 13](shop/load.py#L13): raises `ValueError` if `not path`
- [line 18](shop/load.py#L18): returns `[]` if `it is None`

Side effects seen:
- reads or writes files: `open`, [line 15](shop/load.py#L15)
- reads or sets the environment: `os.environ`, [line 21](shop/load.py#L21)

Calls:
- `check` ([shop/load.py:25](shop/load.py#L25))

Also calls, of what is defined elsewhere: `open` ([line 15](shop/load.py#L15)).

Called by:
- `main` ([shop/main.py:5](shop/main.py#L5), by name only)

11 lines of code. It has 3 decisions and 1 loop.
""")


async def test_a_class() -> None:
    """What it has, with what is said of it."""
    found = await facts(Target(path="shop/load.py", line=line_of("class Store")), InMemory(FILES))
    assert not isinstance(found, Refusal)
    assert markdown(found) == snapshot("""\
**`Store`** (class, [shop/load.py:30](shop/load.py#L30-L35))

```python
class Store
```

Keeps items.

Calls:
- `check` ([shop/load.py:25](shop/load.py#L25))

Has:
- [`put`](shop/load.py#L33): Put it in.

3 lines of code.
""")


async def test_every_link_leads_to_what_is_said() -> None:
    """The line of a link has the name or the words that stand before it."""
    for name in ("def load", "def check", "class Store", "def put"):
        line = line_of(name)
        found = await facts(Target(path="shop/load.py", line=line), InMemory(FILES))
        assert not isinstance(found, Refusal)
        links = re.findall(r"\]\(([^#)]+)#L(\d+)(?:-L(\d+))?\)", markdown(found))
        assert links
        for path, first, last in links:
            count = FILES[path].count("\n")
            assert 1 <= int(first) <= int(last or first) <= count
        lines = FILES["shop/load.py"].split("\n")
        assert all(it.text.split("(")[0] in lines[it.line - 1] for it in found.effects)
        assert all(it.condition.split()[0] in lines[it.line - 1] for it in _branches(found))


def _branches(found: Facts) -> tuple[Branch, ...]:
    body = found.shape.body if found.shape else None
    return body.branches if body else ()


async def test_what_is_not_there() -> None:
    """A place without a definition: a sentence."""
    assert isinstance(await facts(Target(path="shop/none.py", line=1), InMemory(FILES)), Refusal)
    assert isinstance(await facts(Target(path="shop/main.py", line=99), InMemory(FILES)), Refusal)


EFFECTS = [
    ("python", "subprocess.run(x)", "processes"),
    ("python", "httpx.get(x)", "network"),
    ("python", "Path(x).read_text()", "files"),
    ("python", "random.choice(x)", "randomness"),
    ("python", "time.time()", "time"),
    ("python", "cursor.execute(x)", "database"),
    ("python", "print(x)", "output"),
    ("python", "os.environ.get(x)", "environment"),
    ("javascript", "await fetch(url)", "network"),
    ("typescript", "fs.readFileSync(x)", "files"),
    ("javascript", "localStorage.setItem(a, b)", "globals"),
    ("javascript", "Math.random()", "randomness"),
    ("go", "os.ReadFile(x)", "files"),
    ("go", "exec.Command(x)", "processes"),
    ("go", "time.Now()", "time"),
    ("rust", "std::fs::read(x)", "files"),
    ("rust", "Command::new(x)", "processes"),
    ("java", "Files.readString(x)", "files"),
    ("csharp", "Console.WriteLine(x)", "output"),
    ("c", "fopen(x, y)", "files"),
    ("cpp", "std::cout << x", "output"),
    ("ruby", "File.read(x)", "files"),
    ("kotlin", "System.getenv(x)", "environment"),
]


@pytest.mark.parametrize(("language", "line", "effect"), EFFECTS)
def test_an_effect_is_seen(language: str, line: str, effect: str) -> None:
    """By what is called, in each language; and none where something else is called so."""
    found = effects(["", f"    x = {line}"], 5, language)
    assert [(it.effect, it.line) for it in found] == [(effect, 6)]


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("python", "self.open(x)"),
        ("python", "reopen(x)"),
        ("python", "blueprint(x)"),
        ("javascript", "this.fetch(x)"),
        ("javascript", "prefetch(x)"),
        ("go", "my.Open(x)"),
        ("python", "datetime(2020, 1, 1)"),
    ],
)
def test_no_effect_is_made_up(language: str, line: str) -> None:
    """What only sounds like it is none."""
    assert effects([line], 1, language) == ()
