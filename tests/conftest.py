"""Every test runs in a clean environment of its own: no user's settings, no network, slow tests last.

This happens while pytest reads this file, before anything of the product is imported: what the product reads
from the environment, it reads from here.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import psutil
import pytest

hypothesis.settings.register_profile("any machine", deadline=None)  # Nothing is asserted about time.
hypothesis.settings.load_profile("any machine")

# Short on purpose: a Unix socket's path has room for about 100 bytes, and macOS' temporary folder takes half.
HOME = Path(tempfile.mkdtemp(prefix="hearth-"))
TOOLS = "HEARTH_TOOLS"  # Where the editors that tests drive are kept: the one thing that outlives a run.
WARDEN_S = 5.0  # How long a left-over engine may take to end before it is killed.


def _clean_environment() -> None:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    tools = os.environ.get(TOOLS) or str(Path(cache) / "hearth-tools")
    for name in list(os.environ):
        if name.startswith("HEARTH_"):
            del os.environ[name]
    os.environ[TOOLS] = tools
    for name, folder in (
        ("HOME", "user"),
        ("HEARTH_HOME", "h"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_DATA_HOME", "data"),
        ("XDG_STATE_HOME", "state"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_RUNTIME_DIR", "run"),
    ):
        (HOME / folder).mkdir(mode=0o700)
        os.environ[name] = str(HOME / folder)
    os.environ["NO_COLOR"] = "1"
    os.environ["COLUMNS"] = "120"
    os.environ["TERM"] = "dumb"


def _guard_network(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse every connection that leaves this machine, whoever makes it and however deep in a library."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if not _stays_here(host):
        raise PermissionError(f"A test wants to reach {host!r}: tests use no network.")


def _stays_here(host: str | bytes | None) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(str(name).partition("%")[0]).is_loopback
    return False


_clean_environment()
sys.addaudithook(_guard_network)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What drives real processes runs last: a broken rule is seen in seconds, not after the slow tests."""
    items.sort(key=lambda it: it.get_closest_marker("e2e") is not None)


@pytest.fixture(scope="session", autouse=True)
def leave_nothing_behind() -> Iterator[None]:
    """End the engines that were started in this session's home, and remove it."""
    yield
    left = [it for it in psutil.process_iter() if _is_ours(it)]
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    for process in psutil.wait_procs(left, timeout=WARDEN_S)[1]:
        with contextlib.suppress(psutil.Error):
            process.kill()
    shutil.rmtree(HOME, ignore_errors=True)


def _is_ours(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        home: str = process.environ().get("HEARTH_HOME", "")
        return process.pid != os.getpid() and home.startswith(str(HOME))
    return False


@pytest.fixture
def hearth_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A `HEARTH_HOME` of this test's own, with a path short enough for sockets."""
    path = Path(tempfile.mkdtemp(prefix="t-", dir=HOME))
    monkeypatch.setenv("HEARTH_HOME", str(path))
    yield path
    shutil.rmtree(path, ignore_errors=True)
