"""llama.cpp's own server as llama.vim drives it: `/infill` with the typed line between prefix and suffix.

Needs a `llama-server` binary. llama-cpp-python has a server module of the same purpose, but it is another
program: it has no `/infill`.
"""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.keystrokes.measured import Sample
from benchmarks.keystrokes.ways import Setup, Way
from models.engine.worker import default_threads

# The defaults of llama.vim.
PREFIX_LINES = 256
SUFFIX_LINES = 64
MAX_PROMPT_MS = 500
MAX_PREDICT_MS = 1000
OPTIONS = ("-ub", "1024", "-b", "1024", "--cache-reuse", "256")
START_SECONDS = 120.0


class LlamaServer(Way):
    """One `llama-server` process."""

    name = "llama-server /infill"

    def __init__(self, setup: Setup, binary: Path) -> None:
        super().__init__(setup)
        self._binary = binary
        self._process: asyncio.subprocess.Process
        self._http: httpx.AsyncClient

    async def start(self) -> None:
        """Start it and wait for the model."""
        port = _free_port()
        self._process = await asyncio.create_subprocess_exec(
            *(str(self._binary), "-m", str(self.setup.model), "--host", "127.0.0.1", "--port", str(port)),
            *("-c", str(self.setup.context), "-t", str(self.setup.threads or default_threads()), *OPTIONS),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self.processes["llama-server"] = psutil.Process(self._process.pid)
        self._http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=120.0, trust_env=False)
        limit = time.monotonic() + START_SECONDS
        while not await self._is_ready():
            if limit < time.monotonic() or self._process.returncode is not None:
                raise RuntimeError(f"{self._binary} does not answer.")
            await asyncio.sleep(0.1)

    async def answer(self, cursor: int) -> Sample | None:
        """One request as the plugin sends it."""
        body = infill(self.text, cursor, self.setup.tokens)
        started = time.perf_counter()
        said = (await self._http.post("/infill", json=body)).raise_for_status().json()
        ms = (time.perf_counter() - started) * 1000
        times = said.get("timings") or {}
        return Sample(
            ms=ms,
            source="peer",
            shown=bool(str(said.get("content", "")).strip()),
            first_ms=float(times["prompt_ms"]) if "prompt_ms" in times else None,
            new=int(times["prompt_n"]) if "prompt_n" in times else None,
            produced=int(times["predicted_n"]) if "predicted_n" in times else None,
        )

    async def close(self) -> None:
        """End it."""
        await self._http.aclose()
        self._process.terminate()
        await self._process.wait()

    async def _is_ready(self) -> bool:
        try:
            return (await self._http.get("/health")).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


def infill(text: str, cursor: int, tokens: int) -> dict[str, Any]:
    """The body of a request: whole lines before, the typed part of the line, the rest and lines after."""
    line = text.rfind("\n", 0, cursor) + 1
    above = text[:line].split("\n")[:-1][-PREFIX_LINES:]
    rest, *below = text[cursor:].split("\n")
    typed = text[line:cursor]
    return {
        "input_prefix": "".join(it + "\n" for it in above),
        "input_suffix": "\n".join([rest, *below[:SUFFIX_LINES]]) + "\n",
        "input_extra": [],
        "prompt": typed,
        "n_predict": tokens,
        "n_indent": len(typed) - len(typed.lstrip()),
        "stop": [],
        "top_k": 40,
        "top_p": 0.90,
        "samplers": ["top_k", "top_p", "infill"],
        "stream": False,
        "cache_prompt": True,
        "t_max_prompt_ms": MAX_PROMPT_MS,
        "t_max_predict_ms": MAX_PREDICT_MS,
    }


def _free_port() -> int:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return int(it.getsockname()[1])
