"""A new name for a symbol: what is renamed for certain, what is asked about, what is refused."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from chat.code import Occurrence
from chat.edits import apply
from chat.edits_types import Edit, Refusal
from chat.rename import Renamed, rename
from chat.rename_words import why_not
from chat.target import Target
from codeindex.languages import language_of
from codeindex.syntax import faults
from tests.chat.skeleton_code import SmallCode


async def renamed(
    files: Mapping[str, str],
    path: str,
    at: str,
    new_name: str,
    *,
    unsure: tuple[str, ...] = (),
    name: str = "",
) -> Renamed | Refusal:
    """What becomes of the symbol on the line with these words."""
    text = files[path]
    line = text[: text.index(at)].count("\n") + 1
    code = SmallCode(files, unsure=frozenset(unsure), versions=dict.fromkeys(files, 4))
    return await rename(Target(path=path, line=line, name=name), new_name, code)


def after(files: Mapping[str, str], edits: tuple[Edit, ...]) -> dict[str, str]:
    """The files that change, as they are then; each still parses as well as before."""
    found = {}
    for path in dict.fromkeys(it.path for it in edits):
        found[path] = apply(files[path], [it for it in edits if it.path == path])
        language = language_of(path)
        assert faults(found[path], language) == faults(files[path], language)
    assert all(it.version == 4 and it.says for it in edits)
    return found


PYTHON = {
    "shop.py": '''"""Sums: total."""

__all__ = ["total"]


def total(prices):
    # the total of all
    return sum(prices)


def twice(total):
    return total * 2


def report(prices, show):
    show("total is", total(prices), total=1)
''',
    "use.py": """from shop import total
from shop import total as sums
import shop

print(total([1]), sums([2]), shop.total([3]))
""",
    "other.py": "def f(x):\n    return x.total\n",
}


async def test_a_function_of_python() -> None:
    """Its uses and imports are renamed; not a parameter, an argument's name, a text or a comment."""
    found = await renamed(PYTHON, "shop.py", "def total", "whole", unsure=("other.py",))
    assert isinstance(found, Renamed)
    texts = after(PYTHON, found.edits)
    assert texts["shop.py"] == snapshot('''\
"""Sums: total."""

__all__ = ["total"]


def whole(prices):
    # the total of all
    return sum(prices)


def twice(total):
    return total * 2


def report(prices, show):
    show("total is", whole(prices), total=1)
''')
    assert texts["use.py"] == snapshot("""\
from shop import whole
from shop import whole as sums
import shop

print(whole([1]), sums([2]), shop.whole([3]))
""")
    confirmed = after(PYTHON, found.to_confirm)
    assert '__all__ = ["whole"]' in confirmed["shop.py"]
    assert "x.whole" in confirmed["other.py"]
    assert found.elsewhere == 4
    assert found.says == snapshot(
        "Renames `total` to `whole` in 6 places of 2 files; 2 places more to be confirmed; "
        "left alone 4 times in texts and comments."
    )


@pytest.mark.parametrize(
    ("new_name", "says"),
    [
        ("total", "its name already"),
        ("2nd", "not a name"),
        ("class", "a word of python"),
        ("with space", "not a name"),
        ("twice", "defined already, at line 11 of `shop.py`"),
        ("sum", "used already, at line 8 of `shop.py`"),
        ("sums", "used already, at line 2 of `use.py`"),
    ],
)
async def test_what_is_refused(new_name: str, says: str) -> None:
    """No name, a word of the language, one that means something already: a sentence, and no edit."""
    found = await renamed(PYTHON, "shop.py", "def total", new_name)
    assert isinstance(found, Refusal)
    assert says in found.reason


async def test_a_name_that_is_only_used_apart_is_free() -> None:
    """A parameter of another function, or an attribute, does not stand in the way."""
    for new_name in ("show", "x"):
        files = {
            "a.py": "def one():\n    return 1\n\n\ndef two(show, x):\n    return show.x\n\n\nprint(one())\n"
        }
        found = await renamed(files, "a.py", "def one", new_name)
        assert isinstance(found, Renamed), found
        assert after(files, found.edits)["a.py"].endswith(f"print({new_name}())\n")


async def test_a_name_that_would_be_caught_is_refused() -> None:
    """Where the function is used, a parameter of the new name would take its place."""
    files = {"a.py": "def one():\n    return 1\n\n\ndef two(show):\n    return one() + show\n"}
    found = await renamed(files, "a.py", "def one", "show")
    assert isinstance(found, Refusal)


async def test_a_method() -> None:
    """A method's calls are attributes: a function of the same name is another one."""
    files = {
        "a.py": "class A:\n    def run(self):\n        return self.run\n\n"
        "    def walk(self):\n        return 1\n\n\ndef go(run):\n    return run()\n\n\nA().run()\n"
    }
    found = await renamed(files, "a.py", "def run", "start")
    assert isinstance(found, Renamed)
    text = after(files, found.edits)["a.py"]
    assert "def start(self):\n        return self.start" in text
    assert "def go(run):\n    return run()" in text
    assert "A().start()" in text
    again = await renamed(files, "a.py", "def run", "walk")
    assert isinstance(again, Refusal)
    assert "defined already" in again.reason


async def test_a_parameter_with_its_keywords() -> None:
    """Who passes the argument by its name passes it by the new one."""
    files = {
        "a.py": "def pay(amount, currency):\n    return amount, currency\n\n\npay(amount=1, currency=2)\n",
        "b.py": "from a import pay\n\npay(3, currency=4)\n",
    }

    class Local(SmallCode):
        async def occurrences(self, name: str, *, path: str, line: int) -> tuple[Occurrence, ...]:
            every = await super().occurrences(name, path=path, line=line)
            return tuple(it for it in every if it.path == path and it.line < 3)

    code = Local(files, versions=dict.fromkeys(files, 4))
    found = await rename(Target(path="a.py", line=1, name="currency"), "money", code)
    assert isinstance(found, Renamed), found
    assert after(files, found.edits)["a.py"] == snapshot("""\
def pay(amount, money):
    return amount, money


pay(amount=1, money=2)
""")
    assert after(files, found.to_confirm)["b.py"] == "from a import pay\n\npay(3, money=4)\n"


SCRIPT = {
    "src/a.js": """export function total(prices) {
  return { total, size: 1 };
}

const other = { total: 5 };
const { total: mine } = other;
console.log(`total`, other.total, total([1]), mine); // total
""",
    "src/b.js": """import { total } from "./a.js";
import { total as sums } from "./a.js";

export { total };
send({ total });
""",
    "src/c.js": """const { total } = require("./a.js");
module.exports = { total };
""",
}


async def test_short_forms_of_javascript() -> None:
    """`{x}` becomes `{x: y}`, but not where the name is handed in or out; keys are left alone."""
    found = await renamed(SCRIPT, "src/a.js", "function total", "whole")
    assert isinstance(found, Renamed)
    texts = after(SCRIPT, found.edits)
    assert texts["src/a.js"] == snapshot("""\
export function whole(prices) {
  return { total: whole, size: 1 };
}

const other = { total: 5 };
const { total: mine } = other;
console.log(`total`, other.total, whole([1]), mine); // total
""")
    assert texts["src/b.js"] == snapshot("""\
import { whole } from "./a.js";
import { whole as sums } from "./a.js";

export { whole };
send({ total: whole });
""")
    assert texts["src/c.js"] == snapshot("""\
const { whole } = require("./a.js");
module.exports = { whole };
""")
    assert after(SCRIPT, found.to_confirm)["src/a.js"].count("other.whole") == 1
    assert found.elsewhere == 2


async def test_windows_line_ends_and_wide_letters() -> None:
    """Places are those of the text as it is, whatever its line ends and letters."""
    files = {"a.py": 'def one():\r\n    return "äöü😀"\r\n\r\n\r\nprint("ä😀", one())\r\n'}
    found = await renamed(files, "a.py", "def one", "two")
    assert isinstance(found, Renamed)
    assert after(files, found.edits)["a.py"] == files["a.py"].replace("one", "two")


async def test_what_is_not_known_is_refused() -> None:
    """Nothing is renamed where no place is certain, or where there is nothing."""
    files = {"a.py": "x = 1\n"}
    found = await renamed(files, "a.py", "x", "y", name="nowhere")
    assert isinstance(found, Refusal)
    found = await renamed(files, "a.py", "x", "y", unsure=("a.py",))
    assert isinstance(found, Refusal)
    assert "certain" in found.reason


@pytest.mark.parametrize(
    "language", ["python", "typescript", "go", "rust", "java", "c", "cpp", "ruby", "kotlin"]
)
def test_words_of_the_language_are_no_names(language: str) -> None:
    """Each language's own words are refused, and a plain name is not."""
    assert why_not("if", "a", language) is not None
    assert why_not("return", "a", language) is not None or language == "rust"
    assert why_not("naïve_1", "a", language) is None
    assert (why_not("$a", "a", language) is None) == (language == "typescript")


FORMS = st.sampled_from(
    [
        "def {0}({1}):\n    return {0}",
        "def f({1}):\n    return {0}",
        "print({0}, {1}={2})",
        "def g():\n    {0} = {1}\n    return [{0} for {1} in {2}]",
        "lambda {0}: {1}",
        "x.{0} = {1}",
        "def h():\n    def k():\n        nonlocal {0}\n        {0} = {1}\n    {0} = 1",
        "def m():\n    global {0}\n    {0} = {1}",
        "class K({0}):\n    {1} = {0}\n    def n(self, {2}={1}):\n        return {1}",
        "def p({0}={0}, *, {1}={2}):\n    return [{0} for {2} in {2} if {1}]",
    ]
)


@given(
    lines=st.lists(
        st.tuples(
            FORMS,
            st.permutations(["alpha", "beta", "gamma"]),
        ),
        min_size=1,
        max_size=6,
    )
)  # fmt: skip
async def test_renaming_keeps_what_is_meant(lines: list[tuple[str, list[str]]]) -> None:
    """With a name that is nowhere else the text stays the same program up to that name."""
    text = "def alpha():\n    pass\n" + "\n".join(form.format(*names) for form, names in lines) + "\n"
    found = await renamed({"a.py": text}, "a.py", "def alpha", "omega")
    if isinstance(found, Refusal):
        return
    new = after({"a.py": text}, found.edits)["a.py"]
    ast.parse(new)
    assert new.replace("omega", "alpha") == text
    same(symtable.symtable(text, "a.py", "exec"), symtable.symtable(new, "a.py", "exec"))


def same(old: symtable.SymbolTable, new: symtable.SymbolTable) -> None:
    """In each scope, what was the module's own name is the new one, and what was the scope's own is not."""
    had, has = ({it.get_name(): it for it in table.get_symbols()} for table in (old, new))
    if alpha := had.get("alpha"):
        is_own = alpha.is_free() or (alpha.is_local() and old.get_type() != "module")
        assert (("alpha" in has), ("omega" in has)) == (is_own, not is_own)
    for one, other in zip(old.get_children(), new.get_children(), strict=True):
        same(one, other)
