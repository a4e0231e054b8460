"""Ask the model for ghost text and judge what it says: the one file here that waits for anything."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from completion.anchoring import fim_request
from completion.cache import SuggestionCache
from completion.config import CompletionConfig
from completion.postprocess import clean
from completion.recall import Recall, better, is_sure, no_memory
from completion.spot import Spot
from completion.stop import end_of, enough
from completion.suggestion import Suggestion, kept_logprobs, probabilities
from completion.trigger import Trigger
from models.errors import BackendError, ModelError
from models.wire import CompletionRequest, Finish, Piece, Snippet, Usage

if TYPE_CHECKING:  # What it imports takes a quarter of a second; whoever connects has paid for it by then.
    from models.backend import Backend

logger = logging.getLogger(__name__)

Connect = Callable[[], Awaitable["Backend"]]
"""A way to the engine, which may have to be started first."""
ASKED_DEADLINE_MS = 60_000  # Reading a large model from a slow disk takes half a minute.


@dataclass(slots=True)
class Heard:
    """What the model has said so far."""

    pieces: list[Piece] = field(default_factory=list)
    text: str = ""
    cut: int | None = None
    """Where a stop rule cuts the text; none had to if the model stopped by itself."""
    finish: Finish | None = None
    usage: Usage | None = None
    first_at: float = 0.0


async def complete(
    connect: Connect,
    cache: SuggestionCache,
    spot: Spot,
    trigger: Trigger,
    config: CompletionConfig,
    model: str,
    snippets: Sequence[Snippet] = (),
    recall: Recall = no_memory,
) -> Suggestion:
    """The suggestion for a spot; one without text says in ``reason`` why there is none.

    What was suggested and is typed costs no time, and what the project memory is sure of, a millisecond: only
    behind these two comes the pause for fast typing, and only then does it ``connect``, for what is already
    known needs no engine. Cancelling the caller closes the stream, and the engine stops.
    Raises ``BackendError`` when the model was needed, and the memory has nothing worth showing in its place.
    """
    start = time.perf_counter()
    suggestion = cache.find(spot, trigger, model) if trigger.may_go_on else None
    if suggestion is None and trigger.shape == "none":
        return Suggestion(text="", reason=trigger.reason)
    if suggestion is None:
        recalled = recall(spot, trigger)
        suggestion = recalled.suggestion
        if not is_sure(suggestion, config):
            if not trigger.explicit:
                await asyncio.sleep(config.pause_ms / 1000)
            request = fim_request(spot, trigger, config, model, snippets)
            request = replace(request, candidates=recalled.candidates)
            suggestion = await _ask(connect, request, suggestion, spot, trigger, config)
        if suggestion.text:
            cache.put(spot, trigger, model, suggestion)
    suggestion = replace(suggestion, ms=_ms(start, time.perf_counter()))
    _log(suggestion, spot, trigger)
    return replace(suggestion, text=suggestion.text.replace("\n", spot.line_ending))


async def _ask(
    connect: Connect,
    request: CompletionRequest,
    recalled: Suggestion,
    spot: Spot,
    trigger: Trigger,
    config: CompletionConfig,
) -> Suggestion:
    """The model's suggestion, or the memory's where that is the better one, or all there is."""
    try:
        backend = await connect()
        asked = time.perf_counter()
        heard = await _listen(backend, request, spot, trigger, config)
    except (BackendError, ModelError) as exc:
        without_model = better(Suggestion(text="", reason="no_model"), recalled, config)
        if not without_model.text:
            raise
        return replace(without_model, problem=str(exc))
    judged = replace(_judge(heard, spot, trigger, config), first_ms=_ms(asked, heard.first_at))
    return better(judged, recalled, config)


async def _listen(
    backend: Backend, request: CompletionRequest, spot: Spot, trigger: Trigger, config: CompletionConfig
) -> Heard:
    """Read the stream until enough has been said; leaving it closes it, which stops the engine."""
    heard = Heard()
    try:
        async with (
            asyncio.timeout(_patience_ms(trigger, config) / 1000),
            aclosing(backend.complete(request)) as stream,
        ):
            async for piece in stream:
                heard.first_at = heard.first_at or time.perf_counter()
                heard.pieces.append(piece)
                heard.text += piece.text
                heard.finish = piece.finish or heard.finish
                heard.usage = piece.usage or heard.usage
                heard.cut = enough(heard.text, spot, trigger)
                if heard.cut is not None:
                    break
    except TimeoutError:
        logger.debug("deadline ms=%d characters=%d", _patience_ms(trigger, config), len(heard.text))
    return heard


def _patience_ms(trigger: Trigger, config: CompletionConfig) -> int:
    """Who asks by hand waits on purpose, also for a model that is still being loaded."""
    return max(config.deadline_ms, ASKED_DEADLINE_MS) if trigger.explicit else config.deadline_ms


def _judge(heard: Heard, spot: Spot, trigger: Trigger, config: CompletionConfig) -> Suggestion:
    """Cut, clean and weigh what was heard."""
    in_time = heard.cut is not None or heard.finish is not None
    cut = heard.cut
    if cut is None:
        whole = heard.finish == "stop"
        cut = end_of(heard.text, spot, trigger, whole=whole, lines_only=not in_time)
    said = heard.text[:cut]
    draft = clean(said, spot, trigger)
    if not draft.text:
        reason = "stopped" if heard.text.strip() and not said.strip() else draft.reason
        return Suggestion(text="", reason=reason if in_time else "deadline", usage=heard.usage)
    mean, least = probabilities(kept_logprobs(heard.pieces, said, draft.text))
    is_sure = config.confidence_threshold <= mean
    return Suggestion(
        text=draft.text if is_sure else "",
        replace_after=draft.replace_after if is_sure else 0,
        confidence=mean,
        min_confidence=least,
        usage=heard.usage,
        reason=trigger.reason if is_sure else "low_confidence",
    )


def _log(suggestion: Suggestion, spot: Spot, trigger: Trigger) -> None:
    logger.info(
        "complete language=%s shape=%s reason=%s source=%s cached=%d shown=%d confidence=%.2f ms=%.0f"
        " first_ms=%.0f",
        spot.language,
        trigger.shape,
        suggestion.reason,
        suggestion.source,
        suggestion.cached,
        len(suggestion.text),
        suggestion.confidence,
        suggestion.ms,
        suggestion.first_ms,
    )


def _ms(start: float, end: float) -> float:
    return max(0.0, (end - start) * 1000)
