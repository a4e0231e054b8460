"""Measure how long it takes until an answer begins: for a first question, and for one that goes on from it.

    python -m benchmarks.chat_first [--model FILE.gguf] [--root FOLDER] [--rounds 3] [--json]

Without a model: one of 0.5B's shape with random weights (``benchmarks.shape_model``), whose timings carry
over, while its words are noise. Everything is as in the product: a real index of the folder, a real engine,
the prompt of the chat. A first question finds the engine with the words before it read (the instructions, an
example), the very first one not even that. The next question is asked in the same conversation: the engine
still has the conversation, so what it has to read is the new question and the context that is new.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chat.conversation import Conversation
    from chat.desk import Desk

ROOT = Path(__file__).resolve().parent.parent
ANSWER_TOKENS = 24
TALKS = (
    ("How is it decided whether this is a moment to suggest something?", "What if text follows the cursor?"),
    ("When is a suggestion cut off?", "And where does the indentation come in?"),
    ("How are suggestions kept for what is typed next?", "How many of them are kept?"),
    ("How is a request taken back when a newer one comes?", "Who calls that?"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """One question: when its answer began, and what the model had to read for it."""

    ms: float
    prompt_tokens: int
    cached_tokens: int
    """Those of them that it had read before."""

    @property
    def new_tokens(self) -> int:
        """Those that it read for this question."""
        return self.prompt_tokens - self.cached_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of it."""

    model: str
    very_first: First
    """With the engine's start and the loading of the model."""
    first: tuple[First, ...]
    going_on: tuple[First, ...]

    @property
    def share(self) -> float:
        """Of what a first question has to read, how much the next one has to; the median of the pairs.

        The instructions before a first question count: a conversation may be the first of its engine.
        """
        pairs = zip(self.first, self.going_on, strict=True)
        return median(after.new_tokens / before.prompt_tokens for before, after in pairs)


def measure(model: Path, root: Path, rounds: int) -> Report:
    """In a home of its own, with an engine of its own."""
    with tempfile.TemporaryDirectory(prefix="hearth-") as home:
        os.environ["HEARTH_HOME"] = home
        settings = {"chat": {"model": str(model.resolve())}, "memory": {"enabled": False}}
        (Path(home) / "config").mkdir()
        (Path(home) / "config" / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        return asyncio.run(_measure(model, root, rounds))


async def _measure(model: Path, root: Path, rounds: int) -> Report:
    from lsp_server.chat_desk import make_desk
    from lsp_server.commands.coded import coded
    from lsp_server.wiring import Workbench

    bench = Workbench(builds=False)
    try:
        async with coded(root, bench, quiet=True) as (_, code):
            desk = make_desk(bench, code)
            very_first, _ = await ask(desk, None, TALKS[-1][0])
            first, going_on = [], []
            for number in range(rounds):
                one, other = TALKS[number % (len(TALKS) - 1)]
                asked, conversation = await ask(desk, None, one)
                first.append(asked)
                going_on.append((await ask(desk, conversation, other))[0])
    finally:
        await (await bench.backend()).shutdown()
        await bench.close()
    return Report(model=model.stem, very_first=very_first, first=tuple(first), going_on=tuple(going_on))


async def ask(desk: Desk, conversation: Conversation | None, text: str) -> tuple[First, Conversation]:
    """Ask, and see when the answer begins; what the conversation is then."""
    from chat import converse
    from chat.asking import SAMPLING

    talk = conversation or converse.begin(text)
    sampling = replace(SAMPLING, max_tokens=ANSWER_TOKENS)
    start, began = time.perf_counter(), 0.0
    async with aclosing(converse.reply(desk, talk, converse.read(text), sampling=sampling)) as events:
        async for it in events:
            if isinstance(it, converse.Text):
                began = began or time.perf_counter()
            elif isinstance(it, converse.Done):
                answer = it.answer
    if answer.turn.tier != "local" or answer.usage is None:
        raise SystemExit(f"The model did not answer: {answer.turn.reason} {answer.turn.problem}")
    usage = answer.usage
    took = 1000 * (began - start)
    found = First(ms=round(took, 1), prompt_tokens=usage.prompt_tokens, cached_tokens=usage.cached_tokens)
    return found, answer.conversation


def markdown(report: Report) -> str:
    """The table for docs/benchmarks.md."""
    rows = [
        ("the very first, engine and model not there yet", (report.very_first,)),
        ("a first question", report.first),
        ("a question that goes on", report.going_on),
    ]
    lines = [
        "| question | first word, ms (median) | tokens in its prompt | of these, read for it |",
        "|---|---:|---:|---:|",
    ]
    for name, them in rows:
        ms, whole, new = (
            median(it.ms for it in them),
            median(it.prompt_tokens for it in them),
            median(it.new_tokens for it in them),
        )
        lines.append(f"| {name} | {ms:,.0f} | {whole:,.0f} | {new:,.0f} |")
    lines += ["", f"What is read for the second question is {report.share:.0%} of the first one's prompt."]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path, help="A GGUF with a chat template.")
    parser.add_argument(
        "--root", type=Path, default=ROOT / "completion", help="The code that is asked about."
    )
    parser.add_argument("--rounds", type=int, default=3, help="Conversations.")
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    given = parser.parse_args(arguments)
    if given.rounds < 1:
        parser.error("--rounds: one at least.")
    from benchmarks import shape_model

    model = given.model or shape_model.kept("Q4_0")
    report = measure(model, given.root, given.rounds)
    said = {**asdict(report), "share": report.share}
    print(json.dumps(said, indent=2) if given.json else markdown(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
