"""Pure: ask the project memory for ghost text, and decide between what it says and what the model says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from completion.config import CompletionConfig
from completion.memory.evidence import Memory
from completion.memory.predict import Continuation, predict
from completion.postprocess import NO_SYNTAX, clean
from completion.spot import Spot
from completion.suggestion import Origin, Suggestion
from completion.trigger import Trigger
from models.wire import MAX_CANDIDATE_CHARS, Candidate

CANDIDATES = 4  # What the model may draft from; each more is work for every token, and less likely.
LEAST_WEIGHT = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What the project memory has for a spot."""

    suggestion: Suggestion
    candidates: tuple[Candidate, ...] = ()
    """The likely continuations as they would be written, for the model to verify.

    An empty text stands for all others.
    """

    @property
    def chance(self) -> float:
        """How likely its best line is exactly right."""
        return max((it.weight for it in self.candidates if it.text), default=self.suggestion.chance)

    def chance_of(self, line: str) -> float | None:
        """How likely it takes this line to be; ``None`` if it does not know it."""
        known = (it.weight for it in self.candidates if it.text and first_line(it.text) == line)
        return next(known, None)


Recall = Callable[[Spot, Trigger], Recalled]

NOTHING = Recalled(suggestion=Suggestion(text="", source="memory", reason="no_memory"))


def first_line(text: str) -> str:
    """The first line that is not blank, without the blanks around it."""
    return text.strip().partition("\n")[0].rstrip()


def no_memory(_spot: Spot, _trigger: Trigger) -> Recalled:
    """For those who have none."""
    return NOTHING


def recall(memory: Memory, path: str, spot: Spot, trigger: Trigger) -> Recalled:
    """The memory's suggestion, however unsure, and its candidates. ``path`` is the document's name in it."""
    lines = trigger.max_lines if trigger.shape == "block" else 1
    found = predict(memory, spot, path=path, max_lines=lines)
    if not found:
        return replace(NOTHING, suggestion=replace(NOTHING.suggestion, reason="nothing_like_it"))
    candidates = tuple(
        Candidate(text=it.text[:MAX_CANDIDATE_CHARS], weight=it.chance)
        for it in found[:CANDIDATES]
        if LEAST_WEIGHT <= it.chance
    )
    unknown = 1 - sum(it.weight for it in candidates)
    if candidates and LEAST_WEIGHT <= unknown:
        candidates += (Candidate(text="", weight=unknown),)
    said = (_suggestion(memory, it, spot, trigger) for it in found[:CANDIDATES])
    fitting = (it for it in said if it.reason != NO_SYNTAX)  # Where the first one cannot stand, the next may.
    best = next(fitting, Suggestion(text="", source="memory", reason=NO_SYNTAX))
    return Recalled(suggestion=best, candidates=candidates)


def is_sure(recalled: Suggestion, config: CompletionConfig) -> bool:
    """Whether the model need not be asked."""
    return bool(recalled.text) and config.memory_at_once <= recalled.chance


def better(model: Suggestion, recalled: Suggestion, config: CompletionConfig) -> Suggestion:
    """The one that is likelier right; the model's if both say the same, or neither is worth showing."""
    if model.text and model.text == recalled.text:
        sure = max(model.confidence, recalled.confidence)
        chance = max(model.chance, recalled.chance)
        return replace(model, source="both", origin=recalled.origin, confidence=sure, chance=chance)
    if not recalled.text or recalled.chance < config.chance_threshold:
        return model
    if model.text and recalled.chance <= model.chance:
        return model
    return replace(recalled, usage=model.usage, first_ms=model.first_ms)


def _suggestion(memory: Memory, best: Continuation, spot: Spot, trigger: Trigger) -> Suggestion:
    draft = clean(best.text, spot, trigger)
    if not draft.text:
        return Suggestion(text="", source="memory", reason=draft.reason)
    origin = None
    if best.occurrence is not None:
        path, line = memory.where(best.occurrence)
        origin = Origin(path=path, line=line)
    return Suggestion(
        text=draft.text,
        replace_after=draft.replace_after,
        confidence=best.chance,
        min_confidence=best.chance,
        chance=best.chance,
        source="memory",
        origin=origin,
        reason=trigger.reason,
    )
