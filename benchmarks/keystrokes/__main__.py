"""Measure ghost text key by key: through `hearth lsp` as an editor drives it, beside peers, in the same run.

    python -m benchmarks.keystrokes [--model FILE.gguf|starter|Q4_K_M|Q4_0] [--file PATH --lines A:B]
    python -m benchmarks.keystrokes --commit REV --repository FOLDER

Closed loop: every key is answered before the next one; the ways take turns in pieces of the trace, so that a
busy machine slows all of them. There Hearth's own pause is off (completion.pauseMs 0); in real time it is as
in the product. Without a model it makes one of Qwen2.5-Coder-0.5B's shape once, whose answers are noise of
plain words: they are as long as they may be, and nothing is hidden for being unsure.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks import shape_model
from benchmarks.keystrokes import plot, runs
from benchmarks.keystrokes.llama_server import LlamaServer
from benchmarks.keystrokes.measured import ASKED, Followed, Played, Sample, summary
from benchmarks.keystrokes.report import Report, as_json, markdown
from benchmarks.keystrokes.traces import (
    Habits,
    Hole,
    Passage,
    change_typed,
    holes,
    lines_typed,
    middle_lines,
    rhythm,
)
from benchmarks.keystrokes.ways import BareSteps, Hearth, PythonPeer, Setup, Unanchored, Way
from models import registry
from models.version import VERSION

DEFAULT_LINES = 14
CODE = (".py", ".js", ".ts", ".go", ".rs", ".java", ".c", ".h")
PEERS = ("bare", "unanchored", "python")
NO_BINARY = "no --llama-server was given"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; the exit code."""
    wanted = _parser().parse_args(arguments)
    try:
        passages = _passages(wanted)
    except (OSError, ValueError, subprocess.CalledProcessError) as exc:
        print(f"No trace: {exc}", file=sys.stderr)
        return 2
    report = asyncio.run(_measure(wanted, passages))
    print(markdown(report))
    if wanted.json:
        wanted.json.write_text(json.dumps(as_json(report), indent=1) + "\n", encoding="utf-8")
    if wanted.plot:
        wanted.plot.write_text(_picture(report), encoding="utf-8")
    return 0


async def _measure(wanted: argparse.Namespace, passages: Sequence[Passage]) -> Report:
    task = asyncio.current_task()
    if task is not None and sys.platform != "win32":  # Whoever ends us means our processes too.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    model = _model(wanted.model)
    setup = Setup(
        model=model,
        tokens=wanted.tokens,
        context=wanted.context,
        threads=wanted.threads,
        memory=wanted.memory,
    )
    about = _about(wanted, passages, model)
    with tempfile.TemporaryDirectory(prefix="hk-") as folder:
        root = Path(folder)
        for it in passages:
            path = root / it.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(it.text, encoding="utf-8")
        hearth = Hearth(setup, root, {"completion.pauseMs": 0})
        ways = _ways(wanted, setup, hearth)
        places = _holes(passages[0], 2 * wanted.jumps + wanted.follow + wanted.accept, wanted.seed)
        follow: Followed | None = None
        at_once: dict[str, list[Sample]] = {}
        dwelt: dict[str, list[Sample]] = {}
        cold: list[float] = []
        if wanted.cold:
            cold = await runs.cold(setup, root, passages[0], wanted.cold)
        async with AsyncExitStack() as stack:
            for way in ways:
                await stack.enter_async_context(runs.running(way))
            closed = await runs.closed_loop(ways, passages, wanted.rounds)
            text, place = passages[0].text, passages[0].path
            jumpers = [it for it in ways if not isinstance(it, BareSteps)]
            if wanted.jumps:  # Each place once: what was suggested there would be suggested again.
                at_once = await runs.jumped(jumpers, place, text, places[: wanted.jumps], 0.0)
                there = places[wanted.jumps : 2 * wanted.jumps]
                dwelt = await runs.jumped(jumpers, place, text, there, wanted.dwell)
            if wanted.follow + wanted.accept:
                there = places[2 * wanted.jumps :]
                typed, accepted = there[: wanted.follow], there[wanted.follow :]
                follow = await runs.followed(hearth, place, text, typed, accepted)
        real: Played | None = None
        if wanted.rhythm:
            keys = sum(key.asks for it in passages for key in it.keys)
            gaps = rhythm(keys, wanted.rhythm / 1000, wanted.rhythm_spread, wanted.seed)
            real = await runs.real_time(setup, root, passages, gaps)
    about["load"] = f"{about['load']} before, {_load()} after"
    return Report(
        about=about,
        tokens=wanted.tokens,
        hearth=hearth.name,
        bare=BareSteps(setup).name,
        closed=closed,
        not_run={} if wanted.llama_server else {LlamaServer.name: NO_BINARY},
        real=real,
        at_once=at_once,
        dwelt=dwelt,
        dwell_s=wanted.dwell,
        follow=follow,
        cold_s=cold,
    )


def _ways(wanted: argparse.Namespace, setup: Setup, hearth: Hearth) -> list[Way]:
    ways: list[Way] = [hearth]
    peers = wanted.peers.split(",") if wanted.peers else []
    if "bare" in peers:
        ways.append(BareSteps(setup))
    if "unanchored" in peers:
        ways.append(Unanchored(setup))
    if "python" in peers:
        ways.append(PythonPeer(setup))
    if wanted.llama_server:
        ways.append(LlamaServer(setup, wanted.llama_server))
    return ways


def _passages(wanted: argparse.Namespace) -> list[Passage]:
    """The trace, cut to the wanted number of keys."""
    habits = Habits(auto_indent=wanted.auto_indent, auto_close=wanted.auto_close)
    if wanted.commit:
        passages = list(_of_commit(wanted.repository, wanted.commit, habits))
    else:
        path = wanted.file or Path(argparse.__file__)
        text = _unix(path.read_text(encoding="utf-8"))
        first, last = middle_lines(text, DEFAULT_LINES)
        if wanted.lines:
            first, last = (int(it) for it in wanted.lines.split(":"))
        passages = [lines_typed(path.name, text, first, last, habits)]
    left = wanted.keys or sum(len(it.keys) for it in passages)
    kept = []
    for it in passages:
        kept.append(Passage(path=it.path, text=it.text, keys=it.keys[:left]))
        left -= len(kept[-1].keys)
        if left <= 0:
            break
    if not any(it.keys for it in kept):
        raise ValueError("nothing is typed in it.")
    return kept


def _of_commit(repository: Path, revision: str, habits: Habits) -> list[Passage]:
    """One passage for each code file that the commit changed."""
    names = _git(repository, "diff", "--name-only", "--diff-filter=AM", f"{revision}^", revision).splitlines()
    passages = []
    for name in names:
        if name.endswith(CODE):
            there = _git(repository, "ls-tree", "--name-only", f"{revision}^", "--", name)
            old = _git(repository, "show", f"{revision}^:{name}") if there else ""
            passages.append(
                change_typed(name, _unix(old), _unix(_git(repository, "show", f"{revision}:{name}")), habits)
            )
    return [it for it in passages if any(key.asks for key in it.keys)]


def _git(repository: Path, *arguments: str) -> str:
    command = ("git", "-C", str(repository), *arguments)
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _holes(passage: Passage, count: int, seed: int) -> tuple[Hole, ...]:
    """Places to jump to, away from what was typed, unless that is everywhere."""
    typed = [passage.text.count("\n", 0, it.at) for it in passage.keys]
    first, last = min(typed), max(typed)
    everywhere = passage.text.count("\n") < 2 * (last - first)
    return holes(passage.text, count, seed, keep_off=(0, -1) if everywhere else (first, last))


def _model(name: str) -> Path:
    if name in shape_model.FTYPES:
        return shape_model.kept(name)
    return registry.find(name).path


def _about(wanted: argparse.Namespace, passages: Sequence[Passage], model: Path) -> dict[str, str]:
    """Everything that a reader must know to judge the numbers."""
    keys = sum(key.asks for it in passages for key in it.keys)
    typed = ", ".join(f"{it.path} ({it.text.count(chr(10)) + 1} lines)" for it in passages)
    habits = [name for name in ("auto_indent", "auto_close") if getattr(wanted, name)]
    memory = psutil.virtual_memory().total / 1e9
    return {
        "machine": f"{_processor()}, {psutil.cpu_count(logical=False)} cores, {memory:.0f} GB,"
        f" {platform.platform(terse=True)}, Python {platform.python_version()}",
        "versions": f"Hearth {VERSION}, llama-cpp-python {version('llama-cpp-python')}",
        "model": f"{model.name}, context {wanted.context} tokens, answers of at most {wanted.tokens} tokens",
        "trace": f"{keys} keys in {typed}" + (f", with {' and '.join(habits)}" if habits else ""),
        "rounds": f"{wanted.rounds}; project memory {'on' if wanted.memory else 'off'}",
        "rhythm": (
            f"log-normal, median {wanted.rhythm:g} ms, spread {wanted.rhythm_spread:g}"
            if wanted.rhythm
            else "none"
        ),
        "seed": str(wanted.seed),
        "load": _load(),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def _picture(report: Report) -> str:
    rows = {}
    for name, played in report.closed.items():
        known = summary(played.samples, report.tokens)
        rows[name] = [it.ms for it in played.samples if it.source in ASKED]
        if known.cache_ms:
            rows[f"{name}, from its cache"] = [it.ms for it in played.samples if it.source == "cache"]
    rows |= {name: [] for name in report.not_run}
    return plot.svg(
        f"Time to ghost text of {report.tokens} tokens, {report.about['model'].split(',')[0]}", rows
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.keystrokes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--model", default="Q4_K_M", help="a .gguf file, starter, or the type of the shape model")
    add("--file", type=Path, help="the file that is typed in (default: the standard library's argparse.py)")
    add("--lines", help="which of its lines, as A:B from 1 (default: 14 of code near its middle)")
    add("--commit", help="type what this commit added, instead")
    add("--repository", type=Path, default=Path(), help="where that commit is")
    add("--auto-indent", action="store_true", help="Enter brings the indentation of the line above")
    add("--auto-close", action="store_true", help="an opening bracket brings its closer")
    add("--keys", type=int, default=0, help="only so many keys of the trace")
    add("--rounds", type=int, default=10, help="turns between the ways")
    add("--tokens", type=int, default=8, help="the longest answer")
    add("--context", type=int, default=8192)
    add("--threads", type=int, default=0, help="0: as each way chooses")
    add("--memory", action="store_true", help="with Hearth's project memory")
    add("--peers", default=",".join(PEERS), help=f"of {', '.join(PEERS)}; empty for none")
    add("--llama-server", type=Path, help="a llama-server binary, driven as llama.vim drives it")
    add("--jumps", type=int, default=20, help="random places to jump to")
    add(
        "--dwell", type=float, default=0.5, help="seconds the cursor is there before the key, in a second run"
    )
    add("--follow", type=int, default=5, help="suggestions that are typed through")
    add("--accept", type=int, default=20, help="suggestions that are accepted")
    add("--rhythm", type=float, default=140.0, help="median milliseconds between keys in real time; 0: none")
    add("--rhythm-spread", type=float, default=0.5, help="of the logarithm")
    add("--cold", type=int, default=0, help="starts from cold")
    add("--seed", type=int, default=1)
    add("--json", type=Path)
    add("--plot", type=Path, metavar="FILE.svg")
    return parser


if __name__ == "__main__":
    sys.exit(main())
