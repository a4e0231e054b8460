"""From the user's own settings to who may answer: the machine's own servers, the cloud, and what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from chat.router import Policy, Request, decide
from chat.types import Task
from lsp_server.resolve_chat import places, policy
from lsp_server.settings import resolve
from lsp_server.settings_cloud import KINDS, TASKS, CloudSettings
from models.providers import PROVIDERS
from models.spec import BackendSpec, Prices

ENGINE = BackendSpec(model="", socket=Path("/run/engine.sock"), name="the engine")


def test_every_kind_of_server_can_be_chosen() -> None:
    """The settings and the table of servers name the same ones; so do the tasks of chat."""
    assert set(KINDS) == set(PROVIDERS)
    assert set(TASKS) == set(get_args(Task))


def test_a_fresh_install_has_no_place_and_no_permission() -> None:
    """Nothing set up: answers come from the code itself."""
    settings, _ = resolve()
    assert isinstance(settings, CloudSettings)
    assert places(settings, ENGINE)[0].servers == ()
    assert policy(settings) == Policy()


def test_a_model_of_ones_own_and_a_service() -> None:
    """Both are the user's own, and the price goes along."""
    raw = {
        "chat": {"model": "/models/coder.gguf", "prefer": "cloud", "tasks": {"review": "local"}},
        "cloud": {"allowed": True, "provider": "anthropic", "model": "large", "priceIn": 3, "priceOut": 15},
    }
    settings, problems = resolve(raw)
    there, more = places(settings, ENGINE)
    assert [*problems, *more] == []
    assert [(it.tier, it.is_own) for it in there.servers] == [("local", True), ("cloud", True)]
    assert there.servers[0].name == "coder"
    assert there.servers[1].spec.prices == Prices(input=3.0, output=15.0, currency="USD")
    rules = policy(settings)
    assert decide(Request(task="ask", tokens_in=5), there, rules).tier == "cloud"
    assert decide(Request(task="review", tokens_in=5), there, rules).tier == "local"


@pytest.mark.parametrize(
    ("raw", "tier"),
    [
        ({"provider": "ollama", "model": "coder"}, "local"),
        ({"provider": "vllm", "model": "coder", "url": "http://127.0.0.2:9000/v1"}, "local"),
        ({"provider": "vllm", "model": "coder", "url": "http://10.0.0.5:8000"}, "cloud"),
        ({"provider": "ollama", "model": "coder", "url": "http://localhost.example.net"}, "cloud"),
        ({"provider": "openai", "model": "coder"}, "cloud"),
    ],
)
def test_another_machine_is_the_cloud_wherever_it_is_set_up(raw: dict[str, str], tier: str) -> None:
    """What leaves this machine needs permission, under whatever heading it stands."""
    there, problems = places(resolve({"chat": raw})[0])
    assert problems == []
    assert [it.tier for it in there.servers] == [tier]
    decided = decide(Request(task="ask", tokens_in=5), there, policy(resolve({"chat": raw})[0]))
    assert decided.tier == ("local" if tier == "local" else "extractive")


def test_an_address_that_cannot_be_used_is_a_sentence() -> None:
    """One wrong place does not take the other one along."""
    raw = {
        "chat": {"provider": "ollama", "model": "m", "url": "file:///etc"},
        "cloud": {"provider": "openai", "model": "m"},
    }
    there, problems = places(resolve(raw)[0])
    assert [it.tier for it in there.servers] == ["cloud"]
    assert len(problems) == 1
    assert problems[0].endswith(".")


def test_a_key_is_named_and_never_held() -> None:
    """Where it is looked for, by the name of a variable."""
    service = {
        "provider": "compatible",
        "model": "m",
        "url": "https://llm.example.org",
        "keyVariable": "MY_KEY",
    }
    raw = {"cloud": service}
    server = places(resolve(raw)[0])[0].servers[0]
    assert server.spec.key is not None
    assert (server.spec.key.variable, server.spec.key.required) == ("MY_KEY", True)
