"""Judge the anchored prompt on held-out code: as good as one that is read anew at every keystroke, or not.

    python -m benchmarks.anchored [--model starter] [--languages python] [--cuts 100] [--json]

At every cut the model answers several times, greedily, from the same window: once with all text before the
cursor in the prefix ("at the cursor", with and without token healing), and anchored, so that the middle
begins with what was typed since: the cursor's own line, or more lines above it. Anchored prompts are healed.
Differences are of the same cuts, with 95 % intervals by bootstrap.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.heldout.cuts import Cut, cuts
from benchmarks.heldout.measures import share, similarity
from benchmarks.heldout.projects import ENDINGS, File, projects
from benchmarks.keystrokes.engine import own_engine
from models import registry
from models.backend import Backend
from models.wire import CompletionRequest, Sampling

KINDS = ("random", "line start", "line end", "in word")
LINES_ABOVE = (0, 1, 2, 5, 10)
PLAIN, HEALED = "at the cursor", "at the cursor, healed"
RESAMPLES = 1000
TRIES = 400  # Draws for one cut of a wanted kind.
CONTEXT = 4096
MAX_TOKENS = 48  # Nearly every line is shorter.


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A cut with the kind it was drawn for."""

    kind: str
    cut: Cut

    @property
    def wanted(self) -> str:
        """What the line goes on with; at a line's end, the next line."""
        return self.cut.rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One place, and what each way of asking said there."""

    place: Place
    said: Mapping[str, str]

    def exact(self, way: str) -> float:
        """1 if it is right to the last character."""
        return float(self.said[way] == self.place.wanted)

    def similarity(self, way: str) -> float:
        """Edit similarity, 0 to 1."""
        return similarity(self.said[way], self.place.wanted)


def ways() -> tuple[str, ...]:
    """All ways of asking."""
    return (PLAIN, HEALED, *(anchored(lines) for lines in LINES_ABOVE))


def anchored(lines: int) -> str:
    """What the way is called whose middle begins so many lines above the cursor's."""
    return f"anchored, {lines} above"


def places(files: Sequence[File], count: int, seed: str) -> Iterator[Place]:
    """``count`` places of every kind."""
    rng = random.Random(seed)
    for it in cuts(files, count, rng):
        yield Place(kind="random", cut=it)
    for kind, drawn_as in (("line start", "line_start"), ("in word", "in_word")):
        for _ in range(count):
            found = next((it for it in cuts(files, TRIES, rng) if it.kind == drawn_as), None)
            if found is not None:
                yield Place(kind=kind, cut=found)
    for _ in range(count):
        ended = line_end(files, rng)
        if ended is not None:
            yield Place(kind="line end", cut=ended)


def line_end(files: Sequence[File], rng: random.Random) -> Cut | None:
    """The cursor at the end of a line that is there; the line below it, not blank, is still to be written."""
    for _ in range(TRIES):
        file = rng.choice(files)
        lines = file.text.split("\n")
        at = rng.randrange(len(lines))
        if at + 2 < len(lines) and lines[at].strip() and lines[at + 1].strip():
            return Cut(
                path=file.path,
                kind="at_border",
                before="\n".join(lines[: at + 1]),
                after="\n" + "\n".join(lines[at + 2 :]),
                rest=lines[at + 1].rstrip(),
            )
    return None


def request(place: Place, way: str, before_chars: int, after_chars: int) -> CompletionRequest:
    """What the engine is asked: the same text for all ways, only its parts differ."""
    before, after = place.cut.before, place.cut.after[:after_chars]
    start = before.find("\n", max(0, len(before) - before_chars)) + 1 if before_chars < len(before) else 0
    before = before[start:]
    at = len(before)
    if way not in (PLAIN, HEALED):
        lines = next(it for it in LINES_ABOVE if anchored(it) == way)
        at = max(0, len(before) - _tail(before, lines))
    return CompletionRequest(
        model="",
        prompt=before[:at],
        suffix=after,
        middle=before[at:],
        path=place.cut.path,
        heal=way != PLAIN,
        sampling=Sampling(max_tokens=MAX_TOKENS),
    )


def first_line(text: str, kind: str) -> str:
    """The line that was asked for; at a line's end it comes behind the line break."""
    if kind == "line end":
        text = text.partition("\n")[2] if text.startswith("\n") else ""
    return text.partition("\n")[0].rstrip()


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean, and the ends of its 95 % interval by bootstrap."""
    rng = random.Random(0)
    means = sorted(fmean(rng.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return fmean(values), means[RESAMPLES // 40], means[-RESAMPLES // 40 - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Whom to ask, in which ways, with how much text, for how long."""

    model: Path
    ways: Sequence[str]
    before_chars: int = 1000
    after_chars: int = 300
    threads: int = 0
    minutes: float = 60.0


async def outcomes(chosen: Sequence[Place], wanted: Asking) -> list[Outcome]:
    """Ask every way at every place, of an engine of its own, as long as there is time."""
    found: list[Outcome] = []
    limit = time.monotonic() + 60 * wanted.minutes
    async with own_engine(wanted.model, CONTEXT, wanted.threads) as (backend, _):
        for place in chosen:
            if limit < time.monotonic():
                print(f"{len(found)} of {len(chosen)} places in {wanted.minutes:g} minutes", file=sys.stderr)
                break
            said = {}
            for way in wanted.ways:
                asked = request(place, way, wanted.before_chars, wanted.after_chars)
                said[way] = await _answer(backend, asked, place.kind)
            found.append(Outcome(place=place, said=said))
    return found


async def _answer(backend: Backend, asked: CompletionRequest, kind: str) -> str:
    text = ""
    breaks = 2 if kind == "line end" else 1
    async with aclosing(backend.complete(asked)) as pieces:
        async for piece in pieces:
            text += piece.text
            if breaks <= text.count("\n"):
                break
    return first_line(text, kind)


def tables(found: Sequence[Outcome]) -> Iterator[str]:
    """How good every way is, by kind of cut, and how the anchored ones differ from the others."""
    groups = [(it, [one for one in found if one.place.kind == it]) for it in KINDS]
    groups = [("all", list(found)), *((kind, part) for kind, part in groups if part)]
    yield "| cut | n | " + " | ".join(ways()) + " |"
    yield "|---" * (2 + len(ways())) + "|"
    for kind, part in groups:
        cells = [
            f"{fmean(it.exact(way) for it in part):.1%}, {fmean(it.similarity(way) for it in part):.3f}"
            for way in ways()
        ]
        yield f"| {kind} | {len(part)} | {' | '.join(cells)} |"
    yield "\nEach: the line exactly right, and its edit similarity.\n"
    for base in (PLAIN, HEALED):
        others = [it for it in ways() if it not in (PLAIN, HEALED)]
        yield f"Difference to “{base}”, in points of exact lines and of similarity (95 %):\n"
        yield "| cut | " + " | ".join(others) + " |"
        yield "|---" * (1 + len(others)) + "|"
        for kind, part in groups:
            cells = [_difference(part, way, base) for way in others]
            yield f"| {kind} | {' | '.join(cells)} |"
        yield ""


def _difference(part: Sequence[Outcome], way: str, base: str) -> str:
    exact = interval([100 * (it.exact(way) - it.exact(base)) for it in part])
    similar = interval([100 * (it.similarity(way) - it.similarity(base)) for it in part])
    return "; ".join(f"{mean:+.1f} ({low:+.1f} to {high:+.1f})" for mean, low, high in (exact, similar))


def _tail(before: str, lines: int) -> int:
    """The characters from the start of the line so many lines above the cursor's."""
    at = len(before)
    for _ in range(lines + 1):
        at = before.rfind("\n", 0, at)
        if at < 0:
            return len(before)
    return len(before) - at - 1


def _json(found: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Without any of the code."""
    return [
        {
            "kind": it.place.kind,
            "ways": {way: [it.exact(way), round(it.similarity(way), 4)] for way in ways()},
        }
        for it in found
    ]


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.anchored",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", default=registry.STARTER)
    parser.add_argument("--languages", default="python", help=f"of {', '.join(ENDINGS)}")
    parser.add_argument("--cuts", type=int, default=100, help="of every kind and language")
    parser.add_argument("--before-chars", type=int, default=1000, help="of text before the cursor")
    parser.add_argument("--after-chars", type=int, default=300, help="of text after it")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long to go on at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    chosen: list[Place] = []
    for language in wanted.languages.split(","):
        found = [it for it in projects("heldout", (language,)) if it.files]
        for number, project in enumerate(found):
            mine = share(number, len(found), wanted.cuts)
            chosen += places(project.files, mine, f"{wanted.seed} {project.name}")
    if not chosen:
        print("There is no held-out code here.", file=sys.stderr)
        return 2
    random.Random(wanted.seed).shuffle(chosen)  # So that whatever there is time for is of all kinds.
    asking = Asking(
        model=registry.find(wanted.model).path,
        ways=ways(),
        before_chars=wanted.before_chars,
        after_chars=wanted.after_chars,
        threads=wanted.threads,
        minutes=wanted.minutes,
    )
    answers = asyncio.run(outcomes(chosen, asking))
    print(json.dumps(_json(answers)) if wanted.json else "\n".join(tables(answers)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
