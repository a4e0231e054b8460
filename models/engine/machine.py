"""What this machine gives: processor threads, fewer on battery, and memory for models."""

from __future__ import annotations

import psutil

from models.engine.llama import Limits
from models.errors import ModelError
from models.gguf_header import Header

MEMORY_SHARE = 0.6  # Of the physical memory: the rest is for the editor, the compiler and the browser.
BATTERY_SHARE = 0.5  # Of the cores: slower by a third (memory is the bottleneck) for about half the power.
COMPUTE_BYTES = 128 * 2**20  # Work buffers beside weights and KV (measured: 60-120 MB).


def default_threads() -> int:
    """Physical cores that this process may use: hyper-threads only slow the matrix products down."""
    physical = psutil.cpu_count(logical=False) or 1
    process = psutil.Process()
    allowed = len(process.cpu_affinity() or ()) if hasattr(process, "cpu_affinity") else physical
    threads = max(1, min(physical, allowed or physical))
    return max(1, round(threads * BATTERY_SHARE)) if on_battery() else threads


def on_battery() -> bool:
    """Whether this machine runs on its battery now; where nothing is known it does not."""
    sensors = getattr(psutil, "sensors_battery", None)  # Not every system has it.
    battery = sensors() if sensors else None
    return battery is not None and battery.power_plugged is False


def default_memory() -> int:
    """Bytes that all models together may take, where nobody said otherwise."""
    return int(psutil.virtual_memory().total * MEMORY_SHARE)


def model_bytes(header: Header, limits: Limits) -> int:
    """What a model takes: weights, KV and work buffers."""
    return header.size + header.kv_bytes(limits.context_tokens) + COMPUTE_BYTES


def check_memory(name: str, needed: int, allowed: int) -> None:
    """Refuse a model that would not fit, or only swap. Raises ``ModelError``."""
    free = psutil.virtual_memory().available
    room, what = (free, "free") if free < allowed else (allowed, "allowed")
    if room < needed:
        raise ModelError(
            f"{name} needs about {needed / 1e9:.1f} GB of memory and {room / 1e9:.1f} GB are {what};"
            " choose a smaller model or less context."
        )
