"""Measure what the engine adds to llama.cpp: speed with and without it, memory, how fast a cancel works.

    python -m benchmarks.engine [--model FILE.gguf] [--tokens 64] [--rounds 3] [--json]

Without a model it makes one of Qwen2.5-Coder-0.5B's shape once, in the cache folder. Bare calls and the
worker take turns in the same process, so that a busy machine slows both; each number is the best of its
rounds. What counts as outside llama.cpp is all of the decode loop but ``llama_decode`` and reading scores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

import llama_cpp
import psutil

from benchmarks import shape_model
from benchmarks.asking import ask, cancel, submit
from models import paths
from models.backend import Backend
from models.engine.llama import N_BATCH, Limits, Llama
from models.engine.loading import SEQUENCES
from models.engine.worker import EngineConfig, Worker, default_threads
from models.errors import Unreachable
from models.spec import BackendSpec, ModelSpec
from models.wire import CompletionRequest, Sampling, Usage

CONTEXT = 8192
SOURCE = Path(shape_model.__file__).read_text()  # Any code will do: random weights do not read.
MB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was measured, in the units of the names."""

    model: str
    threads: int
    prompt_tokens: int
    bare_prefill_tokens_per_s: float
    worker_prefill_tokens_per_s: float
    bare_decode_ms_per_token: float
    worker_decode_ms_per_token: float
    outside_llama_cpp_percent: float
    """Of the worker's decode loop; at most 5 is the budget."""
    cached_prompt_ms: float
    """From a prompt that is in memory already to its first scores."""
    cancel_p50_ms: float
    cancel_p90_ms: float
    cancel_max_ms: float
    resident_mb: float
    """The whole engine process, with a context of 8k; less than 750 is the budget for 0.5B at Q4_K_M."""


class Watch:
    """Adds up the time that is spent inside of llama.cpp."""

    def __init__(self) -> None:
        self.seconds = 0.0
        for name in ("llama_decode", "llama_get_logits_ith"):
            setattr(llama_cpp, name, self._timed(getattr(llama_cpp, name)))

    def _timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                self.seconds += time.perf_counter() - started

        return timed


def measure(model: Path, *, tokens: int, rounds: int, cancels: int, prompt_tokens: int) -> Report:
    """All numbers for one model file."""
    threads = default_threads()
    watch = Watch()
    spec = ModelSpec(name=model.stem, path=model, title="")
    config = EngineConfig(model=spec, idle_unload=0.0, context_tokens=CONTEXT, threads=threads)
    worker = Worker(config, lambda _: None)
    worker.start()
    llama = Llama(model, Limits(context_tokens=CONTEXT, sequences=SEQUENCES, threads=threads), lambda _: True)
    prompt = _prompt(llama, prompt_tokens)
    _ask(worker, spec, "", 1)
    bare: list[tuple[float, float]] = []
    served: list[Usage] = []
    outside: list[float] = []
    for number in range(rounds):
        text = f"# {number}\n{prompt}"
        bare.append(_bare(llama, text, tokens))
        _ask(worker, spec, text, 0)
        before = watch.seconds
        usage = _ask(worker, spec, text, tokens)
        inside = (watch.seconds - before) * 1000 - usage.prompt_ms  # A cached prompt is one llama_decode.
        outside.append(1 - inside / usage.decode_ms)
        served += [usage, _ask(worker, spec, f"{number} #\n{prompt}", 0)]
    cancelled = sorted(_cancel(worker, spec, f"# {it}!\n{prompt}", it) for it in range(cancels))
    worker.stop()
    llama.close()
    spread = quantiles(cancelled, n=10)
    cold, warm = served[1::2], served[::2]
    return Report(
        model=model.name,
        threads=threads,
        prompt_tokens=cold[0].prompt_tokens,
        bare_prefill_tokens_per_s=round(max(it[0] for it in bare), 1),
        worker_prefill_tokens_per_s=round(max(_new(it) / it.prompt_ms * 1000 for it in cold), 1),
        bare_decode_ms_per_token=round(min(it[1] for it in bare), 3),
        worker_decode_ms_per_token=round(min(it.decode_ms / (it.completion_tokens - 1) for it in warm), 3),
        outside_llama_cpp_percent=round(100 * min(outside), 2),
        cached_prompt_ms=round(min(it.prompt_ms for it in warm), 2),
        cancel_p50_ms=round(spread[4], 2),
        cancel_p90_ms=round(spread[8], 2),
        cancel_max_ms=round(cancelled[-1], 2),
        resident_mb=round(_resident(model, prompt), 1),
    )


def _new(usage: Usage) -> int:
    return usage.prompt_tokens - usage.cached_tokens


def _prompt(llama: Llama, tokens: int) -> str:
    """Code of about so many tokens."""
    size = len(llama.tokenize(SOURCE))
    text = SOURCE * (tokens // size + 1)
    return text[: len(SOURCE) * tokens // size]


def _bare(llama: Llama, text: str, tokens: int) -> tuple[float, float]:
    """Prefill speed and milliseconds per token of a loop that does nothing else."""
    prompt = llama.tokenize(text)
    llama.trim(0, 0)
    started = time.perf_counter()
    for at in range(0, len(prompt), N_BATCH):
        llama.evaluate(0, at, prompt[at : at + N_BATCH], outputs=1)
    prefill = time.perf_counter() - started
    started = time.perf_counter()
    for at in range(len(prompt), len(prompt) + tokens - 1):
        llama.evaluate(0, at, [int(llama.logits(-1).argmax())], outputs=1)
    return len(prompt) / prefill, (time.perf_counter() - started) * 1000 / (tokens - 1)


def _ask(worker: Worker, spec: ModelSpec, prompt: str, tokens: int) -> Usage:
    """What one answer cost."""
    return ask(worker, spec, _request(prompt, tokens))


def _request(prompt: str, tokens: int) -> CompletionRequest:
    return CompletionRequest(model="", prompt=prompt, sampling=Sampling(max_tokens=tokens, logprobs=True))


def _cancel(worker: Worker, spec: ModelSpec, prompt: str, seed: int) -> float:
    """Milliseconds from the wish to the end of the work, at a random moment of a prefill or a decode."""
    asked = submit(worker, spec, _request(prompt[:60] if seed % 2 else prompt, 1000))
    asked.begun.wait(random.Random(seed).uniform(0.05, 0.4))
    return cancel(worker, asked)


def _resident(model: Path, prompt: str) -> float:
    """Megabytes of a real engine process that has answered once."""
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "s"
        wanted = ("--model", str(model), "--socket", str(socket), "--context", str(CONTEXT))
        process = subprocess.Popen([sys.executable, "-m", "models.engine", *wanted, "--log-level", "error"])
        try:
            asyncio.run(_ask_over(socket, CompletionRequest(model=model.stem, prompt=prompt)))
            resident: int = psutil.Process(process.pid).memory_info().rss
            return resident / MB
        finally:
            process.terminate()
            process.wait()


async def _ask_over(socket: Path, request: CompletionRequest) -> None:
    backend = Backend(BackendSpec(model=request.model, socket=socket))
    while True:
        try:
            await backend.health()
            break
        except Unreachable:
            await asyncio.sleep(0.1)
    async with aclosing(backend.complete(request)) as pieces:
        async for _ in pieces:
            pass
    await backend.close()


def _default_model() -> Path:
    folder = paths.cache_dir() / "benchmarks"
    folder.mkdir(exist_ok=True)
    path = folder / "shape-q4_k_m.gguf"
    if not path.is_file():
        shape_model.write(path)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path)
    parser.add_argument("--tokens", type=int, default=64, help="tokens to generate per round")
    parser.add_argument("--prompt-tokens", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cancels", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    report = measure(
        (arguments.model or _default_model()).resolve(),
        tokens=arguments.tokens,
        rounds=arguments.rounds,
        cancels=arguments.cancels,
        prompt_tokens=arguments.prompt_tokens,
    )
    if arguments.json:
        print(json.dumps(asdict(report), indent=2))
        return
    for name, value in asdict(report).items():
        print(f"{name.replace('_', ' '):32} {value}")


if __name__ == "__main__":
    main()
