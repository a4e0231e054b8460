"""Pure: what the settings say -> what the engine and the completion take."""

from __future__ import annotations

from pathlib import Path

from completion.anchoring import MOST_GROWTH
from completion.config import CompletionConfig
from lsp_server.settings import Confidence, Settings
from models import paths, registry
from models.errors import ModelError
from models.launch import EngineOptions
from models.spec import ModelSpec

PREFIX_TOKENS = 1024  # What stands further up than 100 lines rarely changes the rest of a line.
SUFFIX_TOKENS = 160  # Evaluated again with every new anchor, at 2 to 3 ms a token on a laptop's processor.
MIDDLE_TOKENS = 192  # Some 15 lines: so often typing costs another reading of the suffix, in the background.
SNIPPET_TOKENS = 256  # Read before everything else: a second on a laptop, whenever other files have changed.
LARGE = 4096  # Tokens. More than all of these together.
MEMORY_AT_ONCE = 0.5  # As likely right as not: more than a small model reaches, and it costs a millisecond.
WORTH_SHOWING = 0.15  # Shows half of the places, two of three exactly right (docs/benchmarks.md).
LINGER_SECONDS = 60.0  # Closing one window and opening another finds the engine still there.


def settings_file() -> Path:
    """The user's own settings."""
    return paths.config_dir() / "settings.json"


def completion_config(
    settings: Settings, model: ModelSpec | None, context: int | None = None
) -> CompletionConfig:
    """The completion package's part of the settings, in shares that fit into the model's ``context``."""
    if context is None and model:  # The engine has not said it yet.
        context = model.context_tokens or model.trained_tokens
    room = context - min(settings.completion_max_tokens, context // 4) if context else LARGE
    middle = min(MIDDLE_TOKENS, room // 4)
    suffix = min(SUFFIX_TOKENS, room // 5)
    prefix = min(PREFIX_TOKENS, room - middle - suffix)
    return CompletionConfig(
        enabled=settings.completion_enabled,
        max_tokens=settings.completion_max_tokens,
        max_lines=settings.completion_max_lines,
        prefix_tokens=prefix,
        suffix_tokens=suffix,
        middle_tokens=middle,
        snippet_tokens=max(0, min(SNIPPET_TOKENS, room - prefix - suffix - MOST_GROWTH * middle)),
        anchor_lines=model.anchor_lines if model else 0,
        pause_ms=settings.completion_pause_ms,
        deadline_ms=settings.completion_deadline_ms,
        confidence_threshold=threshold(
            settings.completion_confidence, model.confidence_threshold if model else 0.0
        ),
        model_trust=model.trust if model else 0.0,
        model_chance=model.chance if model else {},
        memory_at_once=MEMORY_AT_ONCE,
        chance_threshold=threshold(settings.completion_confidence, WORTH_SHOWING),
    )


def threshold(confidence: Confidence, calibrated: float) -> float:
    """The least chance or probability worth showing: as calibrated, lower, higher, or a number."""
    if confidence == "eager":
        return calibrated / 2
    if confidence == "quiet":
        return (1 + calibrated) / 2
    return calibrated if confidence == "balanced" else confidence


def engine_options(settings: Settings) -> EngineOptions:
    """The engine's part of the settings; raises ``ModelError`` if there is no such model."""
    return EngineOptions(
        model=model_id(registry.find(settings.model)),
        idle_unload_s=60.0 * settings.engine_idle_unload_minutes,
        linger_s=LINGER_SECONDS,
        keep_loaded=settings.engine_keep_loaded,
        context_tokens=settings.engine_context_tokens or None,
        threads=settings.engine_threads or None,
    )


def options_if_any(settings: Settings) -> EngineOptions | None:
    """The same; ``None`` if there is no such model."""
    try:
        return engine_options(settings)
    except ModelError:
        return None


def model_id(model: ModelSpec) -> str:
    """What the engine knows a model by: its name, or an absolute path."""
    return model.name if model.name == registry.STARTER else str(model.path)
