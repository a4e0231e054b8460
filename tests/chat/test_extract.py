"""Answers without a model: over a real index of a small project, and over code that is not there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from chat.extract import NOTHING, PROSE, answer
from chat.extract_concepts import CONCEPTS, concept_of, is_valid
from chat.extract_file import introduction
from chat.extract_phrases import phrases
from chat.types import Mention, Problem, Question, Selection
from codeindex.build import build
from codeindex.config import DEFAULTS
from lsp_server.chat_code import WorkspaceCode
from tests.chat.code_in_memory import InMemory
from tests.chat.extract_project import FOLDER, QUESTIONS, project_code, write_project, written


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the small project lies."""
    folder = tmp_path.resolve() / "shop"
    write_project(folder)
    return folder


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same for those who only read it: its folder, and that of its index."""
    folder, cache = tmp_path_factory.mktemp("project").resolve() / "shop", tmp_path_factory.mktemp("cache")
    write_project(folder)
    build(folder, cache, DEFAULTS)
    return folder, cache


@pytest.fixture
async def code(shop: tuple[Path, Path]) -> AsyncIterator[WorkspaceCode]:
    """The code of the one that stays as it is."""
    problem = Problem(path="shop/cart.py", first_line=8, last_line=8, message="unused [import]", code="F401")
    async with project_code(*shop, problems=(problem,), is_built=True) as found:
        yield found


@pytest.fixture
async def changing(root: Path, tmp_path: Path) -> AsyncIterator[WorkspaceCode]:
    """The code of the one that may change."""
    async with project_code(root, tmp_path / "cache") as found:
        yield found


NOWHERE = Selection(path="", language="", first_line=1, last_line=1, text="")


async def said(code: WorkspaceCode | InMemory, text: str, **more: object) -> str:
    """The answer's text."""
    return (await answer(replace(Question(text=text), **more), code)).markdown  # type: ignore[arg-type]


async def test_what_is_said(code: WorkspaceCode) -> None:
    """Each question gets the answer that is written down, and every link leads to lines that are there."""
    for name, question in QUESTIONS.items():
        found = await answer(question, code)
        assert written(name, found) == (FOLDER / f"{name}.md").read_text("utf-8"), name
        for it in found.places:
            text = await code.text(it.path)
            assert text is not None, it
            assert 1 <= it.first_line <= it.last_line <= len(text.split("\n")), it
            assert f"({it.link})" in found.markdown


def test_every_answer_has_its_question() -> None:
    """No file of answers is left that nobody asks for."""
    assert {it.stem for it in FOLDER.glob("*.md")} == set(QUESTIONS)


@pytest.mark.parametrize(
    "text",
    [
        "hidden",
        "What does private/notes.py do?",
        "Who calls hidden?",
        "What is in .env?",
        "sk-live-4f9a8b7c6d5e4f3a2b1c",
        "find all database queries",
        "What does ../../../etc/passwd do?",
        "What is in /etc/?",
    ],
)
async def test_what_must_not_be_read_is_not_shown(code: WorkspaceCode, text: str) -> None:
    """Neither what is ignored, nor a secret, nor what is outside, however it is asked for."""
    found = await said(code, text)
    for word in ("Nobody may read", "FROM private", "SHOP_KEY", "root:"):
        assert word not in found


async def test_lines_that_moved_are_linked_where_they_are(changing: WorkspaceCode, root: Path) -> None:
    """The index has not seen it yet; the link leads to where the line stands now."""
    path = root / "shop" / "checkout.py"
    path.write_text("# One.\n# Two.\n" + path.read_text("utf-8"), "utf-8")
    found = await answer(Question(text="Who calls total_price?"), changing)
    assert "[11](shop/checkout.py#L11) in `check_out`" in found.markdown


async def test_a_file_that_vanished_is_not_linked(changing: WorkspaceCode, root: Path) -> None:
    """It was there when it was indexed, and is not now."""
    (root / "shop" / "checkout.py").unlink()
    found = await answer(Question(text="Who calls total_price?"), changing)
    assert "checkout" not in found.markdown
    assert "shop/cart.py#L30" in found.markdown
    assert "cannot be read" in await said(changing, "What does this module do?", path="shop/checkout.py")


async def test_a_definition_that_vanished(changing: WorkspaceCode, root: Path) -> None:
    """Its file is there, without it."""
    (root / "shop" / "discounts.py").write_text("DISCOUNTS = ()\n", "utf-8")
    found = await answer(Question(text="How do I call `best_discount`?"), changing)
    assert [it.path for it in found.places] == ["shop/cart.py"]
    assert found.markdown.startswith("`best_discount` is not defined in this workspace. 1 line calls it:")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "?",
        "`",
        "```",
        "@",
        "how do I call `",
        "[x](javascript:alert)",
        "a\0b",
        "who calls ?",
        "\ud800",
    ],
)
async def test_any_text_has_an_answer(code: WorkspaceCode, text: str) -> None:
    """Whatever is typed, there is an answer that ends with how to get more."""
    assert (await said(code, text)).endswith(PROSE)


async def test_a_huge_question(code: WorkspaceCode) -> None:
    """A pasted log of megabytes is answered like its first lines."""
    text = "no price for lamp in EUR\n" + "x = 1; (((((\n" * 200_000
    assert (await said(code, text)).endswith(PROSE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("¿Cómo uso total_price?", "`total_price` is a function in"),
        ("Comment appeler total_price ?", "`total_price` is a function in"),
        ("谁调用了 total_price？", "is called at 5 places"),
        ("total_price 是做什么的？", "`total_price` is a function in"),
        ("кто вызывает total_price?", "is called at 5 places"),
        ("Wo ist NoPrice?", "`NoPrice` is a class in"),
        ("Was macht dieses Modul?", "Orders, kept in SQLite."),
        ("¿Qué hace este proyecto?", "A small shop"),
        ("Finde alle Datenbankabfragen", "**Database queries**: 5 lines"),
    ],
)
async def test_other_languages(code: WorkspaceCode, text: str, expected: str) -> None:
    """The usual questions are understood in the languages that many ask in."""
    assert expected in await said(code, text, path="shop/store.py")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("which tests cover total_price?", "2 tests call `total_price`"),
        ("who calls round?", "`round` is not defined in this workspace. 1 line calls it:"),
        ("find all usages of get", "`get` is not defined in this workspace. 1 line calls it:"),
        ("which files import httpx?", "**Imports of `httpx`**: 1 line in 1 file."),
        ("find all environment variables", "os.environ['SHOP_PRICES']"),
        ("where are HTTP requests made?", "httpx.get("),
        ("find all places that raise ValueError", "**Errors that are raised: `ValueError`**: 1 line"),
        ("list all sockets", "**Sockets**: no line of this workspace's code shows any."),
        ("find all `DISCOUNTS`", "**Lines with `DISCOUNTS`**: 2 lines in 1 file."),
        ("Store.total", "`Store.total` is a method in [shop/store.py:22](shop/store.py#L22)"),
        ("How do I call cart.add?", "`Cart.add` is a method in"),
        (
            "is_empty",
            "`Cart.is_empty` is a property in [shop/cart.py:24](shop/cart.py#L24), read without a call.",
        ),
        ("what does shop.prices do?", "Prices, asked of a service."),
        ("what does prices.py do?", "Prices, asked of a service."),
        ("ValueError: a discount of 3 makes no sense", "[shop/cart.py:44](shop/cart.py#L44)"),
        ("TypeError: is_empty() missing 1 required positional argument", "It is about `is_empty`"),
        ("AttributeError: 'Cart' object has no attribute 'is_empty'", "[shop/cart.py:24](shop/cart.py#L24)"),
        ("what are the problems?", "[shop/cart.py:8](shop/cart.py#L8) error `F401`: unused \\[import\\]"),
        ("has anything changed? what did I change", "Nothing has changed since the last commit"),
        ("Who calls showTotal in shop/cart.py?", "Nobody in this workspace calls `showTotal`"),
        ("Who calls showTotal?", "Nobody in this workspace calls `showTotal`"),
    ],
)
async def test_kinds_of_questions(code: WorkspaceCode, text: str, expected: str) -> None:
    """What is looked for stands in the answer."""
    assert expected in await said(code, text)


async def test_what_is_mentioned_is_what_is_meant(code: WorkspaceCode) -> None:
    """A symbol, a file and a folder, as a panel names them."""
    symbol, file, folder = (Mention(kind="symbol", value="Store"), Mention(kind="file", value="shop/cart.py"),
                            Mention(kind="folder", value="web"))  # fmt: skip
    assert "`Store` is a class in" in await said(code, "what is this?", mentions=(symbol,))
    assert "Carts, and what they cost." in await said(code, "what is this?", mentions=(file,))
    assert "**`web/`** has 2 files." in await said(code, "what is in it", mentions=(folder,))


async def test_tasks_without_words(code: WorkspaceCode) -> None:
    """A command on a file, and one on a selected name."""
    assert "Orders, kept in SQLite." in await said(code, "", task="summarize", path="shop/store.py")
    name = Selection(
        path="shop/checkout.py", language="python", first_line=10, last_line=10, text="total_price"
    )
    assert "`total_price` is a function in" in await said(code, "", task="explain", selection=name)


async def test_where_nothing_is_there() -> None:
    """An empty workspace has an answer to everything, and the reason is said."""
    nothing = InMemory({}, problem="No folder is open.")
    for name, question in QUESTIONS.items():
        found = await answer(question, nothing)
        assert not found.complete, name
        assert "*No folder is open.*" in found.markdown
    assert (await answer(Question(text="how are orders kept"), InMemory({}))).markdown.startswith(NOTHING)


async def test_nothing_in_a_file_is_markdown() -> None:
    """What a file or its name says is shown as it is: no link, no tag, no fence comes out of it."""
    doc = '"""[x](http://evil) <img src=x> ![y](z)"""'
    text = f'def f():\n    {doc}\n    return """\n```\n# not a heading\n"""\n'
    code = InMemory({"a [b](c) `d`.py": text})
    found = await said(code, "What does `f` do?")
    assert "\\[x\\](http://evil) \\<img src=x> !\\[y\\](z)" in found
    assert "````python" in found
    assert "(a%20%5Bb%5D%28c%29%20%60d%60.py#L1)" in found


def test_concepts_can_be_read() -> None:
    """Each has expressions that compile and words, and one line that shows it is found by both."""
    assert all(is_valid(it) for it in CONCEPTS)
    assert len({it.name for it in CONCEPTS}) == len(CONCEPTS)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("database queries", "cursor.execute('SELECT 1 FROM t')"),
        ("http requests", "requests.get(url)"),
        ("endpoints", '@app.route("/x")'),
        ("env vars", "os.environ['X']"),
        ("subprocesses", "subprocess.run(command)"),
        ("files written", 'open(path, "w")'),
        ("files read", "path.read_text()"),
        ("todos", "# " + "TO-DO".replace("-", "") + ": more"),
        ("print statements", "    print(x)"),
        ("logging", 'logger.info("x")'),
        ("errors caught", "    except OSError:"),
        ("raised errors", "    raise ValueError(x)"),
        ("locks", "self.lock = threading.Lock()"),
        ("regexes", 'PATTERN = re.compile("x")'),
        ("command line options", 'parser.add_argument("--x")'),
        ("main functions", 'if __name__ == "__main__":'),
        ("timeouts", "time.sleep(1)"),
        ("caches", "@lru_cache(maxsize=1)"),
        ("deprecated code", "# Deprecated: use g."),
        ("sockets", "socket.create_connection(x)"),
    ],
)
async def test_a_line_shows_what_is_looked_for(text: str, line: str) -> None:
    """The usual line of each kind is found when all of it is asked for, and a plain one is not."""
    concept = concept_of(text)
    assert concept is not None
    code = InMemory({"a.py": f"def f():\n    plain = 1\n    {line.strip()}\n"})
    found = await code.lines(concept.pattern, words=concept.words)
    assert [it.line for it in found.lines] == [3]


def test_phrases_are_tried_in_time() -> None:
    """No phrase goes astray in a text that is made to mislead it."""
    text = "how do i call the the the " * 40 + "who calls where is what does " * 40
    for _, phrase in phrases():
        phrase.search(text[:400])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# T\n\n[![b](u)](v)\n\nWhat it is, in a line.\n\n## More\n\nElse.\n", "What it is, in a line."),
        ("Title\n=====\n\nWhat it is, in a line.\n", "What it is, in a line."),
        ("# T\n\n## First\n\nOnly here is something.\n", "Only here is something."),
        ("", ""),
    ],
)
def test_how_a_project_introduces_itself(text: str, expected: str) -> None:
    """The first paragraphs, without badges and headings."""
    assert introduction(text, "markdown") == expected
