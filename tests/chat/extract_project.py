"""A small project that is indexed and asked for real, and the answers to questions about it, as files.

    python -m tests.chat.extract_project

writes the answers as they are now; read what has changed in them before you keep it.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from chat.extract import Extract, answer
from chat.types import Problem, Question, Selection
from codeindex.build import build
from codeindex.protocol import Options
from codeindex.store import store_folder
from lsp_server.chat_code import WorkspaceCode
from lsp_server.commands.coded import Here
from lsp_server.commands.indexed import Place
from lsp_server.documents import Document
from lsp_server.settings import Settings

FOLDER = Path(__file__).parent / "golden" / "extract"
HEAD = re.compile(r"^=== (\S+)\n", re.MULTILINE)
STACK = """Traceback (most recent call last):
  File "/home/me/shop/shop/checkout.py", line 9, in check_out
    cents = total_price(cart.items, discount=0.1)
  File "/home/me/shop/shop/cart.py", line 46, in total_price
    return round(sum(price_of(it, currency) for it in items) * (1 - discount))
  File "/home/me/shop/shop/prices.py", line 20, in price_of
    raise NoPrice(f"no price for {item} in {currency}")
shop.prices.NoPrice: no price for lamp in EUR"""
BODY = Selection(
    path="shop/checkout.py", language="python", first_line=10, last_line=11, text="    store.save(cart)\n"
)

QUESTIONS = {
    "how_function": Question(text="How do I call `total_price`?"),
    "how_class": Question(text="how do I use the Cart class?"),
    "where": Question(text="Where is price_of defined?"),
    "what": Question(text="What does `best_discount` do?"),
    "callers": Question(text="Who calls total_price?"),
    "callees": Question(text="What does check_out call?"),
    "uses": Question(text="find all usages of `price_of`"),
    "below": Question(text="What inherits from NoPrice?"),
    "module": Question(text="What does this module do?", path="shop/store.py"),
    "folder": Question(text="What is in shop/?"),
    "project": Question(text="What does this project do?"),
    "queries": Question(text="Find all database queries"),
    "error": Question(text=STACK),
    "selection": Question(text="explain this", selection=BODY, path="shop/checkout.py"),
    "task": Question(text="how do I add a discount?"),
    "typescript": Question(text="How do I call showTotal?"),
    "german": Question(text="Wie rufe ich total_price auf?"),
    "missing": Question(text="How do I call `total_prize`?"),
}


def write_project(root: Path, text: str | None = None) -> None:
    """The files of a project that is written down: ``=== path`` before each."""
    parts = HEAD.split(text if text is not None else (FOLDER / "project.txt").read_text("utf-8"))
    for path, content in zip(parts[1::2], parts[2::2], strict=True):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content, "utf-8")


@asynccontextmanager
async def project_code(
    root: Path,
    cache: Path,
    documents: Iterable[Document] = (),
    problems: Iterable[Problem] = (),
    *,
    is_built: bool = False,
) -> AsyncIterator[WorkspaceCode]:
    """A folder's code, indexed now unless it is, as commands ask it."""
    options = Options()
    if not is_built:
        build(root, cache, options.config)
    here = Here(Place(root=root, folder=store_folder(root, cache), cache=cache, options=options))
    try:
        yield WorkspaceCode(here, documents, lambda: [str(root)], lambda: problems, Settings)
    finally:
        await here.close()


async def answers(root: Path, cache: Path) -> dict[str, Extract]:
    """What is said to all questions."""
    write_project(root)
    async with project_code(root, cache) as code:
        return {name: await answer(question, code) for name, question in QUESTIONS.items()}


def main() -> None:
    """Write what is said now."""
    with tempfile.TemporaryDirectory() as name:
        found = asyncio.run(answers(Path(name).resolve() / "shop", Path(name) / "cache"))
    for key, it in found.items():
        (FOLDER / f"{key}.md").write_text(written(key, it), "utf-8")


def written(name: str, it: Extract) -> str:
    """A question with its answer."""
    asked = QUESTIONS[name].text
    kind = "complete" if it.complete else "the nearest"
    return f"```text\n{asked}\n```\n\n({kind})\n\n{it.markdown}\n"


if __name__ == "__main__":
    main()
