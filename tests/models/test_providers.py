"""The table of servers, what a user's choice becomes, and which address is this machine."""

from __future__ import annotations

import re

import pytest

from models.client import open_client
from models.errors import Refused
from models.exchange import LOCAL, REMOTE, limits_of
from models.providers import PROVIDERS, THINKING, backend_spec, checked_url
from models.spec import BackendSpec, KeySource, Prices
from tests.models.loopback.asking import LIMITS

CLOUDS = {"openai", "anthropic", "zhipu"}


@pytest.mark.parametrize("provider", sorted(set(PROVIDERS) - {"hearth", "compatible"}))
def test_each_row_is_a_server(provider: str) -> None:
    """What needs a key is far away and encrypted; what is near needs none."""
    spec = backend_spec(provider, "m")
    assert spec.is_local == (provider not in CLOUDS)
    assert spec.name == PROVIDERS[provider].title
    assert checked_url(spec.url) == spec.url
    if provider in CLOUDS:
        assert spec.url.startswith("https://")
        variable = PROVIDERS[provider].variable
        assert spec.key == KeySource(variable=variable, service="hearth", account=provider)
    else:
        assert spec.key is None or not spec.key.required


def test_the_user_may_say_everything() -> None:
    """What the user says goes before what the row knows."""
    key, prices = KeySource(variable="MINE"), Prices(input=1.0, output=2.0)
    assert backend_spec(
        "compatible",
        "m",
        url="https://llm.example/v1/",
        name="work",
        key=key,
        context_tokens=7,
        prices=prices,
    ) == BackendSpec(
        model="m",
        url="https://llm.example/v1",
        name="work",
        dialect="openai",
        key=key,
        context_tokens=7,
        prices=prices,
    )


@pytest.mark.parametrize("provider", sorted(CLOUDS))
@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/v1",
        "https://api.openai.com.elsewhere.example/v1",
        "https://api.openai.com:8443/v1",
        "http://api.openai.com/v1",
        "http://127.0.0.1:4000",
    ],
)
def test_a_providers_key_goes_to_its_own_host(provider: str, url: str) -> None:
    """For another one the user has to name the key."""
    assert backend_spec(provider, "m", url=url).key is None
    named = KeySource(variable="MINE")
    assert backend_spec(provider, "m", url=url, variable="MINE").key == named
    assert backend_spec(provider, "m", url=url, key=named).key == named


def test_another_path_of_its_own_host_keeps_the_key() -> None:
    """A gateway of the same provider."""
    spec = backend_spec("zhipu", "m", url="https://open.bigmodel.cn/api/coding/paas/v4")
    assert spec.key == KeySource(variable="ZHIPUAI_API_KEY", service="hearth", account="zhipu")


@pytest.mark.parametrize(
    ("provider", "url", "sentence"),
    [
        (
            "nobody",
            "",
            "No kind of model server is called 'nobody'; known: anthropic, compatible, llama-server,",
        ),
        ("hearth", "", "No kind of model server is called 'hearth'"),
        ("x" * 500, "", "called 'xxx"),
        ("compatible", "", "unlike nothing."),
        ("compatible", "llm.example", "unlike 'llm.example'."),
        ("compatible", "ftp://llm.example", "begins with http"),
        ("compatible", "http://a b", "begins with http"),
        ("compatible", "http://exa\nmple", "begins with http"),
        ("compatible", "https://llm.example\\@evil.example", "no name and password"),
        ("compatible", "http://", "begins with http"),
        ("compatible", "http://[::1", "begins with http"),
    ],
)
def test_a_wrong_choice_is_one_sentence(provider: str, url: str, sentence: str) -> None:
    """It names what is wrong, and is no page."""
    with pytest.raises(Refused, match=re.escape(sentence)) as caught:
        backend_spec(provider, "m", url=url)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("url", ["https://me:s3cret@llm.example/v1", "http://s3cret@127.0.0.1"])
def test_a_password_in_an_address_is_not_repeated(url: str) -> None:
    """It is refused, and does not end up in a log."""
    with pytest.raises(Refused) as caught:
        backend_spec("compatible", "m", url=url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1",
        "http://127.0.0.1:11434/v1",
        "https://127.255.255.254/",
        "http://localhost:8080",
        "HTTP://LocalHost",
        "http://[::1]:8080/v1",
        "http://127.0.0.1/@elsewhere.example",
    ],
)
def test_this_machine(url: str) -> None:
    """The loopback addresses, as they are written."""
    assert BackendSpec(model="m", url=url).is_local


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://engine",
        "http://192.168.0.7:8000",
        "http://10.0.0.1",
        "http://0.0.0.0:8000",
        "http://[::]",
        "http://[::ffff:127.0.0.1]",
        "http://[::1%25eth0]",
        "http://127.0.0.1.elsewhere.example",
        "http://127.0.0.1@elsewhere.example",
        "http://127.0.0.1:80@elsewhere.example/",
        "http://localhost@elsewhere.example",
        "http://127.0.0.1\\@elsewhere.example",
        "http://127.0.0.1#@elsewhere.example",
        "http://127.0.0.1?@elsewhere.example",
        "http://localhost.elsewhere.example",
        "http://localhost.",
        "http://127.1",
        "http://127.0.0.256",
        "http://127.0.0.01",
        "http://0177.0.0.1",
        "http://2130706433",
        "http://127.0.0.1\n",
        " http://127.0.0.1",
        "http://１27.0.0.1",
        "http://127.0.0.1/\u200b",
        "http://localho\u017ft",
        "ftp://127.0.0.1",
        "http:127.0.0.1",
        "https://api.openai.com/v1",
    ],
)
def test_everything_else_is_elsewhere(url: str) -> None:
    """In doubt it needs the user's permission, and a name is never looked up to decide."""
    spec = BackendSpec(model="m", url=url, dialect="openai")
    assert not spec.is_local
    for allowed in (False, 1, "true", None):
        with pytest.raises(Refused, match="not on this machine, and your settings do not allow the cloud"):
            open_client(spec, cloud_allowed=allowed)  # type: ignore[arg-type] # what a settings file may hold


async def test_the_cloud_is_opened_with_permission_alone() -> None:
    """And nothing is sent by opening it."""
    for provider in sorted(CLOUDS):
        it = open_client(backend_spec(provider, "m"), cloud_allowed=True, limits=LIMITS)
        assert 1 <= it.count("a question") <= 10
        await it.close()


def test_what_is_near_may_take_its_time() -> None:
    """A laptop reads a long prompt for minutes; a cloud that is silent for so long is gone."""
    near, far = limits_of(backend_spec("ollama", "m")), limits_of(backend_spec("openai", "m"))
    assert (near, far) == (LOCAL, REMOTE)
    assert limits_of(BackendSpec(model="m")).first_s is None, "the engine says by itself how it is"


@pytest.mark.parametrize(
    "model", ["o1", "o3-mini", "o4-mini-2025-04-16", "gpt-5", "gpt-5.2", "gpt-10", "gpt-5-codex"]
)
def test_models_that_think(model: str) -> None:
    """They choose their own temperature."""
    assert re.match(THINKING, model)


@pytest.mark.parametrize(
    "model", ["gpt-4o", "gpt-4.1-mini", "gpt-3.5-turbo", "omni", "gpt-5-chat-latest", "my-gpt-5"]
)
def test_models_that_do_not(model: str) -> None:
    """They are told one."""
    assert not re.match(THINKING, model)
