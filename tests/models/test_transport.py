"""TLS, certificates and proxies, over real sockets; and that a key needs encryption to leave the machine."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from models import transport
from models.client import Client, open_client
from models.errors import NoKey, Unreachable
from models.spec import BackendSpec, KeySource
from models.wire import Piece
from tests.models.loopback import shapes
from tests.models.loopback.asking import (
    ASKED,
    KEY,
    KEYED,
    LIMITS,
    ONCE,
    VARIABLE,
    Pauses,
    client,
    local_spec,
    pieces,
    text,
)
from tests.models.loopback.proxy import proxying
from tests.models.loopback.server import begins, event, plain, serving
from tests.models.loopback.tls import CLOUD, certificate

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
FAR = BackendSpec(model="m", url=f"https://{CLOUD}/v1", name="the cloud", dialect="openai", key=KEYED)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls(signed: tuple[Path, ssl.SSLContext]) -> ssl.SSLContext:
    """The server's side of a connection that nobody trusts yet."""
    return signed[1]


@pytest.fixture
def trusted(signed: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch) -> None:
    """Who signed the server's certificate is known, as a company's own authority is."""
    monkeypatch.setenv("SSL_CERT_FILE", str(signed[0]))


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No proxy but the test's own, and certificates read anew."""
    monkeypatch.setenv(VARIABLE, KEY)
    for name in (*PROXIES, *(it.lower() for it in PROXIES)):
        monkeypatch.delenv(name, raising=False)
    transport._tls.cache_clear()
    yield
    transport._tls.cache_clear()


def cloud(spec: BackendSpec = FAR) -> Client:
    return open_client(spec, cloud_allowed=True, limits=LIMITS, patience=ONCE)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(("provider", "answer"), [("openai", shapes.OPENAI), ("anthropic", shapes.ANTHROPIC)])
async def test_an_encrypted_connection(provider: str, answer: bytes, tls: ssl.SSLContext) -> None:
    """The same dialects, the same connection for the second question."""
    async with serving(answer, answer, tls=tls) as server:
        it = client(provider, server.url)
        assert "".join([piece.text async for piece in it.chat(ASKED)]) == "Because."
        assert await text(it) == "Because."
        assert server.connections == 1


@pytest.mark.usefixtures("trusted")
async def test_closing_the_answer_hangs_up(tls: ssl.SSLContext) -> None:
    """Also through TLS, where the pool is httpx's."""
    async with serving(begins(event(shapes.delta("Be"))), tls=tls) as server:
        it = client("openai", server.url)
        answer = it.chat(ASKED)
        assert await anext(answer) == Piece(text="Be")
        await answer.aclose()
        await server.hung_up.wait()
        await it.close()


@pytest.mark.usefixtures("trusted")
async def test_cancelling_the_task_hangs_up(tls: ssl.SSLContext) -> None:
    """Also while the server still thinks about the first word."""
    asked = asyncio.Event()

    async def thinking(_writer: asyncio.StreamWriter) -> None:
        asked.set()

    async with serving(thinking, shapes.OPENAI, tls=tls) as server:
        it = client("openai", server.url)
        asking = asyncio.ensure_future(anext(it.chat(ASKED)))
        await asked.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await server.hung_up.wait()
        assert await text(it) == "Because.", "the next question is not harmed"


async def test_a_certificate_that_nobody_knows(tls: ssl.SSLContext) -> None:
    """Whoever sits in between learns nothing; and it does not pass by itself."""
    pauses = Pauses()
    async with serving(shapes.OPENAI, tls=tls) as server:
        with pytest.raises(
            Unreachable, match=r"^The certificate of openai cannot be trusted; .* SSL_CERT_FILE"
        ):
            await pieces(client("openai", server.url, patience=pauses.patience))
        assert server.requests == []
        assert pauses.seconds == []


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
async def test_the_environments_proxy_is_used(
    variable: str, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sees the host and not the key, nor the question."""
    async with serving(shapes.OPENAI, tls=tls) as server, proxying(server.port) as proxy:
        monkeypatch.setenv(variable, proxy.url)
        assert await text(cloud()) == "Because."
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert [it.split("\r\n")[0] for it in proxy.heads] == [f"CONNECT {CLOUD}:443 HTTP/1.1"]
    assert KEY not in proxy.heads[0]


@pytest.mark.usefixtures("trusted")
async def test_a_proxy_that_refuses(tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the proxy, not the cloud; its password is not repeated."""
    async with (
        serving(tls=tls) as server,
        proxying(server.port, "407 Proxy Authentication Required") as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//me:s3cret@"))
        with pytest.raises(
            Unreachable, match="The proxy that the environment names does not lead to the cloud"
        ):
            await pieces(cloud())


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "nonsense://127.0.0.1:9", "http://me:s3cret@[::1"])
async def test_a_proxy_that_cannot_be_used(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence, and no way around it."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(Unreachable, match="not one of http or https") as caught:
        await pieces(cloud())
    assert "s3cret" not in str(caught.value)


@pytest.mark.usefixtures("trusted")
async def test_this_machine_needs_no_proxy(tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stays here is not handed to a third."""
    for name in PROXIES[:3]:
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with serving(shapes.OPENAI, tls=tls) as server:
        assert await text(client("openai", server.url)) == "Because."
    async with serving(shapes.OLLAMA) as server:
        assert await text(client("ollama", server.url)) == "Because."


def test_hosts_that_the_environment_excludes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A company's own model server is reached directly."""
    monkeypatch.setenv("HTTPS_PROXY", "proxy.test:3128")
    url = httpx.URL(FAR.url)
    assert transport._proxy(url) == "http://proxy.test:3128"
    monkeypatch.setenv("NO_PROXY", "other.test, .cloud.test")
    assert transport._proxy(url) is None


@pytest.mark.usefixtures("trusted")
async def test_a_redirect_is_not_followed_with_the_key(tls: ssl.SSLContext) -> None:
    """The other host sees no connection at all."""
    async with serving(shapes.OPENAI, tls=tls) as other:
        moved = plain(308, b"", location=f"{other.url}/v1/chat/completions")
        async with serving(moved, tls=tls) as server:
            with pytest.raises(Exception, match="points to another address, which is not followed"):
                await pieces(client("openai", server.url))
        assert other.connections == 0


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
async def test_a_key_is_not_sent_in_the_clear(dialect: str) -> None:
    """Not even to a machine in the same room; nothing is sent at all."""
    spec = replace(FAR, url="http://192.0.2.1", dialect=dialect)  # type: ignore[arg-type] # a parameter is a str
    with pytest.raises(
        NoKey, match=r"^A key is not sent to the cloud without encryption; its address needs https\.$"
    ):
        await pieces(cloud(spec))


async def test_without_a_key_plain_http_is_the_users_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server in one's own network; the test's guard says which address was asked for."""
    monkeypatch.delenv(VARIABLE)
    spec = replace(FAR, url="http://192.0.2.1", key=KeySource(variable=VARIABLE, required=False))
    with pytest.raises((PermissionError, Unreachable), match=r"192\.0\.2\.1"):
        await pieces(cloud(spec))


async def test_a_key_may_stay_on_this_machine() -> None:
    """A gateway here may want one."""
    async with serving(shapes.OPENAI) as server:
        await pieces(open_client(local_spec("openai", server.url), limits=LIMITS, patience=ONCE))
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
