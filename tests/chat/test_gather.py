"""What a question names, selects and means is gathered; what it names in vain is a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat import mentions
from chat.gather import Gathered, gather
from chat.pack import pack
from chat.types import Problem, Question, Selection, Task
from models.estimate import tokens
from tests.chat.code_in_memory import InMemory
from tests.chat.papers import write_docx, write_pdf

LONG = '"""Many steps."""\n\n\n' + "\n\n\n".join(
    f'def step_{n}(value):\n    """Step number {n}."""\n'
    + "".join(f"    value = value + {n} * {it}\n" for it in range(8))
    + ("    send_mail(value)\n" if n == 17 else "")
    + "    return value"
    for n in range(30)
)
TEXTS = {
    "README.md": "# Shop\n\nA shop.\n\n## Deploy\n\nPush a tag and the pipeline deploys it.\n",
    "shop/cart.py": (
        '"""The cart."""\n\nfrom shop.price import total\n\n\nclass Cart:\n    """What is bought."""\n\n'
        "    def checkout(self):\n        return total(self.items)\n"
    ),
    "shop/price.py": (
        '"""Prices."""\n\n\ndef total(items):\n    """The sum of all prices."""\n    return sum(items)\n'
    ),
    "shop/steps.py": LONG,
    "web/index.ts": "export function listen(port: number) {\n  return port;\n}\n",
    "web/admin/index.ts": "export function admin() {\n  return 1;\n}\n",
    "Makefile": "all:\n\tpython -m shop\n",
    ".env": "KEY=abc\n",
}
DIFF = (
    "diff --git a/shop/cart.py b/shop/cart.py\n--- a/shop/cart.py\n+++ b/shop/cart.py\n@@ -1 +1 @@\n-a\n+b\n"
    "diff --git a/web/index.ts b/web/index.ts\n--- a/web/index.ts\n+++ b/web/index.ts\n@@ -1 +1 @@\n-c\n+d\n"
)
WRONG = Problem(
    path="shop/price.py", first_line=5, last_line=5, message="Unknown\nname", source="ruff", code="F821"
)


def asked(text: str, *, path: str = "", task: Task = "ask", selection: Selection | None = None) -> Question:
    """A question as it is typed."""
    rest, found = mentions.read(text)
    return Question(text=rest, mentions=found, path=path, task=task, selection=selection)


async def found(
    text: str, *, path: str = "", code: InMemory | None = None, roots: tuple[Path, ...] = ()
) -> Gathered:
    """What is gathered for a question in the shop."""
    return await gather(asked(text, path=path), code or InMemory(TEXTS, diff=DIFF), roots=roots)


def named(it: Gathered) -> list[str]:
    """Where the pieces stand that were asked for by name, or what they are called."""
    return [piece.place.link if piece.place else piece.title for piece in it.pieces if 1 < piece.score]


NAMED = {
    "what is in @shop/price.py?": "shop/price.py#L1-L6",
    "what is in @price.py?": "shop/price.py#L1-L6",
    "what is in @file:price.py": "shop/price.py#L1-L6",
    "@shop/cart.py:9-10 is slow": "shop/cart.py#L9-L10",
    "@shop/cart.py#L9-L99 is slow": "shop/cart.py#L9-L10",
    "how is @total used": "shop/price.py#L4-L6",
    "how is @symbol:Cart.checkout used": "shop/cart.py#L9-L10",
    "what does @Makefile do": "Makefile#L1-L2",
    "what is in @web/": "web",
    "what is in @admin/": "web/admin",
    "review @diff": "shop/cart.py",
    "@docs how do I deploy?": "README.md#L1-L7",
    "@docs:README.md deploy?": "README.md#L1-L7",
}
IN_VAIN = {
    "see @nothing.py": "There is no file nothing.py here, or it must not be read.",
    "see @.env.py and @file:.env": "There is no file .env here, or it must not be read.",
    "see @shop/cart.py:99": "shop/cart.py has no line 99: it has 10.",
    "what is in @folder:nowhere": "There is no folder nowhere here, or nothing in it that can be read.",
    "how is @Crat used": "Nothing here is called Crat.",
    "shorten @selection": "Nothing is selected.",
    "what does @file do": "No file is open.",
    "fix @problems": "The editor shows no problems.",
    "@docs:spec.pdf what": "There is no document spec.pdf here.",
    "which is @index.ts": "2 files are called index.ts: these are used: web/index.ts, web/admin/index.ts.",
}


@pytest.mark.parametrize("text", NAMED)
async def test_what_is_named_is_there(text: str) -> None:
    """The first piece that was asked for by name is what the mention names; nothing is wrong."""
    it = await found(text)
    assert named(it)[:1] == [NAMED[text]]
    assert it.problems == ()


@pytest.mark.parametrize("text", IN_VAIN)
async def test_what_names_nothing_is_a_sentence(text: str) -> None:
    """A mention that names nothing, or too much, is one sentence, and the rest is gathered."""
    assert IN_VAIN[text] in (await found(text)).problems


async def test_without_changes_there_is_a_sentence() -> None:
    """A diff of nothing is said, not shown."""
    it = await found("review @diff", code=InMemory(TEXTS))
    assert it.problems == ("Nothing has changed since the last commit.",)


async def test_every_piece_is_what_stands_there() -> None:
    """The text of each piece is exactly the lines of its place."""
    for text in (*NAMED, "where is the sum of prices?", "what does this file do?"):
        for piece in (await found(text, path="shop/steps.py")).pieces:
            if piece.place is not None:
                lines = TEXTS[piece.place.path].split("\n")
                assert piece.text == "\n".join(lines[piece.place.first_line - 1 : piece.place.last_line])


async def test_a_long_file_is_cut_for_the_question() -> None:
    """Of a long file comes the part that the question is about, then its outline."""
    it = await found("when is mail sent in @shop/steps.py")
    assert "send_mail" in it.pieces[0].text
    assert it.pieces[0].signature == "def step_17(value)"
    assert it.pieces[1].kind == "outline"
    assert "def step_17" in it.pieces[1].text
    packed = pack(it.pieces, budget_tokens=600, count=tokens, question="when is mail sent")
    assert "send_mail(value)" in packed.text


async def test_a_selection_brings_what_it_calls() -> None:
    """The selection comes first, then what is around it, and the signature of what it calls."""
    selection = Selection(
        path="shop/cart.py",
        language="python",
        first_line=10,
        last_line=10,
        text="        return total(self.items)\n",
    )
    question = asked("explain this", task="explain", selection=selection)
    it = await gather(question, InMemory(TEXTS))
    links = [piece.place.link for piece in it.pieces if piece.place]
    assert links == ["shop/cart.py#L10", "shop/cart.py#L9-L10", "shop/price.py#L4-L6"]
    assert it.pieces[2].signature == "def total(items)"


async def test_problems_come_with_their_lines() -> None:
    """A diagnostic is a line of its own, and the lines around it are there."""
    code = InMemory(TEXTS, problems=[WRONG])
    it = await found("fix @problems", code=code)
    assert it.pieces[0].text == "shop/price.py:5: error: Unknown name [ruff F821]"
    assert "return sum(items)" in it.pieces[1].text


async def test_the_open_file_is_what_is_meant_by_this_file() -> None:
    """A question about this file is about the open one; another question is not."""
    assert named(await found("what does this module do?", path="web/index.ts")) == ["web/index.ts#L1-L3"]
    assert named(await found("where is the sum of prices?", path="web/index.ts")) == []


async def test_a_question_about_all_gets_the_overview() -> None:
    """The structure of the whole comes where it is asked for."""
    it = await found("what is the architecture of this repository?")
    assert it.pieces[0].kind == "outline"
    assert "class Cart" in it.pieces[0].text


async def test_documents_that_the_index_does_not_read(tmp_path: Path) -> None:
    """PDF and DOCX files are read when they are named or dropped, and when all documents are asked for."""
    (tmp_path / "docs").mkdir()
    spec = write_pdf(tmp_path / "docs" / "spec.pdf", [["Retry after 429."], ["Other things."]])
    write_docx(tmp_path / "plan.docx")
    it = await found("@docs:docs/spec.pdf when to retry", roots=(tmp_path,))
    assert (it.pieces[0].title, it.problems) == ("spec.pdf, page 1", ())
    it = await found(f"@docs:{spec.as_uri()} when to retry")
    assert it.pieces[0].title == "spec.pdf, page 1"
    it = await found("@docs make a backup of the database", roots=(tmp_path,))
    assert it.pieces[0].title == "plan.docx: Before"


async def test_code_that_lies_on_disk_says_where(tmp_path: Path) -> None:
    """The folders need not be given if the code knows them: a PDF below is found."""

    class Folder(InMemory):
        def roots(self) -> tuple[Path, ...]:
            return (tmp_path,)

    write_pdf(tmp_path / "spec.pdf", [["Retry after 429."]])
    it = await found("@spec.pdf when to retry", code=Folder(TEXTS))
    assert it.pieces[0].text == "Retry after 429."


async def test_no_document_outside_of_the_roots_is_named_by_a_relative_path(tmp_path: Path) -> None:
    """A path that climbs out of the workspace leads nowhere."""
    (tmp_path / "root").mkdir()
    write_pdf(tmp_path / "other.pdf", [["Outside."]])
    it = await found("@docs:../other.pdf what", roots=(tmp_path / "root",))
    assert it.problems == ("There is no document ../other.pdf here.",)


async def test_it_is_bounded() -> None:
    """However much is found, it is about so many tokens, the best of it."""
    question = asked("step value", path="shop/steps.py")
    all_of_it = await gather(question, InMemory(TEXTS))
    some = await gather(question, InMemory(TEXTS), most_tokens=300)
    assert 1 <= len(some.pieces) < len(all_of_it.pieces)
    assert some.pieces == all_of_it.pieces[: len(some.pieces)]


async def test_the_trouble_of_the_index_is_told() -> None:
    """Why something may be missing is said once."""
    it = await found("where are prices?", code=InMemory(TEXTS, problem="The index is being built."))
    assert it.problems == ("The index is being built.",)
