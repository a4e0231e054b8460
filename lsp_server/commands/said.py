"""What came of a question at the prompt: who answered, why, with what; for people and for programs."""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chat.act_types import Event, Outcome
    from chat.router import Decision
    from chat.types import Place, Tier
    from lsp_server.commands.page import Page
    from models.wire import Usage

LINE = re.compile(r"[^\n]*\n|[^\n]+")
AROUND = 3  # Lines around a change.
NOT_WRITTEN = "Nothing was changed: only an editor writes to your files. As a patch, git apply takes it."
UNSURE = "These may be meant as well; look at each of them:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer, whole or as far as it came."""

    answer: str
    """Markdown."""
    tier: Tier = "extractive"
    server: str = ""
    reason: str = ""
    places: tuple[Place, ...] = ()
    """What it refers to."""
    usage: Usage | None = None
    is_whole: bool = True
    """Whether it came to its end: it was not stopped, and did not break off."""
    note: str = ""
    """What is to be known of it."""
    problem: str = ""
    """What went wrong, as one sentence."""
    refused: bool = False
    """Whether there is no answer, but the problem."""
    is_stopped: bool = False
    """Whether the user has stopped it."""

    @property
    def line(self) -> str:
        """Who answered, and why; what is to be known of it; whether that is all."""
        stopped = "stopped" if self.is_stopped else ""
        return " · ".join(it for it in (self.tier, self.server, self.reason, self.note, stopped) if it)

    def json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "answer": self.answer,
            "tier": self.tier,
            "server": self.server,
            "reason": self.reason,
            "places": [asdict(it) for it in self.places],
            "usage": asdict(self.usage) if self.usage else None,
            "whole": self.is_whole,
            "note": self.note,
            "problem": self.problem,
        }


async def follow(events: AsyncGenerator[Event, None], page: Page, *, prose: bool) -> Said:
    """Show what a command does while it does it, and what came of it.

    The words of an answer are shown as they come if they are ``prose``; edits are shown when they fit.
    Cancelled, it says what was said until then.
    """
    from chat.act_types import Done, Working
    from chat.events import Decided, Text

    outcome: Outcome | None = None
    decision: Decision | None = None
    words: list[str] = []
    try:
        async with aclosing(events):
            async for it in events:
                if isinstance(it, Working):
                    page.wait(it.says)
                elif isinstance(it, Decided):
                    decision = it.decision
                    page.wait(waiting(decision.reason))
                elif isinstance(it, Text) and prose:
                    words.append(it.text)
                    page.add(it.text)
                elif isinstance(it, Done):
                    outcome = it.outcome
    except asyncio.CancelledError:
        page.end()
        return stopped("".join(words), decision)
    assert outcome is not None
    text = outcome.markdown
    if outcome.changes:
        text = changes(outcome)
        page.add(text)
    page.end()
    return Said(
        answer=text,
        tier=outcome.tier,
        server=outcome.server,
        reason=outcome.reason,
        note=outcome.note,
        problem=outcome.refusal,
        refused=bool(outcome.refusal),
    )


def stopped(text: str, decision: Decision | None) -> Said:
    """What was said until somebody stopped it."""
    backend = decision.backend if decision else None
    return Said(
        answer=text,
        tier=decision.tier if decision else "extractive",
        server=backend.name or backend.model if backend else "",
        reason=decision.reason if decision else "",
        is_whole=False,
        is_stopped=True,
    )


def waiting(reason: str) -> str:
    """What is waited for, by the reason of a decision."""
    return f"{reason.removesuffix('.')} …"


def changes(outcome: Outcome) -> str:
    """What a command would change, as patches: the certain ones, then those to be looked at."""
    from chat.edits import apply

    parts = []
    for path, source in outcome.sources.items():
        own = [it for it in outcome.edits if it.path == path]
        if own:
            parts.append(patch(path, source.text, apply(source.text, own)))
    parts += [patch(it.path, None, it.text) for it in outcome.files]
    if outcome.unsure:
        parts.append(UNSURE)
        for path, source in outcome.sources.items():
            sure = [it for it in outcome.edits if it.path == path]
            both = [*sure, *(it for it in outcome.unsure if it.path == path)]
            if len(sure) < len(both):
                parts.append(patch(path, apply(source.text, sure), apply(source.text, both)))
    return "\n\n".join([*parts, NOT_WRITTEN])


def patch(path: str, old: str | None, new: str) -> str:
    """A unified diff of one file, in a fence; without an old text, of a new file."""
    before, after = LINE.findall(old or ""), LINE.findall(new)  # Git knows no other ends of lines.
    start = "/dev/null" if old is None else f"a/{path}"
    lines = []
    for it in difflib.unified_diff(before, after, start, f"b/{path}", n=AROUND):
        lines.append(it if it.endswith("\n") else f"{it}\n\\ No newline at end of file\n")
    text = "".join(lines)
    ticks = "`" * max(3, 1 + max((len(it) for it in re.findall("`+", text)), default=0))
    return f"{ticks}diff\n{text}{ticks}"
