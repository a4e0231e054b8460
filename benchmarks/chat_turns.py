"""Measure conversations on a real engine: what each question makes the model read, and how soon it answers.

    python -m benchmarks.chat_turns [--model FILE.gguf] [--conversations 4] [--answer 64] [--json]

Each conversation has three questions about this project's own source, which stands in memory; the second and
the third go on from the one before. Everything is real but the model's weights: context is gathered and
packed, the prompt goes over the socket, the words come back. The first question of a conversation is cold but
for what all of them begin with. Without a model it makes one of Qwen2.5-Coder-0.5B's shape once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks import shape_model
from chat import converse
from chat.asking import SAMPLING
from chat.converse import Answer
from chat.desk import Desk
from chat.events import Text
from chat.router import Places, Policy, Server
from models.client import Client
from models.launch import Engine, EngineOptions
from models.spec import BackendSpec
from tests.chat.code_in_memory import InMemory

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("chat", "models", "completion")
CONTEXT = 8192
CONVERSATIONS = (
    ("How does the router decide who answers?", "And when is the cloud asked?", "Who calls it?"),
    ("How are secrets taken out of a text?", "Which kinds are known?", "And how are they put back?"),
    ("Where is the engine started?", "What if it dies?", "How long does that take at most?"),
    ("How does the KV cache choose a slot for a prompt?", "When is one evicted?", "What is it worth then?"),
    ("How is a question sent again after a failure?", "How often is that done?", "What is never retried?"),
    ("Where are the words of an answer cut off?", "What are those rules?", "And for several lines?"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One question, measured."""

    prompt_tokens: int
    cached_tokens: int
    first_ms: float
    """From asking until the first word."""
    prompt_ms: float
    """In the engine, for what had to be read."""

    @property
    def read_tokens(self) -> int:
        """What the model had to read."""
        return self.prompt_tokens - self.cached_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Medians, by the number of the question."""

    model: str
    conversations: int
    prompt_tokens: list[float]
    read_tokens: list[float]
    first_ms: list[float]
    share_of_first: list[float]
    """What was read for the question, of what was read for the first one of its conversation."""
    share_most: list[float]
    """The largest of these."""
    again_ms: float
    """A first question asked once more, as after editing the end of it: all is there but its end."""
    again_tokens: float


async def measure(model: Path, *, conversations: int, answer: int) -> Report:
    """All numbers for one model file."""
    found: list[list[Turn]] = []
    again: list[Turn] = []
    async with _sitting(model) as desk:
        await _asked(desk, None, "What is this?", answer)  # Loads the model and reads what all begin with.
        for questions in CONVERSATIONS[:conversations]:
            last: Answer | None = None
            turns: list[Turn] = []
            for question in questions:
                turn, last = await _asked(desk, last, question, answer)
                turns.append(turn)
            found.append(turns)
            again.append((await _asked(desk, None, questions[0], answer))[0])
    return Report(
        model=model.name,
        conversations=len(found),
        prompt_tokens=_medians([[it.prompt_tokens for it in turns] for turns in found]),
        read_tokens=_medians([[it.read_tokens for it in turns] for turns in found]),
        first_ms=_medians([[it.first_ms for it in turns] for turns in found]),
        share_of_first=_medians([_shares(turns) for turns in found]),
        share_most=[round(max(it), 3) for it in zip(*(_shares(turns) for turns in found), strict=True)],
        again_ms=round(median(it.first_ms for it in again), 1),
        again_tokens=median(it.read_tokens for it in again),
    )


async def _asked(desk: Desk, before: Answer | None, text: str, most: int) -> tuple[Turn, Answer]:
    conversation = before.conversation if before else converse.begin(text)
    started, first = time.perf_counter(), 0.0
    events = converse.reply(
        desk, conversation, converse.read(text), sampling=replace(SAMPLING, max_tokens=most)
    )
    answer: Answer | None = None
    async with aclosing(events):
        async for it in events:
            if isinstance(it, Text):
                first = first or time.perf_counter() - started
            elif isinstance(it, converse.Done):
                answer = it.answer
    assert answer
    usage = answer.usage
    assert usage, answer.turn.problem
    turn = Turn(
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        first_ms=1000 * first,
        prompt_ms=usage.prompt_ms,
    )
    return turn, answer


@asynccontextmanager
async def _sitting(model: Path) -> AsyncIterator[Desk]:
    """A desk with this project's source and an engine of its own."""
    texts = {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "train" not in path.parts
    }
    code = InMemory(texts)
    with tempfile.TemporaryDirectory(prefix="h-") as home:
        os.environ["HEARTH_HOME"] = home
        engine = Engine(EngineOptions(model=str(model), linger_s=1.0))

        async def connect(spec: BackendSpec) -> Client:
            return await engine.backend()

        spec = BackendSpec(model=str(model), url="http://localhost", name="shape", context_tokens=CONTEXT)
        yield Desk(
            code=code,
            places=Places(servers=(Server(spec=spec),)),
            policy=Policy(),
            connect=connect,
            data=Path(home) / "data",
        )
        backend = await engine.backend()
        await backend.shutdown()
        await engine.close()


def _shares(turns: Sequence[Turn]) -> list[float]:
    return [it.read_tokens / turns[0].read_tokens for it in turns]


def _medians(rows: Sequence[Sequence[float]]) -> list[float]:
    return [round(median(column), 3) for column in zip(*rows, strict=True)]


def markdown(report: Report) -> str:
    """The numbers as a table."""
    head = "| | question 1 | question 2 | question 3 |\n|---|---:|---:|---:|"
    rows = (
        ("tokens of the prompt", [f"{it:,.0f}" for it in report.prompt_tokens]),
        ("of these read anew", [f"{it:,.0f}" for it in report.read_tokens]),
        ("share of the first question's", [f"{it:.0%}" for it in report.share_of_first]),
        ("at most", [f"{it:.0%}" for it in report.share_most]),
        ("first word after", [f"{it:,.0f} ms" for it in report.first_ms]),
    )
    lines = "\n".join(f"| {name} | {' | '.join(values)} |" for name, values in rows)
    last = f"The first question once more: {report.again_tokens:,.0f} tokens, {report.again_ms:,.0f} ms."
    return f"{head}\n{lines}\n\n{last}"


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path)
    parser.add_argument("--conversations", type=int, default=4)
    parser.add_argument("--answer", type=int, default=64, help="tokens of an answer")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    model = (asked.model or shape_model.kept("Q4_K_M")).resolve()
    report = asyncio.run(measure(model, conversations=asked.conversations, answer=asked.answer))
    print(json.dumps(asdict(report), indent=2) if asked.json else markdown(report))  # its output
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
