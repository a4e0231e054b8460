"""Where Hearth keeps its files: one place, one override (`HEARTH_HOME`), private to the user."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path

import platformdirs

SOCKET_PATH_BYTES = 100  # sun_path holds 104 bytes on macOS and 108 on Linux, the final zero included.


def home() -> Path | None:
    """Everything under one folder, for tests and portable installs; ``None`` uses the system's folders."""
    value = os.environ.get("HEARTH_HOME")
    return Path(value).absolute() if value else None


def config_dir() -> Path:
    """The user's own settings (``settings.json``)."""
    return _dir("config", platformdirs.user_config_path("hearth", appauthor=False))


def data_dir() -> Path:
    """What must not be lost: pulled models, history."""
    return _dir("data", platformdirs.user_data_path("hearth", appauthor=False))


def cache_dir() -> Path:
    """What can be made again."""
    return _dir("cache", platformdirs.user_cache_path("hearth", appauthor=False))


def log_dir() -> Path:
    """Logs of the engine; never source text."""
    return _dir("log", platformdirs.user_log_path("hearth", appauthor=False))


def runtime_dir() -> Path:
    """Sockets and lock files. Only the user can enter it (mode 0700).

    A Unix socket's path must be short, so a deep folder is replaced by one in the temporary directory whose
    name is derived from it: every process of the user finds the same one.
    """
    wanted = _dir("run", platformdirs.user_cache_path("hearth", appauthor=False) / "run")
    if sys.platform != "win32" and SOCKET_PATH_BYTES < len(os.fsencode(wanted / "engine.sock")):
        digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
        wanted = Path(tempfile.gettempdir()) / f"hearth-{os.getuid()}-{digest}"
        wanted.mkdir(mode=0o700, exist_ok=True)
    if sys.platform != "win32":
        owner = wanted.stat().st_uid
        if owner != os.getuid():
            raise PermissionError(
                f"{wanted} belongs to another user; set HEARTH_HOME to a folder of your own."
            )
        wanted.chmod(0o700)
    return wanted


def _dir(name: str, default: Path) -> Path:
    root = home()
    path = root / name if root else default
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
