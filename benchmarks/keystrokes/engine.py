"""Look at an engine from outside: its counters, its process, and whether it has anything left to do."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil

from models.backend import Backend
from models.spec import BackendSpec

START_SECONDS = 60.0
LINGER = "600"  # Seconds. Longer than all the others' turns; should we be killed, it does not stay for ever.
END_SECONDS = 10.0
CALM_SECONDS = 0.2  # Of looking; a piece of prefill keeps a core busy for longer.
CALM_SHARE = 0.2  # Of one core: what is less is the event loop.
CALM_TIMES = 2
PATIENCE_SECONDS = 30.0
MB = 2**20


@asynccontextmanager
async def own_engine(
    model: Path, context: int, threads: int
) -> AsyncIterator[tuple[Backend, psutil.Process]]:
    """An engine that nobody else uses, spoken to without any of the rest, and its process."""
    with tempfile.TemporaryDirectory(prefix="hk-", ignore_cleanup_errors=True) as folder:
        socket = Path(folder) / "s"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "models.engine", "--model", str(model), "--socket", str(socket)),
            *("--context", str(context), "--linger", LINGER, "--log-level", "error"),
            *(("--threads", str(threads)) if threads else ()),
        )
        view, backend = EngineView(socket), Backend(BackendSpec(model=model.stem, socket=socket))
        try:
            yield backend, await view.until_there()
        finally:
            await backend.close()
            await view.end()
            await process.wait()


class EngineView:
    """What an engine tells at its socket."""

    def __init__(self, socket: Path) -> None:
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(socket)), base_url="http://engine", timeout=30.0
        )
        self._process: psutil.Process | None = None

    async def until_there(self) -> psutil.Process:
        """Its process, once it answers."""
        limit = time.monotonic() + START_SECONDS
        while self._process is None:
            try:
                health = (await self._http.get("/health")).json()
            except httpx.TransportError:
                if limit < time.monotonic():
                    raise
                await asyncio.sleep(0.02)
            else:
                self._process = psutil.Process(health["pid"])
        return self._process

    async def until_loaded(self) -> None:
        """Wait until a model is in memory, or cannot be."""
        limit = time.monotonic() + START_SECONDS
        while time.monotonic() < limit:
            if (await self._http.get("/health")).json()["state"] in ("ready", "failed"):
                return
            await asyncio.sleep(0.05)

    async def counters(self) -> dict[str, float]:
        """All totals by name, without `hearth_` and `_total`; zeros before there is an engine."""
        try:
            text = (await self._http.get("/metrics")).text
        except httpx.TransportError:
            return {}
        return read_counters(text)

    async def end(self) -> None:
        """Ask it to end, and wait for that."""
        process = self._process
        try:
            await self._http.post("/hearth/shutdown")
        except httpx.TransportError:
            process = None
        await self._http.aclose()
        limit = time.monotonic() + END_SECONDS
        while process is not None and _is_alive(process):
            if limit < time.monotonic():
                process.kill()
            await asyncio.sleep(0.02)


def _is_alive(process: psutil.Process) -> bool:
    """Whether it runs; one that has ended and whose parent has not looked yet does not."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def read_counters(text: str) -> dict[str, float]:
    """The values of a Prometheus text, by short name; of one with labels, the sum."""
    values: dict[str, float] = {}
    for line in text.splitlines():
        if line.startswith("#") or " " not in line:
            continue
        name, _, value = line.rpartition(" ")
        name = name.partition("{")[0].removeprefix("hearth_").removesuffix("_total")
        values[name] = values.get(name, 0.0) + float(value)
    return values


def difference(before: Mapping[str, float], after: Mapping[str, float], name: str) -> float:
    """How much one counter has grown."""
    return after.get(name, 0.0) - before.get(name, 0.0)


def cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    """Processor time that they have used up to now."""
    return float(sum(sum(it.cpu_times()[:2]) for it in processes))


def resident_mb(process: psutil.Process) -> float:
    """Megabytes of memory that a process holds, the model file's pages included."""
    return float(process.memory_info().rss) / MB


async def until_calm(processes: Sequence[psutil.Process]) -> None:
    """Wait until they have nothing to do: what they still do should cost nobody else."""
    calm = 0
    limit = time.monotonic() + PATIENCE_SECONDS
    while calm < CALM_TIMES and time.monotonic() < limit:
        before = cpu_seconds(processes)
        await asyncio.sleep(CALM_SECONDS)
        calm = calm + 1 if cpu_seconds(processes) - before < CALM_SHARE * CALM_SECONDS else 0
