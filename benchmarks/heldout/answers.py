"""The ways to answer a cut: the memory, plain back-off over the same places, the model, both."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from benchmarks.heldout.cuts import Cut
from benchmarks.heldout.projects import Project
from codeindex.memory.snapshot import Snapshot
from completion.cache import SuggestionCache
from completion.complete import complete
from completion.config import CompletionConfig
from completion.memory.predict import predict
from completion.memory.question import Question, question_at
from completion.memory.weigh import votes
from completion.recall import NOTHING, Recall, Recalled, no_memory, recall
from completion.spot import Spot, spot_at
from completion.suggestion import Suggestion
from completion.trigger import Trigger
from lsp_server.resolve import completion_config, model_id
from lsp_server.settings import Settings
from lsp_server.wiring import Workbench
from models import registry
from models.spec import ModelSpec

BACK_OFF_LIMIT = 32
LONGEST = 60  # Pieces of a line.
TRIGGER = Trigger(shape="line", reason="benchmark", max_lines=1, explicit=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A cut, its project, and what is known there."""

    project: Project
    cut: Cut
    memory: Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The first line of what was suggested, at whatever confidence; empty if nothing was."""

    text: str
    chance: float
    """Of being exactly right, as far as it is known."""
    ms: float
    evidence: tuple[float, ...] = ()
    """What the model's chance follows from: ``completion/chance.py``."""
    drafted: int = 0
    """Tokens that the model verified in batches,"""
    accepted: int = 0
    """and those of them that it said as well."""


def spot_of(asked: Asked, config: CompletionConfig) -> Spot:
    """The cut as the product sees it."""
    cut = asked.cut
    return spot_at(cut.text, len(cut.before), path=cut.path, language=asked.project.language, config=config)


def from_memory(asked: Asked) -> Answer:
    """The project memory alone."""
    spot = spot_of(asked, open_config())
    start = time.perf_counter()
    found = predict(asked.memory, spot, path=asked.cut.path)
    ms = (time.perf_counter() - start) * 1000
    return Answer(text=found[0].text if found else "", chance=found[0].chance if found else 0.0, ms=ms)


def as_shown(asked: Asked) -> Answer:
    """The project memory alone, after the clean-up that every suggestion goes through before it is shown."""
    spot = spot_of(asked, open_config())
    start = time.perf_counter()
    said = recall(asked.memory, asked.cut.path, spot, TRIGGER).suggestion
    ms = (time.perf_counter() - start) * 1000
    return Answer(text=_first_line(said), chance=said.chance, ms=ms)


def backed_off(asked: Asked) -> Answer:
    """The longest match decides, piece by piece; where nothing follows it, a shorter one."""
    spot = spot_of(asked, open_config())
    start = time.perf_counter()
    question = question_at(asked.memory, spot, path=asked.cut.path)
    text, chance = b"", 1.0
    for _ in range(LONGEST):
        piece, share = _longest(asked, question, begun=bool(text))
        if not piece or piece == b"\n":
            break
        text += piece
        chance *= share
        context = question.context + piece
        question = replace(question, context=context, typed=question.typed + piece, partial=0)
    ms = (time.perf_counter() - start) * 1000
    line = text.lstrip(b"\x01\x02").decode("utf-8", "replace").rstrip()
    return Answer(text=line, chance=chance, ms=ms)


def _longest(asked: Asked, question: Question, *, begun: bool) -> tuple[bytes, float]:
    """The most frequent next piece after the longest match, and its share there."""
    near = asked.memory.near(question.context, path=question.path, line=question.line, limit=BACK_OFF_LIMIT)
    heard = [it for it in votes(question, near) if begun or it.first != b"\n"]
    if not heard:
        return b"", 0.0
    longest = max(it.occurrence.matched for it in heard)
    counted = Counter(it.first for it in heard if it.occurrence.matched == longest)
    piece, count = counted.most_common(1)[0]
    return piece, count / counted.total()


def open_config(model: ModelSpec | None = None, context: int | None = None) -> CompletionConfig:
    """The product's own, but for thresholds and pauses: everything is shown, and judged afterwards."""
    config = completion_config(Settings(), model or registry.find(registry.STARTER), context)
    return replace(config, confidence_threshold=0.0, chance_threshold=0.0, pause_ms=0, deadline_ms=60_000)


WAYS = ("model", "mixed", "both")
"""The model alone, the model with the memory's candidates, and the product's choice among all."""


async def models_answers(
    places: Sequence[Asked], model: str, ways: Sequence[str] = WAYS
) -> dict[str, list[Answer]]:
    """What is answered at each place, in each of these ``WAYS``."""
    bench = Workbench(None if model == registry.STARTER else model)
    spec = registry.find(bench.settings.model)
    await bench.warm(load=True)
    config = replace(open_config(spec, bench.context_tokens), memory_at_once=2.0)

    async def answer(asked: Asked, config: CompletionConfig, way: Recall) -> Answer:
        spot = spot_of(asked, config)
        said = await complete(
            bench.backend, SuggestionCache(), spot, TRIGGER, config, model_id(spec), recall=way
        )
        usage = said.usage
        return Answer(
            text=_first_line(said),
            chance=said.chance,
            ms=said.ms,
            evidence=said.evidence,
            drafted=usage.drafted_tokens if usage else 0,
            accepted=usage.accepted_tokens if usage else 0,
        )

    answers: dict[str, list[Answer]] = {way: [] for way in ways}
    try:
        for it in places:
            remembered = partial(recall, it.memory, it.cut.path)
            known: dict[str, Recall] = {
                "model": no_memory,
                "mixed": partial(_candidates_only, remembered),
                "both": remembered,
            }
            for way in ways:
                answers[way].append(await answer(it, config, known[way]))
    finally:
        await bench.close()
    return answers


def _candidates_only(remembered: Recall, spot: Spot, trigger: Trigger) -> Recalled:
    """The memory helps the model, and does not speak itself."""
    return replace(NOTHING, candidates=remembered(spot, trigger).candidates)


def _first_line(said: Suggestion) -> str:
    return said.text.partition("\n")[0].rstrip()
