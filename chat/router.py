"""Pure: who answers a question, why, and who is next if that fails.

What leaves the machine is decided here and nowhere else. A server that is not on this machine is asked only
if ``Policy.cloud_allowed`` is ``True`` and the user set the server up in settings of their own; both are
looked at once, before any rule, so that no rule and no failure can bring another server in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from chat.types import Task, Tier
from models.spec import BackendSpec, Prices

SMALL_REFACTOR = 4096  # Tokens of context. Up to these sizes a small model of the user's own is good enough,
SMALL_TESTS = 3072  # and it answers sooner than a large one would begin to.
LARGE = 6144  # More than this a small model reads slowly and understands badly.
ANSWER_TOKENS = 1024  # A long answer. What it costs is an estimate until it is there.

Work = Task | Literal["completion"]
Preference = Literal["local", "cloud"]
Failure = Literal[
    "unreachable", "overloaded", "refused", "broken", "too_long", "no_key", "no_model", "not_kept", "secret"
]

FAILURE_OF: Mapping[str, Failure] = {
    "Unreachable": "unreachable",
    "Overloaded": "overloaded",
    "NoKey": "no_key",
    "NoModel": "no_model",
    "TooLong": "too_long",
    "Refused": "refused",
    "Broken": "broken",
    "NotKept": "not_kept",
    "HoldsSecret": "secret",
}
"""By the names of the errors of ``models/errors.py``, ``chat/sent.py`` and ``chat/asking.py``."""
TASKS: Mapping[str, str] = {
    "completion": "a completion",
    "ask": "a question",
    "explain": "an explanation",
    "document": "documentation",
    "tests": "a test",
    "fix": "a fix",
    "refactor": "a refactoring",
    "review": "a review",
    "summarize": "a summary",
    "architecture": "a question of architecture",
}
FAILURES: Mapping[str, str] = {
    "unreachable": "could not be reached",
    "overloaded": "has no room now",
    "refused": "refused the request",
    "broken": "failed",
    "too_long": "cannot hold that much text",
    "no_key": "has no key to be asked with",
    "no_model": "does not have that model",
    "not_kept": "was not asked, as what would be sent could not be kept for you to see",
    "secret": "was not asked, as what would be sent may still hold a secret",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One that may answer."""

    spec: BackendSpec
    is_own: bool = False
    """Whether the user's own settings set it up. Nothing else may lead off this machine."""
    is_ready: bool = True
    """Whether it is worth asking, as far as is known."""

    @property
    def name(self) -> str:
        """What people know it by."""
        return self.spec.name or self.spec.model

    @property
    def tier(self) -> Tier:
        """Where it stands: whatever is not on this machine counts as the cloud, also next door."""
        return "local" if self.spec.is_local else "cloud"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """All that may answer, the preferred ones first."""

    servers: tuple[Server, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the user's own settings say. Nothing said: nothing leaves."""

    cloud_allowed: bool = False
    preference: Preference = "local"
    per_task: Mapping[str, str] = field(default_factory=dict)
    """For a task, a tier or a server's name: as good as asking for it by hand."""
    prices: Mapping[str, Prices] = field(default_factory=dict)
    """By the name of a server, where the server's own description has none or others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be answered, as numbers: no text of the user's gets here."""

    task: Work
    tokens_in: int
    tokens_out: int = ANSWER_TOKENS
    choice: str = ""
    """What the user asked for, for this one: a tier or a server's name; empty for no wish."""
    is_deep: bool = False
    """Whether a refactoring reaches beyond one place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What an answer takes, before it is there."""

    tokens_in: int
    tokens_out: int
    cost: float | None = None
    """Money, where prices are known."""
    currency: str = ""
    fits: bool = True
    """Whether all of the context has room; otherwise the best of it is chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who answers, and why."""

    tier: Tier
    backend: BackendSpec | None
    """``None`` if the answer is made without a model."""
    reason: str
    """One sentence for the user."""
    estimate: Estimate
    rule: str
    """Which rule decided, by its name."""
    request: Request
    budget_tokens: int | None = None
    """How many tokens the prompt may have; ``None`` where that is not known."""
    others: tuple[Server, ...] = ()
    """Who may be asked if this one fails. All of them are allowed."""
    prices: Mapping[str, Prices] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a rule would like best."""

    rule: str
    says: str
    choice: str
    """A tier or a server's name."""
    only: bool = False
    """Whether the other tier may not step in: who chose this machine meant it."""


def measure(task: Work, texts: Iterable[str], count: Callable[[str], int], **rest: object) -> Request:
    """A request with its size, by the tokenizer that the caller brings."""
    request = Request(task=task, tokens_in=sum(count(it) for it in texts))
    return replace(request, **rest)  # type: ignore[arg-type]  # the fields of a request


def decide(request: Request, places: Places, policy: Policy) -> Decision:
    """Who answers. There is always one: without a model, the code itself."""
    allowed = [it for it in places.servers if may_be_asked(it, policy)]
    usable = [it for it in allowed if it.is_ready]
    wish = _wish(request, usable, policy)
    if wish.choice == "extractive":
        return _decision(None, f"{wish.says}: {_who(None)}.", wish.rule, request, policy.prices, ())
    tier = _tier_of(wish.choice, places)
    first = [it for it in usable if wish.choice in (it.tier, it.name)]
    second = [it for it in usable if it not in first and it.tier == tier]
    third = [] if wish.only or request.task == "completion" else [it for it in usable if it.tier != tier]
    order = (*first, *second, *third)
    server = order[0] if order else None
    if first:
        reason = f"{wish.says}: {_who(server)}."
    else:
        reason = f"{wish.says}, but {_why_not(wish.choice, places, policy)}, so {_who(server)}."
    return _decision(server, reason, wish.rule, request, policy.prices, order[1:])


def next_after(decision: Decision, failure: Failure) -> Decision | None:
    """Who is asked when that one failed; ``None`` when nobody is left.

    Only those whom ``decide`` allowed come in, and of these only such as the failure does not concern.
    """
    if decision.backend is None:
        return None
    failed = decision.backend
    others = decision.others
    if failure in ("not_kept", "secret"):
        others = tuple(it for it in others if it.spec.is_local)
    if failure == "too_long" and failed.context_tokens:
        room = failed.context_tokens
        others = tuple(it for it in others if it.spec.context_tokens is None or room < it.spec.context_tokens)
    server = others[0] if others else None
    says = FAILURES.get(failure, FAILURES["broken"])
    reason = f"{failed.name or failed.model} {says}, so {_who(server)}."
    return _decision(server, reason, f"after {failure}", decision.request, decision.prices, others[1:])


def failure_of(error: Exception) -> Failure:
    """What kind of failure an error is; the most particular of its kinds counts."""
    names = [it.__name__ for it in type(error).__mro__]
    return next((FAILURE_OF[it] for it in names if it in FAILURE_OF), "broken")


def may_be_asked(server: Server, policy: Policy) -> bool:
    """Whether anything may be sent there: this machine always, any other by the user's own word alone."""
    return server.spec.is_local or (policy.cloud_allowed is True and server.is_own is True)


def _wish(request: Request, usable: Iterable[Server], policy: Policy) -> Wish:
    """The first rule that has something to say."""
    size = f"{request.tokens_in:,} tokens"
    task = TASKS.get(request.task, "a request")
    here = {"local", *(it.name for it in usable if it.tier == "local")}
    if request.choice:
        says = f"You asked for {_called(request.choice)}"
        return Wish(rule="choice", says=says, choice=request.choice, only=request.choice in here)
    if request.task == "completion":
        return Wish(rule="completion", says="Completion stays on this machine", choice="local", only=True)
    if named := policy.per_task.get(request.task):
        says = f"Your settings choose {_called(named)} for {task}"
        return Wish(rule="task", says=says, choice=named, only=named in here)
    is_small = request.task == "refactor" and not request.is_deep and request.tokens_in < SMALL_REFACTOR
    if is_small or (request.task == "tests" and request.tokens_in < SMALL_TESTS):
        return Wish(
            rule="small",
            says=f"{task.capitalize()} of {size} is small enough for this machine",
            choice="local",
        )
    if request.task == "architecture" or (request.task == "refactor" and request.is_deep):
        deep = "a deep refactoring" if request.task == "refactor" else task
        return Wish(rule="large", says=f"{deep.capitalize()} is for a large model", choice="cloud")
    if LARGE < request.tokens_in:
        return Wish(rule="large", says=f"A context of {size} is for a large model", choice="cloud")
    return Wish(rule="preference", says=f"You prefer {_called(policy.preference)}", choice=policy.preference)


def _decision(
    server: Server | None,
    reason: str,
    rule: str,
    request: Request,
    prices: Mapping[str, Prices],
    others: tuple[Server, ...],
) -> Decision:
    spec = server.spec if server else None
    room = spec.context_tokens if spec else None
    return Decision(
        tier=server.tier if server else "extractive",
        backend=spec,
        reason=reason,
        estimate=_estimate(request, server, prices),
        rule=rule,
        request=request,
        budget_tokens=max(0, room - min(request.tokens_out, room // 2)) if room else None,
        others=others,
        prices=prices,
    )


def _estimate(request: Request, server: Server | None, prices: Mapping[str, Prices]) -> Estimate:
    if server is None:
        return Estimate(tokens_in=0, tokens_out=0)
    room = server.spec.context_tokens
    answer = min(request.tokens_out, room // 2) if room else request.tokens_out
    read = min(request.tokens_in, room - answer) if room else request.tokens_in
    price = prices.get(server.name) or server.spec.prices
    return Estimate(
        tokens_in=read,
        tokens_out=answer,
        cost=(read * price.input + answer * price.output) / 1_000_000 if price else None,
        currency=price.currency if price else "",
        fits=read == request.tokens_in,
    )


def _tier_of(choice: str, places: Places) -> Tier:
    """The tier that is wanted; who asks for a name that nobody has is kept on this machine."""
    if choice in ("local", "cloud"):
        return "cloud" if choice == "cloud" else "local"
    return next((it.tier for it in places.servers if it.name == choice), "local")


def _called(choice: str) -> str:
    return {"local": "this machine", "cloud": "the cloud", "extractive": "no model"}.get(choice, choice)


def _who(server: Server | None) -> str:
    if server is None:
        return "your code itself answers, without a model"
    if server.tier == "local":
        return f"{server.name} answers on this machine"
    host = server.spec.url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    return f"{server.name} answers at {host}"


def _why_not(choice: str, places: Places, policy: Policy) -> str:
    """Why what was wanted cannot be, in words that say what to change."""
    meant = [it for it in places.servers if choice in (it.tier, it.name)]
    if not meant:
        if choice in ("local", "cloud"):
            return "no model is set up here" if choice == "local" else "no cloud model is set up"
        return f"no model is called {choice}"
    if any(may_be_asked(it, policy) for it in meant):
        return "it is not ready"
    if policy.cloud_allowed is not True:
        return "your settings do not allow the cloud"
    return "it is not set up in your own settings"
