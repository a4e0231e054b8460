"""Ask the model for ghost text and judge what it says: the one file here that waits for anything."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from completion.anchoring import fim_request
from completion.cache import SuggestionCache
from completion.chance import chance, features
from completion.config import CompletionConfig
from completion.postprocess import clean
from completion.recall import Recall, Recalled, better, first_line, is_sure, no_memory
from completion.sessions import Connect, Session
from completion.spot import Spot
from completion.stop import end_of, enough
from completion.suggestion import Suggestion, kept_logprobs, probabilities
from completion.trigger import Trigger
from models.errors import BackendError, ModelError
from models.wire import MAX_CHOICES, CompletionRequest, Finish, Piece, Snippet, Usage

if TYPE_CHECKING:  # What it imports takes a quarter of a second; whoever connects has paid for it by then.
    from models.backend import Backend

logger = logging.getLogger(__name__)

ASKED_DEADLINE_MS = 60_000  # Reading a large model from a slow disk takes half a minute.


@dataclass(slots=True)
class Heard:
    """What the model has said so far in one answer."""

    pieces: list[Piece] = field(default_factory=list)
    text: str = ""
    cut: int | None = None
    """Where a stop rule cuts the text; none had to if the model stopped by itself."""
    finish: Finish | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has said enough, or all it had to say."""
        return self.cut is not None or self.finish is not None


@dataclass(slots=True)
class Answers:
    """What came back for one request."""

    choices: list[Heard]
    usage: Usage | None = None
    first_at: float = 0.0


def typed_through(cache: SuggestionCache, spot: Spot, trigger: Trigger, model: str) -> Suggestion | None:
    """The rest of what was suggested, or what was made ahead for this spot; ``None`` if it is not known."""
    start = time.perf_counter()
    suggestion = cache.find(spot, trigger, model) if trigger.may_go_on else None
    return _told(suggestion, start, spot, trigger) if suggestion else None


async def complete(
    connect: Connect,
    cache: SuggestionCache,
    spot: Spot,
    trigger: Trigger,
    config: CompletionConfig,
    model: str,
    snippets: Sequence[Snippet] = (),
    recall: Recall = no_memory,
    session: Session | None = None,
) -> Suggestion:
    """The suggestion for a spot; one without text says in ``reason`` why there is none.

    What was suggested and is typed costs no time, and what the project memory is sure of, a millisecond: only
    behind these two comes the pause for fast typing, and only then does it ``connect``, for what is already
    known needs no engine. Who asks by hand gets several, and waits for them. Cancelling the caller closes the
    stream, and the engine stops. With a ``session`` the engine reads little more than what was typed.
    Raises ``BackendError`` when the model was needed, and the memory has nothing worth showing in its place.
    """
    if known := typed_through(cache, spot, trigger, model):
        return known
    if trigger.shape == "none":
        return Suggestion(text="", reason=trigger.reason)
    start = time.perf_counter()
    recalled = recall(spot, trigger)
    suggestion = recalled.suggestion
    if trigger.explicit or not is_sure(suggestion, config):
        if not trigger.explicit:
            await asyncio.sleep(config.pause_ms / 1000)
        if session:
            request = session.request(spot, trigger)
        else:
            request = fim_request(spot, trigger, config, model, snippets)
        request = replace(request, candidates=recalled.candidates)
        suggestion = await _ask(connect, request, recalled, spot, trigger, config, session)
    if suggestion.text:
        cache.put(spot, trigger, model, suggestion)
    return _told(suggestion, start, spot, trigger)


async def look_ahead(
    connect: Connect,
    cache: SuggestionCache,
    spot: Spot,
    trigger: Trigger,
    config: CompletionConfig,
    model: str,
    recalled: Recalled,
    session: Session,
) -> Suggestion | None:
    """Have the answer for a spot where the user may be soon: it goes into the cache, as nobody waits for it.

    It says so where there is nothing to suggest. ``None`` where it is not worth asking, or failed.
    """
    if known := cache.find(spot, trigger, model):
        return known
    start = time.perf_counter()
    suggestion = recalled.suggestion
    if not is_sure(suggestion, config):
        request = session.request_ahead(spot, trigger)
        if request is None:
            return None
        request = replace(request, candidates=recalled.candidates)
        try:
            with session.aside():
                suggestion = await _ask(connect, request, recalled, spot, trigger, config, session)
        except (BackendError, ModelError) as exc:
            logger.info("ahead failed cause=%s", type(exc).__name__)
            return None
        if suggestion.reason == "deadline" or suggestion.problem:
            return None
    cache.put(spot, trigger, model, suggestion)
    _log("ahead", replace(suggestion, ms=_ms(start, time.perf_counter())), spot, trigger)
    return suggestion


async def _ask(
    connect: Connect,
    request: CompletionRequest,
    recalled: Recalled,
    spot: Spot,
    trigger: Trigger,
    config: CompletionConfig,
    session: Session | None,
) -> Suggestion:
    """The model's suggestion, or the memory's where that is the better one, or all there is."""
    try:
        backend = await connect()
        asked = time.perf_counter()
        heard = await _listen(backend, request, spot, trigger, config)
    except (BackendError, ModelError) as exc:
        without_model = better(Suggestion(text="", reason="no_model"), recalled.suggestion, config)
        if not without_model.text:
            raise
        return replace(without_model, problem=str(exc))
    if session and request.priority == "typing":  # What nobody waits for goes on with fewer threads.
        session.learn(heard.usage)
    first_ms = _ms(asked, heard.first_at)
    judged = [
        replace(_judge(it, spot, trigger, config, recalled), usage=heard.usage, first_ms=first_ms)
        for it in heard.choices
    ]
    said = next((it for it in judged if it.text), judged[0])
    best = better(said, recalled.suggestion, config)
    others = _others(best, judged, recalled.suggestion, config) if trigger.explicit else ()
    return replace(best, others=others)


def _others(
    best: Suggestion, judged: Sequence[Suggestion], recalled: Suggestion, config: CompletionConfig
) -> tuple[Suggestion, ...]:
    """What else to offer: the memory's suggestion if it may be right, and the model's other ones."""
    may_be = (recalled,) if recalled.text and config.chance_threshold <= recalled.chance else ()
    sure = sorted(judged, key=lambda it: it.chance, reverse=True)
    different = {it.text: it for it in reversed((*may_be, *sure)) if it.text and it.text != best.text}
    return tuple(reversed(different.values()))[: MAX_CHOICES - 1]


async def _listen(
    backend: Backend, request: CompletionRequest, spot: Spot, trigger: Trigger, config: CompletionConfig
) -> Answers:
    """Read the stream until enough has been said; leaving it closes it, which stops the engine."""
    heard = Answers(choices=[Heard() for _ in range(request.choices)])
    try:
        async with (
            asyncio.timeout(_patience_ms(trigger, config) / 1000),
            aclosing(backend.complete(request)) as stream,
        ):
            async for piece in stream:
                heard.first_at = heard.first_at or time.perf_counter()
                heard.usage = piece.usage or heard.usage
                if len(heard.choices) <= piece.choice:  # A server that gives more than it was asked for.
                    continue
                one = heard.choices[piece.choice]
                if one.cut is None:
                    one.pieces.append(piece)
                    one.text += piece.text
                    one.finish = piece.finish or one.finish
                    one.cut = enough(one.text, spot, trigger)
                is_cut = any(it.cut is not None for it in heard.choices)
                if is_cut and all(it.is_over for it in heard.choices):
                    break  # Otherwise the stream ends by itself.
    except TimeoutError:
        logger.debug("deadline ms=%d", _patience_ms(trigger, config))
    return heard


def _patience_ms(trigger: Trigger, config: CompletionConfig) -> int:
    """Who asks by hand waits on purpose, also for a model that is still being loaded."""
    return max(config.deadline_ms, ASKED_DEADLINE_MS) if trigger.explicit else config.deadline_ms


def _judge(
    heard: Heard, spot: Spot, trigger: Trigger, config: CompletionConfig, recalled: Recalled
) -> Suggestion:
    """Cut, clean and weigh what was heard."""
    cut = heard.cut
    if cut is None:
        whole = heard.finish == "stop"
        cut = end_of(heard.text, spot, trigger, whole=whole, lines_only=not heard.is_over)
    said = heard.text[:cut]
    draft = clean(said, spot, trigger)
    if not draft.text:
        reason = "stopped" if heard.text.strip() and not said.strip() else draft.reason
        reason = "low_confidence" if heard.finish == "unsure" else reason
        return Suggestion(text="", reason=reason if heard.is_over else "deadline")
    mean, least = probabilities(kept_logprobs(heard.pieces, said, draft.text))
    evidence = _evidence(heard.pieces, said, draft.text, recalled)
    if config.model_chance:
        right = chance(config.model_chance, evidence)
        is_sure = trigger.explicit or config.chance_threshold <= right
    else:
        right = mean * config.model_trust
        is_sure = config.confidence_threshold <= mean
    is_sure = is_sure and (heard.cut is not None or heard.finish != "unsure")
    return Suggestion(
        text=draft.text if is_sure else "",
        replace_after=draft.replace_after if is_sure else 0,
        confidence=mean,
        min_confidence=least,
        chance=right,
        evidence=evidence,
        reason=trigger.reason if is_sure else "low_confidence",
    )


def _evidence(pieces: Sequence[Piece], said: str, shown: str, recalled: Recalled) -> tuple[float, ...]:
    """What tells how likely the first line of what is shown is exactly right."""
    line = first_line(shown)
    told = kept_logprobs(pieces, said, line)
    behind = kept_logprobs(pieces, said, line, beyond=1)[len(told) :]
    return features(told, sum(behind), memory=recalled.chance, found=recalled.chance_of(line))


def _told(suggestion: Suggestion, start: float, spot: Spot, trigger: Trigger) -> Suggestion:
    """As it goes to who asked at ``start``, and into the log."""
    suggestion = replace(suggestion, ms=_ms(start, time.perf_counter()))
    _log("complete", suggestion, spot, trigger)
    return _in_document(suggestion, spot)


def _in_document(suggestion: Suggestion, spot: Spot) -> Suggestion:
    """With the line breaks of the document."""
    text = suggestion.text.replace("\n", spot.line_ending)
    return replace(suggestion, text=text, others=tuple(_in_document(it, spot) for it in suggestion.others))


def _log(what: str, suggestion: Suggestion, spot: Spot, trigger: Trigger) -> None:
    usage = suggestion.usage
    logger.info(
        "%s language=%s shape=%s reason=%s source=%s cached=%d shown=%d confidence=%.2f chance=%.2f ms=%.0f"
        " first_ms=%.0f%s",
        what,
        spot.language,
        trigger.shape,
        suggestion.reason,
        suggestion.source,
        suggestion.cached,
        len(suggestion.text),
        suggestion.confidence,
        suggestion.chance,
        suggestion.ms,
        suggestion.first_ms,
        f" prompt={usage.prompt_tokens} new={usage.prompt_tokens - usage.cached_tokens}" if usage else "",
    )


def _ms(start: float, end: float) -> float:
    return max(0.0, (end - start) * 1000)
