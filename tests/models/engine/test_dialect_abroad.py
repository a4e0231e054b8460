"""Our own engine as any other server of the dialect: a real process, asked without anything of ours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import pytest

from models.client import Client, open_client
from models.errors import NoKey, Refused
from models.providers import backend_spec
from models.spec import BackendSpec, KeySource
from models.wire import ChatMessage, ChatRequest, Piece, Sampling
from tests.models.engine.process import PATIENCE_S, ROOT, command, engine

pytestmark = pytest.mark.e2e

VARIABLE = "A_TEST_KEY"
HELLO = ChatRequest(
    model="",
    messages=(ChatMessage(role="system", content="s"), ChatMessage(role="user", content="Hello")),
    sampling=Sampling(max_tokens=6),
)


async def answer(client: Client, request: ChatRequest = HELLO) -> list[Piece]:
    """The whole answer; the client is closed."""
    try:
        return [it async for it in client.chat(request)]
    finally:
        await client.close()


async def test_it_answers_as_others_do(tiny_model: Path) -> None:
    """The same text and the same counts, whether it is asked in its own dialect or in everybody's."""
    with engine(tiny_model, "--threads", "1", "--linger", "0") as process:
        ours = BackendSpec(model="tiny", socket=process.socket)
        everybodys = BackendSpec(model="tiny", socket=process.socket, dialect="openai", name="a server")
        said = [await answer(open_client(it)) for it in (ours, everybodys)]
        texts = ["".join(it.text for it in pieces) for pieces in said]
        assert texts[0] == texts[1] != ""
        ends = [pieces[-1] for pieces in said]
        assert [it.finish for it in ends] == ["length", "length"]
        assert [it.usage and (it.usage.prompt_tokens, it.usage.completion_tokens) for it in ends] == [
            (ends[0].usage and ends[0].usage.prompt_tokens, 6)
        ] * 2
        client = open_client(everybodys)
        assert await client.models() == ("tiny", "starter")
        await client.close()


async def test_the_bundled_model_says_that_it_does_not_chat() -> None:
    """It completes code; a conversation is refused in one sentence, in both dialects."""
    with engine("starter", "--threads", "1", "--linger", "0") as process:
        ours = BackendSpec(model="starter", socket=process.socket)
        with pytest.raises(
            Refused, match=r"^starter is not made for chat: its file carries no chat template\.$"
        ):
            await answer(open_client(ours))
        everybodys = BackendSpec(model="starter", socket=process.socket, dialect="openai", name="a server")
        with pytest.raises(
            Refused, match=r"^A server refused the request with 400 \(starter is not made for chat"
        ):
            await answer(open_client(everybodys))


@pytest.fixture
def with_a_token(tiny_model: Path, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The address and the token of an engine on a port, as there is one where there are no Unix sockets."""
    token, port = tmp_path / "token", tmp_path / "port"
    files = ("--token-file", token, "--port-file", port, "--lock", tmp_path / "lock")
    wanted = command("--model", tiny_model, "--port", "0", "--threads", "1", "--linger", "0", *files)
    with (tmp_path / "log").open("w") as log, Popen(wanted, stdout=log, stderr=log, cwd=ROOT) as process:
        end = time.monotonic() + PATIENCE_S
        while not port.exists() or not port.read_text():
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < end
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port.read_text()}", token.read_text().strip()
        process.kill()


async def test_over_a_port_with_a_key(with_a_token: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A server on this machine that wants a key: without it, with a wrong one, with the right one."""
    url, token = with_a_token
    key = KeySource(variable=VARIABLE, required=False)
    spec = backend_spec("compatible", "tiny", url=url, name="mine", key=key)
    with pytest.raises(NoKey, match="Mine wants a key, and there is none"):
        await answer(open_client(spec))
    monkeypatch.setenv(VARIABLE, "wrong")
    with pytest.raises(NoKey, match=f"Mine does not accept the key from {VARIABLE}"):
        await answer(open_client(spec))
    monkeypatch.setenv(VARIABLE, token)
    assert (await answer(open_client(spec)))[-1].finish == "length"
