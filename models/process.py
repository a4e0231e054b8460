"""The engine as a process: its files, its command line, its environment."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from models import paths, registry

MODULE = "models.engine"
IMPORT_ROOT = Path(__file__).parent.parent
DETACHED = 0x00000208  # Windows: a process group of its own, and no console.
LOG_TAIL_BYTES = 8192  # The last lines of a log are what explains a death.
LOG_TAIL_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """How to run the engine, if this process is the one that starts it; a running one keeps its own."""

    model: str = registry.STARTER
    """A name or the path of a ``.gguf`` file."""
    idle_unload_s: float = 600.0
    linger_s: float = 60.0
    """How long the engine stays when nobody holds it any more; 0 is for ever."""
    keep_loaded: bool = False
    context_tokens: int | None = None
    threads: int | None = None
    log_level: str = "info"
    load: bool = False
    """Whether the model is loaded at once, while the rest of the engine starts: somebody is going to ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the user's one engine is found, and the locks that make it one.

    The engine holds ``engine.lock`` for life, whoever is starting it ``start.lock``. Both are locks of the
    operating system: they go with the process that holds them, however it ends.
    """

    folder: Path
    log: Path
    tcp: bool = False
    """Loopback TCP with a token instead of a Unix socket, where there are none."""

    @property
    def socket(self) -> Path:
        """The Unix socket."""
        return self.folder / "engine.sock"

    @property
    def lock(self) -> Path:
        """Held by the engine."""
        return self.folder / "engine.lock"

    @property
    def start_lock(self) -> Path:
        """Held by whoever is starting the engine."""
        return self.folder / "start.lock"

    @property
    def port(self) -> Path:
        """Where the engine writes its port, if it has no Unix socket."""
        return self.folder / "engine.port"

    @property
    def token(self) -> Path:
        """What a caller over TCP must know; the engine writes it, readable by the user alone."""
        return self.folder / "engine.token"


def place(*, tcp: bool = sys.platform == "win32") -> Place:
    """The place of this user; raises ``OSError`` when the folders cannot be made."""
    return Place(folder=paths.runtime_dir(), log=paths.log_dir() / "engine.log", tcp=tcp)


def command(place: Place, options: EngineOptions) -> list[str]:
    """The engine's command line, the same from whatever folder it is run; raises ``ModelError``."""
    address = ["--socket", str(place.socket)]
    if place.tcp:
        address = ["--port", "0", "--port-file", str(place.port), "--token-file", str(place.token)]
    given = [
        *("--idle-unload", f"{options.idle_unload_s:g}", "--linger", f"{options.linger_s:g}"),
        *(("--keep-loaded",) if options.keep_loaded else ()),
        *(("--context", str(options.context_tokens)) if options.context_tokens else ()),
        *(("--threads", str(options.threads)) if options.threads else ()),
        *(("--load",) if options.load else ()),
        *("--log-level", options.log_level),
    ]
    run = [sys.executable, "-P", "-m", MODULE, "--model", _model(options.model)]
    return [*run, *address, "--lock", str(place.lock), *given]


def environment() -> dict[str, str]:
    """The environment without Python's own variables, which a project may have set for itself.

    Where we are not among the installed packages (a checkout, an editor's own bundle), the engine is told
    where we are: it is always the same code that runs.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    installed = {os.path.realpath(it) for it in (*site.getsitepackages(), site.getusersitepackages())}
    if os.path.realpath(IMPORT_ROOT) not in installed:
        kept["PYTHONPATH"] = str(IMPORT_ROOT)
    return kept


class Child:
    """The engine this process started. It outlives us; while we live, its end is seen at once."""

    def __init__(self, place: Place, options: EngineOptions) -> None:
        if place.log.exists():
            place.log.replace(place.log.with_suffix(".log.1"))
        with place.log.open("wb") as log:
            self._process = subprocess.Popen(
                command(place, options),
                cwd=place.folder,  # A folder called ``models`` in a project must not be taken for ours.
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,  # Ours may carry a protocol.
                stderr=log,
                start_new_session=True,  # Closing the editor's terminal must not end it.
                creationflags=DETACHED if sys.platform == "win32" else 0,
            )
        # Somebody has to wait for the process, or it stays as a zombie for as long as we live.
        threading.Thread(target=self._process.wait, name="engine-end", daemon=True).start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; ``None`` while it runs."""
        return self._process.returncode

    def end(self) -> None:
        """Stop it."""
        self._process.terminate()


def log_tail(place: Place) -> list[str]:
    """The last lines the engine wrote; none if there is no log."""
    try:
        with place.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
            text = log.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [it.rstrip() for it in text.splitlines() if it.strip()][-LOG_TAIL_LINES:]


def _model(name: str) -> str:
    """A name as it is, a path made absolute: the engine runs in another folder."""
    spec = registry.find(name)
    return spec.name if spec.name == name or not name else str(spec.path)
