"""The engine's counters as Prometheus reads them."""

from __future__ import annotations

import re

from models.engine.loaded import Clock
from models.engine.metrics import HELP, Metrics, prometheus
from models.wire import Health

HEALTH = Health(version="1", pid=1, executable="python", state="ready", model="m", clients=2)
LINE = re.compile(r"# (HELP|TYPE) hearth_\w+ .+|hearth_\w+ [0-9.e+-]+")


def test_every_counter_is_explained_and_grows() -> None:
    """One finished answer is in all of them."""
    metrics = Metrics()
    for _ in range(2):
        clock = Clock(
            queue_ms=500,
            prompt_ms=1500,
            decode_ms=2000,
            cached=3,
            prompt=5,
            produced=7,
            drafted=4,
            accepted=3,
            draft_batches=1,
            saved=2,
        )
        metrics.add(clock)
        metrics.add_drafts(clock)
    text = prometheus(metrics, HEALTH)
    assert all(LINE.fullmatch(it) for it in text.splitlines())
    assert text.endswith("\n")
    for name in HELP:
        assert f"# HELP hearth_{name}_total {HELP[name]}\n# TYPE hearth_{name}_total counter\n" in text
    for line in (
        "hearth_requests_total 2",
        "hearth_prompt_tokens_total 10",
        "hearth_cached_tokens_total 6",
        "hearth_completion_tokens_total 14",
        "hearth_drafted_tokens_total 8",
        "hearth_accepted_tokens_total 6",
        "hearth_draft_batches_total 2",
        "hearth_saved_tokens_total 4",
        "hearth_queue_seconds_total 1.0",
        "hearth_prompt_seconds_total 3.0",
        "hearth_decode_seconds_total 4.0",
        "hearth_clients 2",
        "hearth_ready 1",
    ):
        assert f"\n{line}\n" in text
