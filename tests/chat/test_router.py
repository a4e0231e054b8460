"""Who answers: every combination of wish, task, size, servers and permission, and what can never happen."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from chat import router
from chat.router import (
    FAILURES,
    TASKS,
    Decision,
    Failure,
    Places,
    Policy,
    Request,
    Server,
    decide,
    failure_of,
    may_be_asked,
    measure,
    next_after,
)
from chat.types import Task
from models import errors
from models.spec import BackendSpec, Prices

SMALL = Server(spec=BackendSpec(name="small", model="m", url="http://127.0.0.1:1", context_tokens=8192))
BIG = Server(
    spec=BackendSpec(
        name="big",
        model="m",
        url="https://api.example.com/v1",
        context_tokens=200_000,
        prices=Prices(input=3.0, output=15.0, currency="USD"),
    ),
    is_own=True,
)
FOREIGN = Server(spec=BackendSpec(name="foreign", model="m", url="https://evil.example.net"), is_own=False)
NEXT_DOOR = Server(spec=BackendSpec(name="rack", model="m", url="http://10.0.0.5:8000"), is_own=True)
SERVERS = (SMALL, BIG, FOREIGN, NEXT_DOOR)
CHOICES = ("", "extractive", "local", "cloud", "small", "big", "foreign", "rack", "nobody")
SIZES = (0, 3071, 3072, 4095, 4096, 6144, 6145)
TRUTHY: tuple[Any, ...] = (False, None, 0, 1, "true", "yes", [1], object())


def chain(decision: Decision, failures: Iterator[Failure]) -> list[Decision]:
    """A decision, and all that come after it while each of them fails."""
    found = [decision]
    while (following := next_after(found[-1], next(failures))) is not None:
        found.append(following)
        assert len(found) < 10
    return found


def places(*servers: Server) -> Places:
    """These servers, in this order."""
    return Places(servers=servers)


def cases() -> Iterator[tuple[Request, Places, Policy]]:
    """Every combination of what a decision depends on."""
    available = [it for n in range(len(SERVERS) + 1) for it in itertools.combinations(SERVERS, n)]
    for task, size, choice, servers in itertools.product(TASKS, SIZES, CHOICES, available):
        for allowed, preference in itertools.product((False, True), ("local", "cloud")):
            for deep in (False, True) if task == "refactor" else (False,):
                request = Request(task=task, tokens_in=size, choice=choice, is_deep=deep)  # type: ignore[arg-type]
                yield request, places(*servers), Policy(cloud_allowed=allowed, preference=preference)  # type: ignore[arg-type]


def test_every_combination_has_an_answer_and_none_leaves_without_permission() -> None:
    """Total, one sentence each; remote only with permission and as the user's own; fallbacks as well."""
    for request, there, policy in cases():
        decision = decide(request, there, policy)
        for it in chain(decision, itertools.repeat("unreachable")):
            assert it.reason.endswith(".")
            assert "\n" not in it.reason
            assert (it.backend is None) == (it.tier == "extractive")
            if it.backend is not None and not it.backend.is_local:
                assert policy.cloud_allowed is True
                assert it.tier == "cloud"
                assert any(server.spec is it.backend and server.is_own for server in there.servers)
        if request.choice in ("local", "small", "extractive") and SMALL in there.servers:
            assert decision.tier != "cloud"


@given(
    allowed=st.sampled_from(TRUTHY),
    own=st.sampled_from((*TRUTHY, True)),
    choice=st.sampled_from(CHOICES),
    task=st.sampled_from(sorted(TASKS)),
    size=st.integers(0, 10**6),
    ready=st.lists(st.booleans(), min_size=4, max_size=4),
    preference=st.sampled_from(["local", "cloud", "", "everything"]),
    per_task=st.dictionaries(st.sampled_from(sorted(TASKS)), st.sampled_from(CHOICES)),
    failures=st.lists(st.sampled_from(get_args(Failure)), min_size=10, max_size=10),
)
def test_nothing_but_true_opens_the_cloud(
    allowed: Any, own: Any, choice: str, task: Any, size: int, ready: list[bool], preference: Any,
    per_task: dict[str, str], failures: list[Failure],
) -> None:  # fmt: skip
    """Whatever stands in the permission's place, only ``True`` is one; and then only for own servers."""
    servers = [
        Server(spec=it.spec, is_own=own, is_ready=good) for it, good in zip(SERVERS, ready, strict=True)
    ]
    request = Request(task=task, tokens_in=size, choice=choice)
    policy = Policy(cloud_allowed=allowed, preference=preference, per_task=per_task)
    for it in chain(decide(request, places(*servers), policy), iter(failures)):
        assert it.backend is None or it.backend.is_local
    allowing = Policy(cloud_allowed=True, preference=preference, per_task=per_task)
    for it in chain(decide(request, places(*servers), allowing), iter(failures)):
        assert it.backend is None or it.backend.is_local or own is True


def asked(task: str, size: int = 1000, *servers: Server, **rest: Any) -> tuple[str, str]:
    """Tier and reason where everything is allowed and there, unless said otherwise."""
    allowed = rest.pop("allowed", True)
    preference = rest.pop("preference", "local")
    per_task = rest.pop("per_task", {})
    policy = Policy(cloud_allowed=allowed, preference=preference, per_task=per_task)
    request = Request(task=task, tokens_in=size, **rest)  # type: ignore[arg-type]
    decision = decide(request, places(*(servers or (SMALL, BIG))), policy)
    return decision.tier, decision.reason


def test_the_rules_and_their_sentences() -> None:
    """The user's wish first, then the task's setting, then what size and task ask for, then preference."""
    said = [
        asked("ask", choice="cloud"),
        asked("ask", choice="cloud", allowed=False),
        asked("ask", choice="big", allowed=False),
        asked("ask", choice="extractive"),
        asked("ask", choice="nobody"),
        asked("ask", 10_000, choice="local"),
        asked("completion", 50_000, preference="cloud"),
        asked("review", per_task={"review": "cloud"}),
        asked("review", per_task={"review": "small"}, preference="cloud"),
        asked("refactor", 4095, preference="cloud"),
        asked("refactor", 4096, preference="cloud"),
        asked("refactor", 4095, is_deep=True),
        asked("tests", 3071, preference="cloud"),
        asked("tests", 3072, preference="cloud"),
        asked("architecture", 10),
        asked("architecture", 10, allowed=False),
        asked("architecture", 10, SMALL),
        asked("ask", 6144),
        asked("ask", 6145),
        asked("ask", 10, BIG),
        asked("ask", 10, FOREIGN, choice="cloud"),
        asked("ask", 10, NEXT_DOOR, allowed=False),
        asked("ask", 10, Server(spec=SMALL.spec, is_ready=False)),
    ]
    assert [(tier, *re.split(": |, so ", reason)) for tier, reason in said] == snapshot(
        [
            ("cloud", "You asked for the cloud", "big answers at api.example.com."),
            (
                "local",
                "You asked for the cloud, but your settings do not allow the cloud",
                "small answers on this machine.",
            ),
            (
                "local",
                "You asked for big, but your settings do not allow the cloud",
                "small answers on this machine.",
            ),
            ("extractive", "You asked for no model", "your code itself answers, without a model."),
            (
                "local",
                "You asked for nobody, but no model is called nobody",
                "small answers on this machine.",
            ),
            ("local", "You asked for this machine", "small answers on this machine."),
            ("local", "Completion stays on this machine", "small answers on this machine."),
            ("cloud", "Your settings choose the cloud for a review", "big answers at api.example.com."),
            ("local", "Your settings choose small for a review", "small answers on this machine."),
            (
                "local",
                "A refactoring of 4,095 tokens is small enough for this machine",
                "small answers on this machine.",
            ),
            ("cloud", "You prefer the cloud", "big answers at api.example.com."),
            ("cloud", "A deep refactoring is for a large model", "big answers at api.example.com."),
            (
                "local",
                "A test of 3,071 tokens is small enough for this machine",
                "small answers on this machine.",
            ),
            ("cloud", "You prefer the cloud", "big answers at api.example.com."),
            ("cloud", "A question of architecture is for a large model", "big answers at api.example.com."),
            (
                "local",
                "A question of architecture is for a large model, but your settings do not allow the cloud",
                "small answers on this machine.",
            ),
            (
                "local",
                "A question of architecture is for a large model, but no cloud model is set up",
                "small answers on this machine.",
            ),
            ("local", "You prefer this machine", "small answers on this machine."),
            ("cloud", "A context of 6,145 tokens is for a large model", "big answers at api.example.com."),
            (
                "cloud",
                "You prefer this machine, but no model is set up here",
                "big answers at api.example.com.",
            ),
            (
                "extractive",
                "You asked for the cloud, but it is not set up in your own settings",
                "your code itself answers, without a model.",
            ),
            (
                "extractive",
                "You prefer this machine, but no model is set up here",
                "your code itself answers, without a model.",
            ),
            (
                "extractive",
                "You prefer this machine, but it is not ready",
                "your code itself answers, without a model.",
            ),
        ]
    )


def test_who_chose_this_machine_stays_on_it() -> None:
    """A failure is no reason to send what was to stay."""
    everything = Policy(cloud_allowed=True, preference="cloud", per_task={"review": "local", "fix": "small"})
    for request in (
        Request(task="ask", tokens_in=10, choice="local"),
        Request(task="ask", tokens_in=10, choice="small"),
        Request(task="completion", tokens_in=10),
        Request(task="review", tokens_in=10),
        Request(task="fix", tokens_in=10_000),
    ):
        first = decide(request, places(BIG, SMALL, NEXT_DOOR), everything)
        assert [it.tier for it in chain(first, itertools.repeat("broken"))] == ["local", "extractive"]


def test_it_falls_back_both_ways_and_says_so() -> None:
    """From here to there, from there to here, and at last to the code itself."""
    policy = Policy(cloud_allowed=True)
    up = chain(
        decide(Request(task="ask", tokens_in=10), places(SMALL, BIG), policy), itertools.repeat("overloaded")
    )
    down = chain(
        decide(Request(task="architecture", tokens_in=10), places(SMALL, BIG), policy),
        itertools.repeat("no_key"),
    )
    assert [it.reason for it in (*up, *down)] == snapshot(
        [
            "You prefer this machine: small answers on this machine.",
            "small has no room now, so big answers at api.example.com.",
            "big has no room now, so your code itself answers, without a model.",
            "A question of architecture is for a large model: big answers at api.example.com.",
            "big has no key to be asked with, so small answers on this machine.",
            "small has no key to be asked with, so your code itself answers, without a model.",
        ]
    )


def test_what_cannot_be_kept_is_not_sent_elsewhere_either() -> None:
    """If the log of what was sent cannot be written, no other server off this machine is tried."""
    first = decide(
        Request(task="ask", tokens_in=10, choice="big"),
        places(BIG, NEXT_DOOR, SMALL),
        Policy(cloud_allowed=True),
    )
    assert [it.tier for it in chain(first, itertools.repeat("not_kept"))] == ["cloud", "local", "extractive"]


def test_too_long_goes_to_a_larger_one_or_to_nobody() -> None:
    """Who holds no more cannot help."""
    policy = Policy(cloud_allowed=True)
    here = decide(Request(task="ask", tokens_in=10), places(SMALL, BIG), policy)
    there = decide(Request(task="ask", tokens_in=10, choice="big"), places(SMALL, BIG), policy)
    following = [next_after(it, "too_long") for it in (here, there)]
    assert [it.tier for it in following if it] == ["cloud", "extractive"]


def test_the_estimate_is_in_the_callers_tokens_and_the_users_prices() -> None:
    """Counted by what is handed in; money only where prices are known; context cut to what fits."""
    request = measure("ask", ["one two three", "four"], lambda text: len(text.split()), choice="big")
    assert request == Request(task="ask", tokens_in=4, choice="big")
    policy = Policy(cloud_allowed=True)
    dear = decide(Request(task="ask", tokens_in=100_000, tokens_out=1000, choice="big"), places(BIG), policy)
    assert dear.estimate == router.Estimate(tokens_in=100_000, tokens_out=1000, cost=0.315, currency="USD")
    assert dear.budget_tokens == 199_000
    own = Policy(cloud_allowed=True, prices={"big": Prices(input=1.0, output=0.0, currency="EUR")})
    cheap = decide(Request(task="ask", tokens_in=100_000, choice="big"), places(BIG), own)
    assert (cheap.estimate.cost, cheap.estimate.currency) == (0.1, "EUR")
    free = decide(Request(task="ask", tokens_in=10_000, choice="small"), places(SMALL), policy)
    assert free.estimate == router.Estimate(tokens_in=7168, tokens_out=1024, fits=False)


def test_every_failure_has_words_and_every_error_is_a_failure() -> None:
    """What goes wrong on the way to a model is said, and known to the router by its kind."""
    assert set(FAILURES) == set(get_args(Failure))
    assert set(TASKS) == {*get_args(Task), "completion"}
    kinds = {
        errors.Unreachable: "unreachable",
        errors.Overloaded: "overloaded",
        errors.Refused: "refused",
        errors.Broken: "broken",
        errors.NoKey: "no_key",
        errors.NoModel: "no_model",
        errors.TooLong: "too_long",
    }
    assert {kind: failure_of(kind("x")) for kind in kinds} == kinds


@pytest.mark.parametrize("allowed", [False, True])
def test_this_machine_may_always_be_asked(allowed: bool) -> None:
    """Loopback and sockets need nobody's permission; the machine next door does."""
    policy = Policy(cloud_allowed=allowed)
    assert [may_be_asked(it, policy) for it in SERVERS] == [True, allowed, False, allowed]
