"""Make `.venv` with everything pinned in `constraints.txt`, and say what takes long before it does.

Run by `make setup`, with the standard library only. Any Python since 3.9 can start it (macOS has
one of its own): it looks for one that fits.
A stamp in `.venv` tells whether there is something to do; an interrupted run is noticed and repaired.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

try:
    import fcntl
except ImportError:  # Not on Windows, where two set-ups at once are the user's own affair.
    fcntl = None  # type: ignore[assignment]

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "hearth.stamp"
UNFINISHED = VENV / "hearth.unfinished"
LOG = VENV / "setup.log"
LEAN = ROOT / "scripts" / "llama.cmake"
LLAMA = "llama-cpp-python"
OLDEST, NEWEST = (3, 11), (3, 13)
CANDIDATES = ("python3.12", "python3.13", "python3.11", "python3", "python")
LEAN_BUILD = f"-DLLAVA_BUILD=OFF -DCMAKE_PROJECT_llama.cpp_INCLUDE_BEFORE={shlex.quote(str(LEAN))}"
BUILD_CORE_MINUTES = (
    8  # Measured: the lean build keeps one core busy for 5 to 6 minutes, the whole one for 12.
)
PIPE_REPORT_S = 30.0  # How often to say something where no progress line can be redrawn.
GRACE_S = 3.0  # How long compilers may take to go when set-up is interrupted.
TAIL_LINES = 15  # Enough of a failed log to see the error, little enough to read.

TRIAL = (
    "import llama_cpp; llama_cpp.llama_backend_init(); print('runs')"  # Dies of SIGILL on a lesser processor.
)

NINJA = re.compile(r"\[\s*(\d+)/(\d+)\]")  # [12/345] Building CXX object …
MAKE = re.compile(r"\[\s*(\d+)%\]")  # [ 12%] Building CXX object …
ADVICE = (
    (r"No space left on device", "The disk is full: free about 2 GB and run the same command again."),
    (
        r"No CMAKE_(C|CXX)_COMPILER|CMAKE_(C|CXX)_COMPILER not set|is not able to compile a simple",
        "There is no working C/C++ compiler: `sudo apt-get install build-essential` on Debian, "
        "`xcode-select --install` on macOS; then run the same command again.",
    ),
    (
        r"Killed signal|fatal error: Killed|out of memory|std::bad_alloc",
        "The compiler ran out of memory: run the same command with CMAKE_BUILD_PARALLEL_LEVEL=1 before it.",
    ),
    (
        r"Temporary failure in name resolution|NewConnectionError|ConnectTimeout|Read timed out|ProxyError|"
        r"Could not fetch URL|nodename nor servname|Connection reset|SSLError",
        "The package registry cannot be reached: check the network (or pip's own settings) and run again.",
    ),
    (
        r"No matching distribution found|Could not find a version|ResolutionImpossible",
        "The package registry does not offer a pinned version: check the network and the index in use.",
    ),
)


class SetupError(Exception):
    """Set-up cannot go on; the message is what the user should do."""


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with_lock(set_up)
    except SetupError as error:
        say(f"hearth setup: {error}")
        return 1
    except KeyboardInterrupt:
        say("\nhearth setup: interrupted; the same command goes on from here.")
        return 130
    return 0


def set_up() -> None:
    """Do what is missing, in order: a fitting Python, a venv, llama.cpp, everything else, the stamp."""
    if STAMP.is_file() and STAMP.read_text() == fingerprint(venv_version()):
        return
    python = fitting_python()
    fresh_venv_if_needed(python)
    STAMP.unlink(missing_ok=True)
    UNFINISHED.write_text("An earlier set-up did not finish: the next one starts over.\n")
    LOG.write_text("")
    install_llama()
    install_rest()
    STAMP.write_text(fingerprint(venv_version()))
    UNFINISHED.unlink()
    say("Set up. Everything is in .venv; `make clean` takes it away.")


def fingerprint(version: str) -> str:
    """Changes whenever the environment would."""
    digest = hashlib.sha256(version.encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest() + "\n"


def venv_version() -> str:
    """The version of `.venv`'s Python, or nothing when there is none that runs."""
    return output(venv_python(), "-c", "import sys, pip; print(sys.version)")


def venv_python() -> str:
    folder = "Scripts" if os.name == "nt" else "bin"
    return str(VENV / folder / "python")


def fitting_python() -> str:
    """Our own interpreter if it fits, else the first one on PATH that does."""
    question = "import sys; print(sys.version_info[0], sys.version_info[1], sys.executable)"
    found = []
    for name in (sys.executable, *CANDIDATES):
        answer = output(name, "-c", question).strip().split(maxsplit=2)
        if len(answer) < 3:
            continue
        version = (int(answer[0]), int(answer[1]))
        if not OLDEST <= version <= NEWEST:
            found.append(".".join(answer[:2]))
        elif output(answer[2], "-c", "import venv, ensurepip; print('ok')"):
            return answer[2]
        else:
            found.append(f"{answer[0]}.{answer[1]} without its venv module")
    wanted = f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}"
    seen = ", ".join(dict.fromkeys(found)) or "none"
    raise SetupError(
        f"Hearth needs Python {wanted} with venv (found: {seen}). On Debian: "
        "`sudo apt-get install python3 python3-venv`; on macOS: `brew install python@3.12`."
    )


def fresh_venv_if_needed(python: str) -> None:
    """Keep a healthy `.venv` of the same Python; replace one that is broken, half made or of another."""
    same = venv_version() == output(python, "-c", "import sys; print(sys.version)")
    if VENV.exists() and (UNFINISHED.exists() or not same):
        say("Removing .venv: it is unfinished, broken, or of another Python.")
        shutil.rmtree(VENV)
    if not VENV.exists():
        say(f"Making .venv with {python}")
        answer = subprocess.run(
            [python, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False
        )
        if answer.returncode:
            shutil.rmtree(VENV, ignore_errors=True)
            reason = (answer.stderr + answer.stdout).strip() or "no reason given"
            raise SetupError(
                f"`python -m venv` failed: {reason}\nOn Debian: `sudo apt-get install python3-venv`."
            )


def install_llama() -> None:
    """Install llama-cpp-python first, on its own: it has no ready wheel, so this is the long wait."""
    pin = re.search(rf"^{LLAMA}==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    if not pin:
        raise SetupError(f"constraints.txt does not pin {LLAMA}.")
    version = pin.group(1)
    have = output(venv_python(), "-c", f"from importlib.metadata import version; print(version('{LLAMA}'))")
    if have.strip() != version:
        if not built_before(version):
            announce_compilation(version)
        pip("llama.cpp", "install", "-v", "--progress-bar", "off", f"{LLAMA}=={version}")
    if not output(venv_python(), "-c", TRIAL):
        say("The llama.cpp in pip's cache does not run here: it was compiled for another processor.")
        output(venv_python(), "-m", "pip", "cache", "remove", LLAMA.replace("-", "_"))
        announce_compilation(version)
        again = ("--force-reinstall", "--no-deps", f"{LLAMA}=={version}")
        pip("llama.cpp", "install", "-v", "--progress-bar", "off", *again)
        if not output(venv_python(), "-c", TRIAL):
            raise SetupError("llama.cpp was compiled here and does not run here: see .venv/setup.log.")


def announce_compilation(version: str) -> None:
    """Say what is going to take minutes, or at once why it cannot."""
    require_compilers()
    minutes = max(1, round(BUILD_CORE_MINUTES / cores()))
    say(
        f"Compiling llama.cpp for this machine's CPU ({LLAMA} {version} has no ready wheel): about "
        f"{minutes} minute{'s' * (1 < minutes)} on {cores()} core{'s' * (1 < cores())}, once. "
        "pip keeps the result for the next time."
    )


def install_rest() -> None:
    """Install the pinned packages and Hearth itself, editable."""
    pip("packages", "install", "--progress-bar", "off", "-e", ".[dev]")


def built_before(version: str) -> bool:
    """Whether pip's cache holds the wheel; if it is one for another Python, pip compiles after all."""
    answer = output(
        venv_python(), "-m", "pip", "cache", "list", LLAMA.replace("-", "_"), "--format", "abspath"
    )
    return f"-{version}-" in answer


def require_compilers() -> None:
    """Fail in a second rather than after a download of 77 MB."""
    for variable, names in (("CC", ("cc", "gcc", "clang")), ("CXX", ("c++", "g++", "clang++"))):
        if not os.environ.get(variable) and not any(map(shutil.which, names)):
            raise SetupError(ADVICE[1][1])


def cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def pip(label: str, *arguments: str) -> None:
    """Run pip in `.venv` with the pins, the full output in the log and one progress line here."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "PIP_USER")}
    # Build environments are pinned too: older pips read the first variable there, newer ones the second.
    # The path is relative (pip splits the variable at blanks, and a checkout's path may have some).
    environment.update(PIP_CONSTRAINT="constraints.txt", PIP_BUILD_CONSTRAINT="constraints.txt")
    environment.update(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1", PYTHONUNBUFFERED="1")
    environment["CMAKE_ARGS"] = f"{LEAN_BUILD} {environment.get('CMAKE_ARGS', '')}".strip()
    with LOG.open("a", encoding="utf-8", errors="replace") as log:
        log.write(f"\n$ pip {' '.join(arguments)}\n")
        log.flush()
        process = subprocess.Popen(
            [venv_python(), "-m", "pip", *arguments],
            cwd=ROOT,
            env=environment,
            start_new_session=True,  # one group with its compilers, to be ended together
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        progress = Progress(label)
        reader = threading.Thread(target=progress.read, args=(process, log), daemon=True)
        reader.start()
        try:
            while reader.is_alive():
                reader.join(0.25)
                progress.show()
            code = process.wait()
        except BaseException:
            end_group(process)
            raise
    progress.end(code)
    if code:
        raise SetupError(failure(LOG.read_text(encoding="utf-8", errors="replace")))


def end_group(process: subprocess.Popen[str]) -> None:
    """End pip and every compiler it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(OSError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=GRACE_S)


def failure(log: str) -> str:
    """The last lines of a failed log and one sentence of advice."""
    tail = "\n".join(f"  | {line}" for line in log.rstrip().splitlines()[-TAIL_LINES:])
    hints = [advice for pattern, advice in ADVICE if re.search(pattern, log)]
    hint = hints[0] if hints else "The same command tries again; if it fails again, the log says why."
    return f"pip failed. The end of {LOG.relative_to(ROOT)}:\n{tail}\n{hint}"


class Progress:
    """What pip is doing, as one line that is redrawn in a terminal and repeated seldom elsewhere."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.phase = "starting"
        self.counted = 0
        self.cached = False
        self.started = time.monotonic()
        self.shown = self.started
        self.terminal = sys.stdout.isatty()

    def read(self, process: subprocess.Popen[str], log: TextIO) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            log.write(line)
            self.note(line.strip())

    def note(self, line: str) -> None:
        """Learn from one line of pip's or ninja's output."""
        if ninja := NINJA.match(line):
            done, whole = int(ninja.group(1)), int(ninja.group(2))
            if 20 < whole:  # CMake's own probes count to 2.
                self.phase = f"compiling {100 * done // whole:3d} % ({done} of {whole})"
        elif make := MAKE.match(line):
            self.phase = f"compiling {make.group(1):>3} %"
        elif line.startswith(("Collecting", "Processing", "Requirement already satisfied")):
            self.counted += 1
            self.phase = f"finding package {self.counted}"
        elif line.startswith("Building wheel for llama"):
            self.phase = "configuring the build"
        elif line.startswith("Using cached llama_cpp_python") and ".whl" in line:
            self.cached = True
        elif line.startswith(("Installing collected", "Attempting")):
            self.phase = "installing"

    def show(self) -> None:
        now = time.monotonic()
        if self.terminal:
            print(f"\r\033[K  {self.line()}", end="", flush=True)
        elif PIPE_REPORT_S <= now - self.shown:
            self.shown = now
            say(f"  {self.line()}")

    def end(self, code: int) -> None:
        if self.terminal:
            print("\r\033[K", end="")
        self.phase = "failed" if code else "installed from pip's cache" if self.cached else "installed"
        say(f"  {self.line()}")

    def line(self) -> str:
        seconds = int(time.monotonic() - self.started)
        return f"{self.label}: {self.phase}, {seconds // 60}:{seconds % 60:02d}"


def output(*command: str) -> str:
    """What a command prints, or nothing when it cannot run or fails."""
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout if answer.returncode == 0 else ""


def with_lock(work: Callable[[], None]) -> None:
    """Two `make` at once: the second waits for the first, then finds everything done."""
    with (ROOT / "pyproject.toml").open() as held:
        if fcntl:
            fcntl.flock(held, fcntl.LOCK_EX)
        work()


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
