"""Watch where a command and all it starts connect to, twice: by the kernel's account and by Python's.

**strace**, where there is one and it may be used, writes down every ``connect``, ``sendto``, ``sendmsg`` and
``sendmmsg`` of the whole tree of processes, whatever language they are written in. It cannot see what goes
through io_uring; nothing in the tree uses that.

**An audit hook** in every Python process (``watch.py``) writes down the same calls and, what the kernel does
not know, the names that are looked up: such a question may go to a resolver on this machine, and from there
to anywhere. It cannot see what is no Python: libraries that open sockets by themselves, and programs such as
git. Without strace, these are not watched.
"""

from __future__ import annotations

import ipaddress
import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.e2e import watch

CALLS = "connect,sendto,sendmsg,sendmmsg"
CALL = re.compile(rf"(?:{CALLS.replace(',', '|')})\(")
FAMILY = re.compile(r"sa_family=(AF_\w+)([^}]*)")
PORT = re.compile(r"sin6?_port=htons\((\d+)\)")
ADDRESS = re.compile(r'inet_(?:addr\(|pton\(AF_INET6, )"([^"]+)"')
WITHIN = ("AF_UNIX", "AF_NETLINK", "AF_UNSPEC")  # Between processes, to the kernel, and to hang up.
RESOLVER = 53  # Who asks for a name asks the world, also through a resolver on this machine.


@dataclass(slots=True)
class Watch:
    """A folder in which everything is written down that happens under it."""

    folder: Path
    uses_strace: bool = field(init=False)

    def __post_init__(self) -> None:
        """The hook, where Python finds it."""
        self.uses_strace = can_strace()
        self.log.mkdir(parents=True)
        code = Path(watch.__file__).read_text(encoding="utf-8")
        (self.folder / "sitecustomize.py").write_text(code, encoding="utf-8")

    @property
    def log(self) -> Path:
        """Where the hook writes."""
        return self.folder / "log"

    def environment(self, before: dict[str, str]) -> dict[str, str]:
        """For the first process; the others get theirs from it."""
        return {**before, watch.LOG: str(self.log), watch.PATH: str(self.folder)}

    def command(self, *command: str) -> list[str]:
        """The command, watched. Each gets a file of its own."""
        if not self.uses_strace:
            return list(command)
        out = self.folder / f"{len(list(self.folder.glob('*.strace')))}.strace"
        out.touch()
        options = ("-f", "-qq", "--seccomp-bpf", "-s", "0", "-e", f"trace={CALLS}", "-e", "signal=none")
        return ["strace", *options, "-o", str(out), *command]

    @property
    def processes(self) -> list[str]:
        """The command lines of the Python processes that were watched."""
        return [" ".join(it["value"]) for it in self._noted("process")]

    @property
    def addresses(self) -> list[str]:
        """Everything that was connected or sent to, of any family: to see that the watch is awake."""
        return [*self._by_kernel(strangers=False), *(repr(it["value"]) for it in self._noted("address"))]

    @property
    def strangers(self) -> list[str]:
        """What is not on this machine, and every name that was looked up."""
        found = list(self._by_kernel(strangers=True))
        found += [f"{it['value']!r}" for it in self._noted("address") if not _stays(it["value"])]
        return found + [
            f"look-up of {it['value']}" for it in self._noted("name") if not _is_here(it["value"])
        ]

    def _noted(self, kind: str) -> Iterator[dict[str, Any]]:
        for path in sorted(self.log.glob("*.jsonl")):
            lines = (json.loads(it) for it in path.read_text().splitlines())
            yield from (it for it in lines if it["kind"] == kind)

    def _by_kernel(self, *, strangers: bool) -> Iterator[str]:
        for path in sorted(self.folder.glob("*.strace")):
            yield from addresses(path.read_text(errors="replace").splitlines(), strangers=strangers)


@cache
def can_strace() -> bool:
    """Whether strace is there and may look at what it starts."""
    if shutil.which("strace") is None:
        return False
    probe = ["strace", "-f", "--seccomp-bpf", "-e", "trace=connect", "-o", "/dev/null", "true"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def addresses(lines: Sequence[str], *, strangers: bool) -> Iterator[str]:
    """The addresses in what strace says, or those of them that are not on this machine."""
    for line in lines:
        call = CALL.search(line)
        for family, rest in FAMILY.findall(line[call.end() :]) if call else ():
            if not strangers or not _is_within(family, rest):
                yield f"{family}{rest}"


def _is_within(family: str, rest: str) -> bool:
    if family in WITHIN:
        return True
    port, address = PORT.search(rest), ADDRESS.search(rest)
    return bool(port and address) and int(port[1]) != RESOLVER and _is_here(address[1])  # type: ignore[index]


def _stays(address: list[Any] | str) -> bool:
    """Of an address as Python has it: a path, or a host and a port."""
    if isinstance(address, str) or len(address) < 2 or isinstance(address[0], int):
        return True
    return _is_here(str(address[0])) and address[1] != RESOLVER


def _is_here(host: str) -> bool:
    if host in ("", "None", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
