"""The engine as a process: its dialect over a real socket, and what it does with what it should not get."""

from __future__ import annotations

import json
import socket
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.errors import Refused
from models.wire import ChatMessage, ChatRequest, CompletionRequest, Sampling, Snippet
from tests.models.engine.process import Process, engine, events

pytestmark = pytest.mark.e2e

COMPLETIONS, CHAT = "/v1/completions", "/v1/chat/completions"
HELLO = {"messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture(scope="module")
def process(tiny_model: Path) -> Iterator[Process]:
    """One engine for all tests of this file; it must be well after each of them."""
    with engine(tiny_model, "--threads", "1", "--linger", "0") as it:
        yield it
        assert "Traceback" not in it.log
        assert "bug" not in it.log


@pytest.fixture
def client(process: Process) -> Iterator[httpx.Client]:
    with process.client() as it:
        yield it
        answer = it.post(COMPLETIONS, json={"prompt": "x", "max_tokens": 2})
        assert answer.status_code == 200, "the next request is served"


def test_health_models_and_metrics(client: httpx.Client, process: Process) -> None:
    """What others ask it without waiting for the model."""
    client.post(COMPLETIONS, json={"prompt": "x"})
    health = client.get("/health").json()
    assert (health["state"], health["model"], health["pid"]) == ("ready", "tiny", process.process.pid)
    assert [it["id"] for it in client.get("/v1/models").json()["data"]] == ["tiny", "starter"]
    text = client.get("/metrics").text
    assert "# TYPE hearth_completion_tokens_total counter\n" in text
    assert "\nhearth_ready 1\n" in text


def test_only_the_user_can_open_the_socket(process: Process) -> None:
    """Whatever the umask."""
    assert stat.S_IMODE(process.socket.stat().st_mode) == 0o600


def test_a_whole_completion(client: httpx.Client) -> None:
    """The form that OpenAI's clients know."""
    body = client.post(
        COMPLETIONS, json={"model": "tiny", "prompt": "x = ", "suffix": "\n", "max_tokens": 5, "logprobs": 1}
    ).json()
    choice = body["choices"][0]
    assert body["object"] == "text_completion"
    assert (body["model"], choice["index"]) == ("tiny", 0)
    assert choice["finish_reason"] in ("length", "stop")
    assert len(choice["logprobs"]["token_logprobs"]) == body["usage"]["completion_tokens"]
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


@pytest.mark.parametrize(("path", "body"), [(COMPLETIONS, {"prompt": "x = "}), (CHAT, HELLO)])
def test_a_stream_says_the_same_as_a_whole_answer(
    client: httpx.Client, path: str, body: dict[str, Any]
) -> None:
    """In pieces, with the last one saying how it ended and what it cost."""
    whole = client.post(path, json=body).json()
    parts = events(client.post(path, json=body | {"stream": True}))
    assert parts.pop() == "[DONE]"
    choices = [it["choices"][0] for it in parts]
    if path == CHAT:
        assert {it["object"] for it in parts} == {"chat.completion.chunk"}
        text, expected = [it["delta"]["content"] for it in choices], whole["choices"][0]["message"]["content"]
    else:
        assert {it["object"] for it in parts} == {"text_completion"}
        text, expected = [it["text"] for it in choices], whole["choices"][0]["text"]
    assert "".join(text) == expected
    assert [it["finish_reason"] for it in choices[:-1]] == [None] * (len(choices) - 1)
    assert choices[-1]["finish_reason"] == whole["choices"][0]["finish_reason"]
    assert parts[-1]["usage"]["completion_tokens"] == whole["usage"]["completion_tokens"]
    assert len({(it["id"], it["created"], it["model"]) for it in parts}) == 1


async def test_our_own_client_understands_it(process: Process) -> None:
    """Every field it can send, both ways."""
    backend = process.backend()
    sampling = Sampling(max_tokens=6, stop=("\0",), temperature=0.7, seed=3, logprobs=True)
    request = CompletionRequest(
        model="tiny",
        prompt="def f(",
        suffix=")\n",
        middle="a",
        path="a.py",
        repository="r",
        snippets=(Snippet(path="b.py", text="b"),),
        sampling=sampling,
    )
    pieces = [it async for it in backend.complete(request)]
    usage = pieces[-1].usage
    assert usage
    assert sum(len(it.logprobs) for it in pieces) == usage.completion_tokens
    chat = ChatRequest(model="tiny", messages=(ChatMessage(role="user", content="Hi"),), sampling=sampling)
    assert [it async for it in backend.chat(chat)][-1].finish
    with pytest.raises(Refused, match="No model is called 'none'"):
        await anext(backend.complete(CompletionRequest(model="none", prompt="")))
    await backend.close()


@pytest.mark.parametrize("max_tokens", [0, 1])
def test_hardly_a_token_still_makes_a_whole_stream(client: httpx.Client, max_tokens: int) -> None:
    """A warm-up asks for none."""
    parts = events(client.post(COMPLETIONS, json={"prompt": "x", "max_tokens": max_tokens, "stream": True}))
    assert len(parts) == 2
    assert parts[0]["usage"]["completion_tokens"] == max_tokens


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        (COMPLETIONS, {"prompt": "", "foo": 1}, 400, "The parameter 'foo' is not supported."),
        (COMPLETIONS, {"hearth": {"foo": 1}}, 400, "The parameter 'hearth.foo' is not supported."),
        (COMPLETIONS, {"\ud800": 1}, 400, "The parameter '\ud800' is not supported."),
        (COMPLETIONS, {"n": 4}, 400, "'n' must be a whole number from 1 to 3."),
        (COMPLETIONS, [1], 400, "The request must be a JSON object."),
        (COMPLETIONS, {"prompt": "x" * 9000}, 413, "The prompt has 9000 tokens; tiny takes 2047."),
        (CHAT, {"messages": []}, 400, "'messages' must have at least one message."),
        (
            COMPLETIONS,
            {"model": "none"},
            404,
            "No model is called 'none'; known: starter, or the path of a .gguf file.",
        ),
        (COMPLETIONS, {"model": "/no/x.gguf"}, 404, "There is no model file at /no/x.gguf."),
    ],
)
def test_what_it_does_not_do_is_said(
    client: httpx.Client, path: str, body: Any, status: int, message: str
) -> None:
    """One sentence, streamed or not, in OpenAI's form."""
    bodies = [body, body | {"stream": True}] if isinstance(body, dict) else [body]
    for it in bodies:
        response = client.post(path, content=json.dumps(it))
        assert (response.status_code, response.json()["error"]["message"]) == (status, message)
        assert response.json()["error"]["code"] == status


def test_a_bad_model_file_is_said_and_harms_nobody(
    client: httpx.Client, tiny_model: Path, tmp_path: Path
) -> None:
    """In the answer and in health; the next good request makes it well again."""
    short = tmp_path / "short.gguf"
    short.write_bytes(tiny_model.read_bytes()[:300_000])
    for stream in (False, True):
        answer = client.post(COMPLETIONS, json={"model": str(short), "prompt": "x", "stream": stream})
        sentence = "short.gguf is incomplete: 0.3 of 0.5 MB are there; fetch it again."
        assert (answer.status_code, answer.json()["error"]["message"]) == (422, sentence)
        health = client.get("/health").json()
        assert (health["state"], health["problem"]) == ("failed", sentence)
    client.post(COMPLETIONS, json={"prompt": "x"})
    assert client.get("/health").json()["state"] == "ready"


STRANGE_NAMES = ("\0", "~nobody-at-all/x", "a" * 5000, "a/" * 3000, "\ud800", "/proc/self/mem/x")


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_strange_names_of_models(client: httpx.Client, name: str) -> None:
    """None of them is found, none of them breaks anything."""
    response = client.post(COMPLETIONS, content=json.dumps({"model": name}))
    assert response.status_code == 404
    assert len(response.json()["error"]["message"]) < 300


DEEP = b"[" * 100_000
NO_JSON = (b"", b"{", b"\xff\xfe", DEEP, b'{"prompt":' + DEEP, b"null", b'{"seed":' + b"9" * 9999 + b"}")


@pytest.mark.parametrize("content", NO_JSON)
def test_what_is_no_json(client: httpx.Client, content: bytes) -> None:
    """Also when it is nested more deeply than any parser goes."""
    response = client.post(COMPLETIONS, content=content)
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith("The request ")


def test_a_body_of_any_size(client: httpx.Client) -> None:
    """Large ones are cut to what is near the cursor, absurd ones are refused."""
    prompt = "x = 1\n" * 200_000
    answer = client.post(COMPLETIONS, json={"prompt": prompt, "suffix": prompt, "max_tokens": 1})
    assert answer.json()["usage"]["prompt_tokens"] < 2048
    try:
        refused = client.post(COMPLETIONS, json={"prompt": prompt * 4})
    except httpx.TransportError:
        return  # It was refused before it was sent.
    assert refused.json()["error"]["message"] == "The request is larger than 4 MB."


def test_paths_and_methods_that_do_not_exist(client: httpx.Client) -> None:
    """JSON as everywhere."""
    assert (client.get("/").status_code, client.get("/").json()["error"]["code"]) == (404, 404)
    assert client.get(COMPLETIONS).status_code == 405
    assert client.post("/health").json()["error"]["message"] == "Method Not Allowed."


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n\r\n",
        b"GET /health\0 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{",
        b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000,
        bytes(5000),
    ],
)
def test_what_is_no_http(client: httpx.Client, process: Process, data: bytes) -> None:
    """The connection ends; the others do not notice."""
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(process.socket))
        try:
            raw.sendall(data)
            raw.shutdown(socket.SHUT_WR)
            answer = raw.recv(1000)
        except ConnectionError:
            answer = b""
    assert b" 200 " not in answer


def start_long(process: Process) -> socket.socket:
    """A stream of a thousand tokens that has begun."""
    body = json.dumps(
        {"prompt": "x = ", "max_tokens": 1500, "stream": True, "temperature": 9.0, "top_k": 0, "seed": 5}
    ).encode()
    raw = socket.socket(socket.AF_UNIX)
    raw.connect(str(process.socket))
    head = f"POST {COMPLETIONS} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    raw.sendall(head.encode() + body)
    assert raw.recv(20).startswith(b"HTTP/1.1 200")
    return raw


async def test_closing_a_stream_stops_the_work(process: Process) -> None:
    """The answer that nobody reads is not computed to its end."""
    cancelled = process.metric("cancelled_total")
    sampling = Sampling(max_tokens=1500, temperature=9.0, seed=5, top_k=0)
    request = CompletionRequest(model="tiny", prompt="x = ", sampling=sampling, priority="background")
    backend = process.backend()
    async with aclosing(backend.complete(request)) as pieces:
        await anext(pieces)
    await backend.close()
    process.wait_for(lambda: process.metric("cancelled_total"), cancelled + 1)


def test_closing_a_connection_in_a_prefill_stops_the_work(process: Process, client: httpx.Client) -> None:
    """Many at once, whole and streamed: all but those that were done already are dropped."""
    finished = process.finished()
    for number in range(8):
        prompt = f"# {number}\n" + "x = 1\n" * 330
        body = json.dumps({"prompt": prompt, "max_tokens": 900, "stream": number % 2 == 0}).encode()
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(str(process.socket))
            head = f"POST {COMPLETIONS} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
            raw.sendall(head.encode() + body)
    assert client.post(COMPLETIONS, json={"prompt": "y", "max_tokens": 1}).status_code == 200
    process.wait_for(process.finished, finished + 9)


def test_a_slow_reader_holds_up_nobody(process: Process, client: httpx.Client) -> None:
    """Its answer waits in its own queue."""
    slow = start_long(process)
    for _ in range(3):
        assert client.post(COMPLETIONS, json={"prompt": "y = ", "max_tokens": 4}).status_code == 200
    slow.close()


TIE = 1e-2
"""Log-probabilities as near as this are the same: in another batch, sums are rounded differently."""
Told = list[tuple[str, list[float]]]
"""The pieces of an answer, each with the log-probabilities of its tokens."""


def same_but_for_ties(one: Told, other: Told) -> bool:
    """Whether two answers are one, up to where two tokens were as likely as each other and others were taken.

    There, too, what was taken has to be as likely in both.
    """
    texts = ["".join(text for text, _ in it) for it in (one, other)]
    sure = [[it for _, them in told for it in them] for told in (one, other)]
    differs = (at for at, (a, b) in enumerate(zip(*texts, strict=False)) if a != b)
    shared, count, length = next(differs, min(map(len, texts))), 0, 0
    for text, them in one:
        length += len(text)
        if shared < length:
            break
        count += len(them)
    if texts[0] == texts[1]:
        return sure[0] == pytest.approx(sure[1], abs=TIE)
    return sure[0][: count + 1] == pytest.approx(sure[1][: count + 1], abs=TIE)


def test_twenty_clients_at_once(process: Process) -> None:
    """Every one of them gets the answer it would get alone."""
    prompts = [f"value_{it % 5} = " for it in range(20)]

    def ask(prompt: str) -> Told:
        with process.client() as client:
            body = {"prompt": prompt, "max_tokens": 12, "stream": True, "logprobs": 1}
            choices = [it["choices"][0] for it in events(client.post(COMPLETIONS, json=body))[:-1]]
        return [(it["text"], it["logprobs"]["token_logprobs"]) for it in choices]

    alone = {it: ask(it) for it in prompts[:5]}
    assert not same_but_for_ties(alone[prompts[0]], alone[prompts[1]]), "other prompts, other answers"
    with ThreadPoolExecutor(20) as pool:
        for prompt, told in zip(prompts, pool.map(ask, prompts), strict=True):
            assert same_but_for_ties(alone[prompt], told), prompt


def test_what_is_taken_for_a_tie() -> None:
    """Only a token as likely as the other one; what comes behind it is another answer."""
    told: Told = [("a", [-1.0]), ("b", [-2.0]), ("c", [-3.0])]
    assert same_but_for_ties(told, [("a", [-1.0]), ("x", [-2.0004]), ("y", [-9.0])])
    assert not same_but_for_ties(told, [("a", [-1.0]), ("x", [-2.1]), ("y", [-9.0])])
    assert not same_but_for_ties(told, [("a", [-1.0]), ("b", [-2.0]), ("c", [-3.1])])
    assert not same_but_for_ties(told, [("x", [-1.1]), ("b", [-2.0]), ("c", [-3.0])])
    assert not same_but_for_ties(told, told[:2])


def test_events_tell_of_every_change(process: Process) -> None:
    """At once when asked, then with each change."""
    seen: list[dict[str, Any]] = []
    asking = threading.Thread(target=ask_once, args=(process,))
    with process.client() as client, client.stream("GET", "/hearth/events") as response:
        for line in response.iter_lines():
            if line:
                seen.append(json.loads(line.removeprefix("data: ")))
            if len(seen) == 1 and line:
                asking.start()
            if len(seen) == 2:
                break
    asking.join()
    assert [it["clients"] for it in seen] == [1, 1]
    assert seen[0]["state"] in ("idle", "ready")


def ask_once(process: Process) -> None:
    with process.client() as client:
        client.post(COMPLETIONS, json={"prompt": "x = ", "max_tokens": 9, "temperature": 1.0})
