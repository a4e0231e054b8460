"""Counters of the engine's work, and their Prometheus text."""

from __future__ import annotations

from dataclasses import dataclass

from models.engine.loaded import Clock
from models.wire import Health


@dataclass(slots=True)
class Metrics:
    """Totals since the start. Written by the worker's thread only."""

    requests: int = 0
    cancelled: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    drafted_tokens: int = 0
    accepted_tokens: int = 0
    window_drafted_tokens: int = 0
    window_accepted_tokens: int = 0
    draft_batches: int = 0
    saved_tokens: int = 0
    queue_seconds: float = 0.0
    prompt_seconds: float = 0.0
    decode_seconds: float = 0.0

    def add(self, clock: Clock) -> None:
        """Count one finished answer."""
        self.requests += 1
        self.prompt_tokens += clock.prompt
        self.cached_tokens += clock.cached
        self.completion_tokens += clock.produced
        self.queue_seconds += clock.queue_ms / 1000
        self.prompt_seconds += clock.prompt_ms / 1000
        self.decode_seconds += clock.decode_ms / 1000

    def add_drafts(self, clock: Clock) -> None:
        """Count what drafts brought to one answer, finished or not: most ghost text is cut short."""
        self.drafted_tokens += clock.drafted
        self.accepted_tokens += clock.accepted
        self.window_drafted_tokens += clock.window_drafted
        self.window_accepted_tokens += clock.window_accepted
        self.draft_batches += clock.draft_batches
        self.saved_tokens += clock.saved


HELP = {
    "requests": "Answers finished.",
    "cancelled": "Answers dropped because nobody waited for them any more.",
    "prompt_tokens": "Prompt tokens asked for.",
    "cached_tokens": "Prompt tokens whose KV was already there.",
    "completion_tokens": "Tokens generated.",
    "drafted_tokens": "Tokens evaluated ahead of the model's choice.",
    "accepted_tokens": "Drafted tokens that were its choice.",
    "window_drafted_tokens": "Drafted tokens that came from the prompt or the answer itself.",
    "window_accepted_tokens": "Those of them that were the model's choice.",
    "draft_batches": "Evaluations that carried a draft.",
    "saved_tokens": "Tokens chosen without an evaluation of their own.",
    "queue_seconds": "Seconds that answers waited for their turn.",
    "prompt_seconds": "Seconds spent on evaluating prompts.",
    "decode_seconds": "Seconds spent on generating.",
}


def prometheus(metrics: Metrics, health: Health) -> str:
    """The text exposition format, version 0.0.4."""
    lines = []
    for name, text in HELP.items():
        full = f"hearth_{name}_total"
        lines += [f"# HELP {full} {text}", f"# TYPE {full} counter", f"{full} {getattr(metrics, name)}"]
    gauges = {
        "clients": ("Programs that keep the engine alive.", health.clients),
        "ready": ("Whether a model is in memory.", int(health.state == "ready")),
        "tokens_per_second": ("Decode speed of the last answer.", health.tokens_per_second),
    }
    for name, (text, value) in gauges.items():
        full = f"hearth_{name}"
        lines += [f"# HELP {full} {text}", f"# TYPE {full} gauge", f"{full} {value}"]
    return "\n".join(lines) + "\n"
