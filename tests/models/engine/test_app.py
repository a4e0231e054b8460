"""The routes without a socket: what must not wait, what must not be lost."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from models import registry
from models.engine import app
from models.engine.lifetime import Lifetime
from models.spec import ModelSpec
from tests.models.engine.driver import Driver, working

COMPLETIONS = "/v1/completions"


@asynccontextmanager
async def served(model: Path) -> AsyncIterator[tuple[Driver, Starlette, httpx.AsyncClient]]:
    """The application of a real worker, and a client without a socket."""
    with working(model) as driver:
        lifetime = Lifetime(driver.worker.health, 0.0, lambda: None)
        application = app.build(driver.worker, lifetime, driver.spec, None)
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://engine") as client:
            yield driver, application, client


async def test_a_disk_that_sleeps_stops_nobody_else(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking for a file may take seconds; health is answered meanwhile."""
    awake = threading.Event()

    def find(_: str) -> ModelSpec:
        assert awake.wait(60)
        return ModelSpec(name="late", path=tiny_model, title="")

    monkeypatch.setattr(registry, "find", find)
    async with served(tiny_model) as (_, _, client):
        late = asyncio.create_task(client.post(COMPLETIONS, json={"model": "late"}))
        assert (await client.get("/health")).status_code == 200
        assert (await client.post(COMPLETIONS, json={"model": "tiny"})).status_code == 200
        assert not late.done()
        awake.set()
        assert (await late).json()["model"] == "late"


async def test_a_bug_in_a_route_is_json_without_details(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The traceback is for the log."""
    async with served(tiny_model) as (driver, _, client):
        monkeypatch.setattr(driver.worker, "submit", lambda _: 1 / 0)
        answer = await client.post(COMPLETIONS, json={"prompt": "secret"})
    assert answer.status_code == 500
    assert answer.json()["error"]["message"] == "The engine met a problem; its log says more."


async def test_a_bug_in_the_model_is_json_without_details(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole and streamed alike."""
    monkeypatch.setattr("models.engine.speech.choose", lambda *_: 1 / 0)
    async with served(tiny_model) as (_, _, client):
        for stream in (False, True):
            answer = await client.post(COMPLETIONS, json={"prompt": "secret", "stream": stream})
            assert (answer.status_code, "secret" in answer.text) == (500, False)


async def test_a_stream_that_never_starts_is_cancelled(tiny_model: Path) -> None:
    """The client left while its first token was computed: nobody would end the job but us."""
    async with served(tiny_model) as (driver, application, _):
        body = json.dumps({"prompt": "x = ", "max_tokens": 1500, "stream": True, "temperature": 9, "seed": 5})
        asked = [{"type": "http.request", "body": body.encode(), "more_body": False}]

        async def receive() -> dict[str, Any]:
            if asked:
                return asked.pop()
            await asyncio.Event().wait()
            raise AssertionError

        async def send(_: object) -> None:
            raise OSError("gone")

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "path": COMPLETIONS,
            "raw_path": COMPLETIONS.encode(),
            "query_string": b"",
            "headers": [],
        }
        with pytest.raises(BaseException):  # noqa: B017, PT011 - whatever the server makes of it
            await application(scope, receive, send)
        after = await asyncio.to_thread(driver.ask("y").wait)
        assert after.error is None
        assert driver.worker.metrics.cancelled == 1


@pytest.fixture
def latin_model(tiny_model: Path, tmp_path: Path) -> Path:
    """A file whose name is Latin-1."""
    return Path(shutil.copy(tiny_model, tmp_path / "caf\udce9.gguf"))


async def test_a_name_without_utf8_is_still_said(latin_model: Path) -> None:
    """File names are bytes; health must not fail for one."""
    async with served(latin_model) as (_, _, client):
        answer = await client.post(COMPLETIONS, json={"prompt": "x", "max_tokens": 1})
        assert answer.json()["model"] == "caf\udce9"
        assert (await client.get("/health")).json()["model"] == "caf\udce9"


@pytest.mark.parametrize("stream", [False, True])
async def test_several_choices_over_http(tiny_model: Path, stream: bool) -> None:
    """Each has its index and its end; a stream ends after the last of them."""
    body = {"prompt": "x = ", "n": 3, "max_tokens": 4, "stream": stream, "logprobs": 1}
    async with served(tiny_model) as (_, _, client):
        answer = await client.post(COMPLETIONS, json=body)
    if not stream:
        choices = answer.json()["choices"]
        assert [it["index"] for it in choices] == [0, 1, 2]
        assert len({it["text"] for it in choices}) == 3
        assert {len(it["logprobs"]["token_logprobs"]) for it in choices} == {4}
        return
    *events, done, _ = answer.text.split("\n\n")
    assert done == "data: [DONE]"
    ends = [it["choices"][0] for it in (json.loads(it[6:]) for it in events)]
    assert sorted(it["index"] for it in ends if it["finish_reason"]) == [0, 1, 2]
