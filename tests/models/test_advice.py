"""What the user is told when an engine ends, when we stop trying, and which engine may replace which."""

from __future__ import annotations

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.advice import FAILURE_SECONDS, FAILURES, advice, recent, should_restart, should_stop

VERSIONS = st.from_regex(r"\A[0-9]{1,2}(\.[0-9]{1,2}){0,3}(rc1|\.dev1|a2)?\Z")


@pytest.mark.parametrize(
    ("code", "lines", "expected"),
    [
        (3, ["noise", "hearth engine: x.gguf is cut short."], "x.gguf is cut short."),
        (1, ["hearth engine: cannot serve: [Errno 28] No space left on device"], "The disk is full"),
        (1, ["OSError: [Errno 98] Address already in use"], "taken by another program"),
        (1, ["OSError: AF_UNIX path too long"], "set HEARTH_HOME to a short one"),
        (1, ["PermissionError: [Errno 13] Permission denied: 'x'"], "see who owns them"),
        (1, ["MemoryError"], "ran out of memory"),
        (
            -signal.SIGABRT,
            ["terminate called after throwing an instance of 'std::bad_alloc'"],
            "ran out of memory",
        ),
        (1, ["ModuleNotFoundError: No module named 'starlette'"], "The installation is incomplete"),
        (1, ["RuntimeError: Failed to load shared library 'libllama.so'"], "llama.cpp cannot be loaded"),
        (1, ["ImportError: libgomp.so.1: cannot open shared object file"], "llama.cpp cannot be loaded"),
        (-signal.SIGILL, [], "llama.cpp was built for another processor"),
        (132, [], "llama.cpp was built for another processor"),
        (0xC000001D, [], "llama.cpp was built for another processor"),
        (-signal.SIGKILL, ["loading model"], "killed, most likely because memory ran out"),
        (137, [], "killed, most likely because memory ran out"),
        (-signal.SIGTERM, ["x: permission denied"], "told to stop by another program"),
        (-signal.SIGSEGV, [], "The engine crashed (SIGSEGV)"),
        (-99, [], "The engine ended with exit code -99."),
        (2, ["hearth engine: error: unrecognized arguments: --new"], "of different versions"),
        (1, ["hearth engine: cannot serve: odd"], "The engine ended: cannot serve: odd"),
        (1, ["Traceback", "ZeroDivisionError: division by zero"], "exit code 1: ZeroDivisionError"),
        (1, [], "The engine ended with exit code 1."),
        (3, [], "The engine ended with exit code 3."),
        (None, [], "The engine ended unexpectedly."),
        (None, ["ggml: failed to allocate buffer"], "ran out of memory"),
    ],
)
def test_the_end_of_an_engine_becomes_advice(code: int | None, lines: list[str], expected: str) -> None:
    """One sentence that says why, and where it can, what to do."""
    sentence = advice(code, lines)
    assert expected in sentence
    assert "\n" not in sentence


def test_five_failures_in_a_minute_are_enough() -> None:
    """The fifth stops it; a minute after the first, there may be another try."""
    failures: tuple[float, ...] = ()
    for now in range(FAILURES):
        assert not should_stop(failures, now)
        failures = (*recent(failures, now), now)
    assert should_stop(failures, 10.0)
    assert should_stop(failures, FAILURE_SECONDS - 0.1)
    assert not should_stop(failures, FAILURE_SECONDS)
    assert recent(failures, FAILURE_SECONDS + 1) == (2, 3, 4)


def test_failures_far_apart_do_not_count() -> None:
    """An engine that dies now and then is started again, every time."""
    assert not should_stop([float(it) for it in range(0, 1000, 16)], 990.0)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("0.1.0", "0.1.0", False),
        ("0.2.0", "0.1.0", True),
        ("0.1.0", "0.2.0", False),
        ("0.10.0", "0.9.0", True),
        ("1.0", "1.0rc1", True),
        ("1.0rc1", "1.0", False),
        ("1.0.1", "1.0", True),
        ("0.1.0", "", True),
        ("0.1.0", "unknown", True),
    ],
)
def test_only_an_older_engine_is_replaced(ours: str, theirs: str, expected: bool) -> None:
    """A newer one serves an older client as well."""
    assert should_restart(ours, theirs) is expected


@given(VERSIONS, VERSIONS)
def test_two_installations_never_replace_each_other_in_turn(one: str, other: str) -> None:
    """Exactly one of two different versions wins, whoever asks."""
    assert should_restart(one, other) + should_restart(other, one) == (one != other)
