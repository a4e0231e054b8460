"""Pure: why an engine ended and what to do about it; whether to try again, whether to replace another."""

from __future__ import annotations

import re
from collections.abc import Sequence

EXIT_USAGE, EXIT_MODEL = 2, 3
FAILURES = 5
FAILURE_SECONDS = 60.0  # What fails five times within a minute will fail the sixth time, too.
SAID = re.compile(r"^hearth engine: (?:error: )?(.+)$")

REINSTALL = "install Hearth again (pip install --force-reinstall hearth-assistant)"
REBUILD = (
    "build it again on this machine (pip install --force-reinstall --no-cache-dir "
    "--no-binary llama-cpp-python llama-cpp-python)"
)

MEMORY = "The engine ran out of memory: choose a smaller model or close other programs."
FOREIGN_PROCESSOR = f"llama.cpp was built for another processor: {REBUILD}."

IN_THE_LOG: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"MemoryError|bad_alloc|cannot allocate memory|failed to allocate|out of memory", re.I),
        MEMORY,
    ),
    (re.compile(r"No space left on device|disk quota exceeded", re.I), "The disk is full: free some space."),
    (re.compile(r"illegal instruction", re.I), FOREIGN_PROCESSOR),
    (
        re.compile(
            r"failed to load shared library|libllama|cannot open shared object|llama_cpp.*Error", re.I
        ),
        f"llama.cpp cannot be loaded: {REBUILD}.",
    ),
    (re.compile(r"ModuleNotFoundError|ImportError"), f"The installation is incomplete: {REINSTALL}."),
    (re.compile(r"address already in use", re.I), "The engine's address is taken by another program."),
    (
        re.compile(r"path too long", re.I),
        "The path of the engine's socket is too long: set HEARTH_HOME to a short one.",
    ),
    (
        re.compile(r"permission denied|read-only file system|operation not permitted", re.I),
        "The engine may not write to its folders: see who owns them, or set HEARTH_HOME to one of yours.",
    ),
)

CERTAIN = {  # Signals that say more than the log.
    "SIGILL": FOREIGN_PROCESSOR,
    "SIGTERM": "The engine was told to stop by another program.",
}
KILLED = "The engine was killed, most likely because memory ran out: choose a smaller model."
SIGNALS = {
    4: "SIGILL",
    6: "SIGABRT",
    7: "SIGBUS",
    8: "SIGFPE",
    9: "SIGKILL",
    10: "SIGBUS",  # On macOS.
    11: "SIGSEGV",
    15: "SIGTERM",
}
WINDOWS_CODES = {0xC000001D: "SIGILL", 0xC0000005: "SIGSEGV", 0xC0000017: "SIGKILL"}


def advice(code: int | None, last_lines: Sequence[str]) -> str:
    """One sentence for the user: why the engine ended, and what to do.

    ``code`` is its exit code, negative for a signal, ``None`` if another process started it.
    """
    said = [it[1] for it in map(SAID.match, last_lines) if it]
    if code == EXIT_MODEL and said:
        return said[-1]
    name = _signal(code)
    if name in CERTAIN:
        return CERTAIN[name]
    if known := obstacle(last_lines):
        return known
    if name == "SIGKILL":
        return KILLED
    if name:
        return f"The engine crashed ({name}): the model's file may be damaged, try another one."
    if code == EXIT_USAGE:
        return f"The engine and the program that starts it are of different versions: {REINSTALL}."
    if said:
        return f"The engine ended: {said[-1]}"
    if code is None:
        return "The engine ended unexpectedly."
    return f"The engine ended with exit code {code}" + (f": {last_lines[-1]}" if last_lines else ".")


def obstacle(lines: Sequence[str]) -> str:
    """The sentence for a well-known obstacle that these lines name; empty if they name none."""
    return next((sentence for pattern, sentence in IN_THE_LOG if any(map(pattern.search, lines))), "")


def recent(failures: Sequence[float], now: float) -> tuple[float, ...]:
    """The failures that still count."""
    return tuple(it for it in failures if now - it < FAILURE_SECONDS)


def should_stop(failures: Sequence[float], now: float) -> bool:
    """Whether it is better not to try again yet."""
    return FAILURES <= len(recent(failures, now))


def should_restart(ours: str, theirs: str) -> bool:
    """Whether to replace a running engine of version ``theirs`` by one of ``ours``: only an older one.

    A newer one serves us as well, and never may two installations replace each other's engine in turn.
    """
    return _order(theirs) < _order(ours)


def _order(version: str) -> tuple[tuple[int, ...], bool, str]:
    """A total order: by the numbers; a pre-release before its release; the text decides what is left."""
    release = re.split(r"[^\d.]", version)[0]
    return tuple(map(int, re.findall(r"\d+", release))), release == version, version


def _signal(code: int | None) -> str:
    """The name of the signal that an exit code stands for, in the ways of Python, shells and Windows."""
    if code is None or 0 <= code <= 128:
        return ""
    return WINDOWS_CODES.get(code) or SIGNALS.get(-code if code < 0 else code - 128, "")
