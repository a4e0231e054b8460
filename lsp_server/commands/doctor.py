"""`hearth doctor`: what works, what does not, and what to do about it."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import typer

from lsp_server.cli import FAILED, PACKAGES
from lsp_server.commands.options import Json, Model
from models import paths, registry
from models.errors import BackendError, ModelError
from models.version import VERSION

PYTHONS = ((3, 11), (3, 13))
TRY_LLAMA = "import llama_cpp; print(llama_cpp.__version__)"
IMPORT_SECONDS = 60  # A first import compiles and reads a large library from a cold disk.
EDITOR_SECONDS = 10
NEOVIM_WITH_GHOST_TEXT = (0, 12)
NEOVIM_AT_ALL = (0, 10)
EDITORS = {"nvim": "Neovim", "code": "VS Code", "codium": "VSCodium", "emacs": "Emacs", "hx": "Helix"}
MARKS = {"good": ("✓", "green"), "note": ("·", "cyan"), "bad": ("✗", "red")}
PLAIN_MARKS = {"good": ("ok", "green"), "note": ("--", "cyan"), "bad": ("!!", "red")}
SHADOWED: list[str] = []
"""Which of our packages' names something else would have taken; known since the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    state: Literal["good", "note", "bad"]
    what: str
    says: str
    advice: str = ""


def good(what: str, says: str) -> Finding:
    """It works."""
    return Finding(state="good", what=what, says=says)


def note(what: str, says: str, advice: str = "") -> Finding:
    """It works, but there is something to know."""
    return Finding(state="note", what=what, says=says, advice=advice)


def bad(what: str, says: str, advice: str) -> Finding:
    """It does not work; this is what to do."""
    return Finding(state="bad", what=what, says=says, advice=advice)


def command(model: Model = None, as_json: Json = False) -> None:
    """Look at everything ghost text and chat need, and say what to do about what is missing."""
    findings = [finding for check in CHECKS for finding in check(model)]
    if as_json:
        typer.echo(json.dumps([asdict(it) for it in findings], indent=2, ensure_ascii=False))
    else:
        _show(findings)
    if any(it.state == "bad" for it in findings):
        raise typer.Exit(FAILED)


def check_python(model: str | None) -> Iterable[Finding]:
    """The versions Hearth is tested with."""
    version = sys.version_info[:2]
    says = f"Hearth {VERSION} on Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    if PYTHONS[0] <= version <= PYTHONS[1]:
        yield good("python", says)
    else:
        yield bad("python", says, "Use Python 3.11, 3.12 or 3.13.")


def check_packages(model: str | None) -> Iterable[Finding]:
    """Our packages' names are plain words; another project's folder can take them."""
    if SHADOWED:
        yield note(
            "packages",
            f"Something else is called {', '.join(SHADOWED)} on Python's path; Hearth has put itself first",
            "Install Hearth in an environment of its own (uv tool install, pipx), and look at PYTHONPATH.",
        )
    else:
        yield good("packages", f"{', '.join(PACKAGES)} are Hearth's own")


def check_llama(model: str | None) -> Iterable[Finding]:
    """Import llama.cpp where a crash hurts nobody: a build for another processor dies of it."""
    run = [sys.executable, "-P", "-c", TRY_LLAMA]
    again = "Install it again, from source: pip install --force-reinstall --no-binary llama-cpp-python"
    again += " llama-cpp-python"
    try:
        done = subprocess.run(run, capture_output=True, text=True, timeout=IMPORT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        yield bad("llama.cpp", "importing llama_cpp takes over a minute", again)
        return
    if done.returncode == 0:
        yield good("llama.cpp", f"llama-cpp-python {done.stdout.strip()}")
    elif done.returncode < 0 or done.returncode > 128:
        signal = abs(done.returncode) % 128
        yield bad("llama.cpp", f"importing it crashes (signal {signal}): it suits another processor", again)
    else:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        yield bad("llama.cpp", f"llama_cpp cannot be imported: {last}", again)


def check_model(model: str | None) -> Iterable[Finding]:
    """The model that would be used, and the bundled one."""
    from lsp_server.wiring import Workbench

    for name in dict.fromkeys([Workbench(model).settings.model or registry.STARTER, registry.STARTER]):
        try:
            spec = registry.find(name)
            with spec.path.open("rb") as file:
                is_gguf = file.read(4) == b"GGUF"
        except (ModelError, OSError) as exc:
            advice = f"Choose another: --model, or model in {_settings_file()}."
            yield bad("model", str(exc), advice)
            continue
        if is_gguf:
            size = spec.path.stat().st_size / 1e6
            yield good("model", f"{spec.name}: {spec.title} ({size:.0f} MB)")
        else:
            yield bad("model", f"{spec.path} is no GGUF file", "Get it again.")


def check_settings(model: str | None) -> Iterable[Finding]:
    """The user's own settings."""
    from lsp_server.wiring import Workbench

    problems = Workbench(model).problems
    for problem in problems:
        yield bad("settings", problem, f"Edit {_settings_file()}.")
    if not problems:
        there = "" if _settings_file().exists() else " (not there: the defaults are used)"
        yield good("settings", f"{_settings_file()}{there}")


def check_folders(model: str | None) -> Iterable[Finding]:
    """Where sockets and locks are: nobody else may enter."""
    try:
        folder = paths.runtime_dir()
    except OSError as exc:
        advice = "Set HEARTH_HOME to a folder of your own."
        yield bad("folders", str(exc), advice)
        return
    mode = stat.S_IMODE(folder.stat().st_mode)
    if sys.platform != "win32" and mode & 0o077:
        says = f"others can enter {folder} (mode {mode:04o})"
        yield bad("folders", says, f"chmod 700 {folder}")
    elif not os.access(folder, os.W_OK):
        yield bad("folders", f"{folder} cannot be written", "Set HEARTH_HOME.")
    else:
        yield good("folders", f"{folder} is private to you")


def check_memory(model: str | None) -> Iterable[Finding]:
    """What is remembered of projects, and how much of the disk that takes."""
    from lsp_server.wiring import Workbench

    folder = paths.cache_dir() / "memory"
    sizes = [it.stat().st_size for it in folder.rglob("*") if it.is_file()]
    projects = len(list(folder.glob("*/manifest.json")))
    much = f"{projects} project{'' if projects == 1 else 's'}, {sum(sizes) / 1e6:.1f} MB in {folder}"
    if not Workbench(model).settings.memory_enabled:
        advice = "hearth memory forget --all deletes it." if sizes else ""
        yield note("memory", f"switched off by memory.enabled; {much}", advice)
    else:
        yield good("memory", much)


def check_engine(model: str | None) -> Iterable[Finding]:
    """The shared engine; it is not started by this."""
    from lsp_server.commands.status import sentence
    from lsp_server.wiring import Workbench

    try:
        health = asyncio.run(Workbench(model).health())
    except (BackendError, ModelError) as exc:
        yield bad("engine", str(exc), f"Its log is in {paths.log_dir()}.")
        return
    says = sentence(health)
    if health is None:
        yield note("engine", says)
    elif health.state == "failed":
        yield bad("engine", says, f"Its log is in {paths.log_dir()}.")
    else:
        yield good("engine", says)


def check_chat(model: str | None) -> Iterable[Finding]:
    """Who answers questions, and what may leave this machine."""
    from lsp_server.commands.doctor_chat import looked

    yield from looked()


def check_editors(model: str | None) -> Iterable[Finding]:
    """Editors that can be found from here."""
    found = {name: path for name in EDITORS if (path := shutil.which(name))}
    for name in found:
        if name != "nvim":
            yield good("editor", EDITORS[name])
            continue
        version = _neovim_version(found[name])
        says = f"Neovim {'.'.join(map(str, version)) if version else 'of unknown version'}"
        if version and version[:2] < NEOVIM_AT_ALL:
            advice = "Hearth needs Neovim 0.10; 0.12 shows ghost text by itself."
            yield bad("editor", says, advice)
        else:
            by_itself = version is None or NEOVIM_WITH_GHOST_TEXT <= version[:2]
            yield good("editor", says + ("" if by_itself else ", with our own ghost text"))
    if not found:
        yield note("editor", "no editor that Hearth knows is on the PATH")


CHECKS: tuple[Callable[[str | None], Iterable[Finding]], ...] = (
    check_python,
    check_packages,
    check_llama,
    check_model,
    check_settings,
    check_folders,
    check_memory,
    check_engine,
    check_chat,
    check_editors,
)


def _settings_file() -> Path:
    return paths.config_dir() / "settings.json"


def _neovim_version(path: str) -> tuple[int, ...] | None:
    try:
        done = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=EDITOR_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.match(r"NVIM v(\d+)\.(\d+)\.(\d+)", done.stdout)
    return tuple(int(it) for it in match.groups()) if match else None


def _show(findings: Iterable[Finding]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    marks = MARKS if console.encoding.lower().startswith("utf") else PLAIN_MARKS
    for it in findings:
        mark, style = marks[it.state]
        console.print(Text.assemble((mark, style), f" {it.what}: {it.says.removesuffix('.')}."))
        if it.advice:
            console.print(Text(f"    {it.advice}", "yellow"))
